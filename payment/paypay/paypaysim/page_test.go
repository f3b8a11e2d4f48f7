package paypaysim

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// phone is a browser that does not follow redirects.
type phone struct {
	t      *testing.T
	server *httptest.Server
}

func (w *town) phone(t *testing.T) phone {
	server := httptest.NewServer(http.StripPrefix("/sim", w.Pages()))
	t.Cleanup(server.Close)
	return phone{t, server}
}

// visit opens a page, or presses one of its buttons.
func (p phone) visit(page, do, tool string) (status int, location, html string) {
	p.t.Helper()
	method, body := http.MethodGet, ""
	if do != "" {
		method, body = http.MethodPost, url.Values{"do": {do}, "tool": {tool}}.Encode()
	}
	u, err := url.Parse(page)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.server.URL+u.Path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := p.server.Client().Transport.RoundTrip(r)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(text)
}

func (p phone) sees(html string, want ...string) {
	p.t.Helper()
	for _, s := range want {
		if !strings.Contains(html, s) {
			p.t.Errorf("the page does not say %q:\n%s", s, html)
		}
	}
}

func TestPage(t *testing.T) {
	w := newTown()
	p := w.phone(t)
	url := w.call("POST", "/v2/codes", strings.Replace(codeBody("ref1", 1980), "30 days", "30 days <b>", 1)).at("data.url")
	status, _, html := p.visit(url, "", "")
	if status != 200 {
		t.Fatalf("status %d", status)
	}
	p.sees(html, `id="pay"`, `id="tool"`, `id="decline"`, `id="giveup"`, "simulated", "JPY 1980", "30 days &lt;b&gt;")
	if strings.Contains(html, `role="alert"`) {
		t.Error("an alert before anything happened")
	}

	if status, to, _ := p.visit(url, "giveup", ""); status != 303 || to != "https://shop.test/back?order=7" {
		t.Errorf("giving up leads to %d %q", status, to)
	}
	_, _, html = p.visit(url, "decline", "WALLET")
	p.sees(html, `role="alert"`, saysRefused, `id="pay"`)
	w.DeclineNext(1)
	_, _, html = p.visit(url, "pay", "WALLET")
	p.sees(html, `role="alert"`, saysRefused, `id="pay"`)
	_, _, html = p.visit(url, "pay", "CASH")
	p.sees(html, saysChoose, `id="pay"`)
	w.wantMoney(t, "ref1", 0, 0)

	for range 2 { // the second press changes nothing
		if status, to, _ := p.visit(url, "pay", "POINT"); status != 303 || to != "https://shop.test/back?order=7" {
			t.Errorf("paying leads to %d %q", status, to)
		}
	}
	want(t, w.get("ref1"), 200, "SUCCESS", "data.status", "COMPLETED", "data.paymentMethods.0.type", "POINT")
	if n := len(w.Charges()); n != 1 {
		t.Errorf("%d charges", n)
	}
	_, _, html = p.visit(url, "", "")
	p.sees(html, saysPaid)
}

func TestPageWithoutWayBack(t *testing.T) {
	w := newTown()
	p := w.phone(t)
	w.PendNext(1)
	url := w.call("POST", "/v2/codes", `{"merchantPaymentId":"ref1","amount":{"amount":5,"currency":"JPY"},"codeType":"ORDER_QR"}`).at("data.url")
	status, _, html := p.visit(url, "pay", "WALLET")
	if status != 200 || strings.Contains(html, `id="pay"`) {
		t.Errorf("status %d:\n%s", status, html)
	}
	p.sees(html, saysPaid)
	w.wantMoney(t, "ref1", 0, 0)
}

func TestPagesThatAreGone(t *testing.T) {
	w := newTown()
	p := w.phone(t)
	url := w.call("POST", "/v2/codes", codeBody("ref1", 1980)).at("data.url")
	w.pass(5 * time.Minute)
	for _, do := range []string{"", "pay", "decline"} {
		status, _, html := p.visit(url, do, "WALLET")
		if status != 410 || strings.Contains(html, `id="pay"`) {
			t.Errorf("%q: status %d:\n%s", do, status, html)
		}
		p.sees(html, `role="alert"`, saysGone)
	}
	for _, page := range []string{"/sim/pay/04-none", "/sim/else"} {
		if status, _, _ := p.visit(page, "", ""); status != 404 {
			t.Errorf("%s: status %d", page, status)
		}
	}
	w.wantMoney(t, "ref1", 0, 0)
}
