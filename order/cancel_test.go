package order_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Who does not want an order any more has wallet and points back at once, and the
// session can no longer be paid.
func TestCancel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, began := range []bool{false, true} {
			c := newCashier(t, env)
			account, ln := c.rich(t, 700, 400)
			o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
			if err != nil {
				t.Fatal(err)
			}
			var p order.Payment
			if began {
				p = c.pay(t, o, payment.Card)
			}
			if done, err := c.Desk.Cancel(t.Context(), o.Ref()); err != nil || done.State != order.Cancelled {
				t.Fatalf("cancelling: %s, %v", done.State, err)
			}
			c.has(t, account, 700, 400, 0)
			c.want(t, o, order.Cancelled, "given_up")
			if began {
				if _, err := c.card.Pay(p.Ref); err == nil {
					t.Error("the session could still be paid")
				}
			}
			if _, err := c.Desk.Cancel(t.Context(), o.Ref()); !isConflict(err) {
				t.Errorf("cancelling twice: %v", err)
			}
			c.pass(t, rest)
			c.fair(t, account, 700)
		}
	})
}

// A basket is given up as a whole, by any of its orders.
func TestCancelOfABasket(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		all := f.together(t, "card")
		f.pay(t, all[0], payment.Card)
		if done, err := f.Desk.Cancel(t.Context(), all[2].Ref()); err != nil || done.ID != all[2].ID {
			t.Fatal(done.ID, err)
		}
		f.wantStates(t, all, "cancelled cancelled cancelled")
		f.pass(t, rest)
		f.fair(t, f.account, 0)
	})
}

// An order whose money is on its way, whose session cannot be closed, or that is
// paid at that moment, is not cancelled under it.
func TestCancelThatComesTooLate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		tests := map[string]struct {
			do   func(*cashier, order.Order, order.Payment)
			ends order.State
		}{
			"paid":    {func(c *cashier, _ order.Order, p order.Payment) { must(t)(c.card.Pay(p.Ref)) }, order.Completed},
			"pending": {func(c *cashier, _ order.Order, p order.Payment) { c.card.PendNext(1); must(t)(c.card.Pay(p.Ref)) }, order.Placed},
			"cannot be closed": {func(c *cashier, _ order.Order, _ order.Payment) {
				c.card.next("POST /expire", outboundsim.LoseRequest)
			}, order.Cancelled},
			"another tab pays": {func(c *cashier, o order.Order, _ order.Payment) {
				once := true
				c.card.wire.Meanwhile = func(r *http.Request) {
					if once && r.Method == http.MethodPost {
						once = false
						_, _ = c.Desk.Pay(t.Context(), o.Ref(), payment.LINEPay, ways)
					}
				}
			}, order.Cancelled},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.rich(t, 700, 400)
				o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", mixed)
				if err != nil {
					t.Fatal(err)
				}
				p := c.pay(t, o, payment.Card)
				tt.do(c, o, p)
				done, err := c.Desk.Cancel(t.Context(), o.Ref())
				if err != nil && !isConflict(err) || err == nil && done.State == order.Cancelled {
					t.Errorf("cancelling: %s, %v", done.State, err)
				}
				if err == nil && done.State != order.Paid {
					t.Errorf("it came back %s", done.State)
				}
				c.pass(t, time.Hour)
				if got := c.get(t, o.Ref()); got.State != tt.ends {
					t.Errorf("order is %s, want %s", got.State, tt.ends)
				}
				if name == "pending" {
					if err := c.card.Settle(p.Ref, false); err != nil {
						t.Fatal(err)
					}
				}
				c.pass(t, rest)
				c.fair(t, account, 700)
			})
		}
	})
}
