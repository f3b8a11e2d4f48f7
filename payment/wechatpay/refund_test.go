package wechatpay

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func testRefund() payment.Refund {
	at := attempt()
	at.MoneyID = "4200001"
	return payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: at, Amount: money.Of(400, "CNY"), Note: "the customer is angry"}
}

func refundJSON(t *testing.T, status string, change map[string]any) string {
	r := map[string]any{
		"refund_id": "50000000382", "out_refund_no": testRefund().Ref, "transaction_id": "4200001", "out_trade_no": attempt().Ref,
		"channel": "ORIGINAL", "user_received_account": "招商银行信用卡0403", "create_time": "2026-03-04T13:06:30+08:00", "status": status,
		"amount": map[string]any{"total": 1234, "refund": 400, "payer_total": 1200, "payer_refund": 390, "currency": "CNY"},
	}
	for k, v := range change {
		if v == nil {
			delete(r, k)
			continue
		}
		r[k] = v
	}
	return encode(t, r)
}

func TestEveryPublishedRefundState(t *testing.T) {
	for status, want := range map[string]payment.RefundObservation{
		"PROCESSING": {State: payment.RefundSent},
		"SUCCESS":    {State: payment.RefundDone},
		"CLOSED":     {State: payment.RefundFailed, Code: "CLOSED"},
		"ABNORMAL":   {State: payment.RefundFailed, Code: "ABNORMAL"},
	} {
		want.Found, want.ProviderID, want.Amount, want.AsOf = true, "50000000382", money.Of(400, "CNY"), t0
		d := newDesk(t, nil, always(200, refundJSON(t, status, nil)))
		for name, call := range map[string]func() (payment.RefundObservation, error){
			"Refund":      func() (payment.RefundObservation, error) { return d.Refund(t.Context(), testRefund()) },
			"QueryRefund": func() (payment.RefundObservation, error) { return d.QueryRefund(t.Context(), testRefund()) },
		} {
			if got, err := call(); err != nil || !cmp.Equal(got, want) {
				t.Errorf("%s %s: %v %s", name, status, err, cmp.Diff(want, got))
			}
		}
		for _, q := range d.asks {
			// The note is ours: WeChat Pay would show it to the customer.
			want := `{"out_trade_no":"abcdefghij0123456789klmnop","out_refund_no":"refundrefundrefundrefund00","notify_url":"` + testNotify +
				`","amount":{"refund":400,"total":1234,"currency":"CNY"}}`
			post := q.method == "POST" && q.uri == "/v3/refund/domestic/refunds" && q.body == want
			get := q.method == "GET" && q.uri == "/v3/refund/domestic/refunds/refundrefundrefundrefund00" && q.body == ""
			if !post && !get {
				t.Errorf("asked %s %s %s", q.method, q.uri, q.body)
			}
		}
	}
}

func TestRefundsThatAreNotOurs(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"another refund":   {"out_refund_no": "other"},
		"another order":    {"out_trade_no": "other"},
		"another payment":  {"transaction_id": "4200002"},
		"another id":       {"refund_id": "50000000383"},
		"no id":            {"refund_id": nil},
		"no status":        {"status": nil},
		"unknown status":   {"status": "REFUNDED"},
		"no amount":        {"amount": nil},
		"another currency": {"amount": map[string]any{"refund": 400, "currency": "HKD"}},
		"amount as text":   {"amount": map[string]any{"refund": "400"}},
	} {
		d := newDesk(t, nil, always(200, refundJSON(t, "SUCCESS", change)))
		r := testRefund()
		r.ProviderID = "50000000382"
		if got, err := d.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("Refund, %s: %+v, %v", name, got, err)
		}
		if got, err := d.QueryRefund(t.Context(), r); !errors.Is(err, payment.ErrNotSent) {
			t.Errorf("QueryRefund, %s: %+v, %v", name, got, err)
		}
	}
}

// A refund that is refused and not there has failed; one that is there has not,
// whatever was said about asking again.
func TestRefusedRefunds(t *testing.T) {
	gone := said{status: 404, body: `{"code":"RESOURCE_NOT_EXISTS"}`}
	for _, tt := range []struct {
		name  string
		no    string
		there said
		state payment.RefundState
		code  string
		err   error
	}{
		{"too much", "INVALID_REQUEST", gone, payment.RefundFailed, "INVALID_REQUEST", nil},
		{"no balance", "NOT_ENOUGH", gone, payment.RefundFailed, "NOT_ENOUGH", nil},
		{"no such order", "RESOURCE_NOT_EXISTS", gone, payment.RefundFailed, "RESOURCE_NOT_EXISTS", nil},
		{"there already", "INVALID_REQUEST", said{status: 200, body: refundJSON(t, "PROCESSING", nil)}, payment.RefundSent, "", nil},
		{"nobody can say", "INVALID_REQUEST", said{status: 429}, "", "", payment.ErrNotSent},
		{"nobody will say", "INVALID_REQUEST", said{status: 403, body: `{"code":"NO_AUTH"}`}, "", "", payment.ErrNotSent},
	} {
		d := newDesk(t, nil, func(q asked) said {
			if q.method == "POST" {
				return said{status: 403, body: `{"code":"` + tt.no + `"}`}
			}
			return tt.there
		})
		got, err := d.Refund(t.Context(), testRefund())
		if !errors.Is(err, tt.err) || got.State != tt.state || got.Code != tt.code {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	d := newDesk(t, nil, func(asked) said { return gone })
	if got, err := d.QueryRefund(t.Context(), testRefund()); err != nil || got.Found || got.AsOf.IsZero() {
		t.Errorf("a refund that is not there: %+v, %v", got, err)
	}
	r := testRefund()
	r.Amount.Currency = "JPY"
	if got, err := d.Refund(t.Context(), r); err != nil || got.State != payment.RefundFailed || len(d.asks) != 1 {
		t.Errorf("a refund in yen: %+v, %v, %d calls", got, err, len(d.asks))
	}
}
