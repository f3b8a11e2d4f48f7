package stripesim_test

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Every state of a payment intent, and what each call makes of it.
func TestStateMachineOfAnIntent(t *testing.T) {
	const unexpected = "payment_intent_unexpected_state"
	type outcome struct{ confirm, capture, cancel string } // the state after, or the code of the refusal
	for _, c := range []struct {
		state  string
		create []string
		then   func(*town, string)
		want   outcome
	}{
		{"requires_payment_method", nil, nil, outcome{"succeeded", unexpected, "canceled"}},
		{"requires_payment_method", []string{"confirm=true", "payment_method=pm_card_visa"}, declined, outcome{"succeeded", unexpected, "canceled"}},
		{"requires_confirmation", []string{"payment_method=pm_card_visa"}, nil, outcome{"succeeded", unexpected, "canceled"}},
		{"requires_action", []string{"confirm=true", "payment_method=pm_card_authenticationRequired"}, nil, outcome{"succeeded", unexpected, "canceled"}},
		{"requires_capture", []string{"confirm=true", "payment_method=pm_card_visa", "capture_method=manual"}, nil, outcome{unexpected, "succeeded", "canceled"}},
		{"processing", []string{"confirm=true", "payment_method=pm_card_visa"}, pending, outcome{unexpected, unexpected, unexpected}},
		{"succeeded", []string{"confirm=true", "payment_method=pm_card_visa"}, nil, outcome{unexpected, unexpected, unexpected}},
		{"canceled", nil, cancelled, outcome{unexpected, unexpected, unexpected}},
	} {
		for verb, wanted := range map[string]string{"confirm": c.want.confirm, "capture": c.want.capture, "cancel": c.want.cancel} {
			w := newTown()
			if c.then != nil {
				c.then(w, "")
			}
			r := w.call("POST", "/v1/payment_intents", "", append([]string{"amount=500", "currency=usd", "payment_method_types[]=card", "metadata[order]=a"}, c.create...)...)
			pi, _ := r.at("id").(string)
			if r.status == 402 {
				pi = r.at("error.payment_intent.id").(string)
			}
			if c.then != nil {
				c.then(w, pi)
			}
			want(t, w.call("GET", "/v1/payment_intents/"+pi, ""), 200, "status", c.state)
			var more []string
			if verb == "confirm" {
				more = []string{"payment_method=pm_card_mastercard"}
			}
			r = w.call("POST", "/v1/payment_intents/"+pi+"/"+verb, "", more...)
			got := r.at("status")
			if r.status != 200 {
				got = r.at("error.code")
				want(t, r, 400, "error.payment_intent.status", c.state)
			}
			if got != wanted {
				t.Errorf("%s, then %s: %v, want %s", c.state, verb, got, wanted)
			}
			if paid := w.Captured("a") == money.Of(500, "USD"); paid != (got == "succeeded" || c.state == "succeeded") {
				t.Errorf("%s, then %s: captured %v", c.state, verb, w.Captured("a"))
			}
		}
	}
}

func declined(w *town, pi string) {
	if pi == "" {
		w.DeclineNext(1)
	}
}

func pending(w *town, pi string) {
	if pi == "" {
		w.PendNext(1)
	}
}

func cancelled(w *town, pi string) {
	if pi != "" {
		w.call("POST", "/v1/payment_intents/"+pi+"/cancel", "", "cancellation_reason=abandoned")
	}
}

func TestADeclineIsAnErrorThatShowsTheIntent(t *testing.T) {
	w := newTown()
	r := w.call("POST", "/v1/payment_intents", "", "amount=500", "currency=jpy", "payment_method_types[]=card", "confirm=true", "payment_method=pm_card_chargeDeclinedExpiredCard")
	want(t, r, 402, "error.type", "card_error", "error.code", "expired_card", "error.payment_intent.status", "requires_payment_method",
		"error.payment_intent.last_payment_error.code", "expired_card", "error.charge", r.at("error.payment_intent.latest_charge"))
}

func TestCaptureTakesNoMoreThanWasAuthorised(t *testing.T) {
	w := newTown()
	authorise := func() string {
		return w.call("POST", "/v1/payment_intents", "", "amount=500", "currency=jpy", "payment_method_types[]=card", "confirm=true", "payment_method=pm_card_visa", "capture_method=manual").id()
	}
	pi := authorise()
	if !w.Captured(pi).IsZero() {
		t.Error("an authorisation is not money")
	}
	want(t, w.call("POST", "/v1/payment_intents/"+pi+"/capture", "", "amount_to_capture=501"), 400, "error.code", "amount_too_large")
	want(t, w.call("POST", "/v1/payment_intents/"+pi+"/capture", "", "amount_to_capture=300"), 200, "status", "succeeded", "amount_received", "300", "amount_capturable", "0")
	if got := w.Captured(pi); got != money.Of(300, "JPY") {
		t.Errorf("captured %v", got)
	}
	old := authorise()
	w.pass(7*24*time.Hour - 1)
	want(t, w.call("GET", "/v1/payment_intents/"+old, ""), 200, "status", "requires_capture", "amount_capturable", "500")
	w.pass(1)
	want(t, w.call("GET", "/v1/payment_intents/"+old, ""), 200, "status", "canceled", "cancellation_reason", "automatic")
	if !w.Captured(old).IsZero() || !w.Refunded(old).IsZero() {
		t.Error("a released authorisation is neither payment nor refund")
	}
}

func TestOnlyItsSessionEndsAnIntentOfCheckout(t *testing.T) {
	w := newTown()
	w.offer(t, "a")
	if _, err := w.Decline("a"); err != nil {
		t.Fatal(err)
	}
	cs, _ := w.Session("a")
	for _, verb := range []string{"cancel", "confirm"} {
		want(t, w.call("POST", "/v1/payment_intents/"+cs.PaymentIntent+"/"+verb, ""), 400, "error.payment_intent.id", cs.PaymentIntent)
	}
}

func TestASavedCardPaysOffSession(t *testing.T) {
	w := newTown()
	cus := w.call("POST", "/v1/customers", "", "email=a@shop.test").id()
	save := func(tool string) (method string) {
		w.offer(t, tool, "customer="+cus, "payment_intent_data[setup_future_usage]=off_session")
		if _, err := w.PayWith(tool, tool); err != nil {
			t.Fatal(err)
		}
		if tool == "pm_card_authenticationRequired" {
			if _, err := w.Authenticate(tool, true); err != nil {
				t.Fatal(err)
			}
		}
		r := w.call("GET", "/v1/payment_methods", "", "customer="+cus, "type=card")
		return r.at("data.0.id").(string)
	}
	charge := func(method, customer string) reply {
		return w.call("POST", "/v1/payment_intents", "", "amount=700", "currency=jpy", "customer="+customer, "payment_method="+method, "off_session=true", "confirm=true", "metadata[order]=off")
	}
	card := save("pm_card_visa")
	want(t, charge(card, cus), 200, "status", "succeeded")
	if got := w.Captured("off"); got != money.Of(700, "JPY") {
		t.Errorf("captured %v", got)
	}
	other := w.call("POST", "/v1/customers", "").id()
	want(t, charge(card, other), 400, "error.param", "payment_method")
	want(t, charge(save("pm_card_authenticationRequired"), cus), 402, "error.code", "authentication_required")
	want(t, w.call("POST", "/v1/payment_methods/"+card+"/detach", ""), 200, "customer", "")
	want(t, w.call("POST", "/v1/payment_methods/"+card+"/detach", ""), 400)
	want(t, charge(card, cus), 400, "error.param", "payment_method")
	if got := w.Captured("off"); got != money.Of(700, "JPY") {
		t.Errorf("captured %v after refusals", got)
	}
}

func TestAnIntentThatMayRedirectNeedsAWayBack(t *testing.T) {
	w := newTown()
	base := []string{"amount=700", "currency=jpy", "confirm=true", "payment_method=pm_card_authenticationRequired"}
	want(t, w.call("POST", "/v1/payment_intents", "", base...), 400, "error.param", "return_url")
	r := w.call("POST", "/v1/payment_intents", "", append(base, "return_url=https://shop.test/back?o=1")...)
	want(t, r, 200, "status", "requires_action", "next_action.type", "redirect_to_url")
	shown, err := w.Authenticate(r.id(), true)
	if err != nil || shown.Redirect != "https://shop.test/back?o=1&payment_intent="+r.id()+"&payment_intent_client_secret="+r.at("client_secret").(string)+"&redirect_status=succeeded" {
		t.Errorf("%+v, %v", shown, err)
	}
}
