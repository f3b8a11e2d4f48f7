package line_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
)

const lease = time.Minute

func lookSoon(t testing.TB, d *db.DB, id string) {
	t.Helper()
	must(t, write(t, d, func(ctx context.Context, tx db.Tx) error { return line.LookSoon(ctx, tx, "ac_1", id) }))
}

func looked(t testing.TB, d *db.DB, id string, again time.Time) {
	t.Helper()
	must(t, write(t, d, func(ctx context.Context, tx db.Tx) error { return line.Looked(ctx, tx, "ac_1", id, again) }))
}

// takes is what one worker gets, sorted.
func takes(t testing.TB, d *db.DB, limit int) string {
	t.Helper()
	lines, err := db.Written(context.Background(), d, func(ctx context.Context, tx db.Tx) ([]line.Line, error) {
		due, _, err := line.DueLooks(ctx, tx, limit, 10_000)
		if err != nil {
			return nil, err
		}
		return line.TakeThese(ctx, tx, lease, due)
	})
	if err != nil {
		t.Error(err) // not Fatal: workers of their own call this
	}
	var ids []string
	for _, l := range lines {
		ids = append(ids, l.ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func TestLookIsTakenOnceAndAgainWhenItsWorkerDied(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for i := range 3 {
			l := bare()
			l.ID, l.ProfileID = fmt.Sprintf("ln_%d", i+1), ""
			add(t, env.DB, l)
		}
		want := func(what, ids string) {
			t.Helper()
			if got := takes(t, env.DB, 10); got != ids {
				t.Errorf("%s: %q, want %q", what, got, ids)
			}
		}
		want("nobody asked", "")
		lookSoon(t, env.DB, "ln_2")
		env.Clock.Add(time.Second)
		lookSoon(t, env.DB, "ln_1")
		if got := takes(t, env.DB, 1); got != "ln_2" {
			t.Errorf("one of two: %q, want the one asked for first", got)
		}
		want("the other", "ln_1")
		want("both taken", "")
		looked(t, env.DB, "ln_1", time.Time{})
		looked(t, env.DB, "ln_2", env.Clock.Now().Add(time.Hour))
		env.Clock.Add(lease)
		want("looked at", "")
		env.Clock.Add(time.Hour)
		want("asked to look again", "ln_2")
		env.Clock.Add(lease - time.Microsecond)
		want("within the lease", "")
		env.Clock.Add(time.Microsecond)
		want("its worker died", "ln_2")
	})
}

// The operator rings while it is being asked: what it said may be older than
// the bell, so somebody looks again.
func TestBellDuringALookIsNotForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		add(t, env.DB, bare())
		lookSoon(t, env.DB, "ln_2")
		if got := takes(t, env.DB, 10); got != "ln_2" {
			t.Fatalf("took %q", got)
		}
		lookSoon(t, env.DB, "ln_2")
		looked(t, env.DB, "ln_2", env.Clock.Now().Add(time.Hour))
		if got := takes(t, env.DB, 10); got != "ln_2" {
			t.Errorf("took %q after the bell, want ln_2", got)
		}
		looked(t, env.DB, "ln_2", time.Time{})
		env.Clock.Add(24 * time.Hour)
		if got := takes(t, env.DB, 10); got != "" {
			t.Errorf("took %q after the second look, want nothing", got)
		}
	})
}

// An earlier wish stays; a later one is brought forward.
func TestLookSoonNeverPutsOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		add(t, env.DB, bare())
		lookSoon(t, env.DB, "ln_2")
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) {
			b.Add(`UPDATE lines SET look_at = $1`, db.At(now.Add(-time.Hour)))
		}))
		lookSoon(t, env.DB, "ln_2")
		var at db.Instant
		must(t, env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return tx.QueryRow(ctx, `SELECT look_at FROM lines`).Scan(&at)
		}))
		if want := env.Clock.Now().Add(-time.Hour); !at.Equal(want) {
			t.Errorf("due at %v, want %v", at, want)
		}
		must(t, batch(t, env.DB, func(b *db.Batch, now time.Time) { b.Add(`UPDATE lines SET look_at = $1`, db.At(now.Add(time.Hour))) }))
		lookSoon(t, env.DB, "ln_2")
		if got := takes(t, env.DB, 1); got != "ln_2" {
			t.Errorf("took %q, want what was due in an hour", got)
		}
	})
}

func TestManyWorkersTakeEachLookOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		const lines, workers = 60, 8
		must(t, write(t, env.DB, func(ctx context.Context, tx db.Tx) error {
			for i := range lines {
				l := bare()
				l.ID, l.ProfileID = fmt.Sprintf("ln_%02d", i), ""
				if err := line.Add(ctx, tx, l); err != nil {
					return err
				}
				if err := line.LookSoon(ctx, tx, "ac_1", l.ID); err != nil {
					return err
				}
			}
			return nil
		}))
		var mu sync.Mutex
		var wg sync.WaitGroup
		times := map[string]int{}
		for range workers {
			wg.Go(func() {
				for range lines { // more rounds than can be needed
					got := takes(t, env.DB, 7)
					mu.Lock()
					for _, id := range strings.Fields(got) {
						times[id]++
					}
					done := len(times) == lines
					mu.Unlock()
					if done {
						return
					}
				}
			})
		}
		wg.Wait()
		for id, n := range times {
			if n != 1 {
				t.Errorf("%s was taken %d times", id, n)
			}
		}
		if len(times) != lines {
			t.Errorf("%d lines taken, want %d", len(times), lines)
		}
	})
}
