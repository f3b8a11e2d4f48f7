package money

import (
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/fault"
)

func TestAdd(t *testing.T) {
	tests := []struct {
		name string
		a, b Money
		want Money
		kind fault.Kind // zero: no error expected
	}{
		{name: "same currency", a: Of(150, "USD"), b: Of(-50, "USD"), want: Of(100, "USD")},
		{name: "no money is neutral before", a: Money{}, b: Of(5, "USD"), want: Of(5, "USD")},
		{name: "no money is neutral after", a: Of(5, "USD"), b: Money{}, want: Of(5, "USD")},
		{name: "zero of another currency is another currency", a: Of(0, "JPY"), b: Of(5, "USD"), kind: fault.Invalid},
		{name: "never converts", a: Of(1, "USD"), b: Of(1, "JPY"), kind: fault.Invalid},
		{name: "stays in range", a: Of(MaxMinor, "USD"), b: Of(1, "USD"), kind: fault.Invalid},
		{name: "stays in range below", a: Of(-MaxMinor, "USD"), b: Of(-1, "USD"), kind: fault.Invalid},
		{name: "reaches the limit", a: Of(MaxMinor-1, "USD"), b: Of(1, "USD"), want: Of(MaxMinor, "USD")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.a.Add(tt.b)
			if k := fault.KindOf(err); k != tt.kind {
				t.Fatalf("Add(%v, %v): error %v of kind %q, want kind %q", tt.a, tt.b, err, k, tt.kind)
			}
			if got != tt.want {
				t.Errorf("Add(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

// What is added and taken away again changes nothing.
func TestSubUndoesAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := Of(rapid.Int64Range(-MaxMinor/2, MaxMinor/2).Draw(t, "a"), "JPY"), Of(rapid.Int64Range(-MaxMinor/2, MaxMinor/2).Draw(t, "b"), "JPY")
		sum, err := a.Add(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := sum.Sub(b)
		if err != nil || back != a {
			t.Fatalf("%v + %v - %v = %v, %v", a, b, b, back, err)
		}
	})
}

func TestCmp(t *testing.T) {
	for _, tt := range []struct {
		a, b Money
		want int
	}{
		{Of(1, "JPY"), Of(2, "JPY"), -1},
		{Of(2, "JPY"), Of(2, "JPY"), 0},
		{Of(2, "JPY"), Of(-2, "JPY"), 1},
		{Money{}, Of(-2, "JPY"), 1},
		{Of(0, "JPY"), Money{}, 0},
	} {
		if got := tt.a.Cmp(tt.b); got != tt.want {
			t.Errorf("%v.Cmp(%v) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestPanicsOnBugs(t *testing.T) {
	for name, call := range map[string]func(){
		"compare two currencies":    func() { Of(1, "JPY").Cmp(Of(1, "USD")) },
		"compare with another zero": func() { Of(1, "JPY").Cmp(Of(0, "USD")) },
		"split into nothing":        func() { Of(1, "JPY").Split(0) },
		"allocate to nobody":        func() { Of(1, "JPY").Allocate(nil) },
		"allocate by no weight":     func() { Of(1, "JPY").Allocate([]int64{0, 0}) },
		"allocate by debt":          func() { Of(1, "JPY").Allocate([]int64{2, -1}) },
		"divide by nothing":         func() { DivRound(1, 0, Down) },
		"divide by less":            func() { DivRound(1, -1, Down) },
		"round somehow":             func() { DivRound(1, 1, "") },
		"decimals of nothing known": func() { Decimals("ABC") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

// Splitting conserves money, is as even as whole minor units allow, and gives
// the larger parts first.
func TestSplitConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := someMoney(t)
		parts := m.Split(rapid.IntRange(1, 1000).Draw(t, "n"))
		var sum Money
		for i, p := range parts {
			sum = mustAdd(t, sum, p)
			if p.Currency != m.Currency {
				t.Fatalf("a part of %v is %v", m, p)
			}
			if step := magnitude(parts[0]) - magnitude(p); step < 0 || step > 1 || i > 0 && magnitude(p) > magnitude(parts[i-1]) {
				t.Fatalf("%v split into %v", m, parts)
			}
		}
		if sum != m {
			t.Fatalf("parts sum to %v, want %v", sum, m)
		}
	})
}

func TestAllocate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		m       int64
		weights []int64
		want    []int64
	}{
		{"in proportion", 100, []int64{1, 3}, []int64{25, 75}},
		{"the largest remainder gets the rest", 100, []int64{1, 1, 4}, []int64{17, 17, 66}},
		{"of equal remainders the first", 100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{"a refund falls apart like its sale", -100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{"no weight, no money", 100, []int64{0, 7, 0}, []int64{0, 100, 0}},
		{"less money than parts", 2, []int64{1, 1, 1}, []int64{1, 1, 0}},
		{"no money", 0, []int64{1, 2}, []int64{0, 0}},
		{"one", -7, []int64{9}, []int64{-7}},
		{"weights whose sum does not fit", MaxMinor, []int64{1<<63 - 1, 1<<63 - 1, 2}, []int64{4503599627370496, 4503599627370495, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []int64
			for _, p := range Of(tt.m, "JPY").Allocate(tt.weights) {
				got = append(got, p.Minor)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Allocate(%v) (-want +got):\n%s", tt.weights, diff)
			}
		})
	}
}

// Allocating conserves money, no part is a whole minor unit away from its exact
// share, and of equal weights the earlier never gets less.
func TestAllocateConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := someMoney(t)
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 10), rapid.Int64Range(0, 1<<62)), 1, 40).Draw(t, "weights")
		total := new(big.Int)
		for _, w := range weights {
			total.Add(total, big.NewInt(w))
		}
		if total.Sign() == 0 {
			t.Skip("no weight")
		}
		var sum Money
		last := map[int64]Money{} // part by weight
		for i, p := range m.Allocate(weights) {
			sum = mustAdd(t, sum, p)
			if before, ok := last[weights[i]]; ok && magnitude(before) < magnitude(p) {
				t.Fatalf("part %d of %v by %v is %v, an earlier one %v", i, m, weights, p, before)
			}
			last[weights[i]] = p
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(weights[i])), total)
			off := exact.Sub(exact, new(big.Rat).SetInt64(p.Minor))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("part %d of %v by %v is %v, off by %v", i, m, weights, p, off)
			}
		}
		if sum != m {
			t.Fatalf("parts sum to %v, want %v", sum, m)
		}
	})
}

// With many parts, too, the rest goes to the first of equal remainders: 50 by
// twenty times 1, 2 leaves 30, of which each 1 gets one, and the first ten 2s.
func TestAllocateFavoursTheFirstOfMany(t *testing.T) {
	want := slices.Concat(slices.Repeat([]int64{1, 2}, 10), slices.Repeat([]int64{1, 1}, 10))
	var got []int64
	for _, p := range Of(50, "JPY").Allocate(slices.Repeat([]int64{1, 2}, 20)) {
		got = append(got, p.Minor)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Allocate (-want +got):\n%s", diff)
	}
}

// Equal weights are a split: of equal remainders the earlier ones get the rest.
func TestAllocateEvenlyIsSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := someMoney(t)
		n := rapid.IntRange(1, 100).Draw(t, "n")
		evenly := slices.Repeat([]int64{rapid.Int64Range(1, 1<<62).Draw(t, "weight")}, n)
		if diff := cmp.Diff(m.Split(n), m.Allocate(evenly)); diff != "" {
			t.Fatalf("Split and Allocate differ (-split +allocate):\n%s", diff)
		}
	})
}

func TestValidate(t *testing.T) {
	for m, want := range map[Money]fault.Kind{
		Of(MaxMinor, "JPY"):    "",
		Of(-MaxMinor, Points):  "",
		Of(MaxMinor+1, "JPY"):  fault.Invalid,
		Of(-MaxMinor-1, "JPY"): fault.Invalid,
		Of(1, "jpy"):           fault.Invalid,
		{}:                     fault.Invalid,
	} {
		if err := m.Validate(); fault.KindOf(err) != want {
			t.Errorf("Validate(%v) = %v, want kind %q", m, err, want)
		}
	}
}

var someCurrency = rapid.SampledFrom([]Currency{"JPY", "USD", "CNY", "TWD", "HKD", "KRW", "KWD", "CLF", Points})

func someMoney(t *rapid.T) Money {
	minor := rapid.OneOf(rapid.Int64Range(-200, 200), rapid.Int64Range(-MaxMinor, MaxMinor)).Draw(t, "minor")
	return Of(minor, someCurrency.Draw(t, "currency"))
}

func mustAdd(t *rapid.T, a, b Money) Money {
	sum, err := a.Add(b)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func magnitude(m Money) int64 { return max(m.Minor, -m.Minor) }
