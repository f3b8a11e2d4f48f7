package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/world"
)

// Each provider that keeps tools, with each fault at the charge and at
// forgetting, over the whole engine: charged once and served, or neither; and
// what was removed is forgotten. On the slower engine every fifth story is enough: an odd
// number, so that both kinds of silence are among them.
func TestEveryFaultAtEveryKeeper(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		b := openBranch(t, env, nil)
		b.Settlement.Daily = func(provider string) bool { return provider == "stripe" || provider == "paypal" } // the others have nothing to report
		every, n := 1, 0
		if env.DB.Engine() == db.PostgreSQL && os.Getenv("TSUZUKU_EVERY_POINT") == "" {
			every = 5
		}
		for _, rail := range []payment.Rail{payment.Card, payment.PayPal} {
			at := slices.IndexFunc(b.town.Banks, func(bank *world.Bank) bool { return bank.Name == b.Desk.Rails[rail] })
			for _, f := range append([]outboundsim.Fault{outboundsim.None}, outboundsim.Faults...) {
				for _, notified := range []string{"", "never"} {
					if n++; n%every != 0 {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s", rail, f, notified), func(t *testing.T) {
						p := b.buy(t, b.town.Banks[at], rail, "JPY")
						tool := p.keepTool(t)
						p.again(t)
						if notified != "" {
							b.town.Tell(notified)
						}
						p.armed(f, 2, true)
						p.charge(t, tool)
						p.pass(t, 40*time.Second)
						p.charge(t, tool) // a customer who presses again
						p.judge(t)
						p.bank.Wire.Choose = forgetting(f)
						if err := b.Desk.RemoveTool(t.Context(), order.Key{Account: p.order.Account, ID: tool}); err != nil {
							t.Fatal(err)
						}
						p.pass(t, 2*time.Hour)
						p.bank.Wire.Choose = nil
						if n := p.unforgotten(t); n != 0 {
							t.Errorf("%d tools are not forgotten", n)
						}
					})
				}
			}
		}
	})
}

// A charge at PayPal whose answer is lost, of a customer who then pays in another
// way: PayPal has no list in which it could be found, so its notification does
// that, and the money goes back.
func TestChargeIsFoundByItsNotification(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		b := openBranch(t, env, nil)
		at := slices.IndexFunc(b.town.Banks, func(bank *world.Bank) bool { return bank.Name == "paypal" })
		p := b.buy(t, b.town.Banks[at], payment.PayPal, "JPY")
		tool := p.keepTool(t)
		p.again(t)
		p.armed(outboundsim.LoseAnswer, 1, true)
		if _, err := p.Desk.Pay(t.Context(), p.order.Ref(), p.rail, order.Ways{Return: "http://shop.invalid/", Saved: tool}); err != nil {
			t.Fatal(err)
		}
		p.clock.Add(31 * time.Second)
		other, err := p.Desk.Pay(t.Context(), p.order.Ref(), payment.Card, order.Ways{Return: "http://shop.invalid/"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.town.Stripe.Pay(other.Ref); err != nil {
			t.Fatal(err)
		}
		p.pass(t, time.Hour)
		charged := p.allRefs(t)[0]
		took, kept := p.bank.Captured(charged), int64(0)
		kept += took.Minor - p.bank.Refunded(charged).Minor
		kept += b.town.Stripe.Captured(other.Ref).Minor - b.town.Stripe.Refunded(other.Ref).Minor
		if took != p.order.Price || kept != p.order.Price.Minor { // which of the two came first is nobody's business
			t.Errorf("PayPal took %v, and of both %d is kept", took, kept)
		}
		if n := p.town.Simple.Extended(p.order.ID); n != 1 {
			t.Errorf("served %d times", n)
		}
	})
}

// forgetting lets the first two requests that make a provider forget a tool
// suffer a fault.
func forgetting(f outboundsim.Fault) func(*http.Request) outboundsim.Fault {
	times := 2
	return func(r *http.Request) outboundsim.Fault {
		if r.Method != http.MethodDelete && !strings.HasSuffix(r.URL.Path, "/detach") || times == 0 {
			return outboundsim.None
		}
		times--
		return f
	}
}

// keepTool pays the order at the provider's page, with consent, and returns the
// tool that was kept.
func (p *purchase) keepTool(t *testing.T) string {
	t.Helper()
	paying, err := p.Desk.Pay(t.Context(), p.order.Ref(), p.rail, order.Ways{Return: "http://shop.invalid/orders/1?back=1", Language: "en", Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	back, err := p.bank.Pay(paying.Ref)
	if err != nil {
		t.Fatal(err)
	}
	p.come(t, back)
	p.pass(t, 30*time.Second)
	all, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) ([]order.SavedTool, error) {
		return order.SavedTools(ctx, tx, p.order.Account)
	})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d tools are kept, %v", len(all), err)
	}
	return all[0].ID
}

// again places an order of the same customer for the same line.
func (p *purchase) again(t *testing.T) {
	t.Helper()
	plan, _ := catalogue.Demo().Plan(simplePlan)
	q, err := p.Desk.Quote(t.Context(), p.order.Account, p.order.Line, renewal.Item{Kind: renewal.Term, Plan: simplePlan, ID: plan.Terms[0].ID}, "JPY")
	if err != nil {
		t.Fatal(err)
	}
	p.order, err = p.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: catalogue.Tool(p.rail)})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *purchase) charge(t *testing.T, tool string) {
	t.Helper()
	paying, err := p.Desk.Pay(t.Context(), p.order.Ref(), p.rail, order.Ways{Return: "http://shop.invalid/orders/1?back=1", Language: "en", Saved: tool})
	if k := fault.KindOf(err); err != nil && k != fault.Unavailable && k != fault.Conflict {
		t.Fatal(err)
	}
	if err == nil && paying.Next != (payment.Next{}) {
		t.Errorf("the charge leads to %+v", paying.Next)
	}
}

// unforgotten counts the customer's removed tools of which the token is still
// here.
func (p *purchase) unforgotten(t *testing.T) (n int) {
	t.Helper()
	err := p.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM saved_tools WHERE account_id = $1 AND (token <> '' OR forgotten_at IS NULL)`, p.order.Account).Scan(&n)
	})
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		t.Fatal(err)
	}
	return n
}
