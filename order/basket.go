package order

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Together is what the customer agreed to for several lines at once: a basket. It
// is paid as a whole or not at all, by one payment with one tool or from the
// wallet; each of its orders then completes or is refunded alone.
type Together struct {
	Account string
	Quotes  []string       // of different lines, in one currency
	Amount  money.Money    // of all of them, as the customer confirmed it
	Tool    catalogue.Tool // ToolWallet, or a rail whose provider can give back parts
}

// MaxTogether is how many orders a basket may have.
const MaxTogether = 10

// basket are the orders that one payment pays: mostly one. The first is the one
// under which the payment stands.
type basket []Order

func (all basket) first() Order { return all[0] }

// rest is what is collected for all of them with a tool.
func (all basket) rest() money.Money {
	sum := all[0].Rest()
	for _, o := range all[1:] {
		sum.Minor += o.Parts.Rest
	}
	return sum
}

// are reports whether all of them are in a state.
func (all basket) are(s State) bool {
	return !slices.ContainsFunc(all, func(o Order) bool { return o.State != s })
}

// Basket reads the orders that are paid together with o, o itself among them, the
// one under which their payments stand first.
func Basket(ctx context.Context, tx db.Tx, o Order) ([]Order, error) {
	if o.Basket == "" {
		return []Order{o}, nil
	}
	found, err := all(ctx, tx, `SELECT `+columns+` FROM orders WHERE account_id = $1 AND basket = $2 AND basket <> '' ORDER BY id`, o.Account, o.Basket)
	if err != nil {
		return nil, err
	}
	first := slices.IndexFunc(found, func(m Order) bool { return m.ID == o.Basket })
	if first < 0 {
		return nil, fault.New(fault.Internal, "basket %s lacks its first order", o.Basket)
	}
	found[0], found[first] = found[first], found[0]
	return found, nil
}

// basketOf reads an order and those that are paid together with it.
func basketOf(ctx context.Context, tx db.Tx, k Key) (basket, error) {
	o, err := Get(ctx, tx, k)
	if err != nil {
		return nil, err
	}
	return Basket(ctx, tx, o)
}

// PlaceTogether turns several quotes of one account into orders that are paid
// together. Called again with the same quotes it returns the same orders; with a
// quote that was accepted otherwise it fails with [fault.Conflict].
//
// From the wallet all are paid here, in one transaction, and the operators are
// asked before it returns; with a tool they come back placed, and [Desk.Pay] of
// any of them is next.
func (d *Desk) PlaceTogether(ctx context.Context, t Together) ([]Order, error) {
	if n := len(t.Quotes); n < 2 || n > MaxTogether {
		return nil, fault.Because(fault.Invalid, "together_many", fmt.Sprintf("Choose 2 to %d lines.", MaxTogether), nil)
	}
	set, already, err := d.considerTogether(ctx, t)
	if err != nil || already != nil {
		return already, err
	}
	if t.Tool == ToolWallet {
		if err := d.prepareTogether(ctx, set); err != nil {
			return nil, err
		}
	}
	placed, err := d.commitTogether(ctx, t, set)
	if err != nil || t.Tool != ToolWallet {
		return t.sorted(placed), err
	}
	var tasks []task
	for i, o := range placed {
		if i < len(set) && o.ID == set[i].order.ID && o.State == Fulfilling { // ours: only we may ask
			set[i].named(o)
			tasks = append(tasks, task{o, set[i].request})
		}
	}
	if err := d.askAll(context.WithoutCancel(ctx), tasks); err != nil {
		d.Log.ErrorContext(ctx, "basket", "order", placed[0].ID, "err", err) // the rows are due when the lease ends
	}
	now, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Order, error) { return Basket(ctx, tx, placed[0]) })
	return t.sorted(now), err
}

// sorted are a basket's orders as its quotes are.
func (t Together) sorted(all []Order) []Order {
	slices.SortFunc(all, func(a, b Order) int {
		return cmp.Compare(slices.Index(t.Quotes, a.Quote), slices.Index(t.Quotes, b.Quote))
	})
	return all
}

// considerTogether reads and decides about all quotes; it changes nothing.
func (d *Desk) considerTogether(ctx context.Context, t Together) (set []placing, already []Order, err error) {
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		already, err = d.placedTogether(ctx, tx, t)
		if err != nil || already != nil {
			return err
		}
		set, err = d.decideTogether(ctx, tx, t)
		return err
	})
	return set, already, err
}

// placedTogether finds the orders that the same quotes became together.
func (d *Desk) placedTogether(ctx context.Context, tx db.Tx, t Together) ([]Order, error) {
	for _, q := range t.Quotes {
		old, found, err := ByQuote(ctx, tx, t.Account, q)
		switch {
		case err != nil:
			return nil, err
		case found && old.Digest == t.digest():
			all, err := Basket(ctx, tx, old)
			return t.sorted(all), err
		case found:
			return nil, fault.Because(fault.Conflict, "quote_used", "This offer was already accepted. Look at the order.", map[string]string{"order": old.ID})
		}
	}
	return nil, nil
}

func (d *Desk) decideTogether(ctx context.Context, tx db.Tx, t Together) ([]placing, error) {
	set := make([]placing, len(t.Quotes))
	lines := map[string]bool{}
	sum := money.Of(0, t.Amount.Currency)
	var ends time.Time
	for i, id := range t.Quotes {
		q, err := GetQuote(ctx, tx, t.Account, id)
		if err != nil {
			return nil, err
		}
		if q.Kind == TopUp || lines[q.Line] || q.Price.Currency != sum.Currency || sum.Minor > money.MaxMinor-q.Price.Minor {
			return nil, fault.Because(fault.Invalid, "together_differs", "Only offers for different lines in one currency can be paid together. Choose again.", nil)
		}
		lines[q.Line] = true
		if sum.Minor += q.Price.Minor; ends.IsZero() || q.ExpiresAt.Before(ends) {
			ends = q.ExpiresAt
		}
		a := Acceptance{Account: t.Account, Quote: q.ID, Key: q.ID, Amount: q.Price, Tool: t.Tool}
		o := q.order(a)
		o.Digest = t.digest()
		if set[i], err = d.decide(ctx, tx, a, q, o); err != nil {
			return nil, err
		}
	}
	first := set[0].order.ID
	for i := range set {
		set[i].order.Basket, set[i].order.ExpiresAt, set[i].order.DueAt = first, ends, ends
	}
	// Two baskets with the same lines take them in the same order.
	slices.SortFunc(set, func(a, b placing) int { return cmp.Compare(a.order.Line, b.order.Line) })
	if sum != t.Amount {
		return nil, errAmount()
	}
	if t.Tool == ToolWallet {
		return set, nil
	}
	return set, d.takesTogether(payment.Rail(t.Tool), d.Rails[payment.Rail(t.Tool)], sum, len(set), tx.Now(), ends)
}

// takesTogether is [Desk.takes] for a payment of n orders: each may have to be
// given back alone.
func (d *Desk) takesTogether(rail payment.Rail, name string, rest money.Money, n int, now, ends time.Time) error {
	if err := d.takes(rail, name, rest, now, ends); err != nil {
		return err
	}
	if n > 1 && !d.Providers[name].Limits().Partial {
		return fault.Because(fault.Invalid, "tool_whole", "With this way to pay only one line can be paid at a time. Choose another one.", nil)
	}
	return nil
}

func (t Together) digest() string {
	quotes := slices.Sorted(slices.Values(t.Quotes))
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s\n%s", strings.Join(quotes, "\n"), t.Amount.Minor, t.Amount.Currency, t.Tool))
	return hex.EncodeToString(sum[:16])
}

// prepareTogether is [Desk.prepare] for a set, side by side. One that an operator
// would refuse stops all of it: nothing is charged.
func (d *Desk) prepareTogether(ctx context.Context, set []placing) error {
	errs := make([]error, len(set))
	d.sideBySide(len(set), func(i int) { errs[i] = d.prepare(ctx, &set[i]) })
	return errors.Join(errs...)
}

// commitTogether stores all orders in one transaction.
func (d *Desk) commitTogether(ctx context.Context, t Together, set []placing) ([]Order, error) {
	placed, err := db.Sent(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Order, error) {
		var b db.Batch
		placed := make([]Order, len(set))
		for i, p := range set {
			if p.late(tx.Now()) {
				return nil, errLate
			}
			placed[i] = d.addPlacing(&b, tx, p)
		}
		return placed, tx.Batch(ctx, &b)
	})
	if err == nil || !stopped(err) {
		return placed, err
	}
	return d.whyNotTogether(ctx, t, set, err)
}

// whyNotTogether finds out what stopped a basket from being placed.
func (d *Desk) whyNotTogether(ctx context.Context, t Together, set []placing, cause error) (already []Order, err error) {
	short := false
	var owes error
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		if already, err = d.placedTogether(ctx, tx, t); err != nil || already != nil {
			return err
		}
		if owes = d.unowed(ctx, tx, set[0].order, false); owes != nil || t.Tool != ToolWallet {
			return unlessSaid(owes)
		}
		has, err := ledger.Balance(ctx, tx, t.Account, ledger.Wallet, t.Amount.Currency)
		short = has.Minor < t.Amount.Minor
		return err
	})
	switch {
	case err != nil || already != nil:
		return already, err
	case errors.Is(cause, errLate):
		return nil, errExpired()
	case owes != nil:
		return nil, owes
	case short:
		return nil, errShort()
	}
	return nil, fault.Wrap(fault.Conflict, cause, "One of these lines is just being extended. Look at your lines in a moment and choose again.")
}

// ToolsTogether lists what can pay several quotes at once, wallet first where it
// may.
func (d *Desk) ToolsTogether(quotes []Quote) (tools []payment.Rail) {
	if len(quotes) == 0 {
		return nil
	}
	all := quotes[0]
	for _, q := range quotes[1:] {
		if all.Price.Minor += q.Price.Minor; q.ExpiresAt.Before(all.ExpiresAt) {
			all.ExpiresAt = q.ExpiresAt
		}
	}
	for _, rail := range d.Tools(all) {
		if rail == payment.Wallet || len(quotes) == 1 || d.Providers[d.Rails[rail]].Limits().Partial {
			tools = append(tools, rail)
		}
	}
	return tools
}
