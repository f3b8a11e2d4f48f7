package stripesim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// browser walks the pages over a real connection, mounted under a prefix as in
// the demo, and does not follow redirects.
type browser struct {
	t    *testing.T
	town *town
	do   func(req *http.Request) (*http.Response, error)
}

func newBrowser(t *testing.T) *browser {
	b := &browser{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("/sim/", func(rw http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/sim", b.town.Pages()).ServeHTTP(rw, r)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c := srv.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.do = c.Do
	b.town = newTown(func(c *stripesim.Config) { c.PageBase = srv.URL + "/sim" })
	return b
}

// page gets an address, or posts a form to it, and returns the status, the
// text, and where it leads.
func (b *browser) page(address string, form ...string) (status int, text, to string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if len(form) > 0 {
		v := url.Values{}
		for _, f := range form {
			k, x, _ := strings.Cut(f, "=")
			v.Set(k, x)
		}
		req, err = http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(v.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header.Get("Location")
}

func has(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(text, w) {
			t.Errorf("the page lacks %q:\n%s", w, text)
		}
	}
}

func TestThePageLeadsThroughDeclineAnd3DSecureToTheShop(t *testing.T) {
	b := newBrowser(t)
	cs := b.town.offer(t, "a")
	at := cs.at("url").(string)
	status, text, _ := b.page(at)
	if status != 200 {
		t.Fatalf("status %d", status)
	}
	has(t, text, "simulated card page", "JPY 1980", "30 days", `id="tool"`, "pm_card_visa", "pm_card_authenticationRequired",
		"pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds", `href="https://shop.test/cart"`)
	if strings.Contains(text, "<script") || strings.Contains(text, "Alipay") || len(text) > 4096 {
		t.Errorf("the page has scripts, too many tools or %d bytes:\n%s", len(text), text)
	}
	_, text, _ = b.page(at, "do=pay", "tool=pm_card_chargeDeclined")
	has(t, text, `role="alert"`, "declined", `id="pay"`)
	_, text, _ = b.page(at, "do=pay", "tool=pm_card_authenticationRequired")
	has(t, text, `id="approve"`, `id="fail"`)
	_, text, _ = b.page(at) // reloaded
	has(t, text, `id="approve"`)
	_, text, _ = b.page(at, "do=fail")
	has(t, text, "unable to authenticate", `id="pay"`)
	b.page(at, "do=pay", "tool=pm_card_authenticationRequired")
	if !b.town.Captured("a").IsZero() {
		t.Error("captured before the customer was authenticated")
	}
	status, _, to := b.page(at, "do=approve")
	if status != http.StatusSeeOther || to != "https://shop.test/back?s="+cs.id() {
		t.Errorf("%d to %s", status, to)
	}
	if got := b.town.Captured("a"); got != money.Of(1980, "JPY") {
		t.Errorf("captured %v", got)
	}
	// Pressed twice, or opened again: back to the shop, and nothing more is taken.
	if status, _, to = b.page(at, "do=pay", "tool=pm_card_visa"); status != http.StatusSeeOther || !strings.HasPrefix(to, "https://shop.test/back") {
		t.Errorf("%d to %s", status, to)
	}
	if got := b.town.Captured("a"); got != money.Of(1980, "JPY") {
		t.Errorf("captured %v", got)
	}
}

func TestThePageOfAnExpiredSessionTakesNothing(t *testing.T) {
	b := newBrowser(t)
	cs := b.town.offer(t, "a", "line_items[0][price_data][product_data][name]=<b>30 days</b>")
	at := cs.at("url").(string)
	_, text, _ := b.page(at)
	has(t, text, "&lt;b&gt;30 days")
	want(t, b.town.call("POST", "/v1/checkout/sessions/"+cs.id()+"/expire", ""), 200)
	_, text, to := b.page(at, "do=pay", "tool=pm_card_visa")
	has(t, text, "expired")
	if to != "" || strings.Contains(text, `id="pay"`) || !b.town.Captured("a").IsZero() {
		t.Errorf("an expired page still pays: %s", text)
	}
	if status, _, _ := b.page(b.town.pageOf("cs_none")); status != http.StatusNotFound {
		t.Errorf("an unknown page: %d", status)
	}
	other := b.town.offer(t, "b").at("url").(string)
	_, text, _ = b.page(other, "do=pay", "tool=pm_nonsense")
	has(t, text, "Choose one", `id="pay"`)
	_, text, _ = b.page(other, "do=approve")
	has(t, text, `id="pay"`)
}

func (w *town) pageOf(id string) string {
	cs, _ := w.Session("a")
	return strings.Replace(cs.URL, cs.ID, id, 1)
}

func TestAnIntentsCustomerAuthenticatesOnItsPage(t *testing.T) {
	b := newBrowser(t)
	r := b.town.call("POST", "/v1/payment_intents", "", "amount=700", "currency=jpy", "confirm=true",
		"payment_method=pm_card_authenticationRequired", "return_url=https://shop.test/back", "description=30 days")
	at := r.at("next_action.redirect_to_url.url").(string)
	_, text, _ := b.page(at)
	has(t, text, `id="approve"`, "JPY 700", "30 days")
	status, _, to := b.page(at, "do=fail")
	if status != http.StatusSeeOther || !strings.HasSuffix(to, "&redirect_status=failed") {
		t.Errorf("%d to %s", status, to)
	}
	want(t, b.town.call("GET", "/v1/payment_intents/"+r.id(), ""), 200, "status", "requires_payment_method")
}
