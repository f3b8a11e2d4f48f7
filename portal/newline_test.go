package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
)

// newLine chooses a term of a plan with a new line, and returns the quote.
func (b *browser) newLine(plan, term string) string {
	b.t.Helper()
	to := b.post("/plans/"+plan, url.Values{"item": {"line/" + plan + "/" + term}, "currency": {"JPY"}})
	id, ok := strings.CutPrefix(to, "/quotes/")
	if !ok {
		b.t.Fatalf("a new line of %s led to %q", plan, to)
	}
	return id
}

// installing is the page of the line that an order brought.
func (b *browser) installing(order string) string {
	b.t.Helper()
	_, after, ok := strings.Cut(b.see(order).html, `<a class="button" href="/lines/`)
	id, _, _ := strings.Cut(after, `"`)
	if !ok {
		b.t.Fatalf("%s leads to no line", order)
	}
	return "/lines/" + id
}

// From the list of plans to the code that a phone scans.
func TestBuyingANewLine(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	has(t, b.see("/plans").html, "Machi Unlimited 5 GB a day", "from ¥1,380", "/plans/machi-5gb")
	if strings.Contains(b.see("/plans").html, "Hinode Visitor 5 GB") {
		t.Error("a plan that comes as a card is offered as an eSIM")
	}
	has(t, b.see("/plans/machi-5gb").html, "3 days", "when the eSIM first connects", "within 90 days", "/sign-in?next=%2Fplans%2Fmachi-5gb",
		"/plans/machi-5gb/devices", "/plans/machi-5gb/rules", "takes an eSIM")
	if p := b.do("POST", "/plans/machi-5gb", url.Values{"item": {"line/machi-5gb/3d"}, "currency": {"JPY"}}); p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/sign-in") {
		t.Errorf("nobody buys: %d to %q", p.status, p.to)
	}
	b.signIn("aiko@example.com")
	if p := b.do("POST", "/plans/machi-5gb", url.Values{"item": {"line/machi-5gb/none"}, "currency": {"JPY"}}); p.status != http.StatusUnprocessableEntity || !strings.Contains(p.html, "The plan cannot be bought like that now") {
		t.Errorf("a term that is no longer sold: %d %s", p.status, p.html)
	}
	quote := b.newLine("machi-5gb", "3d")
	review := b.see("/quotes/" + quote).html
	has(t, review, "A new eSIM", "Machi Unlimited 5 GB a day", "3 days from when it starts", "Start using it by", "Sat 30 May 2026, 23:59:59 JST",
		"/plans/machi-5gb/devices", "as long as the eSIM has not been installed", "Offer valid until", "You have ¥12,000")
	to := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	has(t, b.see(to).html, "Your new eSIM is ready to install", "eSIM ready", "New eSIM: Machi Unlimited 5 GB a day")
	page := b.see(b.installing(to)).html
	has(t, page, `<svg class="code"`, "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA:1$smdp.simulated.invalid$SIM-",
		"https://esimsetup.android.com/esim_qrcode_provisioning?carddata=LPA:1$", "<code>smdp.simulated.invalid</code>", "Start using it by",
		"Not started", "scan the code")
	for agent, first := range map[string]string{
		"Mozilla/5.0 (Linux; Android 14; SM-S918B) SamsungBrowser/25.0": "<details open><summary>Samsung Galaxy</summary>",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)":        "<details open><summary>iPhone</summary><p>Settings → Cellular",
		"Mozilla/5.0 (X11; Linux x86_64)":                               "<details><summary>iPhone</summary>",
	} {
		b.header.Set("User-Agent", agent)
		has(t, b.see(b.installing(to)).html, first, "<summary>Google Pixel</summary>", "Other Android phones")
	}
	if strings.Contains(page, "cannot be renewed") {
		t.Error("a line that was just bought is said not to be renewable")
	}
	if n := len(w.orders()); n != 1 {
		t.Errorf("%d orders", n)
	}
}

// While the operator makes the line, and when it refuses, the page says what is
// happening to the money; there is no line, and nothing breaks for the want of it.
func TestNewLineOnItsWay(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	w.operator.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.LoseAnswer }
	quote := b.newLine("machi-5gb", "3d")
	has(t, b.see(b.post("/quotes/"+quote, b.confirm(quote, "wallet"))).html, "The operator is making your eSIM", "Machi Unlimited 5 GB a day")
	w.operator.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.Refuse }
	quote = b.newLine("machi-5gb", "5d")
	has(t, b.see(b.post("/quotes/"+quote, b.confirm(quote, "wallet"))).html, "have refunded", "in full", "The operator did not accept the order.")
	card := b.newLine("machi-5gb", "3d")
	b.post("/quotes/"+card, b.confirm(card, "card"))
	for _, o := range w.orders() {
		if o.State == order.Placed {
			has(t, b.see("/orders/"+o.ID).html, "New eSIM", "Pay ¥")
		}
	}
	if p := b.do("POST", "/plans/machi-5gb", url.Values{"item": {"term/machi-5gb/3d"}, "currency": {"JPY"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("an offer for a line, bought without one: %d", p.status)
	}
	if p := b.do("POST", "/plans/sumire-voice", url.Values{"item": {"line/sumire-voice/15d"}, "currency": {"JPY"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a plan that needs an identity check: %d", p.status)
	}
}
