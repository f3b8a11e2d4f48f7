package billing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// in is a bill with this identifier in a series.
func in(series, id string) billing.Bill {
	b := bill(id, "ord_"+id)
	b.Series = series
	return b
}

func number(t testing.TB, d *db.DB) {
	t.Helper()
	n := &billing.Numbering{DB: d}
	for range 50 {
		worked, err := n.Step(context.Background())
		if err != nil {
			t.Error(err)
			return
		}
		if !worked {
			return
		}
	}
	t.Error("numbering never ends")
}

// numbers reads who has which number, by series: from the documents and from
// the list of numbers, which must agree.
func numbers(t testing.TB, d *db.DB) map[string][]string {
	t.Helper()
	got, err := db.Seen(context.Background(), d, func(ctx context.Context, tx db.Tx) (map[string][]string, error) {
		out, err := given(ctx, tx, `SELECT series, number, id FROM bills WHERE number IS NOT NULL ORDER BY series, number`)
		if err != nil {
			return nil, err
		}
		listed, err := given(ctx, tx, `SELECT series, number, bill_id FROM bill_numbers ORDER BY series, number`)
		if diff := cmp.Diff(out, listed); diff != "" {
			t.Errorf("documents and list of numbers differ: %s", diff)
		}
		return out, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// given fails unless each series is 1, 2, 3 …
func given(ctx context.Context, tx db.Tx, query string) (out map[string][]string, err error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[string][]string{}
	for rows.Next() {
		var series, id string
		var number int64
		if err := rows.Scan(&series, &number, &id); err != nil {
			return nil, err
		}
		out[series] = append(out[series], id)
		if number != int64(len(out[series])) {
			return nil, fmt.Errorf("%s has number %d after %d documents", series, number, len(out[series])-1)
		}
	}
	return out, rows.Err()
}

// However documents come, and however often somebody numbers in between, every
// series is 1, 2, 3 … in the order of issue.
func TestNumbersFollowTheIssue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		want := map[string][]string{}
		n := 0
		rapid.Check(t, func(rt *rapid.T) { // the documents of all runs share their series
			for range rapid.IntRange(1, 4).Draw(rt, "instants") {
				env.Clock.Add(time.Microsecond)
				for range rapid.IntRange(0, 3).Draw(rt, "documents") {
					n++
					b := in(rapid.SampledFrom([]string{"B2026", "B2027", "R2026"}).Draw(rt, "series"), fmt.Sprintf("bl_%06d", n))
					want[b.Series] = append(want[b.Series], b.ID)
					if err := issue(t, env.DB, b); err != nil {
						rt.Fatal(err)
					}
				}
			}
			number(t, env.DB)
		})
		if diff := cmp.Diff(want, numbers(t, env.DB)); diff != "" {
			t.Error(diff)
		}
	})
}

// More documents than one batch takes, of one instant: the order is by
// identifier, and no number is lost between the batches.
func TestNumbersPassTheEndOfABatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		var bills []billing.Bill
		for _, id := range ids("bl_", 1, 700) {
			bills = append(bills, in("B2026", id))
		}
		if err := issue(t, env.DB, bills...); err != nil {
			t.Fatal(err)
		}
		n := &billing.Numbering{DB: env.DB}
		for i, want := range []bool{true, true, false} {
			if worked, err := n.Step(t.Context()); worked != want || err != nil {
				t.Errorf("step %d: %v, %v; want %v", i+1, worked, err, want)
			}
		}
		if diff := cmp.Diff(map[string][]string{"B2026": ids("bl_", 1, 700)}, numbers(t, env.DB)); diff != "" {
			t.Error(diff)
		}
	})
}

// Sales go on while eight workers number: each document has one number, no
// number is missing, and nobody sees an error.
func TestManyNumberAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		const sellers, each = 6, 25
		var selling, numbering sync.WaitGroup
		stop := make(chan struct{})
		for range 8 {
			numbering.Go(func() {
				n := &billing.Numbering{DB: env.DB}
				for {
					if _, err := n.Step(t.Context()); err != nil {
						t.Errorf("Step: %v", err)
						return
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		for s := range sellers {
			selling.Go(func() {
				for i := range each {
					series := []string{"B2026", "R2026", "C2026"}[(s+i)%3]
					if err := issue(t, env.DB, in(series, fmt.Sprintf("bl_%d_%d", s, i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		selling.Wait()
		close(stop)
		numbering.Wait()
		number(t, env.DB)
		all := 0
		for _, series := range numbers(t, env.DB) {
			all += len(series)
		}
		if all != sellers*each {
			t.Errorf("%d documents have numbers, want %d", all, sellers*each)
		}
	})
}

// A worker dies before, in or after its commit: the numbers that it had in hand
// are given by the next, and none is given twice.
func TestWorkerThatDiesLeavesNoGap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		n := 0
		for round := range 4 {
			for _, at := range []db.Point{db.BeforeCommit, db.AfterCommit} {
				n++
				if err := issue(t, env.DB, in("B2026", fmt.Sprintf("bl_%03d", n))); err != nil {
					t.Fatal(err)
				}
				env.Clock.Add(time.Second)
				dieAt(t, env, at)
			}
			if round%2 == 0 { // every other time the next sale comes before anybody numbers again
				number(t, env.DB)
			}
		}
		number(t, env.DB)
		if diff := cmp.Diff(map[string][]string{"B2026": ids("bl_", 1, n)}, numbers(t, env.DB)); diff != "" {
			t.Error(diff)
		}
	})
}

// dieAt lets a process of its own number one batch and end at a boundary.
func dieAt(t *testing.T, env dbtest.Env, at db.Point) {
	t.Helper()
	const crash = "crash"
	other, err := db.Open(t.Context(), env.URL, db.Options{Now: env.Clock.Now, Observe: func(p db.Point) {
		if p == at {
			panic(crash)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if p := recover(); !strings.Contains(fmt.Sprint(p), crash) {
			t.Errorf("the worker did not die %s: %v", at, p)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, _ = (&billing.Numbering{DB: other}).Step(t.Context()) // it panics
}

// The list of given numbers is what an auditor reads: nobody takes one back.
func TestGivenNumbersAreAppendOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		if err := issue(t, env.DB, in("B2026", "bl_1")); err != nil {
			t.Fatal(err)
		}
		number(t, env.DB)
		for _, sql := range []string{`UPDATE bill_numbers SET number = 2`, `DELETE FROM bill_numbers`} {
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v, want it refused", sql, err)
			}
		}
		if got := numbers(t, env.DB)["B2026"]; len(got) != 1 {
			t.Errorf("given: %v", got)
		}
	})
}
