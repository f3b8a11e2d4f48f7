package alipay

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func refund() payment.Refund {
	at := attempt()
	at.MoneyID = "2031050722001400000000000001"
	return payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: at, Amount: money.Of(700, "CNY"), Note: "not served"}
}

// refunded is the member of an answer to a refund, seen that to the question.
func refunded(changed, sum string) string {
	return said(map[string]any{"out_trade_no": attempt().Ref, "trade_no": refund().Attempt.MoneyID, "fund_change": changed, "refund_fee": sum})
}

func seen(status string, changes map[string]any) string {
	m := map[string]any{
		"out_trade_no": attempt().Ref, "trade_no": refund().Attempt.MoneyID, "out_request_no": refund().Ref,
		"refund_amount": "7.00", "total_amount": "19.80", "refund_status": status,
	}
	for k, v := range changes {
		m[k] = v
	}
	return said(m)
}

func TestRefunds(t *testing.T) {
	none, broken := said(nil), no("20000", "isp.unknow-error")
	done := seen("REFUND_SUCCESS", nil)
	for _, tt := range []struct {
		name, refund, query string
		want                payment.RefundState // "" for an error
		kind                error
		asked               int
	}{
		{"done", refunded("Y", "7.00"), "", payment.RefundDone, nil, 1},
		{"done, after others", refunded("Y", "12.00"), "", payment.RefundDone, nil, 1},
		{"done before", refunded("N", "7.00"), done, payment.RefundDone, nil, 2},
		{"taken, not seen yet", refunded("N", "7.00"), none, payment.RefundSent, nil, 2},
		{"taken, cannot be asked about", refunded("N", "7.00"), broken, "", payment.ErrUnknown, 2},
		{"less than was asked for", refunded("Y", "6.99"), none, payment.RefundSent, nil, 2},
		{"nothing said of change", refunded("", ""), done, payment.RefundDone, nil, 2},
		{"of another trade", said(map[string]any{"out_trade_no": attempt().Ref, "trade_no": "1", "fund_change": "Y", "refund_fee": "7.00"}), "", "", payment.ErrUnknown, 1},
		{"of another order", said(map[string]any{"out_trade_no": "other", "fund_change": "Y", "refund_fee": "7.00"}), "", "", payment.ErrUnknown, 1},
		{"refused", no("40004", "ACQ.TRADE_HAS_FINISHED"), none, payment.RefundFailed, nil, 2},
		{"refused, but made before", no("40004", "ACQ.TRADE_STATUS_ERROR"), done, payment.RefundDone, nil, 2},
		{"refused, cannot be asked about", no("40004", "ACQ.TRADE_STATUS_ERROR"), broken, "", payment.ErrNotSent, 2},
		{"the seller is poor", no("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH"), "", "", payment.ErrNotSent, 1},
		{"system error", no("40004", "ACQ.SYSTEM_ERROR"), "", "", payment.ErrUnknown, 1},
	} {
		d := newDesk(t, false, answering(map[string]string{"alipay.trade.refund": tt.refund, "alipay.trade.fastpay.refund.query": tt.query}))
		got, err := d.Refund(t.Context(), refund())
		switch {
		case tt.kind != nil && !only(err, tt.kind), tt.kind == nil && err != nil, got.State != tt.want, len(d.asked) != tt.asked:
			t.Errorf("%s: %+v, %v after %d calls", tt.name, got, err, len(d.asked))
		case tt.kind == nil && (got.Amount != refund().Amount || !got.AsOf.Equal(d.now)):
			t.Errorf("%s: %+v", tt.name, got)
		case tt.want == payment.RefundFailed && got.Code != "ACQ.TRADE_HAS_FINISHED":
			t.Errorf("%s: code %q", tt.name, got.Code)
		}
		want := `{"out_trade_no":"abcdefghij0123456789klmnop","out_request_no":"refundrefundrefundrefund00","refund_amount":"7.00","refund_reason":"not served"}`
		if got := d.asked[0].Get("biz_content"); got != want {
			t.Errorf("%s: asked %s", tt.name, got)
		}
	}
	d := newDesk(t, false, unreachable)
	for _, m := range []money.Money{money.Of(0, "CNY"), money.Of(-700, "CNY"), money.Of(700, "JPY")} {
		r := refund()
		r.Amount = m
		if got, err := d.Refund(t.Context(), r); err != nil || got.State != payment.RefundFailed || got.Code == "" {
			t.Errorf("Refund of %v: %+v, %v", m, got, err)
		}
	}
}

func TestQueryRefund(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		found        bool
		want         payment.RefundState
		ok           bool
	}{
		{"done", seen("REFUND_SUCCESS", nil), true, payment.RefundDone, true},
		{"done, a number", seen("REFUND_SUCCESS", map[string]any{"refund_amount": 7}), true, payment.RefundDone, true},
		{"nothing", said(nil), false, "", true},
		{"nothing but names", said(map[string]any{"out_trade_no": attempt().Ref, "trade_no": refund().Attempt.MoneyID}), false, "", true},
		{"no trade", no("40004", "ACQ.TRADE_NOT_EXIST"), false, "", true},
		{"not final", seen("", nil), true, payment.RefundSent, true},
		{"a word we do not know", seen("REFUND_PROCESSING", nil), true, payment.RefundSent, true},
		{"another refund", seen("REFUND_SUCCESS", map[string]any{"out_request_no": "other"}), false, "", false},
		{"another order", seen("REFUND_SUCCESS", map[string]any{"out_trade_no": "other"}), false, "", false},
		{"another trade", seen("REFUND_SUCCESS", map[string]any{"trade_no": "1"}), false, "", false},
		{"no amount", seen("REFUND_SUCCESS", map[string]any{"refund_amount": ""}), false, "", false},
		{"an odd amount", seen("REFUND_SUCCESS", map[string]any{"refund_amount": "7.005"}), false, "", false},
		{"another no", no("40004", "ACQ.INVALID_PARAMETER"), false, "", false},
	} {
		d := newDesk(t, false, answering(map[string]string{"alipay.trade.fastpay.refund.query": tt.answer}))
		got, err := d.QueryRefund(t.Context(), refund())
		switch {
		case !tt.ok:
			if !only(err, payment.ErrNotSent) {
				t.Errorf("%s: %+v, %v", tt.name, got, err)
			}
		case err != nil, got.Found != tt.found, got.State != tt.want, got.AsOf.IsZero(), tt.found && got.Amount != refund().Amount:
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}
