package audit_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// A watcher tells each thing that becomes of a finding once: what is open when it
// comes, what is found, repaired, put before a person, overdue and settled, and what
// opens again.
func TestWatcherTellsEachThingOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		w := &audit.Watcher{DB: env.DB}
		at := func(after time.Duration) db.Instant { return db.At(dbtest.NewClock().Now().Add(after)) }
		change := func(statement string, args ...any) {
			t.Helper()
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, statement, args...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		tells := func(after time.Duration, want ...audit.What) {
			t.Helper()
			env.Clock.Set(at(after).Time)
			for _, want := range [][]audit.What{want, nil} {
				events, err := w.Look(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var got []audit.What
				for _, e := range events {
					got = append(got, e.What)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("after %v (-want +got):\n%s", after, diff)
				}
			}
		}
		add := func(subject string, seen, deadline time.Duration) {
			t.Helper()
			change(`INSERT INTO findings (account_id, kind, subject, order_id, sign, evidence, first_seen, last_seen, deadline, look_at)
				VALUES ('a', 'no_bill', $1, $1, 'no_document', '', $2, $2, $3, $2)`, subject, at(seen), at(deadline))
		}
		add("o1", 0, 5*time.Minute)
		tells(0, audit.Found)
		add("o2", time.Minute, 2*time.Minute)
		change(`UPDATE findings SET repaired_by = 'wrote the document', repaired_at = $1 WHERE subject = 'o1'`, at(time.Minute))
		tells(time.Minute, audit.Repaired, audit.Found)
		change(`UPDATE findings SET closed_at = $1, look_at = NULL WHERE subject = 'o1'`, at(2*time.Minute))
		change(`UPDATE findings SET case_at = $1 WHERE subject = 'o2'`, at(2*time.Minute))
		tells(2*time.Minute, audit.Called, audit.Settled)
		tells(3*time.Minute, audit.Overdue)
		tells(9 * time.Minute)
		change(`UPDATE findings SET first_seen = $1, deadline = $2, closed_at = NULL, look_at = $1, repaired_by = '', repaired_at = NULL, times = 2 WHERE subject = 'o1'`,
			at(9*time.Minute), at(14*time.Minute))
		tells(10*time.Minute, audit.Found)
		standing, err := db.Seen(t.Context(), env.DB, audit.Stand)
		if want := (audit.Standing{Open: 2, Overdue: 1, Late: 8 * time.Minute}); err != nil || standing[audit.NoBill] != want {
			t.Errorf("%+v, %v; want %+v", standing, err, want)
		}
	})
}
