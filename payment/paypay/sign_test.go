package paypay

import (
	"strings"
	"testing"
	"time"
)

// vectorBody is the body of PayPay's example of a signature, byte for byte.
const vectorBody = `{
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

// The hashes that PayPay prints, in its help centre's article on signatures and
// in its reference.
func TestBodyHashesAsPublished(t *testing.T) {
	for _, tt := range []struct{ kind, body, want string }{
		{"application/json", vectorBody, "T9wzkv1tUWIxzIHQUT7iDQ=="},
		{
			"application/json;charset=UTF-8;",
			`{"sampleRequestBodyKey1":"sampleRequestBodyValue1","sampleRequestBodyKey2":"sampleRequestBodyValue2"}`,
			"1j0FnY4flNp5CtIKa7x9MQ==",
		},
	} {
		if got := hashOf(tt.kind, []byte(tt.body)); got != tt.want {
			t.Errorf("hash %s, want %s", got, tt.want)
		}
		for i := range tt.body {
			changed := []byte(tt.body)
			changed[i] ^= 1
			if hashOf(tt.kind, changed) == tt.want {
				t.Errorf("byte %d does not count", i)
			}
		}
		if hashOf(strings.TrimSuffix(tt.kind, ";")+" ", []byte(tt.body)) == tt.want {
			t.Errorf("the media type does not count")
		}
	}
}

// The signatures of the same article. Of the second PayPay prints the path of
// another call than the one it signed; the third is ours, to show that the path
// takes part.
func TestSignaturesAsPublished(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{[]string{"/v2/codes", "POST", "fedaa4", "1743138611", "application/json", "T9wzkv1tUWIxzIHQUT7iDQ=="}, "C2a7jD7OjL1DXnZhSYQfRI2Oxfdh43htV7pG8cwgCy4="},
		{[]string{"/v2/payments/TEST_merchantPaymentID", "GET", "a360e2", "1743139337", "empty", "empty"}, "JbUZwAUKeQ+WDClEjkCGwYG/juFR+Dd5RK5AfL0gK9w="},
		{[]string{"/v2/codes/payments/TEST_merchantPaymentID", "GET", "a360e2", "1743139337", "empty", "empty"}, "4GBwHd1rzZ5CrMRieDW/jDQcvOCeVhg4bBx4iZ6Hzw0="},
	} {
		if got := macOf("sample_secret", tt.lines...); got != tt.want {
			t.Errorf("%v: signature %s, want %s", tt.lines, got, tt.want)
		}
		if macOf("sample_secreu", tt.lines...) == tt.want {
			t.Errorf("the secret does not count")
		}
		for i, line := range tt.lines {
			for j := range line {
				changed := append([]string(nil), tt.lines...)
				b := []byte(line)
				b[j] ^= 1
				changed[i] = string(b)
				if macOf("sample_secret", changed...) == tt.want {
					t.Errorf("byte %d of %q does not count", j, line)
				}
			}
		}
	}
}

// The whole header, as the article prints it.
func TestAuthorizationAsPublished(t *testing.T) {
	sample := func(nonce string, epoch int64) *Adapter {
		return &Adapter{
			now:    func() time.Time { return time.Unix(epoch, 999_999_999) },
			nonce:  func() string { return nonce },
			config: Config{APIKey: "sample_key", APISecret: "sample_secret"},
		}
	}
	const post = "hmac OPA-Auth:sample_key:C2a7jD7OjL1DXnZhSYQfRI2Oxfdh43htV7pG8cwgCy4=:fedaa4:1743138611:T9wzkv1tUWIxzIHQUT7iDQ=="
	if got := sample("fedaa4", 1743138611).authorization("POST", "/v2/codes", []byte(vectorBody)); got != post {
		t.Errorf("POST: %s\nwant  %s", got, post)
	}
	const get = "hmac OPA-Auth:sample_key:JbUZwAUKeQ+WDClEjkCGwYG/juFR+Dd5RK5AfL0gK9w=:a360e2:1743139337:empty"
	if got := sample("a360e2", 1743139337).authorization("GET", "/v2/payments/TEST_merchantPaymentID", nil); got != get {
		t.Errorf("GET: %s\nwant %s", got, get)
	}
}
