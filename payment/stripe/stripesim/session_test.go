package stripesim_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

const paidStory = "payment_intent.created charge.succeeded payment_intent.succeeded checkout.session.completed"

func TestAPaidSessionIsCompleteAndCaptured(t *testing.T) {
	w := newTown()
	cs := w.offer(t, "a", "metadata[account]=ac_1")
	want(t, cs, 200, "payment_status", "unpaid", "payment_intent", "", "amount_total", "1980", "currency", "jpy",
		"url", "https://shop.test/sim/pay/"+cs.id(), "metadata.account", "ac_1", "line_items", "")
	if got := w.Captured("a"); got != (money.Money{}) {
		t.Errorf("captured %v before anyone paid", got)
	}
	shown, err := w.Pay("a")
	if err != nil || shown.Redirect != "https://shop.test/back?s="+cs.id() {
		t.Fatalf("%+v, %v", shown, err)
	}
	r := w.call("GET", "/v1/checkout/sessions/"+cs.id(), "", "expand[]=payment_intent.latest_charge.balance_transaction", "expand[]=line_items")
	want(t, r, 200, "status", "complete", "payment_status", "paid", "url", "", "line_items.data.0.amount_total", "1980",
		"payment_intent.status", "succeeded", "payment_intent.amount_received", "1980", "payment_intent.metadata.order", "order of a",
		"payment_intent.latest_charge.amount_captured", "1980", "payment_intent.latest_charge.balance_transaction.fee", "71")
	pi := r.at("payment_intent.id").(string)
	for _, name := range []string{"a", cs.id(), pi, "order of a", "ac_1", r.at("payment_intent.latest_charge.id").(string)} {
		if got := w.Captured(name); got != money.Of(1980, "JPY") {
			t.Errorf("captured %v for %s", got, name)
		}
	}
	want(t, w.call("GET", "/v1/checkout/sessions", "", "payment_intent="+pi), 200, "data.0.id", cs.id())
	want(t, w.call("GET", "/v1/checkout/sessions", "", "payment_intent=pi_none"), 200, "data.0.id", "")
	if told := w.told(); told != paidStory {
		t.Errorf("told: %s", told)
	}
	if _, err := w.Pay("a"); err == nil {
		t.Error("a paid session was paid again")
	}
}

func TestAmountsAreTakenAsSent(t *testing.T) {
	for _, c := range []struct {
		currency, amount string
		want             money.Money
		status           int
	}{
		{"jpy", "1980", money.Of(1980, "JPY"), 200},
		{"JPY", "198000", money.Of(198000, "JPY"), 200}, // a seller's ×100 shows
		{"jpy", "50", money.Of(50, "JPY"), 200},
		{"jpy", "49", money.Money{}, 400},
		{"usd", "50", money.Of(50, "USD"), 200},
		{"usd", "49", money.Money{}, 400},
		{"krw", "15000", money.Of(15000, "KRW"), 200},
		{"twd", "60000", money.Of(60000, "TWD"), 200},
	} {
		w := newTown()
		want(t, w.call("POST", "/v1/checkout/sessions", "", forYen("a", c.amount, "line_items[0][price_data][currency]="+c.currency)...), c.status)
		_, _ = w.Pay("a")
		if got := w.Captured("a"); got != c.want {
			t.Errorf("%s %s: captured %v", c.amount, c.currency, got)
		}
	}
	w := newTown(func(c *stripesim.Config) { c.Refuses = []string{"jpy"} })
	want(t, w.call("POST", "/v1/checkout/sessions", "", forYen("a", "1980")...), 400, "error.param", "line_items[0][price_data][currency]")
}

func TestASessionExpiresByItsClock(t *testing.T) {
	w := newTown()
	end := w.clock().Truncate(time.Second).Add(40 * time.Minute)
	cs := w.offer(t, "a", "expires_at="+itoa(end.Unix()))
	if _, err := w.PayWith("a", "pm_card_authenticationRequired"); err != nil {
		t.Fatal(err)
	}
	w.pass(end.Sub(w.clock()) - 1)
	want(t, w.call("GET", "/v1/checkout/sessions/"+cs.id(), ""), 200, "status", "open")
	w.pass(1)
	r := w.call("GET", "/v1/checkout/sessions/"+cs.id(), "", "expand[0]=payment_intent")
	want(t, r, 200, "status", "expired", "url", "", "payment_intent.status", "canceled", "payment_intent.next_action", "")
	if _, err := w.Authenticate("a", true); err == nil {
		t.Error("the customer authenticated for an expired session")
	}
	if _, err := w.Pay("a"); err == nil {
		t.Error("an expired session was paid")
	}
	want(t, w.call("POST", "/v1/checkout/sessions/"+cs.id()+"/expire", ""), 400, "error.type", "invalid_request_error")
	if told := w.told(); !strings.HasSuffix(told, "payment_intent.canceled checkout.session.expired") {
		t.Errorf("told: %s", told)
	}
	w.offer(t, "b")
	w.pass(24*time.Hour - time.Second) // expires_at knows no fractions: it comes half a second early
	if b, _ := w.Session("b"); b.Status != "open" {
		t.Errorf("without expires_at a session is %s before its day is over", b.Status)
	}
	w.pass(time.Second)
	if b, _ := w.Session("b"); b.Status != "expired" {
		t.Errorf("without expires_at a session is %s after a day", b.Status)
	}
}

func TestOnlyAnOpenSessionCanBeExpired(t *testing.T) {
	w := newTown()
	cs := w.offer(t, "a")
	want(t, w.call("POST", "/v1/checkout/sessions/"+cs.id()+"/expire", ""), 200, "status", "expired")
	if _, err := w.Pay("a"); err == nil {
		t.Error("an expired session was paid")
	}
	w.paid(t, "b")
	b, _ := w.Session("b")
	want(t, w.call("POST", "/v1/checkout/sessions/"+b.ID+"/expire", ""), 400)
	if w.Captured("b").IsZero() {
		t.Error("the money is gone")
	}
}

func TestADeclinedSessionCanBePaidOtherwise(t *testing.T) {
	w := newTown()
	cs := w.offer(t, "a")
	shown, err := w.PayWith("a", "pm_card_chargeDeclinedInsufficientFunds")
	if err != nil || shown.Redirect != "" || !strings.Contains(shown.Message, "insufficient funds") {
		t.Fatalf("%+v, %v", shown, err)
	}
	want(t, w.call("GET", "/v1/checkout/sessions/"+cs.id(), "", "expand[]=payment_intent"), 200, "status", "open",
		"payment_intent.status", "requires_payment_method", "payment_intent.last_payment_error.decline_code", "insufficient_funds")
	w.DeclineNext(1)
	if shown, _ := w.Pay("a"); shown.Redirect != "" {
		t.Error("the bank accepted what it was told to decline")
	}
	if shown, _ := w.Pay("a"); shown.Redirect == "" {
		t.Error("the third card was not accepted")
	}
	charges := w.Charges()
	if len(charges) != 3 || charges[0].Code != "insufficient_funds" || charges[2].Status != "succeeded" || w.Captured("a") != money.Of(1980, "JPY") {
		t.Errorf("charges: %+v", charges)
	}
	pi, _ := w.Session("a")
	want(t, w.call("GET", "/v1/payment_intents/"+pi.PaymentIntent, ""), 200, "last_payment_error", "")
}

func TestThe3DSecureStepDecides(t *testing.T) {
	w := newTown()
	cs := w.offer(t, "a")
	pay := func() {
		if shown, err := w.PayWith("a", "pm_card_authenticationRequired"); err != nil || shown.Redirect != "" {
			t.Fatalf("%+v, %v", shown, err)
		}
	}
	pay()
	want(t, w.call("GET", "/v1/checkout/sessions/"+cs.id(), "", "expand[]=payment_intent"), 200,
		"payment_intent.status", "requires_action", "payment_intent.next_action.redirect_to_url.url", cs.at("url"))
	if shown, err := w.Authenticate("a", false); err != nil || shown.Redirect != "" {
		t.Fatalf("%+v, %v", shown, err)
	}
	want(t, w.call("GET", "/v1/checkout/sessions/"+cs.id(), "", "expand[]=payment_intent"), 200,
		"status", "open", "payment_intent.last_payment_error.code", "payment_intent_authentication_failure")
	pay()
	if shown, err := w.Authenticate("a", true); err != nil || shown.Redirect == "" {
		t.Fatalf("%+v, %v", shown, err)
	}
	if w.Captured("a") != money.Of(1980, "JPY") {
		t.Errorf("captured %v", w.Captured("a"))
	}
}

func TestMoneyThatComesLaterIsToldLater(t *testing.T) {
	for _, c := range []struct {
		tool, status string
		paid         bool
		payment, end string
	}{
		{"pm_card_visa", "processing", true, "paid", "checkout.session.async_payment_succeeded"},
		{"pm_card_visa", "processing", false, "unpaid", "checkout.session.async_payment_failed"},
		{"konbini", "requires_action", true, "paid", "checkout.session.async_payment_succeeded"},
		{"konbini", "requires_action", false, "unpaid", "checkout.session.async_payment_failed"},
	} {
		w := newTown()
		w.PendNext(1)
		cs := w.offer(t, "a", "payment_method_types[]=card", "payment_method_types[]=konbini")
		if shown, err := w.PayWith("a", c.tool); err != nil || shown.Redirect == "" {
			t.Fatalf("%+v, %v", shown, err)
		}
		get := func() reply { return w.call("GET", "/v1/checkout/sessions/"+cs.id(), "", "expand[]=payment_intent") }
		want(t, get(), 200, "status", "complete", "payment_status", "unpaid", "payment_intent.status", c.status, "payment_intent.amount_received", "0")
		if !w.Captured("a").IsZero() {
			t.Error("captured while it is being processed")
		}
		want(t, w.call("POST", "/v1/checkout/sessions/"+cs.id()+"/expire", ""), 400)
		w.pass(48 * time.Hour)
		if err := w.Settle("a", c.paid); err != nil {
			t.Fatal(err)
		}
		want(t, get(), 200, "status", "complete", "payment_status", c.payment)
		if got := !w.Captured("a").IsZero(); got != c.paid {
			t.Errorf("captured: %v", got)
		}
		if told := w.told(); !strings.HasSuffix(told, " "+c.end) || strings.Count(told, "checkout.session.completed") != 1 {
			t.Errorf("told: %s", told)
		}
		if w.Settle("a", true) == nil {
			t.Error("settled twice")
		}
	}
}

func TestOtherRailsAskOnTheirOwnPage(t *testing.T) {
	w := newTown()
	w.offer(t, "a", "payment_method_types[]=alipay", "payment_method_types[]=paypay")
	if _, err := w.Pay("a"); err == nil {
		t.Error("a card was taken where none is offered")
	}
	if shown, err := w.PayWith("a", "paypay"); err != nil || shown.Message == "" {
		t.Fatalf("%+v, %v", shown, err)
	}
	if shown, err := w.Authenticate("a", true); err != nil || shown.Redirect == "" || w.Captured("a").IsZero() {
		t.Fatalf("%+v, %v", shown, err)
	}
	want(t, w.call("POST", "/v1/checkout/sessions", "", forYen("b", "1000001", "payment_method_types[]=paypay")...), 400, "error.code", "amount_too_large")
}

func TestACustomerWhoGivesUpCanComeBack(t *testing.T) {
	w := newTown()
	w.offer(t, "a")
	if shown, err := w.GiveUp("a"); err != nil || shown.Redirect != "https://shop.test/cart" {
		t.Fatalf("%+v, %v", shown, err)
	}
	if _, err := w.Pay("a"); err != nil {
		t.Error(err)
	}
	for _, err := range []error{second(w.Pay("nobody")), second(w.GiveUp("nobody")), second(w.Authenticate("nobody", true)), w.Settle("nobody", true)} {
		if err == nil {
			t.Error("a name that nobody has was found")
		}
	}
}

func second(_ stripesim.Shown, err error) error { return err }

func TestListsComeInPages(t *testing.T) {
	w := newTown()
	var ids []string
	for range 25 {
		ids = append(ids, w.offer(t, "a").id())
		w.pass(time.Second)
	}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 30).Draw(t, "limit")
		after, got := []string{}, []string{}
		for range 30 {
			r := w.call("GET", "/v1/checkout/sessions", "", append(after, "limit="+itoa(int64(limit)))...)
			data := r.body["data"].([]any)
			if len(data) > limit {
				t.Fatalf("%d in a page of %d", len(data), limit)
			}
			for _, cs := range data {
				got = append([]string{cs.(map[string]any)["id"].(string)}, got...)
			}
			if r.at("has_more") == false {
				break
			}
			after = []string{"starting_after=" + got[0]}
		}
		if strings.Join(got, " ") != strings.Join(ids, " ") {
			t.Fatalf("%v, want %v", got, ids)
		}
	})
	r := w.call("GET", "/v1/checkout/sessions", "", "ending_before="+ids[20], "limit=2")
	want(t, r, 200, "data.0.id", ids[22], "data.1.id", ids[21], "has_more", true)
	from := w.clock().Add(-5 * time.Second).Unix()
	r = w.call("GET", "/v1/checkout/sessions", "", "created[gte]="+itoa(from))
	if n := len(r.body["data"].([]any)); n != 5 {
		t.Errorf("%d created in the last five seconds", n)
	}
	want(t, w.call("GET", "/v1/checkout/sessions", "", "limit=101"), 400, "error.param", "limit")
	want(t, w.call("GET", "/v1/checkout/sessions", "", "starting_after=cs_none"), 400, "error.param", "starting_after")
	want(t, w.call("GET", "/v1/checkout/sessions", "", "expand[]=data.currency"), 400, "error.param", "expand")
}

func TestTheFeeIsKnownWhenStripeHasBookedIt(t *testing.T) {
	w := newTown(func(c *stripesim.Config) { c.FeeDelay = time.Minute })
	pi := w.paid(t, "a")
	get := func() reply {
		return w.call("GET", "/v1/payment_intents/"+pi, "", "expand[]=latest_charge.balance_transaction")
	}
	want(t, get(), 200, "latest_charge.balance_transaction", "", "latest_charge.amount_captured", "1980")
	w.pass(time.Minute)
	want(t, get(), 200, "latest_charge.balance_transaction.fee", "71", "latest_charge.balance_transaction.net", "1909")
}
