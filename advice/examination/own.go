package examination

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Mistake is what is wrong with one row of a file.
type Mistake struct {
	Row  int // the line of the file, from 1
	What string
}

func (m Mistake) String() string { return fmt.Sprintf("line %d: %s", m.Row, m.What) }

// ownColumns are the columns of a seller's own history, in any order.
var ownColumns = []string{"line", "day", "bytes", "throttled", "segment", "end told"}

const (
	gapDays = 7 // a line that is silent for longer begins another trip

	// The shares of finished trips that are fitted on, and that have calibrated.
	fittedShare, checkedShare = 0.6, 0.8

	fewestFitted, fewestChecked, fewestExamined = 50, 20, 20
)

// ownRow is one day of one line.
type ownRow struct {
	line      string
	day       advice.Date
	bytes     int64
	throttled bool
	segment   advice.Segment
	told      advice.Date
}

// ownTrip is a trip out of a seller's own history.
type ownTrip struct {
	trip
	open bool // it may go on beyond the file
}

// OwnHistory examines advice with a seller's own history: a CSV with the columns
// line, day (2026-01-31), bytes, throttled (yes or no), segment (group/purpose/use)
// and end told (a day, or empty). A line that is silent for more than seven days
// begins another trip; a silent day in between is a day without use. Need and
// costs are those of the bytes that came, so they are too low where a line was
// throttled: trips on which that happened are a bucket of their own.
//
// Mistakes are all that is wrong with the rows; with any, nothing is examined. A
// day that has not come anywhere is one (Options.Today), and an end that was told
// further ahead than a customer can tell it.
func OwnHistory(ctx context.Context, file io.Reader, o Options) (*Report, []Mistake, error) {
	rows, mistakes, err := readOwn(file, o.Today)
	if err != nil || len(mistakes) > 0 {
		return nil, mistakes, err
	}
	trips := ownTrips(rows)
	e := &exam{Options: o, store: terms()}
	r := &Report{Seed: o.Seed}
	at, err := e.split(trips, r)
	if err != nil {
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	r.Users, e.Users = len(at), len(at)
	e.examineOwn(r, at)
	return r, nil, nil
}

func readOwn(file io.Reader, today advice.Date) (rows []ownRow, mistakes []Mistake, err error) {
	in := csv.NewReader(file)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, fault.New(fault.Invalid, "the file is empty")
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "this is no CSV file with a heading")
	}
	at, err := ownHeading(head)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]int{}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, mistakes, nil
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			mistakes = append(mistakes, Mistake{parse.StartLine, parse.Err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		number, _ := in.FieldPos(0)
		if len(record) != len(head) {
			mistakes = append(mistakes, Mistake{number, fmt.Sprintf("%d columns, where the heading has %d", len(record), len(head))})
			continue
		}
		row, wrong := ownDay(func(name string) string { return strings.TrimSpace(record[at[name]]) }, today)
		key := fmt.Sprint(row.line, "\x00", row.day)
		if before, twice := seen[key]; twice && len(wrong) == 0 {
			wrong = append(wrong, fmt.Sprintf("this day of this line stands in line %d already", before))
		}
		seen[key] = number
		for _, w := range wrong {
			mistakes = append(mistakes, Mistake{number, w})
		}
		rows = append(rows, row)
	}
}

// ownHeading is where each column stands.
func ownHeading(head []string) (map[string]int, error) {
	at := map[string]int{}
	for i, name := range head {
		name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))), "_", " ")
		if _, twice := at[name]; twice && slices.Contains(ownColumns, name) {
			return nil, fault.New(fault.Invalid, "the heading has the column %q twice", name)
		}
		at[name] = i
	}
	var lacks []string
	for _, name := range ownColumns {
		if _, ok := at[name]; !ok {
			lacks = append(lacks, strconv.Quote(name))
		}
	}
	if len(lacks) > 0 {
		return nil, fault.New(fault.Invalid, "the heading lacks %s; columns are separated by commas", strings.Join(lacks, ", "))
	}
	return at, nil
}

// ownDay reads one row, and says everything that is wrong with it.
func ownDay(field func(string) string, today advice.Date) (row ownRow, wrong []string) {
	row.line = field("line")
	if row.line == "" {
		wrong = append(wrong, "the line is empty")
	}
	var ok bool
	row.day, ok = readDay(field("day"))
	switch {
	case !ok:
		wrong = append(wrong, fmt.Sprintf("day: %q is no date like 2026-01-31", field("day")))
	case today != 0 && row.day > today+1: // it may be tomorrow already where the line is
		wrong = append(wrong, fmt.Sprintf("day: %s has not come yet", row.day))
	}
	var err error
	if row.bytes, err = strconv.ParseInt(field("bytes"), 10, 64); err != nil || row.bytes < 0 || row.bytes > advice.MaxBytesPerDay {
		wrong = append(wrong, fmt.Sprintf("bytes: %q is no whole number from 0 to %d", field("bytes"), int64(advice.MaxBytesPerDay)))
	}
	switch strings.ToLower(field("throttled")) {
	case "yes", "true", "1":
		row.throttled = true
	case "no", "false", "0", "":
	default:
		wrong = append(wrong, fmt.Sprintf("throttled: %q is neither yes nor no", field("throttled")))
	}
	parts := append(strings.SplitN(field("segment"), "/", 3), "", "")
	row.segment = advice.Segment{Group: parts[0], Purpose: parts[1], Use: parts[2]}
	if told := field("end told"); told != "" {
		row.told, ok = readDay(told)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("end told: %q is no date like 2026-01-31", told))
		case row.day != 0 && row.told > row.day+advice.MaxTripDays:
			wrong = append(wrong, fmt.Sprintf("end told: %s is more than %d days ahead", row.told, advice.MaxTripDays))
		}
	}
	return row, wrong
}

func readDay(s string) (advice.Date, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return 0, false
	}
	return advice.DateOf(t, time.UTC), true
}

// ownTrips are the trips of all lines, in the order in which they began.
func ownTrips(rows []ownRow) []ownTrip {
	slices.SortStableFunc(rows, func(a, b ownRow) int {
		if c := strings.Compare(a.line, b.line); c != 0 {
			return c
		}
		return int(a.day - b.day)
	})
	var all []ownTrip
	var end advice.Date
	var before ownRow
	for _, r := range rows {
		end = max(end, r.day)
		if len(all) == 0 || before.line != r.line || r.day-before.day > gapDays {
			all = append(all, ownTrip{trip: trip{number: uint64(len(all)), segment: r.segment, arrival: r.day}})
		}
		before = r
		t := &all[len(all)-1]
		for t.arrival+advice.Date(len(t.demand)) < r.day { // silent days
			t.add(0, false, 0)
		}
		t.add(r.bytes, r.throttled, r.told)
	}
	for i := range all {
		all[i].open = all[i].last()+gapDays >= end
	}
	slices.SortStableFunc(all, func(a, b ownTrip) int { return int(a.arrival - b.arrival) })
	return all
}

// add is one more day; what was told stands until something else is.
func (t *ownTrip) add(bytes int64, throttled bool, told advice.Date) {
	if n := len(t.told); told == 0 && n > 0 {
		told = t.told[n-1]
	}
	t.demand, t.capped, t.told, t.minutes = append(t.demand, bytes), append(t.capped, throttled), append(t.told, told), append(t.minutes, 0)
}

// until is what was known of a trip on the morning of a day.
func (t *ownTrip) until(day advice.Date) advice.Trip {
	n := min(int(day-t.arrival), len(t.demand))
	a := advice.Trip{Segment: t.segment, Arrival: t.arrival, Today: day, Told: t.told[min(n, len(t.told)-1)], Days: t.days(n)}
	if n == len(t.demand) && !t.open {
		a.Today, a.End = t.last()+1, t.last()
	}
	return a
}

func (t *ownTrip) days(n int) []advice.Day {
	days := make([]advice.Day, n)
	for i := range days {
		days[i] = advice.Day{Date: t.arrival + advice.Date(i), Bytes: t.demand[i], Capped: t.capped[i]}
	}
	return days
}

// split learns from the trips that had finished by one day and calibrates with
// those that finished by a second. It returns the moments to examine, of the
// trips that began after it.
func (e *exam) split(trips []ownTrip, r *Report) ([]moment, error) {
	var ends []advice.Date
	for _, t := range trips {
		if !t.open {
			ends = append(ends, t.last())
		}
	}
	slices.Sort(ends)
	if len(ends) < fewestFitted+fewestChecked+fewestExamined {
		return nil, fault.New(fault.Invalid, "%d finished trips are too few: at least %d are needed, and more are better", len(ends), fewestFitted+fewestChecked+fewestExamined)
	}
	t1, t2 := ends[int(fittedShare*float64(len(ends)))]+1, ends[int(checkedShare*float64(len(ends)))]+1
	var fit, check []advice.Trip
	var at []moment
	for _, t := range trips {
		switch {
		case t.arrival < t1:
			fit = append(fit, t.until(t1))
			if !t.open && t.last() >= t1 && t.last() < t2 {
				check = append(check, t.until(t2))
			}
		case !t.open && t.last() < t2:
			check = append(check, t.until(t2))
		case !t.open && t.arrival >= t2:
			at = append(at, t.moment(e.Seed, e.store))
		}
	}
	if len(check) < fewestChecked || len(at) < fewestExamined {
		return nil, fault.New(fault.Invalid, "%d trips finished from %s to %s and %d began after: too few to examine anything", len(check), t1, t2, len(at))
	}
	if !slices.ContainsFunc(at, func(m moment) bool { return m.need() > 0 }) {
		return nil, fault.New(fault.Invalid, "nothing was used on the %d trips that began after %s: there is no need to forecast and nothing to pay for", len(at), t2)
	}
	r.Split = Split{FittedUntil: t1, CalibratedUntil: t2, Fitted: len(fit), Calibrated: len(check)}
	return at, e.fit(fit, check)
}

// moment is one morning of a trip on which nothing runs: the first one of one
// trip in four, any of the others.
func (t ownTrip) moment(seed uint64, s *store) moment {
	r := dice(seed, &t.trip)
	day, why := 0, start
	if n := len(t.demand); n > 1 && r.IntN(4) > 0 {
		day, why = 1+r.IntN(n-1), expiry
	}
	return moment{trip: &t.trip, day: day, why: why, line: newLine(&s.Shop), held: s.find(popular), seen: t.days(day)}
}

func (e *exam) examineOwn(r *Report, at []moment) {
	scores := e.score(at)
	r.Forecast = scores.report()
	r.Coverage = r.Forecast.Coverage
	e.say("%d buyers and the clairvoyant …", len(e.buyers))
	b := charge(at, e.buyers, 1)
	r.Buyers = b.report(e.Seed)
	r.Regret, r.RegretCI, r.Median, r.P90 = r.Buyers[0].Regret, r.Buyers[0].RegretCI, r.Buyers[0].Median, r.Buyers[0].P90
	r.Flips = e.flips(at)
	for _, k := range slices.Concat(ownBuckets(at), historyBuckets(), endBuckets()) {
		if bucket, ok := e.bucket(k, at, scores, b, nil); ok {
			r.Buckets = append(r.Buckets, bucket)
		}
	}
	r.fromBuckets()
}

// ownBuckets are the seller's own groups, and whether a trip was ever throttled.
func ownBuckets(at []moment) []kind {
	groups := map[string]bool{}
	for i := range at {
		groups[at[i].trip.segment.Group] = true
	}
	throttled := func(m *moment) bool {
		return slices.ContainsFunc(m.trip.capped, func(c bool) bool { return c })
	}
	all := []kind{
		{"throttled", "never", func(m *moment) bool { return !throttled(m) }},
		{"throttled", "some day", throttled},
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, kind{"group", g, func(m *moment) bool { return m.trip.segment.Group == g }})
	}
	return all
}
