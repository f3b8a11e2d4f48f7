// Package reminder completes messages at the moment they are sent: whom they go
// to and in which language, what is left on the line now, the best offer, the
// one-tap link. A reminder whose line was renewed since it was queued is no
// longer needed, and says so.
//
// The rows that wait are package message's; they are queued by whoever makes
// the end of service known, in the same transaction.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package reminder

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Filler completes messages. It is message.Sender's Fill.
type Filler struct {
	DB    *db.DB
	Shelf *catalogue.Shelf
	Door  *account.Door
}

// linkLives is how long the link of a reminder is good after the line's last
// moment to renew.
const linkLives = 24 * time.Hour

// Fill adds what m lacks. It returns [message.ErrNotNeeded] for a reminder that
// is no longer true.
func (f *Filler) Fill(ctx context.Context, m message.Message) (message.Message, error) {
	return db.Written(ctx, f.DB, func(ctx context.Context, tx db.Tx) (message.Message, error) {
		m, err := f.addressed(ctx, tx, m)
		if err != nil {
			return m, err
		}
		if m.Order != "" {
			if m, err = billed(ctx, tx, m); err != nil {
				return m, err
			}
		}
		if m.Line == "" {
			return m, nil
		}
		return f.withLine(ctx, tx, m)
	})
}

// addressed finds the account's address and language for a message that was
// queued without.
func (f *Filler) addressed(ctx context.Context, tx db.Tx, m message.Message) (message.Message, error) {
	if m.To.Value != "" {
		return m, nil
	}
	a, err := account.Get(ctx, tx, m.Account)
	if err != nil {
		return m, err
	}
	if a.State == account.Closed {
		return m, message.ErrNotNeeded
	}
	if m.Language == "" {
		m.Language = a.Language
	}
	m.To, err = account.PrimaryAddress(ctx, tx, m.Account)
	if fault.KindOf(err) == fault.NotFound {
		return m, message.ErrNotNeeded // there is nobody to tell; it stands in the inbox
	}
	return m, err
}

// billed adds the number of the order's bill, where it has one by now.
func billed(ctx context.Context, tx db.Tx, m message.Message) (message.Message, error) {
	bills, err := billing.OfOrder(ctx, tx, m.Account, m.Order)
	for _, b := range bills {
		if b.Title() != "" && b.Kind != billing.CreditNote {
			m.Facts.Bill = b.Title()
		}
	}
	m.Facts.Link = cmp.Or(m.Facts.Link, "/orders/"+m.Order)
	return m, err
}

func (f *Filler) withLine(ctx context.Context, tx db.Tx, m message.Message) (message.Message, error) {
	l, err := line.Get(ctx, tx, m.Account, m.Line)
	if err != nil {
		return m, err
	}
	cat, err := f.Shelf.Current(ctx, tx)
	if err != nil {
		return m, err
	}
	m.Facts.LineName, m.Facts.LineLastFour = l.Name, l.LastFour()
	plan, ok := cat.Plan(l.Plan)
	if !ok {
		return m, nil // the plan is gone from the catalogue; the line is still named
	}
	m.Facts.PlanName = named(plan, m.Language)
	if !slices.Contains(message.Reminders(), m.Kind) {
		return m, nil
	}
	if !l.EndsAt.Equal(m.Facts.EndsAt) {
		return m, message.ErrNotNeeded
	}
	return f.asReminder(ctx, tx, m, cat, plan, l)
}

// asReminder adds what makes a reminder useful: what is left, the best offer,
// and the link that opens this line's renewal and nothing else.
func (f *Filler) asReminder(ctx context.Context, tx db.Tx, m message.Message, cat *catalogue.Catalogue, plan catalogue.Plan, l line.Line) (message.Message, error) {
	op, _ := cat.Operator(plan.Operator)
	m.Facts.Zone, m.Facts.GB = op.Zone, op.GB
	if !l.Usage.Unlimited && !l.Usage.AsOf.IsZero() {
		left := l.Usage.Left()
		m.Facts.Left, m.Facts.AsOf = &left, l.Usage.AsOf
	}
	periods, err := line.Periods(ctx, tx, m.Account, l.ID)
	if err != nil {
		return m, err
	}
	s := renewal.Situation{Now: tx.Now(), Line: l, Periods: periods, Catalogue: cat, Currency: lastCurrency(cat, m)}
	if offers, no := renewal.Offers(s); no == nil {
		best := Best(offers)
		m.Facts.OfferPrice = best.Price
		if p, ok := cat.Plan(best.Item.Plan); ok {
			m.Facts.OfferName = named(p, m.Language) + " " + best.Item.ID
		}
	}
	last := l.EndsAt
	if m.Facts.RenewUntil.After(last) {
		last = m.Facts.RenewUntil
	}
	token, err := f.Door.MakeLink(ctx, tx, m.Account, l.ID, last.Add(linkLives))
	m.Facts.Link = "/r/" + token
	return m, err
}

// lastCurrency is the currency the customer paid in, else the shop's own.
func lastCurrency(cat *catalogue.Catalogue, m message.Message) money.Currency {
	return cmp.Or(m.Facts.Amount.Currency, cat.Seller.BaseCurrency)
}

// Best is the offer that a message names: the term that costs least in all.
// Whoever needs longer sees the rest on the page; the dearest is never pushed.
func Best(offers []renewal.Offer) renewal.Offer {
	return slices.MinFunc(offers, func(a, b renewal.Offer) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Price.Minor, b.Price.Minor))
	})
}

// rank puts terms before packs: a reminder is about time.
func rank(o renewal.Offer) int {
	if o.Item.Kind == renewal.Term {
		return 0
	}
	return 1
}

func named(p catalogue.Plan, l locale.Language) string {
	return cmp.Or(p.Name[l], p.Name[locale.En], p.ID)
}
