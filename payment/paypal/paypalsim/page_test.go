package paypalsim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

// browser is a customer who does not follow redirects.
type browser struct {
	t    *testing.T
	base string
}

func (w *town) browser(t *testing.T) browser {
	server := httptest.NewServer(w.sim.Pages())
	t.Cleanup(server.Close)
	return browser{t, server.URL}
}

func (b browser) do(id string, form url.Values) (status int, to *url.URL, body string) {
	b.t.Helper()
	method, content := http.MethodGet, ""
	if form != nil {
		method, content = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+"/checkoutnow?token="+id, strings.NewReader(content))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	page, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	to, _ = got.Location()
	return got.StatusCode, to, string(page)
}

func has(t *testing.T, page string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q: %s", s, page)
		}
	}
}

func pay(tool paypalsim.Tool) url.Values { return url.Values{"do": {"pay"}, "tool": {string(tool)}} }

func TestTheCustomerPaysAtThePage(t *testing.T) {
	w := newTown()
	id := w.order(t, "a")
	b := w.browser(t)
	status, _, page := b.do(id, nil)
	if status != 200 {
		t.Errorf("status %d", status)
	}
	has(t, page, "simulated", "Shop", "JPY 1980", `id="pay"`, `id="tool"`, `id="decline"`, `href="https://shop.example/cancel?token=`+id)
	if strings.Contains(page, "role=\"alert\"") {
		t.Error("an alert before anything happened")
	}
	_, _, page = b.do(id, pay(paypalsim.CardRefused))
	has(t, page, `role="alert"`, `id="pay"`)
	want(t, w.get(orderPath+"/"+id), 200, "status", "PAYER_ACTION_REQUIRED")

	status, to, _ := b.do(id, pay(paypalsim.Balance))
	if status != 303 || to == nil || to.Host != "shop.example" || to.Path != "/back" ||
		to.Query().Get("a") != "1" || to.Query().Get("token") != id || to.Query().Get("PayerID") == "" {
		t.Fatalf("%d to %v", status, to)
	}
	want(t, w.capture(id, "x"), 201)
	_, _, page = b.do(id, pay(paypalsim.Balance))
	has(t, page, `role="alert"`)
	if strings.Contains(page, `id="pay"`) {
		t.Error("a paid order can be paid")
	}
}

func TestTheCustomerIsDeclinedAndTriesAgain(t *testing.T) {
	w := newTown()
	id := w.order(t, "a")
	b := w.browser(t)
	if status, to, _ := b.do(id, url.Values{"do": {"decline"}}); status != 303 || to.Path != "/back" {
		t.Errorf("%d to %v", status, to)
	}
	refused(t, w.capture(id, "x1"), 422, "INSTRUMENT_DECLINED")
	_, _, page := b.do(id, nil)
	has(t, page, `role="alert"`, `id="pay"`)
	b.do(id, pay(paypalsim.ECheck))
	if _, _, page = b.do(id, nil); strings.Contains(page, "role=\"alert\"") {
		t.Error("the old refusal is still shown")
	}
	want(t, w.capture(id, "x2"), 201, "purchase_units.0.payments.captures.0.status_details.reason", "ECHECK")
}

func TestAnECheckIsNotImmediate(t *testing.T) {
	w := newTown()
	body := strings.Replace(orderBody("a", "1980", "JPY"), `"brand_name"`, `"payment_method_preference":"IMMEDIATE_PAYMENT_REQUIRED","brand_name"`, 1)
	id := w.post(orderPath, body, "k").str("id")
	_, _, page := w.browser(t).do(id, pay(paypalsim.ECheck))
	has(t, page, `role="alert"`)
	want(t, w.get(orderPath+"/"+id), 200, "status", "PAYER_ACTION_REQUIRED")
}

func TestThePageOfNothingAndOfTheUnknown(t *testing.T) {
	w := newTown()
	b := w.browser(t)
	if status, _, _ := b.do("NONE", nil); status != 404 {
		t.Errorf("no order: %d", status)
	}
	id := w.order(t, "a")
	_, _, page := b.do(id, pay("gold"))
	has(t, page, `role="alert"`)
	back, err := w.sim.GiveUp("a")
	if err != nil || back.Get("token") != id || back.Has("PayerID") {
		t.Errorf("GiveUp: %v, %v", back, err)
	}
	w.now = w.now.Add(3 * time.Hour)
	_, _, page = b.do(id, pay(paypalsim.Balance))
	has(t, page, "its time is over")
	if _, err := w.sim.GiveUp("a"); err == nil {
		t.Error("gave up what was over")
	}
	if _, err := w.sim.Pay("nobody"); err == nil {
		t.Error("paid what nobody ordered")
	}
}
