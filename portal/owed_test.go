package portal

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/ui"
)

// disputing is a provider that takes what it is shown, and says of it what a
// customer's bank says.
type disputing struct {
	*bank
	ref  string // of the first attempt, about which it says it
	says []payment.Dispute
}

func (d *disputing) Query(_ context.Context, a payment.Attempt) (payment.Observation, error) {
	seen := payment.Observation{State: payment.Paid, ProviderID: a.ProviderID, Amount: a.Amount, AsOf: d.now()}
	if d.ref = cmp.Or(d.ref, a.Ref); d.ref != a.Ref {
		return seen, nil
	}
	seen.Disputes = d.says
	for _, one := range d.says {
		if one.State.Takes() {
			seen.Disputed = money.Of(seen.Disputed.Minor+one.Amount.Minor, one.Amount.Currency)
		}
	}
	return seen, nil
}

// disputed is aiko, who has bought something by card and whose bank then says that.
func (w *town) disputed(b *browser, state payment.DisputeState) (bought order.Order, d *disputing) {
	w.t.Helper()
	d = &disputing{bank: w.bank}
	w.server.Desk.Providers["bank"] = d
	q := b.quote("volume", "term/machi-10gb/10gb-30d")
	b.post("/quotes/"+q, b.confirm(q, "card"))
	w.work()
	for _, o := range w.orders() {
		if o.Tool == "card" && o.State == order.Completed {
			bought = o
		}
	}
	if bought.ID == "" {
		w.t.Fatal("nothing was bought")
	}
	w.says(d, state, bought.Price)
	return bought, d
}

// says lets the bank say something else, and the shop ask it.
func (w *town) says(d *disputing, state payment.DisputeState, amount money.Money) {
	w.t.Helper()
	w.env.Clock.Add(day)
	d.says = []payment.Dispute{{ID: "dp_1", State: state, Amount: amount, Reason: "fraudulent"}}
	w.work()
}

// work lets everything happen, and every provider be asked.
func (w *town) work() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET due_at = $1`, db.At(tx.Now()))
		return err
	})
	for range 50 {
		one, err := w.server.Desk.PaymentStep(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		two, err := w.server.Desk.Step(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if !one && !two {
			return
		}
	}
	w.t.Fatal("the work never ends")
}

// Who owes something sees it, what it stops and where to pay it, in every language,
// on the pages of the order, the account, the wallet and the review; and can pay it.
func TestOwingIsSaid(t *testing.T) {
	for _, l := range locale.All {
		t.Run(string(l), func(t *testing.T) {
			w := newTown(t)
			b := w.browser(l).signIn("aiko@example.com")
			o, _ := w.disputed(b, payment.DisputeOpen)
			voice := ui.NewVoice(l, nil, w.env.Clock.Now())
			b.post("/account", url.Values{"language": {string(l)}, "zone": {"Asia/Shanghai"}})
			owed := voice.Say("owed.sum", locale.Args{"amount": o.Price})
			stops, how, pay := voice.T("owed.stop"), voice.T("owed.how"), voice.T("owed.pay")
			for path, want := range map[string][]string{
				"/orders/" + o.ID: {voice.Say("order.disputed.open", locale.Args{"amount": o.Price}), owed, stops, how, pay, `href="/wallet"`},
				"/account":        {owed, stops, how, pay, `href="/wallet"`},
				"/wallet":         {voice.Say("wallet.owed", locale.Args{"amount": o.Price}), stops, how, pay, "/orders/" + o.ID},
				"/quotes/" + b.quote("fresh", "term/machi-5gb/10d"):                                               {owed, stops, how, pay, `href="/wallet"`},
				"/lines/" + w.lines["fresh"] + "/renew":                                                           {owed, stops},
				b.several(map[string]string{"fresh": "term/machi-5gb/10d", "packs": "term/yokocho-base/1gb-30d"}): {owed, stops, how},
			} {
				html := clean(b.see(path).html)
				for _, one := range want {
					if !strings.Contains(html, clean(one)) {
						t.Errorf("%s does not say %q:\n%s", path, one, html)
					}
				}
				if strings.HasPrefix(path, "/quotes/") && strings.Contains(html, `name="tool"`) {
					t.Errorf("%s offers ways to pay that are closed", path)
				}
			}
			html := b.see("/wallet").html
			to := b.post("/wallet", url.Values{"amount": {hidden(t, html, "amount")}, "currency": {hidden(t, html, "currency")}})
			quote := strings.TrimPrefix(to, "/quotes/")
			has(t, b.see(to).html, voice.T("owed.how"))
			b.post(to, b.confirm(quote, "card"))
			w.work()
			if html := b.see("/account").html; strings.Contains(html, clean(owed)) || strings.Contains(html, stops) {
				t.Errorf("it is paid, and still said:\n%s", clean(html))
			}
			has(t, b.see("/quotes/"+b.quote("fresh", "term/machi-5gb/10d")).html, `name="tool"`)
		})
	}
}

// What became of a dispute stands on its order's page; a bank that only asks is not
// told of.
func TestOrderPageTellsTheDispute(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	o, d := w.disputed(b, payment.DisputeAsked)
	page := "/orders/" + o.ID
	for _, word := range []string{"disputed", "taken", "owe "} {
		if html := b.see(page).html; strings.Contains(html, word) {
			t.Errorf("a question is told as %q:\n%s", word, clean(html))
		}
	}
	w.says(d, payment.DisputeOpen, o.Price)
	has(t, b.see(page).html, "until it is decided", "You owe")
	w.says(d, payment.DisputeLost, o.Price)
	has(t, b.see(page).html, "for good", "You owe")
	w.says(d, payment.DisputeWon, o.Price)
	html := b.see(page).html
	has(t, html, "the payment stands")
	if strings.Contains(html, "You owe") {
		t.Errorf("nothing is owed any more:\n%s", clean(html))
	}
}

// A page that was open when the dispute came says why it can no longer be accepted;
// so does the page of an order that waits for its money. Nothing is charged.
func TestDisputeWhileThePageIsOpen(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	_, d := w.disputed(b, payment.DisputeAsked)
	one, two := b.quote("fresh", "term/machi-5gb/10d"), b.quote("throttled", "term/machi-5gb/10d")
	form := b.confirm(one, "wallet")
	d.says = nil
	w.server.Desk.Providers["bank"] = w.bank
	placed := b.post("/quotes/"+two, b.confirm(two, "card"))
	for _, o := range w.orders() {
		if o.State == order.Placed {
			placed = "/orders/" + o.ID
		}
	}
	several := b.several(map[string]string{"fresh": "term/machi-5gb/10d", "packs": "term/yokocho-base/1gb-30d"})
	together := b.confirmTogether(several, "wallet")
	before := w.balance()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE disputes SET state = 'open', owed_minor = minor`)
		return err
	})
	p := b.do("POST", "/quotes/"+one, form)
	if p.status != http.StatusForbidden {
		t.Errorf("accepting: %d", p.status)
	}
	has(t, p.html, "Nothing was charged", "You owe "+"¥", `href="/wallet"`)
	p = b.do("POST", "/together/review", together)
	if p.status != http.StatusForbidden {
		t.Errorf("accepting several: %d", p.status)
	}
	has(t, p.html, "Nothing was charged", "You owe", `href="/wallet"`)
	html := b.see(placed).html
	has(t, html, "You owe", `href="/wallet"`)
	if strings.Contains(html, `name="tool"`) {
		t.Errorf("ways to pay that are closed:\n%s", clean(html))
	}
	if w.balance() != before {
		t.Errorf("the wallet holds %d, want %d", w.balance(), before)
	}
}

// Where the seller keeps lines going, only the account's own money is closed.
func TestOwingWhereLinesAreKept(t *testing.T) {
	w := newTown(t)
	w.server.Desk.Disputed = order.DisputeKeep
	b := w.browser(locale.En).signIn("aiko@example.com")
	w.disputed(b, payment.DisputeOpen)
	html := b.see("/quotes/" + b.quote("fresh", "term/machi-5gb/10d") + "?use_points=1&use_wallet=1").html
	has(t, html, "your wallet, points and saved cards cannot be used", `value="card"`)
	for _, closed := range []string{`value="wallet"`, `name="use_points"`, `value="saved:`} {
		if strings.Contains(html, closed) {
			t.Errorf("%s is offered:\n%s", closed, clean(html))
		}
	}
}

// Who has only a link is told that something is owed and to sign in, and neither how
// much nor of which order.
func TestOwingThroughALink(t *testing.T) {
	w := newTown(t)
	o, _ := w.disputed(w.browser(locale.En).signIn("aiko@example.com"), payment.DisputeOpen)
	link := w.browser(locale.En).link("fresh")
	for _, path := range []string{"/lines/" + w.lines["fresh"] + "/renew", "/quotes/" + link.quote("fresh", "term/machi-5gb/10d")} {
		html := link.see(path).html
		has(t, html, "Sign in to pay it", "/sign-in?next=%2Fwallet")
		for _, secret := range []string{"You owe", o.ID} {
			if strings.Contains(html, secret) {
				t.Errorf("%s tells %q:\n%s", path, secret, clean(html))
			}
		}
	}
}
