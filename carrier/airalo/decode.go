package airalo

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Below are the operator's scalars in all the shapes they have been seen in: a
// quantity is a number in one answer and a string in another. None of them
// passes through a float.

type text = carrier.Text

// megabytes is an amount of data, in the operator's unit: 1024 of them are a
// gigabyte. It is a whole number of at least zero.
type megabytes struct {
	n     int64
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (m *megabytes) UnmarshalJSON(b []byte) error {
	n, given, err := whole(b, 1<<40)
	*m = megabytes{n, given}
	return err
}

func (m megabytes) bytes() int64 { return m.n << 20 }

// days is a length; no plan has more than ten years.
type days struct {
	n     int
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (d *days) UnmarshalJSON(b []byte) error {
	n, given, err := whole(b, 3660)
	*d = days{int(n), given}
	return err
}

// whole reads a number from 0 to most, or null. A fraction that is nothing
// (1024.0) is not a mistake.
func whole(b []byte, most int64) (n int64, given bool, err error) {
	var t text
	if err := t.UnmarshalJSON(b); err != nil || t == "" {
		return 0, false, err
	}
	digits, fraction, _ := strings.Cut(string(t), ".")
	n, err = strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > most || strings.Trim(fraction, "0") != "" {
		return 0, false, errors.New("not a whole number within range")
	}
	return n, true, nil
}

// priceScale is the parts of one unit of a currency in which amounts are kept.
// The operator writes decimals, of four digits at most in what it publishes.
const priceScale, priceDigits = 1_000_000, 6

// amount is a decimal number, exactly: in parts of 1/priceScale. One that has
// more digits cannot be read.
type amount struct {
	parts int64
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *amount) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	if t == "" {
		*a = amount{}
		return nil
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

// flag is a boolean that may come as a string or as 0 and 1; null is false.
type flag bool

// UnmarshalJSON implements [json.Unmarshaler].
func (f *flag) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	switch strings.ToLower(string(t)) {
	case "true", "1":
		*f = true
	case "false", "0", "":
		*f = false
	default:
		return errors.New("neither true nor false")
	}
	return nil
}

// instant is a time in UTC; null and empty are the zero time.
type instant struct{ time.Time }

// layouts: with a zone in the history of packages; without one everywhere else.
// That those are in UTC is not documented; nothing is decided by them alone.
var layouts = [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", time.DateTime}

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
	for _, layout := range layouts {
		at, err := time.Parse(layout, string(t))
		if err == nil && at.Year() >= 2000 && at.Year() < 2200 {
			i.Time = at.UTC()
			return nil
		}
	}
	return errors.New("not a time in a known form")
}

// loose is an object that is an empty list when nothing is in it, as PHP writes
// those; it is the zero value then.
type loose[T any] struct{ in T }

// UnmarshalJSON implements [json.Unmarshaler].
func (l *loose[T]) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		*l = loose[T]{}
		return nil
	}
	return json.Unmarshal(b, &l.in)
}

// rows is a list, which from a second page on may be an object with the list's
// numbers for names.
func rows(b json.RawMessage) ([]json.RawMessage, error) {
	b = bytes.TrimSpace(b)
	var list []json.RawMessage
	if len(b) == 0 || b[0] != '{' {
		if err := json.Unmarshal(b, &list); err != nil || list == nil {
			return nil, errors.New("no list")
		}
		return list, nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, err := strconv.ParseUint(name.(string), 10, 31); err != nil { // names are strings
			return nil, errors.New("an object where a list was expected")
		}
		var row json.RawMessage
		if err := d.Decode(&row); err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, nil
}

// cardNumber is s as an ICCID without padding, or empty when it is none. Those
// of the operator's sandbox have 17 digits.
func cardNumber(s string) string {
	s = strings.TrimRight(s, "Ff")
	if len(s) < 17 || len(s) > 22 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}
