package line

import "time"

// needs are how often a running line's figures are read, by what comes first: the
// nearer its end, and the less is left, the more often.
var needs = []struct {
	left  time.Duration // until the end, at most
	used  int64         // percent of the allowance, at least
	every time.Duration
}{
	{left: 3 * time.Hour, used: 95, every: 30 * time.Minute},
	{left: 24 * time.Hour, used: 80, every: 2 * time.Hour},
	{left: 72 * time.Hour, used: 50, every: 6 * time.Hour},
}

// seldom is how often the figures of other running lines are read, and of those on
// which nothing was used between two readings.
const seldom = 24 * time.Hour

// NextLook is when the operator of a line should be asked again how it stands; zero:
// when somebody wants to know. u is what it says now, where l still has what it said
// before; delay is how old its figures may be: to ask more often tells nothing new.
func (l Line) NextLook(u Usage, delay time.Duration, now time.Time) time.Time {
	if l.At(now) != Active {
		return time.Time{}
	}
	left, every := l.EndsAt.Sub(now), seldom
	for _, n := range needs {
		if left <= n.left || u.Total > 0 && u.Used/max(1, u.Total/100) >= n.used {
			every = n.every
			break
		}
	}
	if left > needs[0].left && u.AsOf.After(l.Usage.AsOf) && u.Used == l.Usage.Used && u.Total == l.Usage.Total {
		every = min(seldom, 2*every) // it lies in a drawer
	}
	next := now.Add(max(every, delay, Stale))
	if last := l.EndsAt.Add(-needs[0].left); now.Before(last) && next.After(last) {
		next = last // from then on every figure counts
	}
	return next
}
