package linepay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// canned is LINE Pay saying what a test wants, and keeping what it was asked.
type canned struct {
	answers map[string]string // by method and path
	status  int               // 0: 200
	asked   []string          // method, path, query, body
	headers []http.Header
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	c.asked = append(c.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+body))
	c.headers = append(c.headers, r.Header)
	status := c.status
	if status == 0 {
		status = http.StatusOK
	}
	answer := c.answers[r.Method+" "+r.URL.Path]
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

// turns is canned, and says something else each time it checks.
type turns struct {
	canned
	checks []string
}

func (c *turns) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/check") && len(c.checks) > 0 {
		if c.answers == nil {
			c.answers = map[string]string{}
		}
		c.answers[r.Method+" "+r.URL.Path] = `{"returnCode":"` + c.checks[0] + `"}`
		c.checks = c.checks[1:]
	}
	return c.canned.RoundTrip(r)
}

func against(t *testing.T, wire http.RoundTripper) *Adapter {
	t.Helper()
	n := 0
	a, err := New(Config{ChannelID: "1234567890", ChannelSecret: "s3cret", Currency: "TWD"},
		outbound.New(outbound.Options{Transport: wire}), func() time.Time { return noon },
		func() string { n++; return fmt.Sprintf("%032x", n) })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func attempt() payment.Attempt {
	return payment.Attempt{
		Ref: "0123456789abcdefghijklmnop", Rail: payment.LINEPay, Amount: money.Of(240_00, "TWD"),
		Description: "Japan <unlimited>, 10 days", Language: "zh-Hant", ReturnURL: "https://shop.test/back?a=1&b=2", CancelURL: "https://shop.test/quit",
		CreatedAt: noon, ExpiresAt: noon.Add(15 * time.Minute), Device: payment.Phone, ProviderID: "2031050600000000017",
	}
}

func TestConfigurationThatCannotWork(t *testing.T) {
	good := Config{ChannelID: "1", ChannelSecret: "x", Currency: "TWD"}
	for name, tt := range map[string]struct {
		wrong func(*Config)
		want  string
	}{
		"no channel":         {func(c *Config) { c.ChannelID = "" }, "channel ID"},
		"a channel in lines": {func(c *Config) { c.ChannelID = "1\n2" }, "channel ID"},
		"no secret":          {func(c *Config) { c.ChannelSecret = "" }, "channel secret"},
		"yen":                {func(c *Config) { c.Currency = "JPY" }, "TWD or THB"},
		"no currency":        {func(c *Config) { c.Currency = "" }, "TWD or THB"},
		"half an address":    {func(c *Config) { c.BaseURL = "api-pay.line.me" }, "absolute URL"},
	} {
		c := good
		tt.wrong(&c)
		if _, err := New(c, nil, nil, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one about %q", name, err, tt.want)
		}
	}
	if _, err := New(good, nil, nil, nil); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", good, good, good); strings.Contains(text, "x") {
		t.Errorf("%s shows the secret", text)
	}
}

// The request is what the documents describe, follows from the attempt alone,
// and is signed over what is sent.
func TestRequestAsItIsSent(t *testing.T) {
	c := &canned{answers: map[string]string{"POST /v3/payments/request": `{"returnCode":"0000","info":{"transactionId":2031050600000000017,` +
		`"paymentUrl":{"web":"https://web-pay.line.me/web/wait?x=1","app":"line://pay/payment/x"},"paymentAccessToken":"1"}}`}}
	a := against(t, c)
	want := payment.Observation{
		State: payment.NeedsCustomer, ProviderID: "2031050600000000017", Amount: money.Of(240_00, "TWD"),
		Next: payment.Next{RedirectURL: "https://web-pay.line.me/web/wait?x=1", AppURL: "line://pay/payment/x"}, AsOf: noon,
	}
	for range 2 {
		got, err := a.Start(t.Context(), attempt())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Start: %v (-want +got)\n%s", err, diff)
		}
	}
	const sent = `POST /v3/payments/request {"amount":240,"currency":"TWD","orderId":"0123456789abcdefghijklmnop",` +
		`"packages":[{"id":"1","amount":240,"products":[{"name":"Japan \u003cunlimited\u003e, 10 days","quantity":1,"price":240}]}],` +
		`"redirectUrls":{"confirmUrl":"https://shop.test/back?a=1\u0026b=2","cancelUrl":"https://shop.test/quit"},` +
		`"options":{"payment":{"capture":true},"display":{"locale":"zh_TW"}}}`
	if diff := cmp.Diff([]string{sent, sent}, c.asked); diff != "" {
		t.Errorf("asked (-want +got)\n%s", diff)
	}
	h := c.headers[0]
	nonce := h.Get("X-LINE-Authorization-Nonce")
	if want := sign("s3cret", "/v3/payments/request", strings.TrimPrefix(sent, "POST /v3/payments/request "), nonce); h.Get("X-LINE-Authorization") != want {
		t.Errorf("signed %q, want %q", h.Get("X-LINE-Authorization"), want)
	}
	if nonce != "00000000-0000-4000-8000-000000000001" || h.Get("X-LINE-ChannelId") != "1234567890" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
	if again := c.headers[1].Get("X-LINE-Authorization-Nonce"); again == nonce {
		t.Errorf("nonce %s came twice", again)
	}
}

// Only a phone is shown the way into the app; and only a way that leads there.
func TestWhereTheCustomerIsSent(t *testing.T) {
	for _, tt := range []struct {
		device   payment.Device
		web, app string
		want     payment.Next
	}{
		{payment.Phone, "https://p.test/w", "line://pay/x", payment.Next{RedirectURL: "https://p.test/w", AppURL: "line://pay/x"}},
		{payment.Computer, "https://p.test/w", "line://pay/x", payment.Next{RedirectURL: "https://p.test/w"}},
		{payment.AnyDevice, "https://p.test/w", "line://pay/x", payment.Next{RedirectURL: "https://p.test/w"}},
		{payment.Phone, "https://p.test/w", "", payment.Next{RedirectURL: "https://p.test/w"}},
		{payment.Phone, "https://p.test/w", "javascript://x/%0aalert(1)", payment.Next{RedirectURL: "https://p.test/w"}},
		{payment.Phone, "", "line://pay/x", payment.Next{}},
		{payment.Phone, "javascript:alert(1)", "line://pay/x", payment.Next{}},
		{payment.Phone, "/w", "line://pay/x", payment.Next{}},
	} {
		c := &canned{answers: map[string]string{"POST /v3/payments/request": fmt.Sprintf(
			`{"returnCode":"0000","info":{"transactionId":17,"paymentUrl":{"web":%q,"app":%q}}}`, tt.web, tt.app)}}
		at := attempt()
		at.Device = tt.device
		got, err := against(t, c).Start(t.Context(), at)
		if got.Next != tt.want || (tt.want == payment.Next{}) != errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%+v: %+v, %v", tt, got.Next, err)
		}
	}
}

func TestPageLanguage(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "en", "ja": "ja", "ja-JP": "ja", "ko": "ko", "th": "th", "zh-Hans": "zh_CN", "zh": "zh_CN", "zh-CN": "zh_CN",
		"zh-Hant": "zh_TW", "zh_TW": "zh_TW", "zh-HK": "zh_TW", "fr": "en", "": "en",
	} {
		if got := pageLanguage(tag); got != want {
			t.Errorf("%q is %q, want %q", tag, got, want)
		}
	}
}

// What the wire cannot express is not asked for.
func TestStartOutsideTheLimits(t *testing.T) {
	c := &canned{}
	a := against(t, c)
	for _, m := range []money.Money{money.Of(240_50, "TWD"), money.Of(0, "TWD"), money.Of(-100, "TWD"), money.Of(240_00, "THB"), money.Of(240, "JPY")} {
		at := attempt()
		at.Amount = m
		if got, err := a.Start(t.Context(), at); err != nil || got.State != payment.Dead || got.Reason != payment.NotAccepted {
			t.Errorf("Start of %v says %+v, %v", m, got, err)
		}
	}
	at := attempt()
	at.Rail = payment.Card
	if got, err := a.Start(t.Context(), at); err != nil || got.State != payment.Dead {
		t.Errorf("Start of a card says %+v, %v", got, err)
	}
	if c.asked != nil {
		t.Errorf("asked %q", c.asked)
	}
}

// Each status and code is one of: a no, unknown, or not sent.
func TestWhatAnAnswerMeansForAStart(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		want   error // nil: a no
		reason payment.Reason
	}{
		{200, `{"returnCode":"1183","returnMessage":"x"}`, nil, payment.NotAccepted},
		{200, `{"returnCode":"1178"}`, nil, payment.NotAccepted},
		{200, `{"returnCode":"2101"}`, nil, payment.ProviderTrouble},
		{200, `{"returnCode":"1104"}`, payment.ErrNotSent, ""},
		{200, `{"returnCode":"1106"}`, payment.ErrNotSent, ""},
		{200, `{"returnCode":"1145"}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"1172"}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"1198"}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"1999"}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"9000"}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"0110"}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"7777"}`, payment.ErrUnknown, ""}, // nobody knows
		{200, `{"returnCode":0}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"0000"}`, payment.ErrUnknown, ""},
		{200, `{"returnCode":"0000","info":{"transactionId":"x","paymentUrl":{"web":"https://p.test"}}}`, payment.ErrUnknown, ""},
		{200, `{}`, payment.ErrUnknown, ""},
		{200, `<html>`, payment.ErrUnknown, ""},
		{200, ``, payment.ErrUnknown, ""},
		{201, `{"returnCode":"1183"}`, payment.ErrUnknown, ""},
		{302, ``, payment.ErrUnknown, ""},
		{404, ``, payment.ErrUnknown, ""},
		{500, `{"returnCode":"1183"}`, payment.ErrUnknown, ""},
		{401, ``, payment.ErrNotSent, ""},
		{403, ``, payment.ErrNotSent, ""},
		{429, ``, payment.ErrNotSent, ""},
	} {
		c := &canned{status: tt.status, answers: map[string]string{"POST /v3/payments/request": tt.body}}
		got, err := against(t, c).Start(t.Context(), attempt())
		if tt.want == nil && (err != nil || got.State != payment.Dead || got.Reason != tt.reason || got.Code == "") {
			t.Errorf("%d %s: %+v, %v; want a no for %s", tt.status, tt.body, got, err, tt.reason)
		}
		if tt.want != nil && (!errors.Is(err, tt.want) || errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown)) {
			t.Errorf("%d %s: %+v, %v; want %v", tt.status, tt.body, got, err, tt.want)
		}
	}
}

// Codes keep their meaning: those that may have moved money are never a no.
func TestCodes(t *testing.T) {
	for _, code := range []string{"1145", "1152", "1172", "1198", "1199", "1280", "1900", "1902", "1999", "9000", "4711"} {
		if meaningOf(code, true) != undecided || meaningOf(code, false) != undecided {
			t.Errorf("%s is a definite answer", code)
		}
	}
	for _, code := range []string{"0110", "0121", "0122", "0123"} {
		if meaningOf(code, true) != undecided || meaningOf(code, false) != said {
			t.Errorf("%s means %v and %v", code, meaningOf(code, true), meaningOf(code, false))
		}
	}
	for code, want := range map[string]payment.Reason{
		"1142": payment.NoFunds, "1287": payment.CardExpired, "1288": payment.NoFunds, "1293": payment.WrongDetails, "1298": payment.Declined,
		"1283": payment.Declined, "1291": payment.Declined, "1294": payment.Declined, // a suspicion is not told
		"1180": payment.TooLate, "1110": payment.NotAccepted, "2102": payment.ProviderTrouble, "1150": payment.ProviderTrouble,
	} {
		if got := reasonOf(code); got != want || meaningOf(code, true) != said {
			t.Errorf("%s is %s, want %s", code, got, want)
		}
	}
}

// Neither LINE Pay's free text nor our secret is in an error.
func TestErrorsQuoteNobody(t *testing.T) {
	for _, body := range []string{
		`{"returnCode":"9000","returnMessage":"Aya Tanaka 4111111111111111"}`,
		`{"returnCode":"0000","info":[{"orderId":"Aya Tanaka","transactionType":"PAYMENT","transactionId":17}]}`,
		`{"returnCode":"0000","info":"Aya Tanaka"}`,
		`Aya Tanaka`,
	} {
		c := &canned{answers: map[string]string{"POST /v3/payments/request": body, "GET /v3/payments": body}}
		a := against(t, c)
		at := attempt()
		_, start := a.Start(t.Context(), at)
		at.ProviderID = ""
		_, query := a.Query(t.Context(), at)
		for _, err := range []error{start, query} {
			if err == nil || strings.Contains(err.Error(), "Aya") || strings.Contains(err.Error(), "4111") || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: error %v", body, err)
			}
		}
	}
}
