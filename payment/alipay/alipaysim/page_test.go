package alipaysim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
)

// browser walks the pages over a real connection, mounted under a prefix as in
// the demo, and does not follow redirects.
type browser struct {
	*town
	t    *testing.T
	base string
	c    *http.Client
}

func newBrowser(t *testing.T) *browser {
	b := &browser{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("/sim/", func(rw http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/sim", b.Pages()).ServeHTTP(rw, r)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	b.base, b.c = srv.URL+"/sim", srv.Client()
	b.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.town = newTown(func(c *alipaysim.Config) { c.PageBase = b.base })
	return b
}

// see gets an address, or posts a form to it.
func (b *browser) see(address string, form url.Values) (status int, text, to string) {
	b.t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(raw), res.Header.Get("Location")
}

func (b *browser) press(address, button string) (int, string, string) {
	b.t.Helper()
	return b.see(address, url.Values{"do": {button}})
}

// cashier opens a link and returns where it leads.
func (b *browser) cashier(method, ref string, more ...string) string {
	b.t.Helper()
	_, query, _ := strings.Cut(b.link(method, order(method, ref, more...)), "?")
	status, _, to := b.see(b.base+"/gateway.do?"+query, nil)
	if status != http.StatusFound || !strings.HasPrefix(to, b.base+"/cashier/") {
		b.t.Fatalf("the link leads to %d %q", status, to)
	}
	return to
}

func has(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if lacks, isNot := strings.CutPrefix(w, "not "); strings.Contains(text, lacks) == isNot {
			t.Errorf("the page should have %q:\n%s", w, text)
		}
	}
}

func TestTheCashierLeadsThroughARefusalToTheShop(t *testing.T) {
	b := newBrowser(t)
	at := b.cashier(page, "a", "subject", "<b>30 days")
	_, text, _ := b.see(at, nil)
	has(t, text, "simulated Alipay page", "CNY 19.80", "&lt;b&gt;30 days", `id="pay"`, `id="decline"`, `id="login"`, "not giveup", `not role="alert"`, "not <script")
	if s := b.status("a"); s != "ACQ.TRADE_NOT_EXIST" {
		t.Errorf("looking made a trade: %s", s)
	}
	_, text, _ = b.press(at, "login")
	has(t, text, `id="pay"`, `not id="login"`)
	_, text, _ = b.press(at, "decline")
	has(t, text, `role="alert"`, "declined", `id="pay"`)
	if s := b.status("a"); s != "WAIT_BUYER_PAY" || !b.Captured("a").IsZero() {
		t.Errorf("after a refusal: %s", s)
	}
	b.DeclineNext(1)
	_, text, _ = b.press(at, "pay")
	has(t, text, `role="alert"`, `id="pay"`)
	status, _, to := b.press(at, "pay")
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "https://shop.test/back?from=1&") {
		t.Fatalf("%d to %s", status, to)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Del("from")
	if !isAlipays(signText(q, "sign", "sign_type"), q.Get("sign")) || q.Get("out_trade_no") != "a" {
		t.Errorf("returned with %v", q)
	}
	if status, _, _ = b.press(at, "pay"); status != http.StatusSeeOther || b.Captured("a") != money.Of(1980, "CNY") || len(b.Charges()) != 1 {
		t.Errorf("pressed twice: %d, %v", status, b.Charges())
	}
	if n := b.Notifications(); len(n) != 1 {
		t.Errorf("%d notifications", len(n))
	}
}

func TestThoseWhoGiveUpAreLedToTheShop(t *testing.T) {
	b := newBrowser(t)
	for method, member := range map[string]string{page: "request_from_url", wap: "quit_url"} {
		at := b.cashier(method, "a"+member, member, "https://shop.test/cart?x=1")
		_, text, _ := b.see(at, nil)
		has(t, text, `id="giveup"`)
		if status, _, to := b.press(at, "giveup"); status != http.StatusSeeOther || to != "https://shop.test/cart?x=1" {
			t.Errorf("%s: %d to %s", method, status, to)
		}
		if s := b.status("a" + member); s != "ACQ.TRADE_NOT_EXIST" {
			t.Errorf("%s: giving up made a trade: %s", method, s)
		}
	}
}

func TestAClosedOrExpiredOrderCannotBePaidAtThePage(t *testing.T) {
	b := newBrowser(t)
	at := b.cashier(page, "a")
	b.press(at, "login")
	b.want(t, b.call(closing, biz{"out_trade_no": "a"}), "10000")
	late := b.cashier(page, "b", "timeout_express", "5m")
	b.pass(5 * time.Minute)
	other := b.cashier(page, "c")
	b.cashier(page, "c", "total_amount", "1.00")
	if _, err := b.Pay("c"); err != nil {
		t.Fatal(err)
	}
	begun := b.cashier(page, "d")
	b.cashier(page, "d", "total_amount", "1.00")
	if err := b.Login("d"); err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]string{"closed": at, "expired": late, "of another amount, paid": other, "of another amount, begun": begun} {
		for _, do := range []string{"", "pay", "decline", "login"} {
			_, text, _ := b.press(at, do)
			has(t, text, `role="alert"`, `not id="pay"`)
			if t.Failed() {
				t.Fatalf("an order that is %s, %q", name, do)
			}
		}
	}
	if got := b.Charges(); len(got) != 1 || got[0].Captured != money.Of(100, "CNY") {
		t.Errorf("charges %+v", got)
	}
}

func TestTheGatewayShowsTheCustomerWhatIsWrongWithALink(t *testing.T) {
	b := newBrowser(t)
	for want, p := range map[string]url.Values{
		"Code invalid-app-id":        b.request(page, order(page, "a"), "app_id", "test"),
		"Code invalid-timestamp":     b.request(page, order(page, "a"), "timestamp", b.at(11*time.Minute)),
		"Code ACQ.INVALID_PARAMETER": b.request(page, order(page, "a", "total_amount", "0")),
	} {
		status, text, _ := b.see(b.base+"/gateway.do?"+p.Encode(), nil)
		has(t, text, `role="alert"`, want)
		if status != 200 {
			t.Errorf("%s: %d", want, status)
		}
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, b.link(page, order(page, "a")), nil))
	if rec.Code != http.StatusFound {
		t.Errorf("the gateway itself: %d", rec.Code)
	}
	form := b.request(wap, order(wap, "b")) // as a form that posts itself
	if status, _, to := b.see(b.base+"/gateway.do?charset=utf-8", form); status != 200 || to != "" {
		t.Errorf("charset twice: %d to %s", status, to)
	}
	form.Del("charset")
	if status, _, to := b.see(b.base+"/gateway.do?charset=utf-8", form); status != http.StatusFound || to == "" {
		t.Errorf("a posted form: %d to %s", status, to)
	}
}

func TestThePhonePaysACode(t *testing.T) {
	b := newBrowser(t)
	a := b.call(code, order(code, "a"), "notify_url", "https://shop.test/notify")
	_, text, _ := b.see(a.at("qr_code"), nil)
	has(t, text, "CNY 19.80", `id="pay"`, `id="decline"`, `not id="login"`)
	if s := b.status("a"); s != "WAIT_BUYER_PAY" {
		t.Errorf("scanned: %s", s)
	}
	status, text, _ := b.press(a.at("qr_code"), "pay")
	has(t, text, `role="status"`, `not id="pay"`)
	if status != 200 || b.Captured("a") != money.Of(1980, "CNY") {
		t.Errorf("%d, %v", status, b.Captured("a"))
	}
}

func TestOtherPagesAreNotFound(t *testing.T) {
	b := newBrowser(t)
	qr := b.call(code, order(code, "a")).at("qr_code")
	at := b.cashier(page, "b")
	api := b.request(query, biz{"out_trade_no": "a"})
	for _, address := range []string{
		b.base + "/", b.base + "/cashier/", b.base + "/cashier/x", b.base + "/qr/x", b.base + "/gateway.do?" + api.Encode(),
		strings.Replace(qr, "/qr/", "/cashier/", 1), strings.Replace(at, "/cashier/", "/qr/", 1), strings.Replace(at, "/cashier/", "/", 1),
	} {
		if status, _, _ := b.see(address, nil); status != 404 {
			t.Errorf("%s: %d", address, status)
		}
	}
}
