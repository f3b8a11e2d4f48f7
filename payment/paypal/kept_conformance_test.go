package paypal_test

import (
	"net/url"
	"slices"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paymenttest"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

func (b *bench) keeper() paymenttest.KeeperBench {
	return paymenttest.KeeperBench{
		Bench: b.suite(), Keeper: b.Adapter, Belled: true,
		Kept: func(k payment.Kept) bool {
			return slices.ContainsFunc(b.sim.Saved(k.Holder), func(s paypalsim.Saved) bool { return s.ID == string(k.Token) })
		},
		Decline: func() { b.sim.RefuseNext("INSTRUMENT_DECLINED") },
		Ask:     func() { b.sim.AskNext(1) },
		Answer: func(ref string, yes bool) url.Values {
			if yes {
				return b.pay(ref)
			}
			back, _ := b.sim.GiveUp(ref)
			return back
		},
		Lose: func(token payment.Token) {
			if err := b.sim.Remove(string(token)); err != nil {
				b.t.Error(err)
			}
		},
	}
}

func vaulted(_ *paypalsim.Config, c *paypal.Config) { c.Vault = true }

func TestKeeperConformance(t *testing.T) {
	paymenttest.RunKeeper(t, func(t *testing.T) paymenttest.KeeperBench { return newBench(t, vaulted).keeper() })
}
