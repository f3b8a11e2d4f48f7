package order_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// A process dies somewhere in its turn: what is wrong is found all the same, by another
// one, in a third of the minute that is promised.
func TestARepairerDiesInItsTurn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		died := errors.New("died")
		left, lived := 0, false // commits until it dies
		mortal, err := db.Open(t.Context(), env.URL, db.Options{Now: env.Clock.Now, Observe: func(p db.Point) {
			if p == db.AfterCommit {
				left--
			}
			if left == 0 {
				panic(died)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = mortal.Close() })
		others := c.repairer()
		for n := 1; !lived; n++ {
			if n > 10 {
				t.Fatal("it does not come to an end")
			}
			account, _ := c.served(t)
			c.damage(t, `DELETE FROM bills WHERE account_id = $1`, account)
			c.Clock.Add(time.Minute)
			left = n
			func() {
				defer func() {
					if p := recover(); p != nil && p != any(died) {
						panic(p)
					}
				}()
				r := audit.Repairer{DB: mortal, Desk: c.Desk, Log: slog.New(slog.DiscardHandler)}
				_, err := r.Step(t.Context())
				if err != nil {
					t.Error(err)
				}
				lived = true
			}()
			for range 4 {
				c.Clock.Add(5 * time.Second)
				if _, err := others.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if bills := c.count(t, `SELECT COUNT(*) FROM bills WHERE account_id = $1`, account); bills != 1 {
				t.Errorf("dead after %d commits: %d bills 20 seconds later", n, bills)
			}
			if lived && n < 4 {
				t.Errorf("a turn has %d commits, and should take, find and mend", n-1)
			}
		}
	})
}

// A refund that a person sends again is not late in that moment, however long ago it was
// written: its provider has the time that one may take.
func TestARefundSentAgainHasItsTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		r.refuse()
		account, _, o := r.paid(t)
		r.card.HoldRefunds(true)
		r.pass(t, time.Hour)
		if err := r.card.SettleRefund(r.refunds(t, o)[0].Ref, false); err != nil {
			t.Fatal(err)
		}
		r.pass(t, 24*time.Hour)
		r.card.HoldRefunds(false)
		if _, err := r.Desk.RefundAgain(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		before := len(r.findings(t, account, false))
		for range 2 {
			r.Clock.Add(6 * time.Second)
			if _, err := r.both[0].Step(t.Context()); err != nil { // before the worker comes to it
				t.Fatal(err)
			}
		}
		if all := r.findings(t, account, false); len(all) != before {
			t.Errorf("found in that moment: %+v", all)
		}
		r.Clock.Add(6 * time.Minute)
		if _, err := r.both[0].Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.one(t, account, audit.RefundNotArrived, "refund_late")
		r.until(t, r.Clock.Now().Add(10*time.Minute))
		r.want(t, o, order.Refunded, "refund_failed")
	})
}
