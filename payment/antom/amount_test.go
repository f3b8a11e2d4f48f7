package antom

import (
	"encoding/json"
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
)

// Antom counts in the smallest unit of a currency (ISO 4217), as package money
// does: what is written is the number that is kept, for every currency.
func TestAmountsAsAntomWantsThem(t *testing.T) {
	for m, want := range map[money.Money]amount{
		money.Of(1, "CNY"): {"CNY", "1"}, money.Of(1980, "CNY"): {"CNY", "1980"}, money.Of(30_000_000, "CNY"): {"CNY", "30000000"},
		money.Of(1980, "JPY"): {"JPY", "1980"}, money.Of(5_000_000, "THB"): {"THB", "5000000"},
	} {
		if got, err := toAmount(m); err != nil || got != want {
			t.Errorf("%v is %v, %v; want %v", m, got, err, want)
		}
	}
	for _, m := range []money.Money{
		money.Of(0, "CNY"), money.Of(-1, "CNY"), money.Of(1980, "USD"), money.Of(1, "cny"), money.Of(100, money.Points), money.Of(money.MaxMinor+1, "CNY"), {},
	} {
		if got, err := toAmount(m); err == nil {
			t.Errorf("%v is %v, want an error", m, got)
		}
	}
	for _, m := range methods {
		if d := money.Decimals(m.currency); (m.currency == "JPY") != (d == 0) || m.currency != "JPY" && d != 2 {
			t.Errorf("%s has %d decimals in package money", m.currency, d)
		}
	}
}

func TestAmountsAsAntomWritesThem(t *testing.T) {
	for _, text := range []string{
		`{"currency":"CNY"}`, `{"currency":"CNY","value":""}`, `{"currency":"CNY","value":"19.80"}`, `{"currency":"CNY","value":1980}`,
		`{"currency":"CNY","value":"-1"}`, `{"currency":"CNY","value":"+1"}`, `{"currency":"CNY","value":"1e2"}`, `{"currency":"CNY","value":"1,000"}`,
		`{"currency":"CNY","value":" 1"}`, `{"currency":"CNY","value":"007"}`, `{"currency":"CNY","value":"１２"}`, `{"currency":"CNY","value":"9007199254740992"}`,
		`{"currency":"CNY","value":"99999999999999999999"}`, `{"currency":"USD","value":"1"}`, `{"currency":"cny","value":"1"}`, `{"value":"1"}`, `null`, `[]`,
	} {
		var a *amount
		if json.Unmarshal([]byte(text), &a) != nil {
			continue
		}
		if got, err := a.money(); err == nil {
			t.Errorf("%s is %v, want an error", text, got)
		}
	}
	if got, err := (&amount{"JPY", "0"}).money(); err != nil || got != money.Of(0, "JPY") {
		t.Errorf("nothing is %v, %v", got, err)
	}
}

// Every amount goes to Antom and back unchanged: the digits are those of the
// number that is kept, so there is no place for a factor.
func TestAmountsRoundTrip(t *testing.T) {
	form := regexp.MustCompile(`^[1-9][0-9]*$`)
	rapid.Check(t, func(t *rapid.T) {
		m := money.Of(rapid.Int64Range(1, money.MaxMinor).Draw(t, "minor"), rapid.SampledFrom([]money.Currency{"CNY", "JPY", "THB"}).Draw(t, "currency"))
		out, err := toAmount(m)
		if err != nil || !form.MatchString(out.Value) {
			t.Fatalf("%v went out as %v, %v", m, out, err)
		}
		text, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		var in *amount
		if err := json.Unmarshal(text, &in); err != nil {
			t.Fatal(err)
		}
		if back, err := in.money(); err != nil || back != m {
			t.Fatalf("%v came back as %v, %v", m, back, err)
		}
	})
}
