package line_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func write(t testing.TB, d *db.DB, fn func(context.Context, db.Tx) error) error {
	t.Helper()
	return d.Write(context.Background(), fn)
}

// batch runs what add appends in one transaction.
func batch(t testing.TB, d *db.DB, add func(*db.Batch, time.Time)) error {
	t.Helper()
	return write(t, d, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		add(&b, tx.Now())
		return tx.Batch(ctx, &b)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func add(t testing.TB, d *db.DB, l line.Line) {
	t.Helper()
	must(t, write(t, d, func(ctx context.Context, tx db.Tx) error { return line.Add(ctx, tx, l) }))
}

func get(t testing.TB, d *db.DB, account, id string) line.Line {
	t.Helper()
	l, err := db.Seen(context.Background(), d, func(ctx context.Context, tx db.Tx) (line.Line, error) {
		return line.Get(ctx, tx, account, id)
	})
	must(t, err)
	return l
}

func periods(t testing.TB, d *db.DB, account, id string) []line.Period {
	t.Helper()
	all, err := db.Seen(context.Background(), d, func(ctx context.Context, tx db.Tx) ([]line.Period, error) {
		return line.Periods(ctx, tx, account, id)
	})
	must(t, err)
	return all
}

// full is a line with something in every field; bare one that has nothing that
// may be missing.
func full() line.Line {
	return line.Line{
		Account: "ac_1", ID: "ln_1", Operator: "kazemachi", Plan: "visitor", ProfileID: "pf_1", ICCID: "8981100000000000017",
		MSISDN: "+818012345678", Name: "母's phone", State: line.Active, Anchor: 31,
		StartedAt: noon.Add(-time.Hour), EndsAt: noon.Add(time.Hour), GraceEnds: noon.Add(2*time.Hour + time.Microsecond),
		Periods: 3, Extending: "ord_9", Identity: true,
		Usage: line.Usage{Unlimited: true, Total: 1 << 40, Used: 1<<40 + 1, Throttled: true, AsOf: noon},
	}
}

func bare() line.Line {
	return line.Line{Account: "ac_1", ID: "ln_2", Operator: "kazemachi", Plan: "visitor", ProfileID: "pf_2", State: line.New}
}

func TestWhatIsAddedIsRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, want := range []line.Line{full(), bare()} {
			add(t, env.DB, want)
			want.CreatedAt, want.UpdatedAt = env.Clock.Now(), env.Clock.Now()
			if diff := cmp.Diff(want, get(t, env.DB, want.Account, want.ID)); diff != "" {
				t.Error(diff)
			}
		}
		for account, id := range map[string]string{"ac_1": "ln_3", "ac_2": "ln_1", "": ""} {
			_, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) { return line.Get(ctx, tx, account, id) })
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.NotFound || f.Reason != "no_such_line" {
				t.Errorf("Get(%q, %q): %v, want not found", account, id, err)
			}
		}
	})
}

// A line that has not begun comes last: nothing is urgent about it.
func TestListIsByEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for i, ends := range []time.Time{noon.Add(time.Hour), {}, noon, noon.Add(time.Minute), {}} {
			l := bare()
			l.ID, l.ProfileID, l.EndsAt = fmt.Sprintf("ln_%d", i), "", ends
			add(t, env.DB, l)
		}
		other := bare()
		other.Account = "ac_2"
		add(t, env.DB, other)
		lines, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]line.Line, error) { return line.List(ctx, tx, "ac_1") })
		must(t, err)
		var ids []string
		for _, l := range lines {
			ids = append(ids, l.ID)
		}
		if got, want := strings.Join(ids, " "), "ln_2 ln_3 ln_0 ln_1 ln_4"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestListIsBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		must(t, write(t, env.DB, func(ctx context.Context, tx db.Tx) error {
			for i := range line.MaxLines + 1 {
				l := bare()
				l.ID, l.ProfileID = fmt.Sprintf("ln_%03d", i), ""
				if err := line.Add(ctx, tx, l); err != nil {
					return err
				}
			}
			return nil
		}))
		lines, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]line.Line, error) { return line.List(ctx, tx, "ac_1") })
		if err != nil || len(lines) != line.MaxLines {
			t.Errorf("%d lines, %v; want %d", len(lines), err, line.MaxLines)
		}
	})
}

// One ICCID, or one of an operator's identifiers, is one line, whoever adds it
// a second time; what failed to be added is not half there.
func TestStrangersNamesBelongToOneLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		add(t, env.DB, full())
		second := func(account, operator, profile, iccid string) line.Line {
			l := bare()
			l.Account, l.Operator, l.ProfileID, l.ICCID = account, operator, profile, iccid
			return l
		}
		for name, l := range map[string]line.Line{
			"the same ICCID":                    second("ac_1", "kazemachi", "pf_9", full().ICCID),
			"another account's ICCID":           second("ac_2", "kazemachi", "pf_9", full().ICCID),
			"another account's and operator's":  second("ac_2", "nanyo", "pf_9", full().ICCID),
			"the same identifier":               second("ac_1", "kazemachi", "pf_1", "8981100000000000025"),
			"another account's identifier":      second("ac_2", "kazemachi", "pf_1", "8981100000000000025"),
			"another account's, and no ICCID":   second("ac_2", "kazemachi", "pf_1", ""),
			"another account's, both the same ": second("ac_2", "kazemachi", "pf_1", full().ICCID),
		} {
			err := write(t, env.DB, func(ctx context.Context, tx db.Tx) error { return line.Add(ctx, tx, l) })
			if fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s: %v, want a conflict", name, err)
			}
		}
		// The identifier is its operator's own: another may use the same.
		add(t, env.DB, second("ac_2", "nanyo", "pf_1", "8981100000000000025"))
		must(t, env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			for _, want := range []struct{ kind, value, account, id string }{
				{"iccid", full().ICCID, "ac_1", "ln_1"},
				{"profile:kazemachi", "pf_1", "ac_1", "ln_1"},
				{"profile:nanyo", "pf_1", "ac_2", "ln_2"},
				{"iccid", "8981100000000000025", "ac_2", "ln_2"},
			} {
				account, id, err := db.Locate(ctx, tx, want.kind, want.value)
				if account != want.account || id != want.id || err != nil {
					t.Errorf("%s %s is %s of %s, %v; want %s of %s", want.kind, want.value, id, account, err, want.id, want.account)
				}
			}
			if _, _, err := db.Locate(ctx, tx, "profile:kazemachi", "pf_9"); fault.KindOf(err) != fault.NotFound {
				t.Errorf("a line that was not added is found: %v", err)
			}
			return nil
		}))
	})
}

func period(number int, starts, ends time.Time, s line.PeriodState) line.Period {
	return line.Period{
		Account: "ac_1", Line: "ln_1", Number: number, Plan: "visitor", Term: "30d", Effect: "append",
		StartsAt: starts, EndsAt: ends, State: s,
	}
}

func TestPeriodsAreReadOldestFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		first := period(1, noon.Add(-time.Hour), noon, line.PeriodEnded) // imported: no order
		second := period(2, noon, noon.Add(time.Hour), line.PeriodQueued)
		second.Order, second.Allowance, second.OperatorRef, second.OperatorEndsAt = "ord_2", 5<<30, "op-2", noon.Add(time.Hour-time.Second)
		third := period(3, noon.Add(time.Hour), noon.Add(2*time.Hour), line.PeriodCancelled)
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) {
			for _, p := range []line.Period{third, first, second} {
				line.AddPeriod(b, p, now)
			}
		}))
		want := []line.Period{first, second, third}
		for i := range want {
			want[i].CreatedAt = env.Clock.Now()
		}
		if diff := cmp.Diff(want, periods(t, env.DB, "ac_1", "ln_1")); diff != "" {
			t.Error(diff)
		}
		if got := periods(t, env.DB, "ac_2", "ln_1"); len(got) != 0 {
			t.Errorf("another account sees %v", got)
		}
	})
}

func TestNewestPeriodsAreKeptInSight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) {
			for n := range line.MaxPeriods + 7 {
				line.AddPeriod(b, period(n+1, noon.Add(time.Duration(n)*time.Hour), noon.Add(time.Duration(n+1)*time.Hour), line.PeriodQueued), now)
			}
		}))
		got := periods(t, env.DB, "ac_1", "ln_1")
		if len(got) != line.MaxPeriods || got[0].Number != 8 || got[len(got)-1].Number != line.MaxPeriods+7 {
			t.Errorf("%d periods from %d to %d", len(got), got[0].Number, got[len(got)-1].Number)
		}
	})
}

// The keys that make a renewal once: an order brings one period, a line has one
// of each number. A period that ends before it begins is none.
func TestPeriodThatCannotBe(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		first := period(1, noon, noon.Add(time.Hour), line.PeriodActive)
		first.Order = "ord_1"
		insert := func(p line.Period) error {
			return batch(t, env.DB, func(b *db.Batch, now time.Time) { line.AddPeriod(b, p, now) })
		}
		must(t, insert(first))
		sameOrder, sameNumber, nothing := first, first, first
		sameOrder.Number, sameOrder.Line = 2, "ln_2"
		sameNumber.Order = "ord_2"
		for name, p := range map[string]line.Period{"the same order": sameOrder, "the same number": sameNumber} {
			if err := insert(p); !db.IsUnique(err) {
				t.Errorf("%s: %v, want a broken unique key", name, err)
			}
		}
		nothing.Number, nothing.Order, nothing.EndsAt = 2, "ord_2", noon
		if err := insert(nothing); err == nil || db.IsUnique(err) {
			t.Errorf("a period of no length: %v, want it refused", err)
		}
	})
}

// Service and grace are half-open, and who stopped a line has the last word.
func TestLineAt(t *testing.T) {
	starts, ends, grace := noon, noon.Add(time.Hour), noon.Add(2*time.Hour)
	l := line.Line{State: line.Active, StartedAt: starts, EndsAt: ends, GraceEnds: grace}
	none := l
	none.GraceEnds = ends
	unset := l
	unset.GraceEnds = time.Time{}
	stopped := func(s line.State) line.Line { s2 := l; s2.State = s; return s2 }
	for _, tt := range []struct {
		name string
		line line.Line
		at   time.Time
		want line.State
	}{
		{"a moment before it begins", l, starts.Add(-1), line.New},
		{"as it begins", l, starts, line.Active},
		{"a moment before it ends", l, ends.Add(-1), line.Active},
		{"as it ends", l, ends, line.Grace},
		{"a moment before grace ends", l, grace.Add(-1), line.Grace},
		{"as grace ends", l, grace, line.Ended},
		{"as it ends, without grace", none, ends, line.Ended},
		{"as it ends, grace never stored", unset, ends, line.Ended},
		{"never activated", line.Line{State: line.New}, ends, line.New},
		{"stored as ended long ago, renewed since", stopped(line.Ended), starts, line.Active},
		{"stored as active, over by now", stopped(line.Active), grace, line.Ended},
		{"stored as new, begun by now", stopped(line.New), starts, line.Active},
		{"suspended", stopped(line.Suspended), starts, line.Suspended},
		{"suspended and over", stopped(line.Suspended), grace, line.Suspended},
		{"terminal", stopped(line.Terminal), starts, line.Terminal},
		{"recycled", stopped(line.Recycled), starts, line.Recycled},
	} {
		if got := tt.line.At(tt.at); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestPeriodStateAt(t *testing.T) {
	p := period(1, noon, noon.Add(time.Hour), line.PeriodQueued)
	for _, tt := range []struct {
		at   time.Time
		want line.PeriodState
	}{
		{noon.Add(-1), line.PeriodQueued},
		{noon, line.PeriodActive},
		{noon.Add(time.Hour - 1), line.PeriodActive},
		{noon.Add(time.Hour), line.PeriodEnded},
	} {
		for _, stored := range []line.PeriodState{line.PeriodQueued, line.PeriodActive, line.PeriodEnded} {
			p.State = stored
			if got := p.StateAt(tt.at); got != tt.want {
				t.Errorf("stored as %s, at %s: %s, want %s", stored, tt.at, got, tt.want)
			}
		}
		p.State = line.PeriodCancelled
		if got := p.StateAt(tt.at); got != line.PeriodCancelled {
			t.Errorf("cancelled, at %s: %s", tt.at, got)
		}
	}
}

func TestUsageFigures(t *testing.T) {
	for _, tt := range []struct {
		name  string
		usage line.Usage
		left  int64
		empty bool
	}{
		{"never reported", line.Usage{}, 0, false},
		{"untouched", line.Usage{Total: 10}, 10, false},
		{"nearly used up", line.Usage{Total: 10, Used: 9}, 1, false},
		{"used up", line.Usage{Total: 10, Used: 10}, 0, true},
		{"overdrawn", line.Usage{Total: 10, Used: 11}, 0, true},
		{"unlimited without a cap", line.Usage{Unlimited: true, Used: 11}, 0, false},
		{"unlimited, the day's full speed used up", line.Usage{Unlimited: true, Total: 10, Used: 11, Throttled: true}, 0, false},
	} {
		if got := tt.usage.Left(); got != tt.left {
			t.Errorf("%s: %d left, want %d", tt.name, got, tt.left)
		}
		if got := tt.usage.Empty(); got != tt.empty {
			t.Errorf("%s: empty %v, want %v", tt.name, got, tt.empty)
		}
	}
}

func TestLastFour(t *testing.T) {
	for iccid, want := range map[string]string{"8981100000000000017": "0017", "123": "123", "": ""} {
		if got := (line.Line{ICCID: iccid}).LastFour(); got != want {
			t.Errorf("%q: %q, want %q", iccid, got, want)
		}
	}
}
