package paypaysim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The exact body of PayPay's help article 11831606311951.
const publishedBody = `{
    "merchantPaymentId": "TEST_QR_Payment",
    "amount": {
        "amount":10,
        "currency": "JPY"
    },
    "codeType": "ORDER_QR",
    "isAuthorization":false,
    "redirectUrl":"https://about.paypay.ne.jp/",
    "redirectType":"WEB_LINK"
}`

const sampleBody = `{"sampleRequestBodyKey1":"sampleRequestBodyValue1","sampleRequestBodyKey2":"sampleRequestBodyValue2"}`

// Published signatures are what this package computes.
func TestPublishedSignatures(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"body of the article", bodyHash("application/json", []byte(publishedBody)), "T9wzkv1tUWIxzIHQUT7iDQ=="},
		{"body of the reference", bodyHash("application/json;charset=UTF-8;", []byte(sampleBody)), "1j0FnY4flNp5CtIKa7x9MQ=="},
		{
			"POST of the article",
			requestMAC("sample_secret", "/v2/codes", "POST", "fedaa4", "1743138611", "application/json", "T9wzkv1tUWIxzIHQUT7iDQ=="),
			"C2a7jD7OjL1DXnZhSYQfRI2Oxfdh43htV7pG8cwgCy4=",
		},
		{
			"GET of the article, of the path it was made for",
			requestMAC("sample_secret", "/v2/payments/TEST_merchantPaymentID", "GET", "a360e2", "1743139337", "empty", "empty"),
			"JbUZwAUKeQ+WDClEjkCGwYG/juFR+Dd5RK5AfL0gK9w=",
		},
		{ // not published; computed elsewhere
			"GET of the article, of the path it names",
			requestMAC("sample_secret", "/v2/codes/payments/TEST_merchantPaymentID", "GET", "a360e2", "1743139337", "empty", "empty"),
			"4GBwHd1rzZ5CrMRieDW/jDQcvOCeVhg4bBx4iZ6Hzw0=",
		},
		{ // not published; computed elsewhere
			"POST of the reference",
			requestMAC("APIKeySecretGenerated", "/v2/codes", "POST", "acd028", "1579843452", "application/json;charset=UTF-8;", "1j0FnY4flNp5CtIKa7x9MQ=="),
			"NW1jKIMnzR7tEhMWtcJcaef+nFVBt7jjAGcVuxHhchc=",
		},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

// The published request is let in as it stands, and not with any one byte of
// it changed: not of its body, path, content type or signature.
func TestPublishedRequest(t *testing.T) {
	const authorization = "hmac OPA-Auth:sample_key:C2a7jD7OjL1DXnZhSYQfRI2Oxfdh43htV7pG8cwgCy4=:fedaa4:1743138611:T9wzkv1tUWIxzIHQUT7iDQ=="
	send := func(path, contentType, authorization, body string) result {
		w := newTown(func(c *Config) {
			c.APIKey, c.APISecret = "sample_key", "sample_secret"
			c.Now = func() time.Time { return time.Unix(1743138611, 0) }
		})
		r := httptest.NewRequest("POST", "http://x.test", strings.NewReader(body))
		r.URL.Path = path
		r.Header.Set("X-ASSUME-MERCHANT", testMerchant)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		return w.send(r)
	}
	want(t, send("/v2/codes", "application/json", authorization, publishedBody), 201, "SUCCESS", "data.merchantPaymentId", "TEST_QR_Payment", "data.amount.amount", "10")

	each := func(text string, send func(string) result) {
		t.Helper()
		for i := range text {
			changed := []byte(text)
			changed[i] ^= 1
			if got := send(string(changed)); got.status != 401 || got.at("resultInfo.code") != "UNAUTHORIZED" {
				t.Errorf("with byte %d of %.20q changed: %s", i, text, got.raw)
			}
		}
	}
	each("/v2/codes", func(s string) result { return send(s, "application/json", authorization, publishedBody) })
	each("application/json", func(s string) result { return send("/v2/codes", s, authorization, publishedBody) })
	each(authorization, func(s string) result { return send("/v2/codes", "application/json", s, publishedBody) })
	each(publishedBody, func(s string) result { return send("/v2/codes", "application/json", authorization, s) })
}

func TestStrangersAreTurnedAway(t *testing.T) {
	w := newTown()
	ask := func(change func(*http.Request)) result {
		r := w.request("GET", "/v2/codes/payments/ref1", "")
		change(r)
		return w.send(r)
	}
	resign := func(secret, key, nonce string, off time.Duration) func(*http.Request) {
		return func(r *http.Request) { sign(r, secret, key, nonce, w.clock().Add(off), "") }
	}
	query := func(q string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery = q } }
	for name, change := range map[string]func(*http.Request){
		"as it should be":               func(*http.Request) {},
		"clock nearly two minutes slow": resign(testSecret, testKey, "n", -119*time.Second),
		"clock nearly two minutes fast": resign(testSecret, testKey, "n", 2*time.Minute),
		"merchant in the query":         query("assumeMerchant=" + testMerchant),
		"query goes before the header": func(r *http.Request) {
			r.Header.Set("X-ASSUME-MERCHANT", "1")
			query("assumeMerchant=" + testMerchant)(r)
		},
		"a type without a body is no sin": func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
	} {
		if got := ask(change); got.at("resultInfo.code") != "DYNAMIC_QR_PAYMENT_NOT_FOUND" {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"no signature":           func(r *http.Request) { r.Header.Del("Authorization") },
		"two signatures":         func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
		"another secret":         resign("b_secret", testKey, "n", 0),
		"another key":            resign(testSecret, "b_key", "n", 0),
		"no nonce":               resign(testSecret, testKey, "", 0),
		"clock slow":             resign(testSecret, testKey, "n", -121*time.Second),
		"clock fast":             resign(testSecret, testKey, "n", 122*time.Second),
		"another path":           func(r *http.Request) { r.URL.Path += "x" },
		"another method":         func(r *http.Request) { r.Method = "DELETE" },
		"no merchant":            func(r *http.Request) { r.Header.Del("X-ASSUME-MERCHANT") },
		"another merchant":       func(r *http.Request) { r.Header.Set("X-ASSUME-MERCHANT", "123456780") },
		"another in the query":   query("assumeMerchant=123456780"),
		"epoch with a sign":      func(r *http.Request) { replaceEpoch(r, "+") },
		"epoch with leading 0":   func(r *http.Request) { replaceEpoch(r, "0") },
		"scheme of someone else": func(r *http.Request) { r.Header.Set("Authorization", "x"+r.Header.Get("Authorization")) },
	} {
		if got := ask(change); got.status != 401 || got.at("resultInfo.code") != "UNAUTHORIZED" || got.at("resultInfo.codeId") != "08100016" {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
}

// replaceEpoch writes something before the epoch and signs what it then says.
func replaceEpoch(r *http.Request, before string) {
	p := strings.Split(r.Header.Get("Authorization"), ":")
	p[4] = before + p[4]
	p[2] = requestMAC(testSecret, r.URL.EscapedPath(), r.Method, p[3], p[4], "empty", "empty")
	r.Header.Set("Authorization", strings.Join(p, ":"))
}

func TestCallsThatDoNotExist(t *testing.T) {
	w := newTown()
	for _, c := range []struct {
		method, target, body string
		status               int
		code                 string
	}{
		{"GET", "/v2/codes", "", 404, "RESOURCE_NOT_FOUND"},
		{"GET", "/", "", 404, "RESOURCE_NOT_FOUND"},
		{"GET", "/v1/codes/payments/r1", "", 404, "RESOURCE_NOT_FOUND"},
		{"GET", "/v2/payments/TEST_merchantPaymentID", "", 404, "RESOURCE_NOT_FOUND"},
		{"POST", "/v2/codes/r1", codeBody("r1", 1), 404, "RESOURCE_NOT_FOUND"},
		{"POST", "/v2/codes/", codeBody("r1", 1), 201, "SUCCESS"},
		{"POST", "/v2/codes", "", 400, "INVALID_REQUEST_PARAMS"},
		{"POST", "/v2/codes", sampleBody, 400, "MISSING_REQUEST_PARAMS"},
		{"POST", "/v2/codes?paymentId=1", codeBody("r2", 1), 400, "INVALID_REQUEST_PARAMS"},
		{"GET", "/v2/codes/payments/r1?x=1", "", 400, "INVALID_REQUEST_PARAMS"},
		{"GET", "/v2/codes/payments/r1", "{}", 400, "INVALID_REQUEST_PARAMS"},
		{"GET", "/v2/codes/payments/r.1", "", 400, "DYNAMIC_QR_BAD_REQUEST"},
		{"GET", "/v2/codes/payments/" + strings.Repeat("r", 65), "", 400, "DYNAMIC_QR_BAD_REQUEST"},
		{"DELETE", "/v2/payments/r.1", "", 400, "INVALID_PARAMS"},
		{"DELETE", "/v2/codes/04-none", "", 404, "DYNAMIC_QR_NOT_FOUND"},
		{"DELETE", "/v2/codes/", "", 400, "DYNAMIC_QR_BAD_REQUEST"},
		{"POST", "/v2/codes", `{"x":"` + strings.Repeat("x", bodyMax) + `"}`, 400, "INVALID_REQUEST_PARAMS"},
	} {
		t.Run(c.method+" "+c.target[:min(30, len(c.target))], func(t *testing.T) {
			want(t, w.call(c.method, c.target, c.body), c.status, c.code)
		})
	}
	r := w.request("POST", "/v2/codes", codeBody("r3", 1))
	r.Header.Set("Content-Type", "text/plain")
	sign(r, testSecret, testKey, "n", w.clock(), codeBody("r3", 1))
	want(t, w.send(r), 400, "INVALID_REQUEST_PARAMS")
}

// Each trouble spoils one call that could change something, and no reading.
func TestTroubles(t *testing.T) {
	for _, tt := range []struct {
		trouble Trouble
		status  int
		code    string
		after   string // what is then known of the code
	}{
		{NoTrouble, 201, "SUCCESS", "CREATED"},
		{RateLimited, 429, "RATE_LIMIT", ""},
		{Maintenance, 503, "MAINTENANCE_MODE", ""},
		{Broken, 500, "SERVICE_ERROR", ""},
		{BrokenAfter, 500, "INTERNAL_SERVER_ERROR", "CREATED"},
	} {
		t.Run(string(tt.trouble), func(t *testing.T) {
			w := newTown()
			w.Upset(tt.trouble)
			w.wantStatus(t, "ref1", "") // uses nothing up
			want(t, w.call("POST", "/v2/codes", codeBody("ref1", 1980)), tt.status, tt.code)
			w.wantStatus(t, "ref1", tt.after)
			want(t, w.call("POST", "/v2/codes", codeBody("ref1", 1980)), 201, "SUCCESS")
		})
	}
}
