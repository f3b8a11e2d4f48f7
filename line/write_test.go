package line_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
)

func isGuard(err error) bool { return errors.Is(err, db.ErrGuard) }

// One order at a time is at the operator for a line, and only one that saw the
// line as it is.
func TestTakeIsOneOrdersAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		l := bare()
		l.Periods = 2
		add(t, env.DB, l)
		take := func(account, order string, periods int) error {
			return batch(t, env.DB, func(b *db.Batch, _ time.Time) { line.Take(b, account, l.ID, order, periods) })
		}
		for name, err := range map[string]error{
			"another account":    take("ac_2", "ord_1", 2),
			"it saw one less":    take("ac_1", "ord_1", 1),
			"it saw one more":    take("ac_1", "ord_1", 3),
			"no such line's own": batch(t, env.DB, func(b *db.Batch, _ time.Time) { line.Take(b, "ac_1", "ln_9", "ord_1", 2) }),
		} {
			if !isGuard(err) {
				t.Errorf("%s: %v, want the guard", name, err)
			}
		}
		must(t, take("ac_1", "ord_1", 2))
		for _, order := range []string{"ord_1", "ord_2"} {
			if err := take("ac_1", order, 2); !isGuard(err) {
				t.Errorf("%s takes a line that is taken: %v", order, err)
			}
		}
		free := func(account, order string) {
			must(t, batch(t, env.DB, func(b *db.Batch, _ time.Time) { line.Free(b, account, l.ID, order) }))
		}
		free("ac_1", "ord_2")
		free("ac_2", "ord_1")
		if got := get(t, env.DB, "ac_1", l.ID).Extending; got != "ord_1" {
			t.Errorf("reserved for %q after somebody else freed it, want ord_1", got)
		}
		free("ac_1", "ord_1")
		must(t, take("ac_1", "ord_2", 2))
	})
}

func TestManyOrdersTakeOneLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		l := bare()
		add(t, env.DB, l)
		errs := make([]error, 16)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				errs[i] = batch(t, env.DB, func(b *db.Batch, _ time.Time) { line.Take(b, "ac_1", l.ID, fmt.Sprintf("ord_%d", i), 0) })
			})
		}
		wg.Wait()
		var winner string
		for i, err := range errs {
			switch {
			case err == nil && winner == "":
				winner = fmt.Sprintf("ord_%d", i)
			case err == nil:
				t.Errorf("ord_%d and %s both took it", i, winner)
			case !isGuard(err):
				t.Errorf("ord_%d: %v, want the guard", i, err)
			}
		}
		if got := get(t, env.DB, "ac_1", l.ID).Extending; got != winner || winner == "" {
			t.Errorf("reserved for %q, taken by %q", got, winner)
		}
	})
}

// renewed is what [line.Renew] should make of a line.
func renewed(l line.Line, r line.Renewed, now time.Time) line.Line {
	if r.Cuts || l.EndsAt.IsZero() || !r.EndsAt.Before(l.EndsAt) {
		l.EndsAt, l.GraceEnds = r.EndsAt, r.GraceEnds
	}
	if l.StartedAt.IsZero() {
		l.StartedAt = r.StartsAt
	}
	switch l.State {
	case line.Terminal, line.Suspended, line.Recycled:
	case line.New, line.Active, line.Grace, line.Ended:
		l.State = line.Active
	}
	known := !l.Usage.AsOf.IsZero()
	switch r.Allowance {
	case line.KeepFigures:
	case line.AddFigures:
		l.Usage.Total += r.Bytes
		l.Usage.Unlimited, l.Usage.Throttled = r.Unlimited, false
		if known {
			l.Usage.AsOf = now
		}
	case line.FreshFigures:
		l.Usage = line.Usage{Unlimited: r.Unlimited, Total: r.Bytes, AsOf: now}
	}
	l.Extending, l.Plan, l.Anchor, l.UpdatedAt = "", r.Plan, r.Anchor, now
	l.Periods++
	return l
}

// Whatever the line was and whatever is bought, both engines make of it what a
// few lines of Go say. The line never ends earlier than it did, unless the new
// period cuts the old ones, and its grace belongs to its end.
func TestAnyRenewal(t *testing.T) {
	instants := []time.Time{{}, noon.Add(-time.Hour), noon, noon.Add(time.Microsecond), noon.Add(time.Hour), noon.Add(2 * time.Hour)}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			instant := func(name string, from []time.Time) time.Time { return rapid.SampledFrom(from).Draw(rt, name) }
			l := line.Line{
				Account: "ac_1", ID: fmt.Sprintf("ln_%d", run), Plan: "old", Periods: rapid.IntRange(0, 3).Draw(rt, "periods"), Extending: "ord_1",
				State:     rapid.SampledFrom([]line.State{line.New, line.Active, line.Grace, line.Ended, line.Terminal, line.Suspended, line.Recycled}).Draw(rt, "state"),
				StartedAt: instant("started", instants), EndsAt: instant("ended", instants), GraceEnds: instant("grace", instants),
				Usage: line.Usage{
					Unlimited: rapid.Bool().Draw(rt, "unlimited"), Total: rapid.Int64Range(0, 9).Draw(rt, "total"), Used: rapid.Int64Range(0, 9).Draw(rt, "used"),
					Throttled: rapid.Bool().Draw(rt, "throttled"), AsOf: instant("as of", instants),
				},
			}
			r := line.Renewed{
				Plan: "new", Anchor: rapid.IntRange(1, 31).Draw(rt, "anchor"), StartsAt: instant("starts", instants[1:]), EndsAt: instant("ends", instants[1:]),
				GraceEnds: instant("grace ends", instants[1:]), Cuts: rapid.Bool().Draw(rt, "cuts"),
				Allowance: rapid.SampledFrom([]line.Allowance{line.KeepFigures, line.AddFigures, line.FreshFigures}).Draw(rt, "allowance"),
				Unlimited: rapid.Bool().Draw(rt, "now unlimited"), Bytes: rapid.Int64Range(0, 9).Draw(rt, "bytes"),
			}
			add(t, env.DB, l)
			l.CreatedAt = env.Clock.Now()
			env.Clock.Add(time.Minute)
			if err := batch(t, env.DB, func(b *db.Batch, now time.Time) { line.Renew(b, "ac_1", l.ID, "ord_1", l.Periods, r, now) }); err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(renewed(l, r, env.Clock.Now()), get(t, env.DB, "ac_1", l.ID)); diff != "" {
				rt.Fatal(diff)
			}
		})
	})
}

// A renewal that is not the line's own order's, or that saw other periods,
// changes nothing; the same renewal twice is one.
func TestRenewIsGuarded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		l := full()
		add(t, env.DB, l)
		before := get(t, env.DB, l.Account, l.ID)
		r := line.Renewed{Plan: "new", Anchor: 1, StartsAt: noon, EndsAt: noon.Add(time.Hour * 99), GraceEnds: noon.Add(time.Hour * 99), Allowance: line.FreshFigures}
		renew := func(account, order string, was int) error {
			return batch(t, env.DB, func(b *db.Batch, now time.Time) { line.Renew(b, account, l.ID, order, was, r, now) })
		}
		for name, err := range map[string]error{
			"another order":   renew(l.Account, "ord_1", l.Periods),
			"no order":        renew(l.Account, "", l.Periods),
			"another account": renew("ac_2", l.Extending, l.Periods),
			"one period less": renew(l.Account, l.Extending, l.Periods-1),
			"one period more": renew(l.Account, l.Extending, l.Periods+1),
		} {
			if !isGuard(err) {
				t.Errorf("%s: %v, want the guard", name, err)
			}
		}
		if diff := cmp.Diff(before, get(t, env.DB, l.Account, l.ID)); diff != "" {
			t.Errorf("a refused renewal changed the line: %s", diff)
		}
		must(t, renew(l.Account, l.Extending, l.Periods))
		if err := renew(l.Account, l.Extending, l.Periods); !isGuard(err) {
			t.Errorf("the same again: %v, want the guard", err)
		}
	})
}

func TestEnlarge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		l := full()
		l.Usage = line.Usage{Total: 10, Used: 10, Throttled: true, AsOf: noon.Add(-10 * time.Hour)}
		add(t, env.DB, l)
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) {
			for n := range 3 {
				p := period(n+1, noon.Add(time.Duration(n)*time.Hour), noon.Add(time.Duration(n+1)*time.Hour), line.PeriodActive)
				p.Allowance = 10
				line.AddPeriod(b, p, now)
			}
		}))
		before := get(t, env.DB, l.Account, l.ID)
		enlarge := func(account, order string, number int, bytes int64) error {
			return batch(t, env.DB, func(b *db.Batch, now time.Time) { line.Enlarge(b, account, l.ID, order, number, bytes, now) })
		}
		for name, err := range map[string]error{
			"another order":   enlarge(l.Account, "ord_1", 2, 5),
			"another account": enlarge("ac_2", l.Extending, 2, 5),
			"no such period":  enlarge(l.Account, l.Extending, 4, 5),
		} {
			if !isGuard(err) {
				t.Errorf("%s: %v, want the guard", name, err)
			}
		}
		if diff := cmp.Diff(before, get(t, env.DB, l.Account, l.ID)); diff != "" {
			t.Errorf("a refused pack changed the line: %s", diff)
		}
		env.Clock.Add(time.Minute)
		must(t, enlarge(l.Account, l.Extending, 2, 5))
		want := before
		want.Extending, want.Usage.Total, want.Usage.Throttled, want.UpdatedAt = "", 15, false, env.Clock.Now()
		got := get(t, env.DB, l.Account, l.ID)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got.Usage.Left() != 5 || got.Usage.Empty() {
			t.Errorf("%+v after 5 more", got.Usage)
		}
		for _, p := range periods(t, env.DB, l.Account, l.ID) {
			if want := map[int]int64{1: 10, 2: 15, 3: 10}[p.Number]; p.Allowance != want {
				t.Errorf("period %d has %d bytes, want %d", p.Number, p.Allowance, want)
			}
		}
	})
}

// A pack on a line without a limit leaves it without one, instead of making the
// pack all that there is.
func TestEnlargeOfTheUnlimited(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		l := full()
		l.Usage = line.Usage{Unlimited: true, Throttled: true, AsOf: noon.Add(-10 * time.Hour)}
		add(t, env.DB, l)
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) {
			line.AddPeriod(b, period(1, noon, noon.Add(time.Hour), line.PeriodActive), now)
		}))
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) { line.Enlarge(b, l.Account, l.ID, l.Extending, 1, 5, now) }))
		got := get(t, env.DB, l.Account, l.ID)
		l.Usage.Throttled = false
		if got.Usage != l.Usage || got.Extending != "" {
			t.Errorf("%+v reserved for %q, want %+v", got.Usage, got.Extending, l.Usage)
		}
		if p := periods(t, env.DB, l.Account, l.ID)[0]; p.Allowance != 0 {
			t.Errorf("the period has %d bytes, want no limit", p.Allowance)
		}
	})
}

// A restart ends what runs, at that instant; what is over, waits or was
// cancelled stays as it is.
func TestEndCurrent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		now := env.Clock.Now()
		before := []line.Period{
			period(1, now.Add(-2*time.Hour), now, line.PeriodQueued),
			period(2, now.Add(-time.Hour), now.Add(time.Hour), line.PeriodQueued),
			period(3, now.Add(-time.Hour), now.Add(time.Microsecond), line.PeriodActive),
			period(4, now.Add(-time.Hour), now.Add(time.Hour), line.PeriodCancelled),
			period(5, now, now.Add(time.Hour), line.PeriodActive),
			period(6, now.Add(time.Microsecond), now.Add(time.Hour), line.PeriodQueued),
		}
		elsewhere := period(1, now.Add(-time.Hour), now.Add(time.Hour), line.PeriodActive)
		elsewhere.Line = "ln_2"
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) {
			for _, p := range append(before, elsewhere) {
				line.AddPeriod(b, p, now)
			}
		}))
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) { line.EndCurrent(b, "ac_1", "ln_1", now) }))
		want := before
		for i := range want {
			want[i].CreatedAt = now
		}
		want[1].State, want[1].EndsAt = line.PeriodEnded, now
		want[2].State, want[2].EndsAt = line.PeriodEnded, now
		want[4].State = line.PeriodCancelled
		if diff := cmp.Diff(want, periods(t, env.DB, "ac_1", "ln_1")); diff != "" {
			t.Error(diff)
		}
		for _, p := range periods(t, env.DB, "ac_1", "ln_1") {
			if s := p.StateAt(now); s == line.PeriodActive {
				t.Errorf("period %d still runs", p.Number)
			}
		}
		if got := periods(t, env.DB, "ac_1", "ln_2")[0]; !got.EndsAt.Equal(elsewhere.EndsAt) || got.State != line.PeriodActive {
			t.Errorf("another line's period: %+v", got)
		}
	})
}

// Late, repeated, reordered and future reports never make a figure wrong, only
// older: what is shown is the newest measurement that had been heard of.
func TestAnyReports(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			l := bare()
			l.ID, l.ProfileID = fmt.Sprintf("ln_%d", run), ""
			add(t, env.DB, l)
			now := env.Clock.Now()
			var want line.Usage
			for i, minute := range rapid.SliceOfN(rapid.IntRange(-4, 2), 1, 8).Draw(rt, "minutes") {
				u := line.Usage{
					Total: rapid.Int64Range(0, 9).Draw(rt, "total"), Used: rapid.Int64Range(0, 9).Draw(rt, "used"), Unlimited: rapid.Bool().Draw(rt, "unlimited"),
					Throttled: rapid.Bool().Draw(rt, "throttled"), AsOf: now.Add(time.Duration(minute) * time.Minute),
				}
				future := u.AsOf.After(now)
				newer := !future && u.AsOf.After(want.AsOf)
				taken, err := report(t, env.DB, "ac_1", l.ID, u)
				if taken != newer || (fault.KindOf(err) == fault.Invalid) != future || !future && err != nil {
					rt.Fatalf("report %d, %d minutes from now: taken %v, %v", i, minute, taken, err)
				}
				if newer {
					want = u
				}
				if got := get(t, env.DB, "ac_1", l.ID).Usage; got != want {
					rt.Fatalf("after report %d: %+v, want %+v", i, got, want)
				}
			}
		})
	})
}

func report(t testing.TB, d *db.DB, account, id string, u line.Usage) (bool, error) {
	t.Helper()
	return db.Written(context.Background(), d, func(ctx context.Context, tx db.Tx) (bool, error) {
		return line.Report(ctx, tx, account, id, u)
	})
}

func TestReportThatMakesNoSense(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		add(t, env.DB, bare())
		asOf := env.Clock.Now()
		for name, u := range map[string]line.Usage{
			"no time":           {Total: 1},
			"of the future":     {Total: 1, AsOf: asOf.Add(time.Microsecond)},
			"less than nothing": {Total: 1, Used: -1, AsOf: asOf},
			"a negative total":  {Total: -1, AsOf: asOf},
		} {
			if taken, err := report(t, env.DB, "ac_1", bare().ID, u); taken || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: taken %v, %v", name, taken, err)
			}
		}
		if taken, err := report(t, env.DB, "ac_2", bare().ID, line.Usage{Total: 1, AsOf: asOf}); taken || err != nil {
			t.Errorf("another account's line: taken %v, %v", taken, err)
		}
		if taken, err := report(t, env.DB, "ac_1", bare().ID, line.Usage{Total: 1, AsOf: asOf}); !taken || err != nil {
			t.Errorf("a good one, of this very instant: taken %v, %v", taken, err)
		}
	})
}

func TestSetState(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		add(t, env.DB, full())
		for _, s := range []line.State{line.Suspended, line.Active, line.Terminal} {
			env.Clock.Add(time.Second)
			for _, account := range []string{"ac_1", "ac_2"} {
				must(t, write(t, env.DB, func(ctx context.Context, tx db.Tx) error { return line.SetState(ctx, tx, account, "ln_1", s) }))
			}
			if l := get(t, env.DB, "ac_1", "ln_1"); l.State != s || !l.UpdatedAt.Equal(env.Clock.Now()) {
				t.Errorf("%s at %s, want %s", l.State, l.UpdatedAt, s)
			}
		}
	})
}
