package advice

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Adviser answers for the shop: it holds the model in force and ready answers
// for what is on sale, and makes new ones in the background when either changes.
// Nobody who asks ever waits for that. It is safe for concurrent use; a nil
// Adviser knows nothing.
type Adviser struct {
	DB    *db.DB
	Shelf *catalogue.Shelf
	Log   *slog.Logger

	lock    sync.RWMutex
	version int64  // of model
	model   *Model // nil: not read yet
	desks   map[deskKey]*desk
	wanted  []deskKey // asked for, and not there or not new
	trickle []deskKey // nobody has asked for yet
	stocked int64     // the catalogue's version that trickle was filled for
	checked time.Time // when the model's version was last looked at

	learnt time.Time // when [Adviser.LearnStep] last looked for trips
}

// deskKey is what tables are made for: the lines of a plan, in one currency.
type deskKey struct {
	plan string
	in   money.Currency
}

// desk is the tables with what their offers are called in the catalogue.
type desk struct {
	tables    *Tables
	items     []renewal.Item
	catalogue int64
	model     int64
}

// Answer is advice with the names of what it speaks of.
type Answer struct {
	Advice
	Question Question
	Items    []renewal.Item // by the offers of Advice
	Tables   *Tables
	Version  int64 // of the model
}

// Item is what a choice buys now; ok is false where it buys nothing.
func (a *Answer) Item(c *Choice) (item renewal.Item, ok bool) {
	if c.Action != Buy || c.Steps.N == 0 {
		return item, false
	}
	return a.Items[c.Steps.At[0].Offer], true
}

// Offered finds what a choice buys now among the offers that the customer is
// shown. ok is false where it buys nothing, and where it is not on sale at that
// price any more.
func (a *Answer) Offered(c *Choice, offers []renewal.Offer) (o renewal.Offer, ok bool) {
	item, buys := a.Item(c)
	i := slices.IndexFunc(offers, func(o renewal.Offer) bool { return buys && o.Item == item && o.Price.Minor == c.First })
	if i < 0 {
		return o, false
	}
	return offers[i], true
}

// Holds reports whether the answer can be shown beside these offers: what it
// says to buy must be among them. A second choice that is not is forgotten.
func (a *Answer) Holds(offers []renewal.Offer) bool {
	if _, ok := a.Offered(&a.Best, offers); a.Best.Action == Buy && !ok {
		return false
	}
	if _, ok := a.Offered(&a.Second, offers); a.Close && !ok {
		a.forgetSecond()
	}
	return true
}

// Model is the model in force; the program's own until it is read.
func (a *Adviser) Model() *Model {
	a.lock.RLock()
	m := a.model
	a.lock.RUnlock()
	if m != nil {
		return m
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.model == nil {
		a.model = Prior()
	}
	return a.model
}

// Ask advises on a line. ok is false where nothing can be said: there are no
// tables yet, no trip, nothing priced in the currency, or a history that cannot
// be. Tables of a former catalogue answer until there are new ones; whoever
// shows an answer checks that its offer is still one.
func (a *Adviser) Ask(ctx context.Context, s renewal.Situation, known Facts) (answer Answer, ok bool) {
	if a == nil {
		return answer, false
	}
	d := a.deskFor(deskKey{s.Line.Plan, s.Currency}, s.Catalogue.Version)
	if d == nil || len(d.items) == 0 {
		return answer, false
	}
	q, ok := QuestionOf(s, known, d.items)
	if !ok {
		return answer, false
	}
	got, err := d.tables.Recommend(q)
	if err != nil {
		a.Log.WarnContext(ctx, "no advice for a line", "line", s.Line.ID, "err", err)
		return answer, false
	}
	// Both pages say the same range: that of the forecast, which stands on more futures.
	f, err := d.tables.model.Forecast(q.Trip, 0)
	if err != nil {
		a.Log.WarnContext(ctx, "no forecast for a line", "line", s.Line.ID, "err", err)
		return answer, false
	}
	got.Numbers.NeedLow, got.Numbers.NeedHigh = f.Need.Most()
	if !got.Numbers.Told {
		got.Numbers.LastDay = Date(f.LastDay.Median())
	}
	return Answer{Advice: got, Question: q, Items: d.items, Tables: d.tables, Version: d.model}, true
}

// Forecast is what is to be expected of the line's use. ok is false where
// nothing can be said.
func (a *Adviser) Forecast(ctx context.Context, s renewal.Situation, f Facts) (out Forecast, t Trip, ok bool) {
	if a == nil {
		return out, t, false
	}
	a.deskFor(deskKey{s.Line.Plan, s.Currency}, s.Catalogue.Version) // who sees this asks for an offer next
	if t, ok = TripOf(s, f); !ok {
		return out, t, false
	}
	allowance, _ := Allowance(s.Catalogue, s)
	out, err := a.Model().Forecast(t, allowance)
	if err != nil {
		a.Log.WarnContext(ctx, "no forecast for a line", "line", s.Line.ID, "err", err)
	}
	return out, t, err == nil
}

// Remaining is how much of an allowance is left on each of the next days of a
// trip, by the model that [Adviser.Forecast] asks. ok is false where nothing can
// be said.
func (a *Adviser) Remaining(ctx context.Context, s renewal.Situation, t Trip, allowance int64, days int) (left []Quantiles, ok bool) {
	left, err := a.Model().Remaining(t, allowance, days)
	if err != nil {
		a.Log.WarnContext(ctx, "no forecast for a line", "line", s.Line.ID, "err", err)
	}
	return left, err == nil && len(left) > 0
}

// deskFor is the newest desk there is; what is not new is wanted.
func (a *Adviser) deskFor(k deskKey, version int64) *desk {
	a.lock.Lock()
	defer a.lock.Unlock()
	d := a.desks[k]
	if (d == nil || d.catalogue != version || d.model != a.version) && !slices.Contains(a.wanted, k) && len(a.wanted) < mostWanted {
		a.wanted = append(a.wanted, k)
	}
	return d
}

// mostWanted bounds what waits to be made.
const mostWanted = 1000

// modelChecked is how often the model in force is looked for.
const modelChecked = 30 * time.Second

// Step makes tables: first those that somebody has asked for, one a step; then,
// one a turn, those of the other plans on sale in the seller's own currency.
func (a *Adviser) Step(ctx context.Context) (worked bool, err error) {
	cat, err := db.Seen(ctx, a.DB, a.Shelf.Current)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil // there is nothing on sale yet
	}
	if err != nil {
		return false, err
	}
	if err := a.Load(ctx, false); err != nil {
		return false, err
	}
	k, asked := a.next(cat)
	if k == (deskKey{}) {
		return false, nil
	}
	if err := a.make(cat, k); err != nil {
		a.Log.WarnContext(ctx, "no tables for a plan", "plan", k.plan, "currency", k.in, "err", err)
	}
	return asked, nil
}

// Load reads the model in force, if it is another than the one that is used;
// not more often than now and then unless at once.
func (a *Adviser) Load(ctx context.Context, atOnce bool) error {
	a.lock.RLock()
	version, have, checked := a.version, a.model != nil, a.checked
	a.lock.RUnlock()
	now := a.DB.Now()
	if !atOnce && !checked.IsZero() && now.Sub(checked) < modelChecked {
		return nil
	}
	n, err := db.Seen(ctx, a.DB, numberInForce)
	if err != nil {
		return err
	}
	var m *Model
	if !have || n != version {
		err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			n, m, err = InForce(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	a.checked = now
	if m != nil {
		a.version, a.model, a.stocked = n, m, 0
	}
	return nil
}

// next is what to make next; the zero key: nothing.
func (a *Adviser) next(cat *catalogue.Catalogue) (k deskKey, asked bool) {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.stocked != cat.Version {
		a.stocked, a.trickle = cat.Version, nil
		for _, p := range cat.Plans {
			a.trickle = append(a.trickle, deskKey{p.ID, cat.Seller.BaseCurrency})
		}
	}
	for _, list := range []*[]deskKey{&a.wanted, &a.trickle} {
		for len(*list) > 0 {
			k, *list = (*list)[0], (*list)[1:]
			if d := a.desks[k]; d == nil || d.catalogue != cat.Version || d.model != a.version {
				return k, list == &a.wanted
			}
		}
	}
	return deskKey{}, false
}

// make builds one desk, without holding anybody up.
func (a *Adviser) make(cat *catalogue.Catalogue, k deskKey) error {
	a.Model() // it is there from now on
	a.lock.RLock()
	m, version := a.model, a.version
	a.lock.RUnlock()
	shop, items, err := ShopOf(cat, k.plan, k.in)
	if err != nil {
		return err
	}
	t, err := Build(m, shop)
	if err != nil {
		return err
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.desks == nil {
		a.desks = map[deskKey]*desk{}
	}
	a.desks[k] = &desk{t, items, cat.Version, version}
	return nil
}

// Ready makes the tables for one question at once, for a command that has time.
func (a *Adviser) Ready(ctx context.Context, s renewal.Situation) error {
	if err := a.Load(ctx, true); err != nil {
		return err
	}
	return a.make(s.Catalogue, deskKey{s.Line.Plan, s.Currency})
}

// forgetSecond takes the second choice out of an answer, where it cannot be had.
func (a *Answer) forgetSecond() {
	a.Close, a.Second = false, Choice{}
	kept := Reasons{}
	for _, r := range a.Reasons.All() {
		if r != SecondBest {
			kept.add(r)
		}
	}
	a.Reasons = kept
}
