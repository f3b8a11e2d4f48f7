package cmi

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Below are the operator's scalars: mostly strings, numbers in some answers. None
// of them passes through a float.

type text = carrier.Text

// quantity is a whole number from 0 to 2^53-1.
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
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil || n < 0 || n > 1<<53-1 {
		return errors.New("not a whole number within range")
	}
	*q = quantity{n, true}
	return nil
}

// volume is an amount of data. The operator writes megabytes, of 1024 × 1024 bytes,
// with two decimals: "300.00". A hundredth is no whole number of bytes; what is kept
// is the nearest.
type volume struct {
	n     int64 // bytes
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (v *volume) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil || t == "" {
		*v = volume{}
		return err
	}
	n, err := megabytes(string(t))
	*v = volume{n, err == nil}
	return err
}

func megabytes(s string) (bytes int64, err error) {
	whole, fraction, pointed := strings.Cut(s, ".")
	if whole == "" || len(whole) > 10 || pointed && fraction == "" || len(fraction) > 2 || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, errors.New("not megabytes with two decimals")
	}
	hundredths, err := strconv.ParseInt(whole+(fraction + "00")[:2], 10, 64)
	if err != nil {
		return 0, errors.New("not megabytes with two decimals")
	}
	return (hundredths<<20 + 50) / 100, nil
}

// instant is a time in UTC; null and empty are the zero time. The document says UTC
// of some times and of others nothing; nothing is decided by those alone.
type instant struct{ time.Time }

// compact is how the operator writes most times.
const compact = "20060102150405"

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
	for _, layout := range [...]string{compact, time.DateTime, time.RFC3339} {
		at, err := time.Parse(layout, string(t))
		if err == nil && at.Year() >= 2000 && at.Year() < 2200 {
			i.Time = at.UTC()
			return nil
		}
	}
	return errors.New("not a time in a known form")
}

// named in some language: a list of values, of which the English one is taken, else
// the first.
type dialects string

// UnmarshalJSON implements [json.Unmarshaler].
func (d *dialects) UnmarshalJSON(b []byte) error {
	var list []struct {
		In    json.RawMessage `json:"langInfo"`
		Value text            `json:"value"`
	}
	if b[0] == '{' {
		b = append(append([]byte{'['}, b...), ']')
	}
	if b[0] != '[' {
		var t text
		err := t.UnmarshalJSON(b)
		*d = dialects(t)
		return err
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*d = ""
	for _, one := range list {
		if in := strings.ToLower(string(one.In)); *d == "" || strings.Contains(in, `"en`) {
			*d = dialects(one.Value)
		}
	}
	return nil
}

// cardNumber is s as an ICCID without padding, or empty when it is none.
func cardNumber(s string) string {
	s = strings.TrimRight(s, "Ff")
	if len(s) < 18 || len(s) > 20 || strings.Trim(s, "0123456789") != "" {
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
