package stripesim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

const (
	forLater = "payment_intent_data[setup_future_usage]=off_session"
	withABox = "saved_payment_method_options[payment_method_save]=enabled"
)

// keeper makes a customer with a saved card, and returns their identifiers.
func (w *town) keeper(t *testing.T, name, tool string) (cus, card string) {
	t.Helper()
	cus = w.call("POST", "/v1/customers", "", "email="+name+"@shop.test", "metadata[account]="+name).id()
	w.offer(t, name, "customer="+cus, forLater)
	if _, err := w.PayWith(name, tool); err != nil {
		t.Fatal(err)
	}
	if tools := "authenticationRequired"; strings.Contains(tool, tools) {
		if _, err := w.Authenticate(name, true); err != nil {
			t.Fatal(err)
		}
	}
	all := w.Saved(name)
	if len(all) != 1 || all[0].Customer != cus {
		t.Fatalf("saved: %+v", all)
	}
	return cus, all[0].ID
}

// debit charges a saved card 700 yen.
func (w *town) debit(cus, card string, more ...string) reply {
	return w.call("POST", "/v1/payment_intents", "", append([]string{
		"amount=700", "currency=jpy", "customer=" + cus, "payment_method=" + card, "confirm=true",
		"return_url=https://shop.test/back", "metadata[ref]=debit",
	}, more...)...)
}

func TestAPaidSessionSavesTheCardAsItWasAgreed(t *testing.T) {
	for _, c := range []struct {
		params    []string
		tick      bool
		redisplay string // "" if nothing is saved
	}{
		{nil, false, ""},
		{[]string{forLater}, false, "limited"},
		{[]string{"payment_intent_data[setup_future_usage]=on_session"}, false, "limited"},
		{[]string{forLater, "payment_method_data[allow_redisplay]=always"}, false, "always"},
		{[]string{withABox}, false, ""},
		{[]string{withABox}, true, "always"},
		{[]string{withABox, forLater}, true, "always"},
		{[]string{withABox, forLater}, false, "limited"},
	} {
		w := newTown()
		cus := w.call("POST", "/v1/customers", "", "email=a@shop.test").id()
		cs := w.offer(t, "a", append(c.params, "customer="+cus)...)
		pay := w.PayWith
		if c.tick {
			pay = w.PayAndSave
		}
		if _, err := pay("a", "pm_card_mastercard"); err != nil {
			t.Fatal(err)
		}
		got := w.call("GET", "/v1/customers/"+cus+"/payment_methods", "", "type=card")
		want(t, got, 200, "url", "/v1/customers/"+cus+"/payment_methods")
		saved := w.Saved(cus)
		if c.redisplay == "" {
			if len(saved) != 0 || got.at("data.0.id") != "" || strings.Contains(w.told(), "attached") {
				t.Errorf("%q saved %s", c.params, got.raw)
			}
			continue
		}
		want(t, got, 200, "data.0.customer", cus, "data.0.allow_redisplay", c.redisplay, "data.0.card.brand", "mastercard",
			"data.0.card.last4", "4444", "data.0.card.exp_month", "12", "data.0.card.exp_year", "2034")
		if len(saved) != 1 || saved[0].ID != got.at("data.0.id") || saved[0].Redisplay != c.redisplay || saved[0].Last4 != "4444" {
			t.Errorf("%q saved %+v", c.params, saved)
		}
		r := w.call("GET", "/v1/checkout/sessions/"+cs.id(), "", "expand[]=payment_intent.payment_method", "expand[]=customer")
		want(t, r, 200, "payment_intent.payment_method.id", saved[0].ID, "payment_intent.customer", cus, "customer.email", "a@shop.test", "customer_details.email", "a@shop.test")
		want(t, w.call("GET", "/v1/payment_methods/"+saved[0].ID, ""), 200, "customer", cus)
		if n := strings.Count(w.told(), "payment_method.attached"); n != 1 {
			t.Errorf("attached %d times: %s", n, w.told())
		}
	}
}

func TestTheBoxIsThereOnlyForSomebody(t *testing.T) {
	w := newTown()
	w.offer(t, "guest", withABox)
	if _, err := w.PayAndSave("guest", "pm_card_visa"); err == nil {
		t.Error("a guest's card was saved")
	}
	w.offer(t, "new", withABox, "customer_creation=always", "customer_email=new@shop.test")
	if _, err := w.PayAndSave("new", "pm_card_visa"); err != nil || len(w.Saved("new@shop.test")) != 1 {
		t.Errorf("%v, saved %+v", err, w.Saved("new@shop.test"))
	}
	want(t, w.call("POST", "/v1/checkout/sessions", "", forYen("a", "1980", "saved_payment_method_options[payment_method_save]=yes")...),
		400, "error.param", "saved_payment_method_options[payment_method_save]")
	r := w.offer(t, "b", withABox, "saved_payment_method_options[allow_redisplay_filters][]=limited", "saved_payment_method_options[payment_method_remove]=enabled")
	want(t, r, 200, "saved_payment_method_options.payment_method_save", "enabled", "saved_payment_method_options.allow_redisplay_filters.0", "limited",
		"saved_payment_method_options.payment_method_remove", "enabled")
	want(t, w.offer(t, "c"), 200, "saved_payment_method_options", "")
}

func TestThePageOffersWhatWasSavedForIt(t *testing.T) {
	b := newBrowser(t)
	cus := b.town.call("POST", "/v1/customers", "").id()
	at := b.town.offer(t, "a", "customer="+cus, withABox).at("url").(string)
	_, text, _ := b.page(at)
	has(t, text, `id="save"`)
	b.page(at, "do=pay", "tool=pm_card_jcb", "save=yes")
	saved := b.town.Saved(cus)
	if len(saved) != 1 {
		t.Fatalf("saved: %+v", saved)
	}
	again := b.town.offer(t, "b", "customer="+cus, forLater).at("url").(string)
	_, text, _ = b.page(again)
	has(t, text, saved[0].ID, "•••• 0505", "future payments")
	b.page(again, "do=pay", "tool="+saved[0].ID)
	if b.town.Captured("b").IsZero() || len(b.town.Saved(cus)) != 1 {
		t.Errorf("captured %v, saved %+v", b.town.Captured("b"), b.town.Saved(cus))
	}
	// Not for strangers, and not what may not be shown again.
	other := b.town.call("POST", "/v1/customers", "").id()
	for ref, params := range map[string][]string{"c": {"customer=" + other}, "d": {"customer=" + cus, "saved_payment_method_options[allow_redisplay_filters][]=limited"}} {
		b.town.offer(t, ref, params...)
		if _, err := b.town.PayWith(ref, saved[0].ID); err == nil {
			t.Errorf("%s: the page offers what it must not", ref)
		}
	}
}

func TestTheBankDecidesAboutASavedCard(t *testing.T) {
	type outcome struct{ off, on string } // the error's code, else the status
	const asks = "authentication_required"
	for tool, wanted := range map[string]outcome{
		"pm_card_visa":                                     {"succeeded", "succeeded"},
		"pm_card_authenticationRequired":                   {asks, "requires_action"},
		"pm_card_authenticationRequiredOnSetup":            {"succeeded", "requires_action"},
		"pm_card_authenticationRequiredSetupForOffSession": {"succeeded", "requires_action"},
	} {
		w := newTown()
		cus, card := w.keeper(t, "a", tool)
		for _, c := range []struct{ how, wanted string }{{"off_session=true", wanted.off}, {"off_session=one_off", wanted.off}, {"off_session=recurring", wanted.off}, {"off_session=false", wanted.on}} {
			r := w.debit(cus, card, c.how)
			if got := r.at("error.code"); got != c.wanted && r.at("status") != c.wanted {
				t.Errorf("%s %s: %s", tool, c.how, r.raw)
			}
		}
	}
	// A card that asks once, and was not set up for paying without its owner.
	w := newTown()
	cus := w.call("POST", "/v1/customers", "").id()
	card := w.call("POST", "/v1/payment_methods/pm_card_authenticationRequiredOnSetup/attach", "", "customer="+cus).id()
	want(t, w.debit(cus, card, "off_session=true"), 402, "error.code", asks)
	want(t, w.debit(cus, card, "off_session=perhaps"), 400, "error.param", "off_session")
	want(t, w.call("POST", "/v1/payment_intents", "", "amount=700", "currency=jpy", "customer="+cus, "off_session=true"), 400, "error.param", "confirm")
}

func TestARefusedDebitLeavesTheIntentOpenForTheCustomer(t *testing.T) {
	b := newBrowser(t)
	w := b.town
	cus, card := w.keeper(t, "a", "pm_card_authenticationRequired")
	r := w.debit(cus, card, "off_session=true", "description=30 days")
	want(t, r, 402, "error.type", "card_error", "error.decline_code", "authentication_required", "error.payment_method.id", card,
		"error.payment_intent.status", "requires_payment_method", "error.payment_intent.payment_method", "", "error.payment_intent.last_payment_error.code", "authentication_required")
	pi := r.at("error.payment_intent.id").(string)
	if !w.Captured("debit").IsZero() || !strings.HasSuffix(w.told(), "charge.failed payment_intent.payment_failed") {
		t.Errorf("captured %v, told %s", w.Captured("debit"), w.told())
	}
	// The customer comes back, to their bank's page.
	r = w.call("POST", "/v1/payment_intents/"+pi+"/confirm", "", "payment_method="+card, "return_url=https://shop.test/back")
	want(t, r, 200, "status", "requires_action", "next_action.type", "redirect_to_url", "next_action.redirect_to_url.return_url", "https://shop.test/back")
	at := r.at("next_action.redirect_to_url.url").(string)
	_, text, _ := b.page(at)
	has(t, text, "JPY 700", "30 days", `id="approve"`)
	if _, _, to := b.page(at, "do=approve"); !strings.HasSuffix(to, "&redirect_status=succeeded") {
		t.Errorf("to %s", to)
	}
	want(t, w.call("GET", "/v1/payment_intents/"+pi, ""), 200, "status", "succeeded", "payment_method", card, "last_payment_error", "")
	if got := w.Captured("debit"); got != money.Of(700, "JPY") {
		t.Errorf("captured %v", got)
	}
	// An intent that we cancelled leads back as failed.
	r = w.debit(cus, card)
	want(t, w.call("POST", "/v1/payment_intents/"+r.id()+"/cancel", ""), 200, "status", "canceled")
	if _, _, to := b.page(r.at("next_action.redirect_to_url.url").(string)); !strings.HasSuffix(to, "&redirect_status=failed") {
		t.Errorf("to %s", to)
	}
}

func TestTheBankRefusesWhatItIsToldToRefuse(t *testing.T) {
	w := newTown()
	cus, card := w.keeper(t, "a", "pm_card_visa")
	w.RefuseNext("insufficient_funds", "lost_card", "expired_card")
	for _, c := range []struct{ code, decline string }{{"card_declined", "insufficient_funds"}, {"card_declined", "lost_card"}, {"expired_card", "expired_card"}} {
		want(t, w.debit(cus, card, "off_session=true"), 402, "error.code", c.code, "error.decline_code", c.decline)
	}
	w.AskNext(2)
	want(t, w.debit(cus, card, "off_session=true"), 402, "error.code", "authentication_required")
	want(t, w.debit(cus, card), 200, "status", "requires_action")
	want(t, w.debit(cus, card, "off_session=true"), 200, "status", "succeeded")
	w.PendNext(1)
	r := w.debit(cus, card, "off_session=true", "metadata[ref]=later")
	want(t, r, 200, "status", "processing", "amount_received", "0")
	if err := w.Settle("later", true); err != nil {
		t.Fatal(err)
	}
	want(t, w.call("GET", "/v1/payment_intents/"+r.id(), ""), 200, "status", "succeeded")
	if err := w.Turn(card, "pm_card_chargeDeclined"); err != nil {
		t.Fatal(err)
	}
	want(t, w.debit(cus, card, "off_session=true"), 402, "error.code", "card_declined", "error.payment_method.card.last4", "4242")
	for _, err := range []error{w.Turn(card, "konbini"), w.Turn("pm_none", "pm_card_visa"), w.Expire("pm_none"), w.Reissue("pm_none", "1", 1, 2032), w.Remove("pm_none")} {
		if err == nil {
			t.Error("done to what is not there")
		}
	}
}

func TestACardEndsWithItsMonth(t *testing.T) {
	w := newTown()
	cus, card := w.keeper(t, "a", "pm_card_visa")
	w.pass(time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC).Sub(w.clock()) - 1)
	want(t, w.debit(cus, card, "off_session=true"), 200, "status", "succeeded")
	w.pass(1)
	want(t, w.debit(cus, card, "off_session=true"), 402, "error.code", "expired_card", "error.decline_code", "expired_card")
	if err := w.Reissue(card, "1111", 6, 2038); err != nil {
		t.Fatal(err)
	}
	r := w.debit(cus, card, "off_session=true", "expand[]=latest_charge")
	want(t, r, 200, "status", "succeeded", "latest_charge.payment_method_details.card.last4", "1111", "latest_charge.payment_method_details.card.exp_year", "2038")
	e := w.call("GET", "/v1/events", "", "type=payment_method.automatically_updated")
	want(t, e, 200, "data.0.data.object.card.last4", "1111", "data.0.data.previous_attributes.card.last4", "4242")
	first := w.Charges()[0]
	want(t, w.call("GET", "/v1/charges/"+first.ID, ""), 200, "payment_method_details.card.last4", "4242")
	if err := w.Expire(card); err != nil {
		t.Fatal(err)
	}
	want(t, w.call("GET", "/v1/payment_methods/"+card, ""), 200, "card.exp_month", "12", "card.exp_year", "2034")
	want(t, w.debit(cus, card), 402, "error.code", "expired_card")
}

func TestWhatWasDetachedIsGone(t *testing.T) {
	for name, detach := range map[string]func(w *town, card string){
		"by us": func(w *town, card string) {
			want(t, w.call("POST", "/v1/payment_methods/"+card+"/detach", ""), 200, "customer", "")
		},
		"by another": func(w *town, card string) { _ = w.Remove(card) },
		"with its owner": func(w *town, card string) {
			want(t, w.call("DELETE", "/v1/customers/"+w.Saved("a")[0].Customer, ""), 200, "deleted", true)
		},
	} {
		w := newTown()
		cus, card := w.keeper(t, "a", "pm_card_visa")
		other := w.call("POST", "/v1/customers", "").id()
		want(t, w.debit(other, card, "off_session=true"), 400, "error.param", "payment_method")
		want(t, w.call("POST", "/v1/payment_methods/"+card+"/attach", "", "customer="+other), 400)
		detach(w, card)
		want(t, w.call("GET", "/v1/payment_methods/"+card, ""), 200, "customer", "")
		want(t, w.debit(cus, card, "off_session=true"), 400)
		want(t, w.call("POST", "/v1/payment_methods/"+card+"/attach", "", "customer="+other), 400)
		want(t, w.call("POST", "/v1/payment_methods/"+card+"/detach", ""), 400)
		if n := len(w.Saved("a")); n != 0 || w.Captured("debit") != (money.Money{}) {
			t.Errorf("%s: %d saved, captured %v", name, n, w.Captured("debit"))
		}
		e := w.call("GET", "/v1/events", "", "type=payment_method.detached")
		want(t, e, 200, "data.0.data.object.id", card, "data.0.data.object.customer", "", "data.0.data.previous_attributes.customer", cus)
	}
}

func TestACardThatNeverPaidIsGoneToo(t *testing.T) {
	w := newTown()
	cus := w.call("POST", "/v1/customers", "").id()
	card := w.call("POST", "/v1/payment_methods/pm_card_visa/attach", "", "customer="+cus).id()
	want(t, w.call("POST", "/v1/payment_methods/"+card+"/attach", "", "customer="+cus), 200, "customer", cus)
	want(t, w.call("POST", "/v1/payment_methods/"+card+"/detach", ""), 200)
	want(t, w.debit(cus, card), 400, "error.param", "payment_method")
	want(t, w.call("POST", "/v1/payment_methods/"+card+"/attach", "", "customer="+cus), 400)
	want(t, w.call("POST", "/v1/payment_methods/pm_card_chargeDeclined/attach", "", "customer="+cus), 402, "error.code", "card_declined")
	card = w.call("POST", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", "", "customer="+cus).id()
	want(t, w.debit(cus, card), 402, "error.code", "card_declined")
	if told := w.told(); strings.Count(told, "payment_method.attached") != 2 {
		t.Errorf("told: %s", told)
	}
}

func TestADeletedCustomerIsNobody(t *testing.T) {
	w := newTown()
	cus, _ := w.keeper(t, "a", "pm_card_visa")
	want(t, w.call("POST", "/v1/customers/"+cus, "", "name=A", "metadata[more]=b"), 200, "name", "A", "metadata.account", "a", "metadata.more", "b")
	want(t, w.call("GET", "/v1/customers", "", "email=a@shop.test"), 200, "data.0.id", cus)
	want(t, w.call("DELETE", "/v1/customers/"+cus, ""), 200, "id", cus, "object", "customer", "deleted", true)
	want(t, w.call("GET", "/v1/customers/"+cus, ""), 200, "deleted", true, "email", "")
	want(t, w.call("DELETE", "/v1/customers/"+cus, ""), 404, "error.code", "resource_missing")
	want(t, w.call("POST", "/v1/customers/"+cus, "", "name=B"), 404)
	want(t, w.call("GET", "/v1/customers/"+cus+"/payment_methods", ""), 404)
	want(t, w.call("GET", "/v1/customers", "", "email=a@shop.test"), 200, "data.0.id", "")
	want(t, w.call("POST", "/v1/checkout/sessions", "", forYen("b", "1980", "customer="+cus)...), 400, "error.code", "resource_missing", "error.param", "customer")
	if told := w.told(); !strings.HasSuffix(told, "customer.updated payment_method.detached customer.deleted") {
		t.Errorf("told: %s", told)
	}
}

// Whatever goes wrong with the call, its key makes one debit at most, and the
// intent can be found.
func TestADebitHappensOnceUnderItsKey(t *testing.T) {
	for _, trouble := range stripesim.Troubles {
		w := newTown()
		cus, card := w.keeper(t, "a", "pm_card_visa")
		params := []string{"amount=700", "currency=jpy", "customer=" + cus, "payment_method=" + card, "confirm=true", "off_session=true", "metadata[ref]=debit"}
		w.Upset(trouble)
		first := w.call("POST", "/v1/payment_intents", "key", params...)
		second := w.call("POST", "/v1/payment_intents", "key", params...)
		if first.status < 429 {
			t.Errorf("%s: %d", trouble, first.status)
		}
		kept := trouble == stripesim.Broken || trouble == stripesim.BrokenAfter
		if got := second.status; (got == first.status) != kept {
			t.Errorf("%s, then %d", trouble, got)
		}
		done := trouble != stripesim.Broken
		if got := w.Captured("debit") == money.Of(700, "JPY"); got != done {
			t.Errorf("%s: captured %v", trouble, w.Captured("debit"))
		}
		list := w.call("GET", "/v1/payment_intents", "", "customer="+cus)
		if found := fmt.Sprint(list.at("data.0.metadata.ref")) == "debit"; found != done {
			t.Errorf("%s: %s", trouble, list.raw)
		}
	}
	// A refusal is kept, too: the same key asks the bank only once.
	w := newTown()
	cus, card := w.keeper(t, "a", "pm_card_visa")
	w.DeclineNext(1)
	params := []string{"amount=700", "currency=jpy", "customer=" + cus, "payment_method=" + card, "confirm=true", "off_session=true"}
	for range 2 {
		want(t, w.call("POST", "/v1/payment_intents", "key", params...), 402, "error.code", "card_declined")
	}
	want(t, w.call("POST", "/v1/payment_intents", "key", append(params, "description=other")...), 400, "error.type", "idempotency_error")
	want(t, w.call("POST", "/v1/payment_intents", "other", params...), 200, "status", "succeeded")
}
