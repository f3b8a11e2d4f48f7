package order

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/exchange"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
)

// This file chooses which of a plan's operators makes a new line. It is chosen when
// the operator is asked, and stored with the intent, in the place where an extension
// has its snapshot; whoever looks up what became of it asks the same one. After that
// operator's certain no the next one is asked, and after its silence nobody.

// sourcing is what is remembered of who makes a new line.
type sourcing struct {
	Operator string   `json:"operator,omitempty"` // who is asked, or was asked last; empty: the plan's own
	Refused  []string `json:"refused,omitempty"`  // who said no to this order

	// Aside is what was set aside there before it was asked, see [carrier.Reserver].
	Aside carrier.Snapshot `json:"aside,omitempty"`
}

// sourcingOf is the zero value for what is no new line, and while nobody was chosen.
func sourcingOf(o Order) (s sourcing, err error) {
	if o.Kind != NewLine || len(o.Snapshot) == 0 {
		return s, nil
	}
	if err = json.Unmarshal(o.Snapshot, &s); err != nil {
		err = fault.Wrap(fault.Internal, err, "who makes the line of order %s cannot be read", o.ID)
	}
	return s, err
}

// snapshot is empty where there is nothing to remember: one operator that sets nothing
// aside.
func (s sourcing) snapshot() carrier.Snapshot {
	if s.Operator == "" && s.Aside == nil {
		return nil
	}
	out, _ := json.Marshal(s) //nolint:errchkjson // strings alone
	return carrier.Snapshot(out)
}

// Funds is what is left with the operator of an adapter, as last heard; false: it is
// not known.
type Funds func(ctx context.Context, tx db.Tx, adapter string) (carrier.Cost, bool, error)

// fedBy is the plan of an order as the operator feeds it that makes its line; of
// others, as the plan's own one does.
func fedBy(cat *catalogue.Catalogue, o Order) (catalogue.Plan, error) {
	plan, ok := cat.Plan(o.Plan)
	s, err := sourcingOf(o)
	if err != nil {
		return plan, err
	}
	plan, feeds := plan.From(s.Operator)
	if !ok || !feeds {
		return plan, fault.New(fault.Internal, "catalogue %d lacks plan %s, or its operator %q", cat.Version, o.Plan, s.Operator)
	}
	return plan, nil
}

// source is who makes the line of an order: whoever was asked, or the best one, of an
// order that nobody was asked for. It returns the plan as that operator feeds it.
func (d *Desk) source(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, o Order) (catalogue.Plan, sourcing, error) {
	plan, err := fedBy(cat, o)
	if err != nil {
		return plan, sourcing{}, err
	}
	s, err := sourcingOf(o)
	if err != nil || !o.AskedAt.IsZero() {
		return plan, s, err
	}
	plan, _ = cat.Plan(o.Plan)
	if len(plan.Sources) == 0 {
		return plan, s, nil
	}
	makers := d.makers(cat, plan, o.Item, s.Refused)
	if len(makers) > 1 {
		if makers, err = d.ranked(ctx, tx, cat, makers, o.Item, s.Operator); err != nil {
			return plan, s, err
		}
	}
	if len(makers) > 0 {
		plan = makers[0]
	}
	if plan.Operator != s.Operator {
		s.Operator, s.Aside = plan.Operator, nil // what another one set aside is of no use
	}
	return plan, s, nil
}

// makers are a plan as each of its operators feeds it that makes new lines with a
// term, but for those that refused.
func (d *Desk) makers(cat *catalogue.Catalogue, plan catalogue.Plan, term string, refused []string) (all []catalogue.Plan) {
	for _, op := range plan.Operators() {
		from, _ := plan.From(op)
		t, _ := from.Term(term)
		if _, makes := d.issuer(cat, from); makes && t.NewPackage != "" && !slices.Contains(refused, op) {
			all = append(all, from)
		}
	}
	return all
}

// rank is how good it is to ask an operator now: less of each is better, in this
// order. Two that are alike are asked in the catalogue's order.
type rank struct {
	from  catalogue.Plan
	away  int      // it is left alone, because it does not answer
	short int      // what is left with it is not enough
	again int      // it was asked for this order just now, and could not be reached
	cost  *big.Rat // of all in one currency; nil: it is not known, and counts as dearer
}

func (d *Desk) ranked(ctx context.Context, tx db.Tx, cat *catalogue.Catalogue, makers []catalogue.Plan, term, last string) ([]catalogue.Plan, error) {
	ranks := make([]rank, len(makers))
	in := currencyOf(makers, term, cat.Seller.BaseCurrency)
	sheet, err := exchange.Current(ctx, tx, exchange.ECB)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	for i, from := range makers {
		t, _ := from.Term(term)
		op, _ := cat.Operator(from.Operator)
		r := rank{from: from, cost: worthIn(sheet, in, t.NewCost)}
		if o := d.planner(op.Carrier); o != nil && o.Look().State != calls.Well {
			r.away = 1
		}
		if from.Operator == last {
			r.again = 1
		}
		if d.Funds != nil {
			left, known, err := d.Funds(ctx, tx, op.Carrier)
			if err != nil {
				return nil, err
			}
			if known && isShort(left, t.NewCost) {
				r.short = 1
			}
		}
		ranks[i] = r
	}
	slices.SortStableFunc(ranks, func(a, b rank) int {
		return cmp.Or(cmp.Compare(a.away, b.away), cmp.Compare(a.short, b.short), cmp.Compare(a.again, b.again), cheaper(a.cost, b.cost))
	})
	for i, r := range ranks {
		makers[i] = r.from
	}
	return makers, nil
}

func cheaper(a, b *big.Rat) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Cmp(b)
}

// currencyOf is what costs are compared in: their own, where they all have one, else
// the seller's.
func currencyOf(makers []catalogue.Plan, term string, base money.Currency) money.Currency {
	in := money.Currency("")
	for _, from := range makers {
		t, _ := from.Term(term)
		switch c := t.NewCost.Currency; {
		case c == "" || c == in:
		case in == "":
			in = c
		default:
			return base
		}
	}
	return in
}

// worthIn is an amount in whole units of a currency, by the newest rates, however old:
// they decide about the order of operators, and about no amount.
func worthIn(sheet exchange.Sheet, in money.Currency, m money.Money) *big.Rat {
	if m == (money.Money{}) {
		return nil
	}
	worth := wholeUnits(m)
	if m.Currency == in {
		return worth
	}
	r, ok := sheet.Rate(m.Currency, in)
	if !ok {
		return nil
	}
	return worth.Mul(worth, big.NewRat(r.Numerator, r.Denominator))
}

func wholeUnits(m money.Money) *big.Rat {
	return new(big.Rat).SetFrac(big.NewInt(m.Minor), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(money.Decimals(m.Currency))), nil))
}

// isShort reports whether what is left with an operator does not pay for what it
// costs; of what costs another currency, or nobody knows how much, whether nothing is.
func isShort(left carrier.Cost, cost money.Money) bool {
	if left.Currency != string(cost.Currency) {
		return left.Rat().Sign() <= 0
	}
	return left.Rat().Cmp(wholeUnits(cost)) < 0
}

// nextSource lets a new line be asked of another operator of its plan, after one has
// certainly refused; false: there is no other.
func (d *Desk) nextSource(ctx context.Context, o Order, no *carrier.Refusal) (Order, bool, error) {
	if o.Kind != NewLine {
		return o, false, nil
	}
	type next struct {
		order Order
		found bool
	}
	n, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (next, error) {
		o, leaseEnds := o, o.DueAt // nobody else has taken it meanwhile
		cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
		if err != nil {
			return next{}, err
		}
		s, err := sourcingOf(o)
		if err != nil {
			return next{}, err
		}
		plan, _ := cat.Plan(o.Plan)
		term, _ := plan.Term(o.Item)
		s.Refused, s.Aside = append(s.Refused, cmp.Or(s.Operator, plan.Operator)), nil
		if term.FromStock || len(d.makers(cat, plan, o.Item, s.Refused)) == 0 {
			return next{}, nil
		}
		o.Snapshot, o.AskedAt, o.DueAt = s.snapshot(), time.Time{}, tx.Now()
		o.Evidence = clip(fmt.Sprintf("%s refuses (%s), and another operator is asked", cmp.Or(s.Operator, plan.Operator), no.Error()))
		var b db.Batch
		b.Guard(`UPDATE orders SET snapshot = $4, asked_at = NULL, due_at = $5, evidence = $6, updated_at = $5
			WHERE account_id = $1 AND id = $2 AND state = $3 AND due_at = $7`,
			o.Account, o.ID, o.State, string(o.Snapshot), db.At(o.DueAt), o.Evidence, db.At(leaseEnds))
		return next{o, true}, conflict(tx.Batch(ctx, &b), o.ID)
	})
	if !n.found {
		n.order = o
	}
	return n.order, n.found, err
}
