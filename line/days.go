package line

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Day is a day of the operator's calendar: days since 1 January 1970. The zero
// Day stands for "not known".
type Day int64

const (
	daySeconds    = 24 * 60 * 60
	minutesPerDay = 24 * 60
)

// DayOf is the day that t falls on in loc.
func DayOf(t time.Time, loc *time.Location) Day {
	y, m, d := t.In(loc).Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

// Start is the instant at which the day begins in loc.
func (d Day) Start(loc *time.Location) time.Time {
	y, m, n := time.Unix(int64(d)*daySeconds, 0).UTC().Date()
	return time.Date(y, m, n, 0, 0, 0, 0, loc)
}

// Reading is the newest figure of one day, and what any of that day said.
type Reading struct {
	Day       Day
	Usage     Usage // the newest
	Most      int64 // bytes: the most that any showed
	Throttled bool  // at any of them
	Exhausted bool  // at any of them, the allowance or the day's full speed was used up
}

// NoteDay keeps a report as one of its day's. It does not matter in which order
// reports come, nor how often each does: of a day, the newest figure stays. It
// is written where [Report] is, and fails as that does.
func NoteDay(ctx context.Context, tx db.Tx, account, id string, u Usage, loc *time.Location) error {
	if u.AsOf.IsZero() || u.AsOf.After(tx.Now()) || u.Total < 0 || u.Used < 0 {
		return fault.New(fault.Invalid, "A usage report must carry a time that is not in the future, and no negative figure.")
	}
	_, err := tx.Exec(ctx, `INSERT INTO usage_days AS d (account_id, line_id, day, as_of, unlimited, total_bytes, used_bytes, most_bytes, throttled, exhausted)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$7,$8,$9)
		ON CONFLICT (account_id, line_id, day) DO UPDATE SET
			as_of       = CASE WHEN excluded.as_of > d.as_of THEN excluded.as_of ELSE d.as_of END,
			unlimited   = CASE WHEN excluded.as_of > d.as_of THEN excluded.unlimited ELSE d.unlimited END,
			total_bytes = CASE WHEN excluded.as_of > d.as_of THEN excluded.total_bytes ELSE d.total_bytes END,
			used_bytes  = CASE WHEN excluded.as_of > d.as_of OR excluded.as_of = d.as_of AND excluded.used_bytes > d.used_bytes
			              THEN excluded.used_bytes ELSE d.used_bytes END,
			most_bytes  = CASE WHEN excluded.most_bytes > d.most_bytes THEN excluded.most_bytes ELSE d.most_bytes END,
			throttled   = d.throttled OR excluded.throttled,
			exhausted   = d.exhausted OR excluded.exhausted`,
		account, id, int64(DayOf(u.AsOf, loc)), db.At(u.AsOf), u.Unlimited, u.Total, u.Used, u.Throttled, u.Total > 0 && u.Used >= u.Total)
	return err
}

// MaxDays is how many days of a line are read: the newest.
const MaxDays = 400

// Readings reads the newest days of a line, oldest first.
func Readings(ctx context.Context, tx db.Tx, account, id string) (all []Reading, err error) {
	rows, err := tx.Query(ctx, `SELECT day, as_of, unlimited, total_bytes, used_bytes, most_bytes, throttled, exhausted
		FROM usage_days WHERE account_id = $1 AND line_id = $2 ORDER BY day DESC LIMIT $3`, account, id, MaxDays)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r Reading
		var asOf db.Instant
		if err := rows.Scan(&r.Day, &asOf, &r.Usage.Unlimited, &r.Usage.Total, &r.Usage.Used, &r.Most, &r.Throttled, &r.Exhausted); err != nil {
			return nil, err
		}
		r.Usage.AsOf, r.Usage.Throttled = asOf.Time, r.Throttled
		all = append(all, r)
	}
	slices.Reverse(all)
	return all, rows.Err()
}

// DayUse is what was used on one day.
type DayUse struct {
	Day     Day
	Bytes   int64
	Capped  bool // more may have been wanted: the line was throttled or empty at some moment
	Minutes int  // how much of the day this is; 0: all of it
}

// PerDay makes days of readings, oldest first. The counter of an unlimited line
// begins anew every day and speaks for its day alone: a day without a reading is
// missing. Any other counter goes on: what it gained between two readings is
// shared out over the time between them, so that the days add up to what the
// operator counted. One that fell to less than half began anew. from is when the line began to
// count.
func PerDay(readings []Reading, from time.Time, loc *time.Location) []DayUse {
	used := map[Day]*DayUse{}
	seen, counter := from, int64(0)
	for _, r := range readings {
		u := r.Usage
		if u.AsOf.Before(from) {
			continue
		}
		day := DayOf(u.AsOf, loc) // of this zone, should the operator's have changed
		if u.Unlimited {
			used[day] = &DayUse{Day: day, Bytes: max(r.Most, u.Used), Minutes: minutes(day, from, u.AsOf, loc)}
			counter = 0
		} else {
			share(used, seen, u.AsOf, r.gained(counter), loc)
			counter = u.Used
		}
		used[day].Capped = r.Throttled || r.Exhausted
		seen = u.AsOf
	}
	return inOrder(used, from, seen, loc)
}

// gained is what a counter that goes on gained since it showed was.
func (r Reading) gained(was int64) int64 {
	used := r.Usage.Used
	switch {
	case beganAnew(r.Most, used): // within the day
		return max(r.Most-was, 0) + used
	case beganAnew(was, used):
		return used
	}
	return max(used-was, 0)
}

// beganAnew reports whether a counter that showed was, and shows used now, was set
// back. One that fell by less than half was corrected: operators take back what
// they had counted twice, and nothing was used by that.
func beganAnew(was, used int64) bool { return used < was/2 }

// share gives every day between two instants its part of what was used, by the
// minutes. Nothing is lost to rounding.
func share(used map[Day]*DayUse, since, until time.Time, bytes int64, loc *time.Location) {
	last := DayOf(until, loc)
	first := max(DayOf(since, loc), last-MaxDays)
	whole := max(int64(until.Sub(since)/time.Minute), 1)
	var given int64
	for d := first; d <= last; d++ {
		end := (d + 1).Start(loc)
		part := bytes
		if d < last {
			gone := min(max(int64(end.Sub(since)/time.Minute), 0), whole)
			part = bytes/whole*gone + bytes%whole*gone/whole
		}
		if used[d] == nil {
			used[d] = &DayUse{Day: d}
		}
		used[d].Bytes += part - given
		given = part
	}
}

// inOrder sorts the days. The first one may have begun late, and the last one
// may not have been seen to its end.
func inOrder(used map[Day]*DayUse, from, seen time.Time, loc *time.Location) []DayUse {
	out := make([]DayUse, 0, len(used))
	for _, d := range used {
		if d.Minutes == 0 {
			d.Minutes = minutes(d.Day, from, seen, loc)
		}
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b DayUse) int { return int(a.Day - b.Day) })
	return out
}

// minutes is how much of a day lies between from and seen; 0: all of it.
func minutes(d Day, from, seen time.Time, loc *time.Location) int {
	begin, end := d.Start(loc), (d + 1).Start(loc)
	if from.After(begin) {
		begin = from
	}
	if seen.Before(end) {
		end = seen
	}
	if n := int(end.Sub(begin) / time.Minute); n < minutesPerDay-slack {
		return max(n, 1)
	}
	return 0
}

// slack is how many minutes of a day may be missing, or be taken by a change of
// the clock, while it counts as a whole one.
const slack = 70
