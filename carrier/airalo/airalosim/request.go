package airalosim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// request is one call after its body was read.
type request struct {
	operation Operation
	id        string // of the path: an ICCID or an order
	header    http.Header
	query     url.Values
	client    string // the caller's address
	body      object
	form      bool // the body came as a form, where everything is text

	asOf time.Time // what a reading shows; for a writing, now
}

const (
	bodyMax   = 1 << 20
	fieldsMax = 200
)

// readBody reads JSON, a form, or multipart/form-data, whichever the header
// says: all three are accepted everywhere [2.2].
func readBody(h http.Header, body []byte) (fields object, form bool, err error) {
	kind, args, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case len(body) == 0:
		return nil, false, nil
	case err == nil && kind == "multipart/form-data":
		fields, err = readMultipart(body, args["boundary"])
		return fields, true, err
	case err == nil && kind == "application/x-www-form-urlencoded":
		fields, err = readForm(string(body))
		return fields, true, err
	}
	v, err := readJSON(body)
	if err != nil {
		return nil, false, err
	}
	fields, ok := v.(object)
	if !ok {
		return nil, false, errNotJSON
	}
	return fields, false, nil
}

var errManyFields = errors.New("airalosim: too many fields")

func readForm(body string) (object, error) {
	var o object
	for part := range strings.SplitSeq(body, "&") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		if o = o.add(key, value); len(o) > fieldsMax {
			return nil, errManyFields
		}
	}
	return o, nil
}

func readMultipart(body []byte, boundary string) (object, error) {
	var o object
	m := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		if o = o.add(part.FormName(), string(value)); len(o) > fieldsMax {
			return nil, errManyFields
		}
	}
}

// element is how PHP writes a key of a list in a form: key[] or key[0].
var element = regexp.MustCompile(`^([^\[]+)\[\d*\]$`)

// add takes a field of a form; elements of a list are gathered under its name.
func (o object) add(key, value string) object {
	m := element.FindStringSubmatch(key)
	if m == nil {
		return o.set(key, value)
	}
	list, _ := o.get(m[1]).([]any)
	return o.set(m[1], append(list, value))
}

// text is a field as text; "" where it is absent, null or not text.
func (r *request) text(key string) string {
	switch v := r.body.get(key).(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// list is a field as a list of texts; also of a text that holds a JSON list, as
// the sample of the refund request has it.
func (r *request) list(key string) []string {
	v := r.body.get(key)
	if s, ok := v.(string); ok {
		v = []any{s}
		if inner, err := readJSON([]byte(s)); err == nil {
			if many, ok := inner.([]any); ok {
				v = many
			}
		}
	}
	many, _ := v.([]any)
	var list []string
	for _, one := range many {
		switch one := one.(type) {
		case string:
			list = append(list, one)
		case json.Number:
			list = append(list, one.String())
		}
	}
	return list
}

var whole = regexp.MustCompile(`^\d{1,9}$`)

// signable are the texts that airalo-signature may stand for: the body as PHP
// would write it; of a form also with its whole numbers as numbers, because the
// published clients sign before they turn the payload into a form [2.1].
func (r *request) signable() [][]byte {
	texts := [][]byte{phpJSON(r.body)}
	if !r.form {
		return texts
	}
	typed := make(object, len(r.body))
	for i, m := range r.body {
		if s, ok := m.value.(string); ok && whole.MatchString(s) && m.key == "quantity" {
			m.value = json.Number(s)
		}
		typed[i] = m
	}
	return append(texts, phpJSON(typed))
}

// page is which part of a list is asked for.
type page struct {
	number, limit int // limit 0: all
}

// readPage reads page and limit of a query.
func (r *request) readPage(limit int) (page, *refusal) {
	p := page{1, limit}
	wrong := object{}
	for _, field := range []struct {
		key string
		to  *int
	}{{"limit", &p.limit}, {"page", &p.number}} {
		given := r.query.Get(field.key)
		if given == "" {
			continue
		}
		n, err := strconv.Atoi(given)
		switch {
		case err != nil:
			wrong = append(wrong, member{field.key, "The " + field.key + " must be an integer."})
		case n < 1:
			wrong = append(wrong, member{field.key, "The " + field.key + " must be at least 1."})
		}
		*field.to = n
	}
	if len(wrong) > 0 {
		return p, invalid(wrong)
	}
	return p, nil
}

// cut is the part of a list of n that a page shows: [from, to).
func (p page) cut(n int) (from, to int) {
	if p.limit == 0 {
		return 0, n
	}
	if p.number > n/p.limit+1 {
		return n, n
	}
	from = (p.number - 1) * p.limit
	return min(from, n), min(from+p.limit, n)
}

// about are links and meta of a page.
func (p page) about(operation Operation, n int) (links, meta object) {
	per := p.limit
	if per == 0 {
		per = max(n, 1)
	}
	last := max((n+per-1)/per, 1)
	from, to := p.cut(n)
	path := "https://partners-api.airalo.com/v2/" + strings.TrimPrefix(string(operation), "GET ")
	at := func(number int) any {
		if number < 1 || number > last {
			return nil
		}
		return path + "?page=" + strconv.Itoa(number)
	}
	links = object{{"first", at(1)}, {"last", at(last)}, {"prev", at(p.number - 1)}, {"next", at(p.number + 1)}}
	meta = object{
		{"message", "success"},
		{"current_page", p.number},
		{"from", from + 1},
		{"last_page", last},
		{"path", path},
		{"per_page", strconv.Itoa(per)},
		{"to", to},
		{"total", n},
	}
	return links, meta
}

// period reads "2006-01-02 - 2006-01-02", both days whole and included.
func period(text string) (from, to time.Time, ok bool) {
	first, last, found := strings.Cut(text, " - ")
	from, err1 := time.Parse(time.DateOnly, strings.TrimSpace(first))
	to, err2 := time.Parse(time.DateOnly, strings.TrimSpace(last))
	return from, to.AddDate(0, 0, 1), found && err1 == nil && err2 == nil
}
