package portal

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// several chooses offers for lines, and returns the address of their review.
func (b *browser) several(items map[string]string) string {
	b.t.Helper()
	form := url.Values{"currency": {"JPY"}}
	for key, item := range items {
		form.Set("item_"+b.town.lines[key], item)
	}
	return b.post("/together", form)
}

var both = map[string]string{"fresh": "term/machi-5gb/10d", "throttled": "term/machi-5gb/3d"}

// confirmTogether is the form of the review of several, as it stands there.
func (b *browser) confirmTogether(review, tool string) url.Values {
	b.t.Helper()
	html := b.see(review).html
	_, query, _ := strings.Cut(review, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		b.t.Fatal(err)
	}
	return url.Values{"q": q["q"], "amount": {hidden(b.t, html, "amount")}, "currency": {hidden(b.t, html, "currency")}, "tool": {tool}}
}

// Two lines are renewed with one review and one payment from the wallet, and one
// page tells how each of them is.
func TestSeveralLinesFromTheWallet(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	has(t, b.see("/").html, `href="/together"`)
	has(t, b.see("/together").html, "Aiko&#39;s phone", "10 days, ¥3,980, until Tue 17 Mar 2026, 23:59:59 JST", "Not now")
	review := b.several(both)
	if !strings.HasPrefix(review, "/together/review?q=") {
		t.Fatalf("choosing leads to %q", review)
	}
	has(t, b.see(review).html, "Aiko&#39;s phone", "10 days", "¥3,980", "3 days", "¥1,680", "¥5,660", "Pay ¥5,660", "Once for all of them")
	to := b.post("/together/review", b.confirmTogether(review, "wallet"))
	html := b.see(to).html
	has(t, html, "2 lines, one payment", "Complete", "¥5,660", "Aiko&#39;s phone")
	if n := strings.Count(html, "Your line has been extended"); n != 2 {
		t.Errorf("%d lines are extended", n)
	}
	if got := w.balance(); got != 12_000-5_660 {
		t.Errorf("the wallet has %d", got)
	}
	if p := b.get(review); p.to != "/orders/"+w.orders()[0].ID && p.to != "/orders/"+w.orders()[1].ID {
		t.Errorf("an accepted review leads to %q", p.to)
	}
	has(t, b.see("/orders/"+w.orders()[0].ID).html, "Paid together with other lines", to)
	again := b.confirmTogetherAgain(review)
	if p := b.do("POST", "/together/review", again); !strings.HasPrefix(p.to, "/orders/") || len(w.orders()) != 2 {
		t.Errorf("sent again it leads to %d %q, and there are %d orders", p.status, p.to, len(w.orders()))
	}
}

// confirmTogetherAgain is the same form from another tab.
func (b *browser) confirmTogetherAgain(review string) url.Values {
	_, query, _ := strings.Cut(review, "?")
	q, _ := url.ParseQuery(query)
	return url.Values{"q": q["q"], "amount": {"5660"}, "currency": {"JPY"}, "tool": {"wallet"}}
}

// By card: no order of the basket can be paid by itself; a declined card charges
// nothing, the next pays for both; one that the operator refuses goes back.
func TestSeveralLinesByCard(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	review := b.several(both)
	to := b.post("/together/review", b.confirmTogether(review, "card"))
	if !strings.HasPrefix(to, "https://pay.example/") {
		t.Fatalf("paying leads to %q", to)
	}
	first := w.orders()[0]
	page := "/together/" + first.Basket
	for _, o := range w.orders() {
		if p := b.get("/orders/" + o.ID); p.to != page {
			t.Errorf("order %s leads to %q", o.ID, p.to)
		}
		if p := b.do("POST", "/orders/"+o.ID+"/pay", url.Values{"tool": {"card"}}); strings.Contains(p.to, "pay.example") {
			t.Errorf("order %s was paid by itself: %q", o.ID, p.to)
		}
	}
	has(t, b.see(page).html, "Waiting for payment", "Pay ¥5,660", `action="`+page+`/pay"`)
	w.bank.decline = payment.NoFunds
	if p := b.get(page + "?back=1"); p.to != page {
		t.Fatalf("coming back leads to %q", p.to)
	}
	has(t, b.see(page).html, "Nothing has been charged", "not enough")
	w.bank.decline = ""
	if to := b.post(page+"/pay", url.Values{"tool": {"card"}}); !strings.HasPrefix(to, "https://pay.example/") {
		t.Fatalf("paying again leads to %q", to)
	}
	w.operator.Choose = func(e carrier.Extension) carriersim.Fault {
		if strings.HasSuffix(e.Profile.ID, "throttled") || strings.Contains(e.Profile.ID, w.lines["throttled"]) {
			return carriersim.Refuse
		}
		return carriersim.None
	}
	b.get(page + "?back=1")
	has(t, b.see(page).html, "Paid")
	w.finish()
	w.env.Clock.Add(time.Minute)
	if _, err := w.server.Desk.RefundStep(t.Context()); err != nil {
		t.Fatal(err)
	}
	states := map[order.State]int{}
	for _, o := range w.orders() {
		states[o.State]++
	}
	if !maps.Equal(states, map[order.State]int{order.Completed: 1, order.Refunded: 1}) {
		t.Errorf("the orders are %v", states)
	}
	has(t, b.see(page).html, "Complete", "Refunded", "have refunded ¥1,680 in full")
}

// What was not shown is not charged, and one line alone is reviewed alone.
func TestSeveralLinesRefuse(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	if to := b.several(map[string]string{"fresh": "term/machi-5gb/10d"}); !strings.HasPrefix(to, "/quotes/") {
		t.Errorf("one line leads to %q", to)
	}
	if p := b.do("POST", "/together", url.Values{"currency": {"JPY"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("no line: %d", p.status)
	}
	review := b.several(both)
	for name, change := range map[string]url.Values{
		"less":          {"amount": {"5659"}},
		"not a number":  {"amount": {"all"}},
		"no tool":       {"tool": {""}},
		"a lost tool":   {"tool": {"shells"}},
		"another money": {"currency": {"USD"}},
	} {
		form := b.confirmTogether(review, "wallet")
		maps.Copy(form, change)
		p := b.do("POST", "/together/review", form)
		if p.status != http.StatusConflict && p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d to %q", name, p.status, p.to)
		}
		has(t, p.html, `role="alert"`, "¥5,660")
	}
	stranger := w.browser(locale.En).signIn("other@example.com")
	if p := stranger.get(review); p.status != http.StatusNotFound {
		t.Errorf("a stranger sees the review: %d", p.status)
	}
	if n, left := len(w.orders()), w.balance(); n != 0 || left != 12_000 {
		t.Errorf("%d orders, %d left", n, left)
	}
	b.post("/together/review", b.confirmTogether(review, "wallet"))
	if p := stranger.get("/together/" + w.orders()[0].Basket); p.status != http.StatusNotFound {
		t.Errorf("a stranger sees the basket: %d", p.status)
	}
	if p := b.get("/together/review?q=one"); p.to != "/together" {
		t.Errorf("a review of one: %d to %q", p.status, p.to)
	}
}
