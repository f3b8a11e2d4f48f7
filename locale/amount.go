package locale

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// minus is the sign of negative amounts; a hyphen breaks lines and is too short.
const minus = "−"

// Number writes n with the language's groups of digits: "1,234,567".
func Number(l Language, n int64) string { return grouped(l, strconv.FormatInt(n, 10)) }

// grouped puts separators into a decimal text and replaces its hyphen. All our
// languages group by threes with a comma and have a decimal point; a test asks
// CLDR.
func grouped(_ Language, decimal string) string {
	unsigned, negative := strings.CutPrefix(decimal, "-")
	whole, fraction, point := strings.Cut(unsigned, ".")
	var b strings.Builder
	if negative {
		b.WriteString(minus)
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if point {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// signs are the currencies we price in, with # for the digits: what natives
// expect where that is unmistakable in a shop with all of them. In Chinese,
// Japanese and Korean the home currency's own word follows the digits, and so
// does the word for yen.
var signs = map[money.Currency]words{
	"JPY": {"¥#", "#日元", "#日圓", "#円", "#엔"},
	"CNY": {"CN¥#", "#元", "CN¥#", "#人民元", "CN¥#"},
	"USD": {"US$#", "US$#", "US$#", "US$#", "US$#"},
	"TWD": {"NT$#", "NT$#", "NT$#", "NT$#", "NT$#"},
	"HKD": {"HK$#", "HK$#", "HK$#", "HK$#", "HK$#"},
	"KRW": {"₩#", "₩#", "₩#", "₩#", "#원"},

	money.Points: {"# points", "# 积分", "# 點", "#ポイント", "#포인트"},
}

// Money writes an amount with its currency: "¥1,980" for 1980 JPY in English,
// "1,980円" in Japanese, "−US$12.99" for -1299 USD, "120 points". No two
// currencies look alike in one language. Others than those we price in have
// their code: "EUR 12.99". The zero Money is "0".
func Money(l Language, m money.Money) string {
	digits, sign := grouped(l, m.Decimal()), ""
	if m.Minor < 0 {
		digits, sign = strings.TrimPrefix(digits, minus), minus
	}
	pattern := signs[m.Currency].in(l)
	switch {
	case m.Currency == "":
		pattern = "#"
	case pattern == "":
		pattern = string(m.Currency) + " #"
	case m.Currency == money.Points && plural(l, m.Minor) == one:
		pattern = "# point"
	}
	return sign + strings.Replace(pattern, "#", digits, 1)
}

// Data writes an amount of data: "1.5 GB", "350 MB". gb is how many bytes the
// operator calls a GB, 1e9 or 1<<30; its MB is 1e6 or 1<<20 accordingly. GB
// have one decimal unless it is 0, smaller units none; a half is rounded away
// from zero. It panics for another gb: that is a bug.
func Data(l Language, bytes, gb int64) string {
	if bytes < 0 {
		return minus + data(l, -max(bytes, -math.MaxInt64), gb, money.HalfUp, exactly)
	}
	return data(l, bytes, gb, money.HalfUp, exactly)
}

// DataAbout writes an estimate of an amount of data, like [Data] but with two
// digits: what is only likely should not look measured. Less than nothing is
// nothing.
func DataAbout(l Language, bytes, gb int64) string {
	return data(l, max(bytes, 0), gb, money.HalfUp, twoDigits)
}

// DataLeft writes what is left of an amount of data, like [Data] but rounded
// down, so that more is never promised than there is. Less than nothing is
// nothing.
func DataLeft(l Language, bytes, gb int64) string {
	return data(l, max(bytes, 0), gb, money.Down, exactly)
}

func exactly(n int64) int64 { return n }

// twoDigits rounds n, which is not negative, to its first two digits.
func twoDigits(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return money.DivRound(n, unit, money.HalfUp) * unit
}

// data writes an amount. digits says how many of its digits count.
func data(l Language, bytes, gb int64, r money.Rounding, digits func(int64) int64) string {
	var step int64
	switch gb {
	case 1e9:
		step = 1000
	case 1 << 30:
		step = 1024
	default:
		panic(fmt.Sprintf("locale: a GB of %d bytes", gb))
	}
	mb, kb := gb/step, gb/step/step
	// Each unit is left for the next when rounding would fill it: 999.6 MB are 1 GB.
	fits := func(n int64) bool { return n < step && (digits(n) == n || digits(n) < 1000) }
	if n := money.DivRound(bytes, kb, r); bytes > 0 && fits(n) {
		return unit(l, Number(l, digits(n)), "KB")
	}
	if n := money.DivRound(bytes, mb, r); fits(n) {
		return unit(l, Number(l, digits(n)), "MB")
	}
	tenths := digits(bytes/gb*10 + money.DivRound(bytes%gb*10, gb, r))
	return unit(l, decimalOfTenths(l, tenths), "GB")
}

// Speed writes a speed of kbps thousand bits a second: "128 kbps", "1.5 Mbps".
// Megabits have one decimal unless it is 0, rounded down.
func Speed(l Language, kbps int) string {
	if kbps < 1000 {
		return unit(l, Number(l, int64(kbps)), "kbps")
	}
	return unit(l, decimalOfTenths(l, int64(kbps)/100), "Mbps")
}

func decimalOfTenths(l Language, tenths int64) string {
	s := Number(l, tenths/10)
	if tenths%10 != 0 {
		s += "." + strconv.FormatInt(tenths%10, 10)
	}
	return s
}

// unit joins a number and a unit of measure. Korean writes no space between.
func unit(l Language, number, symbol string) string {
	if l == Ko {
		return number + symbol
	}
	return number + " " + symbol
}
