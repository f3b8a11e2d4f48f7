package wechatpay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const codeURL = `{"code_url":"weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}`

func TestNativeOrder(t *testing.T) {
	d := newDesk(t, nil, always(200, codeURL))
	for range 2 {
		obs, err := d.Start(t.Context(), attempt())
		want := payment.Observation{
			State: payment.NeedsCustomer, Amount: money.Of(1234, "CNY"),
			Next: payment.Next{QR: "weixin://wxpay/bizpayurl?pr=p4lpSuKzz"}, AsOf: d.now,
		}
		if err != nil || !cmp.Equal(obs, want) {
			t.Errorf("%v %s", err, cmp.Diff(want, obs))
		}
		d.advance(time.Minute)
	}
	want := `{"appid":"wx2421b1c4370ec43b","mchid":"1900007291","description":"日本 eSIM 10 天","out_trade_no":"abcdefghij0123456789klmnop",` +
		`"time_expire":"2026-03-04T13:21:07+08:00","attach":"account=ac_9 order=ord_1","notify_url":"` + testNotify + `",` +
		`"amount":{"total":1234,"currency":"CNY"}}`
	for _, q := range d.asks {
		if q.method != "POST" || q.uri != "/v3/pay/transactions/native" || q.body != want {
			t.Errorf("%s %s\n%s", q.method, q.uri, cmp.Diff(want, q.body))
		}
	}
	if len(d.asks) != 2 || d.certs != 1 {
		t.Errorf("%d orders, %d times for certificates; want 2 and 1", len(d.asks), d.certs)
	}
}

// Every request is signed over exactly what arrived.
func TestRequestsAreSigned(t *testing.T) {
	form := regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="1900007291",nonce_str="(nonce\d+)",timestamp="(\d+)",serial_no="5157F09EFDC096DE15EBE81A47057A72",signature="([^"]+)"$`)
	d := newDesk(t, func(c *Config) { c.BaseURL = "https://sim.test/wechat/" }, nil)
	d.say = func(q asked) said {
		switch {
		case strings.HasSuffix(q.uri, "/v3/certificates"):
			return said{status: 200, body: certList(t, "platform-cert.pem", testSerial)}
		case strings.HasSuffix(q.uri, "/close"):
			return said{status: 204}
		}
		return said{status: 200, body: orderJSON("CLOSED", nil)}
	}
	if _, err := d.Abandon(t.Context(), attempt()); err != nil {
		t.Fatal(err)
	}
	nonces := map[string]bool{}
	for _, q := range d.asks {
		m := form.FindStringSubmatch(q.header.Get("Authorization"))
		if m == nil {
			t.Fatalf("%s: %q", q.uri, q.header.Get("Authorization"))
		}
		nonces[m[1]] = true
		sum := sha256.Sum256([]byte(q.method + "\n" + q.uri + "\n" + m[2] + "\n" + m[1] + "\n" + q.body + "\n"))
		sig, _ := base64.StdEncoding.DecodeString(m[3])
		if err := rsa.VerifyPKCS1v15(&privateKey(t, "merchant-key.pem").PublicKey, crypto.SHA256, sum[:], sig); err != nil {
			t.Errorf("%s %s: %v", q.method, q.uri, err)
		}
		if m[2] != fmt.Sprint(t0.Unix()) || q.header.Get("User-Agent") == "" || q.header.Get("Accept") != "application/json" {
			t.Errorf("%s: header %v", q.uri, q.header)
		}
		if (q.method == "POST") != (q.header.Get("Content-Type") == "application/json") {
			t.Errorf("%s %s with content type %q", q.method, q.uri, q.header.Get("Content-Type"))
		}
	}
	if len(d.asks) != 3 || len(nonces) != 3 {
		t.Errorf("%d requests with %d nonces, want 3", len(d.asks), len(nonces))
	}
}

func TestH5Order(t *testing.T) {
	const page = `{"h5_url":"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016&package=10"}`
	with := page[len(`{"h5_url":"`):len(page)-2] + "&redirect_url=https%3A%2F%2Fshop.test%2Fback%3Fo%3D1%26p%3D2"
	tests := []struct {
		name  string
		h5    bool
		dev   payment.Device
		ip    string
		scene string // "" means a code
	}{
		{"phone", true, payment.Phone, "203.0.113.7", `{"payer_client_ip":"203.0.113.7","h5_info":{"type":"Wap"}}`},
		{"phone, IPv6", true, payment.Phone, "2001:db8::7", `{"payer_client_ip":"2001:db8::7","h5_info":{"type":"Wap"}}`},
		{"phone, mapped", true, payment.Phone, "::ffff:203.0.113.7", `{"payer_client_ip":"203.0.113.7","h5_info":{"type":"Wap"}}`},
		{"phone without address", true, payment.Phone, "", ""},
		{"phone with nonsense", true, payment.Phone, "phone", ""},
		{"phone with a zone", true, payment.Phone, "fe80::1%eth0", ""},
		{"phone, not allowed", false, payment.Phone, "203.0.113.7", ""},
		{"computer", true, payment.Computer, "203.0.113.7", ""},
		{"nobody knows", true, payment.AnyDevice, "203.0.113.7", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, func(c *Config) { c.H5 = tt.h5 }, func(q asked) said {
				if strings.HasSuffix(q.uri, "/h5") {
					return said{status: 200, body: page}
				}
				return said{status: 200, body: codeURL}
			})
			at := attempt()
			at.Device, at.ClientIP = tt.dev, tt.ip
			obs, err := d.Start(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			if tt.scene == "" {
				if obs.Next.QR == "" || obs.Next.RedirectURL != "" || strings.Contains(d.asks[0].body, "scene_info") {
					t.Errorf("%+v, asked for with %s; want a code", obs.Next, d.asks[0].body)
				}
				return
			}
			if obs.Next != (payment.Next{RedirectURL: with, AppURL: with}) {
				t.Errorf("next %+v, want %s", obs.Next, with)
			}
			if !strings.HasSuffix(d.asks[0].body, `"scene_info":`+tt.scene+`}`) {
				t.Errorf("asked for with %s", d.asks[0].body)
			}
		})
	}
}

func TestWaysThatAreNone(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"code_url":""}`, `{"code_url":7}`, `[]`, ``, `{"code_url":"` + strings.Repeat("x", 600) + `"}`, `{"h5_url":"https://x/y"}`,
	} {
		d := newDesk(t, nil, always(200, body))
		if obs, err := d.Start(t.Context(), attempt()); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%.40s: %+v, %v", body, obs, err)
		}
	}
	for _, page := range []string{"", "javascript:alert(1)", "//x", "https:", "https://x/y#z", codeURL} {
		d := newDesk(t, func(c *Config) { c.H5 = true }, always(200, encode(t, map[string]string{"h5_url": page})))
		at := attempt()
		at.Device, at.ClientIP = payment.Phone, "203.0.113.7"
		if obs, err := d.Start(t.Context(), at); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: %+v, %v", page, obs, err)
		}
	}
}

func TestTextsAreClippedBetweenCharacters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s") + string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		n := rapid.IntRange(0, 200).Draw(t, "n")
		got, whole := clip(s, n), clip(s, 1<<20)
		if len(got) > n || !utf8.ValidString(got) || !strings.HasPrefix(whole, got) || len(got) < n-2 && got != whole {
			t.Fatalf("clip(%q, %d) = %q", s, n, got)
		}
		for _, c := range got {
			if c > 0xffff {
				t.Fatalf("clip(%q, %d) = %q has a character of four bytes", s, n, got)
			}
		}
	})
	if got := clip("日本 🗾\xff10 天", 127); got != "日本 ?10 天" {
		t.Errorf("a text that is mostly fine becomes %q", got)
	}
	d := newDesk(t, nil, always(200, codeURL))
	at := attempt()
	at.Description, at.Tags = strings.Repeat("日", 50), map[string]string{"order": strings.Repeat("x", 200)}
	if _, err := d.Start(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	var long order
	if err := json.Unmarshal([]byte(d.asks[0].body), &long); err != nil || long.Description != strings.Repeat("日", 42) || len(long.Attach) != 127 {
		t.Errorf("with long texts: %s", d.asks[0].body)
	}
	d.asks = nil
	at.Description, at.Tags = "", nil
	if _, err := d.Start(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(d.asks[0].body, `"description":"`+at.Ref+`"`) || strings.Contains(d.asks[0].body, "attach") {
		t.Errorf("without a description: %s", d.asks[0].body)
	}
}

func TestStartOutsideTheLimitsSendsNothing(t *testing.T) {
	d := newDesk(t, nil, always(200, codeURL))
	for _, change := range []func(*payment.Attempt){
		func(a *payment.Attempt) { a.Amount = money.Of(1234, "JPY") },
		func(a *payment.Attempt) { a.Amount = money.Of(0, "CNY") },
		func(a *payment.Attempt) { a.Rail = payment.Alipay },
	} {
		at := attempt()
		change(&at)
		obs, err := d.Start(t.Context(), at)
		if err != nil || obs.State != payment.Dead || obs.Reason != payment.NotAccepted {
			t.Errorf("%+v, %v", obs, err)
		}
	}
	if len(d.asks) != 0 {
		t.Errorf("sent %v", d.asks)
	}
}

// Once an attempt is over a late order would be given another minute: none is
// made, not even to close it.
func TestNothingIsOrderedAfterTheEnd(t *testing.T) {
	d := newDesk(t, nil, func(q asked) said {
		if strings.HasSuffix(q.uri, "/close") {
			return said{status: 204}
		}
		return said{status: 404, body: `{"code":"ORDER_NOT_EXIST","message":"订单不存在"}`}
	})
	at := attempt()
	for _, tt := range []struct {
		after time.Duration
		want  payment.State
	}{{0, payment.Unknown}, {settlesWithin, payment.Unknown}, {settlesWithin + time.Second, payment.Dead}} {
		d.now = at.ExpiresAt.Add(tt.after)
		for name, call := range calls(t, d, at) {
			obs, err := call()
			if err != nil || obs.State != tt.want || obs.Amount != at.Amount || (obs.Reason == payment.TooLate) != (tt.want == payment.Dead) {
				t.Errorf("%v after the end %s says %+v, %v; want %s", tt.after, name, obs, err, tt.want)
			}
		}
	}
	for _, q := range d.asks {
		if strings.HasSuffix(q.uri, "/native") {
			t.Errorf("ordered: %s", q.body)
		}
	}
}

func calls(t *testing.T, d *desk, at payment.Attempt) map[string]func() (payment.Observation, error) {
	return map[string]func() (payment.Observation, error){
		"Start":   func() (payment.Observation, error) { return d.Start(t.Context(), at) },
		"Query":   func() (payment.Observation, error) { return d.Query(t.Context(), at) },
		"Resume":  func() (payment.Observation, error) { return d.Resume(t.Context(), at, nil) },
		"Abandon": func() (payment.Observation, error) { return d.Abandon(t.Context(), at) },
	}
}

func TestEveryPublishedState(t *testing.T) {
	for state, want := range map[string]payment.Observation{
		"NOTPAY":     {State: payment.NeedsCustomer},
		"SUCCESS":    {State: payment.Paid, MoneyID: "4200001"},
		"REFUND":     {State: payment.Paid, MoneyID: "4200001"},
		"CLOSED":     {State: payment.Dead, Reason: payment.Abandoned, Code: "CLOSED", Closed: true},
		"REVOKED":    {State: payment.Dead, Reason: payment.Abandoned, Code: "REVOKED", Closed: true},
		"USERPAYING": {State: payment.Pending},
		"ACCEPT":     {State: payment.Pending},
		"PAYERROR":   {State: payment.NeedsCustomer, Reason: payment.Declined, Code: "PAYERROR"},
	} {
		d := newDesk(t, nil, always(200, orderJSON(state, nil)))
		want.Amount, want.AsOf = money.Of(1234, "CNY"), t0
		if got, err := d.Query(t.Context(), attempt()); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v %s", state, err, cmp.Diff(want, got))
		}
		uri := "/v3/pay/transactions/out-trade-no/abcdefghij0123456789klmnop?mchid=1900007291"
		if q := d.asks[0]; q.method != "GET" || q.uri != uri || q.body != "" {
			t.Errorf("asked %+v", q)
		}
		d.now = attempt().ExpiresAt
		if got, _ := d.Query(t.Context(), attempt()); want.State == payment.Dead && got.Reason != payment.TooLate {
			t.Errorf("%s after the end: reason %s", state, got.Reason)
		}
	}
}

// What is about somebody else's order, or cannot be read, is no answer.
func TestAnswersThatAreNone(t *testing.T) {
	amount := func(v any) map[string]any { return map[string]any{"amount": v} }
	for name, change := range map[string]map[string]any{
		"another order":       {"out_trade_no": "abcdefghij0123456789klmnoq"},
		"no order":            {"out_trade_no": nil},
		"another merchant":    {"mchid": "1900007292"},
		"no merchant":         {"mchid": nil},
		"another app":         {"appid": "wx1"},
		"another payment":     {"transaction_id": "4200002"},
		"no payment":          {"transaction_id": nil},
		"unknown state":       {"trade_state": "PAID"},
		"no state":            {"trade_state": nil},
		"no amount":           {"amount": nil},
		"an empty amount":     amount(map[string]any{}),
		"another currency":    amount(map[string]any{"total": 1234, "currency": "HKD"}),
		"an amount as text":   amount(map[string]any{"total": "1234"}),
		"a broken amount":     amount(json.RawMessage(`{"total":12.34}`)),
		"an amount as power":  amount(json.RawMessage(`{"total":1e3}`)),
		"too great an amount": amount(json.RawMessage(`{"total":99999999999999999999}`)),
		"a negative amount":   amount(map[string]any{"total": -1}),
	} {
		d := newDesk(t, nil, always(200, orderJSON("SUCCESS", change)))
		at := attempt()
		at.MoneyID = "4200001"
		if obs, err := d.Query(t.Context(), at); !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: %+v, %v", name, obs, err)
		}
	}
	// The app is optional, and so is the amount of what is not paid; another
	// amount than ours is told as it is.
	at := attempt()
	for _, body := range []string{orderJSON("SUCCESS", map[string]any{"appid": nil}), orderJSON("NOTPAY", amount(nil))} {
		if obs, err := newDesk(t, nil, always(200, body)).Query(t.Context(), at); err != nil || obs.Amount != at.Amount {
			t.Errorf("%s: %+v, %v", body, obs, err)
		}
	}
	body := orderJSON("SUCCESS", amount(map[string]any{"total": 1, "currency": "CNY"}))
	if obs, err := newDesk(t, nil, always(200, body)).Query(t.Context(), at); err != nil || obs.Amount != money.Of(1, "CNY") {
		t.Errorf("one fen was paid: %+v, %v", obs, err)
	}
}

func TestRefusedOrders(t *testing.T) {
	no := func(code string) said {
		return said{status: 400, body: encode(t, map[string]string{"code": code, "message": "told you"})}
	}
	gone := said{status: 404, body: `{"code":"ORDER_NOT_EXIST"}`}
	for _, tt := range []struct {
		code   string
		there  said
		state  payment.State
		reason payment.Reason
		says   string
	}{
		{"PARAM_ERROR", gone, payment.Dead, payment.ProviderTrouble, "PARAM_ERROR"},
		{"NO_AUTH", gone, payment.Dead, payment.ProviderTrouble, "NO_AUTH"},
		{"APPID_MCHID_NOT_MATCH", gone, payment.Dead, payment.ProviderTrouble, "APPID_MCHID_NOT_MATCH"},
		{"RULE_LIMIT", gone, payment.Dead, payment.NotAccepted, "RULE_LIMIT"},
		{"RULELIMIT", gone, payment.Dead, payment.NotAccepted, "RULELIMIT"},
		{"ACCOUNT_ERROR", gone, payment.Dead, payment.NotAccepted, "ACCOUNT_ERROR"},
		{"TRADE_ERROR", gone, payment.Dead, payment.Declined, "TRADE_ERROR"},
		{"NOT_ENOUGH", gone, payment.Dead, payment.NoFunds, "NOT_ENOUGH"},
		{"OUT_TRADE_NO_USED", gone, payment.Unknown, "", "OUT_TRADE_NO_USED"},
		{"ORDER_CLOSED", gone, payment.Unknown, "", "ORDER_CLOSED"},
		{"ORDERPAID", gone, payment.Unknown, "", "ORDERPAID"},
		{"ORDER_PAID", said{status: 200, body: orderJSON("SUCCESS", nil)}, payment.Paid, "", "ORDER_PAID"},
		{"ORDER_CLOSED", said{status: 200, body: orderJSON("CLOSED", nil)}, payment.Dead, payment.Abandoned, "CLOSED"},
		{"INVALID_REQUEST", said{status: 200, body: orderJSON("NOTPAY", nil)}, payment.NeedsCustomer, "", "INVALID_REQUEST"},
	} {
		d := newDesk(t, nil, func(q asked) said {
			if q.method == "POST" {
				return no(tt.code)
			}
			return tt.there
		})
		obs, err := d.Start(t.Context(), attempt())
		if err != nil || obs.State != tt.state || obs.Reason != tt.reason || obs.Code != tt.says || obs.Amount != attempt().Amount {
			t.Errorf("%s: %+v, %v; want %s %s %s", tt.code, obs, err, tt.state, tt.reason, tt.says)
		}
	}
}

// Which failures leave an order unknown, which can safely be made again, and
// that no words of WeChat Pay's reach an error.
func TestFailuresAreSorted(t *testing.T) {
	e := func(code string) string {
		return encode(t, map[string]string{"code": code, "message": "oUpF8uMuAJO hidden"})
	}
	bare := signer{none: true}
	for _, tt := range []struct {
		name  string
		s     said
		start error
	}{
		{"system error", said{status: 500, body: e("SYSTEM_ERROR")}, payment.ErrUnknown},
		{"system error, as it was spelt", said{status: 400, body: e("SYSTEMERROR")}, payment.ErrUnknown},
		{"bank error", said{status: 400, body: e("BANK_ERROR")}, payment.ErrUnknown},
		{"a no with 500", said{status: 500, body: e("PARAM_ERROR")}, payment.ErrUnknown},
		{"load balancer", said{502, "<html>", bare}, payment.ErrUnknown},
		{"signed load balancer", said{status: 502, body: "<html>"}, payment.ErrUnknown},
		{"redirect", said{status: 302}, payment.ErrUnknown},
		{"a no that nobody signed", said{404, e("ORDER_NOT_EXIST"), bare}, payment.ErrUnknown},
		{"a yes that nobody signed", said{200, codeURL, bare}, payment.ErrUnknown},
		{"signed by a stranger", said{200, codeURL, signer{key: privateKey(t, "merchant-key.pem")}}, payment.ErrUnknown},
		{"a probe", said{200, codeURL, signer{sig: probe + strings.Repeat("a", 325)}}, payment.ErrUnknown},
		{"a signature of yesterday", said{200, codeURL, signer{late: 24 * time.Hour}}, payment.ErrUnknown},
		{"a signature of tomorrow", said{200, codeURL, signer{late: -6 * time.Minute}}, payment.ErrUnknown},
		{"no code", said{status: 400, body: `{"message":"hidden"}`}, payment.ErrUnknown},
		{"a code that is none", said{status: 400, body: e("hidden <b>")}, payment.ErrUnknown},
		{"half an answer", said{status: 200, body: `{"code_url":"wei`}, payment.ErrUnknown},
		{"accepted, whatever that means", said{status: 202, body: codeURL}, payment.ErrUnknown},
		{"too fast", said{429, "", bare}, payment.ErrNotSent},
		{"too fast, signed", said{status: 429, body: e("FREQUENCY_LIMITED")}, payment.ErrNotSent},
		{"too fast, as another status", said{status: 403, body: e("FREQUENCY_LIMITED")}, payment.ErrNotSent},
		{"too fast, other spelling", said{status: 403, body: e("RATELIMIT_EXCEEDED")}, payment.ErrNotSent},
		{"wrong signature", said{401, e("SIGN_ERROR"), bare}, payment.ErrNotSent},
		{"wrong signature, other status", said{status: 403, body: e("SIGN_ERROR")}, payment.ErrNotSent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil, func(asked) said { return tt.s })
			at := attempt()
			_, errStart := d.Start(t.Context(), at)
			_, errAbandon := d.Abandon(t.Context(), at)
			_, errRefund := d.Refund(t.Context(), payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: at, Amount: at.Amount})
			for name, err := range map[string]error{"Start": errStart, "Refund": errRefund} {
				if !errors.Is(err, tt.start) || errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
					t.Errorf("%s error %v, want %v", name, err, tt.start)
				}
			}
			_, errQuery := d.Query(t.Context(), at)
			_, errLook := d.QueryRefund(t.Context(), payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: at, Amount: at.Amount})
			for name, err := range map[string]error{"Query": errQuery, "QueryRefund": errLook} {
				if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
					t.Errorf("%s error %v, want ErrNotSent", name, err)
				}
			}
			for _, err := range []error{errStart, errAbandon, errRefund, errQuery, errLook} {
				if s := fmt.Sprint(err); strings.Contains(s, "hidden") || strings.Contains(s, "oUpF8") || strings.Contains(s, "weixin") {
					t.Errorf("the error tells too much: %s", s)
				}
			}
		})
	}
}

// FuzzAnswer reads what WeChat Pay may say of an order. Whatever it is, paid is
// only what names our order, our merchant, a transaction and an amount.
func FuzzAnswer(f *testing.F) {
	for _, state := range []string{"NOTPAY", "SUCCESS", "REFUND", "CLOSED", "USERPAYING", "NEW"} {
		f.Add([]byte(orderJSON(state, nil)))
	}
	f.Add([]byte(`{"out_trade_no":"abcdefghij0123456789klmnop","mchid":"1900007291","trade_state":"SUCCESS","amount":{"total":null}}`))
	f.Add([]byte(`{"amount":[],"trade_state":{}}`))
	f.Add([]byte(codeURL))
	d := newDesk(f, nil, nil)
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: attempt(), Amount: attempt().Amount}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := reply{status: 200, body: body}
		obs, why := d.observe(attempt(), got, t0)
		if why == "" && obs.State == payment.Paid {
			if obs.MoneyID == "" || obs.Amount.Minor <= 0 || obs.Amount.Currency != yuan || !strings.Contains(string(body), "SUCCESS") && !strings.Contains(string(body), "REFUND") && !strings.Contains(string(body), `\u`) {
				t.Errorf("%q is read as %+v", body, obs)
			}
		}
		if next, why := readNext(got, attempt(), false); why == "" && next.QR == "" {
			t.Errorf("%q is a way to nowhere", body)
		}
		if next, why := readNext(got, attempt(), true); why == "" && next.RedirectURL == "" {
			t.Errorf("%q is a page that is none", body)
		}
		if obs, why := observeRefund(r, got, t0); why == "" && (obs.Amount.Minor <= 0 || obs.ProviderID == "" || obs.State == "") {
			t.Errorf("%q is read as %+v", body, obs)
		}
	})
}
