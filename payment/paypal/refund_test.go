package paypal

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func refundDue() payment.Refund {
	a := started()
	a.MoneyID = "3C679366HH908993F"
	return payment.Refund{Ref: refundRef, Attempt: a, Amount: money.Of(500, "JPY"), Note: "to staff only"}
}

// till answers a refund with one thing and questions with an order.
func till(status int, refunded string, o object) func(asked) (int, string) {
	return func(q asked) (int, string) {
		if strings.HasSuffix(q.line, "/refund") || strings.Contains(q.line, "/payments/refunds/") {
			return status, refunded
		}
		return http.StatusOK, o.String()
	}
}

func paidOrder(refunds ...object) object {
	status := "COMPLETED"
	if len(refunds) > 0 {
		status = "PARTIALLY_REFUNDED"
	}
	return orderOf("COMPLETED", []object{captureOfState(status, "")}, refunds)
}

func TestRefundRequest(t *testing.T) {
	d := newDesk(t, till(201, refundOfState("COMPLETED", 500).String(), paidOrder()))
	r := refundDue()
	r.Attempt.MoneyID = "" // the order tells
	got, err := d.Refund(t.Context(), r)
	want := payment.RefundObservation{State: payment.RefundDone, Found: true, ProviderID: "1JU08902781691411", Amount: r.Amount, AsOf: t0}
	if err != nil || got != want {
		t.Errorf("Refund says %+v, %v; want %+v", got, err, want)
	}
	q := d.asked[len(d.asked)-1]
	const body = `{"amount":{"currency_code":"JPY","value":"500"},"custom_id":"refundrefundrefundrefund01","invoice_id":"refundrefundrefundrefund01"}`
	if q.line != "POST /v2/payments/captures/3C679366HH908993F/refund" || q.body != body || q.h.Get("PayPal-Request-Id") != refundRef {
		t.Errorf("sent %+v", q)
	}
}

func TestRefundStates(t *testing.T) {
	for _, tt := range []struct {
		refund object
		want   payment.RefundState
		code   string
	}{
		{refundOfState("COMPLETED", 500), payment.RefundDone, ""},
		{refundOfState("PENDING", 500).with(object{"status_details": object{"reason": "ECHECK"}}), payment.RefundSent, "ECHECK"},
		{refundOfState("FAILED", 500), payment.RefundFailed, "FAILED"},
		{refundOfState("CANCELLED", 500), payment.RefundFailed, "CANCELLED"},
		{refundOfState("COMPLETED", 500).with(object{"custom_id": nil}), payment.RefundDone, ""},
		{refundOfState("COMPLETED", 500).with(object{"invoice_id": nil}), payment.RefundDone, ""},
	} {
		known := refundDue()
		known.ProviderID = "1JU08902781691411"
		for name, d := range map[string]*desk{
			"asked":   newDesk(t, till(201, tt.refund.String(), paidOrder())),
			"there":   newDesk(t, till(500, "", paidOrder(tt.refund, refundOfState("COMPLETED", 1).with(object{"custom_id": "", "invoice_id": ""})))),
			"by name": newDesk(t, till(200, tt.refund.String(), object{})),
		} {
			call := d.Refund
			r := refundDue()
			if name == "by name" {
				call, r = d.QueryRefund, known
			}
			got, err := call(t.Context(), r)
			if err != nil || got.State != tt.want || got.Code != tt.code || got.Amount != r.Amount || got.ProviderID != known.ProviderID {
				t.Errorf("%s, %s: %+v, %v", name, tt.refund["status"], got, err)
			}
		}
		d := newDesk(t, till(500, "", paidOrder(tt.refund, refundOfState("COMPLETED", 1).with(object{"custom_id": "x", "invoice_id": "x"}))))
		if got, err := d.QueryRefund(t.Context(), refundDue()); err != nil || !got.Found || got.State != tt.want {
			t.Errorf("by reference, %s: %+v, %v", tt.refund["status"], got, err)
		}
	}
}

// A refund that is there already is not asked for again, however long ago it
// was.
func TestRefundLooksFirst(t *testing.T) {
	d := newDesk(t, till(201, refundOfState("COMPLETED", 500).String(), paidOrder(refundOfState("PENDING", 500))))
	if got, err := d.Refund(t.Context(), refundDue()); err != nil || got.State != payment.RefundSent {
		t.Errorf("%+v, %v", got, err)
	}
	if want := []string{"GET /v2/checkout/orders/5O190127TN364715T"}; !slices.Equal(d.lines(), want) {
		t.Errorf("asked %q, want %q", d.lines(), want)
	}
}

func TestRefundRefused(t *testing.T) {
	no := func(issue string) string { return refusalOf("UNPROCESSABLE_ENTITY", issue) }
	for _, tt := range []struct {
		status int
		body   string
		code   string
		err    error
	}{
		{422, no("REFUND_AMOUNT_EXCEEDED"), "REFUND_AMOUNT_EXCEEDED", nil},
		{422, no("CAPTURE_FULLY_REFUNDED"), "CAPTURE_FULLY_REFUNDED", nil},
		{422, no("REFUND_TIME_LIMIT_EXCEEDED"), "REFUND_TIME_LIMIT_EXCEEDED", nil},
		{422, no("TRANSACTION_DISPUTED"), "TRANSACTION_DISPUTED", nil},
		{404, refusalOf("RESOURCE_NOT_FOUND", ""), "RESOURCE_NOT_FOUND", nil},
		{422, no("DUPLICATE_INVOICE_ID"), "", payment.ErrUnknown},
		{409, no("PREVIOUS_REQUEST_IN_PROGRESS"), "", payment.ErrUnknown},
		{500, "", "", payment.ErrUnknown},
		{201, "{", "", payment.ErrUnknown},
		{201, refundOfState("COMPLETED", 500).with(object{"custom_id": "x", "invoice_id": "x"}).String(), "", payment.ErrUnknown},
		{201, refundOfState("NEW", 500).String(), "", payment.ErrUnknown},
		{201, refundOfState("COMPLETED", 500).with(object{"amount": nil}).String(), "", payment.ErrUnknown},
		{201, refundOfState("COMPLETED", 500).with(object{"amount": object{"currency_code": "JPY", "value": "5.1"}}).String(), "", payment.ErrUnknown},
		{201, refundOfState("COMPLETED", 500).with(object{"id": ""}).String(), "", payment.ErrUnknown},
		{429, "", "", payment.ErrNotSent},
		{403, refusalOf("NOT_AUTHORIZED", ""), "", payment.ErrNotSent},
	} {
		d := newDesk(t, till(tt.status, tt.body, paidOrder()))
		got, err := d.Refund(t.Context(), refundDue())
		if !errors.Is(err, tt.err) || errors.Is(err, payment.ErrNotSent) && errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%d %s: error %v, want %v", tt.status, tt.body, err, tt.err)
		}
		if tt.err == nil && (got.State != payment.RefundFailed || got.Code != tt.code) {
			t.Errorf("%d %s: %+v", tt.status, tt.body, got)
		}
		known := refundDue()
		known.ProviderID = "1JU08902781691411"
		got, err = d.QueryRefund(t.Context(), known)
		if tt.status == 404 {
			if err != nil || got.Found || got.AsOf.IsZero() {
				t.Errorf("%d: QueryRefund says %+v, %v", tt.status, got, err)
			}
		} else if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%d: QueryRefund error %v, want ErrNotSent", tt.status, err)
		}
	}
}

// Nothing is given back of what was not taken, and what PayPal cannot write is
// not sent.
func TestRefundOfWhatIsNotPaid(t *testing.T) {
	dollars, cents, lost := refundDue(), refundDue(), refundDue()
	dollars.Amount = money.Of(500, "USD")
	cents.Amount = money.Of(50, "TWD")
	lost.Attempt.ProviderID, lost.Attempt.MoneyID = "", ""
	for name, tt := range map[string]struct {
		order object
		r     payment.Refund
	}{
		"only approved":    {orderOf("APPROVED", nil, nil), refundDue()},
		"pending":          {orderOf("COMPLETED", []object{captureOfState("PENDING", "ECHECK")}, nil), refundDue()},
		"another currency": {paidOrder(), dollars},
		"too fine":         {paidOrder(), cents},
		"never seen":       {orderOf("CREATED", nil, nil), lost},
	} {
		d := newDesk(t, till(201, refundOfState("COMPLETED", 500).String(), tt.order))
		got, err := d.Refund(t.Context(), tt.r)
		if err != nil || got.State != payment.RefundFailed || got.Code == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		for _, q := range d.asked {
			if strings.HasSuffix(q.line, "/refund") {
				t.Errorf("%s: a refund was asked for", name)
			}
		}
	}
}
