package alipay

import (
	"encoding/json"
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
)

func TestAmountsAsAlipayWantsThem(t *testing.T) {
	for fen, want := range map[int64]string{1: "0.01", 10: "0.10", 100: "1.00", 1234: "12.34", 100_000_000_00: "100000000.00"} {
		if got, err := toYuan(money.Of(fen, "CNY")); err != nil || got != want {
			t.Errorf("toYuan(%d) = %q, %v; want %q", fen, got, err, want)
		}
	}
	for _, m := range []money.Money{money.Of(0, "CNY"), money.Of(-1, "CNY"), money.Of(1980, "JPY"), money.Of(1, "cny"), money.Of(100, money.Points), {}} {
		if got, err := toYuan(m); err == nil {
			t.Errorf("toYuan(%v) = %q, want an error", m, got)
		}
	}
}

func TestAmountsAsAlipayWritesThem(t *testing.T) {
	for text, want := range map[string]int64{
		`"12.34"`: 1234, `"12.3"`: 1230, `"12"`: 1200, `"0.00"`: 0, `"0.01"`: 1, `88.88`: 8888, `100.2`: 10020, `10`: 1000, `"007.50"`: 750,
	} {
		var y yuan
		err := json.Unmarshal([]byte(text), &y)
		got, err2 := fromYuan(y)
		if err != nil || err2 != nil || got != money.Of(want, "CNY") {
			t.Errorf("%s is %v, %v %v; want %d", text, got, err, err2, want)
		}
	}
	for _, text := range []string{
		`""`, `"."`, `".5"`, `"5."`, `"1.234"`, `"-1.00"`, `"+1.00"`, `"1,000.00"`, `"1e2"`, `1e2`, `-1`, `1.005`, `null`, `"12.34 "`, `"１２.00"`,
		`"90071992547409.92"`, `"99999999999999999999"`, `true`, `{}`,
	} {
		var y yuan
		if json.Unmarshal([]byte(text), &y) != nil {
			continue
		}
		if got, err := fromYuan(y); err == nil {
			t.Errorf("%s is %v, want an error", text, got)
		}
	}
}

// Every amount goes to Alipay and back unchanged, with two decimals on the way.
func TestAmountsRoundTrip(t *testing.T) {
	form := regexp.MustCompile(`^(0|[1-9][0-9]*)\.[0-9]{2}$`)
	rapid.Check(t, func(t *rapid.T) {
		m := money.Of(rapid.Int64Range(1, money.MaxMinor).Draw(t, "fen"), "CNY")
		s, err := toYuan(m)
		if err != nil || !form.MatchString(s) {
			t.Fatalf("%v went out as %q, %v", m, s, err)
		}
		for _, text := range []string{s, `"` + s + `"`} {
			var y yuan
			if err := json.Unmarshal([]byte(text), &y); err != nil {
				t.Fatal(err)
			}
			if back, err := fromYuan(y); err != nil || back != m {
				t.Fatalf("%v came back as %v, %v", m, back, err)
			}
		}
	})
}
