package money

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/fault"
)

func TestDivRound(t *testing.T) {
	for _, tt := range []struct {
		num, den         int64
		down, halfUp, up int64
	}{
		{10, 5, 2, 2, 2},
		{11, 5, 2, 2, 3},
		{14, 5, 2, 3, 3},
		{5, 2, 2, 3, 3},
		{-5, 2, -2, -3, -3},
		{-11, 5, -2, -2, -3},
		{-14, 5, -2, -3, -3},
		{0, 7, 0, 0, 0},
		{1, math.MaxInt64, 0, 0, 1},
		{-1, 3, 0, 0, -1},
		{math.MaxInt64, 2, math.MaxInt64 / 2, math.MaxInt64/2 + 1, math.MaxInt64/2 + 1},
		{math.MinInt64, 1, math.MinInt64, math.MinInt64, math.MinInt64},
	} {
		for r, want := range map[Rounding]int64{Down: tt.down, HalfUp: tt.halfUp, Up: tt.up} {
			if got := DivRound(tt.num, tt.den, r); got != want {
				t.Errorf("DivRound(%d, %d, %s) = %d, want %d", tt.num, tt.den, r, got, want)
			}
		}
	}
}

func TestShare(t *testing.T) {
	for _, tt := range []struct {
		name     string
		m        Money
		num, den int64
		r        Rounding
		want     int64
	}{
		{"Japan's tax within a price", Of(1980, "JPY"), 10, 110, Down, 180},
		{"tax on top, rounded down", Of(999, "JPY"), 10, 100, Down, 99},
		{"a refund of it", Of(-999, "JPY"), 10, 100, Down, -99},
		{"price per day", Of(1980, "JPY"), 1, 7, HalfUp, 283},
		{"points never round up", Of(1999, "USD"), 1, 100, Down, 19},
		{"more than all", Of(100, "JPY"), 3, 2, Down, 150},
		{"the other way", Of(100, "JPY"), -1, 3, Up, -34},
		{"nothing of it", Of(100, "JPY"), 0, 3, Up, 0},
		{"beyond 64 bits on the way", Of(MaxMinor, "JPY"), math.MaxInt64, math.MaxInt64, Up, MaxMinor},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.m.Share(tt.num, tt.den, tt.r)
			if err != nil || got != Of(tt.want, tt.m.Currency) {
				t.Errorf("%d/%d of %v = %v, %v; want %d", tt.num, tt.den, tt.m, got, err, tt.want)
			}
		})
	}
	if got, err := Of(MaxMinor, "JPY").Share(2, 1, Down); fault.KindOf(err) != fault.Invalid {
		t.Errorf("twice the most = %v, %v; want it refused as invalid", got, err)
	}
}

// A share is off by less than one minor unit, to the side that its rounding
// says, mirrors for refunds, and never panics.
func TestShareIsExactButForTheRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := someMoney(t)
		num := rapid.OneOf(rapid.Int64Range(-300, 300), rapid.Int64()).Draw(t, "num")
		den := rapid.OneOf(rapid.Int64Range(1, 300), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "den")
		r := rapid.SampledFrom([]Rounding{Down, HalfUp, Up}).Draw(t, "rounding")
		got, err := m.Share(num, den, r)
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(num)), big.NewInt(den))
		magnitude := new(big.Rat).Abs(exact)
		if err != nil {
			if magnitude.Cmp(big.NewRat(MaxMinor, 1)) < 0 && magnitude.Cmp(big.NewRat(MaxMinor-1, 1)) <= 0 {
				t.Fatalf("%d/%d of %v = %v is refused: %v", num, den, m, exact, err)
			}
			return
		}
		mirrored, err := m.Neg().Share(num, den, r)
		if err != nil || mirrored != got.Neg() {
			t.Fatalf("%d/%d of %v = %v, but of %v = %v, %v", num, den, m, got, m.Neg(), mirrored, err)
		}
		// How much further from zero than exact.
		off := new(big.Rat).Abs(new(big.Rat).SetInt64(got.Minor))
		off.Sub(off, magnitude)
		lo, hi := big.NewRat(-1, 1), big.NewRat(1, 1)
		switch r {
		case Down:
			hi = new(big.Rat)
		case Up:
			lo = new(big.Rat)
		case HalfUp:
			lo, hi = big.NewRat(-1, 2), big.NewRat(1, 2)
		}
		if off.Cmp(lo) < 0 || off.Cmp(hi) > 0 || off.Cmp(big.NewRat(-1, 1)) == 0 || off.Cmp(big.NewRat(1, 1)) == 0 {
			t.Fatalf("%d/%d of %v rounded %s = %v, exact %v", num, den, m, r, got, exact)
		}
	})
}

func rate(from, to Currency, num, den int64) Rate {
	return Rate{from, to, num, den, "European Central Bank", "2026-03-02"}
}

func TestConvert(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    Money
		rate Rate
		r    Rounding
		want Money
	}{
		{"dollars to yen", Of(1299, "USD"), rate("USD", "JPY", 14925, 100), HalfUp, Of(1939, "JPY")}, // 1938.7575
		{"dollars to yen, down", Of(1299, "USD"), rate("USD", "JPY", 14925, 100), Down, Of(1938, "JPY")},
		{"yen to dollars", Of(1980, "JPY"), rate("JPY", "USD", 100, 14925), Up, Of(1327, "USD")}, // 13.2663
		{"a refund", Of(-1980, "JPY"), rate("JPY", "USD", 100, 14925), Up, Of(-1327, "USD")},
		{"two and two decimals", Of(100, "USD"), rate("USD", "CNY", 71234, 10000), HalfUp, Of(712, "CNY")},
		{"three decimals to none", Of(1000, "KWD"), rate("KWD", "KRW", 4500, 1), Down, Of(4500, "KRW")},
		{"nothing", Of(0, "USD"), rate("USD", "JPY", 150, 1), Up, Of(0, "JPY")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.rate.Convert(tt.m, tt.r)
			if err != nil || got != tt.want {
				t.Errorf("Convert(%v) = %v, %v; want %v", tt.m, got, err, tt.want)
			}
		})
	}
}

func TestConvertRefuses(t *testing.T) {
	good := rate("USD", "JPY", 150, 1)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	if got, err := good.Convert(Of(1, "JPY"), Down); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the other way round = %v, %v; want it refused as invalid", got, err)
	}
	if got, err := good.Convert(Of(MaxMinor, "USD"), Down); fault.KindOf(err) != fault.Invalid {
		t.Errorf("more than the most = %v, %v; want it refused as invalid", got, err)
	}
	for name, change := range map[string]func(*Rate){
		"no source":        func(r *Rate) { r.Source = "" },
		"no date":          func(r *Rate) { r.Date = "" },
		"no such date":     func(r *Rate) { r.Date = "2026-02-30" },
		"nothing":          func(r *Rate) { r.Numerator = 0 },
		"by nothing":       func(r *Rate) { r.Denominator = 0 },
		"negative":         func(r *Rate) { r.Numerator = -1 },
		"the same twice":   func(r *Rate) { r.To = "USD" },
		"points":           func(r *Rate) { r.To = Points },
		"from points":      func(r *Rate) { r.From = Points },
		"unknown currency": func(r *Rate) { r.To = "ABC" },
		"no currency":      func(r *Rate) { r.From = "" },
	} {
		bad := good
		change(&bad)
		if err := bad.Validate(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a rate with %s: %v, want it refused as invalid", name, err)
		}
		if got, err := bad.Convert(Of(100, bad.From), Down); fault.KindOf(err) != fault.Invalid {
			t.Errorf("converting with %s = %v, %v; want it refused as invalid", name, got, err)
		}
	}
}

// No rate and no amount makes Convert panic, and what it returns can be stored.
func TestConvertStaysInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := someMoney(t)
		positive := rapid.OneOf(rapid.Int64Range(1, 100_000), rapid.Int64Range(1, math.MaxInt64))
		r := rate(m.Currency, someCurrency.Draw(t, "to"), positive.Draw(t, "numerator"), positive.Draw(t, "denominator"))
		got, err := r.Convert(m, HalfUp)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		if err := got.Validate(); err != nil || got.Currency != r.To {
			t.Fatalf("%v by %v = %v, %v", m, r, got, err)
		}
	})
}

func TestRoundings(t *testing.T) {
	for r, want := range map[Rounding]fault.Kind{Down: "", HalfUp: "", Up: "", "": fault.Invalid, "half_even": fault.Invalid} {
		if err := r.Validate(); fault.KindOf(err) != want {
			t.Errorf("Validate(%q) = %v, want kind %q", r, err, want)
		}
	}
}
