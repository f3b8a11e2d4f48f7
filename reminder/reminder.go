// Package reminder completes messages at the moment they are sent: whom they go
// to and in which language, what was bought, what is left on the line now, the
// best offer, the one-tap link. A reminder whose line was renewed since it was
// queued is no longer needed, and says so.
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
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/seal"
)

// Filler completes messages. It is message.Sender's Fill.
type Filler struct {
	DB    *db.DB
	Shelf *catalogue.Shelf
	Door  *account.Door

	// Advice says what is best for this line; nil, or where it cannot say: [Best].
	Advice *advice.Adviser

	// Codes opens activation codes; nil: none is sealed.
	Codes *seal.Box
}

// linkLives is how long the link of a reminder is good after the line's last
// moment to renew.
const linkLives = 24 * time.Hour

// Fill adds what m lacks. It returns [message.ErrNotNeeded] for a reminder that
// is no longer true, and for a message to nobody: the account is closed or has
// no confirmed address; and [message.ErrInboxOnly], with the message, for what its
// customer does not wish to be told.
func (f *Filler) Fill(ctx context.Context, m message.Message) (message.Message, error) {
	done, err := db.Written(ctx, f.DB, func(ctx context.Context, tx db.Tx) (filled, error) {
		m, told, err := f.addressed(ctx, tx, m)
		if err == nil {
			m, err = f.completed(ctx, tx, m)
		}
		return filled{m, told}, err
	})
	if err == nil && !done.told {
		err = message.ErrInboxOnly
	}
	return done.m, err
}

// filled is a complete message, and whether anybody is told.
type filled struct {
	m    message.Message
	told bool
}

// completed adds what a message says, and in which zone its times are written: that of
// the operator of the line that it is about, else the customer's or, as on pages, the
// shop's.
func (f *Filler) completed(ctx context.Context, tx db.Tx, m message.Message) (message.Message, error) {
	m, err := f.told(ctx, tx, m)
	if err != nil || m.Facts.Zone != "" {
		return m, err
	}
	a, err := account.Get(ctx, tx, m.Account)
	if m.Facts.Zone = a.Zone; err != nil || a.Zone != "" {
		return m, err
	}
	cat, err := f.Shelf.Current(ctx, tx)
	if err == nil {
		m.Facts.Zone = cat.Seller.Zone
	}
	if fault.KindOf(err) == fault.NotFound {
		err = nil // nothing is sold yet
	}
	return m, err
}

// told adds what a message says.
func (f *Filler) told(ctx context.Context, tx db.Tx, m message.Message) (message.Message, error) {
	var o order.Order
	if m.Order != "" {
		var err error
		if m, o, err = f.withOrder(ctx, tx, m); err != nil {
			return m, err
		}
	}
	if m.Kind == message.WalletExpiring || m.Kind == message.WalletExpired {
		m.Facts.Link = "/wallet"
	}
	if m.Line == "" {
		return m, nil
	}
	return f.withLine(ctx, tx, m, o)
}

// withOrder adds what the order bought, the wallet as it is after a top-up, and
// the number of the order's document where it has one by now. It returns the
// order too.
func (f *Filler) withOrder(ctx context.Context, tx db.Tx, m message.Message) (message.Message, order.Order, error) {
	m.Facts.Link = cmp.Or(m.Facts.Link, "/orders/"+m.Order)
	o, err := order.Get(ctx, tx, order.Key{Account: m.Account, ID: m.Order})
	if err != nil {
		return m, o, err
	}
	if o.Kind == order.TopUp {
		if m.Facts.Balance, err = ledger.Balance(ctx, tx, m.Account, ledger.Wallet, o.Price.Currency); err != nil {
			return m, o, err
		}
	}
	bills, err := billing.OfOrder(ctx, tx, m.Account, m.Order)
	if err != nil {
		return m, o, err
	}
	for _, b := range bills {
		if b.Kind != billing.CreditNote {
			m.Facts.Bill = b.Title()
		}
	}
	if o.Kind == order.TopUp {
		return m, o, nil
	}
	cat, err := f.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil {
		return m, o, err
	}
	if plan, ok := cat.Plan(o.Plan); ok {
		op, _ := cat.Operator(plan.Operator)
		m.Facts.PlanName, m.Facts.Zone = plan.NameIn(m.Language), cmp.Or(m.Facts.Zone, op.Zone)
		m.Facts.TermName = itemName(m.Language, plan, op.GB, renewal.Item{Kind: renewal.Kind(o.Kind), Plan: o.Plan, ID: o.Item})
	}
	return m, o, nil
}

// withLine names the line, and completes a reminder. o is the order that the
// message is about, if it is about one.
func (f *Filler) withLine(ctx context.Context, tx db.Tx, m message.Message, o order.Order) (message.Message, error) {
	l, err := line.Get(ctx, tx, m.Account, m.Line)
	if fault.KindOf(err) == fault.NotFound && o.Kind == order.NewLine {
		return m, nil // it does not exist yet, or never will
	}
	if err != nil {
		return m, err
	}
	m.Facts.LineName, m.Facts.LineLastFour = l.Name, l.LastFour()
	if m.Kind == message.ReminderInstall || m.Kind == message.OrderCompleted && o.Kind == order.NewLine {
		return f.withInstall(ctx, tx, m, l)
	}
	if slices.Contains(message.Reminders(), m.Kind) {
		return f.asReminder(ctx, tx, m, l, o.Price.Currency)
	}
	if m.Facts.PlanName == "" || m.Facts.Zone == "" {
		cat, err := f.Shelf.Current(ctx, tx)
		if err != nil {
			return m, err
		}
		if plan, ok := cat.Plan(l.Plan); ok {
			op, _ := cat.Operator(plan.Operator)
			m.Facts.PlanName, m.Facts.Zone = cmp.Or(m.Facts.PlanName, plan.NameIn(m.Language)), cmp.Or(m.Facts.Zone, op.Zone)
		}
	}
	return m, nil
}

// withInstall adds what a new line is installed with. Once it is in use nobody
// needs to be reminded of it.
func (f *Filler) withInstall(ctx context.Context, tx db.Tx, m message.Message, l line.Line) (message.Message, error) {
	if m.Kind == message.ReminderInstall && l.At(tx.Now()) != line.New {
		return m, message.ErrNotNeeded
	}
	e, found, err := line.GetESIM(ctx, tx, m.Account, l.ID)
	if err != nil || !found {
		return m, err
	}
	if e, err = e.Opened(f.Codes); err != nil {
		return m, err
	}
	m.Facts.Install, m.Facts.InstallBy = e.Code, e.InstallBy
	if m.Kind == message.ReminderInstall {
		m.Facts.Link = "/lines/" + l.ID
	}
	return m, nil
}

// asReminder adds what makes a reminder useful: what is left, the best offer,
// and the link that opens this line's renewal and nothing else. It stops one
// that is not true any more: the line ends at another time, or for ever.
func (f *Filler) asReminder(ctx context.Context, tx db.Tx, m message.Message, l line.Line, paid money.Currency) (message.Message, error) {
	if !holds(m, l) {
		return m, message.ErrNotNeeded
	}
	cat, err := f.Shelf.Current(ctx, tx)
	if err != nil {
		return m, err
	}
	periods, err := line.Periods(ctx, tx, m.Account, l.ID)
	if err != nil {
		return m, err
	}
	m.Facts.TermName = "" // of the order that queued it
	if plan, ok := cat.Plan(l.Plan); ok {
		op, _ := cat.Operator(plan.Operator)
		m.Facts.PlanName, m.Facts.Zone, m.Facts.GB = plan.NameIn(m.Language), op.Zone, op.GB
		if measured(plan, l, periods, tx.Now()) {
			left := l.Usage.Left()
			m.Facts.Left, m.Facts.AsOf = &left, l.Usage.AsOf
		} else if m.Kind == message.Usage80 || m.Kind == message.Usage100 {
			return m, message.ErrNotNeeded // the figures are of another period, or no figures of a volume
		}
		s := renewal.Situation{Now: tx.Now(), Line: l, Periods: periods, Catalogue: cat}
		facts, err := advice.FactsOf(ctx, tx, m.Account, l.ID)
		if err != nil {
			return m, err
		}
		best, said := f.bestIn(ctx, s, facts, m.Language, paid, cat.Seller.BaseCurrency)
		m.Facts.Advice = said
		if p, ok := cat.Plan(best.Item.Plan); ok {
			m.Facts.OfferName, m.Facts.OfferPrice = offerName(m.Language, p, op.GB, best.Item), best.Price
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

// holds reports whether what a reminder is about is still so.
func holds(m message.Message, l line.Line) bool {
	u := l.Usage
	switch {
	case l.State == line.Terminal, l.State == line.Recycled, !l.EndsAt.Equal(m.Facts.EndsAt):
		return false
	case m.Kind == message.Usage80:
		return u.AlmostEmpty() && !u.Empty()
	case m.Kind == message.Usage100:
		return u.Empty()
	}
	return true
}

// measured reports whether the operator's figures say how much is left of what
// the line has now. An unlimited plan has nothing that could be left; figures
// older than the running period are about the one before, unless its data was
// carried over.
func measured(p catalogue.Plan, l line.Line, periods []line.Period, now time.Time) bool {
	u := l.Usage
	if p.Kind != catalogue.Volume || u.Unlimited || u.Total == 0 || u.AsOf.IsZero() {
		return false
	}
	for _, one := range periods {
		begun := one.State != line.PeriodCancelled && !one.StartsAt.After(now)
		if begun && u.AsOf.Before(one.StartsAt) && p.Policy.Data != catalogue.DataCarried {
			return false
		}
	}
	return true
}

// bestIn is the best offer, and what is said of it, in the first of these
// currencies in which anything is on sale: what the customer paid in last, then
// the shop's own. Where the advice is to buy nothing now, there is no offer;
// where nobody advises, nothing is said.
func (f *Filler) bestIn(ctx context.Context, s renewal.Situation, facts advice.Facts, l locale.Language, currencies ...money.Currency) (best renewal.Offer, said string) {
	for _, c := range currencies {
		if c == "" {
			continue
		}
		s.Currency = c
		offers, _ := renewal.Offers(s)
		if len(offers) == 0 {
			continue
		}
		if a, ok := f.Advice.Ask(ctx, s, facts); ok && a.Holds(offers) {
			best, _ = a.Offered(&a.Best, offers)
			return best, a.Sentence(words(l, s, &a))
		}
		if best, ok := Best(offers); ok {
			return best, ""
		}
	}
	return best, ""
}

// words name offers in a sentence: another plan than the line's by its name, too.
func words(l locale.Language, s renewal.Situation, a *advice.Answer) advice.Words {
	plan, _ := s.Catalogue.Plan(s.Line.Plan)
	op, _ := s.Catalogue.Operator(plan.Operator)
	return advice.Words{Language: l, Currency: s.Currency, GB: op.GB, Name: func(i int) string {
		item := a.Items[i]
		if item.Plan == s.Line.Plan {
			return itemName(l, plan, op.GB, item)
		}
		other, _ := s.Catalogue.Plan(item.Plan)
		return offerName(l, other, op.GB, item)
	}}
}

// Best is the offer that a message names where nobody advises: the term that
// costs least in all, and the longer of two that cost the same. Whoever needs longer sees the rest on
// the page; the dearest is never pushed. Packs bring no time, which is what a
// reminder is about: ok is false where there is nothing else.
func Best(offers []renewal.Offer) (best renewal.Offer, ok bool) {
	terms := slices.DeleteFunc(slices.Clone(offers), func(o renewal.Offer) bool { return o.Item.Kind != renewal.Term })
	if len(terms) == 0 {
		return renewal.Offer{}, false
	}
	return slices.MinFunc(terms, func(a, b renewal.Offer) int {
		return cmp.Or(cmp.Compare(a.Price.Minor, b.Price.Minor), b.EndsAt.Compare(a.EndsAt))
	}), true
}
