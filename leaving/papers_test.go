package leaving_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/seal"
)

// What was given is erased when its time has come, not a moment earlier, once, with a
// line in the trail; and later where a line's policy counts from its end.
func TestPapersAreErasedOnSchedule(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		ids := id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{5}))
		box := seal.New(identity.Purpose, "a secret of the tests", nil, nil)
		office := &leaving.Office{DB: env.DB, Desk: &order.Desk{DB: env.DB, IDs: ids, Shelf: &catalogue.Shelf{}}, Papers: box}
		write := func(fn func(context.Context, db.Tx) error) {
			t.Helper()
			if err := env.DB.Write(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		write(func(ctx context.Context, tx db.Tx) error {
			_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test")
			return err
		})
		approved := func(name string, end time.Duration) identity.Check {
			t.Helper()
			c, err := db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (identity.Check, error) {
				a, err := account.Create(ctx, tx, ids, account.New{Email: name + "@example.com"})
				if err != nil {
					return identity.Check{}, err
				}
				c, err := identity.Write(ctx, tx, box, ids, a.ID, "kaisha-month", identity.Papers{
					Name: "Aiko", Nationality: "TW", Born: "1990-02-28", Document: "passport", Number: "XK1234567", Expires: "2031-05-01",
				})
				for _, kind := range identity.Photos {
					if err == nil {
						_, err = identity.AddPhoto(ctx, tx, box, c.Key(), kind, identity.Picture("p"))
					}
				}
				if err != nil {
					return c, err
				}
				if end != 0 {
					one := ids.Under("ln", a.ID)
					if err := line.Add(ctx, tx, line.Line{Account: a.ID, ID: one, Operator: "kumohashi", Plan: "kaisha-month", ProfileID: one, ICCID: "89" + one[3:15], State: line.Active, EndsAt: tx.Now().Add(end)}); err != nil {
						return c, err
					}
				}
				if _, err := identity.Send(ctx, tx, box, c.Key()); err != nil {
					return c, err
				}
				return identity.Decide(ctx, tx, ids, catalogue.Demo(), c.Key(), identity.Decision{Staff: "mika"})
			})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		const day = 24 * time.Hour
		soon, late := approved("soon", 0), approved("late", 100*day)
		worked := func() bool {
			t.Helper()
			w, err := office.PapersStep(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		left := func() (checks []string) {
			t.Helper()
			if err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				for _, c := range []identity.Check{soon, late} {
					now, err := identity.Get(ctx, tx, c.Key())
					if err != nil {
						return err
					}
					photos, err := identity.PhotosOf(ctx, tx, c.Key())
					if err != nil {
						return err
					}
					if _, found, err := now.Papers(box); err != nil || found != (now.State == identity.Approved) || found != (len(photos) == 2) {
						t.Errorf("%s is %s, papers %t, %d photos, %v", now.ID, now.State, found, len(photos), err)
					}
					if now.State != identity.Erased {
						checks = append(checks, c.ID)
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return checks
		}
		env.Clock.Set(soon.DueAt.Add(-time.Microsecond))
		if worked() || len(left()) != 2 {
			t.Error("something was erased too early")
		}
		env.Clock.Add(time.Microsecond)
		first, second := worked(), worked()
		if !first || !second || worked() || !slices.Equal(left(), []string{late.ID}) {
			t.Errorf("left are %v", left())
		}
		env.Clock.Add(99 * day) // a year after the line's end, but for a day
		if worked() {
			t.Error("erased while the line's policy wants it kept")
		}
		env.Clock.Add(2 * day)
		if !worked() || worked() || len(left()) != 0 {
			t.Errorf("left are %v", left())
		}
		var trail int
		if err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return tx.QueryRow(ctx, `SELECT COUNT(*) FROM trail WHERE action = 'erase identity' AND staff = 'tsuzuku' AND subject IN ($1,$2)`, soon.ID, late.ID).Scan(&trail)
		}); err != nil || trail != 2 {
			t.Errorf("%d lines in the trail, %v", trail, err)
		}
	})
}
