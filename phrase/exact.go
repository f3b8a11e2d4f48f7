package phrase

import (
	"math/bits"
	"strconv"
	"strings"
)

// Exact is a rational number in lowest terms: 2.5 is 5/2, and two thirds are
// 2/3. The zero value is no number; it reads as 0.
type Exact struct{ Num, Den int64 } // Den is positive

// Whole is the number n.
func Whole(n int64) Exact { return Exact{n, 1} }

// Int returns e where it is a whole number, and whether it is one.
func (e Exact) Int() (int64, bool) {
	if e.Den > 1 {
		return 0, false
	}
	return e.Num, true
}

// String is e in decimal digits, such as "-0.25", where these end, and as a
// fraction such as "2/3" where they do not.
func (e Exact) String() string {
	whole, ok := e.Int()
	if ok {
		return strconv.FormatInt(whole, 10)
	}
	places, rest := 0, e.Den
	for _, p := range []int64{2, 5} {
		n := 0
		for ; rest%p == 0; rest /= p {
			n++
		}
		places = max(places, n)
	}
	if rest != 1 {
		return strconv.FormatInt(e.Num, 10) + "/" + strconv.FormatInt(e.Den, 10)
	}
	return e.decimal(places)
}

// decimal divides by hand, a digit at a time: 10^places need not fit.
func (e Exact) decimal(places int) string {
	n, sign := uint64(max(e.Num, -e.Num)), ""
	if e.Num < 0 {
		sign = "-"
	}
	den := uint64(e.Den)
	var b strings.Builder
	b.WriteString(sign + strconv.FormatUint(n/den, 10) + ".")
	for rem := n % den; places > 0; places-- {
		hi, lo := bits.Mul64(rem, 10)
		var digit uint64
		digit, rem = bits.Div64(hi, lo, den) // hi < den, for rem < den
		b.WriteByte('0' + byte(digit))
	}
	return b.String()
}

// plus is e+f, and whether it fits.
func (e Exact) plus(f Exact) (Exact, bool) {
	a, ok1 := mul(e.Num, f.Den)
	b, ok2 := mul(f.Num, e.Den)
	den, ok3 := mul(e.Den, f.Den)
	sum := a + b
	if !ok1 || !ok2 || !ok3 || sum > limit || sum < -limit {
		return Exact{}, false
	}
	return ratio(sum, den)
}

// times is e×f, and whether it fits.
func (e Exact) times(f Exact) (Exact, bool) {
	g, h := gcd(e.Num, f.Den), gcd(f.Num, e.Den)
	num, ok1 := mul(e.Num/g, f.Num/h)
	den, ok2 := mul(e.Den/h, f.Den/g)
	return Exact{num, den}, ok1 && ok2
}

// limit is the largest magnitude of either part, so that two can be added.
const limit = 1_000_000_000_000_000_000

// ratio is num/den, and whether there is such a number.
func ratio(num, den int64) (Exact, bool) {
	if den <= 0 || den > limit || num > limit || num < -limit {
		return Exact{}, false
	}
	g := gcd(num, den)
	return Exact{num / g, den / g}, true
}

func mul(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
	if hi != 0 || lo > limit {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

// gcd is the greatest common divisor, 1 where both are 0.
func gcd(a, b int64) int64 {
	a, b = max(a, -a), max(b, -b)
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, 1)
}
