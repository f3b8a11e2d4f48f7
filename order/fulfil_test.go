package order_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Words of strangers that are cut in the middle of a character, or hold bytes
// that no database takes, do not keep an order from going on.
func TestStrangeWords(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.come(t, o)
		c.Desk.Carriers["simple"] = babbler{c.Sim}
		c.pass(t, rest)
		if got := c.get(t, o.Ref()); got.State != order.Refunded || len(got.Evidence) < 900 {
			t.Errorf("order is %s, and %d bytes are kept of what the operator said", got.State, len(got.Evidence))
		}
		c.fair(t, account, 0)
	})
}

type babbler struct{ *carriersim.Sim }

func (babbler) Extend(context.Context, carrier.Extension) (carrier.Receipt, error) {
	return carrier.Receipt{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "x\x00" + strings.Repeat("断", 1000)}
}

// A worker that had to wait for the others of its set does not call any more
// when its lease is over: somebody else has decided by then.
func TestWorkerThatWaitedTooLong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		var orders []order.Order
		for range 5 {
			_, _, o := c.paid(t)
			orders = append(orders, o)
		}
		alone := true
		c.Sim.Meanwhile = func(carrier.Extension) {
			if alone {
				alone = false
				c.pass(t, 19*time.Second) // the operator is slow, and other workers go on
				alone = true
			}
		}
		c.pass(t, rest)
		for _, o := range orders {
			c.fair(t, o.Account, 0)
		}
	})
}

// A customer who leaves while the operator works is served at once all the same.
func TestCustomerLeavesDuringTheCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
		q := c.quote(t, account, ln, extendable)
		ctx, leave := context.WithCancel(t.Context())
		c.Sim.Meanwhile = func(carrier.Extension) { leave() }
		o, err := c.Desk.Place(ctx, order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
		if err != nil {
			t.Fatal(err)
		}
		c.want(t, o, order.Completed, "")
		c.pass(t, rest)
		c.fair(t, account, 50_000)
	})
}
