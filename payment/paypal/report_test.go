package paypal

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const reportDay = payment.Day("2031-05-05") // the day before t0

// row is a transaction of the list, with changes; nil takes a member away.
func row(changes map[string]any) map[string]any {
	r := map[string]any{
		"transaction_id": "7JD12345AB678901C", "transaction_event_code": "T0006", "transaction_status": "S",
		"transaction_initiation_date": "2031-05-05T10:11:12+0000", "transaction_updated_date": "2031-05-05T10:11:12+0000",
		"transaction_amount": map[string]string{"currency_code": "JPY", "value": "1980"},
		"fee_amount":         map[string]string{"currency_code": "JPY", "value": "-111"},
		"custom_field":       ref, "invoice_id": ref, "paypal_account_id": "BUYER",
	}
	for k, v := range changes {
		if r[k] = v; v == nil {
			delete(r, k)
		}
	}
	return r
}

// page is an answer that lists rows; total and pages count all of them.
func page(number, items, pages int, rows ...map[string]any) string {
	all := []map[string]any{}
	for _, r := range rows {
		all = append(all, map[string]any{"transaction_info": r})
	}
	b, err := json.Marshal(map[string]any{
		"transaction_details": all, "account_number": "M", "last_refreshed_datetime": "2031-05-06T05:59:59+0000",
		"page": number, "total_items": items, "total_pages": pages,
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func jpy(n int64) money.Money { return money.Of(n, "JPY") }

func TestReportReadsEveryKind(t *testing.T) {
	at := time.Date(2031, 5, 5, 10, 11, 12, 0, time.UTC)
	txn := map[string]any{"paypal_reference_id": "CAPTURE1", "paypal_reference_id_type": "TXN"}
	with := func(more map[string]any) map[string]any {
		for k, v := range txn {
			more[k] = v
		}
		return more
	}
	value := func(c, v string) map[string]string { return map[string]string{"currency_code": c, "value": v} }
	for name, c := range map[string]struct {
		row  map[string]any
		want payment.Movement
	}{
		"charge": {row(nil), payment.Movement{
			ID: "7JD12345AB678901C/T0006", Kind: payment.MovedCharge, Code: "T0006", Ref: ref, MoneyID: "7JD12345AB678901C", Amount: jpy(1980), Settled: jpy(1980), Fee: jpy(111), FeeTold: true, At: at,
		}},
		"charge without its fee": {row(map[string]any{"fee_amount": nil}), payment.Movement{
			ID: "7JD12345AB678901C/T0006", Kind: payment.MovedCharge, Code: "T0006", Ref: ref, MoneyID: "7JD12345AB678901C", Amount: jpy(1980), Settled: jpy(1980), At: at,
		}},
		"taken back since": {row(map[string]any{"transaction_status": "V"}), payment.Movement{
			ID: "7JD12345AB678901C/T0006", Kind: payment.MovedCharge, Code: "T0006", Ref: ref, MoneyID: "7JD12345AB678901C", Amount: jpy(1980), Settled: jpy(1980), Fee: jpy(111), FeeTold: true, At: at,
		}},
		"pending until then": {row(map[string]any{"transaction_initiation_date": "2031-05-01T00:00:00Z"}), payment.Movement{
			ID: "7JD12345AB678901C/T0006", Kind: payment.MovedCharge, Code: "T0006", Ref: ref, MoneyID: "7JD12345AB678901C", Amount: jpy(1980), Settled: jpy(1980), Fee: jpy(111), FeeTold: true, At: at,
		}},
		"refund of ours": {
			row(with(map[string]any{"transaction_event_code": "T1107", "transaction_amount": value("JPY", "-500"), "fee_amount": value("JPY", "20"), "custom_field": refundRef, "invoice_id": refundRef})),
			payment.Movement{
				ID: "7JD12345AB678901C/T1107", Kind: payment.MovedRefund, Code: "T1107", Ref: refundRef, MoneyID: "CAPTURE1", RefundRef: refundRef, RefundID: "7JD12345AB678901C",
				Amount: jpy(-500), Settled: jpy(-500), Fee: jpy(-20), FeeTold: true, At: at,
			},
		},
		"dispute": {row(with(map[string]any{"transaction_event_code": "T1106", "transaction_amount": value("JPY", "-1980"), "fee_amount": nil})), payment.Movement{
			ID: "7JD12345AB678901C/T1106", Kind: payment.MovedDispute, Code: "T1106", Ref: ref, MoneyID: "CAPTURE1", Amount: jpy(-1980), Settled: jpy(-1980), FeeTold: true, At: at,
		}},
		"dispute won": {row(with(map[string]any{"transaction_event_code": "T1202", "fee_amount": nil})), payment.Movement{
			ID: "7JD12345AB678901C/T1202", Kind: payment.MovedDisputeWon, Code: "T1202", Ref: ref, MoneyID: "CAPTURE1", Amount: jpy(1980), Settled: jpy(1980), FeeTold: true, At: at,
		}},
		"payout": {row(map[string]any{"transaction_event_code": "T0400", "transaction_amount": value("USD", "-12.34"), "fee_amount": nil, "custom_field": nil, "invoice_id": nil}), payment.Movement{
			ID: "7JD12345AB678901C/T0400", Kind: payment.MovedPayout, Code: "T0400", Amount: money.Of(-1234, "USD"), Settled: money.Of(-1234, "USD"), FeeTold: true, At: at,
		}},
		"exchange": {row(map[string]any{"transaction_event_code": "T0200", "transaction_amount": value("TWD", "-900"), "fee_amount": nil, "custom_field": nil, "invoice_id": nil}), payment.Movement{
			ID: "7JD12345AB678901C/T0200", Kind: payment.MovedExchange, Code: "T0200", Amount: money.Of(-90000, "TWD"), Settled: money.Of(-90000, "TWD"), FeeTold: true, At: at,
		}},
		"a payment of the seller's": {row(map[string]any{"transaction_amount": value("JPY", "-700"), "fee_amount": nil, "custom_field": nil, "invoice_id": nil}), payment.Movement{
			ID: "7JD12345AB678901C/T0006", Kind: payment.MovedOther, Code: "T0006", Amount: jpy(-700), Settled: jpy(-700), FeeTold: true, At: at,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, always(200, page(1, 1, 1, c.row)))
			got, err := d.Report(t.Context(), reportDay, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(payment.ReportPage{Movements: []payment.Movement{c.want}, Whole: true}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What moved nothing is in no report.
func TestReportLeavesOutWhatMovedNothing(t *testing.T) {
	for _, status := range []string{"P", "D"} {
		d := newDesk(t, always(200, page(1, 1, 1, row(map[string]any{"transaction_status": status}))))
		if got, err := d.Report(t.Context(), reportDay, ""); err != nil || len(got.Movements) != 0 {
			t.Errorf("%s: %+v, %v", status, got, err)
		}
	}
}

func TestReportAsksForOneDayPageByPage(t *testing.T) {
	rows := make([]map[string]any, perPage)
	for i := range rows {
		rows[i] = row(map[string]any{"transaction_id": fmt.Sprintf("T%016d", i)})
	}
	d := newDesk(t, func(q asked) (int, string) {
		if strings.Contains(q.line, "page=2") {
			return 200, page(2, perPage+1, 2, row(nil))
		}
		return 200, page(1, perPage+1, 2, rows...)
	})
	first, err := d.Report(t.Context(), reportDay, "")
	if err != nil || first.Next != "2" || first.Whole || len(first.Movements) != perPage {
		t.Fatalf("%d movements, next %q, whole %v, %v", len(first.Movements), first.Next, first.Whole, err)
	}
	last, err := d.Report(t.Context(), reportDay, first.Next)
	if err != nil || last.Next != "" || !last.Whole || len(last.Movements) != 1 {
		t.Fatalf("%+v, %v", last, err)
	}
	_, query, _ := strings.Cut(d.lines()[0], "?")
	q, err := url.ParseQuery(query)
	if err != nil || q.Get("start_date") != "2031-05-05T00:00:00Z" || q.Get("end_date") != "2031-05-05T23:59:59Z" ||
		q.Get("balance_affecting_records_only") != "Y" || q.Get("page_size") != "500" {
		t.Errorf("asked %v, %v", d.lines(), err)
	}
}

// A list that is cut, counts wrongly or makes no sense is refused as a whole.
func TestReportRefusesWhatIsNotWhole(t *testing.T) {
	fine := page(1, 1, 1, row(nil))
	for name, body := range map[string]string{
		"cut":                     fine[:len(fine)/2],
		"a row is missing":        page(1, 2, 1, row(nil)),
		"a row too many":          page(1, 1, 1, row(nil), row(nil)),
		"counts that do not fit":  page(1, 1, 3, row(nil)),
		"another page":            page(2, 1, 1, row(nil)),
		"no counts":               `{"transaction_details":[]}`,
		"another day":             page(1, 1, 1, row(map[string]any{"transaction_initiation_date": "2031-05-06T00:00:00Z", "transaction_updated_date": "2031-05-06T00:00:00Z"})),
		"no amount":               page(1, 1, 1, row(map[string]any{"transaction_amount": nil})),
		"an amount that is none":  page(1, 1, 1, row(map[string]any{"transaction_amount": map[string]string{"currency_code": "JPY", "value": "--5"}})),
		"a currency of no seller": page(1, 1, 1, row(map[string]any{"transaction_amount": map[string]string{"currency_code": "XXX", "value": "5"}})),
		"no state":                page(1, 1, 1, row(map[string]any{"transaction_status": "?"})),
		"a fee in another money":  page(1, 1, 1, row(map[string]any{"fee_amount": map[string]string{"currency_code": "USD", "value": "-1.00"}})),
	} {
		d := newDesk(t, always(200, body))
		got, err := d.Report(t.Context(), reportDay, "")
		if !errors.Is(err, payment.ErrBadReport) && !errors.Is(err, payment.ErrNotSent) || len(got.Movements) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A day is whole once PayPal's list was made after it, and not before.
func TestReportIsWholeWhenPayPalSaysSo(t *testing.T) {
	body := page(1, 0, 0)
	d := newDesk(t, always(200, body))
	if got, err := d.Report(t.Context(), reportDay, ""); err != nil || !got.Whole {
		t.Errorf("an empty day: %+v, %v", got, err)
	}
	d.advance(-5 * time.Hour) // two hours after the day's end
	if got, err := d.Report(t.Context(), reportDay, ""); err != nil || got.Whole {
		t.Errorf("too early: %+v, %v", got, err)
	}
	d = newDesk(t, always(200, strings.Replace(body, "2031-05-06T05:59:59", "2031-05-05T23:59:59", 1)))
	if got, err := d.Report(t.Context(), reportDay, ""); err != nil || got.Whole {
		t.Errorf("an old list: %+v, %v", got, err)
	}
}

func TestReportTroubles(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"too much":      {400, `{"name":"RESULTSET_TOO_LARGE","debug_id":"d"}`, payment.ErrBadReport},
		"not there yet": {400, `{"name":"INVALID_REQUEST","message":"Data for the given start date is not available."}`, payment.ErrNotReady},
		"or so":         {404, `{"name":"INVALID_REQUEST","details":[{"issue":"Data for the given start date is not available."}]}`, payment.ErrNotReady},
		"not allowed":   {403, `{"name":"NOT_AUTHORIZED"}`, payment.ErrNotSent},
		"down":          {503, `oops`, payment.ErrNotSent},
	} {
		d := newDesk(t, always(c.status, c.body))
		if _, err := d.Report(t.Context(), reportDay, ""); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever PayPal writes as an amount is read as that amount.
func TestListedAmountsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scales).Draw(t, "currency")
		m := money.Of(rapid.Int64Range(1, money.MaxMinor/s.smallest()).Draw(t, "minor")*s.smallest(), s.currency)
		a, err := toPayPal(m)
		if err != nil {
			t.Fatal(err)
		}
		want := m
		if rapid.Bool().Draw(t, "negative") {
			a.Value, want = "-"+a.Value, m.Neg()
		}
		if got, err := eitherSign(a); err != nil || got != want {
			t.Fatalf("%v is read as %v, %v", a, got, err)
		}
	})
}

// No list, however broken, makes the reader fail otherwise than by saying so.
func FuzzReport(f *testing.F) {
	f.Add(page(1, 1, 1, row(nil)))
	f.Add(page(1, 2, 1, row(map[string]any{"transaction_event_code": "T1107"}), row(nil)))
	f.Add(`{"transaction_details":null,"page":1,"total_items":0,"total_pages":0}`)
	f.Fuzz(func(t *testing.T, body string) {
		d := newDesk(t, always(200, body))
		got, err := d.Report(t.Context(), reportDay, "")
		if err != nil && len(got.Movements) > 0 {
			t.Error("a refused report has movements")
		}
		for _, m := range got.Movements {
			if !reportDay.Holds(m.At, time.UTC) || m.Amount.Currency == "" || m.Kind == "" {
				t.Errorf("kept %+v", m)
			}
		}
	})
}
