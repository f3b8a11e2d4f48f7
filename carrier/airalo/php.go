package airalo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The operator's signatures are over JSON as PHP's json_encode writes it, also
// where what goes over the wire is something else. That is not what
// [json.Marshal] writes: PHP escapes every slash and every character beyond
// ASCII, and leaves <, > and & alone.

// field is one member of a payload. Payloads are lists of them: their order is
// part of what is signed.
type field struct{ name, value string }

// phpObject is a payload as json_encode writes it.
func phpObject(fields ...field) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		phpString(&b, f.name)
		b.WriteByte(':')
		phpString(&b, f.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// phpString writes a string. What is not UTF-8 has no form in JSON: PHP
// refuses it, and it becomes U+FFFD here.
func phpString(b *bytes.Buffer, s string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	b.WriteByte('"')
	for _, r := range s {
		escape, special := short[r]
		switch {
		case special:
			b.WriteString(escape)
		case r >= ' ' && r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			unit(b, high)
			unit(b, low)
		default:
			unit(b, r)
		}
	}
	b.WriteByte('"')
}

// unit writes \u and four hexadecimal digits.
func unit(b *bytes.Buffer, r rune) {
	hex := strconv.FormatInt(int64(r), 16)
	b.WriteString(`\u` + strings.Repeat("0", 4-len(hex)) + hex)
}

// phpDepth is how deep json_decode goes before it gives up.
const phpDepth = 512

var errNotPHP = errors.New("airalo: not JSON that PHP can read")

// phpNormal is json_encode(json_decode(text, true)): what the operator's own
// program makes of a JSON text that it reads and writes again. White space is
// gone, numbers are in their shortest form, the last of two members of one name
// wins in the place of the first, and objects that look like lists have become
// lists.
func phpNormal(text []byte) ([]byte, error) {
	if !utf8.Valid(text) || !json.Valid(text) || halfCharacters(text) {
		return nil, errNotPHP
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var b bytes.Buffer
	if err := phpValue(&b, d, phpDepth); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotPHP
	}
	return b.Bytes(), nil
}

// phpValue copies the next value of d to b.
func phpValue(b *bytes.Buffer, d *json.Decoder, deeper int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		phpString(b, v)
	case json.Number:
		return phpNumber(b, v.String())
	case json.Delim:
		if deeper == 0 {
			return errNotPHP
		}
		if v == '[' {
			return phpList(b, d, deeper-1)
		}
		return phpMembers(b, d, deeper-1)
	}
	return nil
}

func phpList(b *bytes.Buffer, d *json.Decoder, deeper int) error {
	b.WriteByte('[')
	for first := true; d.More(); first = false {
		if !first {
			b.WriteByte(',')
		}
		if err := phpValue(b, d, deeper); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	_, err := d.Token()
	return err
}

// phpMembers copies an object, which PHP reads as an array with keys.
func phpMembers(b *bytes.Buffer, d *json.Decoder, deeper int) error {
	var names []string
	values := map[string][]byte{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var v bytes.Buffer
		if err := phpValue(&v, d, deeper); err != nil {
			return err
		}
		key, _ := name.(string) // names are strings in valid JSON
		if _, seen := values[key]; !seen {
			names = append(names, key)
		}
		values[key] = v.Bytes()
	}
	list := true // an array whose keys are 0, 1, 2 … is a list; so is an empty one
	for i, name := range names {
		list = list && name == strconv.Itoa(i)
	}
	brackets := "{}"
	if list {
		brackets = "[]"
	}
	b.WriteByte(brackets[0])
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		if !list {
			phpString(b, name)
			b.WriteByte(':')
		}
		b.Write(values[name])
	}
	b.WriteByte(brackets[1])
	_, err := d.Token()
	return err
}

// phpNumber writes a number: whole ones of 64 bits as they are, all others as
// PHP's floats in their shortest form. These floats are letters of a signature,
// never amounts: nothing is read from what this file writes.
func phpNumber(b *bytes.Buffer, s string) error {
	if whole, err := strconv.ParseInt(s, 10, 64); err == nil {
		b.WriteString(strconv.FormatInt(whole, 10))
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return errNotPHP // PHP cannot write an infinite number
	}
	if math.Signbit(v) {
		b.WriteByte('-')
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'e', -1, 64), "e")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return err
	}
	b.WriteString(phpDecimal(strings.Replace(mantissa, ".", "", 1), e))
	return nil
}

// phpDecimal writes digits, of which the first stands for 10 to the power of e.
func phpDecimal(digits string, e int) string {
	const longest = 17 // digits before the point that PHP writes without an exponent
	switch point := e + 1; {
	case point > longest || point < -3:
		if len(digits) == 1 {
			digits += "0"
		}
		return fmt.Sprintf("%s.%se%+d", digits[:1], digits[1:], e)
	case point <= 0:
		return "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return digits + strings.Repeat("0", point-len(digits))
	default:
		return digits[:point] + "." + digits[point:]
	}
}

// halfCharacters reports whether a valid JSON text has a \u escape that is only
// one half of a character beyond U+FFFF. PHP refuses such a text.
func halfCharacters(text []byte) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		r := escaped(text[i:])
		i += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		if i+2 >= len(text) || text[i+1] != '\\' || text[i+2] != 'u' || utf16.DecodeRune(r, escaped(text[i+2:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// escaped is the code of an escape, from its u on.
func escaped(text []byte) rune {
	if len(text) < 5 {
		return 0
	}
	code, err := strconv.ParseUint(string(text[1:5]), 16, 32)
	if err != nil {
		return 0
	}
	return rune(code)
}
