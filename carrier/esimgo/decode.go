package esimgo

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Below are the operator's scalars in all the shapes they have been seen in. None
// of them passes through a float: an ICCID that comes as a bare number has up to
// twenty digits.

type text = carrier.Text

// quantity is a number of bytes, of megabytes or of days: whole, within ±2^53-1.
// A fraction that is nothing (1000.00) is not a mistake.
type quantity struct {
	n     int64
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (q *quantity) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil || t == "" {
		*q = quantity{}
		return err
	}
	digits, fraction, _ := strings.Cut(string(t), ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < -(1<<53-1) || n > 1<<53-1 || strings.Trim(fraction, "0") != "" {
		return errors.New("not a whole number within range")
	}
	*q = quantity{n, true}
	return nil
}

// priceScale is the parts of one unit of a currency in which amounts are kept. The
// operator writes decimals; of how many digits is not documented.
const priceScale, priceDigits = 1_000_000, 6

// amount is a decimal number, exactly: in parts of 1/priceScale. One that has more
// digits cannot be read.
type amount struct {
	parts int64
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *amount) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil || t == "" {
		*a = amount{}
		return err
	}
	parts, err := decimal(string(t))
	*a = amount{parts, err == nil}
	return err
}

// decimal reads an optional minus sign, at most 12 digits, and a fraction of
// priceDigits digits and any number of zeros.
func decimal(s string) (int64, error) {
	no := errors.New("not a decimal number within range")
	digits, negative := strings.CutPrefix(s, "-")
	digits, fraction, pointed := strings.Cut(digits, ".")
	if digits == "" || len(digits) > 12 || pointed && fraction == "" {
		return 0, no
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > priceDigits || strings.Trim(digits+fraction, "0123456789") != "" {
		return 0, no
	}
	parts, err := strconv.ParseInt(digits+fraction+strings.Repeat("0", priceDigits-len(fraction)), 10, 64)
	if err != nil {
		return 0, no
	}
	if negative {
		parts = -parts
	}
	return parts, nil
}

// instant is a time in UTC; null and empty are the zero time.
type instant struct{ time.Time }

// moment is an instant that one version writes as text and the next in milliseconds.
// What is neither is one that nobody knows.
type moment struct{ time.Time }

// UnmarshalJSON implements [json.Unmarshaler].
func (m *moment) UnmarshalJSON(b []byte) error {
	var i instant
	if ms, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64); err == nil {
		if ms > 0 {
			m.Time = time.UnixMilli(ms).UTC()
		}
		return nil
	}
	if i.UnmarshalJSON(b) == nil {
		m.Time = i.Time
	}
	return nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (i *instant) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	i.Time = time.Time{}
	if t == "" {
		return nil
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", time.DateTime} {
		at, err := time.Parse(layout, string(t))
		if err == nil && at.Year() >= 2000 && at.Year() < 2200 {
			i.Time = at.UTC()
			return nil
		}
	}
	return errors.New("not a time in a known form")
}

// cardNumber is s as an ICCID without padding, or empty when it is none.
func cardNumber(s string) string {
	s = strings.TrimRight(s, "Ff")
	if len(s) < 18 || len(s) > 22 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// short reports whether s is a word of 1 to most ASCII letters, digits and
// characters of also.
func short(s string, most int, also string) bool {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && len(s) <= most && strings.Trim(s, letters+also) == ""
}
