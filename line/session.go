package line

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Count is what a gateway reports of one session of a line.
type Count struct {
	Gateway string    // what counts
	Session string    // its identifier of the session; it may come again after a restart
	Begins  bool      // the session begins now
	Stops   bool      // it ends now
	At      time.Time // when it was counted, never in the future
	Lasted  time.Duration
	Down    int64 // bytes to the line since the session began
	Up      int64 // bytes from it
}

// Bytes is both ways together, which is what allowances are of.
func (c Count) Bytes() int64 { return c.Down + c.Up }

// begun is when the session of a count began; zero where it does not say.
func (c Count) begun() time.Time {
	if c.Begins || c.Lasted > 0 {
		return c.At.Add(-c.Lasted)
	}
	return time.Time{}
}

// What a count may show at most: 20 Gbit/s for as long as the session lasted, and a
// pebibyte in any case. More is a mistake of the gateway, and no later report could
// make it less.
const (
	mostPerSecond = 2_500_000_000
	mostCounted   = 1 << 50
)

// Plausible reports whether a line can have used so much.
func (c Count) Plausible() bool {
	if c.Down < 0 || c.Up < 0 || c.Down > mostCounted || c.Up > mostCounted || c.Lasted < 0 {
		return false
	}
	seconds := int64(c.Lasted / time.Second)
	return seconds == 0 || c.Bytes()/mostPerSecond <= seconds+60
}

// Session is one stretch of time in which a line was connected. Its figures are the
// highest that any report showed: counters only grow, so that a report which shows
// less is older, repeated or wrong, and it does not matter in which order reports come.
type Session struct {
	Gateway, Name string
	Number        int // 1, 2, … of the same name
	BegunAt       time.Time
	Down, Up      int64     // bytes
	AsOf          time.Time // when that was counted
	SeenAt        time.Time // the latest instant that a report is about
	StoppedAt     time.Time // zero: nobody said that it ended
	HeardAt       time.Time // when we were last told

	Stretches []Stretch // of its time, oldest first
}

// Bytes is both ways together.
func (s Session) Bytes() int64 { return s.Down + s.Up }

// Stretch is a part of a session's time, and what was used in it.
type Stretch struct {
	From    time.Time
	Counted int64     // bytes since the session began, as its highest report in here showed; -1: there was none
	AsOf    time.Time // when
	Used    int64     // bytes
}

// sessionSlack is how much later than a session was last heard of another one of its name
// begins at least. Gateways round times to seconds.
const sessionSlack = 30 * time.Second

// of finds the session that a count is about among those of its gateway and name;
// -1: one that was not heard of before. A session cannot have begun after it was
// heard of, nor be heard of before it began: by that one that has another's
// identifier is known.
func (c Count) of(sessions []Session) int {
	found, begun := -1, c.begun()
	for i, s := range sessions {
		if begun.After(s.SeenAt.Add(sessionSlack)) || c.At.Before(s.BegunAt.Add(-sessionSlack)) {
			continue
		}
		if found < 0 || closer(begun, s.BegunAt, sessions[found].BegunAt) {
			found = i
		}
	}
	return found
}

// closer reports whether one beginning is nearer to a than another; the later one,
// where a is not known.
func closer(a, one, other time.Time) bool {
	if a.IsZero() {
		return one.After(other)
	}
	return a.Sub(one).Abs() < a.Sub(other).Abs()
}

// Cuts say where stretches begin.
type Cuts interface {
	Begin(t time.Time) time.Time // the last cut that is not after t
	Next(t time.Time) time.Time  // the first cut after t
}

// Counted adds a report to the sessions of its gateway and name, and returns the
// changed one. fell reports that the counters went back since an earlier report of
// the session, which changes no figure.
func Counted(sessions []Session, c Count, cuts Cuts, now time.Time) (s Session, fell bool) {
	if i := c.of(sessions); i >= 0 {
		s = sessions[i]
		s.Stretches = slices.Clone(s.Stretches)
	} else {
		s = Session{Gateway: c.Gateway, Name: c.Session, Number: 1, BegunAt: c.At, AsOf: c.At}
		for _, other := range sessions {
			s.Number = max(s.Number, other.Number+1)
		}
	}
	if begun := c.begun(); !begun.IsZero() && begun.Before(s.BegunAt) {
		s.BegunAt = begun
	}
	fell = c.Bytes() < s.Bytes() && c.At.After(s.AsOf)
	if higher(c.Bytes(), c.At, s.Bytes(), s.AsOf) {
		s.Down, s.Up, s.AsOf = c.Down, c.Up, c.At
	}
	s.SeenAt, s.HeardAt = later(s.SeenAt, c.At), now
	if c.Stops {
		s.StoppedAt = later(s.StoppedAt, c.At)
	}
	from := cuts.Begin(c.At)
	i := slices.IndexFunc(s.Stretches, func(x Stretch) bool { return x.From.Equal(from) })
	if i < 0 {
		i, s.Stretches = len(s.Stretches), append(s.Stretches, Stretch{From: from, Counted: -1})
	}
	if x := &s.Stretches[i]; higher(c.Bytes(), c.At, x.Counted, x.AsOf) {
		x.Counted, x.AsOf = c.Bytes(), c.At
	}
	s.share(cuts)
	return s, fell
}

// higher reports whether one count says more than another: more bytes, or as many at
// a later time.
func higher(bytes int64, at time.Time, than int64, was time.Time) bool {
	return bytes > than || bytes == than && at.After(was)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// share gives every stretch what was used in it: what the counters gained between two
// reports is shared out over the time between them.
func (s *Session) share(cuts Cuts) {
	used := map[time.Time]*Stretch{}
	for _, x := range s.Stretches {
		x.Used = 0
		if x.Counted >= 0 {
			used[x.From.UTC()] = &x
		}
	}
	told := slices.SortedFunc(maps.Values(used), func(a, b *Stretch) int { return cmp.Or(a.AsOf.Compare(b.AsOf), a.From.Compare(b.From)) })
	since, counted := s.BegunAt, int64(0)
	for _, x := range told {
		if x.Counted < counted {
			continue
		}
		spread(used, cuts, since, x.AsOf, x.Counted-counted)
		since, counted = x.AsOf, x.Counted
	}
	s.Stretches = s.Stretches[:0]
	for _, x := range slices.SortedFunc(maps.Values(used), func(a, b *Stretch) int { return a.From.Compare(b.From) }) {
		s.Stretches = append(s.Stretches, *x)
	}
}

// longest is how far back use is shared out; what is older belongs to its begin.
const longest = MaxDays * 24 * time.Hour

// spread gives every stretch between two instants its part of what was used. Nothing
// is lost to rounding.
func spread(used map[time.Time]*Stretch, cuts Cuts, since, until time.Time, bytes int64) {
	if until.Sub(since) > longest {
		since = until.Add(-longest)
	}
	whole := max(int64(until.Sub(since)/time.Second), 1)
	var given int64
	for at := since; ; {
		from, next := cuts.Begin(at).UTC(), cuts.Next(at)
		part := bytes
		if next.Before(until) {
			gone := int64(next.Sub(since) / time.Second)
			part = bytes/whole*gone + bytes%whole*gone/whole
		}
		if used[from] == nil {
			used[from] = &Stretch{From: from, Counted: -1}
		}
		used[from].Used += part - given
		given = part
		if !next.Before(until) {
			return
		}
		at = next
	}
}

// Says reports whether a session says what it said before, as far as figures go.
func (s Session) Says(was Session) bool {
	return s.Bytes() == was.Bytes() && s.AsOf.Equal(was.AsOf) && s.SeenAt.Equal(was.SeenAt) && s.StoppedAt.Equal(was.StoppedAt) &&
		s.BegunAt.Equal(was.BegunAt) && slices.EqualFunc(s.Stretches, was.Stretches, Stretch.same)
}

// Changed is the beginning of the first stretch in which something else was used than
// before; of the last one, where nothing was.
func (s Session) Changed(was Session) time.Time {
	var first time.Time
	for _, pair := range [][2][]Stretch{{s.Stretches, was.Stretches}, {was.Stretches, s.Stretches}} {
		for _, x := range pair[0] {
			if !slices.ContainsFunc(pair[1], x.same) && (first.IsZero() || x.From.Before(first)) {
				first = x.From
			}
		}
	}
	if first.IsZero() {
		return s.SeenAt
	}
	return first
}
