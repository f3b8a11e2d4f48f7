package stripe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/stripe/stripe-go/v85"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const reportDay = payment.Day("2031-05-05") // the day before t0

// bt is a balance transaction, with changes; nil takes a member away.
func bt(changes map[string]any) map[string]any {
	row := map[string]any{
		"id": "txn_1", "object": "balance_transaction", "type": "charge", "reporting_category": "charge", "amount": 1980, "fee": 71, "net": 1909,
		"currency": "jpy", "created": reportDay.Start(time.UTC).Add(time.Hour).Unix(),
		"source": map[string]any{
			"id": "ch_1", "object": "charge", "amount": 1980, "currency": "jpy", "payment_intent": "pi_1",
			"metadata": map[string]any{"ref": attempt().Ref, "order": "ord_1"},
		},
	}
	for k, v := range changes {
		if row[k] = v; v == nil {
			delete(row, k)
		}
	}
	return row
}

// listOf is an answer that lists rows.
func listOf(more bool, rows ...map[string]any) string {
	if rows == nil {
		rows = []map[string]any{}
	}
	b, err := json.Marshal(map[string]any{"object": "list", "url": "/v1/balance_transactions", "has_more": more, "data": rows})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestReportReadsEveryKind(t *testing.T) {
	at := reportDay.Start(time.UTC).Add(time.Hour)
	refund := map[string]any{
		"id": "re_1", "object": "refund", "amount": 500, "currency": "jpy", "payment_intent": "pi_1",
		"metadata": map[string]any{"ref": "refundref", "attempt": attempt().Ref},
	}
	dispute := map[string]any{"id": "dp_1", "object": "dispute", "amount": 1980, "currency": "jpy", "payment_intent": "pi_1", "charge": "ch_1"}
	dollars := map[string]any{"id": "ch_1", "object": "charge", "amount": 1999, "currency": "usd", "payment_intent": "pi_1", "metadata": map[string]any{"ref": "r"}}
	for name, c := range map[string]struct {
		row  map[string]any
		want payment.Movement
	}{
		"charge": {bt(nil), payment.Movement{
			Kind: payment.MovedCharge, Code: "charge", Ref: attempt().Ref, MoneyID: "pi_1", Amount: yen(1980), Settled: yen(1980), Fee: yen(71), FeeTold: true,
		}},
		"by its type alone": {bt(map[string]any{"reporting_category": nil, "type": "payment"}), payment.Movement{
			Kind: payment.MovedCharge, Code: "payment", Ref: attempt().Ref, MoneyID: "pi_1", Amount: yen(1980), Settled: yen(1980), Fee: yen(71), FeeTold: true,
		}},
		"converted": {bt(map[string]any{"amount": 3105, "net": 3034, "source": dollars}), payment.Movement{
			Kind: payment.MovedCharge, Code: "charge", Ref: "r", MoneyID: "pi_1", Amount: money.Of(1999, "USD"), Settled: yen(3105), Fee: yen(71), FeeTold: true,
		}},
		"refund": {bt(map[string]any{"type": "refund", "reporting_category": "refund", "amount": -500, "fee": 0, "net": -500, "source": refund}), payment.Movement{
			Kind: payment.MovedRefund, Code: "refund", Ref: attempt().Ref, MoneyID: "pi_1", RefundRef: "refundref", RefundID: "re_1", Amount: yen(-500), Settled: yen(-500), Fee: yen(0), FeeTold: true,
		}},
		"refund that came back": {bt(map[string]any{"type": "refund_failure", "reporting_category": "refund_failure", "amount": 500, "fee": 0, "net": 500, "source": refund}), payment.Movement{
			Kind: payment.MovedRefund, Code: "refund_failure", Ref: attempt().Ref, MoneyID: "pi_1", RefundRef: "refundref", RefundID: "re_1", Amount: yen(500), Settled: yen(500), Fee: yen(0), FeeTold: true,
		}},
		"dispute": {bt(map[string]any{"type": "adjustment", "reporting_category": "dispute", "amount": -1980, "fee": 1500, "net": -3480, "source": dispute}), payment.Movement{
			Kind: payment.MovedDispute, Code: "adjustment", MoneyID: "pi_1", Amount: yen(-1980), Settled: yen(-1980), Fee: yen(1500), FeeTold: true,
		}},
		"dispute won": {bt(map[string]any{"type": "adjustment", "reporting_category": nil, "amount": 1980, "fee": 0, "net": 1980, "source": dispute}), payment.Movement{
			Kind: payment.MovedDisputeWon, Code: "adjustment", MoneyID: "pi_1", Amount: yen(1980), Settled: yen(1980), Fee: yen(0), FeeTold: true,
		}},
		"payout": {bt(map[string]any{"type": "payout", "reporting_category": "payout", "amount": -9000, "fee": 0, "net": -9000, "source": "po_1"}), payment.Movement{
			Kind: payment.MovedPayout, Code: "payout", Amount: yen(-9000), Settled: yen(-9000), Fee: yen(0), FeeTold: true,
		}},
		"fee": {bt(map[string]any{"type": "stripe_fee", "reporting_category": "fee", "amount": -30, "fee": 0, "net": -30, "source": nil}), payment.Movement{
			Kind: payment.MovedFee, Code: "stripe_fee", Amount: yen(-30), Settled: yen(-30), Fee: yen(0), FeeTold: true,
		}},
		"something new": {bt(map[string]any{"type": "moon_levy", "reporting_category": "moon_levy", "amount": -1, "fee": 0, "net": -1, "source": nil}), payment.Movement{
			Kind: payment.MovedOther, Code: "moon_levy", Amount: yen(-1), Settled: yen(-1), Fee: yen(0), FeeTold: true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.ID, c.want.At = "txn_1", at
			got, err := newDesk(t, always(200, listOf(false, c.row))).Report(t.Context(), reportDay, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(payment.ReportPage{Movements: []payment.Movement{c.want}, Whole: true}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReportAsksForOneDayPageByPage(t *testing.T) {
	rows := make([]map[string]any, perPage)
	for i := range rows {
		rows[i] = bt(map[string]any{"id": fmt.Sprintf("txn_%d", i)})
	}
	d := newDesk(t, func(_ *desk, q asked) (int, string) {
		if q.form.Get("starting_after") != "" {
			return 200, listOf(false, bt(map[string]any{"id": "txn_last"}))
		}
		return 200, listOf(true, rows...)
	})
	first, err := d.Report(t.Context(), reportDay, "")
	if err != nil || first.Next != "txn_99" || first.Whole || len(first.Movements) != perPage {
		t.Fatalf("%d movements, next %q, whole %v, %v", len(first.Movements), first.Next, first.Whole, err)
	}
	last, err := d.Report(t.Context(), reportDay, first.Next)
	if err != nil || last.Next != "" || !last.Whole || len(last.Movements) != 1 {
		t.Fatalf("%+v, %v", last, err)
	}
	q := d.asked[1].form
	if d.asked[0].line != "GET /v1/balance_transactions" || q.Get("created[gte]") != "1935705600" || q.Get("created[lt]") != "1935792000" ||
		q.Get("limit") != "100" || q.Get("expand[0]") != "data.source" || q.Get("starting_after") != "txn_99" {
		t.Errorf("asked %v", d.asked)
	}
}

// The day that is not over, or only just, is not whole.
func TestReportIsWholeAfterTheDay(t *testing.T) {
	d := newDesk(t, always(200, listOf(false)))
	if got, err := d.Report(t.Context(), "2031-05-06", ""); err != nil || got.Whole {
		t.Errorf("today: %+v, %v", got, err)
	}
	d.now = reportDay.Next().Start(time.UTC).Add(14 * time.Minute)
	if got, err := d.Report(t.Context(), reportDay, ""); err != nil || got.Whole {
		t.Errorf("just over: %+v, %v", got, err)
	}
}

// An answer that is cut, is no list or makes no sense is refused as a whole.
func TestReportRefusesWhatIsNotWhole(t *testing.T) {
	fine := listOf(false, bt(nil))
	for name, body := range map[string]string{
		"cut":                          fine[:len(fine)/2],
		"no list":                      `{}`,
		"a list of nothing":            `{"object":"list","has_more":false}`,
		"no word of more":              `{"object":"list","data":[]}`,
		"more after nothing":           listOf(true),
		"no sum":                       listOf(false, bt(map[string]any{"net": 1908})),
		"another day":                  listOf(false, bt(map[string]any{"created": t0.Unix()})),
		"no identifier":                listOf(false, bt(map[string]any{"id": nil})),
		"another object":               listOf(false, bt(map[string]any{"object": "charge"})),
		"a currency of no seller":      listOf(false, bt(map[string]any{"currency": "xxx"})),
		"a charge of which one is not": listOf(false, bt(map[string]any{"source": "ch_1"})),
		"null":                         `{"object":"list","has_more":false,"data":[null]}`,
	} {
		got, err := newDesk(t, always(200, body)).Report(t.Context(), reportDay, "")
		if !errors.Is(err, payment.ErrBadReport) && !errors.Is(err, payment.ErrNotSent) || len(got.Movements) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := newDesk(t, always(500, `{"error":{"type":"api_error"}}`)).Report(t.Context(), reportDay, ""); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("down: %v", err)
	}
}

// What a movement changes the balance by is what Stripe says that it does.
func TestMovementsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.SampledFrom(exponents).Draw(t, "currency")
		amount, fee := rapid.Int64Range(-99_999_999, 99_999_999).Draw(t, "amount"), rapid.Int64Range(-5_000, 99_999).Draw(t, "fee")
		m, why := movement(&sdk.BalanceTransaction{
			ID: "txn_1", Object: "balance_transaction", Type: "payout", Amount: amount, Fee: fee, Net: amount - fee, Currency: sdk.Currency(strings.ToLower(string(e.currency))), Created: 1,
		})
		net, err := m.Settled.Sub(m.Fee)
		want, err2 := fromStripe(amount-fee, sdk.Currency(e.currency))
		if why != "" || err != nil || err2 != nil || net != want || m.Amount != m.Settled {
			t.Fatalf("%s: %+v, want %v", why, m, want)
		}
	})
}

// No list, however broken, makes the reader fail otherwise than by saying so.
func FuzzReport(f *testing.F) {
	f.Add(listOf(false, bt(nil)))
	f.Add(listOf(true, bt(map[string]any{"type": "adjustment"}), bt(nil)))
	f.Add(`{"object":"list","has_more":false,"data":[{"source":{"object":"refund"}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := newDesk(t, always(200, body)).Report(t.Context(), reportDay, "")
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
