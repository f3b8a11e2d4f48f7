package portal

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/ui"
)

// asked is a visit with some headers.
func asked(headers ...string) *visit {
	r := httptest.NewRequest("GET", "/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return &visit{server: &Server{Desk: &order.Desk{}}, r: r, voice: ui.Voice{Lang: "en"}}
}

const iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"

func TestWhoSavesDataSeesLightWaysFirst(t *testing.T) {
	all := []payment.Rail{payment.Wallet, payment.Card, payment.LINEPay, payment.PayPal, payment.WeChatPay}
	light := []payment.Rail{payment.Wallet, payment.LINEPay, payment.WeChatPay, payment.Card, payment.PayPal}
	for _, tt := range []struct {
		headers []string
		want    []payment.Rail
	}{
		{nil, all},
		{[]string{"User-Agent", iPhone}, all},
		{[]string{"User-Agent", iPhone, "Save-Data", "on"}, light},
		{[]string{"Sec-CH-UA-Mobile", "?1", "Save-Data", "on"}, light},
		{[]string{"Save-Data", "on"}, all}, // a computer opens no app
	} {
		if got := asked(tt.headers...).lightFirst(all); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.headers, got, tt.want)
		}
	}
}

// A link that is not a web address or a payment app's is never shown.
func TestWayOn(t *testing.T) {
	open := func(n payment.Next) order.Payment {
		return order.Payment{State: payment.NeedsCustomer, Rail: payment.LINEPay, Next: n}
	}
	for _, tt := range []struct {
		name, page, app string
		next            payment.Next
		headers         []string
	}{
		{name: "a page", page: "https://pay.example/1", next: payment.Next{RedirectURL: "https://pay.example/1"}},
		{name: "an app on a phone", app: "line://pay/1", next: payment.Next{AppURL: "line://pay/1"}, headers: []string{"User-Agent", iPhone}},
		{name: "an app on a computer", next: payment.Next{AppURL: "line://pay/1"}},
		{name: "a script", next: payment.Next{RedirectURL: "javascript:alert(1)", AppURL: "javascript:alert(1)"}, headers: []string{"User-Agent", iPhone}},
	} {
		w := asked(tt.headers...).wayOn(open(tt.next))
		if w == nil || w.Page != tt.page || string(w.App) != tt.app {
			t.Errorf("%s: %+v", tt.name, w)
		}
	}
	if w := asked().wayOn(order.Payment{State: payment.Paid, Next: payment.Next{QR: "x"}}); w != nil {
		t.Errorf("paid, and still shown %+v", w)
	}
}

// The code has a quiet zone of four modules, and dark corners inside it.
func TestCodeOf(t *testing.T) {
	c := codeOf("weixin://wxpay/bizpayurl?pr=abcdefg")
	if c.Size < 21+8 || !strings.HasPrefix(c.Path, "M4 4h1v1h-1z") {
		t.Errorf("size %d, begins with %.20s", c.Size, c.Path)
	}
	if c := codeOf(strings.Repeat("x", 5000)); c.Path != "" {
		t.Error("what no code can hold was drawn")
	}
}
