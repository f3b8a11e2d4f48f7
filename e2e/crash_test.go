package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/world"
)

// story is one order from the first click to the last letter.
type story struct {
	name string
	plan string // of one of the lines of the demo's customer; empty: money into the wallet
	tool catalogue.Tool

	parts  func(price money.Money) order.Parts // what points and wallet pay beside the tool; nil: nothing
	fresh  bool                                // a new line of the plan is bought
	sparse int64                               // the story is killed at every so-many-th point only, as it has most of them in common with others; 0: at each
	second string                              // the plan of a line that is renewed together with the first; empty: none

	trouble func(*town) // what strangers do
	ends    order.State // when nobody kills the house; empty: it is not certain which order ends how
}

const card = catalogue.Tool(payment.Card)

// The plans of lines at the simulated operator and at eSIM Access.
const (
	simplePlan = "machi-5gb"
	accessPlan = "aurora-sum"
	secondPlan = "machi-10gb" // another line at the simulated operator
)

func stories() []story {
	silent := func(s *town) { s.simpleBad = carriersim.LoseAnswer }
	refuses := func(s *town) { s.simpleBad = carriersim.Refuse }
	mixed := func(price money.Money) order.Parts {
		return order.Parts{Points: 300, Discount: 300, Wallet: 500, Rest: price.Minor - 800}
	}
	return []story{
		{name: "wallet", plan: simplePlan, tool: order.ToolWallet, ends: order.Completed},
		{name: "card", plan: simplePlan, tool: card, ends: order.Completed},
		{name: "operator loses the answer", plan: simplePlan, tool: order.ToolWallet, trouble: silent, ends: order.Completed},
		{name: "card, operator refuses", plan: simplePlan, sparse: 2, tool: card, trouble: refuses, ends: order.Refunded},
		{name: "eSIM Access", plan: accessPlan, tool: order.ToolWallet, ends: order.Completed},
		{
			name: "card, eSIM Access loses the answer", plan: accessPlan, sparse: 2, tool: card,
			trouble: func(s *town) { s.loseAnswer("/esim/topup") }, ends: order.Completed,
		},
		{
			name: "new line by card, eSIM Access loses the answer", plan: accessPlan, fresh: true, sparse: 5, tool: card,
			trouble: func(s *town) { s.loseAnswer("/esim/order") }, ends: order.Completed,
		},
		{name: "money into the wallet", tool: card, ends: order.Completed},
		{name: "points, wallet and card", plan: simplePlan, sparse: 2, tool: card, parts: mixed, ends: order.Completed},
		{name: "points, wallet and card, operator refuses", plan: simplePlan, sparse: 4, tool: card, parts: mixed, trouble: refuses, ends: order.Refunded},
		{name: "two lines by card", plan: simplePlan, second: secondPlan, sparse: 3, tool: card, ends: order.Completed},
		{name: "two lines by card, operator refuses one", plan: simplePlan, second: secondPlan, sparse: 4, tool: card, trouble: refuses},
	}
}

// The process is killed before and after the n-th commit and the n-th call to a
// stranger, for every n there is. Started again, the house brings the order to
// its end: served exactly once or the money back in full, the books and the
// strangers agreed, every promise kept.
func TestKilledAnywhereNothingIsLostOrDoubled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		engine := map[db.Engine]func(testing.TB) dbtest.Env{db.SQLite: dbtest.SQLite, db.PostgreSQL: dbtest.Postgres}[env.DB.Engine()]
		total := 0
		for _, s := range stories() {
			t.Run(strings.ReplaceAll(s.name, " ", "_"), func(t *testing.T) {
				kills, ends := killEverywhere(t, s, engine, s.stride(env.DB.Engine()))
				total += kills
				t.Logf("%s: killed at %d points; the orders ended: %s", s.name, kills, say(ends))
			})
		}
		t.Logf("%s: killed at %d points in %d stories", env.DB.Engine(), total, len(stories()))
	})
}

// killsAtOnce is how many houses are killed side by side.
const killsAtOnce = 2

// stride is how many points lie between two kills. The points are the same on both
// engines; where a house takes long to start, every sixteenth is enough, and of sparse
// stories fewer. TSUZUKU_EVERY_POINT=1 wants them all. Short runs kill at every seventh.
func (s story) stride(e db.Engine) int64 {
	switch {
	case testing.Short():
		return 7
	case os.Getenv("TSUZUKU_EVERY_POINT") != "":
		return 1
	case e == db.PostgreSQL:
		return 16 * max(1, s.sparse)
	}
	return 4 * max(1, s.sparse)
}

// killEverywhere tells the story with the process killed at one point after another,
// until it is told to its end. Stories begin at different points, so that what
// they have in common is killed at each of them.
func killEverywhere(t *testing.T, s story, engine func(testing.TB) dbtest.Env, stride int64) (kills int, ends map[string]int) {
	t.Helper()
	ends = map[string]int{}
	first := 1 + int64(len(s.name))%stride
	var mu sync.Mutex
	var all sync.WaitGroup
	var last atomic.Int64
	var untouched atomic.Bool
	for range killsAtOnce {
		all.Go(func() {
			for !untouched.Load() && !t.Failed() {
				n := (last.Add(1)-1)*stride + first
				t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
					r := s.tell(t, engine(t), n)
					mu.Lock()
					defer mu.Unlock()
					if r.died != "" {
						kills++
						ends[string(r.end)]++
						return
					}
					untouched.Store(true)
					if s.ends != "" && r.end != s.ends {
						t.Errorf("untouched, the order ended %s, want %s", r.end, s.ends)
					}
				})
			}
		})
	}
	all.Wait()
	return kills, ends
}

// result is how a story ended.
type result struct {
	end  order.State
	died string
}

// tell tells the story once, with the house killed at the n-th point, and
// judges how it ended.
func (s story) tell(t *testing.T, env dbtest.Env, n int64) result {
	t.Helper()
	town := newTown(t, env.Clock)
	sd := town.seed(t, env)
	if s.trouble != nil {
		s.trouble(town)
	}
	l := lodge(t, town, sd.url, n)
	c := &customer{t: t, town: town, house: l, who: sd.customer}
	w := wish{Account: sd.customer, TopUp: money.Of(3000, "JPY")}
	switch {
	case s.fresh:
		w.Item = renewal.Item{Kind: renewal.NewLine, Plan: s.plan, ID: firstTerm(t, s.plan).ID}
	case s.plan != "":
		w.Line, w.Item = sd.lines[s.plan].ID, firstTerm(t, s.plan)
	}
	var seen []sight
	if s.second != "" {
		seen = c.buyTogether(s.tool, w, wish{Account: sd.customer, Line: sd.lines[s.second].ID, Item: firstTerm(t, s.second)})
	} else {
		seen = []sight{c.buy(w, s.tool, s.parts)}
	}
	c.rest()
	l.close()
	s.judge(t, town, sd, seen)
	if t.Failed() {
		t.Logf("the house died %s", l.died)
	}
	return result{seen[0].Order.State, l.died}
}

func firstTerm(t *testing.T, plan string) renewal.Item {
	t.Helper()
	p, ok := catalogue.Demo().Plan(plan)
	if !ok {
		t.Fatalf("no plan %s", plan)
	}
	return renewal.Item{Kind: renewal.Term, Plan: plan, ID: p.Terms[0].ID}
}

// judge compares our books with what the strangers saw.
func (s story) judge(t *testing.T, town *town, sd seeded, seen []sight) {
	t.Helper()
	d, err := db.Open(t.Context(), sd.url, db.Options{Now: town.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	found, err := audit.Run(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("audit: %s", v)
	}
	f := s.facts(t, d, town, sd, seen)
	want := facts{orders: len(seen), points: demoPoints}
	for _, one := range seen {
		want = want.with(t, one.Order, town)
	}
	if f != want {
		t.Errorf("%s %s (%s): %+v, want %+v", seen[0].Order.ID, seen[0].Order.State, seen[0].Order.Reason, f, want)
	}
	if letters := town.Inbox.To(world.Traveller); len(letters) == 0 {
		t.Error("the customer heard nothing")
	}
}

// with adds what an order as it ended must have come to.
func (f facts) with(t *testing.T, o order.Order, town *town) facts {
	t.Helper()
	switch o.State {
	case order.Completed:
		f.paid += o.Charged().Minor
		if o.Kind != order.TopUp {
			f.served++
			f.points += o.Charged().Minor/100 - o.Parts.Points
		}
	case order.Refunded, order.Cancelled:
	case order.Held:
		t.Logf("held: %s (%s)", o.Reason, o.Evidence)
		f.paid, f.served, f.points = f.paid+o.Charged().Minor, f.served+town.Simple.Extended(o.ID), f.points-o.Parts.Points
	case order.Placed, order.Paid, order.Fulfilling, order.RefundDue:
		t.Errorf("the order never ended: %s, due %v, %s", o.State, o.DueAt, o.Evidence)
	}
	return f
}

// facts are what really happened.
type facts struct {
	orders int
	served int   // how often the operators extended lines
	paid   int64 // what the customer is poorer by, in all
	points int64 // that the customer has
}

func (s story) facts(t *testing.T, d *db.DB, town *town, sd seeded, seen []sight) facts {
	t.Helper()
	var f facts
	wallet := int64(0)
	err := d.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		all, err := order.List(ctx, tx, sd.customer, "", 100)
		if err != nil {
			return err
		}
		f.orders = len(all)
		m, err := ledger.Balance(ctx, tx, sd.customer, ledger.Wallet, "JPY")
		if err != nil {
			return err
		}
		wallet = m.Minor
		p, err := ledger.Balance(ctx, tx, sd.customer, ledger.Points, money.Points)
		f.points = p.Minor
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if o := seen[0].Order; o.Kind == order.TopUp {
		if put := wallet - demoWallet; put != 0 && put != o.Price.Minor || (put != 0) != (o.State == order.Completed) {
			t.Errorf("%s is %s and put %d into the wallet", o.ID, o.State, put)
		}
	} else {
		f.paid = demoWallet - wallet
	}
	for _, ch := range town.Stripe.Charges() {
		f.paid += ch.Captured.Minor - ch.Refunded.Minor
	}
	f.served = len(town.Access.TopUps(sd.lines[accessPlan].ProfileID))
	for _, one := range seen {
		f.served += town.Simple.Extended(one.Order.ID)
		for _, tran := range town.Access.Profiles() {
			if town.Access.Profile(tran).TransactionID == one.Order.ID {
				f.served++
			}
		}
	}
	return f
}

// demoWallet is what the demo's customer has at first, in yen.
const demoWallet = 20_000

// demoPoints are the points that they have.
const demoPoints = 350

// customer buys one thing, and does what people do: clicks again when nothing
// came back, pays when shown a page to pay on, and otherwise waits.
type customer struct {
	t     *testing.T
	town  *town
	house *lodging
	who   string
}

// patience is how many times the customer looks before we call it for ever.
const patience = 400

// buy returns what the order's page shows once it has ended, or is held.
func (c *customer) buy(w wish, tool catalogue.Tool, parts func(money.Money) order.Parts) sight {
	c.t.Helper()
	q := must(ask[order.Quote](c.house, "/e2e/quote", w))(c.t)
	a := order.Acceptance{Account: c.who, Quote: q.ID, Amount: q.Price, Tool: tool}
	if parts != nil {
		a.Parts = parts(q.Price)
	}
	return c.see(must(ask[order.Order](c.house, "/e2e/place", a))(c.t))[0]
}

// buyTogether returns what the orders' pages show once all have ended.
func (c *customer) buyTogether(tool catalogue.Tool, wishes ...wish) []sight {
	c.t.Helper()
	t := order.Together{Account: c.who, Amount: money.Of(0, "JPY"), Tool: tool}
	for _, w := range wishes {
		q := must(ask[order.Quote](c.house, "/e2e/quote", w))(c.t)
		t.Quotes, t.Amount.Minor = append(t.Quotes, q.ID), t.Amount.Minor+q.Price.Minor
	}
	return c.see(must(ask[[]order.Order](c.house, "/e2e/together", t))(c.t)...)
}

// see waits until orders have ended, or are held, and pays while they can be. The
// first is the one under which payments stand.
func (c *customer) see(orders ...order.Order) []sight {
	c.t.Helper()
	paid := map[string]bool{}
	seen := make([]sight, len(orders))
	for range patience {
		ended, next := 0, sight{}
		for i, o := range orders {
			seen[i] = must(ask[sight](c.house, "/e2e/look", o.Ref()))(c.t)
			if s := seen[i]; s.Order.State.Final() || s.Order.State == order.Held {
				ended++
			} else if next.NextDue.IsZero() || !s.NextDue.IsZero() && s.NextDue.Before(next.NextDue) {
				next = s
			}
		}
		if ended == len(orders) {
			return seen
		}
		acted := seen[0].Order.State == order.Placed && seen[0].Order.Parts.Rest > 0 && c.pay(seen[0], paid)
		if c.work() || acted {
			continue
		}
		c.wait(next)
	}
	c.t.Errorf("after %d looks: %+v", patience, seen)
	return seen
}

// pay does the next thing to be done about a payment, if there is one.
func (c *customer) pay(s sight, paid map[string]bool) (acted bool) {
	c.t.Helper()
	var live order.Payment
	for _, p := range s.Payments {
		if p.Live {
			live = p
		}
	}
	switch {
	case live.ID != "" && live.Next.RedirectURL == "":
		return false // "we are looking what became of it"
	case live.ID == "":
		_, err := ask[order.Payment](c.house, "/e2e/pay", s.Order.Ref())
		if no, ok := errors.AsType[*refusal](err); ok && no.Reason != "payment_open" {
			c.t.Errorf("pay: %v", err) // else: the click before the crash had opened one
		}
		return true
	case paid[live.Ref]:
		return false
	}
	if _, err := c.town.Stripe.Pay(live.Ref); err != nil {
		c.t.Fatal(err)
	}
	paid[live.Ref] = true
	if _, err := ask[struct{}](c.house, "/e2e/resume", s.Order.Ref()); err != nil {
		c.t.Errorf("coming back from the card page: %v", err)
	}
	return true
}

// work lets house and strangers do what is due now.
func (c *customer) work() (worked bool) {
	c.t.Helper()
	w := must(ask[toil](c.house, "/e2e/toil", struct{}{}))(c.t)
	for _, e := range w.Errors {
		c.t.Errorf("work: %s", e)
	}
	told, err := c.town.Deliver(c.t.Context(), c.house)
	if err != nil {
		c.t.Fatal(err)
	}
	return w.Worked || told
}

// wait moves time to when something is due next.
func (c *customer) wait(s sight) {
	c.t.Helper()
	if s.NextDue.IsZero() {
		c.t.Fatalf("nothing will ever happen: %+v", s)
	}
	c.town.Clock.Add(max(time.Second, s.NextDue.Sub(c.town.Clock.Now())))
}

// rest gives numbers, letters and notifications their time.
func (c *customer) rest() {
	c.t.Helper()
	for range 3 {
		for c.work() {
		}
		c.town.Clock.Add(2 * time.Minute)
	}
	for c.work() {
	}
}

// must returns the value, or ends the test.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// say prints counts in order.
func say(counts map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
	}
	return strings.Join(parts, ", ")
}
