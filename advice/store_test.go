package advice_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/renewal"
)

func write(t *testing.T, d *db.DB, fn func(context.Context, db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// The newest version that is not withdrawn is in force; going back withdraws
// what came after, and what is learnt later is in force again.
func TestVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		keep := func(withdrawn string) {
			write(t, env.DB, func(ctx context.Context, tx db.Tx) error {
				_, err := advice.Keep(ctx, tx, advice.Prior(), withdrawn)
				return err
			})
		}
		back := func(n int64) error {
			return env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return advice.RollBack(ctx, tx, n, "worse") })
		}
		inForce := func() int64 {
			var listed int64 = -1
			var n int64
			err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				all, err := advice.Versions(ctx, tx)
				if err != nil {
					return err
				}
				for _, s := range all {
					if s.InForce {
						listed = s.Version
					}
				}
				var m *advice.Model
				n, m, err = advice.InForce(ctx, tx)
				if err == nil && m == nil {
					t.Error("no model")
				}
				return err
			})
			if err != nil || n != listed {
				t.Fatalf("in force: %d, listed %d, %v", n, listed, err)
			}
			return n
		}
		want := func(n int64) {
			t.Helper()
			if got := inForce(); got != n {
				t.Errorf("version %d is in force, want %d", got, n)
			}
		}
		want(0)
		keep("")
		keep("")
		keep("worse than the one before")
		want(2)
		if err := back(1); err != nil {
			t.Fatal(err)
		}
		want(1)
		if err := back(9); fault.KindOf(err) != fault.NotFound {
			t.Errorf("back to what never was: %v", err)
		}
		if err := back(0); err != nil {
			t.Fatal(err)
		}
		want(0)
		keep("")
		want(4)
		if err := back(2); err != nil {
			t.Fatal(err)
		}
		want(2)
	})
}

// house has an adviser and a catalogue.
type house struct {
	dbtest.Env
	ids     *id.Source
	adviser *advice.Adviser
	account string
}

func newHouse(t *testing.T, env dbtest.Env) *house {
	t.Helper()
	h := &house{Env: env, ids: id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{3}))}
	h.adviser = &advice.Adviser{DB: env.DB, Shelf: &catalogue.Shelf{}, Log: slog.New(slog.DiscardHandler)}
	write(t, env.DB, func(ctx context.Context, tx db.Tx) error {
		if _, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test"); err != nil {
			return err
		}
		a, err := account.Create(ctx, tx, h.ids, account.New{Email: "a@example.com"})
		h.account = a.ID
		return err
	})
	return h
}

// line makes an unlimited line that began so many days ago, was bought for so
// many, and used for some of them.
func (h *house) line(t *testing.T, n, began, bought, used int) line.Line {
	t.Helper()
	now := h.Clock.Now()
	l := line.Line{
		Account: h.account, ID: fmt.Sprintf("ln_%d", n), Operator: "machi", Plan: "machi-5gb", State: line.Active, Anchor: 1,
		ProfileID: fmt.Sprint("p", n), ICCID: fmt.Sprint("8981", n), Periods: 1,
		StartedAt: now.AddDate(0, 0, -began), EndsAt: now.AddDate(0, 0, bought-began), GraceEnds: now.AddDate(0, 0, bought-began),
	}
	write(t, h.DB, func(ctx context.Context, tx db.Tx) error {
		if err := line.Add(ctx, tx, l); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{Account: h.account, Line: l.ID, Number: 1, Plan: l.Plan, Term: "10d", Effect: "append", StartsAt: l.StartedAt, EndsAt: l.EndsAt, State: line.PeriodActive}, tx.Now())
		if err := tx.Batch(ctx, &b); err != nil {
			return err
		}
		for d := range min(began, bought) {
			u := line.Usage{Unlimited: true, Total: 5 << 30, AsOf: l.StartedAt.AddDate(0, 0, d).Add(time.Hour)}
			if d < used {
				u.Used = int64(1+(n+d)%9) * 2e8
			}
			if err := line.NoteDay(ctx, tx, h.account, l.ID, u, time.UTC); err != nil {
				return err
			}
		}
		return nil
	})
	return l
}

func (h *house) ask(t *testing.T, l line.Line) (a advice.Answer, ok bool) {
	t.Helper()
	err := h.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		cat, err := h.adviser.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		s := renewal.Situation{Now: tx.Now(), Catalogue: cat, Currency: "JPY", Line: l}
		if s.Periods, err = line.Periods(ctx, tx, l.Account, l.ID); err != nil {
			return err
		}
		f, err := advice.FactsOf(ctx, tx, l.Account, l.ID)
		if err != nil {
			return err
		}
		a, ok = h.adviser.Ask(ctx, s, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, ok
}

func (h *house) step(t *testing.T) {
	t.Helper()
	for worked := true; worked; {
		var err error
		if worked, err = h.adviser.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody waits for tables: before there are any there is no advice, and while
// the catalogue changes the former ones answer.
func TestTablesAreMadeInTheBackground(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	l := h.line(t, 1, 5, 6, 5)
	if _, ok := h.ask(t, l); ok {
		t.Error("an answer without tables")
	}
	h.step(t)
	first, ok := h.ask(t, l)
	if !ok || len(first.Items) == 0 || first.Basis.Days == 0 {
		t.Fatalf("no answer: %+v", first)
	}
	if bought := first.Question.Trip.Purchases; len(bought) != 1 || !bought[0].Chosen || bought[0].Days < 6 || bought[0].From != first.Question.Trip.Arrival {
		t.Errorf("the line's only period is %+v", bought)
	}
	write(t, h.DB, func(ctx context.Context, tx db.Tx) error {
		file := strings.Replace(string(catalogue.DemoFile()), "1680", "1690", 1)
		_, changed, err := catalogue.Apply(ctx, tx, []byte(file), "test")
		if err == nil && !changed {
			t.Error("the catalogue is the same")
		}
		return err
	})
	former, ok := h.ask(t, l)
	if !ok || former.Tables != first.Tables {
		t.Error("the former tables do not answer")
	}
	h.step(t)
	if now, ok := h.ask(t, l); !ok || now.Tables == first.Tables {
		t.Error("no new tables for the new catalogue")
	}
}

// Finished trips make a version, once a day, with scores; too few make none.
func TestLearning(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		h.line(t, 0, 5, 10, 5) // goes on: teaches nothing yet
		if _, err := h.adviser.Learn(t.Context()); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("learnt from nothing: %v", err)
		}
		for n := 1; n <= 320; n++ {
			h.line(t, n, 40+n%30, 5+n%8, 3+n%6)
		}
		if worked, err := h.adviser.LearnStep(t.Context()); err != nil || !worked {
			t.Fatalf("does not learn: %v, %v", worked, err)
		}
		env.Clock.Add(2 * time.Hour)
		if worked, err := h.adviser.LearnStep(t.Context()); err != nil || worked {
			t.Fatalf("learns twice a day: %v, %v", worked, err)
		}
		all, err := db.Seen(t.Context(), env.DB, advice.Versions)
		if err != nil || len(all) != 2 {
			t.Fatalf("versions %+v, %v", all, err)
		}
		if v := all[0]; v.Trips != 224 || v.Scores.Checked == 0 || v.Scores.Pinball <= 0 || v.From == 0 || v.To < v.From {
			t.Errorf("stored %+v", v)
		}
	})
}
