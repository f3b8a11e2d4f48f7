package paypal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

// keep lets a customer agree to an order that keeps their account.
func (b *bench) keep() (payment.Attempt, payment.Kept) {
	b.t.Helper()
	a := b.attempt()
	a.Keep = true
	obs, err := b.Start(b.t.Context(), a)
	if err != nil {
		b.t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	if obs, err = b.Resume(b.t.Context(), a, b.pay(a.Ref)); err != nil || obs.State != payment.Paid {
		b.t.Fatalf("Resume says %s, %v", obs.State, err)
	}
	return a, obs.Kept
}

func (b *bench) chargeOf(k payment.Kept) payment.Attempt {
	a := b.attempt()
	a.Saved, a.Holder = k.Token, k.Holder
	return a
}

// Where PayPal approves a kept account's order and leaves the taking to us, we
// take it, in Start or when the answer to that was lost.
func TestApprovedCharge(t *testing.T) {
	for _, lost := range []bool{false, true} {
		b := newBench(t, func(s *paypalsim.Config, c *paypal.Config) { c.Vault, s.VaultedWaits = true, true })
		_, k := b.keep()
		a := b.chargeOf(k)
		b.wire.Choose = func(r *http.Request) outboundsim.Fault {
			if !lost || !strings.HasSuffix(r.URL.Path, "/capture") {
				return outboundsim.None
			}
			lost = false
			return outboundsim.LoseAnswer
		}
		obs, err := b.Start(t.Context(), a)
		if err != nil || obs.State != payment.Paid {
			if obs, err = b.Start(t.Context(), a); err != nil || obs.State != payment.Paid {
				t.Fatalf("Start again says %s, %v", obs.State, err)
			}
		}
		if got := b.sim.Captured(a.Ref); got != a.Amount {
			t.Errorf("captured %v, want %v", got, a.Amount)
		}
	}
}

// PayPal may need longer to keep an account than to take its money; it is asked
// again.
func TestKeptLater(t *testing.T) {
	b := newBench(t, vaulted)
	b.sim.HoldVault(true)
	a, k := b.keep()
	if k != (payment.Kept{}) {
		t.Fatalf("not kept yet, and kept is %+v", k)
	}
	if err := b.sim.FinishVault(a.Ref); err != nil {
		t.Fatal(err)
	}
	obs, err := b.Query(t.Context(), a)
	if err != nil || obs.Kept.Token == "" || obs.Kept.Holder == "" {
		t.Errorf("Query says %+v, %v", obs.Kept, err)
	}
}

// Of the words by which PayPal refuses a kept account, some say that it is of no
// more use.
func TestWhyAKeptAccountIsRefused(t *testing.T) {
	for issue, want := range map[string]payment.Reason{
		"INSTRUMENT_DECLINED": payment.Declined, "PAYER_CANNOT_PAY": payment.Declined, "TRANSACTION_LIMIT_EXCEEDED": payment.NoFunds,
		"TOKEN_EXPIRED": payment.ToolGone, "AGREEMENT_ALREADY_CANCELLED": payment.ToolGone,
	} {
		b := newBench(t, vaulted)
		_, k := b.keep()
		b.sim.RefuseNext(issue)
		if obs, err := b.Start(t.Context(), b.chargeOf(k)); err != nil || obs.State != payment.Dead || obs.Reason != want {
			t.Errorf("%s: %s (%s %s), %v; want dead (%s)", issue, obs.State, obs.Reason, obs.Code, err, want)
		}
	}
}

// Whatever the customer's tool at PayPal does, a charge says what became of it.
func TestToolsOfAKeptAccount(t *testing.T) {
	for tool, want := range map[paypalsim.Tool]payment.State{
		paypalsim.Balance: payment.Paid, paypalsim.ECheck: payment.Pending, paypalsim.DeclinedLater: payment.Dead,
		paypalsim.Denied: payment.Dead, paypalsim.CardRefused: payment.NeedsCustomer,
	} {
		b := newBench(t, vaulted)
		_, k := b.keep()
		if err := b.sim.Turn(string(k.Token), tool); err != nil {
			t.Fatal(err)
		}
		a := b.chargeOf(k)
		obs, err := b.Start(t.Context(), a)
		if err != nil || obs.State != want {
			t.Errorf("%v: %s (%s %s), %v; want %s", tool, obs.State, obs.Reason, obs.Code, err, want)
		}
		if took := b.sim.Captured(a.Ref); took.IsZero() == (want == payment.Paid) {
			t.Errorf("%v: %s, and PayPal took %v", tool, want, took)
		}
	}
}

// A seller who may not use the vault keeps nothing, and says so.
func TestWithoutTheVault(t *testing.T) {
	b := newBench(t, nil)
	if got := b.Keeps(); len(got) != 0 {
		t.Errorf("keeps %v", got)
	}
}

// The end of an order is the end of its charge, too.
func TestChargeEnds(t *testing.T) {
	b := newBench(t, vaulted)
	_, k := b.keep()
	a := b.chargeOf(k)
	a.ExpiresAt = a.CreatedAt.Add(24 * time.Hour)
	b.advance(3 * time.Hour)
	if obs, err := b.Start(t.Context(), a); err == nil && obs.State == payment.Paid || !b.sim.Captured(a.Ref).IsZero() {
		t.Errorf("three hours later Start says %s, %v", obs.State, err)
	}
}
