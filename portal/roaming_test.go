package portal

import (
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/locale"
)

// A customer who names their operator at home sees each term beside roaming
// there, with the figure's date and source; in a currency without a figure the
// page says that there is none, and nobody else sees any of it.
func TestTermsBesideRoamingAtHome(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	page := "/lines/" + w.lines["fresh"] + "/renew"
	if html := b.see(page + "?currency=USD").html; strings.Contains(html, "AT&amp;T") {
		t.Error("compared with an operator that nobody named")
	}
	b.post("/account", url.Values{"language": {"en"}, "home": {"AT&T"}})
	has(t, b.see(page+"?currency=USD").html, "AT&amp;T", "US$12.00", "2025", "starreveld.com")
	html := b.see(page + "?currency=JPY").html
	if strings.Contains(html, "US$12.00") {
		t.Error("a figure in another currency was shown")
	}
	has(t, html, "no reliable")
}
