package linepay

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
)

// The vectors of other implementations (both MIT): sumihiro3/line-pay-sdk-python
// tests/test_api.py, and enylin/line-pay-merchant auth-http-client.test.ts, whose
// test signs the whole address where the path belongs.
var vectors = []struct{ secret, path, payload, nonce, want string }{
	{
		"fuga", "/v3/payments/request",
		`{"amount": 1, "currency": "JPY", "orderId": "5383b36e-fe10-4767-b11b-81eefd1752fa", "packages": [{"id": "package-999", "amount": 1, "name": "Sample package", "products": [{"id": "product-001", "name": "Sample product", "quantity": 1, "price": 1}]}], "redirectUrls": {"confirmUrl": "https://example.com/pay/confirm", "cancelUrl": "https://example.com/pay/cancel"}}`,
		"021a6bb9-ed18-4562-b9bd-ad07a27532f6", "Rz5VEwPHChlQgN+dEmYWWbtWKw0XS41MblRB/dRdygE=",
	},
	{
		"channelSecretKey", "https://sandbox-api-pay.line.me/v3/payments", "transactionId=2021113000697317600",
		"00000000-0000-0000-0000-000000000000", "CcToW3HaslH44yvJNliuomtkwufd8aC048p3QXZPlj8=",
	},
	{
		"channelSecretKey", "https://sandbox-api-pay.line.me/v3/payments", `{"transactionId":"2021113000697317600"}`,
		"00000000-0000-0000-0000-000000000000", "En0nRkzzQpXrXo6OHNV+827g+rWIwUq5VTk/n9Jm5Ek=",
	},
}

func TestSignatureVectors(t *testing.T) {
	for _, v := range vectors {
		if got := sign(v.secret, v.path, v.payload, v.nonce); got != v.want {
			t.Errorf("signature of %s is %s, want %s", v.path, got, v.want)
		}
		for name, got := range map[string]string{
			"secret":  sign(v.secret+"x", v.path, v.payload, v.nonce),
			"path":    sign(v.secret, v.path[1:], v.payload, v.nonce),
			"payload": sign(v.secret, v.path, strings.Replace(v.payload, "1", "2", 1), v.nonce),
			"nonce":   sign(v.secret, v.path, v.payload, v.nonce[:len(v.nonce)-1]+"7"),
		} {
			if got == v.want {
				t.Errorf("another %s gives the same signature", name)
			}
		}
	}
}

func TestNonceIsAUUID(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 100 {
		n := uuid(randomNonce())
		if !shape.MatchString(n) || seen[n] {
			t.Errorf("nonce %q", n)
		}
		seen[n] = true
	}
	if got := uuid("1743138611"); got != "1743138611" {
		t.Errorf("another nonce becomes %q", got)
	}
}

// LP-5: an identifier of 19 digits, through a float64, would end in 632.
func TestIdentifiersAreExact(t *testing.T) {
	var got struct{ ID identifier }
	for text, want := range map[string]identifier{`2021113000697317610`: "2021113000697317610", `"2021113000697317610"`: "2021113000697317610", `null`: ""} {
		got.ID = ""
		if err := json.Unmarshal([]byte(`{"ID":`+text+`}`), &got); err != nil || got.ID != want {
			t.Errorf("%s is %q, %v", text, got.ID, err)
		}
	}
	for _, text := range []string{`2.02e18`, `-5`, `0`, `""`, `"a"`, `"17/../18"`, `true`, `{}`, `1.0`} {
		if err := json.Unmarshal([]byte(`{"ID":`+text+`}`), &got); err == nil {
			t.Errorf("%s is taken for %q", text, got.ID)
		}
	}
}

// Whatever can be written is read back as the same amount, and what cannot be
// written exactly is not written.
func TestAmountsSurviveTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(scales).Draw(t, "scale")
		m := money.Of(rapid.Int64Range(-1000, money.MaxMinor+1000).Draw(t, "minor"), s.currency)
		if rapid.Bool().Draw(t, "whole") {
			m.Minor -= m.Minor % 100
		}
		text, err := s.toWire(m)
		if fits := m.Minor > 0 && m.Minor <= money.MaxMinor && m.Minor%s.smallest() == 0; fits != (err == nil) {
			t.Fatalf("%v is written %q, %v", m, text, err)
		}
		if err != nil {
			return
		}
		if b, err := json.Marshal(text); err != nil || string(b) != string(text) {
			t.Fatalf("%q is no JSON number: %s, %v", text, b, err)
		}
		if back, err := s.fromWire(text); err != nil || back != m {
			t.Fatalf("%v is written %q and read %v, %v", m, text, back, err)
		}
	})
}

func TestAmountsAsTheyAreWritten(t *testing.T) {
	for m, want := range map[money.Money]json.Number{
		money.Of(100_00, "TWD"): "100", money.Of(1_00, "TWD"): "1", money.Of(12_34, "THB"): "12.34", money.Of(12_30, "THB"): "12.30",
		money.Of(12_00, "THB"): "12", money.Of(5, "THB"): "0.05",
	} {
		s, _ := scaleOf(m.Currency)
		if got, err := s.toWire(m); err != nil || got != want {
			t.Errorf("%v is written %q, %v; want %q", m, got, err, want)
		}
	}
	for text, want := range map[json.Number]int64{"100": 100_00, "100.0": 100_00, "100.00": 100_00, "0": 0, "12.3": 12_30, "12.34": 12_34, "12.340": 12_34} {
		s, _ := scaleOf("THB")
		if got, err := s.fromWire(text); err != nil || got.Minor != want {
			t.Errorf("%s is read %v, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []json.Number{"", "-1", "1e2", "1.", ".5", "1.005", "+1", "1,000", " 1", "0x10", "1.2.3", "90071992547410", "99999999999999999999"} {
		s, _ := scaleOf("THB")
		if got, err := s.fromWire(text); err == nil {
			t.Errorf("%q is read %v", text, got)
		}
	}
	if _, ok := scaleOf("JPY"); ok {
		t.Error("there is no LINE Pay in Japan")
	}
}

// No answer of a stranger's makes us fall over, and no sale is read without
// money that is ours to read.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		shown(), none, code("0110"), `{"returnCode":"0000","info":{"transactionId":17,"paymentUrl":{"web":"https://p.test","app":"line://x"}}}`,
		`{"returnCode":"0000","info":{"transactionId":"17","orderId":"x","payInfo":[{"amount":"1"}]}}`, `{"returnCode":"0000","info":null}`, `[]`, ``,
		shown(`"refundList":[]`, `"refundList":[{"refundTransactionId":5,"refundAmount":-40}]`),
	} {
		f.Add([]byte(body))
	}
	s, _ := scaleOf("TWD")
	a := &Adapter{config: Config{Currency: "TWD"}, scale: s}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, failed := judge(body, true)
		if failed != nil {
			if got.Code != "" || failed.cause == nil {
				t.Errorf("a failure with code %q and cause %v", got.Code, failed.cause)
			}
			return
		}
		at := attempt()
		if sale, found, err := a.pick(got.Info, at.Ref, ""); found && err == nil && (sale.amount.Minor <= 0 || sale.refunded.Minor < 0 || !transaction(sale.id)) {
			t.Errorf("read a sale %+v", sale)
		}
		if taken, ok := a.confirmed(at, got.Info); ok && taken.Minor <= 0 {
			t.Errorf("confirmed %v", taken)
		}
		if obs, ok := opened(at, got.Info, noon); ok && (!transaction(obs.ProviderID) || obs.Next.RedirectURL == "") {
			t.Errorf("opened %+v", obs)
		}
	})
}
