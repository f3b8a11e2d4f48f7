package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
)

var lpa = regexp.MustCompile(`^LPA:1\$[a-z0-9.-]+\$[A-Za-z0-9-]+$`)

// A traveller buys a new eSIM from each operator that sells them, is shown what to
// install it with, goes online, and renews it; and one is refused, for which nothing
// is charged in the end.
func TestTravellerBuysALineInTheBrowser(t *testing.T) {
	d := openDemo(t)
	b := openTab(t, d, "en", false)
	b.signIn("/")
	for _, plan := range []string{simplePlan, accessPlan} {
		b.buysLine(plan)
		b.open("/")
		if !b.has(`main a[href^="/lines/"]`) {
			t.Errorf("no line at home:\n%s", b.words())
		}
	}

	before := d.wallet(t)
	b.arm("operator-refuse")
	b.choosesPlan(simplePlan)
	b.pay("wallet")
	b.ended(order.Refunded)
	if got := d.wallet(t); got != before {
		t.Errorf("refused, and the wallet went from %d to %d", before, got)
	}
	d.judge(t)
}

// choosesPlan goes from the list of plans to the review of a new line.
func (b *tab) choosesPlan(plan string) {
	b.t.Helper()
	b.open("/plans")
	b.press(`main a[href="/plans/` + plan + `"]`)
	b.press(`ul.offers button[name="item"]`)
	if !strings.HasPrefix(b.path(), "/quotes/") {
		b.t.Fatalf("no offer of a new line to review:\n%s", b.whereabouts())
	}
}

func (b *tab) buysLine(plan string) {
	b.t.Helper()
	b.choosesPlan(plan)
	b.pay("card")
	b.set("#tool", "pm_card_visa")
	b.press("#pay")
	b.ended(order.Completed)
	b.press(`main .actions a[href^="/lines/"]`)
	page := b.path()
	whole := eval[string](b, `Array.from(document.querySelectorAll("#install code"), c => c.textContent).find(t => t.startsWith("LPA:")) ?? ""`)
	if !lpa.MatchString(whole) || !b.has("#install svg.code path") {
		b.t.Errorf("%s cannot be installed with %q:\n%s", page, whole, b.words())
	}
	for _, link := range []string{"https://esimsetup.apple.com/", "https://esimsetup.android.com/"} {
		href := eval[string](b, fmt.Sprintf(`document.querySelector('#install a[href^="%s"]')?.getAttribute("href") ?? ""`, link))
		if !strings.HasSuffix(href, "carddata="+whole) {
			b.t.Errorf("%s does not install %s", href, whole)
		}
	}
	if plan == simplePlan {
		b.pictures = album(b.t)
		b.screens("install")
		b.pictures = ""
	}

	b.open("/sim/")
	b.press(`form[action="/sim/use"] button`)
	id := strings.TrimPrefix(page, "/lines/")
	var l line.Line
	b.until(plan+" is in use", func() bool {
		b.open("/sim/")
		b.press(`button[value="minutes"]`)
		b.demo.read(b.t, func(ctx context.Context, tx db.Tx) (err error) {
			l, err = line.Get(ctx, tx, b.demo.customer, id)
			return err
		})
		return l.State == line.Active && !l.StartedAt.IsZero()
	})
	b.open(page)
	b.press(fmt.Sprintf(`main a[href="/lines/%s/renew"]`, id))
	b.press(`ul.offers button[name="item"]`)
	b.pay("wallet")
	b.ended(order.Completed)
}
