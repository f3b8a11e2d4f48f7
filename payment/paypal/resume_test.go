package paypal

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

const captureLine = "POST /v2/checkout/orders/5O190127TN364715T/capture"

// counter answers captures with one thing and questions with orders in turn,
// the last of them for ever.
func counter(status int, captured string, orders ...object) func(asked) (int, string) {
	n := 0
	return func(q asked) (int, string) {
		if q.line == captureLine {
			return status, captured
		}
		o := orders[min(n, len(orders)-1)]
		n++
		return http.StatusOK, o.String()
	}
}

// What PayPal answers to a capture, and what the order shows then, decide
// together: a refusal is told with its reason, a doubt is unknown.
func TestCapture(t *testing.T) {
	approved := orderOf("APPROVED", nil, nil)
	done := orderOf("COMPLETED", []object{captureOfState("COMPLETED", "")}, nil)
	pending := orderOf("COMPLETED", []object{captureOfState("PENDING", "ECHECK")}, nil)
	declined := orderOf("COMPLETED", []object{captureOfState("DECLINED", "")}, nil)
	noPage := approved.with(object{"links": []object{}})
	again := orderOf("PAYER_ACTION_REQUIRED", nil, nil)
	no := func(issue string) string { return refusalOf("UNPROCESSABLE_ENTITY", issue) }
	const withPage = `{"name":"X","details":[{"issue":"INSTRUMENT_DECLINED"}],"links":[{"rel":"redirect","href":"https://www.paypal.com/again"}]}`
	for _, tt := range []struct {
		name   string
		status int
		body   string
		then   object
		want   payment.State
		reason payment.Reason
		code   string
		err    error
	}{
		{name: "taken", status: 201, body: done.String(), then: approved, want: payment.Paid},
		{name: "taken before", status: 200, body: done.String(), then: approved, want: payment.Paid},
		{name: "pending", status: 201, body: pending.String(), then: approved, want: payment.Pending, code: "PENDING/ECHECK"},
		{name: "declined for good", status: 201, body: declined.String(), then: approved, want: payment.Dead, reason: payment.Declined, code: "DECLINED"},
		{name: "another's answer, but taken", status: 201, body: done.with(object{"id": "OTHER"}).String(), then: done, want: payment.Paid},
		{name: "another's answer", status: 201, body: done.with(object{"id": "OTHER"}).String(), then: approved, err: payment.ErrUnknown},
		{name: "nothing happened, it says", status: 201, body: approved.String(), then: approved, err: payment.ErrUnknown},
		{name: "broken, but taken", status: 500, then: done, want: payment.Paid},
		{name: "broken, and pending", status: 500, then: pending, want: payment.Pending, code: "PENDING/ECHECK"},
		{name: "broken, nobody knows", status: 500, then: approved, err: payment.ErrUnknown},
		{name: "garbled, but taken", status: 201, body: `{"id`, then: done, want: payment.Paid},
		{name: "under way", status: 409, body: refusalOf("RESOURCE_CONFLICT", ""), then: approved, err: payment.ErrUnknown},
		{name: "taken already", status: 422, body: no("ORDER_ALREADY_CAPTURED"), then: done, want: payment.Paid},
		{name: "taken already, not shown", status: 422, body: no("ORDER_ALREADY_CAPTURED"), then: approved, err: payment.ErrUnknown},
		{name: "being taken", status: 422, body: no("ORDER_COMPLETION_IN_PROGRESS"), then: approved, err: payment.ErrUnknown},
		{name: "taken by another order", status: 422, body: no("DUPLICATE_INVOICE_ID"), then: approved, err: payment.ErrUnknown},
		{name: "too fast", status: 429, then: approved, err: payment.ErrNotSent},
		{name: "may not", status: 403, body: refusalOf("NOT_AUTHORIZED", "PERMISSION_DENIED"), then: approved, err: payment.ErrNotSent},
		{name: "tool declined", status: 422, body: no("INSTRUMENT_DECLINED"), then: again, want: payment.NeedsCustomer, reason: payment.Declined, code: "INSTRUMENT_DECLINED"},
		{name: "tool declined, still approved", status: 422, body: no("INSTRUMENT_DECLINED"), then: approved, want: payment.NeedsCustomer, reason: payment.Declined, code: "INSTRUMENT_DECLINED"},
		{name: "tool declined, page in the refusal", status: 422, body: withPage, then: noPage, want: payment.NeedsCustomer, reason: payment.Declined, code: "INSTRUMENT_DECLINED"},
		{name: "tool declined, no page", status: 422, body: no("INSTRUMENT_DECLINED"), then: noPage, want: payment.Open, reason: payment.Declined, code: "INSTRUMENT_DECLINED"},
		{name: "tool declined, unreadable order", status: 422, body: no("INSTRUMENT_DECLINED"), then: object{}, want: payment.Open, reason: payment.Declined, code: "INSTRUMENT_DECLINED"},
		{name: "customer must act", status: 422, body: no("PAYER_ACTION_REQUIRED"), then: again, want: payment.NeedsCustomer, reason: payment.NotAuthenticated, code: "PAYER_ACTION_REQUIRED"},
		{name: "expired", status: 422, body: no("ORDER_EXPIRED"), then: orderOf("VOIDED", nil, nil), want: payment.Dead, reason: payment.TooLate, code: "VOIDED"},
		{name: "limit", status: 422, body: no("TRANSACTION_LIMIT_EXCEEDED"), then: approved, want: payment.NeedsCustomer, reason: payment.NoFunds, code: "TRANSACTION_LIMIT_EXCEEDED"},
		{name: "something new", status: 422, body: no("NEW_ISSUE"), then: approved, want: payment.NeedsCustomer, reason: payment.ProviderTrouble, code: "NEW_ISSUE"},
		{name: "no such order", status: 404, body: refusalOf("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"), then: approved, want: payment.NeedsCustomer, reason: payment.ProviderTrouble, code: "INVALID_RESOURCE_ID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, counter(tt.status, tt.body, approved, tt.then))
			obs, err := d.Resume(t.Context(), started(), nil)
			if !errors.Is(err, tt.err) || errors.Is(tt.err, payment.ErrUnknown) && errors.Is(err, payment.ErrNotSent) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if obs.State != tt.want || obs.Reason != tt.reason || obs.Code != tt.code {
				t.Errorf("%+v; want %s, %q, %q", obs, tt.want, tt.reason, tt.code)
			}
			if tt.err == nil && (obs.Amount != started().Amount || obs.ProviderID != started().ProviderID) {
				t.Errorf("%+v", obs)
			}
			if (obs.Next != payment.Next{}) != (tt.want == payment.NeedsCustomer) {
				t.Errorf("%s with next %+v", obs.State, obs.Next)
			}
			if n := strings.Count(strings.Join(d.lines(), "\n"), captureLine); n != 1 {
				t.Errorf("captured %d times: %q", n, d.lines())
			}
		})
	}
}

// Only what the customer agreed to is taken, in time, and in full.
func TestResumeTakesOnlyWhatIsApproved(t *testing.T) {
	done := orderOf("COMPLETED", []object{captureOfState("COMPLETED", "")}, nil)
	cheap := started()
	cheap.Amount.Minor = 1981
	for name, tt := range map[string]struct {
		order object
		at    payment.Attempt
		later time.Duration
		want  payment.State
		err   error
	}{
		"not approved":     {orderOf("PAYER_ACTION_REQUIRED", nil, nil), started(), 0, payment.NeedsCustomer, nil},
		"taken":            {done, started(), 0, payment.Paid, nil},
		"voided":           {orderOf("VOIDED", nil, nil), started(), 0, payment.Dead, nil},
		"another amount":   {orderOf("APPROVED", nil, nil), cheap, 0, "", payment.ErrNotSent},
		"too late":         {orderOf("APPROVED", nil, nil), started(), 3 * time.Hour, payment.Approved, nil},
		"much too late":    {orderOf("APPROVED", nil, nil), started(), 4 * time.Hour, payment.Dead, nil},
		"unreadable order": {object{}, started(), 0, "", payment.ErrNotSent},
	} {
		d := newDesk(t, counter(201, done.String(), tt.order))
		d.advance(tt.later)
		obs, err := d.Resume(t.Context(), tt.at, map[string][]string{"token": {"5O190127TN364715T"}, "PayerID": {"X"}})
		if obs.State != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %+v, %v", name, obs, err)
		}
		if slices.Contains(d.lines(), captureLine) {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// A capture is the same request as long as the customer's agreement is the same.
func TestCaptureKeys(t *testing.T) {
	for updated, want := range map[string]string{
		"2031-05-06T07:09:00Z": ref + ".f.20310506070900", "2031-05-06T07:09:01Z": ref + ".f.20310506070901", "": ref + ".f", "soon": ref + ".f",
		strings.Repeat("1", 33): ref + ".f",
	} {
		d := newDesk(t, counter(500, "", orderOf("APPROVED", nil, nil).with(object{"update_time": updated})))
		for range 2 {
			_, _ = d.Resume(t.Context(), started(), nil)
		}
		for _, q := range d.asked {
			if q.line == captureLine && (q.h.Get("PayPal-Request-Id") != want || q.body != "{}" || q.h.Get("Prefer") != "return=representation") {
				t.Errorf("%q: key %q, body %q", updated, q.h.Get("PayPal-Request-Id"), q.body)
			}
		}
	}
}

// An attempt whose Start was lost is found by its key while PayPal keeps it,
// and afterwards nothing is created any more.
func TestLostStart(t *testing.T) {
	for _, tt := range []struct {
		later  time.Duration
		status int
		want   payment.State
		lines  string
	}{
		{0, 201, payment.Unknown, "POST /v2/checkout/orders"},
		{0, 200, payment.NeedsCustomer, "POST /v2/checkout/orders, GET /v2/checkout/orders/5O190127TN364715T"},
		{5 * time.Hour, 200, payment.Dead, "POST /v2/checkout/orders, GET /v2/checkout/orders/5O190127TN364715T"},
		{5*time.Hour + 54*time.Minute, 201, payment.Unknown, "POST /v2/checkout/orders"},
		{5*time.Hour + 55*time.Minute, 201, payment.Dead, ""},
	} {
		d := newDesk(t, always(tt.status, orderOf("CREATED", nil, nil).String()))
		d.advance(tt.later)
		for name, call := range map[string]func() (payment.Observation, error){
			"Query":   func() (payment.Observation, error) { return d.Query(t.Context(), attempt()) },
			"Abandon": func() (payment.Observation, error) { return d.Abandon(t.Context(), attempt()) },
			"Resume":  func() (payment.Observation, error) { return d.Resume(t.Context(), attempt(), nil) },
		} {
			d.asked = nil
			obs, err := call()
			if err != nil || obs.State != tt.want || strings.Join(d.lines(), ", ") != tt.lines {
				t.Errorf("%v: %s says %+v, %v; asked %q", tt.later, name, obs, err, d.lines())
			}
			if obs.State == payment.Dead && obs.Reason == "" {
				t.Errorf("%v: dead without a reason", tt.later)
			}
		}
	}
	d := newDesk(t, always(201, orderOf("CREATED", nil, nil).String()))
	d.advance(3 * time.Hour)
	if obs, err := d.Start(t.Context(), started()); err != nil || obs.State != payment.NeedsCustomer || d.lines()[0][:3] != "GET" {
		t.Errorf("Start after three hours: %+v, %v; asked %q", obs, err, d.lines())
	}
}

// An order that is there already is told as it stands, whatever the repeated
// answer says.
func TestStartAgainTellsTheTruth(t *testing.T) {
	d := newDesk(t, func(q asked) (int, string) {
		if q.line == "POST /v2/checkout/orders" {
			return http.StatusOK, orderOf("CREATED", nil, nil).String()
		}
		return http.StatusOK, paidOrder().String()
	})
	if obs, err := d.Start(t.Context(), attempt()); err != nil || obs.State != payment.Paid {
		t.Errorf("Start says %+v, %v; want paid", obs, err)
	}
}
