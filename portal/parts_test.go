package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
)

// divided is the form of a review's page on which things were chosen to pay first.
func (b *browser) divided(quote, tool string, first ...string) url.Values {
	b.t.Helper()
	query := url.Values{}
	for _, name := range first {
		query.Set(name, "1")
	}
	html := b.see("/quotes/" + quote + "?" + query.Encode()).html
	form := url.Values{"tool": {tool}}
	for _, name := range []string{"amount", "currency", "points", "discount", "wallet"} {
		form.Set(name, hidden(b.t, html, name))
	}
	return form
}

// The customer lets points and wallet pay first, sees every amount before it is
// paid, and on the order's page, the bill and the wallet's page afterwards.
func TestPartsFromReviewToBill(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/30d")
	has(t, b.see("/quotes/"+quote).html, "Use 340 points: ¥340 less", "You have 340 points.", "Update the amounts", "Pay ¥7,980")
	plain := b.see("/quotes/" + quote).html
	if strings.Contains(plain, "From your wallet") || strings.Contains(plain, "Wallet first") {
		t.Error("a wallet that can pay everything is offered for a part")
	}
	withPoints := b.see("/quotes/" + quote + "?use_points=1").html
	has(t, withPoints, "−¥340", "Pay ¥7,640", "including ¥694 tax (10%)", "76 points")
	to := b.post("/quotes/"+quote, b.divided(quote, "wallet", "use_points"))
	has(t, b.see(to).html, "Complete", "340 points", "−¥340", "¥7,640")
	if got := w.balance(); got != 12_000-7_640 {
		t.Errorf("the wallet has %d", got)
	}

	// Now the wallet is too small: it pays first, and the card the rest.
	quote = b.quote("throttled", "term/machi-5gb/30d")
	html := b.see("/quotes/" + quote + "?use_wallet=1").html
	price := hidden(t, html, "amount")
	has(t, html, "Wallet first (¥4,360), the rest another way", "From your wallet", "The rest, with what you choose below", "from your wallet")
	form := b.divided(quote, "card", "use_wallet", "use_points")
	if form.Get("wallet") != "4360" || form.Get("points") != "76" {
		t.Fatalf("the form confirms %v of %s", form, price)
	}
	to = b.post("/quotes/"+quote, form)
	if !strings.HasPrefix(to, "https://pay.example/") {
		t.Fatalf("paying leads to %q", to)
	}
	all := w.orders()
	o := all[slices.IndexFunc(all, func(o order.Order) bool { return o.Tool == "card" })]
	if o.State != order.Placed || o.Parts.Wallet != 4360 || w.balance() != 0 {
		t.Errorf("order %+v, the wallet has %d", o, w.balance())
	}
	page := "/orders/" + o.ID
	has(t, b.see(page).html, "From your wallet", "¥4,360", "76 points", "Pay "+rest(o))
	has(t, b.see("/wallet").html, "¥4,360 set aside for an order that is waiting", "76 points set aside", "Set aside for an order", "Order paid", "Points history", "−76 points")
	b.get(page + "?back=1")
	w.finish()
	done := b.see(page).html
	has(t, done, "Complete", "Card", "¥4,360", "−¥76")
	w.number()
	_, after, _ := strings.Cut(done, `<a href="/bills/`)
	bill, _, _ := strings.Cut(after, `"`)
	has(t, b.see("/bills/"+bill).html, "Discount for 76 points", "−¥76", "Card "+rest(o)+", Wallet ¥4,360")
}

func rest(o order.Order) string { return locale.Money(locale.En, o.Rest()) }

// What is not what the page said charges nothing, and says so.
func TestPartsThatWereChanged(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	for name, change := range map[string]url.Values{
		"more for a point":  {"points": {"10"}, "discount": {"3000"}},
		"points for free":   {"points": {"0"}, "discount": {"300"}},
		"too many points":   {"points": {"1990"}, "discount": {"1990"}},
		"negative":          {"wallet": {"-5"}},
		"not a number":      {"points": {"many"}},
		"more than a price": {"wallet": {"9000"}},
	} {
		form := b.divided(quote, "wallet", "use_points")
		for k, v := range change {
			form[k] = v
		}
		p := b.do("POST", "/quotes/"+quote, form)
		if p.status != http.StatusConflict && p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d to %q", name, p.status, p.to)
		}
		has(t, p.html, "so nothing was charged")
	}
	if n, left := len(w.orders()), w.balance(); n != 0 || left != 12_000 {
		t.Errorf("%d orders, %d left in the wallet", n, left)
	}
}

// With a link neither points nor the wallet can be used, nor is it said what there
// is.
func TestPartsWithALink(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).link("fresh")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	html := b.see("/quotes/" + quote + "?use_points=1&use_wallet=1").html
	if strings.Contains(html, "340") || strings.Contains(html, "12,000") || strings.Contains(html, "use_points") {
		t.Error("the page says what the customer has")
	}
	form := b.divided(quote, "card")
	form.Set("points", "100")
	form.Set("discount", "100")
	if p := b.do("POST", "/quotes/"+quote, form); p.status != http.StatusForbidden {
		t.Errorf("paying with points: %d to %q", p.status, p.to)
	}
	if n := len(w.orders()); n != 0 {
		t.Errorf("%d orders", n)
	}
}

// finish lets the workers do what is due.
func (w *town) finish() {
	w.t.Helper()
	if _, err := w.server.Desk.Step(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// The wallet's page says what expires, and what has.
func TestWalletSaysWhatExpires(t *testing.T) {
	w := newTown(t)
	w.server.Desk.WalletExpiry = 60 * 24 * time.Hour
	b := w.browser(locale.En).signIn("aiko@example.com")
	has(t, b.see("/wallet").html, "¥12,000 expires on", "2026, ")
	w.env.Clock.Add(55 * 24 * time.Hour)
	for range 2 {
		if _, err := w.server.Desk.WalletStep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.env.Clock.Add(8 * 24 * time.Hour)
	}
	b = w.browser(locale.En).signIn("aiko@example.com")
	has(t, b.see("/wallet").html, "Expired", "−¥12,000", "Nothing yet")
}

// An order that waits can be given up on its page.
func TestGivingUpAnOrder(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.divided(quote, "card", "use_points"))
	page := "/orders/" + w.orders()[0].ID
	has(t, b.see(page).html, "Cancel this order")
	if to := b.post(page+"/cancel", nil); to != page {
		t.Errorf("giving up leads to %q", to)
	}
	html := b.see(page).html
	has(t, html, "Cancelled", "You cancelled it.")
	if strings.Contains(html, "I do not want") {
		t.Error("it can be given up again")
	}
	if to := b.post(page+"/cancel", nil); to != page {
		t.Errorf("giving up again leads to %q", to)
	}
	has(t, b.see("/wallet").html, "Order not paid: returned", "340 points")
}
