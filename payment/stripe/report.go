package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/payment"
)

// perPage is how many balance transactions one page has: the most that Stripe
// gives (https://docs.stripe.com/api/pagination).
const perPage = 100

// ReportFacts implements [payment.Reporter]. A balance transaction is there with
// the charge that makes it; the quarter of an hour is margin of ours, for clocks
// that differ and for captures under way.
func (*Adapter) ReportFacts() payment.ReportFacts {
	return payment.ReportFacts{Zone: time.UTC, ReadyAfter: 15 * time.Minute}
}

// Report implements [payment.Reporter]: the balance transactions of a day,
// newest first, with the charge, refund or dispute that each is about
// (https://docs.stripe.com/api/balance_transactions/list).
func (a *Adapter) Report(ctx context.Context, day payment.Day, page string) (payment.ReportPage, error) {
	asOf := a.now()
	from, to := day.Start(time.UTC), day.Next().Start(time.UTC)
	p := &sdk.BalanceTransactionListParams{CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: to.Unix()}}
	p.Limit, p.Single = sdk.Int64(perPage), true
	p.AddExpand("data.source")
	if page != "" {
		p.StartingAfter = sdk.String(page)
	}
	list := a.client.V1BalanceTransactions.List(ctx, p)
	if err := list.Err(); err != nil {
		return payment.ReportPage{}, unread("report", err)
	}
	if !isList(list.LastResponse()) || len(list.Data()) > perPage {
		return payment.ReportPage{}, badReport("an answer that is no list")
	}
	var out payment.ReportPage
	for _, bt := range list.Data() {
		m, why := movement(bt)
		if why == "" && (m.At.Before(from) || !m.At.Before(to)) {
			why = "a movement of another day"
		}
		if why != "" {
			return payment.ReportPage{}, badReport(why)
		}
		out.Movements = append(out.Movements, m)
	}
	switch {
	case !list.Meta().HasMore:
		out.Whole = !asOf.Before(a.ReportFacts().ReadyAt(day))
	case len(out.Movements) == 0:
		return payment.ReportPage{}, badReport("an empty page that is not the last")
	default:
		out.Next = out.Movements[len(out.Movements)-1].ID
	}
	return out, nil
}

func badReport(why string) error {
	return fmt.Errorf("stripe: report: %w: %w", payment.ErrBadReport, fault.New(fault.Internal, "%s", why))
}

// isList reports whether an answer says that it is a list and whether there is
// more of it: half an answer must not pass for an empty day.
func isList(r *sdk.APIResponse) bool {
	var said struct {
		Object  string            `json:"object"`
		Data    []json.RawMessage `json:"data"`
		HasMore *bool             `json:"has_more"`
	}
	return r != nil && json.Unmarshal(r.RawJSON, &said) == nil && said.Object == "list" && said.Data != nil && said.HasMore != nil
}

// movement reads a balance transaction; why is not empty if it makes no sense.
func movement(bt *sdk.BalanceTransaction) (m payment.Movement, why string) {
	switch {
	case bt == nil || bt.ID == "" || len(bt.ID) > 255 || bt.Object != "balance_transaction":
		return m, "a row that is no balance transaction"
	case bt.Net != bt.Amount-bt.Fee:
		return m, bt.ID + " does not add up"
	}
	m = payment.Movement{ID: bt.ID, FeeTold: true, At: time.Unix(bt.Created, 0).UTC()}
	m.Kind, m.Code = kindOf(bt)
	var err, err2 error
	m.Settled, err = fromStripe(bt.Amount, bt.Currency)
	m.Fee, err2 = fromStripe(bt.Fee, bt.Currency)
	if err := errors.Join(err, err2); err != nil {
		return m, bt.ID + ": " + err.Error()
	}
	about := aboutSource(bt.Source)
	if about.currency == "" && (m.Kind == payment.MovedCharge || m.Kind == payment.MovedRefund) {
		return m, bt.ID + " does not say what it is about"
	}
	m.Ref, m.MoneyID, m.RefundRef, m.RefundID = tag(about.ref), about.intent, tag(about.refundRef), about.refund
	m.Amount = m.Settled
	if about.currency != "" && about.currency != bt.Currency {
		// Converted: the customer's side of it is told by the source.
		if m.Amount, err = fromStripe(about.amount, about.currency); err != nil {
			return m, bt.ID + ": " + err.Error()
		}
		if bt.Amount < 0 {
			m.Amount = m.Amount.Neg()
		}
	}
	return m, ""
}

// source is what a balance transaction is about.
type source struct {
	ref, intent       string
	refundRef, refund string
	amount            int64
	currency          sdk.Currency
}

// aboutSource reads the object that made a balance transaction. A charge carries
// the metadata of its PaymentIntent, and so our reference.
func aboutSource(s *sdk.BalanceTransactionSource) (about source) {
	switch {
	case s == nil:
	case s.Charge != nil:
		about = source{ref: s.Charge.Metadata["ref"], amount: s.Charge.Amount, currency: s.Charge.Currency}
		about.intent = intentID(s.Charge.PaymentIntent)
	case s.Refund != nil:
		about = source{amount: s.Refund.Amount, currency: s.Refund.Currency, refund: s.Refund.ID}
		about.ref, about.refundRef = s.Refund.Metadata["attempt"], s.Refund.Metadata["ref"]
		about.intent = intentID(s.Refund.PaymentIntent)
	case s.Dispute != nil:
		about = source{amount: s.Dispute.Amount, currency: s.Dispute.Currency}
		about.intent = intentID(s.Dispute.PaymentIntent)
	}
	return about
}

func intentID(pi *sdk.PaymentIntent) string {
	if pi == nil {
		return ""
	}
	return pi.ID
}

// tag is s if it can be a reference of ours, else nothing.
func tag(s string) string {
	if len(s) > 64 || strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return s
}

// categories are Stripe's groups for accounting
// (https://docs.stripe.com/reports/reporting-categories).
var categories = map[sdk.BalanceTransactionReportingCategory]payment.MovementKind{
	"charge": payment.MovedCharge, "charge_failure": payment.MovedCharge, "partial_capture_reversal": payment.MovedCharge,
	"refund": payment.MovedRefund, "refund_failure": payment.MovedRefund,
	"dispute": payment.MovedDispute, "dispute_reversal": payment.MovedDisputeWon,
	"fee": payment.MovedFee, "tax": payment.MovedFee,
	"payout": payment.MovedPayout, "payout_reversal": payment.MovedPayout,
}

// types are Stripe's own words, for rows without a category
// (https://docs.stripe.com/reports/balance-transaction-types).
var types = map[sdk.BalanceTransactionType]payment.MovementKind{
	"charge": payment.MovedCharge, "payment": payment.MovedCharge, "payment_failure_refund": payment.MovedCharge, "payment_reversal": payment.MovedCharge,
	"refund": payment.MovedRefund, "payment_refund": payment.MovedRefund, "refund_failure": payment.MovedRefund,
	"stripe_fee": payment.MovedFee, "stripe_fx_fee": payment.MovedFee, "tax_fee": payment.MovedFee,
	"payout": payment.MovedPayout, "payout_cancel": payment.MovedPayout, "payout_failure": payment.MovedPayout,
}

// kindOf sorts a balance transaction; code is Stripe's word.
func kindOf(bt *sdk.BalanceTransaction) (kind payment.MovementKind, code string) {
	code = clip(string(bt.Type), 64)
	if kind, ok := categories[bt.ReportingCategory]; ok {
		return kind, code
	}
	if kind, ok := types[bt.Type]; ok && bt.ReportingCategory == "" {
		return kind, code
	}
	switch {
	case bt.Type != "adjustment" || bt.ReportingCategory != "" || bt.Source == nil:
	case bt.Source.Dispute != nil && bt.Amount < 0:
		return payment.MovedDispute, code
	case bt.Source.Dispute != nil:
		return payment.MovedDisputeWon, code
	}
	return payment.MovedOther, code
}
