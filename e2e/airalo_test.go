package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/airalo"
	"github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/hooks"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// airaloPlan is a plan of the demo that is put into Airalo's hands here, with a
// policy that its networks can keep: each package has an end of its own.
const airaloPlan = "aurora-sum"

// airaloTown is a house that buys from Airalo.
type airaloTown struct {
	*branch
	sim  *airalosim.Sim
	wire *outboundsim.Wire
	door http.Handler
	term catalogue.Term
	at   int // the network
}

func openAiralo(t *testing.T, env dbtest.Env) *airaloTown {
	t.Helper()
	b := &airaloTown{branch: openBranch(t, env, nil)}
	b.sim = airalosim.New(airalosim.Config{
		Now: env.Clock.Now, Rand: rand.New(rand.NewPCG(1, 1)), ClientID: "id", ClientSecret: "secret", Balance: 10_000_000,
	})
	b.wire = &outboundsim.Wire{Stranger: b.sim}
	b.Desk.Carriers["airalo"] = airalo.New(airalo.Config{ClientID: "id", ClientSecret: "secret"},
		outbound.New(outbound.Options{Transport: b}), env.Clock.Now)
	b.door = (&hooks.Server{Desk: b.Desk, Carriers: b.Desk.Carriers, Paths: map[string]string{"airalo": "signed"}, Log: b.Desk.Log}).Handler()
	file := bytes.ReplaceAll(catalogue.DemoFile(), []byte("carrier: esimaccess"), []byte("carrier: airalo"))
	file = bytes.ReplaceAll(file, []byte("policy: extend-in-place"), []byte("policy: toppings"))
	cat, err := db.Written(t.Context(), b.DB, func(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) {
		c, _, err := catalogue.Apply(ctx, tx, file, "e2e")
		return c, err
	})
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := cat.Plan(airaloPlan)
	b.term = plan.Terms[0]
	b.at = b.sim.AddOperator(airalosim.Operator{Title: "Moshi", Country: "JP", TopUpGraceDays: 1})
	b.sim.AddPackage(airalosim.Package{ID: "base", Operator: b.at, Price: 450, AmountMB: 1024, Days: 5})
	b.sim.AddPackage(airalosim.Package{ID: b.term.Package, Operator: b.at, TopUp: true, Price: 450, AmountMB: 1024, Days: b.term.Length.N})
	b.sim.AddPackage(airalosim.Package{ID: "other", Operator: b.at, TopUp: true, Price: 900, AmountMB: 2048, Days: 7})
	b.optIn(t)
	return b
}

// optIn lets the operator tell us what it tells: late, twice, not at all, and
// with a stranger's words between.
func (b *airaloTown) optIn(t *testing.T) {
	t.Helper()
	b.sim.SetDelivery(airalosim.Delivery{LateMax: time.Hour, RepeatPercent: 40, LosePercent: 20, ForgePercent: 40})
	ask := func(path, body, token string) string {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "https://airalo.example/v2/"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		b.sim.ServeHTTP(rec, r)
		var answer struct {
			Data struct {
				Token string `json:"access_token"`
			} `json:"data"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, rec.Code, err)
		}
		return answer.Data.Token
	}
	token := ask("token", `{"client_id":"id","client_secret":"secret","grant_type":"client_credentials"}`, "")
	ask("notifications/opt-in", `{"type":"webhook_low_data","webhook_url":"http://shop.invalid/hooks/carrier/airalo/signed"}`, token)
}

// RoundTrip is the wire to the operator, while something is to befall it. The
// operator's own silence is not for a handler.
func (b *airaloTown) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.wire.Choose != nil {
		return b.wire.RoundTrip(r)
	}
	return b.sim.Transport().RoundTrip(r)
}

// topping is one customer with a line at Airalo and a quote for more.
type topping struct {
	*airaloTown
	line  line.Line
	quote order.Quote
	order order.Order
	had   int64
}

func (b *airaloTown) customer(t *testing.T) *topping {
	t.Helper()
	p := &topping{airaloTown: b}
	account := b.IDs.Account()
	card := b.sim.AddLine(airalosim.Line{Package: "base", ActivatedAt: b.clock.Now().Add(-72 * time.Hour)})
	plan, _ := catalogue.Demo().Plan(airaloPlan)
	id := b.IDs.Under("ln", account)
	err := b.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		if err := addCustomer(ctx, tx, plan, account, id); err != nil {
			return err
		}
		if err := db.Claim(ctx, tx, "iccid", card, account, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE lines SET iccid = $3, profile_id = $3 WHERE account_id = $1 AND id = $2`, account, id, card)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p.line = p.reread(t, line.Line{Account: account, ID: id})
	p.had = p.wallet(t)
	p.quote, err = b.Desk.Quote(t.Context(), account, id, renewal.Item{Kind: renewal.Term, Plan: airaloPlan, ID: b.term.ID}, "JPY")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *topping) reread(t *testing.T, l line.Line) line.Line {
	t.Helper()
	l, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) { return line.Get(ctx, tx, l.Account, l.ID) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p *topping) wallet(t *testing.T) int64 {
	t.Helper()
	has, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) (int64, error) {
		m, err := ledger.Balance(ctx, tx, p.line.Account, ledger.Wallet, "JPY")
		return m.Minor, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return has
}

// accept pays from the wallet; it may be refused at once.
func (p *topping) accept(t *testing.T) {
	t.Helper()
	var err error
	p.order, err = p.Desk.Place(t.Context(), order.Acceptance{Account: p.quote.Account, Quote: p.quote.ID, Amount: p.quote.Price, Tool: order.ToolWallet})
	if err != nil {
		t.Logf("placed with %v", err)
	}
}

// pass lets time go by, and everything happen that is due on the way. What the
// operator tells arrives, some of it again.
func (p *topping) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for step := time.Second; d > 0; step = min(2*step, 20*time.Minute) {
		p.clock.Add(min(step, d))
		d -= step
		for _, n := range p.sim.Notifications() {
			r := httptest.NewRequest(http.MethodPost, "/hooks/carrier/airalo/signed", bytes.NewReader(n.Body))
			r.Header = n.Header.Clone()
			rec := httptest.NewRecorder()
			p.door.ServeHTTP(rec, r)
			p.sim.Answered(n.ID, rec.Code)
		}
		p.toil(t)
	}
}

// toil does what there is to do about orders and lines; the rest of the house
// has nothing to do with operators.
func (p *topping) toil(t *testing.T) {
	t.Helper()
	for worked := true; worked; {
		worked = false
		for _, s := range p.Steps() {
			if !slices.Contains([]string{"orders", "usage", "bill numbers"}, s.Name) {
				continue
			}
			w, err := s.Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			worked = worked || w
		}
	}
}

// judge wants the order ended as it should: fed once and paid, or neither.
func (p *topping) judge(t *testing.T, want order.State) {
	t.Helper()
	p.wire.Choose = nil
	p.wire.Deliver()
	p.pass(t, 3*time.Hour)
	o, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) {
		all, err := order.List(ctx, tx, p.line.Account, "", 10)
		if err != nil || len(all) != 1 {
			return order.Order{}, err
		}
		return all[0], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fed, paid := 0, p.had-p.wallet(t)
	for _, up := range p.sim.TopUps(p.line.ICCID) {
		if up.Package == p.term.Package && up.Description != "by_hand" {
			fed++
		}
	}
	charged := o.Price.Minor
	if want == order.Refunded || want == order.Cancelled || want == "" {
		charged = 0
	}
	if o.State != want || (want == order.Completed) != (fed == 1) || fed > 1 || paid != charged {
		t.Errorf("order %q is %s (%s: %s), want %s; fed %d times, %d paid", o.ID, o.State, o.Reason, o.Evidence, want, fed, paid)
	}
	if want == order.Held {
		return // a person looks at it
	}
	found, err := audit.Run(t.Context(), p.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		if strings.Contains(v.String(), p.line.Account) {
			t.Errorf("audit: %s", v)
		}
	}
}

// misfortune is one way in which feeding a line goes wrong, and how the order
// must end.
type misfortune struct {
	name string
	live func(*testing.T, *topping)
	ends order.State
}

func misfortunes() []misfortune {
	accepted := func(t *testing.T, p *topping) { p.accept(t); p.pass(t, 2*time.Minute) }
	befalls := func(f airalosim.Fault) func(*testing.T, *topping) {
		return func(t *testing.T, p *topping) { p.sim.Fail(airalosim.TopUpOrder, f); accepted(t, p) }
	}
	before := func(happens func(*topping)) func(*testing.T, *topping) {
		return func(t *testing.T, p *topping) { happens(p); accepted(t, p) }
	}
	all := []misfortune{
		{"none", accepted, order.Completed},
		{"time-out before it acts", befalls(airalosim.Silence), order.Refunded},
		{"time-out after it acted", befalls(airalosim.SilenceAfter), order.Completed},
		{"it acts minutes later", befalls(airalosim.Slow), order.Completed},
		{"it breaks after it acted", befalls(airalosim.BreakAfter), order.Completed},
		{"something unexpected, code 53", befalls(airalosim.Refuse), order.Refunded},
		{"too many attempts", befalls(airalosim.Busy), order.Completed},
		{"the price rises meanwhile", befalls(airalosim.Reprice), order.Completed},
		{"down for minutes", befalls(airalosim.Outage), order.Refunded},
		{"readings lag", func(t *testing.T, p *topping) {
			p.sim.LagReads(100, 20*time.Minute)
			befalls(airalosim.SilenceAfter)(t, p)
			p.pass(t, time.Hour)
			p.sim.LagReads(0, 0)
		}, order.Completed},
		{"some readings lag", func(t *testing.T, p *topping) {
			p.sim.LagReads(50, 20*time.Minute)
			befalls(airalosim.Silence)(t, p)
			p.pass(t, time.Hour)
			p.sim.LagReads(0, 0)
		}, order.Refunded},
		{"another package by hand, and silence", func(t *testing.T, p *topping) {
			p.sim.Fail(airalosim.TopUpOrder, airalosim.Silence)
			p.accept(t)
			p.byHand(t, "other")
			p.pass(t, time.Hour)
		}, order.Held},
		{"the same package by hand, and a lost answer", func(t *testing.T, p *topping) {
			p.sim.Fail(airalosim.TopUpOrder, airalosim.SilenceAfter)
			p.accept(t)
			p.byHand(t, p.term.Package)
			p.pass(t, time.Hour)
		}, order.Completed},
		{"tokens are revoked", before(func(p *topping) { p.sim.RevokeTokens() }), order.Completed},
		{"used up while it is fed", func(t *testing.T, p *topping) {
			p.sim.Fail(airalosim.TopUpOrder, airalosim.SilenceAfter)
			p.accept(t)
			p.sim.Use(p.line.ICCID, 1900)
			p.pass(t, 2*time.Hour)
			n, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) (n int, err error) {
				return n, tx.QueryRow(ctx, `SELECT COUNT(*) FROM provider_events WHERE account_id = $1 AND provider = 'airalo'`, p.line.Account).Scan(&n)
			})
			if err != nil || n == 0 || n > 4 {
				t.Errorf("%d notifications are kept, %v; want those of 75 and 90 percent, at most once a day", n, err)
			}
			if u := p.reread(t, p.line).Usage; u.Used < 1900<<20 {
				t.Errorf("%+v: nobody looked", u)
			}
		}, order.Completed},
		{"no credit", before(func(p *topping) { p.sim.SetBalance(0) }), order.Refunded},
		{"withdrawn", before(func(p *topping) { p.sim.RefuseNext(airalosim.TopUpOrder, 34) }), order.Refunded},
		{"the price rose before", before(func(p *topping) { p.sim.ChangePrice(p.term.Package, 2000, 1900) }), order.Completed},
		{"taken back", before(func(p *topping) { p.sim.Recycle(p.line.ICCID) }), ""},
		{"the card is another's", before(func(p *topping) {
			err := p.DB.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE lines SET profile_id = '1' WHERE account_id = $1 AND id = $2`, p.line.Account, p.line.ID)
				return err
			})
			if err != nil {
				panic(err)
			}
		}), ""},
		{"over before it is accepted", func(t *testing.T, p *topping) {
			p.sim.StopTopUps(p.at, true)
			p.accept(t)
			p.sim.StopTopUps(p.at, false)
		}, ""},
	}
	for _, f := range []struct { // what acts late is told above; nobody can prevent what acts twice
		fault outboundsim.Fault
		ends  order.State
	}{
		{outboundsim.Refuse, order.Completed},
		{outboundsim.LoseRequest, order.Refunded},
		{outboundsim.LoseAnswer, order.Completed},
		{outboundsim.Break, order.Completed},
		{outboundsim.Garble, order.Completed},
		{outboundsim.Busy, order.Completed},
	} {
		all = append(all, misfortune{"wire/" + string(f.fault), func(t *testing.T, p *topping) { p.wired(t, f.fault, true) }, f.ends},
			misfortune{"wire, readings/" + string(f.fault), func(t *testing.T, p *topping) { p.wired(t, f.fault, false) }, order.Completed})
	}
	return all
}

func (p *topping) byHand(t *testing.T, code string) {
	t.Helper()
	_, err := p.Desk.Carriers["airalo"].Extend(t.Context(), carrier.Extension{Ref: "by_hand", Profile: carrier.Profile{ICCID: p.line.ICCID}, Package: code})
	if err != nil {
		t.Fatal(err)
	}
}

// wired lets the next two requests that feed a line, or that do not, suffer a
// fault on the wire.
func (p *topping) wired(t *testing.T, f outboundsim.Fault, feeds bool) {
	t.Helper()
	times := 2
	p.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if strings.HasSuffix(r.URL.Path, "/orders/topups") != feeds || times == 0 {
			return outboundsim.None
		}
		times--
		return f
	}
	p.accept(t)
	p.pass(t, 2*time.Minute)
}

// Every misfortune at Airalo, over the whole engine and by its wire protocol: a
// line is fed once and paid for, or neither; what cannot be told is held for a
// person; and the audit is clean. Nothing is ever sent twice.
func TestEveryMisfortuneAtAiralo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		b := openAiralo(t, env)
		for _, m := range misfortunes() {
			t.Run(m.name, func(t *testing.T) {
				b.sim.SetBalance(10_000_000)
				p := b.customer(t)
				m.live(t, p)
				p.judge(t, m.ends)
			})
		}
	})
}

// The demo's line at Airalo is fed by the real adapter over the town's wire, and
// once, also when its panel makes the operator misbehave.
func TestDemoFeedsItsLineAtAiralo(t *testing.T) {
	d := openDemo(t)
	l := d.lines["sorami-side"]
	for trouble, want := range map[string]order.State{"": order.Completed, "operator-lost": order.Completed, "operator-refuse": order.Refunded} {
		before := len(d.Strangers.Airalo.TopUps(l.ICCID))
		if trouble != "" {
			r, err := http.PostForm(d.url+"/sim/trouble", url.Values{"name": {trouble}})
			if err != nil || r.StatusCode != http.StatusOK {
				t.Fatal(r, err)
			}
			_ = r.Body.Close() // what it shows is another test's
		}
		q, err := d.App.Desk.Quote(t.Context(), l.Account, l.ID, renewal.Item{Kind: renewal.Term, Plan: l.Plan, ID: "1gb-7x24h"}, "JPY")
		if err != nil {
			t.Fatal(err)
		}
		o, err := d.App.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
		if err != nil {
			t.Logf("%s: %v", trouble, err)
		}
		if !eventuallyTrue(func() bool { o = d.orders(t)[0]; return o.State.Final() }) || o.State != want {
			t.Errorf("%q: order %s is %s (%s), want %s", trouble, o.ID, o.State, o.Reason, want)
		}
		fed := len(d.Strangers.Airalo.TopUps(l.ICCID)) - before
		if (fed == 1) != (want == order.Completed) || fed > 1 {
			t.Errorf("%q: fed %d times", trouble, fed)
		}
	}
}
