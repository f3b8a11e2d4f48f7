package settlement

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// skew is how far a provider's clock may be from ours.
const skew = 10 * time.Minute

// History is both accounts of a provider's money, as far as they touch the days
// From to To. Of every payment in it, all movements and refunds are there,
// whenever they were.
type History struct {
	Provider  string
	Zone      *time.Location // of the provider's days
	From, To  payment.Day    // both included
	Whole     map[payment.Day]bool
	Movements []Movement
	Payments  []Payment
	Refunds   []Refund
}

// Comparison is what came of it.
type Comparison struct {
	Differences []Difference

	// Unsure is how much of ours cannot be compared yet, because a day on which
	// it may have happened was not read whole.
	Unsure int
}

// file is everything about one payment, on both sides.
type file struct {
	payment   Payment
	refunds   []Refund
	movements []Movement
}

// Compare lists every difference of the days asked for, in order of day and
// kind. It reads nothing and decides nothing.
//
// What is here and not there counts only once every day on which it can have
// happened was read whole.
func Compare(h History) Comparison {
	c := &comparing{History: h}
	files := c.files()
	for _, m := range c.Movements {
		if m.Payment == "" {
			c.stray(m)
		}
		c.report(m)
	}
	for _, f := range files {
		c.charges(f)
		c.refundsOf(f)
		c.disputes(f)
	}
	slices.SortFunc(c.found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Subject, b.Subject))
	})
	return Comparison{c.found, c.unsure}
}

type comparing struct {
	History
	found  []Difference
	unsure int
}

// files sorts everything by payment. Movements are by time, so that the first
// charge is the one that was meant.
func (c *comparing) files() []*file {
	slices.SortFunc(c.Movements, func(a, b Movement) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	type key struct{ account, payment string }
	known := map[key]*file{}
	files := make([]*file, 0, len(c.Payments))
	for _, p := range c.Payments {
		f := &file{payment: p}
		known[key{p.Account, p.ID}] = f
		files = append(files, f)
	}
	for _, r := range c.Refunds {
		if f := known[key{r.Account, r.Payment}]; f != nil {
			f.refunds = append(f.refunds, r)
		}
	}
	for _, m := range c.Movements {
		if f := known[key{m.Account, m.Payment}]; f != nil {
			f.movements = append(f.movements, m)
		}
	}
	return files
}

// add keeps a difference that belongs to one of the days asked for.
func (c *comparing) add(d Difference) {
	if d.Day < c.From || d.Day > c.To {
		return
	}
	d.Provider = c.Provider
	c.found = append(c.found, d)
}

// theirs is a difference about a movement.
func (c *comparing) theirs(k Kind, f *file, m Movement, ours money.Money) {
	d := Difference{Kind: k, Day: m.Day, Subject: m.ID, Account: m.Account, Payment: m.Payment, Ours: ours, Theirs: m.Amount, Detail: detail(m)}
	if f != nil {
		d.Order = f.payment.Order
	}
	c.add(d)
}

func detail(m Movement) string {
	text := string(m.Kind) + " " + m.Code
	for _, s := range []string{m.Ref, m.MoneyID, m.RefundRef, m.RefundID} {
		if s != "" {
			text += " " + s
		}
	}
	return text
}

// stray is a movement that belongs to no payment of ours.
func (c *comparing) stray(m Movement) {
	switch m.Kind {
	case payment.MovedCharge:
		c.theirs(NotHere, nil, m, money.Money{})
	case payment.MovedRefund:
		c.theirs(RefundNotHere, nil, m, money.Money{})
	case payment.MovedDispute, payment.MovedDisputeWon:
		c.theirs(DisputeNotHere, nil, m, money.Money{})
	case payment.MovedFee, payment.MovedPayout, payment.MovedExchange, payment.MovedOther:
	}
}

// report is what is odd about a movement by itself.
func (c *comparing) report(m Movement) {
	if m.Kind == payment.MovedOther {
		c.theirs(OtherMovement, nil, m, money.Money{})
	}
	if m.Stated > 1 {
		c.theirs(StatedTwice, nil, m, m.Amount)
	}
	if m.Restated != "" {
		c.add(Difference{
			Kind: Restated, Day: m.Day, Subject: m.ID, Account: m.Account, Payment: m.Payment, Theirs: m.Amount, Ours: m.Amount,
			Detail: detail(m) + ", now " + m.Restated,
		})
	}
	if m.Kind == payment.MovedCharge && !m.FeeTold {
		c.theirs(FeeUntold, nil, m, money.Money{})
	}
}

// charges compares a payment with the charges for it.
func (c *comparing) charges(f *file) {
	var came, back []Movement
	for _, m := range f.movements {
		switch {
		case m.Kind != payment.MovedCharge:
		case m.Amount.Minor > 0:
			came = append(came, m)
		default:
			back = append(back, m)
		}
	}
	p := f.payment
	paid := p.State == payment.Paid
	if len(came) == 0 {
		if paid && c.missing(p.CreatedAt, p.PaidAt) {
			c.ours(NotThere, p, p.ID, p.PaidAt, p.Amount)
		}
	} else {
		c.charge(f, came[0], paid)
	}
	for i := 1; i < len(came)-len(back); i++ {
		c.theirs(ChargedTwice, f, came[i], money.Money{})
	}
	if paid && len(back) >= len(came) {
		for _, m := range back {
			c.theirs(ChargeReversed, f, m, p.Amount)
		}
	}
}

func (c *comparing) charge(f *file, m Movement, paid bool) {
	p := f.payment
	switch {
	case !paid:
		c.theirs(NotPaidHere, f, m, money.Money{})
		return
	case m.Amount.Currency != p.Amount.Currency:
		c.theirs(OtherCurrency, f, m, p.Amount)
	case m.Amount != p.Amount:
		c.theirs(OtherAmount, f, m, p.Amount)
	}
	if m.FeeTold && p.Fee != 0 && m.Fee.Currency == p.Amount.Currency && m.Fee.Minor != p.Fee {
		c.add(Difference{
			Kind: FeeDiffers, Day: m.Day, Subject: m.ID, Account: p.Account, Order: p.Order, Payment: p.ID,
			Ours: money.Of(p.Fee, p.Amount.Currency), Theirs: m.Fee, Detail: detail(m),
		})
	}
}

// ours is a difference about something of ours that happened at an instant.
func (c *comparing) ours(k Kind, p Payment, subject string, at time.Time, amount money.Money) {
	c.add(Difference{
		Kind: k, Day: payment.DayOf(at, c.Zone), Subject: subject, Account: p.Account, Order: p.Order, Payment: p.ID, Ours: amount,
	})
}

// missing reports whether what must have happened between two instants, and is
// in no report, certainly did not. Unread days make it unsure.
func (c *comparing) missing(from, to time.Time) bool {
	last := payment.DayOf(to.Add(skew), c.Zone)
	for d := payment.DayOf(from.Add(-skew), c.Zone); d <= last; d = d.Next() {
		if !c.Whole[d] {
			if day := payment.DayOf(to, c.Zone); day >= c.From && day <= c.To {
				c.unsure++
			}
			return false
		}
	}
	return true
}

// refundsOf compares the refunds of a payment with those that the provider made.
func (c *comparing) refundsOf(f *file) {
	var moved []Movement
	for _, m := range f.movements {
		if m.Kind == payment.MovedRefund {
			moved = append(moved, m)
		}
	}
	for _, r := range f.refunds {
		var gone, back []Movement
		moved = slices.DeleteFunc(moved, func(m Movement) bool {
			if !r.is(m) {
				return false
			}
			if m.Amount.Minor < 0 {
				gone = append(gone, m)
			} else {
				back = append(back, m)
			}
			return true
		})
		c.refund(f, r, gone, back)
	}
	c.refundsNotOurs(f, moved)
}

func (r Refund) is(m Movement) bool {
	return r.Ref != "" && m.RefundRef == r.Ref || r.ProviderID != "" && m.RefundID == r.ProviderID
}

// byBank reports whether the customer's bank has given back what a refund says: the
// report has it as a dispute.
func (f *file) byBank(r Refund) bool {
	taken := int64(0)
	for _, m := range f.movements {
		if (m.Kind == payment.MovedDispute || m.Kind == payment.MovedDisputeWon) && m.Amount.Currency == r.Amount.Currency {
			taken -= m.Amount.Minor
		}
	}
	return r.ProviderID == "" && taken >= r.Amount.Minor
}

func (c *comparing) refund(f *file, r Refund, gone, back []Movement) {
	standing := len(gone) - len(back)
	done := r.State == payment.RefundDone
	switch {
	case done && len(gone) == 0:
		if !f.byBank(r) && c.missing(r.since(), r.DoneAt) {
			c.ours(RefundNotThere, f.payment, r.ID, r.DoneAt, r.Amount.Neg())
		}
	case done && standing <= 0:
		c.theirs(RefundCameBack, f, back[len(back)-1], r.Amount.Neg())
	case !done && standing > 0 && r.State != payment.RefundSent:
		c.theirs(RefundNotDoneHere, f, gone[0], money.Money{})
	}
	if done && len(gone) > 0 && gone[0].Amount != r.Amount.Neg() {
		c.theirs(RefundOtherAmount, f, gone[0], r.Amount.Neg())
	}
	for i := 1; i < standing; i++ {
		c.theirs(RefundedTwice, f, gone[i], money.Money{})
	}
}

// since is when a refund can have been made first.
func (r Refund) since() time.Time {
	if r.AskedAt.IsZero() {
		return r.CreatedAt
	}
	return r.AskedAt
}

// refundsNotOurs lists what the provider gave back under names that are not
// ours. One that came back again says nothing: it may be an earlier try of ours,
// which has another name by now.
func (c *comparing) refundsNotOurs(f *file, moved []Movement) {
	sums := map[string]int{}
	name := func(m Movement) string { return cmp.Or(m.RefundRef, m.RefundID, m.ID) }
	for _, m := range moved {
		sums[name(m)] += cmp.Compare(m.Amount.Minor, 0)
	}
	for _, m := range moved {
		if m.Amount.Minor < 0 && sums[name(m)] < 0 {
			sums[name(m)]++
			c.theirs(RefundNotHere, f, m, money.Money{})
		}
	}
}

// disputes lists money that is withheld and of which no case speaks.
func (c *comparing) disputes(f *file) {
	open := 0
	var last Movement
	for _, m := range f.movements {
		if m.Kind == payment.MovedDispute {
			open++
			last = m
		}
		if m.Kind == payment.MovedDisputeWon {
			open--
		}
	}
	if open > 0 && !f.payment.Disputed {
		c.theirs(DisputeNotHere, f, last, money.Money{})
	}
}

func (d Difference) String() string {
	text := fmt.Sprintf("%s %s %s: %s", d.Provider, d.Day, d.Kind, d.Subject)
	if d.Order != "" {
		text += " of " + d.Order
	}
	return text
}
