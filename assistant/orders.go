package assistant

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// zone is the operator's of the line that is spoken of.
func (t doing) zone() *time.Location {
	p, _ := t.f.shop.Plan(t.line.Plan)
	return zoneOf(t.f.shop, p)
}

// orders says where the account's newest order stands.
func (t doing) orders(ctx context.Context) (Piece, error) {
	return db.Seen(ctx, t.desk.DB, func(ctx context.Context, tx db.Tx) (Piece, error) {
		all, err := order.List(ctx, tx, t.who.Account, "", 1)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			return NoOrder{}, nil
		}
		return t.order(ctx, tx, all[0])
	})
}

// order reads what the page of an order tells.
func (t doing) order(ctx context.Context, tx db.Tx, o order.Order) (_ Piece, err error) {
	p, key := Order{Order: o}, o.Ref()
	if p.Catalogue, err = t.desk.Order.Shelf.At(ctx, tx, o.Catalogue); err != nil {
		return nil, err
	}
	if o.Line != "" && (o.Kind != order.NewLine || o.State == order.Completed) {
		if p.Line, err = line.Get(ctx, tx, t.who.Account, o.Line); err != nil {
			return nil, err
		}
		state, err := order.WithdrawalState(ctx, tx, key)
		if err != nil {
			return nil, err
		}
		p.Withdrawn = state == order.WithdrawDone
	}
	payments, err := order.Payments(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	for _, one := range payments {
		if one.Live {
			p.Live = one
		}
	}
	p.HandBy, _ = t.desk.Order.HandTime(p.Catalogue, p.Line, o)
	p.Credited.Currency = o.Price.Currency
	bills, err := billing.OfOrder(ctx, tx, t.who.Account, o.ID)
	for _, b := range bills {
		switch {
		case b.Kind != billing.CreditNote:
			p.Billed = b.IssuedAt
		case o.State == order.Completed:
			p.Credited.Minor += b.Total.Minor
		}
	}
	return p, err
}

// lastsFor reports whether an item is a term of just that length.
func lastsFor(c *catalogue.Catalogue, item renewal.Item, want ChooseFor) bool {
	plan, _ := c.Plan(item.Plan)
	term, ok := plan.Term(item.ID)
	if item.Kind != renewal.Term || !ok {
		return false
	}
	n := term.Length.N
	switch term.Length.Unit {
	case calendar.Day, calendar.Hours24:
		return want == ChooseFor{Days: n}
	case calendar.Month:
		return want == ChooseFor{Months: n}
	case calendar.Year:
		return want == ChooseFor{Years: n} || want == ChooseFor{Months: 12 * n}
	}
	return false
}
