package order_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/seal"
)

const charges = "POST payment_intents"

// newTeller is a shop that keeps cards.
func newTeller(t tester, env dbtest.Env) *cashier {
	t.Helper()
	c := newCashier(t, env)
	c.Desk.Seal = seal.New("saved tools", "the secret of the tests", nil, nil)
	c.sender.From.URL = "https://shop.test"
	return c
}

// regular is a customer who has paid one renewal and had the card kept.
func (c *cashier) regular(t tester) (account string, tool order.SavedTool) {
	t.Helper()
	account, ln := c.customer(t, extendable, 48*time.Hour, 0)
	return account, c.keepCard(t, account, ln)
}

// keepCard pays a renewal, with consent.
func (c *cashier) keepCard(t tester, account, ln string) order.SavedTool {
	t.Helper()
	o := c.placed(t, c.quote(t, account, ln, extendable))
	w := ways
	w.Keep = true
	p, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, w)
	if err != nil {
		t.Fatal(err)
	}
	c.card.Tell(stripesim.Early, stripesim.Early, stripesim.Early, stripesim.Early)
	must(t)(c.card.Pay(p.Ref))
	c.deliver(t) // before anybody knows what is secret in it
	c.come(t, o)
	c.pass(t, time.Minute)
	c.want(t, o, order.Completed, "")
	all := c.tools(t, account)
	if len(all) == 0 {
		t.Fatal("nothing was kept")
	}
	return all[len(all)-1]
}

func (c *cashier) tools(t tester, account string) []order.SavedTool {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]order.SavedTool, error) {
		return order.SavedTools(ctx, tx, account)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (c *cashier) placed(t tester, q order.Quote) order.Order {
	t.Helper()
	o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: catalogue.Tool(payment.Card)})
	if err != nil || o.State != order.Placed {
		t.Fatalf("order is %s, %v", o.State, err)
	}
	return o
}

// renewal is an order of the customer's for another line of theirs.
func (c *cashier) renewal(t tester, account string) order.Order {
	t.Helper()
	return c.placed(t, c.quote(t, account, c.another(t, account, extendable, 48*time.Hour), extendable))
}

func with(tool order.SavedTool) order.Ways {
	w := ways
	w.Saved = tool.ID
	return w
}

func (c *cashier) charge(t tester, o order.Order, tool order.SavedTool) (order.Payment, error) {
	t.Helper()
	return c.Desk.Pay(t.Context(), o.Ref(), payment.Card, with(tool))
}

// tokens are what Stripe keeps for anybody.
func (c *cashier) tokens(account string, t tester) (all []string) {
	t.Helper()
	for _, holder := range c.column(t, `SELECT DISTINCT holder FROM saved_tools WHERE account_id = $1`, account) {
		for _, s := range c.card.Saved(holder) {
			all = append(all, s.ID)
		}
	}
	return all
}

func (c *cashier) column(t tester, query string, args ...any) (all []string) {
	t.Helper()
	err := c.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		all = nil
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			all = append(all, s)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sent counts requests that ask Stripe for something.
func (b *bank) sent(path string) (n int) {
	for _, call := range b.Calls() {
		if call.Method == http.MethodPost && strings.HasSuffix(call.Path, path) && !call.Replayed {
			n++
		}
	}
	return n
}

// A card that the customer agreed to have kept pays the next renewal without any
// page: once, and with the consent and its words on record. Nothing that could
// be charged with is readable in the database.
func TestSavedCardPays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		if tool.Consent.Version != order.KeepConsent || tool.Consent.Language != "ja" || tool.Consent.At.IsZero() || tool.Label != "Visa •• 4242" || tool.Until.IsZero() {
			t.Errorf("kept %+v", tool)
		}
		o := c.renewal(t, account)
		p, err := c.charge(t, o, tool)
		if err != nil || p.State != payment.Paid || p.Next != (payment.Next{}) {
			t.Fatalf("the charge is %s and shows %+v, %v", p.State, p.Next, err)
		}
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		if got := c.card.Captured(o.ID); got != o.Price {
			t.Errorf("captured %v, want %v", got, o.Price)
		}
		c.fair(t, account, 0)
		if n := c.told(t, account, message.ToolSaved); n != 1 {
			t.Errorf("told %d times that the card is kept", n)
		}
		if c.tools(t, account)[0].UsedAt.IsZero() {
			t.Error("it is not noted when it was used")
		}
		kept := c.tokens(account, t)
		if len(kept) != 1 {
			t.Fatalf("Stripe keeps %v", kept)
		}
		for _, query := range []string{
			`SELECT token || holder || mark || label || trouble FROM saved_tools WHERE account_id = $1`,
			`SELECT body FROM provider_events WHERE account_id IN ($1, '')`, `SELECT facts FROM messages WHERE account_id = $1`,
			`SELECT code || next_url || money_id || provider_id FROM payments WHERE account_id = $1`, `SELECT evidence FROM cases WHERE account_id = $1`,
		} {
			for _, text := range c.column(t, query, account) {
				if strings.Contains(text, kept[0]) {
					t.Errorf("the token stands in %s: %.300s", query, text)
				}
			}
		}
	})
}

// Without agreement nothing is kept, whatever is paid, and a shop without a
// secret keeps nothing at all.
func TestNothingIsKeptUnasked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, sealed := range []bool{true, false} {
			c := newTeller(t, env)
			w := ways
			if !sealed {
				c.Desk.Seal, w.Keep = nil, true
			}
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			o := c.placed(t, c.quote(t, account, ln, extendable))
			p, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, w)
			if err != nil {
				t.Fatal(err)
			}
			must(t)(c.card.Pay(p.Ref))
			c.pass(t, 2*time.Hour)
			c.want(t, o, order.Completed, "")
			if all := c.tools(t, account); len(all) != 0 {
				t.Errorf("kept %v", all)
			}
		}
	})
}

// The customer's bank may ask, on its page; the answer decides, and after a no
// any other way to pay is open at once.
func TestSavedCardWhoseBankAsks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, yes := range []bool{true, false} {
			c := newTeller(t, env)
			account, tool := c.regular(t)
			o := c.renewal(t, account)
			c.card.AskNext(1)
			p, err := c.charge(t, o, tool)
			if err != nil || p.State != payment.NeedsCustomer || p.Next.RedirectURL == "" {
				t.Fatalf("the charge is %s, %v", p.State, err)
			}
			if again, err := c.charge(t, o, tool); err != nil || again.ID != p.ID {
				t.Errorf("pressed again it is %s, %v; want the same page", again.ID, err)
			}
			must(t)(c.card.Authenticate(p.Ref, yes))
			c.come(t, o)
			if !yes {
				last := c.payments(t, o)[0]
				if last.State != payment.Dead || last.Reason != payment.NotAuthenticated {
					t.Errorf("after a no the charge is %s (%s)", last.State, last.Reason)
				}
				p, err = c.charge(t, o, tool)
				if err != nil || p.State != payment.Paid {
					t.Errorf("tried again it is %s, %v", p.State, err)
				}
			}
			c.pass(t, rest)
			c.want(t, o, order.Completed, "")
			c.fair(t, account, 0)
		}
	})
}

// A declined card charges nothing and says why at once; the same order is paid
// in another way.
func TestDeclinedSavedCard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		o := c.renewal(t, account)
		c.card.RefuseNext("insufficient_funds")
		p, err := c.charge(t, o, tool)
		if err != nil || p.State != payment.Dead || p.Reason != payment.NoFunds || p.Live {
			t.Fatalf("the charge is %s (%s), %v", p.State, p.Reason, err)
		}
		if !c.tools(t, account)[0].Usable(c.Clock.Now()) {
			t.Error("declined once, the card is given up")
		}
		page := c.pay(t, o, payment.Card)
		must(t)(c.card.Pay(page.Ref))
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
	})
}

func reasonOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Reason
	}
	return ""
}

// A card of which its bank says that it is of no more use is not offered again,
// nor is one whose last month has ended.
func TestSavedCardThatIsGone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for code, reason := range map[string]payment.Reason{"expired_card": payment.CardExpired, "invalid_account": payment.ToolGone} {
			c := newTeller(t, env)
			account, tool := c.regular(t)
			o := c.renewal(t, account)
			c.card.RefuseNext(code)
			if p, err := c.charge(t, o, tool); err != nil || p.State != payment.Dead || p.Reason != reason {
				t.Fatalf("the charge is %s (%s), %v", p.State, p.Reason, err)
			}
			gone := c.tools(t, account)[0]
			if gone.GoneAt.IsZero() || len(c.Desk.Chargeable([]order.SavedTool{gone})) != 0 {
				t.Errorf("%s: it can still be charged", code)
			}
			sent := c.card.sent("/payment_intents")
			if _, err := c.charge(t, o, tool); reasonOf(err) != "tool_off" || c.card.sent("/payment_intents") != sent {
				t.Errorf("%s: charged again, %v", code, err)
			}
		}
		c := newTeller(t, env)
		account, tool := c.regular(t)
		end := time.Date(tool.Until.Year, tool.Until.Month+1, 1, 11, 59, 59, 0, time.UTC)
		c.Clock.Set(end)
		if len(c.Desk.Chargeable(c.tools(t, account))) != 1 {
			t.Error("its last month is not over at the International Date Line, and it is not offered")
		}
		c.Clock.Set(end.Add(time.Second))
		if len(c.Desk.Chargeable(c.tools(t, account))) != 0 {
			t.Error("its last month is over, and it is offered")
		}
	})
}

// Whatever happens to the request that charges, and however often it is made: in
// the end the customer has paid once and is served, or neither.
func TestLostAnswerOfACharge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, f := range append([]outboundsim.Fault{outboundsim.None}, outboundsim.Faults...) {
			for _, then := range []string{"waits", "taps again", "pays otherwise"} {
				t.Run(fmt.Sprintf("%s/%s", f, then), func(t *testing.T) {
					c := newTeller(t, env)
					account, tool := c.regular(t)
					o := c.renewal(t, account)
					c.card.next(charges, f, f)
					_, _ = c.charge(t, o, tool)
					c.card.next("GET payment_intents", outboundsim.LoseAnswer)
					switch then {
					case "taps again":
						_, _ = c.charge(t, o, tool)
					case "pays otherwise":
						c.Clock.Add(31 * time.Second)
						if p, err := c.Desk.Pay(t.Context(), o.Ref(), payment.LINEPay, ways); err == nil && p.Next.RedirectURL != "" {
							must(t)(c.linePay.Pay(p.Ref))
							c.come(t, o)
						}
					}
					c.card.wire.Deliver()
					c.pass(t, rest)
					if s := c.get(t, o.Ref()).State; s != order.Completed && s != order.Cancelled {
						t.Errorf("the order is %s", s)
					}
					c.fair(t, account, 0)
				})
			}
		}
	})
}

// Eight taps on the button are one charge.
func TestManyTapsAreOneCharge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		o := c.renewal(t, account)
		sent := c.card.sent("/payment_intents")
		atOnce(8, func(int) {
			if _, err := c.charge(t, o, tool); err != nil && !isConflict(err) {
				t.Error(err)
			}
		})
		if n := c.card.sent("/payment_intents") - sent; n != 1 {
			t.Errorf("Stripe was asked for %d charges", n)
		}
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
	})
}

// A customer takes the card back while it is being charged. What they confirmed
// may go through, whatever happens to the request; nothing is asked for
// afterwards, and Stripe forgets the card.
func TestRemovedWhileCharging(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, f := range []outboundsim.Fault{outboundsim.None, outboundsim.LoseRequest, outboundsim.LoseAnswer, outboundsim.ActLater, outboundsim.Refuse} {
			t.Run(string(f), func(t *testing.T) {
				c := newTeller(t, env)
				account, tool := c.regular(t)
				o := c.renewal(t, account)
				var asked atomic.Int64
				c.card.wire.Choose = func(r *http.Request) outboundsim.Fault {
					if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "payment_intents") {
						return outboundsim.None
					}
					if asked.Add(1) == 1 {
						if err := c.Desk.RemoveTool(context.WithoutCancel(t.Context()), order.Key{Account: account, ID: tool.ID}); err != nil {
							t.Error(err)
						}
					}
					return f
				}
				_, _ = c.charge(t, o, tool)
				c.card.wire.Deliver()
				if _, err := c.charge(t, o, tool); err == nil {
					t.Error("a removed card is charged again")
				}
				c.pass(t, rest)
				if n := asked.Load(); n != 1 {
					t.Errorf("Stripe was asked %d times", n)
				}
				if s := c.get(t, o.Ref()).State; s != order.Completed && s != order.Cancelled {
					t.Errorf("the order is %s", s)
				}
				c.fair(t, account, 0)
				c.forgotten(t, account)
			})
		}
	})
}

// forgotten wants an account's removed tools forgotten, here and at Stripe.
func (c *cashier) forgotten(t tester, account string) {
	t.Helper()
	if kept := c.tokens(account, t); len(kept) != 0 {
		t.Errorf("Stripe still keeps %v", kept)
	}
	if n := c.count(t, `SELECT COUNT(*) FROM saved_tools WHERE account_id = $1 AND (token <> '' OR forgotten_at IS NULL OR due_at IS NOT NULL)`, account); n != 0 {
		t.Errorf("%d tools are not forgotten", n)
	}
}

// Removing is final at once, told once, and reaches the provider however the
// wire behaves.
func TestRemovedToolIsForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, f := range append([]outboundsim.Fault{outboundsim.None}, outboundsim.Faults...) {
			t.Run(string(f), func(t *testing.T) {
				c := newTeller(t, env)
				account, tool := c.regular(t)
				c.card.next("POST detach", f, f, f)
				for range 2 {
					if err := c.Desk.RemoveTool(t.Context(), order.Key{Account: account, ID: tool.ID}); err != nil {
						t.Fatal(err)
					}
				}
				if all := c.tools(t, account); len(all) != 0 {
					t.Errorf("removed, and there is %v", all)
				}
				c.pass(t, time.Hour)
				c.card.wire.Deliver()
				c.forgotten(t, account)
				if n := c.told(t, account, message.ToolRemoved); n != 1 {
					t.Errorf("told %d times that it was removed", n)
				}
			})
		}
	})
}

// A provider that does not forget is told again and again, and a person hears
// of it once.
func TestToolThatIsNotForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		c.card.always("POST detach", outboundsim.LoseRequest)
		if err := c.Desk.RemoveTool(t.Context(), order.Key{Account: account, ID: tool.ID}); err != nil {
			t.Fatal(err)
		}
		c.pass(t, 8*time.Hour)
		if n := c.cases(t, account, "tool_not_forgotten"); n != 1 {
			t.Errorf("%d cases", n)
		}
		c.card.works()
		c.pass(t, time.Hour)
		c.forgotten(t, account)
	})
}

// The same card kept again takes the place of the first, under the same customer
// at Stripe, with the newer consent; what one-tap payment was allowed goes on.
func TestCardKeptAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		if err := c.Desk.AllowOneTap(t.Context(), account, tool.ID, money.Of(5000, "JPY"), "ja"); err != nil {
			t.Fatal(err)
		}
		again := c.keepCard(t, account, c.another(t, account, extendable, 48*time.Hour))
		c.pass(t, time.Hour)
		all := c.tools(t, account)
		if len(all) != 1 || all[0].ID != again.ID || again.ID == tool.ID || !all[0].Consent.At.After(tool.Consent.At) {
			t.Errorf("kept are %v, was %v", all, tool)
		}
		if holders := c.column(t, `SELECT DISTINCT holder FROM saved_tools WHERE account_id = $1`, account); len(holders) != 1 {
			t.Errorf("the customer has the names %v at Stripe", holders)
		}
		if kept := c.tokens(account, t); len(kept) != 1 {
			t.Errorf("Stripe keeps %v", kept)
		}
		if got := c.oneTap(t, account); got.Tool != again.ID {
			t.Errorf("one-tap payment is with %q", got.Tool)
		}
		o := c.renewal(t, account)
		if p, err := c.charge(t, o, again); err != nil || p.State != payment.Paid {
			t.Errorf("the charge is %s, %v", p.State, err)
		}
	})
}

// Nobody pays with somebody else's card, and nobody removes it.
func TestToolOfAnother(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		_, tool := c.regular(t)
		thief, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o := c.placed(t, c.quote(t, thief, ln, extendable))
		sent := c.card.sent("/payment_intents")
		if _, err := c.charge(t, o, tool); fault.KindOf(err) != fault.NotFound {
			t.Errorf("charged somebody else's card: %v", err)
		}
		if err := c.Desk.RemoveTool(t.Context(), order.Key{Account: thief, ID: tool.ID}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("removed somebody else's card: %v", err)
		}
		if err := c.Desk.AllowOneTap(t.Context(), thief, tool.ID, money.Of(5000, "JPY"), "en"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("allowed one-tap payment with somebody else's card: %v", err)
		}
		if c.card.sent("/payment_intents") != sent {
			t.Error("Stripe was asked")
		}
	})
}

// When the shop's secret is changed, kept cards are charged as long as the
// former one is given; without it they are not, and are not given up either.
func TestChangedSecret(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		o := c.renewal(t, account)
		c.Desk.Seal = seal.New("saved tools", "another secret", nil, nil)
		if p, err := c.charge(t, o, tool); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("charged with a token that cannot be opened: %s, %v", p.State, err)
		}
		c.Desk.Seal = seal.New("saved tools", "another secret", []string{"the secret of the tests"}, nil)
		if p, err := c.charge(t, o, tool); err != nil || p.State != payment.Paid {
			t.Errorf("with the former secret the charge is %s, %v", p.State, err)
		}
		c.pass(t, rest)
		c.fair(t, account, 0)
	})
}

// A charge without the customer tells the bank so: it pays, or is refused.
func TestUnattendedCharge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		for _, asks := range []bool{false, true} {
			o := c.renewal(t, account)
			w := with(tool)
			w.Absent = true
			want := payment.Paid
			if asks {
				c.card.AskNext(1)
				want = payment.Dead
			}
			p, err := c.Desk.Pay(t.Context(), o.Ref(), payment.Card, w)
			if err != nil || p.State != want || asks && p.Reason != payment.NotAuthenticated {
				t.Errorf("asks=%t: the charge is %s (%s), %v", asks, p.State, p.Reason, err)
			}
		}
		c.pass(t, rest)
		c.fair(t, account, 0)
	})
}

func (c *cashier) oneTap(t tester, account string) order.OneTap {
	t.Helper()
	got, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) (order.OneTap, error) {
		one, _, err := order.AllowedOneTap(ctx, tx, account)
		return one, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Through one link no more is paid than its customer allows, whatever comes at
// once; each quote counts once; another link has its own limit; and what is not
// allowed, or no longer, is refused.
func TestOneTapLimit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, tool := c.regular(t)
		quotes := make([]order.Quote, 6)
		for i := range quotes {
			quotes[i] = c.quote(t, account, c.another(t, account, extendable, 48*time.Hour), extendable)
		}
		take := func(link string, q order.Quote, tool string) bool {
			err := c.Desk.TakeOneTap(t.Context(), account, link, q.ID, tool)
			if err != nil && fault.KindOf(err) != fault.Denied {
				t.Error(err)
			}
			return err == nil
		}
		if take("lk_1", quotes[0], "") || take("lk_1", quotes[0], tool.ID) {
			t.Error("nothing was allowed, and something was paid")
		}
		price := quotes[0].Price
		allow := func(tool string, minor int64) {
			t.Helper()
			if err := c.Desk.AllowOneTap(t.Context(), account, tool, money.Of(minor, price.Currency), "en"); err != nil {
				t.Fatal(err)
			}
		}
		allow("", 3*price.Minor)
		if take("lk_1", quotes[0], tool.ID) {
			t.Error("the wallet was allowed, and a card was taken")
		}
		allow(tool.ID, 3*price.Minor+price.Minor-1)
		if take("lk_1", quotes[0], "") || take("", quotes[0], tool.ID) {
			t.Error("the wallet, or no link at all, was taken")
		}
		var ok atomic.Int64
		atOnce(2*len(quotes), func(i int) { // each quote twice
			if take("lk_1", quotes[i%len(quotes)], tool.ID) {
				ok.Add(1)
			}
		})
		if n := c.count(t, `SELECT COUNT(*) FROM one_tap_uses WHERE account_id = $1 AND link_id = 'lk_1'`, account); n != 3 {
			t.Errorf("%d quotes were paid through one link, want 3", n)
		}
		if n := ok.Load(); n > 6 || n < 3 {
			t.Errorf("%d were allowed", n)
		}
		i := slices.IndexFunc(quotes, func(q order.Quote) bool { return !take("lk_1", q, tool.ID) })
		if i < 0 {
			t.Fatal("everything is allowed")
		}
		if !take("lk_2", quotes[i], tool.ID) {
			t.Error("another link has no limit of its own")
		}
		if n := c.told(t, account, message.OneTapAllowed); n != 0 {
			t.Fatalf("told %d times, before anybody was sent", n)
		}
		c.pass(t, time.Minute)
		if n := c.told(t, account, message.OneTapAllowed); n != 2 {
			t.Errorf("told %d times of two changes", n)
		}
		fresh := c.quote(t, account, c.another(t, account, extendable, 48*time.Hour), extendable)
		if err := c.Desk.RemoveTool(t.Context(), order.Key{Account: account, ID: tool.ID}); err != nil {
			t.Fatal(err)
		}
		if take("lk_3", fresh, tool.ID) {
			t.Error("the card was removed, and its link pays")
		}
		allow("", price.Minor)
		if err := c.Desk.EndOneTap(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		if take("lk_3", fresh, "") {
			t.Error("it was ended, and the link pays")
		}
	})
}

// What cannot be allowed is refused.
func TestOneTapNonsense(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newTeller(t, env)
		account, _ := c.customer(t, extendable, 48*time.Hour, 0)
		for _, m := range []money.Money{{}, money.Of(0, "JPY"), money.Of(-5, "JPY"), money.Of(5, "XXX"), money.Of(5, money.Points)} {
			if err := c.Desk.AllowOneTap(t.Context(), account, "", m, "en"); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v: %v", m, err)
			}
		}
		c.Desk.Wallet = order.WalletOff
		if err := c.Desk.AllowOneTap(t.Context(), account, "", money.Of(5, "JPY"), "en"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a wallet that is off: %v", err)
		}
	})
}
