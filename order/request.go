package order

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// request is what an operator is asked for: more service on a line, or a new
// line. This is all in which the two differ until the operator has said yes.
type request struct {
	carrier   carrier.Carrier
	extension carrier.Extension

	issuer   carrier.Issuer // nil: an extension is asked for
	purchase carrier.Purchase
	from     sourcing // whose issuer that is
}

// operator is who is asked.
func (r request) operator() carrier.Carrier {
	if r.issuer != nil {
		return r.issuer
	}
	return r.carrier
}

// request is what the operator of a line, or of the plan that a new one is of,
// will be asked for.
func (d *Desk) request(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, l line.Line, o Order) (r request, err error) {
	if o.Kind == NewLine {
		plan, from, err := d.source(ctx, tx, cat, o)
		if err != nil {
			return r, err
		}
		r.from = from
		r.issuer, r.purchase, err = d.purchase(cat, plan, o)
		r.purchase.Snapshot = from.Aside
		return r, err
	}
	if r.carrier, r.extension, err = d.extension(cat, l, o); err != nil {
		return r, err
	}
	r.extension.Earlier, err = d.earlier(ctx, tx, r.carrier.Abilities(), l, o)
	return r, err
}

// earlier is the last extension of a line, if it was carried out so shortly ago that an
// operator which does not keep our names may show the line without it; nil if there is
// none, or the operator took it back.
func (d *Desk) earlier(ctx context.Context, tx db.Tx, able carrier.Abilities, l line.Line, o Order) (*carrier.Extension, error) {
	if able.KeepsRef || !o.AskedAt.IsZero() {
		return nil, nil
	}
	found, err := all(ctx, tx, `SELECT `+columns+` FROM orders
		WHERE account_id = $1 AND line_id = $2 AND id <> $3 AND state = 'completed' AND kind IN ('term', 'pack') AND completed_at > $4
		  AND NOT EXISTS (SELECT 1 FROM periods p WHERE p.account_id = orders.account_id AND p.order_id = orders.id AND p.state = 'cancelled')
		ORDER BY completed_at DESC, id DESC LIMIT 1`, o.Account, l.ID, o.ID, db.At(tx.Now().Add(-able.SettlesWithin)))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	cat, err := d.Shelf.At(ctx, tx, found[0].Catalogue)
	if err != nil {
		return nil, err
	}
	_, e, err := d.extension(cat, l, found[0])
	if err != nil {
		return nil, nil // what is not sold here any more cannot be compared with
	}
	return &e, nil
}

// purchase is the order of a new profile that the operator of a plan will get.
func (d *Desk) purchase(cat *catalogue.Catalogue, plan catalogue.Plan, o Order) (carrier.Issuer, carrier.Purchase, error) {
	term, ok := plan.Term(o.Item)
	i, ok2 := d.fromStock(cat, plan, term, o.Account)
	if !term.FromStock {
		i, ok2 = d.issuer(cat, plan)
	}
	if !ok || !ok2 || !term.ComesNew() {
		return nil, carrier.Purchase{}, fault.New(fault.Internal, "nobody sells a new line of plan %s, term %s", o.Plan, o.Item)
	}
	return i, carrier.Purchase{
		Ref: o.ID, Package: term.NewPackage, Days: term.PackageDays, AskedAt: o.AskedAt, Theirs: o.OperatorRef,
	}, nil
}

// issuer is the operator of a plan as one that sells new lines.
func (d *Desk) issuer(cat *catalogue.Catalogue, p catalogue.Plan) (carrier.Issuer, bool) {
	op, _ := cat.Operator(p.Operator)
	i, ok := d.Carriers[op.Carrier].(carrier.Issuer)
	return i, ok && i.Abilities().Issues
}

// Sells reports whether a new line of a plan can be bought here: the plan has
// terms for it, and one of its operators makes them, or they come from stock.
func (d *Desk) Sells(cat *catalogue.Catalogue, p catalogue.Plan) bool {
	return slices.ContainsFunc(p.Sold(), func(t catalogue.Term) bool {
		return t.FromStock && d.Codes != nil || len(d.makers(cat, p, t.ID, nil)) > 0
	})
}

// named tells the request which order it is for, and since when it may be at the
// operator.
func (r *request) named(o Order) {
	r.extension.Ref, r.extension.AskedAt = o.ID, o.AskedAt
	r.purchase.Ref, r.purchase.AskedAt = o.ID, o.AskedAt
}

// prepare reads what must be remembered before it is sent. Of a line that does not
// exist there is nothing, unless its profile must be set aside first.
func (r *request) prepare(ctx context.Context) (err error) {
	switch reserver, ok := r.issuer.(carrier.Reserver); {
	case r.issuer == nil:
		r.extension.Snapshot, err = r.carrier.Prepare(ctx, r.extension)
	case ok && r.reserves():
		var aside carrier.Snapshot
		if aside, err = reserver.Reserve(ctx, r.purchase); err == nil {
			r.purchase.Snapshot = aside // an error leaves what was set aside before
		}
	}
	return err
}

// reserves reports whether something is set aside at the operator before it is asked.
func (r request) reserves() bool { return r.issuer != nil && r.issuer.Abilities().Reserves }

// snapshot is what is stored with the intent: what prepare found, and who is asked.
func (r request) snapshot() carrier.Snapshot {
	if r.issuer == nil {
		return r.extension.Snapshot
	}
	r.from.Aside = r.purchase.Snapshot
	return r.from.snapshot()
}

// send asks the operator, once. An answer without an error is a yes; of a new line
// that is still being made it has the operator's number alone.
func (r request) send(ctx context.Context) (carrier.Receipt, carrier.Issued, error) {
	if r.issuer == nil {
		receipt, err := r.carrier.Extend(ctx, r.extension)
		return receipt, carrier.Issued{}, err
	}
	i, err := r.issuer.Issue(ctx, r.purchase)
	if err == nil && i.Ref == "" && !i.Made() {
		err = errors.Join(carrier.ErrUnknown, errors.New("order: a yes that names nothing"))
	}
	return carrier.Receipt{Ref: i.Ref}, i, err
}

// reading is what a look-up says, of an extension or of a new line.
type reading struct {
	carrier.Reading
	issued  carrier.Issued
	settles time.Duration
}

// lookUp finds out what became of a request.
func (r request) lookUp(ctx context.Context) (reading, error) {
	if r.issuer == nil {
		seen, err := r.carrier.LookUp(ctx, r.extension)
		return reading{seen, carrier.Issued{}, r.carrier.Abilities().SettlesWithin}, err
	}
	seen, err := r.issuer.LookUpIssue(ctx, r.purchase)
	if seen.Found == carrier.FoundDone && !seen.Issued.Made() {
		seen.Found = carrier.FoundPending
	}
	return reading{
		carrier.Reading{Found: seen.Found, Receipt: carrier.Receipt{Ref: seen.Issued.Ref}, AsOf: seen.AsOf, Why: seen.Why},
		seen.Issued, r.issuer.Abilities().SettlesWithin,
	}, err
}

// about is what the rules are asked about: one item of a plan, for a line or for
// somebody who has none yet.
type about struct {
	kind     Kind
	line     string // of a new line, the identifier that it will have
	plan     string // of which a new line is; empty: any
	currency money.Currency
	rate     money.Rate
	tool     catalogue.Tool // empty while the customer has not chosen
}

func (o Order) about(tool catalogue.Tool) about {
	return about{o.Kind, o.Line, o.Plan, o.Price.Currency, o.Exchange.Rate, tool}
}

// situation reads everything that a decision depends on, under a catalogue.
func situation(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, account string, a about) (renewal.Situation, error) {
	s := renewal.Situation{Now: tx.Now(), Catalogue: cat, Currency: a.currency, Rate: a.rate, Tool: a.tool}
	if a.kind == NewLine {
		s.Line.Account, s.Line.ID, s.Line.Plan = account, a.line, a.plan
		return s, identified(ctx, tx, &s)
	}
	var err error
	if s.Line, err = line.Get(ctx, tx, account, a.line); err != nil {
		return renewal.Situation{}, err
	}
	if s.Periods, err = line.Periods(ctx, tx, account, a.line); err != nil {
		return s, err
	}
	return s, identified(ctx, tx, &s)
}

// identified finds out whether a check of who the customer is was passed, where a plan
// asks for one and the line does not know it: a new line, or one that was claimed.
func identified(ctx context.Context, tx db.Tx, s *renewal.Situation) (err error) {
	if s.Line.Identity || s.Line.Account == "" || !s.Catalogue.AsksIdentity(s.Line.Plan) {
		return nil
	}
	s.Line.Identity, err = identity.Passed(ctx, tx, s.Line.Account)
	return err
}

// decided is what the rules give for one item.
func decided(s renewal.Situation, k Kind, plan, item string) (renewal.Offer, *renewal.Refusal) {
	i := renewal.Item{Kind: renewal.Kind(k), Plan: plan, ID: item}
	if k == NewLine {
		return renewal.DecideNew(s, i)
	}
	return renewal.Decide(s, i)
}
