package e2e

import (
	"strings"
	"testing"
)

// A plan that is priced in yen alone is sold in won at a published rate: the
// traveller sees the price in the list, the rate, its source and its day before
// they pay, and the offer keeps them. A rate that is too old is used no longer.
func TestTravellerPaysAConvertedPrice(t *testing.T) {
	d := openDemo(t)
	b := openTab(t, d, "en", true)
	b.pictures = t.ArtifactDir() // kept with -artifacts
	b.signIn("/")
	renew := "/lines/" + d.lines[accessPlan].ID + "/renew?currency=KRW"
	today := d.App.DB.Now().UTC().Format("2 Jan 2006")
	b.open(renew)
	b.says("converted", "South Korean won (KRW)", "European Central Bank", today)
	b.press(`ul.offers button[name="item"]`)
	b.screens("review-converted")
	b.says("converted from ¥", "1 JPY = 9.32", "European Central Bank", today, "this offer keeps the rate")
	quote := b.path()

	for range 7 {
		d.passes(t, "day")
	}
	b.open(renew)
	if b.has(`select[name="currency"] option[value="KRW"]`) || strings.Contains(b.words(), "won") {
		t.Errorf("a rate of a week ago is still used:\n%s", b.words())
	}
	b.says("¥")
	b.open(quote)
	b.says("This offer has expired. Nothing was charged.")
	d.judge(t)
}

// says fails the test where the page lacks one of some words.
func (b *tab) says(words ...string) {
	b.t.Helper()
	page := b.words()
	for _, w := range words {
		if !strings.Contains(page, w) {
			b.t.Errorf("the page lacks %q:\n%s", w, page)
		}
	}
}
