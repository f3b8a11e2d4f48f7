package e2e

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
)

var lpa = regexp.MustCompile(`^LPA:1\$[a-z0-9.-]+\$[A-Za-z0-9-]+$`)

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

// buysLine buys a new eSIM by card, installs it, goes online, and renews it.
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

	b.demo.panel(b.t, "use", url.Values{})
	id := strings.TrimPrefix(page, "/lines/")
	var l line.Line
	b.until(plan+" is in use", func() bool {
		b.demo.passes(b.t, "minutes")
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
