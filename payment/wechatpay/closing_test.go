package wechatpay

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment"
)

// closing answers a close with how, and says then what became of the order.
func closing(how said, then ...said) func(asked) said {
	return func(q asked) said {
		switch {
		case strings.HasSuffix(q.uri, "/close"):
			return how
		case q.method == http.MethodPost:
			return said{status: 200, body: codeURL}
		}
		s := then[0]
		if len(then) > 1 {
			then = then[1:]
		}
		return s
	}
}

func TestClosing(t *testing.T) {
	order := func(state string) said { return said{status: 200, body: orderJSON(state, nil)} }
	no := func(code string) said { return said{status: 400, body: `{"code":"` + code + `"}`} }
	for _, tt := range []struct {
		name  string
		how   said
		then  []said
		state payment.State
		err   error
		calls int
	}{
		{"closed", said{status: 204}, []said{order("CLOSED")}, payment.Dead, nil, 2},
		{"paid meanwhile", no("ORDER_PAID"), []said{order("SUCCESS")}, payment.Paid, nil, 2},
		{"paid, though 204", said{status: 204}, []said{order("SUCCESS")}, payment.Paid, nil, 2},
		{"closed before", no("ORDER_CLOSED"), []said{order("CLOSED")}, payment.Dead, nil, 2},
		{"being paid", said{status: 202}, []said{order("USERPAYING")}, payment.Pending, nil, 2},
		{"refused, and open", no("TRADE_ERROR"), []said{order("NOTPAY")}, payment.NeedsCustomer, nil, 2},
		{"never made, and 204", said{status: 204}, []said{no("ORDER_NOT_EXIST"), order("CLOSED")}, payment.Dead, nil, 5},
		{"never made, and told", no("ORDERNOTEXIST"), []said{no("ORDER_NOT_EXIST"), order("CLOSED")}, payment.Dead, nil, 5},
		{"closed, and not seen closed yet", said{status: 204}, []said{order("NOTPAY")}, "", payment.ErrUnknown, 2},
		{"closed, and not seen", said{status: 204}, []said{{status: 429}}, "", payment.ErrUnknown, 2},
		{"refused, and not seen", no("ORDER_PAID"), []said{{status: 429}}, "", payment.ErrNotSent, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil, closing(tt.how, tt.then...))
			obs, err := d.Abandon(t.Context(), attempt())
			if !errors.Is(err, tt.err) || obs.State != tt.state {
				t.Errorf("%+v, %v; want %s, %v", obs, err, tt.state, tt.err)
			}
			if tt.err != nil && errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
				t.Errorf("error %v is both or neither", err)
			}
			if len(d.asks) != tt.calls {
				t.Errorf("%d calls, want %d", len(d.asks), tt.calls)
			}
			q := d.asks[0]
			if q.uri != "/v3/pay/transactions/out-trade-no/abcdefghij0123456789klmnop/close" || q.body != `{"mchid":"1900007291"}` {
				t.Errorf("closed with %s %s", q.uri, q.body)
			}
		})
	}
}
