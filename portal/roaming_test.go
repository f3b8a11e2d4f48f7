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

// Whoever looks at it chooses an operator at home and a number of days, and sees what
// roaming costs a day and in all, from where that is known and how well, beside our plans
// in that currency; plan pages remember it. What is too weak or too old is no figure.
func TestRoamingBesideOurPlans(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	has(t, b.see("/plans/machi-5gb").html, `href="/roaming"`)
	has(t, b.see("/roaming").html, "AT&amp;T", "China Mobile", `value="7"`)
	has(t, w.browser(locale.Ja).see("/roaming?home=China+Mobile").html, ">チャイナモバイル（中国）</option>")
	has(t, w.browser(locale.ZhHant).see("/roaming").html, ">AT&amp;T（美國）</option>", ">中國聯通（中國）</option>")
	html := b.see("/roaming?home=AT%26T&days=5").html
	has(t, html, "US$12.00 a day, US$60.00 for 5 days", "starreveld.com", "as of 2025", "one source with a date", "less than roaming", `href="/plans/ichiba-500"`)
	has(t, b.see("/plans/machi-5gb?currency=USD").html, "Roaming with AT&amp;T costs US$12.00 a day")
	for _, home := range []string{"China+Mobile", "Chunghwa%2C+Taiwan+Mobile%2C+FarEasTone+%28lowest%29"} {
		html := b.see("/roaming?days=5&home=" + home).html
		if has(t, html, "no reliable figure"); strings.Contains(html, "less than roaming") {
			t.Errorf("%s: compared with nothing", home)
		}
	}
	for _, query := range []string{"home=AT%26T&days=0", "home=AT%26T&days=99999999999999999999", "home=<script>&days=x"} {
		if html := b.see("/roaming?" + query).html; strings.Contains(html, "<script>&") || !strings.Contains(html, `value="7"`) {
			t.Errorf("%s: not asked again", query)
		}
	}
}
