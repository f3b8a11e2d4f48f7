package order

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// finished is an order that the operator has carried out.
type finished struct {
	order   Order
	receipt carrier.Receipt
	issued  carrier.Issued // of a new line
}

// books completes orders: the operator's answer, the period, the bill, the
// ledger, the points and what is said to the customer, in one transaction for
// the whole set. If the set fails, its members are completed alone, so that one
// bad row does not keep the others waiting.
//
// It reads nothing: everything it writes was decided when the order was placed.
func (d *Desk) books(ctx context.Context, set ...finished) ([]Order, error) {
	if len(set) == 0 {
		return nil, nil
	}
	done, err := d.booksTogether(ctx, set)
	switch {
	case len(set) == 1 && set[0].order.Kind == NewLine && db.IsUnique(err):
		// Somebody else has the line that the operator says it made.
		held, err := d.hold(ctx, set[0].order, "profile_taken",
			"the operator made "+set[0].issued.Profile.ID+", ICCID "+set[0].issued.Profile.ICCID+", which is a line already")
		return []Order{held}, err
	case err == nil || len(set) == 1:
		return done, err
	}
	done = done[:0]
	var first error
	for _, f := range set {
		one, err := d.books(ctx, f)
		if err != nil && first == nil {
			first = err
		}
		done = append(done, one...)
	}
	return done, first
}

func (d *Desk) booksTogether(ctx context.Context, set []finished) ([]Order, error) {
	cats := make([]*catalogue.Catalogue, len(set))
	for i, f := range set {
		var err error
		if cats[i], err = d.catalogue(ctx, f.order.Catalogue); err != nil {
			return nil, err
		}
	}
	done, err := db.Sent(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Order, error) {
		done := make([]Order, len(set))
		members := make([]*db.Batch, len(set))
		for i, f := range set {
			var err error
			members[i] = &db.Batch{}
			if done[i], err = d.addBooks(members[i], tx, cats[i], f); err != nil {
				return nil, err
			}
		}
		return done, tx.Batch(ctx, joined(set, members))
	})
	return done, conflict(err, set[0].order.ID)
}

// catalogue is the version that an order was accepted under.
func (d *Desk) catalogue(ctx context.Context, version int64) (*catalogue.Catalogue, error) {
	if c, ok := d.Shelf.Settled(version); ok {
		return c, nil
	}
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) {
		return d.Shelf.At(ctx, tx, version)
	})
}

// joined is one batch for a set. Orders of one account, which have their points in
// one row, come one after the other.
func joined(set []finished, members []*db.Batch) *db.Batch {
	var rounds [][]*db.Batch
	turn := map[string]int{}
	for i, f := range set {
		n := turn[f.order.Account]
		turn[f.order.Account]++
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], members[i])
	}
	var b db.Batch
	for _, r := range rounds {
		b.Join(r...)
	}
	return &b
}

// addBooks appends everything that completes one order.
func (d *Desk) addBooks(b *db.Batch, tx db.Tx, cat *catalogue.Catalogue, f finished) (Order, error) {
	plan, err := fedBy(cat, f.order)
	if err != nil {
		return f.order, err
	}
	op, ok := cat.Operator(plan.Operator)
	if !ok {
		return f.order, fault.New(fault.Internal, "catalogue %d lacks plan %s or its operator", cat.Version, f.order.Plan)
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return f.order, err
	}
	o := addMove(b, tx, f.order, Completed, func(o *Order) {
		o.OperatorRef, o.CompletedAt, o.DueAt = f.receipt.Ref, tx.Now(), time.Time{}
	})
	var installBy time.Time
	switch {
	case o.Kind == NewLine:
		if installBy, err = d.addLine(b, tx, plan, loc, o, f.issued); err != nil {
			return o, err
		}
	case o.Enlarges > 0:
		d.addPack(b, tx, o)
	default:
		d.addPeriod(b, tx, plan, loc, o, f.receipt)
	}
	rate, err := rateOf(cat.Seller, plan.TaxClass)
	if err != nil {
		return o, err
	}
	charged := o.Charged()
	tax := billing.TaxIn(charged, rate)
	points := cat.Seller.Points.Earned(charged)
	ledger.Posting{Account: o.Account, Subject: o.ID, Step: "completed", Transfers: []ledger.Transfer{
		{From: ledger.Due, To: ledger.Revenue, Amount: money.Of(charged.Minor-tax.Minor, charged.Currency)},
		{From: ledger.Due, To: ledger.Tax, Amount: tax},
		{From: ledger.PointsIssued, To: ledger.Points, Amount: money.Of(points, money.Points)},
	}}.AddTo(b, tx.Now())
	if !o.Price.IsZero() {
		bill(cat.Seller, op, plan, o, rate, tax, d.IDs.Under("bl", o.Account), tx.Now()).AddTo(b, tx.Now())
	}
	return o, d.addTelling(b, tx, plan, op, loc, o, points, installBy)
}

func (d *Desk) addPeriod(b *db.Batch, tx db.Tx, plan catalogue.Plan, loc *time.Location, o Order, r carrier.Receipt) {
	now := tx.Now()
	state := line.PeriodQueued
	if !o.StartsAt.After(now) {
		state = line.PeriodActive
	}
	cuts := o.Effect == catalogue.Restart
	if cuts {
		line.EndCurrent(b, o.Account, o.Line, now)
	}
	line.AddPeriod(b, line.Period{
		Account: o.Account, Line: o.Line, Number: o.Periods + 1, Plan: o.Plan, Term: o.Item, Order: o.ID,
		Effect: string(o.Effect), StartsAt: o.StartsAt, EndsAt: o.EndsAt, Allowance: o.Bytes, State: state,
		OperatorRef: r.Ref, OperatorEndsAt: r.EndsAt,
	}, now)
	line.Renew(b, o.Account, o.Line, o.ID, o.Periods, line.Renewed{
		Plan: o.Plan, Anchor: o.Anchor, StartsAt: o.StartsAt, EndsAt: o.EndsAt,
		GraceEnds: renewal.GraceEnd(plan, o.EndsAt, loc), Cuts: cuts,
		Allowance: allowance(plan, o, now), Unlimited: plan.Kind != catalogue.Volume, Bytes: o.Bytes,
	}, now)
}

// addLine writes a new line with what it is installed with, and says until when it
// must be in use. Where its clock starts with the purchase its first period begins
// now, else when the operator says that it is in use, see usage.go.
func (d *Desk) addLine(b *db.Batch, tx db.Tx, plan catalogue.Plan, loc *time.Location, o Order, made carrier.Issued) (installBy time.Time, err error) {
	now := tx.Now()
	installBy = firstUseBy(plan, made.InstallBy, now, loc)
	if t, _ := plan.Term(o.Item); t.FromStock {
		stock.AddGiven(b, o.ID, made.Profile.ICCID, o.Line, now)
	}
	esim, err := line.ESIM{
		Account: o.Account, Line: o.Line, Order: o.ID, Catalogue: o.Catalogue, Plan: o.Plan, Term: o.Item,
		Code: made.Code, Allowance: o.Bytes, OperatorRef: o.OperatorRef, InstallBy: installBy,
	}.Sealed(d.Codes)
	if err != nil {
		return installBy, err
	}
	line.AddBought(b, line.Line{
		Account: o.Account, ID: o.Line, Operator: plan.Operator, Plan: o.Plan, State: line.New,
		ProfileID: made.Profile.ID, ICCID: made.Profile.ICCID, Anchor: o.Anchor,
		Identity: plan.Policy.Identity, // what asks for a check is not sold without
		Usage:    line.Usage{Unlimited: plan.Kind != catalogue.Volume, Total: o.Bytes},
	}, esim, now)
	if !o.StartsAt.IsZero() {
		line.Begin(b, line.Period{
			Account: o.Account, Line: o.Line, Number: 1, Plan: o.Plan, Term: o.Item, Order: o.ID,
			StartsAt: o.StartsAt, EndsAt: o.EndsAt, Allowance: o.Bytes, State: line.PeriodActive, OperatorRef: o.OperatorRef,
		}, o.Anchor, renewal.GraceEnd(plan, o.EndsAt, loc), plan.Kind != catalogue.Volume, now)
	}
	return installBy, nil
}

// allowance says what the purchase does to the figures that are shown until the
// operator reports again.
func allowance(p catalogue.Plan, o Order, now time.Time) line.Allowance {
	switch {
	case o.Effect == catalogue.Append && p.Policy.Data == catalogue.DataCarried && o.StartsAt.After(now):
		return line.AddFigures
	case o.StartsAt.After(now) || o.Effect == catalogue.Parallel:
		return line.KeepFigures
	}
	return line.FreshFigures
}

func (d *Desk) addPack(b *db.Batch, tx db.Tx, o Order) {
	b.Add(`INSERT INTO packs (account_id, order_id, line_id, number, pack_id, bytes, until_at, operator_ref, created_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
		o.Account, o.ID, o.Line, o.Enlarges, o.Item, o.Bytes, db.At(o.EndsAt), o.OperatorRef, db.At(tx.Now()))
	line.Enlarge(b, o.Account, o.Line, o.ID, o.Enlarges, o.Bytes, tx.Now())
}

// rateOf is a tax class of the seller's. It fails with [fault.Internal] for a
// class that the seller does not have: the catalogue's check refuses that.
func rateOf(s catalogue.Seller, class string) (billing.Rate, error) {
	for _, t := range s.Taxes {
		if t.ID == class {
			return billing.Rate{Class: t.ID, Percent: t.Percent, Scale: max(1, t.Scale), Reduced: t.Reduced}, nil
		}
	}
	return billing.Rate{}, fault.New(fault.Internal, "no tax class %q", class)
}

// bill is the document of a completed sale.
func bill(s catalogue.Seller, op catalogue.Operator, p catalogue.Plan, o Order, rate billing.Rate, tax money.Money, id string, now time.Time) billing.Bill {
	loc, err := op.Zone.Location()
	if err != nil {
		loc = time.UTC
	}
	shop, err := s.Zone.Location()
	if err != nil {
		shop = time.UTC
	}
	return billing.Bill{
		Account: o.Account, ID: id, Order: o.ID, Kind: billing.Sale, Series: billing.Series(billing.Sale, now, shop),
		Total: o.Charged(), Rate: rate, Tax: tax,
		Content: billing.Content{
			Seller: s.Name, SellerAddress: s.Address, SellerNumber: s.InvoiceNumber,
			What: p.Name[locale.En] + " " + o.Item, Names: p.Name, Sold: sold(op, p, o), Line: o.Line,
			From: stamped(o.StartsAt, loc), To: stamped(o.EndsAt, loc),
			Tool: string(o.Tool), Zone: string(s.Zone), Reduced: rate.Reduced,
			Points: o.Parts.Points, Discount: o.Parts.Discount, FromWallet: o.walletBesides(),
		},
	}
}

// sold is what an order bought, as its bill keeps it; nil where the plan lacks it,
// which its catalogue's check refuses.
func sold(op catalogue.Operator, p catalogue.Plan, o Order) *billing.Sold {
	if k, ok := p.Pack(o.Item); ok && o.Kind == Pack {
		return &billing.Sold{Volume: k.Volume, GB: op.GB, Until: k.Until, EachDay: k.EachDay}
	}
	t, ok := p.Term(o.Item)
	if !ok {
		return nil
	}
	s := &billing.Sold{Unit: t.Length.Unit, N: t.Length.N, Volume: t.Volume}
	if s.Volume > 0 {
		s.GB = op.GB
	}
	return s
}

// stamped is an instant on a bill; empty for service that begins with its first
// use.
func stamped(t time.Time, loc *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(loc).Format(time.RFC3339)
}

// credit completes a wallet top-up, which needs no stranger after it was paid.
func (d *Desk) credit(ctx context.Context, o Order) (Order, error) {
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
		if err != nil {
			return o, err
		}
		var b db.Batch
		done := o
		if done.State == Paid {
			done = addMove(&b, tx, done, Fulfilling, nil)
		}
		if done, err = d.addCredit(ctx, &b, tx, cat, done); err != nil {
			return o, err
		}
		return done, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

// addCredit appends everything that completes a fulfilling top-up. What the
// customer owes is paid first; the rest goes into the wallet.
func (d *Desk) addCredit(ctx context.Context, b *db.Batch, tx db.Tx, cat *catalogue.Catalogue, o Order) (Order, error) {
	debts, err := Debts(ctx, tx, o.Account)
	if err != nil {
		return o, err
	}
	owed := settling(b, debts, o.Price)
	if err := d.addSettled(ctx, b, tx, debts, owed); err != nil {
		return o, err
	}
	done := addMove(b, tx, o, Completed, func(o *Order) { o.CompletedAt, o.DueAt = tx.Now(), time.Time{} })
	ledger.Posting{Account: o.Account, Subject: o.ID, Step: "completed", Transfers: []ledger.Transfer{
		{From: ledger.Due, To: ledger.Receivable, Amount: owed},
		{From: ledger.Due, To: ledger.Wallet, Amount: money.Of(o.Price.Minor-owed.Minor, o.Price.Currency)},
	}}.AddTo(b, tx.Now())
	receipt(cat.Seller, done, owed, d.IDs.Under("bl", o.Account), tx.Now()).AddTo(b, tx.Now())
	facts := message.Facts{Amount: o.Price, Tool: string(o.Tool), Order: o.ID}
	if !owed.IsZero() {
		facts.OwedPaid = owed
		if left := owedIn(debts, owed.Currency).Minor - owed.Minor; left > 0 {
			facts.Owed = money.Of(left, owed.Currency)
		}
	}
	return done, message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(message.WalletToppedUp) + "/" + o.ID, Kind: message.WalletToppedUp, Order: o.ID,
		Facts: facts,
	})
}

// receipt is the document of a top-up: money changed hands and nothing was
// sold, so it carries no tax.
func receipt(s catalogue.Seller, o Order, owed money.Money, id string, now time.Time) billing.Bill {
	shop, err := s.Zone.Location()
	if err != nil {
		shop = time.UTC
	}
	what := "wallet top-up"
	if !owed.IsZero() {
		what += ", of which " + owed.String() + " paid what was owed after a dispute"
	}
	return billing.Bill{
		Account: o.Account, ID: id, Order: o.ID, Kind: billing.Receipt, Series: billing.Series(billing.Receipt, now, shop),
		Total: o.Price, Rate: billing.Rate{Class: "none", Scale: 1}, Tax: money.Of(0, o.Price.Currency),
		Content: billing.Content{
			Seller: s.Name, SellerAddress: s.Address, What: what, Tool: string(o.Tool), Zone: string(s.Zone),
		},
	}
}
