package e2e

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/world"
)

// A traveller renews in the browser, in three languages, with and without
// scripts: from the wallet, by card after a declined one, with an operator who
// does not answer, after the session was lost, and pressing twice and going back.
func TestTravellerRenewsInTheBrowser(t *testing.T) {
	for _, lang := range []string{"en", "zh-Hans", "ja"} {
		for _, scripts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/scripts=%t", lang, scripts), func(t *testing.T) {
				d := openDemo(t)
				b := openTab(t, d, lang, scripts)
				if lang == "en" && scripts {
					b.pictures = album(t)
				}
				b.signIn("/")
				b.fromTheWallet()
				b.byCard()
				b.withoutAnswer()
				b.sessionLost()
				b.twiceAndBack()
				d.judge(t)
			})
		}
	}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// signIn starts at a page, signs in with the code from the simulated mailbox, and
// must come back there.
func (b *tab) signIn(at string) {
	b.t.Helper()
	if at == "/" {
		b.open("/?lang=" + b.lang)
		b.press(`main a[href="/sign-in"]`)
	}
	sent := b.codesSent()
	b.set("#email", world.Traveller)
	b.press("main form button")
	if b.path() != "/sign-in/code" {
		b.t.Fatalf("no code was asked for:\n%s", b.whereabouts())
	}
	back := eval[string](b, "location.pathname + location.search")
	b.until("the code is in the mailbox", func() bool { return b.codesSent() > sent })
	b.open("/sim/inbox?to=" + world.Traveller)
	code := sixDigits.FindString(eval[string](b, `Array.from(document.querySelectorAll('article h2'), h => h.innerText).find(t => /\b\d{6}\b/.test(t)) ?? ""`))
	if code == "" {
		b.t.Fatalf("there is no code in the mailbox:\n%s", b.whereabouts())
	}
	b.screens("inbox")
	b.open(back)
	b.set("#code", code)
	b.press("main form button")
	if got := b.path(); got != at {
		b.t.Fatalf("signed in, and on %s, want %s", got, at)
	}
}

// codesSent counts the letters with a code. Others arrive between them, such as
// that of an order which has just ended.
func (b *tab) codesSent() (n int) {
	for _, letter := range b.demo.Strangers.Inbox.To(world.Traveller) {
		if sixDigits.MatchString(letter.Subject) {
			n++
		}
	}
	return n
}

// waitLimit is how long a page may take to say what has happened.
const waitLimit = 30 * time.Second

// until waits for what house and strangers do by themselves.
func (b *tab) until(what string, done func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, waitLimit)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			b.t.Fatalf("never: %s\n%s", what, b.whereabouts())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// chooseOffer goes from the line's page to the review of its first offer.
func (b *tab) chooseOffer(plan string) (quote string) {
	b.t.Helper()
	return b.chooseOfferIn(plan, "JPY")
}

// chooseOfferIn is chooseOffer in a currency.
func (b *tab) chooseOfferIn(plan, currency string) (quote string) {
	b.t.Helper()
	l := b.demo.lines[plan]
	b.open("/lines/" + l.ID)
	b.screens("line")
	b.press(fmt.Sprintf(`main a[href="/lines/%s/renew"]`, l.ID))
	b.screens("renew")
	if eval[string](b, `document.querySelector('select[name="currency"]')?.value ?? "JPY"`) != currency {
		b.set(`select[name="currency"]`, currency)
		b.press(`form:has(select[name="currency"]) button`)
	}
	b.press(`ul.offers button[name="item"]`)
	path := b.path()
	if !strings.HasPrefix(path, "/quotes/") {
		b.t.Fatalf("no offer to review:\n%s", b.whereabouts())
	}
	b.screens("review")
	return strings.TrimPrefix(path, "/quotes/")
}

// pay confirms the review with one tool.
func (b *tab) pay(tool string) {
	b.t.Helper()
	b.do(chromedp.Click(fmt.Sprintf(`input[name="tool"][value="%s"]`, tool), chromedp.ByQuery))
	b.press(`main form[action^="/quotes/"] button`)
}

// ended waits until an order is in a state, and opens its page.
func (b *tab) ended(want order.State) order.Order {
	b.t.Helper()
	id := b.onOrder()
	var o order.Order
	b.until("order "+id+" is "+string(want), func() bool {
		all := b.demo.orders(b.t)
		o = all[slices.IndexFunc(all, func(o order.Order) bool { return o.ID == id })]
		return o.State == want
	})
	b.open("/orders/" + id)
	return o
}

func (b *tab) onOrder() (id string) {
	b.t.Helper()
	id, ok := strings.CutPrefix(b.path(), "/orders/")
	if !ok {
		b.t.Fatalf("not on an order's page:\n%s", b.whereabouts())
	}
	return id
}

func (b *tab) fromTheWallet() {
	b.t.Helper()
	b.open("/")
	b.screens("lines")
	b.chooseOffer(simplePlan)
	before := b.demo.wallet(b.t)
	b.pay("wallet")
	o := b.ended(order.Completed)
	b.screens("order")
	if got := b.demo.wallet(b.t); got != before-o.Price.Minor {
		b.t.Errorf("the wallet went from %d to %d for %s", before, got, o.Price)
	}
	b.press(`main a[href^="/bills/"]`)
	digits := regexp.MustCompile(`\D`).ReplaceAllString(b.words(), "")
	if !strings.Contains(digits, fmt.Sprint(o.Price.Minor)) {
		b.t.Errorf("the bill does not show %s:\n%s", o.Price, b.words())
	}
	b.screens("bill")
}

// byCard pays with a card that is declined, and then with one that is not.
func (b *tab) byCard() {
	b.t.Helper()
	b.chooseOffer(accessPlan)
	b.pay("card")
	if !strings.HasPrefix(b.path(), "/sim/stripe/pay/") {
		b.t.Fatalf("not on the card page:\n%s", b.whereabouts())
	}
	b.set("#tool", "pm_card_chargeDeclined")
	b.press("#pay")
	if !b.has("[role=alert]") {
		b.t.Errorf("the card page does not say that the card was declined:\n%s", b.words())
	}
	if o := b.demo.orders(b.t)[0]; o.State != order.Placed {
		b.t.Errorf("after a declined card the order is %s", o.State)
	}
	b.set("#tool", "pm_card_visa")
	b.press("#pay")
	o := b.ended(order.Completed)
	for _, ch := range b.demo.Strangers.Stripe.Charges() {
		if ch.Status == "succeeded" && (ch.Captured != o.Price || !ch.Refunded.IsZero()) {
			b.t.Errorf("charged %s, gave back %s, for %s", ch.Captured, ch.Refunded, o.Price)
		}
	}
}

// withoutAnswer lets the operator extend the line and its answer be lost: the
// page says that it is being looked into, and five minutes later it is done.
func (b *tab) withoutAnswer() {
	b.t.Helper()
	b.open("/sim/")
	b.press(`button[value="operator-lost"]`)
	b.chooseOffer(simplePlan)
	b.pay("wallet")
	id := b.onOrder()
	if o := b.demo.orders(b.t)[0]; o.ID != id || o.State == order.Completed {
		b.t.Errorf("the operator's answer was lost, and order %s is %s", o.ID, o.State)
	}
	if !b.has(`main a[href="/orders/` + id + `"]`) {
		b.t.Errorf("the order's page does not say that it goes on:\n%s", b.words())
	}
	b.open("/sim/")
	b.press(`button[value="minutes"]`)
	b.open("/orders/" + id)
	b.ended(order.Completed)
	if n := b.demo.Strangers.Simple.Asked(id); n != 1 {
		b.t.Errorf("the operator was asked %d times", n)
	}
}

// sessionLost takes the session away on the review page: nothing is bought,
// signing in leads back to the same page, and then it is bought once.
func (b *tab) sessionLost() {
	b.t.Helper()
	quote := b.chooseOffer(simplePlan)
	before, orders := b.demo.wallet(b.t), len(b.demo.orders(b.t))
	b.forget()
	b.pay("wallet")
	if b.path() != "/sign-in" || b.demo.wallet(b.t) != before || len(b.demo.orders(b.t)) != orders {
		b.t.Fatalf("bought without a session, or not asked to sign in:\n%s", b.whereabouts())
	}
	b.signIn("/quotes/" + quote)
	b.pay("wallet")
	b.ended(order.Completed)
}

// twiceAndBack presses the button twice, and goes back to press it again: it is
// one order.
func (b *tab) twiceAndBack() {
	b.t.Helper()
	orders := len(b.demo.orders(b.t))
	quote := b.chooseOffer(simplePlan)
	b.do(chromedp.Click(`input[name="tool"][value="wallet"]`, chromedp.ByQuery))
	b.follow(chromedp.Evaluate(`{const button = document.querySelector('main form[action^="/quotes/"] button'); button.click(); button.click()}`, nil))
	id := b.ended(order.Completed).ID
	b.open("/quotes/" + quote)
	if got := b.onOrder(); got != id {
		b.t.Errorf("the accepted offer leads to %s, want %s", got, id)
	}
	b.follow(chromedp.NavigateBack())
	b.follow(chromedp.Evaluate(again(quote), nil))
	if got := b.onOrder(); got != id {
		b.t.Errorf("accepted again, it is %s, want %s", got, id)
	}
	if got := len(b.demo.orders(b.t)); got != orders+1 {
		b.t.Errorf("%d orders from one offer", got-orders)
	}
}

// again sends the form of a review as a page from the browser's memory would.
func again(quote string) string {
	return fmt.Sprintf(`{
		const form = document.createElement("form");
		form.method = "post"; form.action = "/quotes/%s";
		for (const [name, value] of [["tool", "wallet"], ["amount", "1"], ["currency", "JPY"]]) {
			const field = document.createElement("input");
			field.name = name; field.value = value; form.append(field);
		}
		document.body.append(form); form.submit();
	}`, quote)
}

// wallet is what the customer has, in yen.
func (d *theDemo) wallet(t *testing.T) (minor int64) {
	t.Helper()
	d.read(t, func(ctx context.Context, tx db.Tx) error {
		m, err := ledger.Balance(ctx, tx, d.customer, ledger.Wallet, "JPY")
		minor = m.Minor
		return err
	})
	return minor
}

// judge asks for every promise, and compares with what the strangers saw.
func (d *theDemo) judge(t *testing.T) {
	t.Helper()
	found, err := audit.Run(t.Context(), d.App.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("audit: %s", v)
	}
	for _, o := range d.orders(t) {
		served := d.Strangers.Simple.Extended(o.ID)
		if o.Kind == order.TopUp || o.Kind == order.NewLine || d.adapter(t, o) != "simple" {
			continue // a top-up asks no operator; a new line extends nothing; others do not keep our names
		}
		if (o.State == order.Completed) != (served == 1) || served > 1 {
			t.Errorf("%s is %s, and the operator extended the line %d times", o.ID, o.State, served)
		}
	}
}

// adapter is that of the operator which feeds the line of an order.
func (d *theDemo) adapter(t *testing.T, o order.Order) (adapter string) {
	t.Helper()
	d.read(t, func(ctx context.Context, tx db.Tx) error {
		l, err := line.Get(ctx, tx, o.Account, o.Line)
		if err != nil {
			return err
		}
		cat, err := d.App.Shelf.Current(ctx, tx)
		op, _ := cat.Operator(l.Operator)
		adapter = op.Carrier
		return err
	})
	return adapter
}
