package linepaysim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/linepay/linepaysim"
)

// browser walks the page over a real connection, mounted under a prefix as in
// the demo, and does not follow redirects.
type browser struct {
	*shop
	t  *testing.T
	do func(*http.Request) (*http.Response, error)
}

func newBrowser(t *testing.T) *browser {
	b := &browser{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("/sim/", func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/sim", b.sim.Pages()).ServeHTTP(w, r)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c := srv.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.do = c.Do
	b.shop = newShop(t, func(c *linepaysim.Config) { c.PageBase = srv.URL + "/sim" })
	return b
}

// visit opens an address, or posts a form of do and tool to it.
func (b *browser) visit(address string, form ...string) (status int, text, to string) {
	b.t.Helper()
	method, body := http.MethodGet, ""
	if len(form) == 2 {
		method, body = http.MethodPost, url.Values{"do": form[:1], "tool": form[1:]}.Encode()
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := b.do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(all), res.Header.Get("Location")
}

func (b *browser) shows(address, part string) {
	b.t.Helper()
	if status, text, _ := b.visit(address); status != http.StatusOK || !strings.Contains(text, part) || !strings.Contains(text, "simulated") {
		b.t.Errorf("the page has status %d and no %s:\n%s", status, part, text)
	}
}

func (b *browser) ordered(ref string) (id string, pages [2]string) {
	b.t.Helper()
	a := b.want("request", b.post("/request", strings.Replace(asked, "ORDER", ref, 1)), "0000")
	return a.one.TransactionID.String(), [2]string{a.one.PaymentURL.Web, a.one.PaymentURL.App}
}

// From either address the customer pays with what LINE Pay accepts, after a
// refusal too, and is sent back with the parameters behind those of the shop.
func TestCustomerPaysOnThePage(t *testing.T) {
	b := newBrowser(t)
	for i, ref := range []string{"web", "app"} {
		id, pages := b.ordered(ref)
		b.shows(pages[i], `id="pay"`)
		b.shows(pages[i], "TWD 300")
		if status, text, _ := b.visit(pages[i], "pay", "blocked"); status != 200 || !strings.Contains(text, `role="alert"`) || !strings.Contains(text, `id="pay"`) {
			t.Errorf("after a refusal: %d\n%s", status, text)
		}
		b.check(id, "0000")
		want := "https://shop.example/back?a=1&orderId=" + ref + "&transactionId=" + id
		if status, _, to := b.visit(pages[i], "pay", "card"); status != http.StatusSeeOther || to != want {
			t.Errorf("paying leads %d to %q, want %q", status, to, want)
		}
		b.check(id, "0110")
		b.took(ref, 0, 0)
		b.shows(pages[1-i], "You have agreed")
		b.want("confirm", b.post("/"+id+"/confirm", twd300), "0000")
		b.visit(pages[i], "giveup", "")
		b.check(id, "0123")
		b.took(ref, 30000, 0)
	}
}

func TestCustomerLeavesThePage(t *testing.T) {
	b := newBrowser(t)
	id, pages := b.ordered("a")
	want := "https://shop.example/cancel?orderId=a&transactionId=" + id + "#top"
	if status, _, to := b.visit(pages[0], "giveup", "card"); status != http.StatusSeeOther || to != want {
		t.Errorf("giving up leads %d to %q, want %q", status, to, want)
	}
	b.check(id, "0121")
	b.shows(pages[0], "You have cancelled")
	if _, _, to := b.visit(pages[0], "pay", "card"); to != "" {
		t.Errorf("a cancelled page leads to %q", to)
	}

	id, pages = b.ordered("b")
	if _, _, to := b.visit(pages[0], "decline", "card"); !strings.HasPrefix(to, "https://shop.example/back?") {
		t.Errorf("a card that its bank refuses leads to %q", to)
	}
	b.want("confirm", b.post("/"+id+"/confirm", twd300), "1298")
	b.shows(pages[0], "Your bank has refused")

	_, pages = b.ordered("c")
	b.later(20 * time.Minute)
	if _, text, to := b.visit(pages[0], "pay", "card"); to != "" || !strings.Contains(text, "expired") {
		t.Errorf("an expired page leads to %q", to)
	}
	for _, nowhere := range []string{"/web/payment/wait", "/app/payment/x", "/", "/web/payment/wait?transactionReserveId=x"} {
		base, _, _ := strings.Cut(pages[0], "/web/")
		if status, _, _ := b.visit(base + nowhere); status != http.StatusNotFound {
			t.Errorf("%s: status %d", nowhere, status)
		}
	}
}
