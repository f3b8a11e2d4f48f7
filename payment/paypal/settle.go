package paypal

import (
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// settlement is what became of a purchase's money.
type settlement struct {
	id       string // of the capture that took it, or will
	taken    money.Money
	refunded money.Money
	withheld money.Money // because the customer complained
	fee      money.Money
	pending  bool
	reason   payment.Reason // of the last refusal
	code     string         // PayPal's word for what is pending or refused
}

// settle adds up the captures and refunds of a purchase. An order has one
// capture that takes money; should it ever show more, they are added, and the
// sum is not what was asked for.
func settle(u unit) (sum settlement, why string) {
	const unreadable = "PayPal answered with an amount we cannot read"
	for _, c := range u.Payments.Captures {
		if word(c.ID) == "" || c.Amount == nil {
			return sum, "PayPal answered with a capture that makes no sense"
		}
		m, err := fromPayPal(*c.Amount)
		if err != nil {
			return sum, unreadable
		}
		returned, withheld := false, false
		switch c.Status {
		case "COMPLETED", "PARTIALLY_REFUNDED":
		case "REFUNDED":
			returned = true
		case "PENDING":
			switch c.Details.Reason {
			case "REFUNDED":
				returned = true
			case "BUYER_COMPLAINT", "CHARGEBACK":
				withheld = true // of what was taken before
			default:
				sum.id, sum.pending, sum.code = c.ID, true, orStatus(c)
				continue
			}
		case "DECLINED", "DENIED", "FAILED":
			sum.reason, sum.code = whyCaptureFailed(c), orStatus(c)
			continue
		default:
			return sum, "PayPal answered with a capture in no state we know"
		}
		if why := sum.take(c, m, returned, withheld); why != "" {
			return sum, why
		}
	}
	if sum.taken.Minor == 0 {
		return sum, ""
	}
	given, why := givenBack(u)
	if why != "" {
		return sum, why
	}
	if !given.IsZero() && given.Currency != sum.taken.Currency {
		return sum, "PayPal answered with a refund in another currency"
	}
	if given.Minor > sum.refunded.Minor { // refunded is so far what the states of captures say
		sum.refunded = given
	}
	for _, c := range u.Payments.Captures {
		if c.Status == "PARTIALLY_REFUNDED" && sum.refunded.IsZero() {
			return sum, "PayPal does not say how much was given back"
		}
	}
	return sum, ""
}

// take adds a capture that took m.
func (s *settlement) take(c capture, m money.Money, returned, withheld bool) (why string) {
	if s.taken.IsZero() {
		s.id = c.ID
	}
	add := func(to *money.Money, m money.Money) {
		sum, err := to.Add(m)
		if err != nil {
			why = "PayPal answered with amounts that do not add up"
			return
		}
		*to = sum
	}
	add(&s.taken, m)
	if returned {
		add(&s.refunded, m)
	}
	if withheld {
		add(&s.withheld, m)
	}
	if c.Breakdown.Fee != nil {
		if fee, err := fromPayPal(*c.Breakdown.Fee); err == nil {
			add(&s.fee, fee)
		}
	}
	return why
}

// givenBack is the sum of a purchase's refunds, whoever made them. One that is
// still under way counts, one that came back does not.
func givenBack(u unit) (sum money.Money, why string) {
	for _, r := range u.Payments.Refunds {
		switch r.Status {
		case "FAILED", "CANCELLED":
			continue
		case "COMPLETED", "PENDING":
		default:
			return sum, "PayPal answered with a refund in no state we know"
		}
		if r.Amount == nil {
			return sum, "PayPal answered with a refund without an amount"
		}
		m, err := fromPayPal(*r.Amount)
		if err == nil {
			sum, err = sum.Add(m)
		}
		if err != nil {
			return sum, "PayPal answered with a refunded amount we cannot read"
		}
	}
	return sum, ""
}

// unnamed is what of the money given back carries no name of ours: PayPal says nowhere
// that it has reversed a payment, and shows that among the refunds.
func unnamed(u unit, given money.Money) money.Money {
	for _, r := range u.Payments.Refunds {
		if r.Amount == nil || r.CustomID == "" && r.Invoice == "" || r.Status == "FAILED" || r.Status == "CANCELLED" {
			continue
		}
		if m, err := fromPayPal(*r.Amount); err == nil {
			given.Minor = max(0, given.Minor-m.Minor)
		}
	}
	return given
}

// orStatus is why a capture is in its state, in PayPal's words.
func orStatus(c capture) string {
	if r := word(c.Details.Reason); r != "" {
		return c.Status + "/" + r
	}
	return c.Status
}
