package settlement

import (
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// posting is what only the provider can know of a movement, for our books: what
// it kept, withheld, converted and paid out. Charges and refunds themselves are
// booked where they are observed, never by a report.
//
// It is made when the movement is kept first, in the same transaction, so it is
// made once.
func (m Movement) posting() ledger.Posting {
	p := ledger.Posting{Account: m.Account, Subject: m.Provider + ":" + m.ID, Step: "settled"}
	switch m.Kind {
	case payment.MovedCharge, payment.MovedRefund:
		switch short, err := m.Settled.Sub(m.Amount); {
		case err != nil: // another currency
			p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Exchange, m.Amount.Neg()), owed(m.Provider, ledger.Exchange, m.Settled))
		case !short.IsZero(): // a part of it was the seller's own: a voucher
			p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Adjustment, short))
		}
	case payment.MovedDispute, payment.MovedDisputeWon:
		// Of the customer's money, in its currency: package order takes the same from
		// this book when it sees the dispute.
		p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Withheld, m.Amount))
		if m.Settled.Currency != m.Amount.Currency {
			p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Exchange, m.Amount.Neg()), owed(m.Provider, ledger.Exchange, m.Settled))
		} else if short, err := m.Settled.Sub(m.Amount); err == nil {
			p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Adjustment, short))
		}
	case payment.MovedFee:
		p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Fees, m.Settled))
	case payment.MovedPayout:
		p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Bank, m.Settled))
	case payment.MovedExchange:
		p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Exchange, m.Settled))
	case payment.MovedOther: // until a person accepts it
	}
	if !m.Fee.IsZero() {
		p.Transfers = append(p.Transfers, owed(m.Provider, ledger.Fees, m.Fee.Neg()))
	}
	return p
}

// owed is the transfer by which a provider owes us more, or less where the amount
// is negative. What it owes us went out of its book: see [ledger.Provider].
func owed(provider string, other ledger.Book, m money.Money) ledger.Transfer {
	if m.Minor < 0 {
		return ledger.Transfer{From: other, To: ledger.Provider(provider), Amount: m.Neg()}
	}
	return ledger.Transfer{From: ledger.Provider(provider), To: other, Amount: m}
}
