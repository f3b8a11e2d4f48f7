package portal

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
)

// A period that waits is cancelled by its customer from its order's page: what comes back
// is said before, and is there after; the line ends when it did before.
func TestCancellingAPeriodThatWaits(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	had := w.balance()
	page := "/lines/" + w.lines["fresh"]
	before := b.see(page).html
	quote := b.quote("fresh", "term/machi-5gb/10d")
	bought := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	cancel := bought + "/cancel-period"
	has(t, b.see(bought).html, `href="`+cancel+`"`)
	has(t, b.see(cancel).html, "10 days", "¥3,980 to your wallet", "Cancel and get a refund")
	if to := b.post(cancel, nil); to != cancel {
		t.Errorf("cancelled without being sure: to %q", to)
	}
	if to := b.post(cancel, url.Values{"sure": {"1"}}); to != bought {
		t.Errorf("cancelled: to %q", to)
	}
	if w.balance() != had {
		t.Errorf("the wallet has %v, had %v", w.balance(), had)
	}
	if p := b.see(bought); strings.Contains(p.html, cancel) || strings.Contains(p.html, "has been extended") {
		t.Errorf("the order says: %s", p.html)
	}
	if list := b.see(page).html; strings.Contains(list[strings.Index(list, bought):], "Complete") {
		t.Error("the list of orders calls complete what was refunded")
	}
	html := b.see(bought).html
	has(t, html, "¥3,980 has been refunded in full", "Credit note", "<title>Refunded – ")
	bills := regexp.MustCompile(`/bills/bl_\w+`).FindAllString(html, -1)
	if len(bills) != 2 {
		t.Fatalf("the order has %q", bills)
	}
	w.number()
	note := b.see(bills[1]).html
	has(t, note, "Refund of", `Qualified invoice <a href="`+bills[0]+`">B2026-00000001</a>`, "Refunded to: Wallet")
	lacks(t, note, "Paid with")
	if got, _, _ := strings.Cut(b.see(page).html, "<h2>"); !strings.Contains(before, got[strings.Index(got, "Until"):]) {
		t.Errorf("the line is not as it was: %s", got)
	}
	p := b.do("POST", cancel, url.Values{"sure": {"1"}})
	if has(t, p.html, "nothing left to cancel"); p.status != http.StatusConflict || w.balance() != had {
		t.Errorf("cancelled twice: %d, wallet %v", p.status, w.balance())
	}
}

// Where the operator is silent nothing is given back, and the page says to try again;
// then it is done once.
func TestCancellingWhileTheOperatorIsSilent(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	had := w.balance()
	quote := b.quote("fresh", "term/machi-5gb/10d")
	cancel := b.post("/quotes/"+quote, b.confirm(quote, "wallet")) + "/cancel-period"
	w.operator.Silence(true)
	p := b.do("POST", cancel, url.Values{"sure": {"1"}})
	if has(t, p.html, "has not answered yet", "Cancel and get a refund"); p.status != http.StatusServiceUnavailable || w.balance() == had {
		t.Errorf("a silent operator: %d, wallet %v", p.status, w.balance())
	}
	w.operator.Silence(false)
	b.post(cancel, url.Values{"sure": {"1"}})
	if w.balance() != had {
		t.Errorf("the wallet has %v, had %v", w.balance(), had)
	}
}

// Once a period has begun its customer is led to a case about the money, where the
// plan gives it back while nothing was used.
func TestAskingForMoneyBackOfAPeriodThatRuns(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	bought := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	const link = "topic=refund"
	if strings.Contains(b.see(bought).html, link) {
		t.Error("a case is asked for while the period can be cancelled")
	}
	w.env.Clock.Add(6 * 24 * time.Hour)
	html := b.signIn("aiko@example.com").see(bought).html
	if has(t, html, link); strings.Contains(html, "cancel-period") {
		t.Error("a period that runs can be cancelled")
	}
	w.env.Clock.Add(10 * 24 * time.Hour)
	if strings.Contains(b.signIn("aiko@example.com").see(bought).html, link) {
		t.Error("money is asked for after the period's end")
	}
}
