package stripesim_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

func TestCallsWithoutTheRightKeyAndVersionAreRefused(t *testing.T) {
	w := newTown()
	get := func(change func(http.Header)) reply {
		r := request("GET", "/v1/events", "", "")
		change(r.Header)
		return w.send(r)
	}
	want(t, get(func(http.Header) {}), 200, "object", "list")
	want(t, get(func(h http.Header) { h.Set("Authorization", "Basic c2tfdGVzdF90b3duOg==") }), 200, "object", "list")
	want(t, get(func(h http.Header) { h.Del("Authorization") }), 401, "error.type", "invalid_request_error")
	want(t, get(func(h http.Header) { h.Set("Authorization", "Bearer sk_test_other") }), 401, "error.type", "invalid_request_error")
	want(t, get(func(h http.Header) { h.Del("Stripe-Version") }), 400, "error.type", "invalid_request_error")
	want(t, get(func(h http.Header) { h.Set("Stripe-Version", "2017-05-25") }), 400, "error.type", "invalid_request_error")
	want(t, w.call("DELETE", "/v1/events", ""), 404, "error.type", "invalid_request_error")
	want(t, w.call("GET", "/v1/checkout/sessions/cs_test_none", ""), 404, "error.code", "resource_missing")
}

func TestWrongParametersAreNamed(t *testing.T) {
	w := newTown()
	price := "line_items[0][price_data][unit_amount]"
	at := func(d time.Duration) string {
		return "expires_at=" + itoa(w.clock().Truncate(time.Second).Add(d).Unix())
	}
	for _, c := range []struct {
		name   string
		params []string
		code   string
		param  string
	}{
		{"unknown", forYen("a", "1980", "foo[bar]=1"), "parameter_unknown", "foo[bar]"},
		{"unknown within a list", forYen("a", "1980", "line_items[0][amount]=1980"), "parameter_unknown", "line_items[0][amount]"},
		{"missing", forYen("a", "1980")[1:], "parameter_missing", "mode"},
		{"decimals", forYen("a", "19.80"), "parameter_invalid_integer", price},
		{"exponent", forYen("a", "198e1"), "parameter_invalid_integer", price},
		{"plus sign", forYen("a", "+1980"), "parameter_invalid_integer", price},
		{"negative", forYen("a", "-1980"), "parameter_invalid_integer", price},
		{"empty", forYen("a", ""), "parameter_invalid_empty", price},
		{"too little", forYen("a", "49"), "amount_too_small", "line_items"},
		{"too much", forYen("a", "100000000"), "amount_too_large", price},
		{"unknown currency", forYen("a", "1980", "line_items[0][price_data][currency]=zzz"), "", "line_items[0][price_data][currency]"},
		{"two currencies", forYen("a", "1980", "line_items[1][price_data][currency]=usd", "line_items[1][price_data][unit_amount]=100", "line_items[1][quantity]=1", "line_items[1][price_data][product_data][name]=x"), "", "line_items[1][price_data][currency]"},
		{"language that Stripe has not", forYen("a", "1980", "locale=zh-Hant"), "", "locale"},
		{"relative address", forYen("a", "1980", "success_url=/back"), "url_invalid", "success_url"},
		{"too short a time", forYen("a", "1980", at(30*time.Minute-time.Second)), "", "expires_at"},
		{"too long a time", forYen("a", "1980", at(24*time.Hour+time.Second)), "", "expires_at"},
		{"method of another currency", forYen("a", "1980", "payment_method_types[]=paypal"), "payment_intent_invalid_parameter", "payment_method_types"},
		{"method without its option", forYen("a", "1980", "payment_method_types[0]=wechat_pay"), "parameter_missing", "payment_method_options[wechat_pay][client]"},
		{"group for a value", forYen("a", "1980", "customer_email[x]=1"), "", "customer_email"},
		{"long metadata", forYen("a", "1980", "metadata[k]="+strings.Repeat("v", 501)), "", "metadata[k]"},
		{"not simulated", forYen("a", "1980", "automatic_tax[enabled]=true"), "", "automatic_tax"},
	} {
		// A later value of a name replaces the earlier one.
		r := w.call("POST", "/v1/checkout/sessions", "k", c.params...)
		want(t, r, 400, "error.type", "invalid_request_error", "error.param", c.param)
		if code := r.at("error.code"); code != c.code {
			t.Errorf("%s: code %q, want %q", c.name, code, c.code)
		}
	}
	if n := len(w.Sessions()); n != 0 {
		t.Fatalf("%d sessions were made of wrong parameters", n)
	}
	// None of these mistakes is kept under the key.
	want(t, w.call("POST", "/v1/checkout/sessions", "k", forYen("a", "1980", at(30*time.Minute))...), 200)
}

func TestBodiesOfAnotherKindAreRefused(t *testing.T) {
	w := newTown()
	r := request("POST", "/v1/checkout/sessions", "", `{"mode":"payment"}`)
	r.Header.Set("Content-Type", "application/json")
	want(t, w.send(r), 400, "error.type", "invalid_request_error")
}

func TestAKeyAnswersTheSameForADay(t *testing.T) {
	w := newTown()
	post := func(params []string) reply { return w.call("POST", "/v1/checkout/sessions", "k1", params...) }
	first := post(forYen("a", "1980"))
	want(t, first, 200)
	w.pass(24 * time.Hour)
	again := post(forYen("a", "1980"))
	if again.raw != first.raw || again.header.Get("Idempotent-Replayed") != "true" || again.header.Get("Original-Request") != first.header.Get("Request-Id") {
		t.Errorf("the first answer was not replayed: %v", again.header)
	}
	want(t, post(forYen("a", "1981")), 400, "error.type", "idempotency_error")
	want(t, w.call("POST", "/v1/refunds", "k1", "charge=ch_1"), 400, "error.type", "idempotency_error")
	w.pass(time.Second)
	if r := post(forYen("a", "1980")); r.id() == first.id() {
		t.Error("the key was still known after more than a day")
	}
	want(t, w.call("POST", "/v1/checkout/sessions", strings.Repeat("k", 256), forYen("a", "1980")...), 400)
}

func TestADeclineIsKeptUnderItsKey(t *testing.T) {
	w := newTown()
	p := w.call("POST", "/v1/payment_intents", "", "amount=500", "currency=usd", "payment_method_types[]=card")
	path := "/v1/payment_intents/" + p.id() + "/confirm"
	want(t, w.call("POST", path, "k", "payment_method=pm_card_chargeDeclined"), 402, "error.code", "card_declined")
	r := w.call("POST", path, "k", "payment_method=pm_card_chargeDeclined")
	want(t, r, 402, "error.decline_code", "generic_decline")
	if r.header.Get("Idempotent-Replayed") != "true" || len(w.Charges()) != 1 {
		t.Errorf("the card was tried again: %d charges", len(w.Charges()))
	}
}

func TestAKeyInUseIsAConflict(t *testing.T) {
	var w *town
	var inner reply
	depth := 0
	w = newTown(func(c *stripesim.Config) {
		c.During = func(*http.Request) {
			if depth++; depth == 1 {
				inner = w.call("POST", "/v1/checkout/sessions", "k", forYen("a", "1980")...)
			}
		}
	})
	want(t, w.call("POST", "/v1/checkout/sessions", "k", forYen("a", "1980")...), 200)
	want(t, inner, 409, "error.code", "idempotency_key_in_use")
	if n := len(w.Sessions()); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

func TestTroublesDoWhatTheySay(t *testing.T) {
	for _, trouble := range stripesim.Troubles {
		w := newTown()
		w.Upset(trouble)
		first := w.call("POST", "/v1/checkout/sessions", "k", forYen("a", "1980")...)
		made := len(w.Sessions())
		again := w.call("POST", "/v1/checkout/sessions", "k", forYen("a", "1980")...)
		var status, before, after int
		switch trouble {
		case stripesim.Outage:
			status, after = 503, 1
		case stripesim.RateLimited, stripesim.Locked:
			status, after = 429, 1
		case stripesim.Broken:
			status = 500
		case stripesim.BrokenAfter:
			status, before, after = 500, 1, 1
		case stripesim.NoTrouble:
		}
		if first.status != status || made != before || len(w.Sessions()) != after {
			t.Errorf("%s: status %d, sessions %d then %d; want %d, %d, %d", trouble, first.status, made, len(w.Sessions()), status, before, after)
		}
		if kept := again.header.Get("Idempotent-Replayed") == "true"; kept != (status == 500) {
			t.Errorf("%s: kept under the key: %v", trouble, kept)
		}
	}
}

// However often creates with a few keys are repeated, together or apart, in
// whatever trouble, each key makes at most one object, and exactly one if any
// caller was told so.
func TestRepeatedCreatesMakeOneObjectPerKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		w.Upset(rapid.SliceOfN(rapid.SampledFrom(append(stripesim.Troubles, stripesim.NoTrouble)), 0, 6).Draw(t, "troubles")...)
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 20).Draw(t, "keys")
		together := rapid.IntRange(1, 8).Draw(t, "together")
		var mu sync.Mutex
		ids := map[string]map[string]bool{}
		for len(keys) > 0 {
			n := min(together, len(keys))
			var wait sync.WaitGroup
			for _, key := range keys[:n] {
				wait.Go(func() {
					r := w.call("POST", "/v1/checkout/sessions", key, forYen(key, "1980")...)
					mu.Lock()
					defer mu.Unlock()
					if ids[key] == nil {
						ids[key] = map[string]bool{}
					}
					if r.status == 200 {
						ids[key][r.id()] = true
					}
				})
			}
			wait.Wait()
			keys = keys[n:]
			w.pass(time.Minute)
		}
		made := map[string]int{}
		for _, cs := range w.Sessions() {
			made[cs.Ref]++
		}
		for key, seen := range ids {
			if made[key] > 1 || len(seen) > made[key] {
				t.Fatalf("key %s: %d objects, %d seen", key, made[key], len(seen))
			}
		}
	})
}

func TestCallsAreRemembered(t *testing.T) {
	w := newTown()
	w.call("POST", "/v1/checkout/sessions", "k", forYen("a", "1980")...)
	w.call("POST", "/v1/checkout/sessions", "k", forYen("a", "1980")...)
	calls := w.Calls()
	if len(calls) != 2 || calls[0].Replayed || !calls[1].Replayed || calls[1].Status != 200 || calls[1].Key != "k" ||
		calls[0].Params.Get("client_reference_id") != "a" {
		t.Errorf("calls: %+v", calls)
	}
}
