package order_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// hesitant is an operator that takes long to say what must be remembered of a line.
type hesitant struct {
	*carriersim.Sim
	asked     atomic.Bool
	meanwhile func() // once
}

func (h *hesitant) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	if !h.asked.Swap(true) {
		h.meanwhile()
	}
	return h.Sim.Prepare(ctx, e)
}

// An offer that ends while its order is on its way, because the operator takes its time
// or the process stands still, is not accepted any more, and nothing is charged. What
// another tab has placed in time is what both get.
func TestOfferEndsWhileItIsAccepted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, together := range []bool{false, true} {
			for _, inTime := range []bool{false, true} {
				f := newFamily(t, env, 10_000)
				op := &hesitant{Sim: f.Sim}
				f.Desk.Carriers["simple"] = op
				accept := func() (all []order.Order, err error) {
					if together {
						return f.Desk.PlaceTogether(t.Context(), f.wish(order.ToolWallet))
					}
					o, err := f.place(t, f.quotes[0])
					return []order.Order{o}, err
				}
				var first []order.Order
				op.meanwhile = func() {
					if inTime {
						var err error
						if first, err = accept(); err != nil {
							t.Error(err)
						}
					}
					f.Clock.Set(f.quotes[0].ExpiresAt.Add(time.Second))
				}
				got, err := accept()
				has := f.orders(t, f.account)
				switch {
				case inTime && (err != nil || got[0].ID != first[0].ID || len(has) != len(first)):
					t.Errorf("together %t, placed in time by another tab: %v, %d orders", together, err, len(has))
				case !inTime && (reasonOf(err) != "quote_expired" || len(has) > 0 || f.wallet(t, f.account) != 10_000):
					t.Errorf("together %t, the offer ended: %v, %d orders", together, err, len(has))
				}
				f.pass(t, time.Hour)
				f.fair(t, f.account, 10_000)
			}
		}
	})
}
