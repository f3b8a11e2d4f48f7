package wechatpaysim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// object is a JSON object that is read field by field. What goes wrong first
// is kept in err; reading goes on and returns zero values.
type object struct {
	at     string // "amount." for the object of that name
	values map[string]any
	read   map[string]bool
	err    **apiError
}

// readObject reads a body. Two fields of one name are refused, as is anything
// after the object.
func readObject(body []byte) *object {
	var none *apiError
	o := &object{read: map[string]bool{}, err: &none}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := readValue(d, 6)
	if err == nil {
		if _, after := d.Token(); !errors.Is(after, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	values, isObject := v.(map[string]any)
	if err != nil || !isObject || !utf8.Valid(body) {
		o.refuse("", "the body is not a JSON object in UTF-8")
	}
	o.values = values
	return o
}

func readValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	start, nested := t.(json.Delim)
	if err != nil || !nested {
		return t, err
	}
	if depth == 0 {
		return nil, errors.New("nested too deep")
	}
	object, list := map[string]any{}, []any{}
	for d.More() {
		name := ""
		if start == '{' {
			t, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ = t.(string)
			if _, twice := object[name]; twice {
				return nil, fmt.Errorf("%q is there twice", name)
			}
		}
		v, err := readValue(d, depth-1)
		if err != nil {
			return nil, err
		}
		object[name] = v
		list = append(list, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if start == '[' {
		return list, nil
	}
	return object, nil
}

func (o *object) refuse(field, issue string) {
	if *o.err == nil {
		*o.err = &apiError{status: http.StatusBadRequest, code: "PARAM_ERROR", message: "parameter error", field: "/" + strings.ReplaceAll(o.at+field, ".", "/"), issue: issue, location: "body"}
	}
}

func (o *object) has(name string) bool { _, ok := o.values[name]; return ok }

func (o *object) take(name string) any {
	o.read[name] = true
	if !o.has(name) {
		o.refuse(name, "is missing")
	}
	return o.values[name]
}

// text reads a required string of 1 to longest characters.
func (o *object) text(name string, longest int) string {
	v, ok := o.take(name).(string)
	if n := utf8.RuneCountInString(v); !ok || n == 0 || n > longest {
		o.refuse(name, fmt.Sprintf("is not a text of 1 to %d characters", longest))
		return ""
	}
	return v
}

// maybe reads a string that may be missing.
func (o *object) maybe(name string, longest int) string {
	if !o.has(name) {
		return ""
	}
	return o.text(name, longest)
}

// oneOf reads a required string out of a few.
func (o *object) oneOf(name string, all ...string) string {
	v, _ := o.take(name).(string)
	if !slices.Contains(all, v) {
		o.refuse(name, "is not one of "+strings.Join(all, ", "))
	}
	return v
}

// number reads an identifier: shortest to longest letters, digits and marks.
func (o *object) number(name string, shortest, longest int, marks string) string {
	v := o.text(name, longest)
	if v != "" && (len(v) < shortest || strings.Trim(v, letters+marks) != "") {
		o.refuse(name, fmt.Sprintf("is not %d to %d letters, digits and %s", shortest, longest, marks))
	}
	return v
}

// mostFen is the largest amount of one payment.
const mostFen = 100_000_000

// fen reads a required amount: digits alone (JSON allows no leading zeros), at
// least 1.
func (o *object) fen(name string) int64 {
	v, _ := o.take(name).(json.Number)
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || n < 1 || n > mostFen {
		o.refuse(name, fmt.Sprintf("is not a whole number of fen from 1 to %d", mostFen))
		return 0
	}
	return n
}

func (o *object) flag(name string) bool {
	if !o.has(name) {
		return false
	}
	v, ok := o.take(name).(bool)
	if !ok {
		o.refuse(name, "is not true or false")
	}
	return v
}

// object reads a required object.
func (o *object) object(name string) *object {
	v, ok := o.take(name).(map[string]any)
	if !ok {
		o.refuse(name, "is not an object")
	}
	return &object{at: o.at + name + ".", values: v, read: map[string]bool{}, err: o.err}
}

// done refuses what nobody read.
func (o *object) done() {
	for _, name := range slices.Sorted(maps.Keys(o.values)) {
		if !o.read[name] {
			o.refuse(name, "is not a parameter of this call, or not simulated")
		}
	}
}
