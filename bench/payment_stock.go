package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/world"
)

// till is where customers of the bench pay by one adapter.
type till struct {
	shop     *shop
	town     *world.Strangers
	bank     *world.Bank
	provider payment.Provider
	rail     payment.Rail
	price    money.Money
	proof    proof

	stranger  *atomic.Int64 // nanoseconds that the bank took to answer, so far
	next      int           // how many attempts the next turn gets
	notified  int           // notifications that the desk took
	confirmed int           // attempts that it was told of and asked about
}

// paid is an attempt whose customer has paid, and what its provider wants to
// tell about that. The shop does not know yet.
type paid struct {
	payment  order.Payment
	returned url.Values // with which the customer comes back
	notices  []notice
}

// notice is a notification as it arrives.
type notice struct {
	header http.Header
	body   []byte
}

// openTills makes a town, and a till for each adapter.
func openTills(s *shop, o PaymentOptions) ([]*till, error) {
	keys, err := world.NewKeys()
	if err != nil {
		return nil, err
	}
	town := world.NewStrangers(&world.Clock{Real: s.db.Now}, shopURL, 1, keys)
	providers, err := o.Adapters(shopURL, town, s.desk.IDs)
	if err != nil {
		return nil, err
	}
	s.desk.Providers = providers
	s.desk.QuoteTTL = 0 // as in a shop: providers bound how long a page may be open
	var tills []*till
	for _, bank := range town.Banks {
		proof, known := proofs[bank.Name]
		provider, built := providers[bank.Name]
		if !known || !built {
			continue
		}
		t := &till{shop: s, town: town, bank: bank, provider: provider, proof: proof, stranger: &atomic.Int64{}}
		if t.rail, t.price, err = payable(provider.Limits(), s.plan.Terms[0]); err != nil {
			return nil, fmt.Errorf("bench: %s: %w", bank.Name, err)
		}
		bank.Wire.Stranger = timed(bank.Wire.Stranger, s.db.Now, t.stranger)
		tills = append(tills, t)
	}
	return tills, nil
}

// payable is the first rail of an adapter, and a term's first price that it takes.
func payable(l payment.Limits, term catalogue.Term) (payment.Rail, money.Money, error) {
	for _, rail := range l.Rails {
		for _, price := range term.Prices {
			if l.Takes(rail, price) {
				return rail, price, nil
			}
		}
	}
	return "", money.Money{}, errors.New("it takes no price of the demo catalogue")
}

// timed adds up how long a stranger takes to answer.
func timed(stranger http.Handler, now func() time.Time, took *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := now()
		stranger.ServeHTTP(w, r)
		took.Add(int64(now().Sub(start)))
	})
}

// open makes this till the only one: its adapter takes its rail.
func (t *till) open() {
	t.shop.desk.Rails = map[payment.Rail]string{t.rail: t.bank.Name}
}

// stock makes n customers who have each paid for an order, and collects what the
// bank tells about that.
func (t *till) stock(ctx context.Context, n int) ([]paid, error) {
	lots, all := make([]lot, n), make([]paid, n)
	for first := 0; first < n; first += stockSet {
		if err := t.shop.customers(ctx, lots[first:min(first+stockSet, n)]); err != nil {
			return nil, err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(stockSide)
	for i := range lots {
		pay := func() (err error) {
			all[i].payment, all[i].returned, err = t.pay(gctx, lots[i].quote.Account, lots[i].quote.Line)
			return err
		}
		if i > 0 {
			g.Go(pay)
		} else if err := pay(); err != nil { // one alone, so that what is made once is there before many come
			return nil, err
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := t.collect(ctx, all); err != nil {
		return nil, err
	}
	return all, t.shop.count(ctx, n)
}

// pay lets a customer order, go to the provider and pay there.
func (t *till) pay(ctx context.Context, account, ln string) (p order.Payment, returned url.Values, err error) {
	desk := t.shop.desk
	item := renewal.Item{Kind: renewal.Term, Plan: planID, ID: t.shop.plan.Terms[0].ID}
	q, err := desk.Quote(ctx, account, ln, item, t.price.Currency)
	if err != nil {
		return p, nil, err
	}
	a := acceptance(q)
	a.Tool = catalogue.Tool(t.rail)
	o, err := desk.Place(ctx, a)
	if err != nil {
		return p, nil, err
	}
	p, err = desk.Pay(ctx, o.Ref(), t.rail, order.Ways{
		Return: shopURL + "/orders/" + o.ID, Cancel: shopURL + "/orders/" + o.ID,
		Language: "en", Device: payment.Computer, ClientIP: "192.0.2.1",
	})
	if err != nil {
		return p, nil, err
	}
	if t.bank.Arrive != nil {
		t.bank.Arrive(p.Next.RedirectURL)
	}
	returned, err = t.bank.Pay(p.Ref)
	return p, returned, err
}

// collect gives each attempt its notifications. Others are about attempts of
// former turns; nobody waits for them.
func (t *till) collect(ctx context.Context, all []paid) error {
	at := make(map[string]*paid, len(all))
	for i := range all {
		at[all[i].payment.Ref] = &all[i]
	}
	var refused error
	_, err := t.town.Deliver(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var bell payment.Doorbell
		if r.URL.Path == "/hooks/payment/"+t.bank.Name && err == nil {
			bell, err = t.provider.Notification(ctx, r.Header, body)
		}
		refused = errors.Join(refused, err)
		if p := at[bell.Ref]; p != nil {
			p.notices = append(p.notices, notice{r.Header.Clone(), bytes.Clone(body)})
		}
		_, _ = io.WriteString(w, bell.Answer) // into memory; otherwise it would be told again
	}))
	if err := errors.Join(err, refused); err != nil {
		return err
	}
	for _, p := range all {
		if len(p.notices) == 0 && !t.proof.silent {
			return fmt.Errorf("the bank has told nothing about %s", p.payment.Ref)
		}
	}
	return nil
}
