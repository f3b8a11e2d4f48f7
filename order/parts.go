package order

import (
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Parts is what pays a price. Discount, Wallet and Rest are minor units of its
// currency and sum to it.
//
// What points and wallet pay of an order that a provider must collect the rest of
// is set aside with the order, is the order's when the rest arrives, and returns
// when the order is cancelled.
type Parts struct {
	Points   int64 // the customer's points
	Discount int64 // what they pay: a discount, which no tax is owed of
	Wallet   int64
	Rest     int64 // what is collected with a tool
}

// parts are what a customer agreed to.
func (a Acceptance) parts() Parts {
	switch {
	case a.Parts != (Parts{}):
		return a.Parts
	case a.Tool == ToolWallet:
		return Parts{Wallet: a.Amount.Minor}
	}
	return Parts{Rest: a.Amount.Minor}
}

// several reports whether more than one thing pays, or points alone.
func (p Parts) several() bool { return p.Points > 0 || p.Wallet > 0 && p.Rest > 0 }

func (p Parts) sumTo(price money.Money) bool {
	if p.Points < 0 || p.Discount < 0 || p.Wallet < 0 || p.Rest < 0 || (p.Points == 0) != (p.Discount == 0) {
		return false
	}
	// No single one passes the price, so that the sum does not pass int64.
	return max(p.Discount, p.Wallet, p.Rest) <= price.Minor && p.Discount+p.Wallet+p.Rest == price.Minor
}

// paidWith reports whether a tool is what pays the last part.
func (p Parts) paidWith(tool catalogue.Tool) bool {
	switch tool {
	case ToolWallet:
		return p.Rest == 0 && (p.Wallet > 0 || p.Points == 0) // also for nothing
	case ToolPoints:
		return p.Rest == 0 && p.Wallet == 0 && p.Points > 0
	}
	return p.Rest > 0
}

// allowed reports whether the shop takes so many points for the price, and the
// policy everything that pays.
func (p Parts) allowed(seller catalogue.Seller, s renewal.Situation, o Order) bool {
	if p.Points > 0 {
		points, discount := seller.Points.Spendable(p.Points, o.Price)
		if points != p.Points || discount.Minor != p.Discount || refusesTool(s, o, ToolPoints) {
			return false
		}
	}
	return p.Wallet == 0 || o.Tool == ToolWallet || !refusesTool(s, o, ToolWallet)
}

// refusesTool reports whether the policy refuses a tool.
func refusesTool(s renewal.Situation, o Order, tool catalogue.Tool) bool {
	s.Tool = tool
	_, no := decided(s, o.Kind, o.Plan, o.Item)
	return no != nil && no.Rule == renewal.ToolRefused
}

func errParts() error {
	return fault.Because(fault.Invalid, "parts_refused", "It cannot be paid like that. Reload the page and choose again.", nil)
}

// Charged is what is paid in money: the price less what points pay. It is the
// total of the bill, and what earns points.
func (o Order) Charged() money.Money {
	return money.Of(o.Price.Minor-o.Parts.Discount, o.Price.Currency)
}

// Rest is what is collected with a tool.
func (o Order) Rest() money.Money { return money.Of(o.Parts.Rest, o.Price.Currency) }

// FromWallet is what the wallet pays.
func (o Order) FromWallet() money.Money { return money.Of(o.Parts.Wallet, o.Price.Currency) }

// posting is the one that takes what wallet and points pay of o from their
// places to others.
func (o Order) posting(step string, wallet, points [2]ledger.Book) ledger.Posting {
	return ledger.Posting{Account: o.Account, Subject: o.ID, Step: step, Transfers: []ledger.Transfer{
		{From: wallet[0], To: wallet[1], Amount: o.FromWallet()},
		{From: points[0], To: points[1], Amount: money.Of(o.Parts.Points, money.Points)},
	}}
}

// addSpending takes what wallet and points pay of an order that needs no provider.
func (o Order) addSpending(b *db.Batch, now time.Time) {
	o.posting("paid", [2]ledger.Book{ledger.Wallet, ledger.Due}, [2]ledger.Book{ledger.Points, ledger.PointsIssued}).AddTo(b, now)
}

// addSettingAside keeps what wallet and points pay of an order that waits for
// the rest, so that it cannot be spent twice.
func (o Order) addSettingAside(b *db.Batch, now time.Time) {
	o.posting("set_aside", [2]ledger.Book{ledger.Wallet, ledger.Aside}, [2]ledger.Book{ledger.Points, ledger.Aside}).AddTo(b, now)
}

// addTaking makes what was set aside the order's.
func (o Order) addTaking(b *db.Batch, now time.Time) {
	o.posting("paid", [2]ledger.Book{ledger.Aside, ledger.Due}, [2]ledger.Book{ledger.Aside, ledger.PointsIssued}).AddTo(b, now)
}

// addReturn gives back what was set aside for an order that was not paid.
func (o Order) addReturn(b *db.Batch, now time.Time) {
	o.posting("returned", [2]ledger.Book{ledger.Aside, ledger.Wallet}, [2]ledger.Book{ledger.Aside, ledger.Points}).AddTo(b, now)
}

// addRestoring gives back what wallet and points paid of an order that is not
// served.
func (o Order) addRestoring(b *db.Batch, now time.Time) {
	o.posting("refunded", [2]ledger.Book{ledger.Due, ledger.Wallet}, [2]ledger.Book{ledger.PointsIssued, ledger.Points}).AddTo(b, now)
}

// short reads whether wallet and points hold what they are to pay; the first
// result says in words what is missing.
func (o Order) short(ctx context.Context, tx db.Tx) (missing, err error) {
	has, err := ledger.Balance(ctx, tx, o.Account, ledger.Wallet, o.Price.Currency)
	if err != nil {
		return nil, err
	}
	if has.Minor < o.Parts.Wallet {
		return errShort(), nil
	}
	points, err := ledger.Balance(ctx, tx, o.Account, ledger.Points, money.Points)
	if err == nil && points.Minor < o.Parts.Points {
		missing = fault.Because(fault.Invalid, "points_short", "There are not enough points any more. Reload the page and choose again.", nil)
	}
	return missing, err
}

func errShort() error {
	return fault.Because(fault.Invalid, "wallet_short", "There is not enough in the wallet. Top it up, or choose another way to pay.", nil)
}

// Purse is what a customer has, and wants to use first.
type Purse struct {
	Points    int64
	Wallet    money.Money
	UsePoints bool
	UseWallet bool
}

// Divide says what would pay a quote: as many points and as much of the wallet as
// the customer wants to use, the shop lets them and the plan's policy accepts
// (accepted; none: everything), and the rest with a tool. Where no tool takes so
// small a rest, the wallet and then points pay less.
func (d *Desk) Divide(q Quote, r catalogue.PointsRule, accepted []catalogue.Tool, has Purse) Parts {
	may := func(t catalogue.Tool) bool { return len(accepted) == 0 || slices.Contains(accepted, t) }
	p := Parts{Rest: q.Price.Minor}
	if q.Kind == TopUp {
		return p
	}
	if has.UsePoints && may(ToolPoints) {
		points, discount := r.Spendable(has.Points, q.Price)
		p.Points, p.Discount, p.Rest = points, discount.Minor, p.Rest-discount.Minor
	}
	if has.UseWallet && d.Wallet != WalletOff && has.Wallet.Currency == q.Price.Currency && may(ToolWallet) {
		p.Wallet = min(has.Wallet.Minor, p.Rest)
		p.Rest -= p.Wallet
	}
	least := d.leastRest(q, p.Rest, may)
	if p.Rest == 0 || least <= p.Rest {
		return p
	}
	back := min(least-p.Rest, p.Wallet)
	p.Wallet, p.Rest = p.Wallet-back, p.Rest+back
	if worth := r.Worth[q.Price.Currency]; p.Rest < least && p.Points > 0 {
		points := min(p.Points, (least-p.Rest+worth-1)/worth)
		p.Points, p.Discount, p.Rest = p.Points-points, p.Discount-points*worth, p.Rest+points*worth
	}
	return p
}

// leastRest is the smallest amount from rest on that a tool takes for a quote;
// rest itself where none takes any.
func (d *Desk) leastRest(q Quote, rest int64, may func(catalogue.Tool) bool) int64 {
	least := int64(0)
	for rail, name := range d.Rails {
		l := d.Providers[name].Limits()
		m := max(rest, l.Min[q.Price.Currency])
		if n := l.Multiple[q.Price.Currency]; n > 0 {
			m = (m + n - 1) / n * n
		}
		fits := m <= q.Price.Minor && l.Takes(rail, money.Of(m, q.Price.Currency)) && !d.tooSlow(rail, d.DB.Now(), q.ExpiresAt)
		if fits && may(catalogue.Tool(rail)) && (least == 0 || m < least) {
			least = m
		}
	}
	if least == 0 {
		return rest
	}
	return least
}

// ToolsFor lists what can pay the rest of an order, wallet first where it may.
func (d *Desk) ToolsFor(q Quote, p Parts) []payment.Rail {
	q.Price.Minor = p.Rest
	return d.Tools(q)
}

// walletBesides is what the wallet pays beside a tool, in minor units.
func (o Order) walletBesides() int64 {
	if o.Parts.Rest == 0 {
		return 0
	}
	return o.Parts.Wallet
}
