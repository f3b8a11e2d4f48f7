package antom

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

const refundID = "20310506194010800100188000000000099"

func answerOf(status int, h http.Header, body []byte) outbound.Answer {
	return outbound.Answer{Status: status, Header: h, Body: body}
}

func refundAsked() payment.Refund {
	at := attempt()
	at.MoneyID = testID
	return payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: at, Amount: money.Of(700, "CNY"), Note: "not served"}
}

// returned is the answer to a refund, seen that to the question, with changes.
func returned(changes map[string]any) string {
	m := map[string]any{"refundRequestId": refundAsked().Ref, "refundId": refundID, "paymentId": testID, "refundAmount": amount{"CNY", "700"}}
	for k, v := range changes {
		m[k] = v
	}
	return fields(yes, "SUCCESS", m)
}

func seen(state string, changes map[string]any) string {
	m := map[string]any{"refundRequestId": refundAsked().Ref, "refundId": refundID, "refundAmount": amount{"CNY", "700"}, "refundStatus": state}
	for k, v := range changes {
		m[k] = v
	}
	return fields(yes, "SUCCESS", m)
}

func TestRefunds(t *testing.T) {
	gone, broken, done := result(yes, "SUCCESS"), result(perhaps, "UNKNOWN_EXCEPTION"), seen("SUCCESS", nil)
	for _, tt := range []struct {
		name, refund, query string
		want                payment.RefundState // "" for an error
		kind                error
		asked               int
	}{
		{"done", returned(nil), "", payment.RefundDone, nil, 1},
		{"of another payment", returned(map[string]any{"paymentId": "other"}), "", "", payment.ErrUnknown, 1},
		{"of another refund", returned(map[string]any{"refundRequestId": "other"}), "", "", payment.ErrUnknown, 1},
		{"a yes without contents", gone, "", "", payment.ErrUnknown, 1},
		{"an amount that is none", returned(map[string]any{"refundAmount": amount{"CNY", "7.00"}}), "", "", payment.ErrUnknown, 1},
		{"in another currency", returned(map[string]any{"refundAmount": amount{"JPY", "700"}}), "", "", payment.ErrUnknown, 1},
		{"perhaps", broken, gone, "", payment.ErrUnknown, 2},
		{"perhaps, and there", broken, done, payment.RefundDone, nil, 2},
		{"perhaps, cannot be asked about", broken, broken, "", payment.ErrUnknown, 2},
		{"under way", result(perhaps, "REFUND_IN_PROCESS"), seen("PROCESSING", nil), payment.RefundSent, nil, 2},
		{"under way, not seen", result(perhaps, "REFUND_IN_PROCESS"), gone, "", payment.ErrUnknown, 2},
		{"under way, cannot be asked about", result(perhaps, "REFUND_IN_PROCESS"), broken, "", payment.ErrUnknown, 2},
		{"refused", result(no, "REFUND_WINDOW_EXCEED"), gone, payment.RefundFailed, nil, 2},
		{"refused, and unknown", result(no, "REFUND_WINDOW_EXCEED"), result(no, "ORDER_NOT_EXIST"), payment.RefundFailed, nil, 2},
		{"refused, but made before", result(no, "REFUND_AMOUNT_EXCEED"), done, payment.RefundDone, nil, 2},
		{"refused, cannot be asked about", result(no, "REFUND_AMOUNT_EXCEED"), broken, "", payment.ErrUnknown, 2},
		{"turned away", result(no, "INVALID_SIGNATURE"), "", "", payment.ErrNotSent, 1},
	} {
		d := newDesk(t, nil, answering(map[string][]string{"refund": {tt.refund}, "inquiryRefund": {tt.query}}))
		got, err := d.Refund(t.Context(), refundAsked())
		switch {
		case tt.kind != nil && !only(err, tt.kind), tt.kind == nil && err != nil, got.State != tt.want, len(d.asked) != tt.asked:
			t.Errorf("%s: %+v, %v after %d calls", tt.name, got, err, len(d.asked))
		case tt.kind == nil && (got.Amount != refundAsked().Amount || !got.AsOf.Equal(d.now)):
			t.Errorf("%s: %+v", tt.name, got)
		case tt.want == payment.RefundFailed && got.Code != "REFUND_WINDOW_EXCEED":
			t.Errorf("%s: code %q", tt.name, got.Code)
		}
		if want := `{"refundRequestId":"refundrefundrefundrefund00","paymentId":"` + testID + `","refundAmount":{"currency":"CNY","value":"700"}}`; d.asked[0].body != want {
			t.Errorf("%s: asked %s", tt.name, d.asked[0].body)
		}
	}
	d := newDesk(t, nil, unreachable)
	for _, m := range []money.Money{money.Of(0, "CNY"), money.Of(-700, "CNY"), money.Of(700, "JPY"), money.Of(700, "USD")} {
		r := refundAsked()
		r.Amount = m
		if got, err := d.Refund(t.Context(), r); err != nil || got.State != payment.RefundFailed || got.Code == "" {
			t.Errorf("Refund of %v: %+v, %v", m, got, err)
		}
	}
}

// A refund names the payment; where we do not know its name, Antom is asked.
func TestRefundOfAPaymentWithoutAName(t *testing.T) {
	r := refundAsked()
	r.Attempt.MoneyID, r.Attempt.ProviderID = "", ""
	d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {shown("SUCCESS", nil)}, "refund": {returned(nil)}}))
	if got, err := d.Refund(t.Context(), r); err != nil || got.State != payment.RefundDone || !strings.Contains(d.asked[1].body, testID) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, says := range []string{result(no, noOrder), result(perhaps, "X")} {
		d := newDesk(t, nil, answering(map[string][]string{"inquiryPayment": {says}}))
		if got, err := d.Refund(t.Context(), r); !only(err, payment.ErrNotSent) {
			t.Errorf("%s: %+v, %v", says, got, err)
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
		{"done", seen("SUCCESS", nil), true, payment.RefundDone, true},
		{"under way", seen("PROCESSING", nil), true, payment.RefundSent, true},
		{"failed", seen("FAIL", nil), true, payment.RefundFailed, true},
		{"nothing", result(yes, "SUCCESS"), false, "", true},
		{"nothing, with nulls", fields(yes, "SUCCESS", map[string]any{"refundId": nil, "refundRequestId": nil, "refundAmount": nil}), false, "", true},
		{"a no", result(no, "ORDER_NOT_EXIST"), false, "", true},
		{"no state", seen("", nil), false, "", false},
		{"an odd state", seen("DONE", nil), false, "", false},
		{"another refund", seen("SUCCESS", map[string]any{"refundRequestId": "other"}), false, "", false},
		{"without a name", seen("SUCCESS", map[string]any{"refundId": ""}), false, "", false},
		{"an odd amount", seen("SUCCESS", map[string]any{"refundAmount": amount{"CNY", "7.00"}}), false, "", false},
		{"no amount", seen("SUCCESS", map[string]any{"refundAmount": nil}), false, "", false},
		{"another no", result(no, "PARAM_ILLEGAL"), false, "", false},
		{"perhaps", result(perhaps, "UNKNOWN_EXCEPTION"), false, "", false},
	} {
		d := newDesk(t, nil, answering(map[string][]string{"inquiryRefund": {tt.answer}}))
		got, err := d.QueryRefund(t.Context(), refundAsked())
		switch {
		case !tt.ok:
			if !only(err, payment.ErrNotSent) {
				t.Errorf("%s: %+v, %v", tt.name, got, err)
			}
		case err != nil, got.Found != tt.found, got.State != tt.want, got.AsOf.IsZero(), tt.found && (got.Amount != refundAsked().Amount || got.ProviderID != refundID):
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	r := refundAsked()
	r.ProviderID = "other"
	d := newDesk(t, nil, answering(map[string][]string{"inquiryRefund": {seen("SUCCESS", nil)}}))
	if got, err := d.QueryRefund(t.Context(), r); !only(err, payment.ErrNotSent) {
		t.Errorf("another than before: %+v, %v", got, err)
	}
}
