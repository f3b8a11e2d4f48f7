package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// A traveller renews while each stranger misbehaves in each way that the town's
// panel offers and an order meets, in three languages by turns, does what the pages say, and is served
// once or gets everything back. So does one who buys a new line.
func TestTravellerMeetsEveryTrouble(t *testing.T) {
	d := openDemo(t)
	b := openTab(t, d, "en", true)
	b.pictures = t.ArtifactDir() // kept with -artifacts
	b.signIn("/")
	for i, trouble := range d.troubles(t) {
		b.lang = []string{"en", "zh-Hans", "ja"}[i%3]
		b.open("/?lang=" + b.lang)
		if strings.HasPrefix(trouble, "pay-") {
			b.meets(trouble, simplePlan, "card")
			continue
		}
		b.meets(trouble, simplePlan, "wallet")
		b.meets(trouble, accessPlan, "card")
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
	compareCharges(t, d)
}

// troubles are the buttons of the town's panel.
func (d *theDemo) troubles(t *testing.T) (all []string) {
	t.Helper()
	_, form, _ := strings.Cut(d.panel(t, "", nil), `action="/sim/trouble"`)
	for _, m := range regexp.MustCompile(`name="name" value="([^"]+)"`).FindAllStringSubmatch(form, -1) {
		if elsewhere := strings.HasPrefix(m[1], "issuer-") || strings.HasPrefix(m[1], "sms-"); !elsewhere { // no order meets these
			all = append(all, m[1])
		}
	}
	if len(all) < 12 {
		t.Fatalf("the panel has only %d ways to misbehave", len(all))
	}
	return all
}

// panel does something on the town's panel, which is no page of the shop: this needs
// no browser. Without a form it only looks.
func (d *theDemo) panel(t *testing.T, path string, form url.Values) (page string) {
	t.Helper()
	method := http.MethodPost
	if form == nil {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method, d.url+"/sim/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the panel's %q answers %s, %v:\n%s", path, resp.Status, err, body)
	}
	return string(body)
}

// passes moves the clock: by "minutes", which are five, an "hour" or a "day". What is
// due by then is done.
func (d *theDemo) passes(t *testing.T, span string) {
	t.Helper()
	d.panel(t, "clock", url.Values{"by": {span}})
}

// meets buys one period while somebody misbehaves, and checks how it ends.
func (b *tab) meets(trouble, plan, tool string) {
	b.t.Helper()
	b.arm(trouble)
	before := len(b.demo.Strangers.Inbox.To(b.demo.email))
	b.chooseOffer(plan)
	b.pay(tool)
	o := b.persist("card")
	want := order.Completed
	if slices.Contains([]string{"operator-refuse", "operator-silent"}, trouble) {
		want = order.Refunded
	}
	if o.State != want {
		b.t.Errorf("%s, %s by %s: order %s is %s, want %s\n%s", trouble, plan, tool, o.ID, o.State, want, b.words())
	}
	b.until("the customer is told", func() bool { return len(b.demo.Strangers.Inbox.To(b.demo.email)) > before })
	b.screens(fmt.Sprintf("%s-%s-%s", trouble, plan, tool))
}

// arm presses one button of the town's panel.
func (b *tab) arm(trouble string) {
	b.t.Helper()
	b.demo.panel(b.t, "trouble", url.Values{"name": {trouble}})
}

// rounds is how often a customer looks again: an operator may be silent for half
// an hour before the money goes back.
const rounds = 40

// persist does what a customer does who wants to be served: pays on the
// provider's page or with the phone, presses the order page's button again if it
// is there, or waits. It ends on the page of an order that has ended.
func (b *tab) persist(tool string) order.Order {
	b.t.Helper()
	id := b.demo.orders(b.t)[0].ID
	for range rounds {
		if strings.HasPrefix(b.path(), "/sim/") && b.has("#pay") {
			b.pressIfThere("#pay")
			continue
		}
		o := b.order(id)
		b.open("/orders/" + id)
		if slices.Contains([]order.State{order.Completed, order.Refunded, order.Cancelled}, o.State) {
			return o
		}
		if b.goOn() {
			continue
		}
		if pay := `form[action="/orders/` + id + `/pay"]`; b.has(pay) {
			b.pressIfThere(pay+` input[value="`+tool+`"]`, pay+" button")
			continue
		}
		b.demo.passes(b.t, "minutes")
	}
	b.t.Fatalf("order %s never ended:\n%s", id, b.whereabouts())
	return order.Order{}
}

// goOn follows what the order's page shows of an open payment: the provider's
// page, or the code, with the phone. It says whether there was something to do.
func (b *tab) goOn() bool {
	b.t.Helper()
	live, ok := b.demo.openPayment(b.t)
	switch {
	case !ok || !b.has("#way"):
		return false
	case live.Next.RedirectURL != "":
		b.pressIfThere(`#way a.button`)
	default:
		b.screens("code-" + live.Provider)
		_, after, open := strings.Cut(b.demo.panel(b.t, "", nil), `<a class="code" href="`)
		if !open { // settled while we looked there
			return false
		}
		page, _, _ := strings.Cut(after, `"`)
		b.open(strings.TrimPrefix(html.UnescapeString(page), b.demo.url))
	}
	return b.has("#pay")
}

// errLeft says that a page has gone on by itself before it was pressed.
var errLeft = errors.New("what was to be pressed is not there any more")

// pressIfThere presses in one go what was there a moment ago, the last of which leads
// to another page: an order's page loads itself anew when the order has gone on, and
// then there may be nothing left to press.
func (b *tab) pressIfThere(selectors ...string) {
	b.t.Helper()
	list, err := json.Marshal(selectors)
	if err != nil {
		b.t.Fatal(err)
	}
	press := fmt.Sprintf(`{
		const found = %s.map((s) => document.querySelector(s));
		const all = found.every((e) => e !== null && e.checkVisibility());
		if (all) found.forEach((e) => e.click());
		all;
	}`, list)
	r, err := b.lead(chromedp.ActionFunc(func(ctx context.Context) error {
		var there bool
		if err := chromedp.Evaluate(press, &there).Do(ctx); err != nil || there {
			return err
		}
		return errLeft
	}))
	if !errors.Is(err, errLeft) && !disturbed(err) {
		b.arrive(r, err)
	}
}

// openPayment is the open attempt of the newest order.
func (d *theDemo) openPayment(t *testing.T) (live order.Payment, ok bool) {
	t.Helper()
	newest := d.orders(t)[0]
	d.read(t, func(ctx context.Context, tx db.Tx) error {
		all, err := order.Payments(ctx, tx, newest.Ref())
		for _, p := range all {
			if p.Live {
				live, ok = p, true
			}
		}
		return err
	})
	return live, ok
}

func (b *tab) order(id string) order.Order {
	b.t.Helper()
	all := b.demo.orders(b.t)
	return all[slices.IndexFunc(all, func(o order.Order) bool { return o.ID == id })]
}

// tools are all that a traveller can pay with in the demo, each in a currency
// that its provider takes.
var tools = []struct{ rail, currency string }{
	{"card", "USD"}, {"paypal", "JPY"}, {"alipay", "CNY"}, {"wechat_pay", "CNY"}, {"paypay", "JPY"}, {"line_pay", "TWD"},
}

// compareCharges asks the providers what they kept of all customers of one demo: what
// every completed order took that was not paid from the wallet, and nothing else.
func compareCharges(t *testing.T, customers ...*theDemo) {
	t.Helper()
	kept, sold := map[money.Currency]int64{}, map[money.Currency]int64{}
	for _, bank := range customers[0].Strangers.Banks {
		for _, ref := range bank.Charged() {
			kept[bank.Captured(ref).Currency] += bank.Captured(ref).Minor - bank.Refunded(ref).Minor
		}
	}
	for _, d := range customers {
		for _, o := range d.orders(t) {
			if o.State == order.Completed && o.Tool != order.ToolWallet {
				sold[o.Price.Currency] += o.Price.Minor
			}
		}
	}
	maps.DeleteFunc(kept, func(_ money.Currency, minor int64) bool { return minor == 0 })
	if !maps.Equal(kept, sold) {
		t.Errorf("the providers kept %v, and %v was sold", kept, sold)
	}
}
