package paypal

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func disputeOf(id, status string, n int) object {
	return object{
		"dispute_id": id, "status": status, "reason": "UNAUTHORISED", "dispute_amount": yen(n),
		"seller_response_due_date": "2026-03-09T19:00:00+09:00",
		"disputed_transactions":    []object{{"seller_transaction_id": "3C679366HH908993F", "custom": ref}},
	}
}

// reversalOf is how PayPal shows what it gave back itself: a refund without a name of ours.
func reversalOf(n int) object {
	return object{"id": "7KB12345678901234", "status": "COMPLETED", "amount": yen(n)}
}

// Disputes count from the day they are opened, and those that were lost as far
// as the money is not counted as refunded already.
func TestDisputes(t *testing.T) {
	outcome := func(code string, n int) object {
		return object{"dispute_id": "PP-D-2", "status": "RESOLVED", "dispute_amount": yen(700), "dispute_outcome": object{"outcome_code": code, "amount_refunded": yen(n)}}
	}
	resolved := disputeOf("PP-D-2", "RESOLVED", 700)
	for name, tt := range map[string]struct {
		items  []object
		detail object
		order  object
		want   int64
		told   string // states and amounts
	}{
		"none":                 {nil, nil, paidOrder(), 0, ""},
		"open":                 {[]object{disputeOf("A", "OPEN", 1980)}, nil, paidOrder(), 1980, "open 1980"},
		"of a part":            {[]object{disputeOf("A", "WAITING_FOR_SELLER_RESPONSE", 300)}, nil, paidOrder(), 300, "open 300"},
		"two":                  {[]object{disputeOf("A", "UNDER_REVIEW", 300), disputeOf("B", "OPEN", 200)}, nil, paidOrder(), 500, "open 300, open 200"},
		"more than there is":   {[]object{disputeOf("A", "OPEN", 1980), disputeOf("B", "OPEN", 200)}, nil, paidOrder(), 1980, "open 1980, open 200"},
		"without transactions": {[]object{disputeOf("A", "OPEN", 300).with(object{"disputed_transactions": nil})}, nil, paidOrder(), 300, "open 300"},
		"without amount":       {[]object{disputeOf("A", "OPEN", 300).with(object{"dispute_amount": nil})}, nil, paidOrder(), 0, ""},
		"won":                  {[]object{resolved}, outcome("RESOLVED_SELLER_FAVOUR", 0), paidOrder(), 0, "won 700"},
		"taken back":           {[]object{resolved}, outcome("CANCELED_BY_BUYER", 0), paidOrder(), 0, "won 700"},
		"PayPal paid":          {[]object{resolved}, outcome("RESOLVED_WITH_PAYOUT", 700), paidOrder(), 0, "won 700"},
		"lost":                 {[]object{resolved}, outcome("RESOLVED_BUYER_FAVOUR", 600), paidOrder(), 600, "lost 600"},
		"accepted":             {[]object{resolved}, outcome("ACCEPTED", 700).with(object{"dispute_outcome": object{"outcome_code": "ACCEPTED"}}), paidOrder(), 700, "lost 700"},
		"lost, and refunded":   {[]object{resolved}, outcome("RESOLVED_BUYER_FAVOUR", 700), paidOrder(refundOfState("COMPLETED", 1500)), 480, "lost 700"},
		"lost, and reversed":   {[]object{resolved}, outcome("RESOLVED_BUYER_FAVOUR", 700), paidOrder(reversalOf(700)), 0, "lost 700"},
		"reversed, refunded":   {[]object{resolved}, outcome("RESOLVED_BUYER_FAVOUR", 700), paidOrder(reversalOf(700), refundOfState("COMPLETED", 1000)), 0, "lost 700"},
		"reversed in part":     {[]object{resolved}, outcome("RESOLVED_BUYER_FAVOUR", 700), paidOrder(reversalOf(200), refundOfState("COMPLETED", 1000)), 500, "lost 700"},
		"no longer told":       {[]object{resolved}, nil, paidOrder(), 0, ""},
		"complaint, in part":   {[]object{disputeOf("A", "OPEN", 300)}, nil, orderOf("COMPLETED", []object{captureOfState("PENDING", "BUYER_COMPLAINT")}, nil), 1980, "open 300"},
		"complaint, unlisted":  {nil, nil, orderOf("COMPLETED", []object{captureOfState("PENDING", "BUYER_COMPLAINT")}, nil), 1980, ""},
	} {
		d := newDeskWith(t, Config{Disputes: true}, func(q asked) (int, string) {
			switch {
			case q.line == "GET /v1/customer/disputes?disputed_transaction_id=3C679366HH908993F":
				return http.StatusOK, object{"items": tt.items}.String()
			case q.line == "GET /v1/customer/disputes/PP-D-2" && tt.detail != nil:
				return http.StatusOK, tt.detail.String()
			case strings.Contains(q.line, "/orders/"):
				return http.StatusOK, tt.order.String()
			}
			return http.StatusNotFound, refusalOf("RESOURCE_NOT_FOUND", "")
		})
		obs, err := d.Query(t.Context(), started())
		if err != nil || obs.State != payment.Paid || obs.Disputed.Minor != tt.want || tt.want > 0 && obs.Disputed.Currency != "JPY" {
			t.Errorf("%s: %+v, %v; want %d", name, obs, err, tt.want)
		}
		var told []string
		for _, one := range obs.Disputes {
			told = append(told, fmt.Sprintf("%s %d", one.State, one.Amount.Minor))
			if one.ID == "" || one.Reason != "UNAUTHORISED" || !one.AnswerBy.Equal(time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC)) {
				t.Errorf("%s: told as %+v", name, one)
			}
		}
		if got := strings.Join(told, ", "); got != tt.told {
			t.Errorf("%s: told %q, want %q", name, got, tt.told)
		}
	}
}

// What is unclear about disputes is not answered; and they are asked for only
// where that is configured, of what is paid.
func TestDisputesUnclear(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
	}{
		"may not":         {403, refusalOf("NOT_AUTHORIZED", "PERMISSION_DENIED")},
		"broken":          {500, ""},
		"half":            {200, `{"items":[`},
		"another's":       {200, object{"items": []object{disputeOf("A", "OPEN", 1).with(object{"disputed_transactions": []object{{"seller_transaction_id": "X"}}})}}.String()},
		"in dollars":      {200, object{"items": []object{disputeOf("A", "OPEN", 1).with(object{"dispute_amount": object{"currency_code": "USD", "value": "1.00"}})}}.String()},
		"more pages":      {200, object{"items": []object{disputeOf("A", "OPEN", 1)}, "links": []object{{"rel": "next", "href": "https://x"}}}.String()},
		"ended strangely": {200, object{"items": []object{disputeOf("A", "RESOLVED", 1)}}.String()},
	} {
		answer := func(q asked) (int, string) {
			if strings.Contains(q.line, "/disputes") {
				return tt.status, tt.body
			}
			return http.StatusOK, paidOrder().String()
		}
		d := newDeskWith(t, Config{Disputes: true}, answer)
		if obs, err := d.Query(t.Context(), started()); !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: %+v, %v; want ErrNotSent", name, obs, err)
		}
		d = newDesk(t, answer)
		if obs, err := d.Query(t.Context(), started()); err != nil || obs.Amount != money.Of(1980, "JPY") {
			t.Errorf("%s, not configured: %+v, %v", name, obs, err)
		}
	}
	d := newDeskWith(t, Config{Disputes: true}, always(200, orderOf("APPROVED", nil, nil).String()))
	if _, err := d.Query(t.Context(), started()); err != nil || slices.ContainsFunc(d.lines(), func(l string) bool { return strings.Contains(l, "disputes") }) {
		t.Errorf("of an order not paid: %v, asked %q", err, d.lines())
	}
}
