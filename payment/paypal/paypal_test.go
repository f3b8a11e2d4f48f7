package paypal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

var t0 = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

const (
	ref       = "attemptattemptattempt00001"
	refundRef = "refundrefundrefundrefund01"
)

// desk is an adapter over a PayPal that says what the test wants, and remembers
// what it was asked. Tokens are token1, token2 and so on.
type desk struct {
	*Adapter
	wire *outboundsim.Wire

	mu     sync.Mutex
	now    time.Time
	tokens int
	asked  []asked
}

type asked struct {
	line string // method, path and query
	h    http.Header
	body string
}

func newDesk(t testing.TB, answer func(q asked) (status int, body string)) *desk {
	t.Helper()
	return newDeskWith(t, Config{}, answer)
}

func newDeskWith(t testing.TB, c Config, answer func(q asked) (status int, body string)) *desk {
	t.Helper()
	d := &desk{now: t0}
	stranger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		q := asked{r.Method + " " + r.URL.RequestURI(), r.Header, string(body)}
		d.mu.Lock()
		status, said := http.StatusOK, ""
		if r.URL.Path == "/v1/oauth2/token" {
			d.tokens++
			said = fmt.Sprintf(`{"scope":"x","access_token":"token%d","token_type":"Bearer","app_id":"APP","expires_in":3600}`, d.tokens)
		} else {
			d.asked = append(d.asked, q)
		}
		d.mu.Unlock()
		if said == "" {
			status, said = answer(q)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, said)
	})
	c.ClientID, c.ClientSecret = "client", "whisper"
	d.wire = &outboundsim.Wire{Stranger: stranger}
	a, err := New(c, outbound.New(outbound.Options{Transport: d.wire}), func() time.Time {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.now
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Adapter = a
	return d
}

func clientOver(w *outboundsim.Wire) *outbound.Client {
	return outbound.New(outbound.Options{Transport: w})
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func (d *desk) lines() (all []string) {
	for _, q := range d.asked {
		all = append(all, q.line)
	}
	return all
}

// always says the same to every question.
func always(status int, body string) func(asked) (int, string) {
	return func(asked) (int, string) { return status, body }
}

func attempt() payment.Attempt {
	return payment.Attempt{
		Ref: ref, Rail: payment.PayPal, Amount: money.Of(1980, "JPY"), Description: "Japan, 10 days", Language: "ja",
		ReturnURL: "https://shop.test/back", CancelURL: "https://shop.test/quit",
		Tags:      map[string]string{"order": "ord_1"},
		CreatedAt: t0, ExpiresAt: t0.Add(15 * time.Minute),
	}
}

// started is the attempt once PayPal knows it.
func started() payment.Attempt {
	a := attempt()
	a.ProviderID = "5O190127TN364715T"
	return a
}

// object is a JSON object.
type object map[string]any

func (o object) with(members object) object {
	n := object{}
	for k, v := range o {
		n[k] = v
	}
	for k, v := range members {
		n[k] = v
	}
	return n
}

func (o object) String() string {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func yen(n int) object { return object{"currency_code": "JPY", "value": fmt.Sprint(n)} }

// orderOf is an order of attempt with captures and refunds.
func orderOf(status string, captures, refunds []object) object {
	return object{
		"id": "5O190127TN364715T", "intent": "CAPTURE", "status": status, "update_time": "2031-05-06T07:09:00Z",
		"purchase_units": []object{{
			"reference_id": "default", "custom_id": ref, "invoice_id": ref, "amount": yen(1980),
			"payee": object{"merchant_id": "MERCHANT", "email_address": "seller@shop.test"},
			"payments": object{
				"captures": captures, "refunds": refunds,
			},
		}},
		"payer": object{"email_address": "anna@customer.test"},
		"links": []object{
			{"rel": "self", "href": "https://api-m.paypal.com/v2/checkout/orders/5O190127TN364715T", "method": "GET"},
			{"rel": "payer-action", "href": "https://www.paypal.com/checkoutnow?token=5O190127TN364715T", "method": "GET"},
		},
	}
}

func captureOfState(status, reason string) object {
	c := object{
		"id": "3C679366HH908993F", "status": status, "custom_id": ref, "invoice_id": ref, "amount": yen(1980), "final_capture": true,
		"seller_receivable_breakdown": object{"gross_amount": yen(1980), "paypal_fee": yen(111), "net_amount": yen(1869)},
		"supplementary_data":          object{"related_ids": object{"order_id": "5O190127TN364715T"}},
	}
	if reason != "" {
		c["status_details"] = object{"reason": reason}
	}
	return c
}

func refundOfState(status string, n int) object {
	return object{"id": "1JU08902781691411", "status": status, "custom_id": refundRef, "invoice_id": refundRef, "amount": yen(n)}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{ClientID: "a", ClientSecret: "b"}
	if _, err := New(good, outbound.New(outbound.Options{}), func() time.Time { return t0 }); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
	for name, change := range map[string]func(*Config){
		"no client":        func(c *Config) { c.ClientID = "" },
		"two in one":       func(c *Config) { c.ClientID = "a:b" },
		"no secret":        func(c *Config) { c.ClientSecret = "" },
		"relative address": func(c *Config) { c.BaseURL = "/v2" },
		"another scheme":   func(c *Config) { c.BaseURL = "ftp://paypal.com" },
		"webhook with bar": func(c *Config) { c.WebhookID = "a|b" },
		"host with path":   func(c *Config) { c.CertHosts = []string{"api.paypal.com/x"} },
		"host with user":   func(c *Config) { c.CertHosts = []string{"me@api.paypal.com"} },
		"empty host":       func(c *Config) { c.CertHosts = []string{""} },
	} {
		c := good
		change(&c)
		if _, err := New(c, outbound.New(outbound.Options{}), func() time.Time { return t0 }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	bad := Config{ClientSecret: "hush", BaseURL: "x"}
	_, err := New(bad, outbound.New(outbound.Options{}), func() time.Time { return t0 })
	if s := fmt.Sprintf("%v %v %#v", err, bad, bad); strings.Contains(s, "hush") || strings.Count(s, "paypal: ") != 2 {
		t.Errorf("everything that is wrong, without the secret: %s", s)
	}
}

func TestLimits(t *testing.T) {
	l := (*Adapter)(nil).Limits()
	for _, m := range []money.Money{money.Of(1, "JPY"), money.Of(1, "USD"), money.Of(100, "TWD"), money.Of(100, "HUF")} {
		if !l.Takes(payment.PayPal, m) {
			t.Errorf("%v is not taken", m)
		}
	}
	for _, m := range []money.Money{money.Of(0, "JPY"), money.Of(99, "TWD"), money.Of(1000, "CNY"), money.Of(1000, "KRW"), money.Of(1000, money.Points)} {
		if l.Takes(payment.PayPal, m) {
			t.Errorf("%v is taken", m)
		}
	}
	if !l.Keyed || !l.Partial || !l.OwnPage || l.RefundWithin != 180*24*time.Hour || l.SettlesWithin != 5*time.Minute {
		t.Errorf("%+v", l)
	}
	if l.Takes(payment.Card, money.Of(1000, "JPY")) {
		t.Errorf("cards are taken")
	}
}

// What Start sends is exactly this, whatever the day: the shape of schema
// order_request, and the same again byte for byte.
func TestStartSendsTheOrder(t *testing.T) {
	d := newDesk(t, always(http.StatusCreated, orderOf("PAYER_ACTION_REQUIRED", nil, nil).String()))
	obs, err := d.Start(t.Context(), attempt())
	want := payment.Observation{
		State: payment.NeedsCustomer, ProviderID: "5O190127TN364715T", Amount: money.Of(1980, "JPY"), AsOf: t0,
		Next: payment.Next{RedirectURL: "https://www.paypal.com/checkoutnow?token=5O190127TN364715T"},
	}
	if err != nil || !reflect.DeepEqual(obs, want) {
		t.Errorf("Start says %+v, %v; want %+v", obs, err, want)
	}
	d.advance(50 * time.Minute)
	again := started()
	again.MoneyID = "X"
	if _, err := d.Start(t.Context(), again); err != nil {
		t.Errorf("Start again: %v", err)
	}
	const body = `{"intent":"CAPTURE","purchase_units":[{"custom_id":"attemptattemptattempt00001","invoice_id":"attemptattemptattempt00001",` +
		`"description":"Japan, 10 days","amount":{"currency_code":"JPY","value":"1980"}}],"payment_source":{"paypal":{"experience_context":` +
		`{"locale":"ja-JP","shipping_preference":"NO_SHIPPING","user_action":"PAY_NOW","return_url":"https://shop.test/back","cancel_url":"https://shop.test/quit"}}}}`
	if len(d.asked) != 2 {
		t.Fatalf("asked %q", d.lines())
	}
	for _, q := range d.asked {
		if q.line != "POST /v2/checkout/orders" || q.body != body {
			t.Errorf("sent %s %s\nwant %s", q.line, q.body, body)
		}
		for k, v := range map[string]string{
			"PayPal-Request-Id": ref + ".c", "Prefer": "return=representation", "Authorization": "Bearer token1", "Content-Type": "application/json",
		} {
			if q.h.Get(k) != v {
				t.Errorf("header %s is %q, want %q", k, q.h.Get(k), v)
			}
		}
	}
}

// An order that shows the customer no page may show one when it is asked for.
func TestNoPage(t *testing.T) {
	d := newDesk(t, always(http.StatusCreated, orderOf("CREATED", nil, nil).with(object{"links": []object{}}).String()))
	if obs, err := d.Start(t.Context(), attempt()); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("Start says %+v, %v; want ErrUnknown", obs, err)
	}
	if obs, err := d.Query(t.Context(), started()); err != nil || obs.State != payment.Open {
		t.Errorf("Query says %+v, %v; want open", obs, err)
	}
}

func TestWhatPayPalIsNotToldOf(t *testing.T) {
	d := newDesk(t, always(http.StatusInternalServerError, ""))
	for name, change := range map[string]func(*payment.Attempt){
		"another rail":     func(a *payment.Attempt) { a.Rail = payment.Card },
		"another currency": func(a *payment.Attempt) { a.Amount = money.Of(1980, "KRW") },
		"nothing":          func(a *payment.Attempt) { a.Amount.Minor = 0 },
		"cents of Taiwan":  func(a *payment.Attempt) { a.Amount = money.Of(30050, "TWD") },
	} {
		a := attempt()
		change(&a)
		for _, call := range []func() (payment.Observation, error){
			func() (payment.Observation, error) { return d.Start(t.Context(), a) },
			func() (payment.Observation, error) { return d.Query(t.Context(), a) },
		} {
			obs, err := call()
			if err != nil || obs.State != payment.Dead || obs.Reason != payment.NotAccepted || obs.Code == "" {
				t.Errorf("%s: %+v, %v", name, obs, err)
			}
		}
	}
	if len(d.asked) != 0 {
		t.Errorf("asked %q", d.lines())
	}
}

func TestPageLanguage(t *testing.T) {
	for tag, want := range map[string]string{
		"ja": "ja-JP", "ja-JP": "ja-JP", "en": "en-US", "en_GB": "en-US", "ko": "ko-KR", "zh": "zh-CN", "zh-Hans": "zh-CN", "zh-CN": "zh-CN",
		"zh-Hant": "zh-TW", "zh-TW": "zh-TW", "zh-Hant-HK": "zh-HK", "zh-HK": "zh-HK", "zh-MO": "zh-HK", "de": "", "": "", "x": "",
	} {
		if got := pageLanguage(tag); got != want {
			t.Errorf("%q is %q, want %q", tag, got, want)
		}
	}
}

func TestDescriptionFits(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{strings.Repeat("a", 127), strings.Repeat("a", 127)},
		{strings.Repeat("a", 128), strings.Repeat("a", 127)},
		{strings.Repeat("日", 42), strings.Repeat("日", 42)},
		{strings.Repeat("日", 43), strings.Repeat("日", 42)},
		{"a\xff" + strings.Repeat("日", 50), "a" + strings.Repeat("日", 42)},
	} {
		if got := clip(tt.in, 127); got != tt.want {
			t.Errorf("%q is clipped to %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Every call goes through the house's client: its two boundaries are seen, for
// the token and for the call.
func TestCallsGoThroughOutbound(t *testing.T) {
	var points []outbound.Point
	wire := &outboundsim.Wire{Choose: func(*http.Request) outboundsim.Fault { return outboundsim.Refuse }}
	client := outbound.New(outbound.Options{Transport: wire, Observe: func(p outbound.Point) { points = append(points, p) }})
	a, err := New(Config{ClientID: "a", ClientSecret: "b"}, client, func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	_, _ = a.Start(t.Context(), attempt())
	if !slices.Equal(points, []outbound.Point{outbound.BeforeCall, outbound.AfterCall}) {
		t.Errorf("points %v", points)
	}
}
