package portal

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/seal"
)

// till is a town whose cards are taken by the real Stripe adapter over a
// simulated Stripe, which keeps them.
type till struct {
	*town
	stripe *stripesim.Sim
}

func newTill(t *testing.T) *till {
	t.Helper()
	w := newTown(t)
	sim := stripesim.New(stripesim.Config{Key: "sk_test_portal", WebhookSecret: "whsec_portal", Now: w.env.Clock.Now})
	client := outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: sim}})
	a, err := stripe.New(stripe.Config{Key: "sk_test_portal", WebhookSecrets: []string{"whsec_portal"}}, client, w.env.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.server.Desk.Providers = map[string]payment.Provider{"stripe": a}
	w.server.Desk.Rails = map[payment.Rail]string{payment.Card: "stripe"}
	w.server.Desk.Seal = seal.New("saved tools", "the secret of the tests", nil, nil)
	w.server.Desk.Wallet = order.WalletFull
	return &till{w, sim}
}

const fresh = "term/machi-5gb/10d"

// payByPage pays a quote at Stripe's page, with the box ticked or not.
func (w *till) payByPage(b *browser, quote string, keep bool) {
	w.t.Helper()
	form := b.confirm(quote, "card")
	if keep {
		form.Set("keep", "1")
	}
	to := b.post("/quotes/"+quote, form)
	if !strings.Contains(to, "stripesim") {
		w.t.Fatalf("paying by card leads to %q", to)
	}
	w.env.Clock.Add(time.Second) // so that there is a newest order
	o := w.orders()[0]
	if _, err := w.stripe.Pay(o.ID); err != nil {
		w.t.Fatal(err)
	}
	b.follow(w.t, "/orders/"+o.ID+"?back=1")
	w.work()
}

// order is the order of a page.
func (w *till) order(page string) order.Order {
	w.t.Helper()
	o, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) {
		return order.Get(ctx, tx, order.Key{Account: w.aiko.ID, ID: strings.TrimPrefix(page, "/orders/")})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// follow follows an address that leads on.
func (b *browser) follow(t *testing.T, path string) {
	t.Helper()
	if p := b.get(path); p.status != http.StatusSeeOther {
		t.Fatalf("GET %s: %d", path, p.status)
	}
}

// work lets the shop do what is due.
func (w *till) work() {
	w.t.Helper()
	for range 50 {
		worked := false
		for _, step := range []func(context.Context) (bool, error){w.server.Desk.Step, w.server.Desk.PaymentStep, w.server.Desk.ToolStep} {
			did, err := step(w.t.Context())
			if err != nil {
				w.t.Fatal(err)
			}
			worked = worked || did
		}
		if !worked {
			return
		}
	}
}

func (w *till) saved() []order.SavedTool {
	w.t.Helper()
	all, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) ([]order.SavedTool, error) {
		return order.SavedTools(ctx, tx, w.aiko.ID)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// keeper is aiko, signed in, with a card that was kept.
func (w *till) keeper() (*browser, order.SavedTool) {
	w.t.Helper()
	b := w.browser(locale.En).signIn("aiko@example.com")
	w.payByPage(b, b.quote("fresh", fresh), true)
	all := w.saved()
	if len(all) != 1 {
		w.t.Fatalf("%d tools are saved", len(all))
	}
	return b, all[0]
}

// charged counts the charges of kept cards at Stripe.
func (w *till) charged() (n int) {
	for _, c := range w.stripe.Calls() {
		if c.Method == http.MethodPost && c.Path == "/v1/payment_intents" && !c.Replayed {
			n++
		}
	}
	return n
}

// The box is off by default, says what is kept and by whom, and decides.
func TestTheBoxDecides(t *testing.T) {
	w := newTill(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", fresh)
	html := b.see("/quotes/" + quote).html
	has(t, html, `type="checkbox" name="keep" value="1">`, "The payment service keeps it", "never the number", "remove it at any time")
	has(t, html, `value="card" required data-keeps>`, `<label class="choice keep" for="keep">`)
	if n := strings.Count(html, "data-keeps>"); n != 1 {
		t.Errorf("%d tools can be kept", n)
	}
	if strings.Contains(html, `name="keep" value="1" checked`) {
		t.Error("the box is ticked already")
	}
	w.payByPage(b, quote, false)
	if n := len(w.saved()); n != 0 {
		t.Errorf("%d tools are saved, and nobody agreed", n)
	}
	w.payByPage(b, b.quote("volume", "term/machi-10gb/10gb-15d"), true)
	all := w.saved()
	if len(all) != 1 || all[0].Consent.Version != order.KeepConsent || all[0].Consent.Language != "en" {
		t.Fatalf("saved %+v", all)
	}
	account := b.see("/account").html
	has(t, account, "Visa •• 4242", "Kept since", "Remove")
}

// With a kept card the whole renewal stays with us: chosen, reviewed, paid, and
// the order's page says so; the card comes after the wallet and before what is
// entered at the payment service.
func TestKeptCardPaysWithoutAPage(t *testing.T) {
	w := newTill(t)
	b, tool := w.keeper()
	quote := b.quote("volume", "term/machi-10gb/10gb-15d")
	review := b.see("/quotes/" + quote)
	wallet, card, page := strings.Index(review.html, `value="wallet"`), strings.Index(review.html, `value="saved:`+tool.ID), strings.Index(review.html, `value="card"`)
	if wallet < 0 || card < wallet || page < card {
		t.Errorf("the ways to pay stand at %d (wallet), %d (kept card), %d (card page)", wallet, card, page)
	}
	to := b.post("/quotes/"+quote, b.confirm(quote, "saved:"+tool.ID))
	if !strings.HasPrefix(to, "/orders/") {
		t.Fatalf("paying leads to %q", to)
	}
	w.work()
	done := b.see(to)
	has(t, done.html, "Complete")
	if o := w.order(to); o.State != order.Completed || w.stripe.Captured(o.ID) != o.Price {
		t.Errorf("the order is %s, Stripe took %v", o.State, w.stripe.Captured(o.ID))
	}
	if again := b.post("/quotes/"+quote, b.confirmed(review.html, "saved:"+tool.ID)); again != to || w.charged() != 1 {
		t.Errorf("sent again it leads to %q, and Stripe was asked %d times", again, w.charged())
	}
}

// confirmed is the form of a page that was shown.
func (b *browser) confirmed(html, tool string) url.Values {
	b.t.Helper()
	return url.Values{"amount": {hidden(b.t, html, "amount")}, "currency": {hidden(b.t, html, "currency")}, "tool": {tool}}
}

// A bank that asks is said first, on our page, which then leads there; a decline
// is said in words, with the other ways to pay.
func TestKeptCardThatDoesNotJustPay(t *testing.T) {
	w := newTill(t)
	b, tool := w.keeper()
	quote := b.quote("volume", "term/machi-10gb/10gb-15d")
	w.stripe.RefuseNext("insufficient_funds")
	to := b.post("/quotes/"+quote, b.confirm(quote, "saved:"+tool.ID))
	html := b.see(to).html
	has(t, html, "nothing was charged", "There was not enough money", `value="saved:`+tool.ID, `value="card"`)
	w.stripe.AskNext(1)
	if back := b.post(to+"/pay", url.Values{"tool": {"saved:" + tool.ID}}); back != to {
		t.Fatalf("paying leads to %q", back)
	}
	html = b.see(to).html
	has(t, html, `id="way"`, "stripesim")
	if _, err := w.stripe.Authenticate(strings.TrimPrefix(to, "/orders/"), true); err != nil {
		t.Fatal(err)
	}
	b.follow(t, to+"?back=1")
	w.work()
	has(t, b.see(to).html, "Complete")
}

// Removing is one tap, is said, and is final: the card is gone from the page, from
// the ways to pay, and from Stripe.
func TestRemovingATool(t *testing.T) {
	w := newTill(t)
	b, tool := w.keeper()
	if to := b.post("/account/tools", url.Values{"tool": {tool.ID}}); !strings.HasPrefix(to, "/account") {
		t.Errorf("removing leads to %q", to)
	}
	html := b.see("/account?removed=1").html
	has(t, html, "Removed.", "Nothing is saved")
	quote := b.quote("volume", "term/machi-10gb/10gb-15d")
	if html := b.see("/quotes/" + quote).html; strings.Contains(html, "saved:") {
		t.Error("a removed card is offered")
	}
	if p := b.do("POST", "/quotes/"+quote, b.confirm(quote, "saved:"+tool.ID)); p.status != http.StatusUnprocessableEntity {
		t.Errorf("paying with it: %d to %q", p.status, p.to)
	}
	w.work()
	if len(w.stripe.Saved(holderOf(w, tool))) != 0 {
		t.Error("Stripe keeps it")
	}
}

func holderOf(w *till, tool order.SavedTool) (h string) {
	w.t.Helper()
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT holder FROM saved_tools WHERE account_id = $1 AND id = $2`, tool.Account, tool.ID).Scan(&h)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// A card whose month is over is shown as that, and not offered.
func TestExpiredCard(t *testing.T) {
	w := newTill(t)
	_, tool := w.keeper()
	w.env.Clock.Set(time.Date(tool.Until.Year, tool.Until.Month+1, 2, 0, 0, 0, 0, time.UTC))
	has(t, w.browser(locale.En).signIn("aiko@example.com").see("/account").html, "<s>Visa •• 4242</s>", "Expired")
	for _, t := range w.server.Desk.Chargeable(w.saved()) {
		w.t.Errorf("offered: %v", t)
	}
}

// Who may pay with what: a link, a link after a code, a session, another
// account; with nothing allowed, and with one tap allowed. Nobody sees or uses
// what they may not, and what is refused is not charged.
func TestWhoPaysWithWhat(t *testing.T) {
	people := map[string]func(w *till) *browser{
		"link":            func(w *till) *browser { return w.browser(locale.En).link("volume") },
		"link, then code": func(w *till) *browser { return w.browser(locale.En).link("volume").signIn("aiko@example.com") },
		"session":         func(w *till) *browser { return w.browser(locale.En).signIn("aiko@example.com") },
		"another account": func(w *till) *browser { return w.browser(locale.En).signIn("other@example.com") },
		"another's link":  func(w *till) *browser { return w.browser(locale.En).signIn("other@example.com").link("volume") },
		"other line":      func(w *till) *browser { return w.browser(locale.En).link("fresh") },
		"nobody":          func(w *till) *browser { return w.browser(locale.En) },
	}
	for _, allowed := range []string{"nothing", "the card", "the wallet", "the card, too little", "the card, another currency"} {
		w := newTill(t)
		owner, card := w.keeper()
		w.allow(owner, card, allowed)
		for _, who := range slices.Sorted(maps.Keys(people)) {
			for _, tool := range []string{"wallet", "saved:" + card.ID} {
				signedIn := who == "session" || who == "link, then code"
				byLink := who == "link" || who == "another's link"
				may := signedIn || byLink && (allowed == "the card" && tool != "wallet" || allowed == "the wallet" && tool == "wallet")
				quote := owner.quote("volume", "term/machi-10gb/10gb-15d")
				form := owner.confirm(quote, tool)
				orders, charges, balance := len(w.orders()), w.charged(), w.balance()
				b := people[who](w)
				seen := b.get("/quotes/" + quote)
				if shown := strings.Contains(seen.html, `value="`+tool+`"`); shown != may {
					t.Errorf("%s, %s, %s: shown is %t, want %t", allowed, who, tool, shown, may)
				}
				if !may && tool != "wallet" && allowed != "the card" && strings.Contains(seen.html, "4242") {
					t.Errorf("%s, %s: the card's name is shown", allowed, who)
				}
				p := b.do("POST", "/quotes/"+quote, form)
				w.work()
				paid := len(w.orders()) == orders+1 && w.order(p.to).State == order.Completed
				if paid != may {
					t.Errorf("%s, %s, %s: %d to %q, paid is %t, want %t", allowed, who, tool, p.status, p.to, paid, may)
				}
				if !may && (w.charged() != charges || w.balance() != balance || len(w.orders()) != orders) {
					t.Errorf("%s, %s, %s: refused, and something was paid", allowed, who, tool)
				}
			}
		}
	}
}

// allow is the customer allowing one-tap payment on the account's page.
func (w *till) allow(b *browser, card order.SavedTool, what string) {
	w.t.Helper()
	form := url.Values{"tool": {card.ID}, "amount": {"9000"}, "currency": {"JPY"}, "agree": {"1"}}
	switch what {
	case "nothing":
		return
	case "the wallet":
		form.Set("tool", "wallet")
	case "the card, too little":
		form.Set("amount", "500")
	case "the card, another currency":
		form.Set("currency", "USD")
	}
	b.post("/account/one-tap", form)
}

// A link can neither save a card, nor see the account's, nor allow itself to pay;
// and it is told how to sign in, whether or not there is anything to sign in for.
func TestLinkKeepsNothing(t *testing.T) {
	w := newTill(t)
	b := w.browser(locale.En).link("fresh")
	quote := b.quote("fresh", fresh)
	html := b.see("/quotes/" + quote).html
	has(t, html, "Sign in to pay with your wallet or with a saved card", "/sign-in?next=%2Fquotes%2F"+quote)
	if strings.Contains(html, `name="keep"`) {
		t.Error("the box is shown")
	}
	w.payByPage(b, quote, true)
	if n := len(w.saved()); n != 0 {
		t.Errorf("a link has saved %d tools", n)
	}
	for _, path := range []string{"/account/tools", "/account/one-tap"} {
		p := b.do("POST", path, url.Values{"tool": {"wallet"}, "amount": {"9000"}, "currency": {"JPY"}, "agree": {"1"}})
		if p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/sign-in?next=%2Faccount") {
			t.Errorf("POST %s: %d to %q", path, p.status, p.to)
		}
	}
}

// One-tap payment is off until the box is ticked; it is shown, announced, ended
// with one tap, and cannot be allowed by somebody else for a card of aiko's.
func TestAllowingOneTap(t *testing.T) {
	w := newTill(t)
	b, card := w.keeper()
	form := url.Values{"tool": {card.ID}, "amount": {"5,000"}, "currency": {"JPY"}}
	has(t, b.see("/account").html, "Whoever opens a link", "Do not forward such messages")
	if p := b.do("POST", "/account/one-tap", form); p.status != http.StatusUnprocessableEntity {
		t.Errorf("without the tick: %d", p.status)
	}
	form.Set("agree", "1")
	b.post("/account/one-tap", form)
	has(t, b.see("/account").html, "Allowed: Visa •• 4242, up to ¥5,000 for each link.")
	if p := w.browser(locale.En).signIn("other@example.com").do("POST", "/account/one-tap", form); p.status != http.StatusNotFound {
		t.Errorf("somebody else's card: %d", p.status)
	}
	b.post("/account/one-tap", url.Values{"end": {"1"}})
	if html := b.see("/account").html; strings.Contains(html, "Allowed:") {
		t.Error("it was ended and is shown")
	}
}

// Through one link no more is paid than was allowed, over several orders.
func TestOneTapLimitOverOrders(t *testing.T) {
	w := newTill(t)
	owner, card := w.keeper()
	owner.post("/account/one-tap", url.Values{"tool": {card.ID}, "amount": {"4000"}, "currency": {"JPY"}, "agree": {"1"}})
	b := w.browser(locale.En).link("packs")
	paid := 0
	for range 6 {
		items := itemsOf(b.see("/lines/" + w.lines["packs"] + "/renew").html)
		if len(items) == 0 {
			break
		}
		quote := b.quote("packs", items[0])
		p := b.do("POST", "/quotes/"+quote, b.confirm(quote, "saved:"+card.ID))
		w.work()
		if p.status == http.StatusForbidden || p.status == http.StatusUnprocessableEntity {
			break
		}
		paid++
	}
	var sum int64
	for _, o := range w.orders() {
		if o.Line == w.lines["packs"] {
			sum += w.stripe.Captured(o.ID).Minor
		}
	}
	if paid == 0 || sum > 4000 {
		t.Errorf("%d orders of %d were paid through a link that may pay 4000", paid, sum)
	}
}

// itemsOf are what a renew page offers.
func itemsOf(html string) (all []string) {
	for _, part := range strings.Split(html, `name="item" value="`)[1:] {
		value, _, _ := strings.Cut(part, `"`)
		all = append(all, value)
	}
	return all
}

// A whole renewal with a kept card, from the link to the result, weighs at most
// 60 kB, all of it ours (promise 5).
func TestRenewalWithAKeptCardIsLight(t *testing.T) {
	w := newTill(t)
	owner, card := w.keeper()
	owner.post("/account/one-tap", url.Values{"tool": {card.ID}, "amount": {"9000"}, "currency": {"JPY"}, "agree": {"1"}})
	w.weigh(w.browser(locale.Ja).link("volume"), "saved:"+card.ID, w.work)
}

// foreign are the addresses on a page that are not ours.
func foreign(html string) (all []string) {
	for _, attr := range []string{`src="http`, `action="http`, `href="http`} {
		for _, part := range strings.Split(html, attr)[1:] {
			to, _, _ := strings.Cut(part, `"`)
			if !slices.Contains(all, to) && !strings.Contains(to, "example") {
				all = append(all, to)
			}
		}
	}
	return all
}

// Tokens stand in no page and no log.
func TestTokensStayInside(t *testing.T) {
	w := newTill(t)
	b, tool := w.keeper()
	kept := w.stripe.Saved(holderOf(w, tool))
	if len(kept) != 1 {
		t.Fatalf("Stripe keeps %v", kept)
	}
	quote := b.quote("volume", "term/machi-10gb/10gb-15d")
	all := b.see("/account").html + b.see("/quotes/"+quote).html + b.see(b.post("/quotes/"+quote, b.confirm(quote, "saved:"+tool.ID))).html
	if strings.Contains(all, kept[0].ID) || bytes.Contains(w.log.Bytes(), []byte(kept[0].ID)) {
		t.Error("the token shows")
	}
}
