package stripe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// keep lets a customer pay with a card and have it kept.
func (b *bench) keep(t *testing.T, card, holder string) payment.Kept {
	t.Helper()
	a := b.attempt()
	a.Keep, a.Holder = true, holder
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.sim.PayWith(a.Ref, card); err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	if obs, err = b.Query(t.Context(), a); err != nil || obs.State != payment.Paid {
		t.Fatalf("Query says %s, %v", obs.State, err)
	}
	return obs.Kept
}

func (b *bench) chargeOf(k payment.Kept) payment.Attempt {
	a := b.attempt()
	a.Saved, a.Holder = k.Token, k.Holder
	return a
}

// last is the last request to an address of Stripe's.
func (b *bench) last(t *testing.T, path string) stripesim.Call {
	t.Helper()
	calls := b.sim.Calls()
	for i := range calls {
		if c := calls[len(calls)-1-i]; c.Method == "POST" && c.Path == path {
			return c
		}
	}
	t.Fatalf("nobody asked for %s", path)
	return stripesim.Call{}
}

func wantParams(t *testing.T, c stripesim.Call, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := c.Params.Get(name); got != value {
			t.Errorf("%s: %s is %q, want %q", c.Path, name, got, value)
		}
	}
}

// A card is set up for charges with and without the customer, under one
// customer at Stripe; and no session keeps a card that nobody agreed to.
func TestWhatIsAskedToKeep(t *testing.T) {
	b := newBench(t)
	k := b.keep(t, "pm_card_visa", "")
	const sessions, usage = "/v1/checkout/sessions", "payment_intent_data[setup_future_usage]"
	wantParams(t, b.last(t, sessions), map[string]string{usage: "off_session", "customer_creation": "always", "customer": ""})
	if k.Label != "Visa •• 4242" || k.Until.IsZero() || k.Until.Over(b.now) || !strings.HasPrefix(k.Holder, "cus_") {
		t.Errorf("kept %+v", k)
	}
	b.keep(t, "pm_card_visa", k.Holder)
	wantParams(t, b.last(t, sessions), map[string]string{usage: "off_session", "customer_creation": "", "customer": k.Holder})
	if _, err := b.Start(t.Context(), b.attempt()); err != nil {
		t.Fatal(err)
	}
	wantParams(t, b.last(t, sessions), map[string]string{usage: "", "customer_creation": "", "customer": ""})
}

// With the customer there the bank may ask; without, it is told that it cannot.
func TestHowAKeptCardIsCharged(t *testing.T) {
	b := newBench(t)
	k := b.keep(t, "pm_card_visa", "")
	for _, absent := range []bool{false, true} {
		a := b.chargeOf(k)
		a.Absent = absent
		if obs, err := b.Start(t.Context(), a); err != nil || obs.State != payment.Paid {
			t.Fatalf("Start says %s, %v", obs.State, err)
		}
		want := map[string]string{
			"amount": "2400", "currency": "jpy", "customer": k.Holder, "payment_method": string(k.Token), "confirm": "true",
			"off_session": "", "return_url": a.ReturnURL, "metadata[ref]": a.Ref,
		}
		if absent {
			want["off_session"], want["return_url"] = "true", ""
		}
		c := b.last(t, "/v1/payment_intents")
		wantParams(t, c, want)
		if c.Key != a.Ref+".s" {
			t.Errorf("sent under the key %q", c.Key)
		}
	}
}

// The bank's words for a card that is of no more use reach the one who keeps it,
// and words that hint at fraud do not.
func TestWhyAKeptCardIsRefused(t *testing.T) {
	for code, want := range map[string]payment.Reason{
		"expired_card": payment.CardExpired, "invalid_account": payment.ToolGone, "revocation_of_authorization": payment.ToolGone,
		"insufficient_funds": payment.NoFunds, "stolen_card": payment.Declined, "lost_card": payment.Declined,
	} {
		b := newBench(t)
		a := b.chargeOf(b.keep(t, "pm_card_visa", ""))
		b.sim.RefuseNext(code)
		obs, err := b.Start(t.Context(), a)
		if err != nil || obs.State != payment.Open || obs.Reason != want {
			t.Errorf("%s: %s (%s), %v; want open (%s)", code, obs.State, obs.Reason, err, want)
		}
		a.ProviderID = obs.ProviderID
		if obs, err = b.Abandon(t.Context(), a); err != nil || obs.State != payment.Dead || obs.Reason != want {
			t.Errorf("%s, closed: %s (%s), %v", code, obs.State, obs.Reason, err)
		}
	}
}

// Stripe keeps even a failure under the key. A charge that happened all the same
// is seen at once; one that did not is never called dead before its time.
func TestStoredFailureOfACharge(t *testing.T) {
	for _, tt := range []struct {
		trouble stripesim.Trouble
		want    payment.State
	}{{stripesim.BrokenAfter, payment.Paid}, {stripesim.Broken, ""}} {
		b := newBench(t)
		a := b.chargeOf(b.keep(t, "pm_card_visa", ""))
		b.sim.Upset(tt.trouble)
		for range 3 {
			obs, err := b.Start(t.Context(), a)
			if obs.State != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("%s: Start says %s, %v", tt.trouble, obs.State, err)
			}
		}
		b.advance(a.ExpiresAt.Sub(a.CreatedAt) + time.Minute)
		if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State == payment.Dead {
			t.Errorf("%s: Abandon says %s, %v", tt.trouble, obs.State, err)
		}
	}
}

// A debit that the bank lets wait is neither paid nor over.
func TestPendingCharge(t *testing.T) {
	b := newBench(t)
	a := b.chargeOf(b.keep(t, "pm_card_visa", ""))
	b.sim.PendNext(1)
	obs, err := b.Start(t.Context(), a)
	if err != nil || obs.State != payment.Pending {
		t.Fatalf("Start says %s, %v", obs.State, err)
	}
	a.ProviderID = obs.ProviderID
	if obs, err = b.Abandon(t.Context(), a); err == nil && obs.State == payment.Dead {
		t.Error("a debit that waits was called dead")
	}
	if err := b.sim.Settle(a.Ref, true); err != nil {
		t.Fatal(err)
	}
	if obs, err = b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount {
		t.Errorf("Query says %s, %v", obs.State, err)
	}
}

// What comes back of a charge can be disputed, and is found by its event.
func TestDisputedCharge(t *testing.T) {
	b := newBench(t)
	a := b.chargeOf(b.keep(t, "pm_card_visa", ""))
	obs, err := b.Start(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.sim.Dispute(a.Ref); err != nil {
		t.Fatal(err)
	}
	a.ProviderID = obs.ProviderID
	if obs, err = b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Disputed != a.Amount {
		t.Errorf("Query says %s, disputed %v, %v", obs.State, obs.Disputed, err)
	}
	b.advance(time.Minute)
	rung := false
	for _, n := range b.fetch() {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		rung = rung || err == nil && bell.Ref == a.Ref
	}
	if !rung {
		t.Error("no notification names the attempt")
	}
}
