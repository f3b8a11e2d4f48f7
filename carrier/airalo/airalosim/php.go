package airalosim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// object is a JSON object that keeps the order of its keys, as PHP arrays do.
type object []member

type member struct {
	key   string
	value any // nil, bool, string, json.Number, int, int64, cents, object, []any, []string
}

// get is the value of a key; nil where there is none.
func (o object) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// set replaces a key where it stands, or adds it.
func (o object) set(key string, value any) object {
	for i := range o {
		if o[i].key == key {
			o[i].value = value
			return o
		}
	}
	return append(o, member{key, value})
}

// without is a copy that lacks some keys.
func (o object) without(keys ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return slices.Contains(keys, m.key) })
}

const depthMax = 32

var errNotJSON = errors.New("airalosim: not one JSON value")

// readJSON reads one value as PHP's json_decode does: keys keep their order, a
// repeated key keeps its first place and its last value.
func readJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := readValue(d, depthMax)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth == 0 {
		return nil, errNotJSON
	}
	switch t {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := readValue(d, depth-1)
			if err != nil {
				return nil, err
			}
			o = o.set(key.(string), v)
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := readValue(d, depth-1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	return t, nil
}

// phpJSON writes a value as PHP's json_encode does without flags: no spaces, a
// slash is \/, whatever is not ASCII is \u and four small hex digits (a pair of
// them beyond the basic plane), and < > & ' stay as they are. An empty object is
// [], because PHP has one kind of array.
func phpJSON(v any) []byte { return appendPHP(nil, v) }

func appendPHP(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return appendPHPString(b, v)
	case json.Number:
		return append(b, v...)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case cents:
		return append(b, v.number()...)
	case object:
		return appendPHPObject(b, v)
	case []object:
		return appendPHPList(b, v)
	case []any:
		return appendPHPList(b, v)
	case []string:
		return appendPHPList(b, v)
	case []int:
		return appendPHPList(b, v)
	}
	panic(fmt.Sprintf("airalosim: no JSON for %T", v))
}

func appendPHPObject(b []byte, o object) []byte {
	if len(o) == 0 {
		return append(b, "[]"...)
	}
	for i, m := range o {
		b = append(b, "{,"[min(i, 1)])
		b = append(appendPHPString(b, m.key), ':')
		b = appendPHP(b, m.value)
	}
	return append(b, '}')
}

func appendPHPList[T any](b []byte, list []T) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPHP(b, v)
	}
	return append(b, ']')
}

func appendPHPString(b []byte, s string) []byte {
	const short = "\"\\/\b\f\n\r\t"
	const names = "\"\\/bfnrt"
	b = append(b, '"')
	for _, r := range s {
		if at := bytes.IndexRune([]byte(short), r); r < utf8.RuneSelf && at >= 0 {
			b = append(b, '\\', names[at])
			continue
		}
		switch {
		case r >= ' ' && r < utf8.RuneSelf:
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}

// sign is the hex of HMAC-SHA512 over a text, keyed with the client secret.
func sign(secret string, text []byte) string {
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// cents are hundredths of a US dollar.
type cents int64

// number writes dollars as PHP writes a float: without zeros at the end.
func (c cents) number() string {
	s := c.text()
	if s[len(s)-2:] == "00" {
		return s[:len(s)-3]
	}
	if s[len(s)-1] == '0' {
		return s[:len(s)-1]
	}
	return s
}

// text writes dollars with two decimals.
func (c cents) text() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}
