package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/world"
)

// branch is a house with every payment provider of the town, on one clock, whose
// work is done when the test says so.
type branch struct {
	*app.App
	town  *world.Strangers
	house http.Handler
	clock *dbtest.Clock
}

func openBranch(t *testing.T, env dbtest.Env, rails map[payment.Rail]string) *branch {
	t.Helper()
	b := &branch{town: world.NewStrangers(&world.Clock{Real: env.Clock.Now}, "http://shop.invalid", 1, keys()), clock: env.Clock}
	c := app.TownConfig("http://shop.invalid", b.town)
	c.Database, c.Secret, c.Rail = env.URL, "a secret of at least thirty-two characters", rails
	real := app.Env{Now: b.town.Clock.Now, Random: rand.Reader, Transport: b.town.Transport, Log: slog.New(slog.DiscardHandler)}
	var err error
	b.App, err = app.Open(t.Context(), c, real, func(c app.Config, env app.Env, ids *id.Source) (app.Adapters, error) {
		all, err := app.Real(c, env, ids)
		if err == nil {
			all.Carriers["simple"] = b.town.Simple
			all.Deliverers[message.Email] = b.town.Inbox
		}
		return all, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	b.house = b.Handler()
	err = b.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "e2e")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// purchase is one customer with one order, at one bank.
type purchase struct {
	*branch
	bank  *world.Bank
	rail  payment.Rail
	order order.Order
	refs  []string // of the attempts that the customer was shown
}

// buy places an order of a new customer.
func (b *branch) buy(t *testing.T, bank *world.Bank, rail payment.Rail, currency money.Currency) *purchase {
	t.Helper()
	plan, _ := catalogue.Demo().Plan(simplePlan)
	account := b.IDs.Account()
	ln := b.IDs.Under("ln", account)
	err := b.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return addCustomer(ctx, tx, plan, account, ln) })
	if err != nil {
		t.Fatal(err)
	}
	q, err := b.Desk.Quote(t.Context(), account, ln, renewal.Item{Kind: renewal.Term, Plan: simplePlan, ID: plan.Terms[0].ID}, currency)
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: catalogue.Tool(rail)})
	if err != nil {
		t.Fatal(err)
	}
	return &purchase{branch: b, bank: bank, rail: rail, order: o}
}

// start opens a payment, again where the answer was lost. Nothing is shown when
// the provider cannot be reached at all.
func (p *purchase) start(t *testing.T) {
	t.Helper()
	for range 4 {
		paying, err := p.Desk.Pay(t.Context(), p.order.Ref(), p.rail, order.Ways{
			Return: "http://shop.invalid/orders/" + p.order.ID + "?back=1", Language: "en", Device: payment.Computer, ClientIP: "203.0.113.7",
		})
		if k := fault.KindOf(err); err != nil && k != fault.Unavailable && k != fault.Conflict {
			t.Fatal(err)
		}
		if err == nil && paying.Next != (payment.Next{}) {
			if p.bank.Arrive != nil {
				p.bank.Arrive(paying.Next.RedirectURL)
			}
			p.refs = append(p.refs, paying.Ref)
			return
		}
		p.pass(t, 25*time.Second)
	}
}

// come is the customer back from the provider's page.
func (p *purchase) come(t *testing.T, returned url.Values) {
	t.Helper()
	if err := p.Desk.Resume(t.Context(), p.order.Ref(), returned); err != nil {
		t.Error(err)
	}
}

// pass lets time go by, and everything happen that is due on the way.
func (p *purchase) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for step := time.Second; d > 0; step = min(2*step, 4*time.Hour) {
		p.clock.Add(min(step, d))
		d -= step
		p.work(t)
	}
}

func (b *branch) work(t *testing.T) {
	t.Helper()
	for range 50 {
		worked, err := b.town.Deliver(t.Context(), b.house)
		for _, s := range b.Steps() {
			w, stepErr := s.Do(t.Context())
			worked, err = worked || w, errors.Join(err, stepErr)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

// armed lets the next requests of a kind suffer a fault each, and the others pass.
func (p *purchase) armed(f outboundsim.Fault, times int, acts bool) {
	p.bank.Wire.Choose = func(r *http.Request) outboundsim.Fault {
		if strings.Contains(r.URL.Path, "token") || p.bank.Acts(r) != acts || times == 0 {
			return outboundsim.None
		}
		times--
		return f
	}
}

// judge wants the order ended, and fair: served once and paid once, or neither.
func (p *purchase) judge(t *testing.T) {
	t.Helper()
	p.bank.Wire.Choose = nil
	p.bank.Wire.Deliver()
	p.pass(t, 26*time.Hour)
	o, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) { return order.Get(ctx, tx, p.order.Ref()) })
	if err != nil {
		t.Fatal(err)
	}
	var kept int64
	for _, ref := range p.allRefs(t) {
		kept += p.bank.Captured(ref).Minor - p.bank.Refunded(ref).Minor
	}
	served, want := p.town.Simple.Extended(o.ID), int64(0)
	if o.State == order.Completed {
		want = o.Price.Minor
	}
	late, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) {
		next, _, err := order.Successor(ctx, tx, o)
		return next, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if late.State == order.Completed { // late money was honoured
		want, served = late.Price.Minor, served+p.town.Simple.Extended(late.ID)
	}
	if !o.State.Final() || kept != want || (served == 1) != (want > 0) || served > 1 {
		t.Errorf("order %s is %s (%s), served %d times, the provider keeps %d, want %d", o.ID, o.State, o.Reason, served, kept, want)
	}
	found, err := audit.Run(t.Context(), p.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("audit: %s", v)
	}
}

func (p *purchase) allRefs(t *testing.T) (refs []string) {
	t.Helper()
	err := p.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		all, err := order.Payments(ctx, tx, p.order.Ref())
		for _, a := range all {
			refs = append(refs, a.Ref)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

// episode is one way in which a purchase goes wrong.
type episode struct {
	name string
	live func(t *testing.T, p *purchase)
}

// pays is a customer who does their part with every page that they were shown,
// and comes back.
func (p *purchase) pays(t *testing.T) {
	t.Helper()
	for _, ref := range p.refs {
		back, _ := p.bank.Pay(ref) // it may be too late
		p.come(t, back)
	}
}

func episodes() (all []episode) {
	for _, f := range outboundsim.Faults {
		all = append(all,
			episode{"start/" + string(f), func(t *testing.T, p *purchase) {
				p.armed(f, 1, true)
				p.start(t)
				p.pays(t)
			}},
			episode{"taking or telling/" + string(f), func(t *testing.T, p *purchase) {
				p.start(t)
				p.armed(f, 2, true)
				p.pays(t)
				p.pass(t, 2*time.Minute)
			}},
			episode{"asking/" + string(f), func(t *testing.T, p *purchase) {
				p.start(t)
				p.armed(f, 3, false)
				p.pays(t)
				p.pass(t, 2*time.Minute)
			}},
			episode{"refund/" + string(f), func(t *testing.T, p *purchase) {
				p.start(t)
				p.town.Simple.Choose = refusesEverything
				p.armed(f, 0, true)
				for _, ref := range p.refs {
					_, _ = p.bank.Pay(ref) // nobody comes back: the worker finds it
				}
				p.come(t, nil)
				p.armed(f, 2, true)
				p.pass(t, 10*time.Minute)
				p.town.Simple.Choose = nil
			}},
		)
	}
	for _, how := range []string{"early", "late", "behind", "twice", "never", "forged"} {
		all = append(all, episode{"notified " + how, func(t *testing.T, p *purchase) {
			p.start(t)
			p.town.Tell(how)
			p.pays(t)
		}})
	}
	return append(all,
		episode{"declined, then paid", func(t *testing.T, p *purchase) {
			p.start(t)
			for _, ref := range p.refs {
				back, _ := p.bank.Decline(ref)
				p.come(t, back)
			}
			p.pass(t, time.Minute)
			p.start(t)
			p.pays(t)
		}},
		episode{"given up", func(t *testing.T, p *purchase) {
			p.start(t)
			for _, ref := range p.refs {
				back, _ := p.bank.GiveUp(ref)
				p.come(t, back)
			}
		}},
		episode{"paid and never back", func(t *testing.T, p *purchase) {
			p.start(t)
			for _, ref := range p.refs {
				_, _ = p.bank.Pay(ref)
			}
		}},
		episode{"paid at the last moment", func(t *testing.T, p *purchase) {
			p.start(t)
			p.clock.Add(p.order.ExpiresAt.Sub(p.clock.Now()) - time.Second)
			p.pays(t)
		}},
		episode{"paid too late", func(t *testing.T, p *purchase) {
			p.start(t)
			p.pass(t, 35*time.Minute)
			p.pays(t)
		}},
	)
}

// counter is a tool and who takes it; "" is whoever does by default.
type counter struct{ rail, currency, adapter string }

func counters() (all []counter) {
	for _, tool := range tools {
		all = append(all, counter{tool.rail, tool.currency, ""})
	}
	return append(all, counter{"alipay", "CNY", "antom"})
}

// Each provider with each fault, over the whole engine and by the real wire
// protocols: the customer is charged the confirmed amount once or nothing, is
// served if and only if charged, and the audit is clean.
func TestEveryFaultAtEveryBank(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, tool := range counters() {
			t.Run(strings.TrimSuffix(tool.rail+" through "+tool.adapter, " through "), func(t *testing.T) {
				t.Parallel() // most of it is waiting for the disk
				env := env
				if env.DB.Engine() == db.PostgreSQL {
					env = dbtest.Postgres(t)
				} else {
					env = dbtest.SQLite(t)
				}
				rail := payment.Rail(tool.rail)
				chosen := map[payment.Rail]string{}
				if tool.adapter != "" {
					chosen[rail] = tool.adapter
				}
				b := openBranch(t, env, chosen)
				adapter := b.Desk.Rails[rail]
				b.Settlement.Daily = func(provider string) bool { return provider == adapter } // the others have nothing to report
				at := slices.IndexFunc(b.town.Banks, func(bank *world.Bank) bool { return bank.Name == adapter })
				for n, e := range episodes() {
					if every := everyEpisode(env.DB.Engine()); n%every != len(t.Name())%every {
						continue
					}
					t.Run(e.name, func(t *testing.T) {
						p := b.buy(t, b.town.Banks[at], rail, money.Currency(tool.currency))
						e.live(t, p)
						p.judge(t)
					})
				}
			})
		}
	})
}

// everyEpisode is how many episodes lie between two that are lived, each with some
// provider: the rules are the same on both engines, so fewer are enough on the slower
// one. TSUZUKU_EVERY_POINT=1 wants them all.
func everyEpisode(e db.Engine) int {
	switch {
	case os.Getenv("TSUZUKU_EVERY_POINT") != "":
		return 1
	case e == db.PostgreSQL:
		return 10
	}
	return 4
}

func refusesEverything(carrier.Extension) carriersim.Fault { return carriersim.Refuse }
