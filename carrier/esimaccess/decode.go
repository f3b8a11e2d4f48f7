package esimaccess

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Below are the operator's scalars in all the shapes they have been seen in.
// None of them passes through a float: an ICCID that comes as a bare number
// has twenty digits.

type text = carrier.Text

// whole is a whole number that may come as a string. It is at least zero and
// at most 2^53-1, so that sums and differences of two cannot overflow.
type whole struct {
	n     int64
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (w *whole) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	if t == "" {
		*w = whole{}
		return nil
	}
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil || n < 0 || n > 1<<53-1 {
		return errors.New("not a whole number within range")
	}
	*w = whole{n, true}
	return nil
}

// flag is a boolean that may come as a string: empty when it is not given.
type flag string

const (
	yes flag = "true"
	no  flag = "false"
)

// UnmarshalJSON implements [json.Unmarshaler].
func (f *flag) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	switch v := flag(strings.ToLower(string(t))); v {
	case yes, no, "":
		*f = v
		return nil
	}
	return errors.New("neither true nor false")
}

// instant is a time in UTC; null and empty are the zero time.
type instant struct{ time.Time }

// layouts: the queries' form and the newer notifications' (a fraction of a
// second is understood in each); the older notifications' has its own case.
var layouts = [...]string{"2006-01-02T15:04:05Z0700", time.RFC3339, time.DateTime}

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
	if at, ok := epoch(string(t)); ok {
		i.Time = at
		return nil
	}
	s := strings.TrimSuffix(string(t), " UTC")
	for _, layout := range layouts {
		at, err := time.Parse(layout, s)
		if err == nil && at.Year() >= 2000 && at.Year() < 2200 {
			i.Time = at.UTC()
			return nil
		}
	}
	return errors.New("not a time in a known form")
}

// epoch reads milliseconds since 1970: the document types one time as Long.
func epoch(s string) (time.Time, bool) {
	if len(s) != 13 {
		return time.Time{}, false
	}
	ms, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)).UTC(), true
}

// rows is a list that comes as obj itself, or as the named member of obj.
func rows(obj json.RawMessage, name string) ([]json.RawMessage, error) {
	if obj = bytes.TrimSpace(obj); len(obj) > 0 && obj[0] == '[' {
		var list []json.RawMessage
		return list, json.Unmarshal(obj, &list)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(obj, &members); err != nil {
		return nil, err
	}
	inner, ok := members[name]
	if !ok {
		return nil, fmt.Errorf("no %s", name)
	}
	var list []json.RawMessage
	return list, json.Unmarshal(inner, &list)
}

// cardNumber is s as an ICCID without padding, or empty when it is none.
func cardNumber(s string) string {
	s = strings.TrimRight(s, "Ff")
	if len(s) < 18 || len(s) > 20 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}

// sameICCID compares two ICCIDs with or without their padding.
func sameICCID(a, b string) bool { return strings.TrimRight(a, "Ff") == strings.TrimRight(b, "Ff") }
