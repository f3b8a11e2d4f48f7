// Package luhn is the check digit of numbers of cards and phones: ICCIDs (ITU-T E.118)
// and IMEIs (3GPP TS 23.003, annex B) end with it. The sum is that of ISO/IEC 7812-1,
// annex B.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package luhn

// Checks reports whether the last of some digits checks the others. What is no digits,
// and nothing, does not check.
func Checks(digits string) bool {
	sum, ok := sum(digits, 0)
	return ok && sum%10 == 0
}

// Digit is the one that checks some digits when it stands behind them; 0 for what is no
// digits.
func Digit(digits string) byte {
	sum, ok := sum(digits, 1)
	if !ok {
		return 0
	}
	return byte('0' + (10-sum%10)%10)
}

// sum adds every second digit doubled, counted from the right, where the last one stands
// in a place.
func sum(digits string, place int) (sum int, ok bool) {
	for i := range len(digits) {
		c := digits[len(digits)-1-i]
		if c < '0' || c > '9' {
			return 0, false
		}
		d := int(c - '0')
		if (i+place)%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum, digits != ""
}
