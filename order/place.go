package order

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Acceptance is what the customer agreed to.
type Acceptance struct {
	Account string
	Quote   string
	Key     string         // the customer's; empty: the quote itself, of which there is one order
	Amount  money.Money    // as the customer confirmed it; another than the quote's is refused
	Tool    catalogue.Tool // what pays the rest: ToolWallet, or a rail; ToolPoints where points pay everything
	Parts   Parts          // as the customer confirmed them; zero: Tool pays everything
}

const maxKey = 255

// Place turns a quote into an order. The same key with the same input returns
// the same order, however often and from how many tabs; the same key with other
// input is a [fault.Conflict].
//
// Paid from the wallet, the order is paid here, and the operator is asked
// before Place returns: the order may come back completed. With any other tool
// it comes back placed, and [Desk.Pay] is next.
func (d *Desk) Place(ctx context.Context, a Acceptance) (Order, error) {
	if a.Key == "" {
		a.Key = a.Quote
	}
	if len(a.Key) > maxKey {
		return Order{}, fault.New(fault.Invalid, "An idempotency key has at most %d characters.", maxKey)
	}
	p, err := d.consider(ctx, a)
	if err != nil {
		return Order{}, err
	}
	if p.already {
		return p.order, nil
	}
	if p.order.Rest().IsZero() && p.order.Kind != TopUp {
		if err := d.prepare(ctx, &p); err != nil {
			return Order{}, err
		}
	}
	o, mine, err := d.commit(ctx, p)
	if err != nil {
		return Order{}, err
	}
	if mine && o.State == Fulfilling {
		p.named(o)
		return d.ask(ctx, task{o, p.request})
	}
	return o, nil
}

// placing is an order that is about to be stored.
type placing struct {
	order   Order
	already bool // it was placed before
	taken   bool // the line is reserved and the operator will be asked at once
	request
}

// consider reads and decides; it changes nothing. Whether the order was placed
// before is asked only when the rules refuse it now: where they do not, the keys
// of the row find out when it is stored, see whyNot.
func (d *Desk) consider(ctx context.Context, a Acceptance) (placing, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (placing, error) {
		q, err := GetQuote(ctx, tx, a.Account, a.Quote)
		if err != nil {
			return placing{}, err
		}
		o := q.order(a)
		p, no := d.decide(ctx, tx, a, q, o)
		if no == nil && o.Parts.Rest > 0 {
			no = d.takes(payment.Rail(a.Tool), d.Rails[payment.Rail(a.Tool)], o.Rest(), tx.Now(), q.ExpiresAt)
		}
		if no == nil {
			return p, nil
		}
		if err := unlessSaid(no); err != nil {
			return placing{}, err // nothing more can be read
		}
		if old, found, err := d.before(ctx, tx, o); found || err != nil {
			return placing{order: old, already: true}, err
		}
		return placing{}, no
	})
}

// decide asks whether the quote still stands, and gets its order ready.
func (d *Desk) decide(ctx context.Context, tx db.Tx, a Acceptance, q Quote, o Order) (placing, error) {
	if err := d.acceptable(q, a, o.Parts, tx.Now()); err != nil {
		return placing{}, err
	}
	o.ID, o.PlacedAt, o.UpdatedAt = d.IDs.Under("ord", a.Account), tx.Now(), tx.Now()
	if o.Kind == TopUp {
		return placing{order: o}, nil
	}
	if err := d.unowed(ctx, tx, o, false); err != nil {
		return placing{}, err
	}
	cat, err := d.Shelf.At(ctx, tx, q.Catalogue)
	if err != nil {
		return placing{}, err
	}
	s, err := situation(ctx, tx, cat, a.Account, o.about(a.Tool))
	if err != nil {
		return placing{}, err
	}
	offer, no := decided(s, q.Kind, q.Plan, q.Item)
	switch {
	case no != nil:
		return placing{}, Refused(no)
	case !o.Parts.allowed(cat.Seller, s, o):
		return placing{}, errParts()
	case s.Line.Extending != "":
		return placing{}, errBusy()
	case s.Line.Periods != q.Periods || !asGood(offer, o):
		return placing{}, fault.Because(fault.Conflict, "line_changed",
			"This line has changed since the offer was made. Look at its page and choose again.", nil)
	}
	p := placing{order: o, taken: true}
	p.request, err = d.request(ctx, tx, cat, s.Line, o)
	return p, err
}

// order is what a quote becomes when it is accepted, before it has an ID.
func (q Quote) order(a Acceptance) Order {
	return Order{
		Account: a.Account, State: Placed, Key: a.Key, Digest: a.digest(), Quote: q.ID, Kind: q.Kind,
		Line: q.Line, Plan: q.Plan, Item: q.Item, Catalogue: q.Catalogue, Price: q.Price, Exchange: q.Exchange, Tool: a.Tool, Parts: a.parts(),
		Effect: q.Effect, StartsAt: q.StartsAt, EndsAt: q.EndsAt, Anchor: q.Anchor, Bytes: q.Bytes, Periods: q.Periods, Enlarges: q.Enlarges,
		ExpiresAt: q.ExpiresAt, DueAt: q.ExpiresAt,
	}
}

func (a Acceptance) digest() string {
	what := fmt.Appendf(nil, "%s\n%d\n%s\n%s", a.Quote, a.Amount.Minor, a.Amount.Currency, a.Tool)
	if p := a.parts(); p.several() {
		what = fmt.Appendf(what, "\n%d\n%d\n%d\n%d", p.Points, p.Discount, p.Wallet, p.Rest)
	}
	sum := sha256.Sum256(what)
	return hex.EncodeToString(sum[:16])
}

// before finds the order that was placed with the same key or the same quote.
func (d *Desk) before(ctx context.Context, tx db.Tx, o Order) (Order, bool, error) {
	old, found, err := byKey(ctx, tx, o.Account, o.Key)
	if err != nil {
		return Order{}, false, err
	}
	if found {
		if old.Digest != o.Digest {
			return Order{}, false, fault.Because(fault.Conflict, "key_reused",
				"This was already sent with other contents. Reload the page and look at the order.", nil)
		}
		return old, true, nil
	}
	old, found, err = ByQuote(ctx, tx, o.Account, o.Quote)
	if found {
		return Order{}, false, fault.Because(fault.Conflict, "quote_used",
			"This offer was already accepted. Look at the order.", map[string]string{"order": old.ID})
	}
	return Order{}, false, err
}

func (d *Desk) acceptable(q Quote, a Acceptance, p Parts, now time.Time) error {
	switch {
	case !now.Before(q.ExpiresAt):
		return errExpired()
	case a.Amount != q.Price || !p.sumTo(q.Price):
		return errAmount()
	case p.Wallet > 0 && (d.Wallet == WalletOff || q.Kind == TopUp):
		return fault.Because(fault.Invalid, "wallet_off", "The wallet cannot pay for this. Choose another way to pay.", nil)
	case p.Points > 0 && q.Kind == TopUp, !p.paidWith(a.Tool) && !q.Price.IsZero():
		return errParts()
	}
	return nil
}

func errExpired() error {
	return fault.Because(fault.Invalid, "quote_expired", "This offer has expired. Choose one again; the price may have changed.", nil)
}

func errAmount() error {
	return fault.Because(fault.Conflict, "amount_differs", "The confirmed amount is not the offer's. Reload the page and look again.", nil)
}

// takes fails where an adapter cannot collect an amount by a rail before the price
// ends.
func (d *Desk) takes(rail payment.Rail, name string, rest money.Money, now, ends time.Time) error {
	provider, ok := d.Providers[name]
	if !ok {
		return fault.Because(fault.Invalid, "tool_unknown", "This shop does not take that. Choose another way to pay.", nil)
	}
	if !provider.Limits().Takes(rail, rest) || d.tooSlow(rail, now, ends) {
		return fault.Because(fault.Invalid, "tool_currency", "This way to pay does not take that currency or amount. Choose another one.", nil)
	}
	return nil
}

// asGood reports whether what the policy gives now is what was quoted: the same
// effect on the same period, at no higher price, and no earlier end.
func asGood(now renewal.Offer, o Order) bool {
	return now.Effect == o.Effect && now.Price.Currency == o.Price.Currency && now.Price.Minor <= o.Price.Minor &&
		!now.EndsAt.Before(o.EndsAt) && bytesOf(now) >= o.Bytes && now.Period == o.Enlarges
}

// extension is what the operator will be asked for.
func (d *Desk) extension(cat *catalogue.Catalogue, l line.Line, o Order) (carrier.Carrier, carrier.Extension, error) {
	plan, ok := cat.Plan(o.Plan)
	plan, ok4 := plan.From(l.Operator)
	op, ok2 := cat.Operator(l.Operator)
	c, ok3 := d.Carriers[op.Carrier]
	if !ok || !ok2 || !ok3 || !ok4 {
		return nil, carrier.Extension{}, fault.New(fault.Internal, "no operator for plan %s of line %s (adapter %q)", o.Plan, l.ID, op.Carrier)
	}
	e := carrier.Extension{Ref: o.ID, Profile: carrier.Profile{ID: l.ProfileID, ICCID: l.ICCID}, Snapshot: o.Snapshot, AskedAt: o.AskedAt, Since: l.StartedAt}
	switch o.Kind {
	case Term:
		t, ok := plan.Term(o.Item)
		if !ok {
			return nil, e, fault.New(fault.Internal, "plan %s has no term %s", o.Plan, o.Item)
		}
		e.Package, e.Days = t.Package, t.PackageDays
	case Pack:
		k, ok := plan.Pack(o.Item)
		if !ok {
			return nil, e, fault.New(fault.Internal, "plan %s has no pack %s", o.Plan, o.Item)
		}
		e.Package = k.Package
		if k.EachDay && k.Prices != nil {
			e.Days = packDays(k, o.listPrice())
		}
	case TopUp, NewLine:
		return nil, e, fault.New(fault.Internal, "an order of kind %s extends no line", o.Kind)
	}
	return c, e, nil
}

// listPrice is the price as it stands in the price list, in whichever currency.
func (o Order) listPrice() money.Money {
	if o.Exchange != (Exchange{}) {
		return o.Exchange.List
	}
	return o.Price
}

// packDays is for how many days a pack was sold, from what was paid for it.
func packDays(k catalogue.Pack, paid money.Money) int {
	for _, m := range k.Prices {
		if m.Currency == paid.Currency && m.Minor > 0 {
			return int(paid.Minor / m.Minor)
		}
	}
	return 1
}

// prepare reads from the operator what must be remembered before it is asked.
// When that cannot be had now, the order is placed all the same and a worker
// asks later; when the operator would refuse, nothing is placed. Nothing is set
// aside for an order that is not paid: whoever has an empty wallet could have all of it.
func (d *Desk) prepare(ctx context.Context, p *placing) error {
	if p.reserves() {
		p.taken = false
		return nil
	}
	err := p.prepare(ctx)
	if _, refused := errors.AsType[*carrier.Refusal](err); refused {
		return fault.Wrap(fault.Unavailable, err, "The operator does not extend this line at the moment. Nothing was charged.")
	}
	if err != nil {
		p.taken = false
		return nil
	}
	p.order.Snapshot = p.snapshot()
	return nil
}

// commit stores the order; from the wallet it is paid in the same transaction,
// and, with the line reserved, is on its way to the operator. mine is false when
// somebody else's transaction placed it: only the one that did may ask.
func (d *Desk) commit(ctx context.Context, p placing) (o Order, mine bool, err error) {
	o, err = db.Sent(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		if p.late(tx.Now()) {
			return Order{}, errLate
		}
		var b db.Batch
		o := d.addPlacing(&b, tx, p)
		return o, tx.Batch(ctx, &b)
	})
	if err == nil {
		return o, true, nil
	}
	if !stopped(err) {
		return Order{}, false, err
	}
	o, err = d.whyNot(ctx, p, err)
	return o, false, err
}

func (d *Desk) addPlacing(b *db.Batch, tx db.Tx, p placing) Order {
	o := p.order
	o.PlacedAt, o.UpdatedAt = tx.Now(), tx.Now()
	if o.Rest().IsZero() {
		o.State, o.PaidAt, o.DueAt = Paid, tx.Now(), tx.Now()
		if p.taken {
			o.State, o.AskedAt, o.DueAt, o.Attempts = Fulfilling, tx.Now(), tx.Now().Add(lease), 1
			if o.Kind != NewLine {
				line.Take(b, o.Account, o.Line, o.ID, o.Periods)
			}
		}
		o.addSpending(b, tx.Now())
	} else {
		o.addSettingAside(b, tx.Now())
	}
	if d.mindsDebts(o, false) {
		insertUnowed(b, o)
	} else {
		insert(b, o)
	}
	return o
}

// errLate is an offer that ended between the decision and its order: the process stood
// still, or the operator took its time.
var errLate = errors.New("order: the offer has ended meanwhile")

// late reports whether the offer has ended.
func (p placing) late(now time.Time) bool { return !now.Before(p.order.ExpiresAt) }

// stopped reports whether a guard kept an order from being placed, or its offer's end.
func stopped(err error) bool { return isGuard(err) || db.IsUnique(err) || errors.Is(err, errLate) }

// whyNot finds out what stopped an order from being placed.
func (d *Desk) whyNot(ctx context.Context, p placing, cause error) (Order, error) {
	type finding struct {
		old     Order
		already bool
		busy    bool
		owes    error
		short   error
	}
	f, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (f finding, err error) {
		if f.old, f.already, err = d.before(ctx, tx, p.order); f.already || err != nil {
			return f, err
		}
		if f.owes = d.unowed(ctx, tx, p.order, false); f.owes != nil {
			return f, unlessSaid(f.owes)
		}
		if f.short, err = p.order.short(ctx, tx); err != nil || p.order.Line == "" || p.order.Kind == NewLine {
			return f, err
		}
		l, err := line.Get(ctx, tx, p.order.Account, p.order.Line)
		f.busy = l.Extending != "" || l.Periods != p.order.Periods
		return f, err
	})
	switch {
	case err != nil:
		return Order{}, err
	case f.already:
		return f.old, nil
	case errors.Is(cause, errLate):
		return Order{}, errExpired()
	case f.owes != nil:
		return Order{}, f.owes
	case f.short != nil:
		return Order{}, f.short
	case f.busy:
		return Order{}, errBusy()
	}
	return Order{}, fault.Wrap(fault.Conflict, cause, "Somebody was faster. Reload the page and look at the line.")
}

// unlessSaid is an error that is not for the customer; nil for one that is.
func unlessSaid(err error) error {
	if _, said := errors.AsType[*fault.Error](err); said {
		return nil
	}
	return err
}

func errBusy() error {
	return fault.Because(fault.Conflict, "line_busy", "This line is just being extended. Look at its page in a moment and choose again.", nil)
}

// WhatFor says what an order is for in a few plain words, for staff and for
// the customer's statement at a provider.
func (o Order) WhatFor() string {
	return strings.TrimSpace(string(o.Kind) + " " + o.Plan + " " + o.Item)
}
