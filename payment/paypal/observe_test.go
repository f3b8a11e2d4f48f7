package paypal

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func read(t testing.TB, o object, at payment.Attempt, later time.Duration) (payment.Observation, error) {
	d := newDesk(t, always(http.StatusOK, o.String()))
	d.advance(later)
	return d.Query(t.Context(), at)
}

// Each state of an order and its capture. Money is in only with a capture that
// says so: a COMPLETED order is not enough.
func TestStates(t *testing.T) {
	one := func(status, reason string) []object { return []object{captureOfState(status, reason)} }
	two := []object{captureOfState("DECLINED", ""), captureOfState("COMPLETED", "").with(object{"id": "SECOND"})}
	for _, tt := range []struct {
		order    string
		captures []object
		later    time.Duration
		want     payment.State
		reason   payment.Reason
		code     string
	}{
		{order: "CREATED", want: payment.NeedsCustomer},
		{order: "PAYER_ACTION_REQUIRED", want: payment.NeedsCustomer},
		{order: "SAVED", want: payment.Open},
		{order: "APPROVED", want: payment.Approved},
		{order: "VOIDED", want: payment.Dead, reason: payment.TooLate, code: "VOIDED"},
		{order: "COMPLETED", want: payment.Pending},
		{order: "COMPLETED", captures: one("COMPLETED", ""), want: payment.Paid},
		{order: "COMPLETED", captures: one("REFUNDED", ""), want: payment.Paid},
		{order: "COMPLETED", captures: one("PENDING", "PENDING_REVIEW"), want: payment.Pending, code: "PENDING/PENDING_REVIEW"},
		{order: "COMPLETED", captures: one("PENDING", "UNILATERAL"), want: payment.Pending, code: "PENDING/UNILATERAL"},
		{order: "COMPLETED", captures: one("PENDING", ""), want: payment.Pending, code: "PENDING"},
		{order: "COMPLETED", captures: one("PENDING", "CHARGEBACK"), want: payment.Paid},
		{order: "COMPLETED", captures: one("DECLINED", ""), want: payment.Dead, reason: payment.Declined, code: "DECLINED"},
		{order: "COMPLETED", captures: one("DENIED", "OTHER"), want: payment.Dead, reason: payment.Declined, code: "DENIED/OTHER"},
		{order: "COMPLETED", captures: one("FAILED", ""), want: payment.Dead, reason: payment.ProviderTrouble, code: "FAILED"},
		{order: "APPROVED", captures: one("DECLINED", ""), want: payment.Approved, reason: payment.Declined, code: "DECLINED"},
		{order: "PAYER_ACTION_REQUIRED", captures: one("DECLINED", ""), want: payment.NeedsCustomer, reason: payment.Declined, code: "DECLINED"},
		{order: "VOIDED", captures: one("DECLINED", ""), want: payment.Dead, reason: payment.Declined, code: "DECLINED"},
		{order: "COMPLETED", captures: two, want: payment.Paid},
		// An order can be taken by nobody but us, and we take it in time or not at all.
		{order: "APPROVED", later: 3*time.Hour + 5*time.Minute, want: payment.Approved},
		{order: "APPROVED", later: 3*time.Hour + 6*time.Minute, want: payment.Dead, reason: payment.TooLate, code: "not_captured/APPROVED"},
		{order: "CREATED", later: 4 * time.Hour, want: payment.Dead, reason: payment.TooLate, code: "not_captured/CREATED"},
		{order: "SAVED", later: 4 * time.Hour, want: payment.Dead, reason: payment.TooLate, code: "not_captured/SAVED"},
		{order: "COMPLETED", later: 400 * 24 * time.Hour, captures: one("PENDING", "ECHECK"), want: payment.Pending, code: "PENDING/ECHECK"},
		{order: "COMPLETED", later: 400 * 24 * time.Hour, captures: one("COMPLETED", ""), want: payment.Paid},
	} {
		obs, err := read(t, orderOf(tt.order, tt.captures, nil), started(), tt.later)
		if err != nil || obs.State != tt.want || obs.Reason != tt.reason || obs.Code != tt.code {
			t.Errorf("%s %v after %v: %s, reason %q, code %q, %v; want %s, %q, %q",
				tt.order, tt.captures, tt.later, obs.State, obs.Reason, obs.Code, err, tt.want, tt.reason, tt.code)
		}
		if obs.Amount != money.Of(1980, "JPY") || obs.ProviderID != "5O190127TN364715T" || !obs.AsOf.Equal(t0.Add(tt.later)) {
			t.Errorf("%s: %+v", tt.order, obs)
		}
		if (obs.Next != payment.Next{}) != (tt.want == payment.NeedsCustomer) {
			t.Errorf("%s with next %+v", obs.State, obs.Next)
		}
		if (obs.MoneyID != "") != (tt.want == payment.Paid || tt.want == payment.Pending && tt.captures != nil) {
			t.Errorf("%s %v with MoneyID %q", obs.State, tt.captures, obs.MoneyID)
		}
	}
}

func TestWhatBecameOfTheMoney(t *testing.T) {
	c := captureOfState
	for name, tt := range map[string]struct {
		captures, refunds           []object
		amount, back, disputed, fee int64
	}{
		"taken":             {[]object{c("COMPLETED", "")}, nil, 1980, 0, 0, 111},
		"part back":         {[]object{c("PARTIALLY_REFUNDED", "")}, []object{refundOfState("COMPLETED", 500)}, 1980, 500, 0, 111},
		"on its way back":   {[]object{c("PARTIALLY_REFUNDED", "")}, []object{refundOfState("PENDING", 500)}, 1980, 500, 0, 111},
		"came back again":   {[]object{c("COMPLETED", "")}, []object{refundOfState("FAILED", 500), refundOfState("CANCELLED", 3)}, 1980, 0, 0, 111},
		"two parts":         {[]object{c("PARTIALLY_REFUNDED", "")}, []object{refundOfState("COMPLETED", 500), refundOfState("COMPLETED", 80)}, 1980, 580, 0, 111},
		"all, unlisted":     {[]object{c("REFUNDED", "")}, nil, 1980, 1980, 0, 111},
		"all, listed":       {[]object{c("REFUNDED", "")}, []object{refundOfState("COMPLETED", 1980)}, 1980, 1980, 0, 111},
		"complaint":         {[]object{c("PENDING", "BUYER_COMPLAINT")}, nil, 1980, 0, 1980, 111},
		"refunded, pending": {[]object{c("PENDING", "REFUNDED")}, nil, 1980, 1980, 0, 111},
		"no fee told":       {[]object{c("COMPLETED", "").with(object{"seller_receivable_breakdown": nil})}, nil, 1980, 0, 0, 0},
		"less than asked":   {[]object{c("COMPLETED", "").with(object{"amount": yen(1)})}, nil, 1, 0, 0, 111},
		"twice":             {[]object{c("COMPLETED", ""), c("COMPLETED", "").with(object{"id": "B"})}, nil, 3960, 0, 0, 222},
	} {
		obs, err := read(t, orderOf("COMPLETED", tt.captures, tt.refunds), started(), 0)
		got := [4]int64{obs.Amount.Minor, obs.Refunded.Minor, obs.Disputed.Minor, obs.Fee.Minor}
		if err != nil || obs.State != payment.Paid || got != [4]int64{tt.amount, tt.back, tt.disputed, tt.fee} || obs.MoneyID != "3C679366HH908993F" {
			t.Errorf("%s: %+v, %v", name, obs, err)
		}
	}
}

// What is about another attempt, merchant or currency, or makes no sense, is no
// answer: nothing is paid and nothing is dead.
func TestForeignAnswers(t *testing.T) {
	paid := orderOf("COMPLETED", []object{captureOfState("COMPLETED", "")}, nil)
	unit := func(members object) object {
		return paid.with(object{"purchase_units": []object{paid["purchase_units"].([]object)[0].with(members)}})
	}
	capture := func(members object) object {
		return unit(object{"payments": object{"captures": []object{captureOfState("COMPLETED", "").with(members)}}})
	}
	refunds := func(r ...object) object {
		return unit(object{"payments": object{"captures": []object{captureOfState("PARTIALLY_REFUNDED", "")}, "refunds": r}})
	}
	usd := object{"currency_code": "USD", "value": "1.00"}
	for name, o := range map[string]object{
		"nothing":                {},
		"no identifier":          paid.with(object{"id": ""}),
		"a path for one":         paid.with(object{"id": "../x"}),
		"another order":          paid.with(object{"id": "OTHER"}),
		"another intent":         paid.with(object{"intent": "AUTHORIZE"}),
		"no unit":                paid.with(object{"purchase_units": []object{}}),
		"two units":              paid.with(object{"purchase_units": []object{unit(nil)["purchase_units"].([]object)[0], unit(nil)["purchase_units"].([]object)[0]}}),
		"another reference":      unit(object{"custom_id": "other"}),
		"no reference":           unit(object{"custom_id": "", "payments": object{}}),
		"another invoice":        unit(object{"invoice_id": "other"}),
		"another merchant":       unit(object{"payee": object{"merchant_id": "OTHER"}}),
		"another's capture":      capture(object{"custom_id": "other"}),
		"another's invoice":      capture(object{"invoice_id": "other"}),
		"unknown order state":    orderOf("NEW_STATE", nil, nil),
		"unknown capture state":  capture(object{"status": "NEW_STATE"}),
		"no capture state":       capture(object{"status": ""}),
		"capture without amount": capture(object{"amount": nil}),
		"capture without name":   capture(object{"id": ""}),
		"amount with decimals":   capture(object{"amount": object{"currency_code": "JPY", "value": "1980.50"}}),
		"negative amount":        capture(object{"amount": yen(-1980)}),
		"currency not taken":     capture(object{"amount": object{"currency_code": "KRW", "value": "1980"}}),
		"unknown refund state":   refunds(refundOfState("NEW_STATE", 1)),
		"refund of nothing":      refunds(refundOfState("COMPLETED", 1).with(object{"amount": nil})),
		"refund in dollars":      refunds(refundOfState("COMPLETED", 1).with(object{"amount": usd})),
		"refunds of two kinds":   refunds(refundOfState("COMPLETED", 1).with(object{"amount": usd}), refundOfState("COMPLETED", 1)),
		"refunded, nowhere":      refunds(),
	} {
		d := newDeskWith(t, Config{MerchantID: "MERCHANT"}, always(http.StatusOK, o.String()))
		if obs, err := d.Query(t.Context(), started()); !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) || !reflect.DeepEqual(obs, payment.Observation{}) {
			t.Errorf("%s: %+v, %v; want ErrNotSent", name, obs, err)
		} else if strings.Contains(err.Error(), "anna") {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
		d = newDeskWith(t, Config{MerchantID: "MERCHANT"}, always(http.StatusCreated, o.String()))
		if obs, err := d.Start(t.Context(), started()); !errors.Is(err, payment.ErrUnknown) || errors.Is(err, payment.ErrNotSent) || !reflect.DeepEqual(obs, payment.Observation{}) {
			t.Errorf("%s: Start says %+v, %v; want ErrUnknown", name, obs, err)
		}
	}
	d := newDeskWith(t, Config{MerchantID: "MERCHANT"}, always(http.StatusOK, paid.String()))
	if obs, err := d.Query(t.Context(), started()); err != nil || obs.State != payment.Paid {
		t.Errorf("our own answer: %+v, %v", obs, err)
	}
}

// A page that is no web page is not shown to the customer.
func TestPage(t *testing.T) {
	for href, ok := range map[string]bool{
		"https://www.paypal.com/checkoutnow?token=1": true, "http://localhost:8080/x": true,
		"javascript:alert(1)": false, "/checkoutnow": false, "": false, "https:///x": false, "ftp://x/y": false,
	} {
		if got := pageOf([]link{{"self", "https://x"}, {"payer-action", href}}); (got == href && href != "") != ok {
			t.Errorf("%q gives %q", href, got)
		}
	}
	if got := pageOf([]link{{"redirect", "https://c"}, {"approve", "https://b"}, {"payer-action", "https://a"}}); got != "https://a" {
		t.Errorf("of three pages %q", got)
	}
}

// Where PayPal no longer shows the order, its capture tells.
func TestOrderGoneCaptureTells(t *testing.T) {
	for _, tt := range []struct {
		capture  object
		back     int64
		err      bool
		findable bool
	}{
		{captureOfState("COMPLETED", ""), 0, false, true},
		{captureOfState("REFUNDED", ""), 1980, false, false},
		{captureOfState("PARTIALLY_REFUNDED", ""), 0, true, false},
		{captureOfState("COMPLETED", "").with(object{"custom_id": "other"}), 0, true, false},
		{captureOfState("COMPLETED", "").with(object{"supplementary_data": object{"related_ids": object{"order_id": "OTHER"}}}), 0, true, false},
	} {
		d := newDesk(t, func(q asked) (int, string) {
			if strings.Contains(q.line, "/captures/3C679366HH908993F") {
				return http.StatusOK, tt.capture.String()
			}
			return http.StatusNotFound, `{"name":"RESOURCE_NOT_FOUND","details":[{"issue":"INVALID_RESOURCE_ID"}]}`
		})
		d.advance(100 * 24 * time.Hour)
		at := started()
		at.MoneyID = "3C679366HH908993F"
		obs, err := d.Query(t.Context(), at)
		if tt.err != (err != nil) || err == nil && (obs.State != payment.Paid || obs.Refunded.Minor != tt.back || obs.ProviderID != at.ProviderID) {
			t.Errorf("%v: %+v, %v", tt.capture, obs, err)
		}
		got, err := d.QueryRefund(t.Context(), payment.Refund{Ref: refundRef, Attempt: at, Amount: at.Amount})
		if got.Found || (err == nil) != tt.findable {
			t.Errorf("%v: QueryRefund says %+v, %v", tt.capture, got, err)
		}
	}
}

// An order that is not found any more is dead only once nothing of ours can
// still take its money.
func TestOrderGone(t *testing.T) {
	d := newDesk(t, always(http.StatusNotFound, `{"name":"RESOURCE_NOT_FOUND","details":[{"issue":"INVALID_RESOURCE_ID"}]}`))
	if obs, err := d.Query(t.Context(), started()); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("too early: %+v, %v", obs, err)
	}
	d.advance(4 * time.Hour)
	if obs, err := d.Query(t.Context(), started()); err != nil || obs.State != payment.Dead || obs.Reason != payment.TooLate || obs.Code != "INVALID_RESOURCE_ID" {
		t.Errorf("in the end: %+v, %v", obs, err)
	}
}
