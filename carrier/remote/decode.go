package remote

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// most is the largest number of the contract: 2^53-1.
const most = 1<<53 - 1

// whole is an optional whole number, from 0 to 2^53-1. One with a point or an
// exponent is none.
type whole struct {
	n     int64
	given bool
}

// UnmarshalJSON implements [json.Unmarshaler].
func (w *whole) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 || n > most || string(b) == "-0" {
		return fmt.Errorf("%.30q is no whole number from 0 to %d", b, int64(most))
	}
	w.n, w.given = n, true
	return nil
}

// instant is an optional RFC 3339 instant in UTC.
type instant struct{ time.Time }

// UnmarshalJSON implements [json.Unmarshaler].
func (i *instant) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	s, err := strconv.Unquote(string(b))
	if err != nil {
		return fmt.Errorf("%.40q is no instant", b)
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || s[len(s)-1] != 'Z' || t.Year() < 2000 || t.Year() > 2200 {
		return fmt.Errorf("%.40q is no instant in UTC", s)
	}
	i.Time = t.UTC().Truncate(time.Microsecond)
	return nil
}
