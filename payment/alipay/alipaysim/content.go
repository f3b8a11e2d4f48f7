package alipaysim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// failure is what the gateway says instead of 10000.
type failure struct {
	code, msg, sub, detail string
	ours                   bool // found before the signature was: never signed
}

func (f *failure) Error() string { return f.code + " " + f.sub + ": " + f.detail }

func missing(sub, detail string) *failure {
	return &failure{"40001", "Missing Required Arguments", sub, detail, true}
}

func illegal(sub, detail string) *failure {
	return &failure{"40002", "Invalid Arguments", sub, detail, true}
}

func refused(sub, detail string) *failure {
	return &failure{"40004", "Business Failed", sub, detail, false}
}

func wrongParameter(detail string) *failure { return refused("ACQ.INVALID_PARAMETER", detail) }

// kind is how a member of biz_content is written.
type kind int

const (
	text   kind = iota
	amount      // yuan
	list        // an array or an object: taken and forgotten
)

// field is one documented member of biz_content.
type field struct {
	name string
	kind kind
	max  int // characters of a text, 0: any
	need bool
}

// content is a biz_content that was found good.
type content struct {
	texts   map[string]string
	amounts map[string]int64 // fen
	options []string         // query_options
}

// contentMax is how long a biz_content may be here, in bytes; the document sets
// no limit.
const contentMax = 32 << 10

// readContent reads biz_content by its method's fields.
func readContent(raw string, fields []field) (content, *failure) {
	c := content{texts: map[string]string{}, amounts: map[string]int64{}}
	members, err := readMembers(raw)
	if err != nil {
		return c, illegal("isv.illegal-json", "biz_content: "+err.Error())
	}
	for name := range members {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			return c, wrongParameter(name + " is not a parameter of this method")
		}
	}
	for _, f := range fields {
		raw, given := members[f.name]
		if !given {
			if f.need {
				return c, wrongParameter(f.name + " is missing")
			}
			continue
		}
		if err := c.read(f, raw); err != nil {
			return c, wrongParameter(f.name + ": " + err.Error())
		}
	}
	return c, nil
}

func (c *content) read(f field, raw json.RawMessage) error {
	if f.kind == list {
		if raw[0] != '[' && raw[0] != '{' {
			return errors.New("not an array or an object")
		}
		if f.name == "query_options" {
			return json.Unmarshal(raw, &c.options)
		}
		return nil
	}
	var v string
	if raw[0] != '"' || json.Unmarshal(raw, &v) != nil {
		return errors.New("not a string")
	}
	switch {
	case v == "":
		return errors.New("empty")
	case f.max > 0 && utf8.RuneCountInString(v) > f.max:
		return errors.New("longer than " + strconv.Itoa(f.max) + " characters")
	case f.kind == amount:
		fen, ok := readYuan(v)
		if !ok {
			return errors.New("not an amount from 0.01 to 100000000 with at most two decimals")
		}
		c.amounts[f.name] = fen
	}
	c.texts[f.name] = v
	return nil
}

// readMembers takes one JSON object apart and refuses a name that comes twice.
func readMembers(raw string) (map[string]json.RawMessage, error) {
	if len(raw) > contentMax || !utf8.ValidString(raw) {
		return nil, errors.New("too long, or not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader([]byte(raw)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string) // the decoder has seen to it
		if _, twice := members[name]; twice {
			return nil, errors.New(name + " comes twice")
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		members[name] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return members, nil
}

// maxFen is 100 000 000 yuan.
const maxFen = 100_000_000_00

// readYuan reads "88", "88.8" and "88.88", digit by digit, into fen.
func readYuan(s string) (int64, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if len(whole) == 0 || len(whole) > 9 || len(whole) > 1 && whole[0] == '0' || len(fraction) > 2 || point && fraction == "" {
		return 0, false
	}
	var fen int64
	for _, c := range []byte(whole + (fraction + "00")[:2]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		fen = fen*10 + int64(c-'0')
	}
	return fen, fen >= 1 && fen <= maxFen
}

// yuan writes fen with two decimals.
func yuan(fen int64) string {
	s := strconv.FormatInt(fen, 10)
	for len(s) < 3 {
		s = "0" + s
	}
	return s[:len(s)-2] + "." + s[len(s)-2:]
}

// deadline is when an order may no longer be paid.
type deadline struct {
	at       time.Time     // time_expire; zero: none
	within   time.Duration // timeout_express; zero: none
	midnight bool          // timeout_express=1c
}

// Lifetimes, from the document.
const (
	shortest   = time.Minute
	longest    = 15 * 24 * time.Hour
	codeLasts  = 2 * time.Hour
	codeTrades = 3 * time.Hour
)

// readDeadline reads time_expire and timeout_express. The former wins. signedAt
// is the request's timestamp.
func readDeadline(c content, signedAt, now time.Time) (d deadline, bad *failure) {
	if v := c.texts["timeout_express"]; v != "" {
		if d.within, d.midnight = readTimeout(v); d.within == 0 && !d.midnight {
			return d, wrongParameter("timeout_express: not 1m to 15d, or 1c")
		}
	}
	v := c.texts["time_expire"]
	if v == "" {
		return d, nil
	}
	at, err := time.ParseInLocation(timeLayout, v, beijing)
	if err != nil {
		return d, wrongParameter("time_expire: not like " + timeLayout)
	}
	d = deadline{at: at.UTC()}
	switch life := at.Sub(signedAt); {
	case !now.Before(at):
		return d, refused("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR", "time_expire has passed")
	case life < shortest || life > longest:
		return d, wrongParameter("time_expire: not 1m to 15d ahead")
	}
	return d, nil
}

// readTimeout reads "90m", "2h", "15d" and "1c". It returns zero for anything
// else.
func readTimeout(v string) (time.Duration, bool) {
	if v == "1c" {
		return 0, true
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	unit, n := units[v[len(v)-1]], v[:len(v)-1]
	count, err := strconv.ParseUint(n, 10, 16)
	if err != nil || n[0] == '0' || unit == 0 {
		return 0, false
	}
	d := time.Duration(count) * unit
	if d < shortest || d > longest {
		return 0, false
	}
	return d, false
}

// end is when the time of what began at an instant is over.
func (d deadline) end(from time.Time, otherwise time.Duration) time.Time {
	switch {
	case !d.at.IsZero():
		return d.at
	case d.midnight:
		y, m, day := from.In(beijing).Date()
		return time.Date(y, m, day+1, 0, 0, 0, 0, beijing).UTC()
	case d.within > 0:
		return from.Add(d.within)
	}
	return from.Add(otherwise)
}
