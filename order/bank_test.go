package order_test

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const (
	stripeKey    = "sk_test_desk"
	stripeSecret = "whsec_desk"
)

// bank is one payment provider: the real adapter over a wire over a simulated
// Stripe.
type bank struct {
	*stripesim.Sim
	wire *outboundsim.Wire
	name string // of the adapter
	post []stripesim.Notification
	mute bool // its notifications are lost
}

// cashier is a shop that takes cards at one provider and LINE Pay at another,
// and sends letters.
type cashier struct {
	*shop
	card, linePay *bank
	inbox         *inboxsim.Inbox
	sender        *message.Sender
	numbering     *billing.Numbering

	credited map[string]credited // what staff gave back of completed orders
}

// credited is what a refund of a completed order must do.
type credited struct{ card, wallet, points int64 }

// elsewhere is a second provider for another rail, for customers who change
// their mind: the same adapter with an account of its own.
type elsewhere struct{ *stripe.Adapter }

func (e elsewhere) Limits() payment.Limits {
	l := e.Adapter.Limits()
	l.Rails = []payment.Rail{payment.LINEPay}
	l.Currencies = map[payment.Rail][]money.Currency{payment.LINEPay: l.Currencies[payment.Card]}
	return l
}

func (e elsewhere) Start(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	a.Rail = payment.Card
	return e.Adapter.Start(ctx, a)
}

func (e elsewhere) Abandon(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	a.Rail = payment.Card
	return e.Adapter.Abandon(ctx, a)
}

func newCashier(t tester, env dbtest.Env) *cashier {
	t.Helper()
	c := &cashier{shop: newShop(t, env), inbox: &inboxsim.Inbox{}, numbering: &billing.Numbering{DB: env.DB}}
	c.sender = &message.Sender{
		DB: env.DB, Deliverers: map[message.Channel]message.Deliverer{message.Email: c.inbox}, AtOnce: 1,
		From: message.From{Seller: "Tsuzuku", URL: "https://shop.test"},
		Fill: func(_ context.Context, m message.Message) (message.Message, error) {
			m.To, m.Language = message.Address{Channel: message.Email, Value: m.Account + "@traveller.test"}, "en"
			return m, nil
		},
	}
	card, adapter := newBank(t, env, "stripe")
	other, second := newBank(t, env, "other")
	c.card, c.linePay = card, other
	c.Desk.Providers = map[string]payment.Provider{"stripe": adapter, "other": elsewhere{second}}
	c.Desk.Rails = map[payment.Rail]string{payment.Card: "stripe", payment.LINEPay: "other"}
	return c
}

// banks counts, so that two banks never give the same identifier to two payments.
var banks atomic.Uint64

func newBank(t tester, env dbtest.Env, name string) (*bank, *stripe.Adapter) {
	t.Helper()
	sim := stripesim.New(stripesim.Config{Key: stripeKey, WebhookSecret: stripeSecret, Now: env.Clock.Now, Rand: mathrand.New(mathrand.NewPCG(banks.Add(1), 0))})
	b := &bank{Sim: sim, wire: &outboundsim.Wire{Stranger: sim}, name: name}
	a, err := stripe.New(stripe.Config{Key: stripeKey, WebhookSecrets: []string{stripeSecret}},
		outbound.New(outbound.Options{Transport: b.wire}), env.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return b, a
}

func (c *cashier) banks() []*bank { return []*bank{c.card, c.linePay} }

// next lets the next calls of one kind suffer one fault each. The kind is a
// method and the end of a path, such as "POST refunds".
func (b *bank) next(kind string, faults ...outboundsim.Fault) {
	method, path, _ := strings.Cut(kind, " ")
	b.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if len(faults) == 0 || r.Method != method || !strings.HasSuffix(r.URL.Path, path) {
			return outboundsim.None
		}
		f := faults[0]
		faults = faults[1:]
		return f
	}
}

// always lets every call of one kind suffer the same.
func (b *bank) always(kind string, f outboundsim.Fault) {
	method, path, _ := strings.Cut(kind, " ")
	b.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if r.Method == method && strings.HasSuffix(r.URL.Path, path) {
			return f
		}
		return outboundsim.None
	}
}

func (b *bank) works() { b.wire.Choose = nil }

// deliver posts the notifications whose time has come.
func (c *cashier) deliver(t tester) (worked bool) {
	t.Helper()
	for _, b := range c.banks() {
		b.post = append(b.post, b.Notifications()...)
		var later []stripesim.Notification
		for _, n := range b.post {
			switch {
			case b.mute:
			case n.DueAt.After(c.Clock.Now()):
				later = append(later, n)
			default:
				worked = true
				if _, err := c.Desk.Notify(t.Context(), b.name, n.Header, n.Body); err != nil {
					b.Failed(n)
					if !errors.Is(err, payment.ErrForged) {
						t.Errorf("notification %s: %v", n.Type, err)
					}
				}
			}
		}
		b.post = later
	}
	return worked
}

// steps is everything that runs by itself, once.
func (c *cashier) steps(t tester) (worked bool) {
	t.Helper()
	for _, step := range []func(context.Context) (bool, error){
		c.Desk.Step, c.Desk.PaymentStep, c.Desk.RefundStep, c.Desk.WalletStep, c.Desk.ToolStep, c.numbering.Step, c.sender.Step,
	} {
		w, err := step(t.Context())
		if err != nil {
			t.Error(err)
		}
		worked = worked || w
	}
	return worked
}

// work lets everything happen that is due at this instant.
func (c *cashier) work(t tester) {
	t.Helper()
	for range 200 {
		posted := c.deliver(t)
		if worked := c.steps(t); !worked && !posted {
			return
		}
	}
	t.Fatal("the work never ends")
}

// pass lets time pass, and everything happen that becomes due meanwhile.
func (c *cashier) pass(t tester, d time.Duration) {
	t.Helper()
	end := c.Clock.Now().Add(d)
	for range 5000 {
		c.work(t)
		c.Sim.Deliver() // an operator acts within its time
		next := c.nextDue(t)
		if next.IsZero() || next.After(end) {
			c.Clock.Set(end)
			c.work(t)
			return
		}
		c.Clock.Set(next)
	}
	t.Fatalf("something is due again and again; at %v", c.Clock.Now())
}

// nextDue is when something is due next; zero if nothing is.
func (c *cashier) nextDue(t tester) (next time.Time) {
	t.Helper()
	err := c.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		next = time.Time{}
		queries := []string{
			`SELECT MIN(due_at) FROM orders`, `SELECT MIN(due_at) FROM payments`, `SELECT MIN(due_at) FROM refunds`, `SELECT MIN(due_at) FROM saved_tools`,
			`SELECT MIN(due_at) FROM messages WHERE state IN ('due', 'sending', 'unknown')`,
		}
		if c.Desk.WalletExpiry > 0 {
			queries = append(queries, `SELECT MIN(due_at) FROM wallet_ages`)
		}
		for _, query := range queries {
			var due db.Instant
			if err := tx.QueryRow(ctx, query).Scan(&due); err != nil {
				return err
			}
			next = sooner(next, due.Time)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range c.banks() {
		for _, n := range b.post {
			next = sooner(next, n.DueAt)
		}
	}
	return next
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// rest is long enough for everything that is under way to end.
const rest = 20 * 24 * time.Hour

// checkout places an order for a quote and begins to pay it; it returns the
// order and the name under which the provider knows the attempt.
func (c *cashier) checkout(t tester, q order.Quote, rail payment.Rail) (order.Order, order.Payment) {
	t.Helper()
	o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: catalogue.Tool(rail)})
	if err != nil {
		t.Fatal(err)
	}
	if o.State != order.Placed {
		t.Fatalf("order is %s, want placed", o.State)
	}
	return o, c.pay(t, o, rail)
}

var ways = order.Ways{Return: "https://shop.test/orders/1?back=1", Cancel: "https://shop.test/orders/1?back=0", Language: "ja"}

func (c *cashier) pay(t tester, o order.Order, rail payment.Rail) order.Payment {
	t.Helper()
	p, err := c.Desk.Pay(t.Context(), o.Ref(), rail, ways)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// come is the customer's browser coming back.
func (c *cashier) come(t tester, o order.Order) {
	t.Helper()
	if err := c.Desk.Resume(t.Context(), o.Ref(), map[string][]string{"back": {"1"}}); err != nil {
		t.Error(err)
	}
}

// must fails the test where the customer cannot do what the story tells.
func must(t tester) func(stripesim.Shown, error) {
	return func(_ stripesim.Shown, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cashier) orders(t tester, account string) []order.Order {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]order.Order, error) {
		return order.List(ctx, tx, account, "", 100)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (c *cashier) payments(t tester, o order.Order) []order.Payment {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]order.Payment, error) {
		return order.Payments(ctx, tx, o.Ref())
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (c *cashier) refunds(t tester, o order.Order) []order.Refund {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]order.Refund, error) {
		return order.Refunds(ctx, tx, o.Ref())
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// count counts rows of an account.
func (c *cashier) count(t tester, query, account string, args ...any) int {
	t.Helper()
	n := 0
	err := c.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, query, append([]any{account}, args...)...).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// told counts the messages of a kind that a customer got.
func (c *cashier) told(t tester, account string, kind message.Kind) int {
	t.Helper()
	return c.count(t, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND kind = $2 AND state = 'sent'`, account, string(kind))
}

func (c *cashier) cases(t tester, account, title string) int {
	t.Helper()
	return c.count(t, `SELECT COUNT(*) FROM cases WHERE account_id = $1 AND title = $2 AND state = 'open'`, account, title)
}

// want fails the test unless the order stands so.
func (c *cashier) want(t tester, o order.Order, s order.State, reason string) order.Order {
	t.Helper()
	got := c.get(t, o.Ref())
	if got.State != s || got.Reason != reason {
		t.Fatalf("order is %s (%q, %s), want %s (%q)", got.State, got.Reason, got.Evidence, s, reason)
	}
	return got
}

// clean demands that no promise is broken but those that the story explains.
func (c *cashier) clean(t tester, account string, explained ...string) {
	t.Helper()
	found, err := audit.Run(t.Context(), c.DB)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range found {
		if v.Account != account && v.Account != "" {
			continue
		}
		if !slices.Contains(explained, v.Check) {
			t.Error(v)
		}
		names = append(names, v.Check)
	}
	for _, e := range explained {
		if !slices.Contains(names, e) {
			t.Errorf("audit does not report %s, and the story says it should", e)
		}
	}
	if len(explained) == 0 {
		c.wants(t, account)
	}
}

// fair compares our story with what the strangers know: the operator served
// exactly the completed orders, each once; what the providers took and did not
// give back is what those orders cost beside wallet and points; these lost exactly
// what they paid; points were earned on money; and the customer heard how each
// order ended.
func (c *cashier) fair(t tester, account string, opened int64, explained ...string) {
	t.Helper()
	kept, spent, points := int64(0), int64(0), c.givenPoints(t, account)
	for _, o := range c.orders(t, account) {
		served := c.Sim.Extended(o.ID) + c.Sim.Issues(o.ID)
		done := o.State == order.Completed
		back, credited := c.credited[o.ID]
		kept, spent, points = kept-back.card, spent-back.wallet, points+back.points
		switch {
		case o.Kind != order.TopUp && (served == 1) != done && !credited, served > 1:
			t.Errorf("%s is %s (%s), and the operator extended it %d times", o.ID, o.State, o.Reason, served)
		case done && o.Kind == order.TopUp:
			kept += o.Price.Minor
			spent -= o.Price.Minor
		case done:
			kept += o.Parts.Rest
			spent += o.Parts.Wallet
			points += o.Charged().Minor/100 - o.Parts.Points
		case o.State == order.Placed: // it is set aside
			spent += o.Parts.Wallet
			points -= o.Parts.Points
		}
	}
	if _, got := c.documents(t, account, ""); got != points {
		t.Errorf("the customer has %d points, want %d", got, points)
	}
	if got := c.kept(t, account); got != kept {
		t.Errorf("the providers keep %d of this customer's money, and what was served cost %d", got, kept)
	}
	if got := opened - c.wallet(t, account); got != spent {
		t.Errorf("the wallet lost %d, want %d", got, spent)
	}
	c.clean(t, account, explained...)
}

// grant gives a customer points.
func (s *shop) grant(t tester, account string, points int64) {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: "points", Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Points, Amount: money.Of(points, money.Points)},
		}})
	})
}

// givenPoints are those that grant gave.
func (c *cashier) givenPoints(t tester, account string) int64 {
	t.Helper()
	return int64(c.count(t, `SELECT COALESCE(SUM(minor), 0) FROM transfers WHERE account_id = $1 AND from_book = 'opening' AND to_book = 'points'`, account))
}

// kept is what the providers took from a customer and did not give back, by
// what they themselves say.
func (c *cashier) kept(t tester, account string) (kept int64) {
	t.Helper()
	for _, o := range c.orders(t, account) {
		for _, b := range c.banks() {
			kept += b.Captured(o.ID).Minor - b.Refunded(o.ID).Minor
		}
	}
	return kept
}

// priced fixes the first term of a plan in a currency.
func (c *cashier) priced(t tester, account, lineID, plan string, currency money.Currency) order.Quote {
	t.Helper()
	p, _ := demo().Plan(plan)
	q, err := c.Desk.Quote(t.Context(), account, lineID, renewal.Item{Kind: renewal.Term, Plan: plan, ID: p.Terms[0].ID}, currency)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// owed is what the ledger says we owe a customer in service or money.
func (c *cashier) owed(t tester, account string, currency money.Currency) int64 {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]ledger.Entry, error) {
		return ledger.Entries(ctx, tx, account, ledger.Due, 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, e := range all {
		switch {
		case e.Amount.Currency != currency:
		case e.To == ledger.Due:
			sum += e.Amount.Minor
		default:
			sum -= e.Amount.Minor
		}
	}
	return sum
}

func isConflict(err error) bool { return fault.KindOf(err) == fault.Conflict }

func refused(carrier.Extension) carriersim.Fault { return carriersim.Refuse }

// atOnce runs n pieces of work side by side.
func atOnce(n int, do func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}
