package locale

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
)

// each is one text in every language, in the order of All.
type each [5]string

func (e each) check(t *testing.T, what string, say func(Language) string) {
	t.Helper()
	for i, l := range All {
		if got := say(l); got != e[i] {
			t.Errorf("%s in %s: %q, want %q", what, l, got, e[i])
		}
	}
}

func TestMoney(t *testing.T) {
	for _, tt := range []struct {
		m    money.Money
		want each
	}{
		{money.Of(1980, "JPY"), each{"¥1,980", "1,980日元", "1,980日圓", "1,980円", "1,980엔"}},
		{money.Of(-1980, "JPY"), each{"−¥1,980", "−1,980日元", "−1,980日圓", "−1,980円", "−1,980엔"}},
		{money.Of(6500, "CNY"), each{"CN¥65.00", "65.00元", "CN¥65.00", "65.00人民元", "CN¥65.00"}},
		{money.Of(1299, "USD"), each{"US$12.99", "US$12.99", "US$12.99", "US$12.99", "US$12.99"}},
		{money.Of(-5, "USD"), each{"−US$0.05", "−US$0.05", "−US$0.05", "−US$0.05", "−US$0.05"}},
		{money.Of(39000, "TWD"), each{"NT$390.00", "NT$390.00", "NT$390.00", "NT$390.00", "NT$390.00"}},
		{money.Of(7900, "HKD"), each{"HK$79.00", "HK$79.00", "HK$79.00", "HK$79.00", "HK$79.00"}},
		{money.Of(15000, "KRW"), each{"₩15,000", "₩15,000", "₩15,000", "₩15,000", "15,000원"}},
		{money.Of(120, money.Points), each{"120 points", "120 积分", "120 點", "120ポイント", "120포인트"}},
		{money.Of(1, money.Points), each{"1 point", "1 积分", "1 點", "1ポイント", "1포인트"}},
		{money.Of(-1, money.Points), each{"−1 point", "−1 积分", "−1 點", "−1ポイント", "−1포인트"}},
		{money.Of(0, "JPY"), each{"¥0", "0日元", "0日圓", "0円", "0엔"}},
		{money.Of(1234567, "EUR"), each{"EUR 12,345.67", "EUR 12,345.67", "EUR 12,345.67", "EUR 12,345.67", "EUR 12,345.67"}},
		{money.Money{}, each{"0", "0", "0", "0", "0"}},
	} {
		tt.want.check(t, tt.m.String(), func(l Language) string { return Money(l, tt.m) })
	}
	if got := Money("", money.Of(1980, "JPY")); got != "¥1,980" {
		t.Errorf("in no language: %q, want English", got)
	}
}

// Within one language no two currencies look alike, and different amounts of
// one never do.
func TestMoneyIsUnmistakable(t *testing.T) {
	currencies := []money.Currency{"JPY", "USD", "CNY", "TWD", "HKD", "KRW", "EUR", "KWD", money.Points}
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(All).Draw(t, "language")
		some := rapid.Int64Range(-money.MaxMinor, money.MaxMinor)
		a := money.Of(some.Draw(t, "a"), rapid.SampledFrom(currencies).Draw(t, "of a"))
		b := money.Of(some.Draw(t, "b"), rapid.SampledFrom(currencies).Draw(t, "of b"))
		if (Money(l, a) == Money(l, b)) != (a == b) {
			t.Fatalf("%s: %s is %s, %s is %s", l, a, Money(l, a), b, Money(l, b))
		}
		// Without signs and separators it is still the exact amount.
		plain := strings.Map(func(r rune) rune {
			switch {
			case r >= '0' && r <= '9' || r == '.':
				return r
			case r == '−':
				return '-'
			}
			return -1
		}, Money(l, a))
		if back, err := money.Parse(plain, a.Currency); err != nil || back != a {
			t.Fatalf("%s is written %q, which reads back as %v, %v", a, Money(l, a), back, err)
		}
	})
	for _, l := range All {
		seen := map[string]money.Currency{}
		for _, c := range currencies {
			text := Money(l, money.Of(0, c))
			look := strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), "0", "")
			if other, ok := seen[look]; ok {
				t.Errorf("%s: %s and %s both look like %q", l, c, other, look)
			}
			seen[look] = c
		}
	}
}

func TestData(t *testing.T) {
	const (
		dec = 1_000_000_000
		bin = 1 << 30
	)
	for _, tt := range []struct {
		name       string
		bytes, gb  int64
		size, left string
	}{
		{"nothing", 0, dec, "0 MB", "0 MB"},
		{"a little", 499, dec, "0 KB", "0 KB"},
		{"a little more", 500, dec, "1 KB", "0 KB"},
		{"kilobytes", 350_900, dec, "351 KB", "350 KB"},
		{"megabytes", 350_000_000, dec, "350 MB", "350 MB"},
		{"a half", 350_500_000, dec, "351 MB", "350 MB"},
		{"kilobytes that round to a megabyte", 999_500, dec, "1 MB", "999 KB"},
		{"megabytes that round to a gigabyte", 999_500_000, dec, "1 GB", "999 MB"},
		{"just below a gigabyte", 999_499_999, dec, "999 MB", "999 MB"},
		{"a gigabyte", dec, dec, "1 GB", "1 GB"},
		{"one and a half", 1_500_000_000, dec, "1.5 GB", "1.5 GB"},
		{"a half of a tenth", 1_550_000_000, dec, "1.6 GB", "1.5 GB"},
		{"tenths that round to one", 1_950_000_000, dec, "2 GB", "1.9 GB"},
		{"3 GB less one byte", 3*dec - 1, dec, "3 GB", "2.9 GB"},
		{"thousands", 1234 * dec, dec, "1,234 GB", "1,234 GB"},
		{"the operator's GB is binary", bin, bin, "1 GB", "1 GB"},
		{"a decimal GB at a binary operator", dec, bin, "954 MB", "953 MB"},
		{"a binary GB at a decimal operator", bin, dec, "1.1 GB", "1 GB"},
		{"binary megabytes", 1023 << 20, bin, "1,023 MB", "1,023 MB"},
		{"binary half", 3 << 29, bin, "1.5 GB", "1.5 GB"},
		{"less than nothing is not left", -1_500_000_000, dec, "−1.5 GB", "0 MB"},
		{"the most there can be", math.MaxInt64, dec, "9,223,372,036.9 GB", "9,223,372,036.8 GB"},
		{"the least there can be", math.MinInt64, dec, "−9,223,372,036.9 GB", "0 MB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Data(En, tt.bytes, tt.gb); got != tt.size {
				t.Errorf("Data(%d) = %q, want %q", tt.bytes, got, tt.size)
			}
			if got := DataLeft(En, tt.bytes, tt.gb); got != tt.left {
				t.Errorf("DataLeft(%d) = %q, want %q", tt.bytes, got, tt.left)
			}
		})
	}
	each{"1.5 GB", "1.5 GB", "1.5 GB", "1.5 GB", "1.5GB"}.check(t, "1.5 GB",
		func(l Language) string { return Data(l, 1_500_000_000, dec) })
}

// DataLeft never promises more than there is, and wastes less than the step of
// what it writes.
func TestDataLeftNeverPromisesMoreThanThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gb := rapid.SampledFrom([]int64{1e9, 1 << 30}).Draw(t, "gb")
		bytes := rapid.OneOf(rapid.Int64Range(0, 5*gb), rapid.Int64Range(0, 1<<60)).Draw(t, "bytes")
		said := DataLeft(En, bytes, gb)
		number, unit, _ := strings.Cut(strings.ReplaceAll(said, ",", ""), " ")
		whole, tenth, point := strings.Cut(number, ".")
		if !point {
			tenth = "0"
		}
		tenths, err := strconv.ParseInt(whole+tenth, 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", said, err)
		}
		step := int64(1000)
		if gb == 1<<30 {
			step = 1024
		}
		// In tenths of a byte, divided first so that nothing overflows.
		size := map[string]int64{"KB": gb / step / step, "MB": gb / step, "GB": gb}[unit]
		promised := tenths/10*size + tenths%10*size/10
		if promised > bytes || bytes-promised > size {
			t.Fatalf("%d bytes are said to be %s, which is %d", bytes, said, promised)
		}
	})
}

// An estimate has two digits, whatever the unit.
func TestDataAbout(t *testing.T) {
	for _, tt := range []struct {
		bytes, gb int64
		want      string
	}{
		{0, 1e9, "0 MB"},
		{-5e9, 1e9, "0 MB"},
		{870_499, 1e9, "870 KB"},
		{337_000_000, 1e9, "340 MB"},
		{23_400_000, 1e9, "23 MB"},
		{995_000_000, 1e9, "1 GB"},
		{6_140_000_000, 1e9, "6.1 GB"},
		{9_960_000_000, 1e9, "10 GB"},
		{26_400_000_000, 1e9, "26 GB"},
		{109_300_000_000, 1e9, "110 GB"},
		{82 << 30, 1 << 30, "82 GB"},
		{1 << 30, 1 << 30, "1 GB"},
		{1020 << 20, 1 << 30, "1 GB"},
		{109 << 30, 1 << 30, "110 GB"},
		{1<<63 - 1, 1 << 30, "8,600,000,000 GB"},
	} {
		if got := DataAbout(En, tt.bytes, tt.gb); got != tt.want {
			t.Errorf("%d bytes are about %s, want %s", tt.bytes, got, tt.want)
		}
	}
}

func TestDataPanicsForAnotherGB(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for a GB of 1000 bytes")
		}
	}()
	Data(En, 1, 1000)
}

func TestSpeed(t *testing.T) {
	for kbps, want := range map[int]string{
		0: "0 kbps", 128: "128 kbps", 999: "999 kbps", 1000: "1 Mbps", 1500: "1.5 Mbps", 1599: "1.5 Mbps", 10_000: "10 Mbps",
		2_000_000: "2,000 Mbps",
	} {
		if got := Speed(En, kbps); got != want {
			t.Errorf("Speed(%d) = %q, want %q", kbps, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", -1000: "−1,000", 100_000: "100,000", 1_234_567: "1,234,567",
		math.MinInt64: "−9,223,372,036,854,775,808",
	} {
		if got := Number(Ja, n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}
