package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/locale"
)

// fresh buys a new line, and returns its page.
func (b *browser) fresh() string {
	b.t.Helper()
	quote := b.newLine("machi-5gb", "3d")
	return b.installing(b.post("/quotes/"+quote, b.confirm(quote, "wallet")))
}

// An eSIM that nobody has installed is given back from its own page: what comes back and
// until when is said before, and the money is there after.
func TestGivingAnESIMBack(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	had := w.balance()
	page := b.fresh()
	has(t, b.see(page).html, `href="`+page+`/cancel"`, "Cancel this eSIM and get the money back")
	has(t, b.see(page+"/cancel").html, "¥1,680 to your wallet", "as long as no phone has installed it", "Cancel and get a refund")
	if to := b.post(page+"/cancel", nil); to != page+"/cancel" {
		t.Errorf("given back without being sure: to %q", to)
	}
	to := b.post(page+"/cancel", url.Values{"sure": {"1"}})
	if w.balance() != had {
		t.Errorf("the wallet has %v, had %v", w.balance(), had)
	}
	done := b.see(to).html
	has(t, done, "¥1,680", "can no longer be installed")
	if strings.Contains(done, "Install") || strings.Contains(done, "ready to install") {
		t.Error("the order says that what was given back can be installed")
	}
	if p := b.see(page); strings.Contains(p.html, "Cancel this eSIM") || strings.Contains(p.html, "esimsetup") {
		t.Error("what was given back can still be installed")
	}
	if to := b.do("GET", page+"/cancel", nil).to; to == "" {
		t.Error("the page does not lead to the order")
	}
}

// One that is in use is not given back, and the page says why; while the operator is
// silent it says so, and not to install it.
func TestNotGivingAnESIMBack(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	page := b.fresh()
	w.operator.UseNew()
	p := b.do("POST", page+"/cancel", url.Values{"sure": {"1"}})
	if p.status != http.StatusConflict {
		t.Errorf("installed: %d", p.status)
	}
	has(t, p.html, "is installed on a phone", "stays yours")
	page = b.fresh()
	w.operator.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.LoseRequest }
	if to := b.post(page+"/cancel", url.Values{"sure": {"1"}}); to != page+"/cancel" {
		t.Errorf("to %q", to)
	}
	has(t, b.see(page+"/cancel").html, "have no answer yet", "Do not install it")
	has(t, b.see("/lines/"+w.lines["fresh"]+"/cancel").html, "Only an eSIM that was bought here")
}
