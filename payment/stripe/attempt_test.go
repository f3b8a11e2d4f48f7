package stripe

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Out of all combinations of Stripe's three states exactly those in which the
// money is in are paid, and none in which it may still come is dead.
func TestStates(t *testing.T) {
	paid := payment.Paid
	need, pend, dead := payment.NeedsCustomer, payment.Pending, payment.Dead
	tests := []struct {
		session, intent string
		unpaid, paid    payment.State // by payment_status
	}{
		{"open", "", need, need},
		{"open", "requires_payment_method", need, need},
		{"open", "requires_confirmation", need, need},
		{"open", "requires_action", need, need},
		{"open", "processing", pend, pend},
		{"open", "requires_capture", pend, pend},
		{"open", "succeeded", pend, pend},
		{"open", "canceled", dead, dead},
		{"open", "made_up", pend, pend},
		{"complete", "", pend, pend},
		{"complete", "requires_payment_method", pend, pend},
		{"complete", "requires_confirmation", pend, pend},
		{"complete", "requires_action", pend, pend},
		{"complete", "processing", pend, pend},
		{"complete", "requires_capture", pend, pend},
		{"complete", "succeeded", pend, paid},
		{"complete", "canceled", dead, dead},
		{"complete", "made_up", pend, pend},
		{"expired", "", dead, dead},
		{"expired", "requires_payment_method", dead, dead},
		{"expired", "requires_confirmation", dead, dead},
		{"expired", "requires_action", dead, dead},
		{"expired", "processing", pend, pend},
		{"expired", "requires_capture", pend, pend},
		{"expired", "succeeded", pend, paid},
		{"expired", "canceled", dead, dead},
		{"expired", "made_up", pend, pend},
		{"made_up", "succeeded", payment.Unknown, payment.Unknown},
	}
	for _, tt := range tests {
		for status, want := range map[string]payment.State{
			"unpaid": tt.unpaid, "paid": tt.paid, "no_payment_required": tt.unpaid, "made_up": tt.unpaid,
		} {
			s := &sdk.CheckoutSession{Status: sdk.CheckoutSessionStatus(tt.session), PaymentStatus: sdk.CheckoutSessionPaymentStatus(status)}
			if tt.intent != "" {
				s.PaymentIntent = &sdk.PaymentIntent{Status: sdk.PaymentIntentStatus(tt.intent)}
			}
			if got := stateOf(s); got != want {
				t.Errorf("session %s %s, intent %q: %s, want %s", tt.session, status, tt.intent, got, want)
			}
		}
	}
}

func yen(n int64) money.Money { return money.Of(n, "JPY") }

// charged is a succeeded intent whose charge has one member changed.
func charged(member string, value any) map[string]any {
	pi := intent("succeeded", nil)
	pi["latest_charge"].(map[string]any)[member] = value
	return pi
}

func TestQueryReadsTheWholeStory(t *testing.T) {
	refused := map[string]any{"last_payment_error": map[string]any{"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}}
	refunded := charged("amount_refunded", 500)
	foreignFee := charged("balance_transaction", map[string]any{"id": "txn", "fee": 9, "currency": "isk"})
	other := intent("succeeded", map[string]any{"amount_received": 1500, "currency": "usd"})
	const page = "https://checkout.stripe.com/c/pay/cs_1"
	tests := []struct {
		name    string
		changes map[string]any
		want    payment.Observation
	}{
		{"open", nil, payment.Observation{State: payment.NeedsCustomer, Amount: yen(1980), Next: payment.Next{RedirectURL: page}}},
		{
			"declined, may try again",
			map[string]any{"payment_intent": intent("requires_payment_method", refused)},
			payment.Observation{
				State: payment.NeedsCustomer, Amount: yen(1980), Next: payment.Next{RedirectURL: page},
				Reason: payment.NoFunds, Code: "card_declined/insufficient_funds",
			},
		},
		{
			"paid",
			map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": intent("succeeded", nil)},
			payment.Observation{State: payment.Paid, Amount: yen(1980), Fee: yen(71)},
		},
		{
			"paid and partly refunded",
			map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": refunded},
			payment.Observation{State: payment.Paid, Amount: yen(1980), Refunded: yen(500), Fee: yen(71)},
		},
		{
			"paid something else: told as it is, the caller compares",
			map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": other},
			payment.Observation{State: payment.Paid, Amount: money.Of(1500, "USD"), Fee: yen(71)},
		},
		{
			"a fee in a currency we do not sell in is not told",
			map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": foreignFee},
			payment.Observation{State: payment.Paid, Amount: yen(1980)},
		},
		{
			"ended by itself",
			map[string]any{"status": "expired", "expires_at": t0.Unix()},
			payment.Observation{State: payment.Dead, Amount: yen(1980), Reason: payment.TooLate, Code: "session_expired", Closed: true},
		},
		{
			"ended by us",
			map[string]any{"status": "expired"},
			payment.Observation{State: payment.Dead, Amount: yen(1980), Reason: payment.Abandoned, Code: "session_expired", Closed: true},
		},
		{
			"cancelled at Stripe's desk",
			map[string]any{"payment_intent": intent("canceled", map[string]any{"cancellation_reason": "fraudulent"})},
			payment.Observation{State: payment.Dead, Amount: yen(1980), Reason: payment.Abandoned, Code: "canceled/fraudulent"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, always(200, session(tt.changes)))
			tt.want.ProviderID, tt.want.AsOf = "cs_1", t0
			if _, has := tt.changes["payment_intent"]; has {
				tt.want.MoneyID = "pi_1"
			}
			got, err := d.Query(t.Context(), attempt())
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Query says\n%+v, %v; want\n%+v", got, err, tt.want)
			}
			if q := d.asked[0]; q.line != "GET /v1/checkout/sessions/cs_1" || len(q.form) != len(expansions) {
				t.Errorf("asked %s with %v", q.line, q.form)
			}
		})
	}
}

// An answer about something else is not an answer.
func TestQueryBelievesOnlyItsOwnSession(t *testing.T) {
	for name, changes := range map[string]map[string]any{
		"another attempt": {"client_reference_id": "someone else's"},
		"no reference":    {"client_reference_id": nil},
		"live mode":       {"livemode": true},
		"no identifier":   {"id": ""},
		"no page":         {"url": nil},
		"unknown state":   {"status": "melting"},
		"points":          {"currency": "pts"},
		"charge missing":  {"status": "complete", "payment_status": "paid", "payment_intent": intent("succeeded", map[string]any{"latest_charge": nil})},
	} {
		d := newDesk(t, always(200, session(changes)))
		if obs, err := d.Query(t.Context(), attempt()); err == nil {
			t.Errorf("%s: Query says %+v", name, obs)
		}
	}
}

// Disputes are added up as far as they take money.
func TestQueryAddsUpDisputes(t *testing.T) {
	pi := charged("disputed", true)
	list := `{"object":"list","has_more":false,"data":[
		{"id":"dp_1","amount":700,"currency":"jpy","status":"needs_response"},
		{"id":"dp_2","amount":80,"currency":"jpy","status":"lost"},
		{"id":"dp_3","amount":9,"currency":"jpy","status":"won"},
		{"id":"dp_4","amount":9,"currency":"jpy","status":"warning_needs_response"}]}`
	d := newDesk(t, func(_ *desk, q asked) (int, string) {
		if strings.Contains(q.line, "disputes") {
			return 200, list
		}
		return 200, session(map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": pi})
	})
	obs, err := d.Query(t.Context(), attempt())
	if err != nil || obs.State != payment.Paid || obs.Disputed != money.Of(780, "JPY") {
		t.Errorf("Query says %s with %v disputed, %v; want paid with 780 JPY", obs.State, obs.Disputed, err)
	}
	if got := d.asked[1].form.Get("payment_intent"); got != "pi_1" {
		t.Errorf("disputes of %q were asked for", got)
	}
}

// The bank's word counts before Stripe's; suspicion is not told.
func TestReasons(t *testing.T) {
	tests := []struct {
		code, decline string
		want          payment.Reason
	}{
		{"card_declined", "insufficient_funds", payment.NoFunds},
		{"card_declined", "generic_decline", payment.Declined},
		{"card_declined", "stolen_card", payment.Declined},
		{"card_declined", "", payment.Declined},
		{"card_declined", "expired_card", payment.CardExpired},
		{"expired_card", "", payment.CardExpired},
		{"incorrect_cvc", "incorrect_cvc", payment.WrongDetails},
		{"card_declined", "authentication_required", payment.NotAuthenticated},
		{"payment_intent_authentication_failure", "", payment.NotAuthenticated},
		{"card_declined", "card_not_supported", payment.NotAccepted},
		{"processing_error", "", payment.ProviderTrouble},
		{"never_heard_of", "", payment.Declined},
	}
	for _, tt := range tests {
		if got := reasonOf(sdk.ErrorCode(tt.code), sdk.DeclineCode(tt.decline)); got != tt.want {
			t.Errorf("%s/%s is %s, want %s", tt.code, tt.decline, got, tt.want)
		}
	}
}

// An amount that cannot be charged never leaves the house.
func TestStartSendsNothingItCannotCharge(t *testing.T) {
	for name, change := range map[string]func(*payment.Attempt){
		"points":       func(a *payment.Attempt) { a.Amount = money.Of(100, money.Points) },
		"nothing":      func(a *payment.Attempt) { a.Amount.Minor = 0 },
		"another rail": func(a *payment.Attempt) { a.Rail = payment.LINEPay },
	} {
		d := newDesk(t, always(200, session(nil)))
		a := attempt()
		change(&a)
		obs, err := d.Start(t.Context(), a)
		if err != nil || obs.State != payment.Dead || obs.Reason != payment.NotAccepted || len(d.asked) != 0 {
			t.Errorf("%s: %+v, %v after %d requests", name, obs, err, len(d.asked))
		}
	}
}

// Two pages of other people's sessions, and then ours.
func searchable(found bool) func(*desk, asked) (int, string) {
	return func(_ *desk, q asked) (int, string) {
		switch {
		case q.line != "GET /v1/checkout/sessions":
			return 200, session(nil)
		case q.form.Get("starting_after") == "":
			return 200, `{"object":"list","has_more":true,"data":[{"id":"cs_8","client_reference_id":"x"}]}`
		case found:
			return 200, `{"object":"list","has_more":false,"data":[{"id":"cs_9"},` + session(nil) + `]}`
		}
		return 200, `{"object":"list","has_more":false,"data":[{"id":"cs_9"}]}`
	}
}

// The answer to Start was lost: the session is found by our reference.
func TestQueryFindsALostSession(t *testing.T) {
	d := newDesk(t, searchable(true))
	a := attempt()
	a.ProviderID = ""
	obs, err := d.Query(t.Context(), a)
	if err != nil || obs.State != payment.NeedsCustomer || obs.ProviderID != "cs_1" {
		t.Errorf("Query says %+v, %v", obs, err)
	}
	if from := d.asked[0].form.Get("created[gte]"); from != fmt.Sprint(t0.Add(-5*time.Minute).Unix()) {
		t.Errorf("looked from %s on", from)
	}
}

// Absence is death only when nothing under way could make a session any more.
func TestQueryOfAnAbsentSession(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		want  payment.State
	}{
		{0, payment.Unknown},
		{2 * time.Hour, payment.Unknown},
		{longest, payment.Unknown},
		{24*time.Hour + time.Second, payment.Dead},
	} {
		d := newDesk(t, searchable(false))
		d.now = t0.Add(tt.after)
		a := attempt()
		a.ProviderID = ""
		obs, err := d.Query(t.Context(), a)
		if err != nil || obs.State != tt.want {
			t.Errorf("after %v Query says %s, %v; want %s", tt.after, obs.State, err, tt.want)
		}
	}
}

// Once Stripe may have forgotten the key, Start looks instead of sending: a
// second session would be a second charge.
func TestStartIsNotSentOnceTheKeyMayBeForgotten(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		sent  bool
	}{{longest - time.Second, true}, {longest, false}, {48 * time.Hour, false}} {
		d := newDesk(t, searchable(true))
		d.now = t0.Add(tt.after)
		a := attempt()
		a.ProviderID = ""
		if _, err := d.Start(t.Context(), a); err != nil {
			t.Errorf("after %v: %v", tt.after, err)
		}
		if sent := strings.Contains(d.lines(), "POST"); sent != tt.sent {
			t.Errorf("after %v sent=%t, want %t:\n%s", tt.after, sent, tt.sent, d.lines())
		}
	}
}

// Closing an attempt whose Start was lost claims its key first.
func TestAbandonOfALostStart(t *testing.T) {
	d := newDesk(t, func(_ *desk, q asked) (int, string) {
		switch {
		case strings.HasSuffix(q.line, "/expire"):
			return 200, session(map[string]any{"status": "expired"})
		case q.line == "GET /v1/checkout/sessions":
			return 200, `{"object":"list","has_more":false,"data":[]}`
		}
		return 200, session(nil)
	})
	a := attempt()
	a.ProviderID = ""
	obs, err := d.Abandon(t.Context(), a)
	if err != nil || obs.State != payment.Dead || obs.ProviderID != "cs_1" {
		t.Errorf("Abandon says %+v, %v", obs, err)
	}
	want := []string{"GET /v1/checkout/sessions", "POST /v1/checkout/sessions", "POST /v1/checkout/sessions/cs_1/expire"}
	if got := strings.Split(d.lines(), "\n"); !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
	if d.asked[1].h.Get("Idempotency-Key") != a.Ref+".c" {
		t.Errorf("the start is sent with key %q", d.asked[1].h.Get("Idempotency-Key"))
	}
}

// Too late to close: the truth is asked for and told.
func TestAbandonOfWhatIsComplete(t *testing.T) {
	d := newDesk(t, func(_ *desk, q asked) (int, string) {
		if strings.HasSuffix(q.line, "/expire") {
			return 400, `{"error":{"type":"invalid_request_error","message":"Only open sessions can be expired."}}`
		}
		return 200, session(map[string]any{"status": "complete", "payment_status": "paid", "payment_intent": intent("succeeded", nil)})
	})
	if obs, err := d.Abandon(t.Context(), attempt()); err != nil || obs.State != payment.Paid {
		t.Errorf("Abandon says %+v, %v; want paid", obs, err)
	}
}
