package money

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/fault"
)

func TestDecimals(t *testing.T) {
	for c, want := range map[Currency]int{
		"JPY": 0, "KRW": 0, "USD": 2, "CNY": 2, "TWD": 2, "HKD": 2, "EUR": 2, "KWD": 3, "CLF": 4, Points: 0, "": 0,
	} {
		if got := Decimals(c); got != want {
			t.Errorf("Decimals(%q) = %d, want %d", c, got, want)
		}
	}
}

func TestCurrencies(t *testing.T) {
	for _, c := range []Currency{"JPY", "USD", "CNY", "TWD", "HKD", "KRW", "EUR", Points} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}
	for _, c := range []Currency{"", "jpy", "Jpy", "ABC", "XXX", "XTS", "US", "USDX", "¥", "RMB", " JPY"} {
		if err := c.Validate(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v, want it refused as invalid", c, err)
		}
	}
}

func TestDecimal(t *testing.T) {
	for m, want := range map[Money]string{
		Of(1299, "USD"):      "12.99",
		Of(1200, "USD"):      "12.00",
		Of(5, "USD"):         "0.05",
		Of(-5, "USD"):        "-0.05",
		Of(-1299, "USD"):     "-12.99",
		Of(0, "USD"):         "0.00",
		Of(1980, "JPY"):      "1980",
		Of(-1980, "JPY"):     "-1980",
		Of(0, "JPY"):         "0",
		Of(7, "KWD"):         "0.007",
		Of(120, Points):      "120",
		Of(MaxMinor, "USD"):  "90071992547409.91",
		Of(-MaxMinor, "KRW"): "-9007199254740991",
	} {
		if got := m.Decimal(); got != want {
			t.Errorf("%v is %q, want %q", m, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		s    string
		c    Currency
		want int64
	}{
		{"12.99", "USD", 1299},
		{"12.9", "USD", 1290},
		{"12", "USD", 1200},
		{"12.990", "USD", 1299},
		{"0.05", "USD", 5},
		{"-0.05", "USD", -5},
		{"-0", "USD", 0},
		{"1980", "JPY", 1980},
		{"1980.00", "JPY", 1980},
		{"90071992547409.91", "USD", MaxMinor},
		{"-9007199254740991", "JPY", -MaxMinor},
	} {
		got, err := Parse(tt.s, tt.c)
		if err != nil || got != Of(tt.want, tt.c) {
			t.Errorf("Parse(%q, %s) = %v, %v; want %d", tt.s, tt.c, got, err, tt.want)
		}
	}
	for _, s := range []string{
		"", "-", ".", "12.", ".5", "+1", " 1", "1 ", "1,000", "1'000", "1e3", "0x1", "012", "00", "--1", "1.2.3", "1.-2", "NaN", "1_0",
		"12.999", "0.001", "¥12", "12 USD", "１２", "٣", "90071992547409.92", "9999999999999999999999", strings.Repeat("1", 1_000_000),
		"0." + strings.Repeat("0", 1_000_000),
	} {
		if got, err := Parse(s, "USD"); fault.KindOf(err) != fault.Invalid || got != (Money{}) {
			t.Errorf("Parse(%.40q) = %v, %v; want it refused as invalid", s, got, err)
		}
	}
	for c, s := range map[Currency]string{"JPY": "12.5", Points: "0.1", "ABC": "1", "": "1"} {
		if got, err := Parse(s, c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Parse(%q, %q) = %v, %v; want it refused as invalid", s, c, got, err)
		}
	}
}

// What Decimal writes, Parse reads back.
func TestDecimalReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := someMoney(t)
		if got, err := Parse(m.Decimal(), m.Currency); err != nil || got != m {
			t.Fatalf("%v is written %q and read as %v, %v", m, m.Decimal(), got, err)
		}
	})
}

// Whatever is read as an amount is within range, and its own writing is read
// as the same amount.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"12.99", "-0.05", "1980", "1980.00", "012", "1e3", "", "-", ".", "9007199254740992"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []Currency{"JPY", "USD", "KWD"} {
			m, err := Parse(s, c)
			if err != nil {
				continue
			}
			if err := m.Validate(); err != nil {
				t.Errorf("Parse(%q, %s) = %v: %v", s, c, m, err)
			}
			if again, err := Parse(m.Decimal(), c); err != nil || again != m {
				t.Errorf("%q is %v, written %q, read as %v, %v", s, m, m.Decimal(), again, err)
			}
		}
	})
}
