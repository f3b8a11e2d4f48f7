package linepaysim

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The published vectors, LP-1 to LP-4: sources in the comments of the cases.
func TestSignaturesAreThePublishedOnes(t *testing.T) {
	const zero = "00000000-0000-0000-0000-000000000000"
	for _, v := range []struct{ secret, path, payload, nonce, want string }{
		// github.com/sumihiro3/line-pay-sdk-python tests/test_api.py
		{"fuga", "/v3/payments/request", lp1, lp1Nonce, lp1MAC},
		// github.com/enylin/line-pay-merchant src/line-pay-api/auth-http-client.test.ts; the path is a whole address there
		{
			"channelSecretKey", "https://sandbox-api-pay.line.me/v3/payments", "transactionId=2021113000697317600", zero,
			"CcToW3HaslH44yvJNliuomtkwufd8aC048p3QXZPlj8=",
		},
		{
			"channelSecretKey", "https://sandbox-api-pay.line.me/v3/payments", `{"transactionId":"2021113000697317600"}`, zero,
			"En0nRkzzQpXrXo6OHNV+827g+rWIwUq5VTk/n9Jm5Ek=",
		},
	} {
		if got := seal(v.secret, v.path, v.payload, v.nonce); got != v.want {
			t.Errorf("%s %s: %s, want %s", v.path, v.payload, got, v.want)
		}
		for _, changed := range []string{
			seal(v.secret+"x", v.path, v.payload, v.nonce),
			seal(v.secret, v.path+"/", v.payload, v.nonce),
			seal(v.secret, v.path, v.payload[1:], v.nonce),
			seal(v.secret, v.path, v.payload, "1"+v.nonce[1:]),
		} {
			if changed == v.want {
				t.Errorf("%s %s: a change is not in the signature", v.path, v.payload)
			}
		}
	}
	// github.com/chy168/line-pay-sdk-go
	if got := mac("A", "BODY"); got != "d7N2zcBCDH7EXw28ym/ppeNqa/Gp/9Xv/hO40MNjtI8=" || mac("A", "BODZ") == got {
		t.Errorf("MAC of BODY is %s", got)
	}
}

const (
	lp1 = `{"amount": 1, "currency": "JPY", "orderId": "5383b36e-fe10-4767-b11b-81eefd1752fa", "packages": [{"id": "package-999", "amount": 1, ` +
		`"name": "Sample package", "products": [{"id": "product-001", "name": "Sample product", "quantity": 1, "price": 1}]}], ` +
		`"redirectUrls": {"confirmUrl": "https://example.com/pay/confirm", "cancelUrl": "https://example.com/pay/cancel"}}`
	lp1Nonce = "021a6bb9-ed18-4562-b9bd-ad07a27532f6"
	lp1MAC   = "Rz5VEwPHChlQgN+dEmYWWbtWKw0XS41MblRB/dRdygE="
)

// Vector LP-1 through the door: its signature is right, and then its currency
// is not ours. With one bit of the signature or byte of the body changed it
// gets no further than the headers.
func TestPublishedRequestPassesTheDoor(t *testing.T) {
	knock := func(body, mac string) string {
		s := New(Config{ChannelID: "hoge", ChannelSecret: "fuga", Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
		r := httptest.NewRequest(http.MethodPost, "/v3/payments/request", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-LINE-ChannelId", "hoge")
		r.Header.Set("X-LINE-Authorization-Nonce", lp1Nonce)
		r.Header.Set("X-LINE-Authorization", mac)
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		return rec.Body.String()
	}
	if got := knock(lp1, lp1MAC); !strings.Contains(got, `"returnCode":"1178"`) {
		t.Errorf("the published request is answered %s", got)
	}
	raw, err := base64.StdEncoding.DecodeString(lp1MAC)
	if err != nil {
		t.Fatal(err)
	}
	raw[7] ^= 4
	for what, got := range map[string]string{
		"another body":      knock(strings.Replace(lp1, `"amount": 1`, `"amount": 2`, 1), lp1MAC),
		"another signature": knock(lp1, base64.StdEncoding.EncodeToString(raw)),
	} {
		if !strings.Contains(got, `"returnCode":"1106"`) {
			t.Errorf("%s is answered %s", what, got)
		}
	}
}

// Vector LP-5: an identifier goes out with all its digits.
func TestIdentifiersKeepTheirDigits(t *testing.T) {
	now := time.Date(2026, 12, 31, 15, 59, 59, 0, time.UTC)
	s := New(Config{ChannelID: "c", ChannelSecret: "s", Now: func() time.Time { return now }})
	seen := map[int64]bool{}
	for i := range 3000 {
		s.enter()
		id := s.newID(ofPayment + int64(i%3))
		s.mu.Unlock()
		text := strconv.FormatInt(id, 10)
		if len(text) != 19 || seen[id] || int64(float64(id)) == id {
			t.Fatalf("identifier %s: not 19 digits, or not new, or safe in a float64", text)
		}
		if day := map[bool]string{true: "20261231", false: "20270101"}[i < 1500]; text[:8] != day {
			t.Fatalf("identifier %s is not of %s in Taipei", text, day)
		}
		seen[id] = true
		if i == 1499 {
			now = now.Add(time.Second)
		}
	}
}

func TestAmountsAreReadDigitByDigit(t *testing.T) {
	for _, tt := range []struct {
		text   string
		places int
		want   int64
		ok     bool
	}{
		{"300", 0, 300, true},
		{"300.0", 0, 0, false},
		{"9.9", 2, 990, true},
		{"9.90", 2, 990, true},
		{"0.07", 2, 7, true},
		{"9.901", 2, 0, false},
		{"9.900", 2, 0, false},
		{"0.1", 1, 1, true},
		{"123456789012345", 0, 123456789012345, true},
		{"1234567890123456", 0, 0, false},
		{strings.Repeat("9", 400), 2, 0, false},
	} {
		if got, ok := unitsOf(tt.text, tt.places); got != tt.want || ok != tt.ok {
			t.Errorf("%q with %d decimals is %d, %t; want %d, %t", tt.text, tt.places, got, ok, tt.want, tt.ok)
		}
	}
	baht := New(Config{ChannelID: "c", ChannelSecret: "s", Now: time.Now, Currency: "THB"})
	for units, want := range map[int64]string{0: "0", 7: "0.07", 990: "9.9", 1000: "10", 1001: "10.01", -990: "-9.9", 100000: "1000"} {
		if got := baht.number(units).String(); got != want {
			t.Errorf("%d is written %s, want %s", units, got, want)
		}
	}
}
