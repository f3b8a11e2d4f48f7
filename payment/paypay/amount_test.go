package paypay

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Every amount that Limits take goes out as the digits the customer confirmed,
// and comes back unchanged: yen are never multiplied by a hundred.
func TestAmountsRoundTrip(t *testing.T) {
	limits := (&Adapter{}).Limits()
	rapid.Check(t, func(t *rapid.T) {
		m := money.Of(rapid.Int64Range(-1000, 2*maxYen).Draw(t, "minor"), rapid.SampledFrom([]money.Currency{"JPY", "USD", "TWD"}).Draw(t, "currency"))
		out, err := toYen(m)
		if (err == nil) != limits.Takes(payment.PayPay, m) {
			t.Fatalf("%v: error %v, and Limits take it: %t", m, err, err != nil)
		}
		if err != nil {
			return
		}
		text, err := json.Marshal(out)
		if err != nil || string(text) != `{"amount":`+m.Decimal()+`,"currency":"JPY"}` {
			t.Fatalf("%v goes out as %s, %v", m, text, err)
		}
		var in amount
		if err := json.Unmarshal(text, &in); err != nil {
			t.Fatal(err)
		}
		if back, err := in.money(); err != nil || back != m {
			t.Fatalf("%v came back as %v, %v", m, back, err)
		}
	})
}

func TestAmountsThatAreNoYen(t *testing.T) {
	for _, s := range []string{
		`null`, `{}`, `{"amount":100}`, `{"currency":"JPY"}`, `{"amount":0,"currency":"JPY"}`, `{"amount":-1,"currency":"JPY"}`,
		`{"amount":100.0,"currency":"JPY"}`, `{"amount":1e3,"currency":"JPY"}`, `{"amount":100,"currency":"USD"}`,
		`{"amount":100,"currency":"jpy"}`, `{"amount":100000000000,"currency":"JPY"}`, `{"amount":9223372036854775908,"currency":"JPY"}`,
	} {
		var a *amount
		if err := json.Unmarshal([]byte(s), &a); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if m, err := a.money(); err == nil {
			t.Errorf("%s is read as %v", s, m)
		}
	}
}
