package linepaysim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reading is a body under examination: the first thing wrong with it decides
// the answer.
type reading struct{ wrong reply }

func (r *reading) ok() bool { return r.wrong.Code == "" }

func (r *reading) fail(a reply) {
	if r.ok() {
		r.wrong = a
	}
}

func (r *reading) failAt(path, why string) { r.fail(parameter(map[string]string{path: why})) }

// object is one JSON object of a body. Each field is asked for by name; what
// nobody asked for is refused by end.
type object struct {
	*reading
	path  string
	m     map[string]any
	known map[string]bool
}

// open reads a body, which must be one JSON object. Where it may be missing,
// an empty body is an empty object.
func open(body []byte, mayMiss bool) object {
	o := object{reading: &reading{}, known: map[string]bool{}}
	if mayMiss && len(body) == 0 {
		return o
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	if _, more := d.Token(); err != nil || !errors.Is(more, io.EOF) {
		o.fail(plain(badJSON))
		return o
	}
	m, is := v.(map[string]any)
	if !is {
		o.fail(plain(badJSON))
	}
	o.m = m
	return o
}

// field finds a field and reports whether it is there.
func (o object) field(name string) (v any, at string, there bool) {
	o.known[name] = true
	v, there = o.m[name]
	return v, o.path + name, there
}

// text is a string of at most most characters; a missing one must not be required.
func (o object) text(name string, most int, required bool) string {
	v, at, there := o.field(name)
	s, is := v.(string)
	switch {
	case !there && !required:
	case !there || is && required && s == "":
		o.failAt(at, "missing")
	case !is:
		o.failAt(at, "not a string")
	case utf8.RuneCountInString(s) > most:
		o.failAt(at, "longer than "+strconv.Itoa(most))
	}
	return s
}

// word is one of a few strings, the first of them if missing.
func (o object) word(name string, words ...string) string {
	v, at, there := o.field(name)
	if !there {
		return words[0]
	}
	for _, w := range words {
		if v == w {
			return w
		}
	}
	o.failAt(at, "not one of "+strings.Join(words, ", "))
	return ""
}

// flag is true or false, standard if missing.
func (o object) flag(name string, standard bool) bool {
	v, at, there := o.field(name)
	if !there {
		return standard
	}
	b, is := v.(bool)
	if !is {
		o.failAt(at, "neither true nor false")
	}
	return b
}

// link is an absolute http or https address.
func (o object) link(name string) string {
	s := o.text(name, 500, true)
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		o.failAt(o.path+name, "not an absolute address")
	}
	return s
}

// amount is a JSON number with at most places decimals, in the smallest of
// them. It is not negative, but may be 0. A missing one must not be required.
func (o object) amount(name string, places int, required bool) (units int64, there bool) {
	v, at, there := o.field(name)
	if !there {
		if required {
			o.failAt(at, "missing")
		}
		return 0, false
	}
	n, is := v.(json.Number)
	if !is || strings.ContainsAny(n.String(), "eE") {
		o.failAt(at, "not a plain number")
		return 0, true
	}
	units, ok := unitsOf(n.String(), places)
	switch {
	case strings.HasPrefix(n.String(), "-"):
		o.fail(plain(tooLittle))
	case !ok:
		o.fail(plain(badAmount))
	}
	return units, true
}

// object is an object within, an empty one if missing and not required.
func (o object) object(name string, required bool) object {
	v, at, there := o.field(name)
	m, is := v.(map[string]any)
	switch {
	case !there && required:
		o.failAt(at, "missing")
	case there && !is:
		o.failAt(at, "not an object")
	}
	return object{reading: o.reading, path: at + ".", m: m, known: map[string]bool{}}
}

// list is an array of objects, at least one.
func (o object) list(name string) []object {
	v, at, _ := o.field(name)
	vs, is := v.([]any)
	if !is || len(vs) == 0 {
		o.failAt(at, "not a list of at least one")
		return nil
	}
	all := make([]object, 0, len(vs))
	for i, v := range vs {
		path := at + "[" + strconv.Itoa(i) + "]"
		m, is := v.(map[string]any)
		if !is {
			o.failAt(path, "not an object")
			return nil
		}
		all = append(all, object{reading: o.reading, path: path + ".", m: m, known: map[string]bool{}})
	}
	return all
}

// end refuses what is in the object and was never asked for.
func (o object) end() {
	for _, name := range slices.Sorted(maps.Keys(o.m)) {
		if !o.known[name] {
			o.failAt(o.path+name, "unknown here")
		}
	}
}

// unitsOf reads a JSON number without exponent, digit by digit, as a whole
// number of its last decimal place.
func unitsOf(text string, places int) (int64, bool) {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if len(fraction) > places {
		return 0, false
	}
	fraction += strings.Repeat("0", places-len(fraction))
	if len(whole)+places > 15 {
		return 0, false
	}
	units, err := strconv.ParseInt(whole+fraction, 10, 64)
	return units, err == nil
}

// number writes an amount as the API does: no more decimals than needed.
func (s *Sim) number(units int64) json.Number {
	sign := ""
	if units < 0 {
		sign, units = "-", -units
	}
	text := strconv.FormatInt(units, 10)
	if s.places == 0 {
		return json.Number(sign + text)
	}
	if missing := s.places + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	point := len(text) - s.places
	text = strings.TrimRight(text[:point]+"."+text[point:], "0")
	return json.Number(sign + strings.TrimSuffix(text, "."))
}
