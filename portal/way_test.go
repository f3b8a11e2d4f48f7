package portal

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

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

func TestWhoseLineIsSlowSeesLightWaysFirst(t *testing.T) {
	all := []payment.Rail{payment.Wallet, payment.Card, payment.LINEPay, payment.PayPal, payment.WeChatPay}
	light := []payment.Rail{payment.Wallet, payment.LINEPay, payment.WeChatPay, payment.Card, payment.PayPal}
	for _, tt := range []struct {
		name    string
		took    time.Duration // from the quote to its page
		headers []string
		want    []payment.Rail
	}{
		{name: "nothing known", want: all},
		{name: "a phone", headers: []string{"User-Agent", iPhone}, want: all},
		{name: "saves data", headers: []string{"User-Agent", iPhone, "Save-Data", "on"}, want: light},
		{name: "saves data, says it is a phone", headers: []string{"Sec-CH-UA-Mobile", "?1", "Save-Data", "on"}, want: light},
		{name: "saves data on a computer, which opens no app", headers: []string{"Save-Data", "on"}, want: all},
		{name: "the browser measured a slow kind", headers: []string{"User-Agent", iPhone, "ECT", "3g"}, want: light},
		{name: "the browser measured a fast kind", headers: []string{"User-Agent", iPhone, "ECT", "4g", "RTT", "50"}, want: all},
		{name: "the browser measured slow answers", headers: []string{"User-Agent", iPhone, "ECT", "4g", "RTT", "650"}, want: light},
		{name: "the browser knows better than we", took: time.Second, headers: []string{"User-Agent", iPhone, "RTT", "100"}, want: all},
		{name: "we measured a slow answer", took: 700 * time.Millisecond, headers: []string{"User-Agent", iPhone}, want: light},
		{name: "we measured a fast answer", took: 90 * time.Millisecond, headers: []string{"User-Agent", iPhone}, want: all},
		{name: "the page again, later", took: time.Minute, headers: []string{"User-Agent", iPhone}, want: all},
		{name: "no measure at all", took: 90 * time.Millisecond, headers: []string{"User-Agent", iPhone, "RTT", "fast", "ECT", "?"}, want: all},
	} {
		v := asked(tt.headers...)
		v.voice.Now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
		if got := v.lightFirst(all, v.voice.Now.Add(-tt.took)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
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
	kept := open(payment.Next{RedirectURL: "https://bank.example/1"})
	kept.Tool = "tl_1"
	if w := asked().wayOn(kept); w == nil || w.Why == "" {
		t.Errorf("a kept card leads to a page, and it is not said why: %+v", w)
	}
	if w := asked().wayOn(open(kept.Next)); w.Why != "" {
		t.Errorf("a card that is entered there needs no reason: %q", w.Why)
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
