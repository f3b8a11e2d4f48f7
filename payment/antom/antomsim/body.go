package antomsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/money"
)

// object is a JSON object of a request: strings, objects, and lists.
type object map[string]any

const (
	bodyMax  = 64 << 10
	depthMax = 8
)

// readObject reads a body in which every scalar is a string and no name comes
// twice.
func readObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := readValue(d, depthMax)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("the body is not an object")
	}
	return o, nil
}

func readValue(d *json.Decoder, deep int) (any, error) {
	t, err := d.Token()
	switch {
	case err != nil:
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	case deep == 0:
		return nil, errors.New("the body is too deep")
	}
	switch t := t.(type) {
	case string:
		return t, nil
	case json.Delim:
		if t == '[' {
			return readList(d, deep)
		}
		return readMembers(d, deep)
	}
	return nil, fmt.Errorf("%v is not a string", t)
}

func readList(d *json.Decoder, deep int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := readValue(d, deep-1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func readMembers(d *json.Decoder, deep int) (any, error) {
	o := object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string) // the decoder has seen to it
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("%s comes twice", name)
		}
		if o[name], err = readValue(d, deep-1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return o, err
}

// reader takes an object's members and remembers the first that is wrong.
type reader struct {
	o   object
	at  string // where the object is
	bad *failure
}

func read(o object, at string) *reader { return &reader{o: o, at: at} }

func (r *reader) wrong(name, why string) {
	if r.bad == nil {
		r.bad = illegal(r.at + name + ": " + why)
	}
}

// only refuses members with other names.
func (r *reader) only(names ...string) {
	for name := range r.o {
		if !slices.Contains(names, name) {
			r.wrong(name, "not a parameter here")
		}
	}
}

// text is a string of at most most characters; "" where it may be left out.
func (r *reader) text(name string, most int, need bool) string {
	v, given := r.o[name]
	s, isText := v.(string)
	switch {
	case !given && !need:
	case !given:
		r.wrong(name, "missing")
	case !isText:
		r.wrong(name, "not a string")
	case s == "" && need:
		r.wrong(name, "empty")
	case utf8.RuneCountInString(s) > most:
		r.wrong(name, "longer than "+strconv.Itoa(most)+" characters")
	}
	return s
}

// id is an identifier of the merchant's.
func (r *reader) id(name string, need bool) string {
	s := r.text(name, 64, need)
	if strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != "" {
		r.wrong(name, "letters, digits, - and _ only")
	}
	return s
}

func (r *reader) oneOf(name string, need bool, of ...string) string {
	s := r.text(name, 64, need)
	if s != "" && !slices.Contains(of, s) {
		r.wrong(name, "not one of "+strings.Join(of, ", "))
	}
	return s
}

func (r *reader) address(name string, most int, need bool) string {
	s := r.text(name, most, need)
	u, err := url.Parse(s)
	if s != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		r.wrong(name, "not an absolute address")
	}
	return s
}

func (r *reader) time(name string) time.Time {
	s := r.text(name, 64, false)
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		r.wrong(name, "not ISO 8601")
	}
	return at.UTC()
}

// object is a member that must be there.
func (r *reader) object(name string) *reader {
	o, ok := r.o[name].(object)
	if !ok {
		r.wrong(name, "missing, or not an object")
	}
	return &reader{o: o, at: r.at + name + ".", bad: r.bad}
}

// amount is a positive amount that must be there.
func (r *reader) amount(name string) money.Money {
	a := r.object(name)
	a.only("currency", "value")
	c, v := a.text("currency", 3, true), a.text("value", 16, true)
	minor, err := strconv.ParseInt(v, 10, 64)
	if err != nil || minor < 1 || strconv.FormatInt(minor, 10) != v {
		a.wrong("value", "not a positive whole number of the smallest unit")
	}
	if strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || len(c) != 3 {
		a.wrong("currency", "not a currency")
	}
	r.after(a)
	return money.Of(minor, money.Currency(c))
}

// after takes over what was found wrong in a member.
func (r *reader) after(member *reader) {
	if r.bad == nil {
		r.bad = member.bad
	}
}

// amountText writes an amount.
func amountText(m money.Money) members {
	return members{"currency": string(m.Currency), "value": strconv.FormatInt(m.Minor, 10)}
}
