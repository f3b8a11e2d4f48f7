package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// compared is an operator that keeps no names of ours: what it shows before and after
// is compared.
type compared struct {
	carrier.Carrier
	hides   bool // its readings are old
	earlier []string
}

func (c *compared) Abilities() carrier.Abilities {
	able := c.Carrier.Abilities()
	able.KeepsRef = false
	return able
}

func (c *compared) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	if e.Earlier == nil {
		c.earlier = append(c.earlier, "")
	} else {
		c.earlier = append(c.earlier, e.Earlier.Ref)
		if c.hides {
			return nil, carrier.ErrNotSent
		}
	}
	return carrier.Snapshot("{}"), nil
}

// An operator that may show a line as it was a while ago is told what it must show
// before the line is extended once more; until then nothing is asked for.
func TestAnOperatorMustShowTheLastExtensionFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.Sim.Settles = 10 * time.Minute
		op := &compared{Carrier: c.Desk.Carriers["simple"]}
		c.Desk.Carriers["simple"] = op
		account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
		renew := func() order.Order {
			o, err := c.place(t, c.quote(t, account, ln, extendable))
			done(t, err)
			return o
		}
		first := renew()
		c.want(t, first, order.Completed, "")
		op.hides = true
		second := renew()
		c.pass(t, time.Minute)
		if got := c.get(t, second.Ref()); got.State.Final() || c.Sim.Extended(second.ID) != 0 {
			t.Errorf("%s while the line is shown without its last extension; extended %d times", got.State, c.Sim.Extended(second.ID))
		}
		for _, ref := range op.earlier[1:] {
			if ref != first.ID {
				t.Errorf("told to show %q, want %s", ref, first.ID)
			}
		}
		op.hides = false
		c.pass(t, 10*time.Minute)
		c.want(t, second, order.Completed, "")
		c.pass(t, op.Abilities().SettlesWithin+time.Minute)
		op.earlier = nil
		c.want(t, renew(), order.Completed, "")
		if len(op.earlier) != 1 || op.earlier[0] != "" {
			t.Errorf("told to show %q, long after", op.earlier)
		}
		c.clean(t, account)
	})
}
