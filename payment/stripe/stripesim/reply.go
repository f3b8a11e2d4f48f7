package stripesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// obj is a JSON object. Values may be links.
type obj = map[string]any

// link is a field that holds an identifier, or the whole object if the caller
// asked to expand it. An empty identifier is null.
type link struct {
	id     string
	open   func() obj
	hidden bool // not there at all unless expanded
}

// The types of error.
const (
	apiTrouble     = "api_error"
	cardError      = "card_error"
	invalidRequest = "invalid_request_error"
)

// apiError is Stripe's no.
type apiError struct {
	status                       int
	kind, code, decline, message string
	param                        string
	charge                       string  // the failed charge
	method                       *method // what was declined
	intent                       *intent // shown in the answer, not in last_payment_error
}

func (e *apiError) json() obj {
	o := e.bare()
	if e.intent != nil {
		o["payment_intent"] = e.intent.json()
	}
	return obj{"error": o}
}

// bare is the error as it also stands in last_payment_error.
func (e *apiError) bare() obj {
	o := obj{"type": e.kind, "message": e.message}
	for k, v := range map[string]string{"code": e.code, "decline_code": e.decline, "param": e.param, "charge": e.charge} {
		if v != "" {
			o[k] = v
		}
	}
	if e.code != "" {
		o["doc_url"] = "https://stripe.com/docs/error-codes/" + strings.ReplaceAll(e.code, "_", "-")
	}
	if e.method != nil {
		o["payment_method"] = e.method.json()
	}
	return o
}

// wrong is an error in the parameters or in what they ask for.
func wrong(code, param, format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusBadRequest, kind: invalidRequest,
		code: code, param: param, message: fmt.Sprintf(format, args...),
	}
}

// missing says that there is no such thing. In the path that is a 404, in a
// parameter a 400.
func missing(what, id, param string) *apiError {
	e := wrong("resource_missing", param, "No such %s: '%s'", what, id)
	if param == "" {
		e.status, e.param = http.StatusNotFound, "id"
	}
	return e
}

// render writes an object as Stripe does, without its indents. It cannot fail: an obj holds only
// what the simulator put there.
func render(o obj) []byte {
	b, err := json.Marshal(plain(o))
	if err != nil {
		panic("stripesim: " + err.Error())
	}
	return append(b, '\n')
}

// plain replaces what is left of links by identifiers.
func plain(v any) any {
	switch v := v.(type) {
	case obj:
		for k, e := range v {
			if l, is := e.(link); is && l.hidden {
				delete(v, k)
				continue
			}
			v[k] = plain(e)
		}
	case []any:
		for i, e := range v {
			v[i] = plain(e)
		}
	case link:
		if v.id == "" {
			return nil
		}
		return v.id
	}
	return v
}

const expandDepth = 4

func expandAll(o obj, paths []string) *apiError {
	for _, p := range paths {
		parts := strings.Split(p, ".")
		if len(parts) > expandDepth || !expand(o, parts) {
			return wrong("", "expand", "This property cannot be expanded (%s).", p)
		}
	}
	return nil
}

// expand opens the link at the end of a path, and all before it. It reports
// whether there is one.
func expand(v any, path []string) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if !expand(e, path) {
				return false
			}
		}
		return true
	case obj:
		if len(path) == 0 {
			return true
		}
		child, ok := v[path[0]]
		if l, is := child.(link); is {
			if l.id == "" {
				return true
			}
			child = l.open()
			v[path[0]] = child
		}
		return ok && expand(child, path[1:])
	}
	return false
}

// entry is one thing that can be in a list.
type entry struct {
	id        string
	createdAt time.Time
	show      func() obj
}

// listing is what a caller wants to see of a list.
type listing struct {
	limit         int64
	after, before string
	created       func(time.Time) bool
}

func (f *form) listing() listing {
	l := listing{limit: 10, after: f.text("starting_after", 255), before: f.text("ending_before", 255), created: f.span("created")}
	if n, ok := f.integer("limit"); ok {
		l.limit = n
		if n < 1 || n > 100 {
			f.fail(wrong("parameter_invalid_integer", "limit", "This value must be between 1 and 100."))
		}
	}
	return l
}

// show answers with one page of a list, newest first. Entries come oldest first.
func (l listing) show(url string, all []entry) (obj, *apiError) {
	var newest []entry
	for i := len(all) - 1; i >= 0; i-- {
		if l.created == nil || l.created(all[i].createdAt) {
			newest = append(newest, all[i])
		}
	}
	from, to := 0, len(newest)
	for i, e := range newest {
		if e.id == l.after {
			from = i + 1
		}
		if e.id == l.before {
			to = i
		}
	}
	if l.after != "" && from == 0 {
		return nil, missing("object", l.after, "starting_after")
	}
	if l.before != "" && to == len(newest) {
		return nil, missing("object", l.before, "ending_before")
	}
	part := newest[min(from, to):to]
	more := int64(len(part)) > l.limit
	if more && l.before != "" {
		part = part[int64(len(part))-l.limit:]
	} else if more {
		n := l.limit
		if n > 1 && part[n-1].id == part[n].id {
			n-- // a row that is listed twice stays together: a cursor cannot stand between
		}
		part = part[:n]
	}
	data := []any{}
	for _, e := range part {
		data = append(data, e.show())
	}
	return obj{"object": "list", "url": url, "has_more": more, "data": data}, nil
}

// orNull is null for the empty string.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// unix is null for the zero time.
func unix(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

func digits(n int64) string { return strconv.FormatInt(n, 10) }

func upper(s string) string { return strings.ToUpper(s) }
