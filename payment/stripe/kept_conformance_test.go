package stripe_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

func (b *bench) keeper(t *testing.T) paymenttest.KeeperBench {
	return paymenttest.KeeperBench{
		Bench: b.suite(t), Keeper: b.Adapter,
		Kept: func(k payment.Kept) bool {
			return slices.ContainsFunc(b.sim.Saved(k.Holder), func(s stripesim.Saved) bool { return s.ID == string(k.Token) })
		},
		Decline: func() { b.sim.RefuseNext("do_not_honor") },
		Ask:     func() { b.sim.AskNext(1) },
		Answer: func(ref string, yes bool) url.Values {
			if _, err := b.sim.Authenticate(ref, yes); err != nil {
				t.Errorf("the bank cannot be answered: %v", err)
			}
			return nil
		},
		Lose: func(token payment.Token) {
			if err := b.sim.Remove(string(token)); err != nil {
				t.Error(err)
			}
		},
	}
}

func TestKeeperConformance(t *testing.T) {
	paymenttest.RunKeeper(t, func(t *testing.T) paymenttest.KeeperBench { return newBench(t).keeper(t) })
}
