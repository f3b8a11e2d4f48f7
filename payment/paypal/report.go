package paypal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// perPage is the most transactions that PayPal puts on a page.
	perPage = 500

	// listedWithin is how long it takes at most until a transaction is listed
	// (https://developer.paypal.com/docs/api/transaction-search/v1/).
	listedWithin = 3 * time.Hour

	// listedFor is how far back PayPal lists; same page.
	listedFor = 3 * 365 * 24 * time.Hour
)

// ReportFacts implements [payment.Reporter].
func (*Adapter) ReportFacts() payment.ReportFacts {
	return payment.ReportFacts{Zone: time.UTC, ReadyAfter: listedWithin, KeptFor: listedFor}
}

// listing is schema search_response of Transaction Search v1.
type listing struct {
	Details []struct {
		Info listed `json:"transaction_info"`
	} `json:"transaction_details"`
	Refreshed string `json:"last_refreshed_datetime"`
	Page      *int   `json:"page"`
	Items     *int   `json:"total_items"`
	Pages     *int   `json:"total_pages"`
}

// listed is schema transaction_info. Whom it names is not read.
type listed struct {
	ID            string  `json:"transaction_id"`
	ReferenceID   string  `json:"paypal_reference_id"`
	ReferenceType string  `json:"paypal_reference_id_type"`
	Event         string  `json:"transaction_event_code"`
	Initiated     string  `json:"transaction_initiation_date"`
	Updated       string  `json:"transaction_updated_date"`
	Amount        *amount `json:"transaction_amount"`
	Fee           *amount `json:"fee_amount"`
	Status        string  `json:"transaction_status"`
	Custom        string  `json:"custom_field"`
	Invoice       string  `json:"invoice_id"`
}

// Report implements [payment.Reporter]: the transactions of a day that moved the
// seller's balance. The REST app's feature "Transaction Search" must be on.
//
// A day is whole once PayPal says that its list was made after the day's end,
// and the hours have passed in which it may still add to it.
func (a *Adapter) Report(ctx context.Context, day payment.Day, page string) (payment.ReportPage, error) {
	asOf := a.now()
	number, err := strconv.Atoi(page)
	if page == "" {
		number, err = 1, nil
	}
	if err != nil || number < 1 {
		return payment.ReportPage{}, badReport("a page that there is not")
	}
	q := url.Values{
		"start_date": {day.Start(time.UTC).Format(time.RFC3339)}, "end_date": {day.Next().Start(time.UTC).Add(-time.Second).Format(time.RFC3339)},
		"fields": {"transaction_info"}, "balance_affecting_records_only": {"Y"},
		"page_size": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(number)},
	}
	var got listing
	if _, t := a.ask(ctx, question{method: http.MethodGet, path: "/v1/reporting/transactions?" + q.Encode()}, &got); t != nil {
		return payment.ReportPage{}, reportTrouble(t)
	}
	if why := got.incomplete(number); why != "" {
		return payment.ReportPage{}, badReport(why)
	}
	var out payment.ReportPage
	for _, d := range got.Details {
		m, moved, why := d.Info.movement(day)
		if why != "" {
			return payment.ReportPage{}, badReport(why)
		}
		if moved {
			out.Movements = append(out.Movements, m)
		}
	}
	refreshed, ok := instant(got.Refreshed)
	switch {
	case number < *got.Pages:
		out.Next = strconv.Itoa(number + 1)
	case ok:
		out.Whole = !asOf.Before(a.ReportFacts().ReadyAt(day)) && !refreshed.Before(day.Next().Start(time.UTC))
	}
	return out, nil
}

// reportTrouble is the error of a list that did not come.
func reportTrouble(t *trouble) error {
	if t.no != nil && t.no.said.ahead {
		return fmt.Errorf("paypal: report: %w: %w", payment.ErrNotReady, t.cause)
	}
	if t.no != nil && t.no.said.is("RESULTSET_TOO_LARGE") {
		return badReport("a day with more transactions than PayPal lists at once (10,000)")
	}
	return t.unread("report")
}

func badReport(why string) error {
	return fmt.Errorf("paypal: report: %w: %w", payment.ErrBadReport, fault.New(fault.Internal, "%s", why))
}

// incomplete says what is missing of a page: PayPal counts what it lists.
func (l listing) incomplete(number int) string {
	if l.Items == nil || l.Pages == nil || l.Page == nil || *l.Items < 0 || *l.Pages < 0 {
		return "a list that does not say how long it is"
	}
	want := min(perPage, *l.Items-(number-1)*perPage)
	switch {
	case *l.Page != number && *l.Items > 0:
		return "another page than the one asked for"
	case *l.Pages != (*l.Items+perPage-1)/perPage && *l.Items > 0:
		return "a list whose counts do not fit each other"
	case len(l.Details) != max(want, 0):
		return fmt.Sprintf("page %d lists %d transactions and should list %d", number, len(l.Details), max(want, 0))
	}
	return ""
}

// instant reads a time as PayPal writes it: RFC 3339, or with a zone without a
// colon.
func instant(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// movement reads a transaction. moved is false for one that moved nothing, or
// nothing yet: denied and pending ones. why is not empty if it makes no sense.
//
// An identifier is not unique in these lists, so the event's code is part of the
// movement's.
func (t listed) movement(day payment.Day) (m payment.Movement, moved bool, why string) {
	if word(t.ID) == "" || word(t.Event) == "" || t.Amount == nil {
		return m, false, "a transaction without identifier, event or amount"
	}
	switch t.Status {
	case "S", "V": // V: done, and then taken back by another transaction
	case "P", "D":
		return m, false, ""
	default:
		return m, false, t.ID + " is in no state we know"
	}
	m = payment.Movement{ID: t.ID + "/" + t.Event, Code: t.Event, FeeTold: true}
	var err, err2 error
	m.Amount, err = eitherSign(*t.Amount)
	m.Settled = m.Amount
	if t.Fee != nil {
		m.Fee, err2 = eitherSign(*t.Fee)
		m.Fee = m.Fee.Neg()
	}
	if err := errors.Join(err, err2); err != nil {
		return m, false, t.ID + ": " + err.Error()
	}
	if !m.Fee.IsZero() && m.Fee.Currency != m.Amount.Currency {
		return m, false, t.ID + " has a fee in another currency"
	}
	// A transaction that was pending is listed on the day when it was done.
	initiated, ok := instant(t.Initiated)
	updated, ok2 := instant(t.Updated)
	switch {
	case ok && day.Holds(initiated, time.UTC):
		m.At = initiated
	case ok2 && day.Holds(updated, time.UTC):
		m.At = updated
	default:
		return m, false, t.ID + " is of another day"
	}
	m.Kind = kindOf(t.Event, m.Amount)
	t.name(&m)
	if m.Kind == payment.MovedCharge && t.Fee == nil {
		m.FeeTold = false
	}
	return m, true, ""
}

// name fills in what a movement is about. A refund carries its own reference, or
// that of its payment where it was made by hand; which one only we know.
func (t listed) name(m *payment.Movement) {
	ours := word(t.Custom)
	if ours == "" {
		ours = word(t.Invoice)
	}
	m.Ref = ours
	if t.ReferenceType == "TXN" {
		m.MoneyID = word(t.ReferenceID)
	}
	switch m.Kind {
	case payment.MovedCharge:
		m.MoneyID = t.ID
	case payment.MovedRefund:
		m.RefundRef, m.RefundID = ours, t.ID
	case payment.MovedFee, payment.MovedDispute, payment.MovedDisputeWon, payment.MovedPayout, payment.MovedExchange, payment.MovedOther:
	}
}

// eitherSign reads an amount of either sign.
func eitherSign(a amount) (money.Money, error) {
	rest, negative := strings.CutPrefix(a.Value, "-")
	m, err := fromPayPal(amount{a.Currency, rest})
	if negative {
		m = m.Neg()
	}
	return m, err
}

// groups are the event groups whose members all mean the same
// (https://developer.paypal.com/docs/reports/reference/tcodes/).
var groups = map[string]payment.MovementKind{
	"T00": payment.MovedCharge, "T01": payment.MovedFee, "T02": payment.MovedExchange, "T03": payment.MovedPayout, "T04": payment.MovedPayout,
}

// events are single events; same page.
var events = map[string]payment.MovementKind{
	"T1101": payment.MovedPayout, "T1104": payment.MovedPayout, // a withdrawal, a deposit that came back
	"T1106": payment.MovedDispute,                              // PayPal takes a payment back from the seller
	"T1107": payment.MovedRefund, "T1113": payment.MovedRefund, // the second without a payment it belongs to
	"T1108": payment.MovedFee, "T1109": payment.MovedFee, // of a fee
	"T1110": payment.MovedDispute, "T1111": payment.MovedDispute, // withheld while a dispute is looked into, and released
	"T1201": payment.MovedDispute, "T1202": payment.MovedDispute, "T1205": payment.MovedDispute,
	"T1207": payment.MovedDispute, "T1208": payment.MovedDispute, // chargebacks, and what is given back of them
}

// kindOf sorts an event. What is withheld and what is given back have codes of
// their own and, some of them, either sign: the sign decides.
func kindOf(event string, m money.Money) payment.MovementKind {
	kind, ok := events[event]
	if !ok {
		kind, ok = groups[event[:min(3, len(event))]]
	}
	switch {
	case !ok, kind == payment.MovedCharge && m.Minor < 0: // a payment that the seller made
		return payment.MovedOther
	case kind == payment.MovedDispute && m.Minor > 0:
		return payment.MovedDisputeWon
	}
	return kind
}
