package line_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/line"
)

// Days of UTC, and every purchase in the middle of one, begin stretches.
type cuts []time.Time

const day = 24 * time.Hour

func (c cuts) Begin(t time.Time) time.Time {
	from := t.UTC().Truncate(day)
	for _, at := range c {
		if !at.After(t) && at.After(from) {
			from = at
		}
	}
	return from
}

func (c cuts) Next(t time.Time) time.Time {
	next := t.UTC().Truncate(day).Add(day)
	for _, at := range c {
		if at.After(t) && at.Before(next) {
			next = at
		}
	}
	return next
}

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// counted gives reports to one gateway's sessions of one name, in order.
func counted(t interface{ Fatalf(string, ...any) }, c cuts, reports []line.Count) (all []line.Session) {
	for _, r := range reports {
		s, _ := line.Counted(all, r, c, monday)
		var sum int64
		for _, x := range s.Stretches {
			if x.Used < 0 {
				t.Fatalf("a stretch used %d", x.Used)
			}
			sum += x.Used
		}
		if sum != s.Bytes() {
			t.Fatalf("the stretches have %d of %d bytes", sum, s.Bytes())
		}
		if i := slices.IndexFunc(all, func(x line.Session) bool { return x.Number == s.Number }); i >= 0 {
			all[i] = s
		} else {
			all = append(all, s)
		}
	}
	return all
}

// whatever a gateway reports, in whatever order it comes and however often, the same
// sessions come of it: also of names that come again after a restart, and of reports that
// say less than earlier ones.
func TestOrderOfReportsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cuts{monday.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "purchase")) * time.Hour)}
		var reports []line.Count
		at := monday
		for range rapid.IntRange(1, 3).Draw(t, "sessions") {
			at = at.Add(time.Duration(rapid.IntRange(120, 100_000).Draw(t, "pause")) * time.Second)
			begun, down := at, int64(0)
			for i := range rapid.IntRange(1, 8).Draw(t, "reports") {
				if i > 0 {
					at = at.Add(time.Duration(rapid.IntRange(1, 60_000).Draw(t, "later")) * time.Second)
				}
				down += rapid.Int64Range(-1<<30, 6<<30).Draw(t, "bytes")
				reports = append(reports, line.Count{Begins: i == 0, At: at, Lasted: at.Sub(begun), Down: max(0, down), Up: 7})
			}
			reports[len(reports)-1].Stops = rapid.Bool().Draw(t, "stops")
		}
		want := counted(t, c, reports)
		seed := rapid.Uint64().Draw(t, "order")
		again := slices.Concat(reports, reports[:len(reports)/2])
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		got := counted(t, c, again)
		for _, all := range [][]line.Session{want, got} {
			slices.SortFunc(all, func(a, b line.Session) int { return a.BegunAt.Compare(b.BegunAt) })
			for i := range all {
				all[i].Number = 0
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("another order gives another figure (-in order +shuffled):\n%s", diff)
		}
	})
}

// A counter that goes back changes nothing but what is said of it; one that goes on from
// there counts again once it has passed what it was.
func TestCountersThatGoBack(t *testing.T) {
	c := cuts{}
	report := func(minute int, bytes int64) line.Count {
		return line.Count{At: monday.Add(time.Duration(minute) * time.Minute), Lasted: time.Duration(minute) * time.Minute, Down: bytes}
	}
	all := counted(t, c, []line.Count{report(10, 500)})
	s, fell := line.Counted(all, report(20, 300), c, monday)
	if !fell || s.Bytes() != 500 || !s.AsOf.Equal(monday.Add(10*time.Minute)) {
		t.Errorf("fell %t: %d bytes as of %s", fell, s.Bytes(), s.AsOf)
	}
	s, fell = line.Counted([]line.Session{s}, report(30, 600), c, monday)
	if fell || s.Bytes() != 600 || !s.AsOf.Equal(monday.Add(30*time.Minute)) {
		t.Errorf("fell %t: %d bytes as of %s", fell, s.Bytes(), s.AsOf)
	}
}

// What was used over midnight is shared out by the time.
func TestMidnight(t *testing.T) {
	c := cuts{}
	evening := time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC)
	all := counted(t, c, []line.Count{
		{Begins: true, At: evening},
		{At: evening.Add(50 * time.Minute), Lasted: 50 * time.Minute, Down: 1000},
		{At: evening.Add(70 * time.Minute), Lasted: 70 * time.Minute, Down: 3000},
	})
	used := fmt.Sprint(all[0].Stretches[0].Used, all[0].Stretches[1].Used)
	if used != "2000 1000" {
		t.Error(used)
	}
}

// Nobody can use as much as some gateways say, and what is no number of bytes is none.
func TestPlausible(t *testing.T) {
	for bytes, want := range map[int64]bool{-1: false, 0: true, 3 << 40: false, 1 << 60: false, 100 << 30: true} {
		if got := (line.Count{Lasted: time.Minute, Down: bytes}).Plausible(); got != want {
			t.Errorf("%d bytes in a minute: %t", bytes, got)
		}
	}
}
