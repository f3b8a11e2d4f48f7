package esimaccesssim

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// refusal is a definite no: a six-digit code and the operator's words.
type refusal struct{ code, text string }

func fail(code string) *refusal { return &refusal{code, textOf(code)} }

// failed says more than the code's own text does.
func failed(code, detail string) *refusal {
	return &refusal{code, textOf(code) + " " + detail}
}

// textOf is the operator's explanation of a code, in our words [1.5].
func textOf(code string) string {
	switch code {
	case "000001":
		return "server error"
	case "000102":
		return "request header has the wrong format"
	case "000103":
		return "request method not supported"
	case "000104":
		return "request is not valid JSON"
	case "000105":
		return "mandatory request parameter missing"
	case "000106":
		return "mandatory request parameter is null"
	case "000107":
		return "request parameter has the wrong length"
	case "101001":
		return "request timestamp expired"
	case "101002":
		return "IP address blocked"
	case "101003":
		return "request signature mismatch"
	case "200002":
		return "operation not allowed in this order status"
	case "200005":
		return "wrong package price"
	case "200006":
		return "wrong total amount"
	case "200007":
		return "insufficient account balance"
	case "200008":
		return "wrong order parameters"
	case "200009":
		return "abnormal order status"
	case "200010":
		return "profile is being downloaded for the order"
	case "200011":
		return "not enough profiles available"
	case "310241":
		return "packageCode does not exist"
	case "310243":
		return "package does not exist"
	case "310272":
		return "orderNo does not exist"
	case "310403":
		return "ICCID does not exist in the order"
	case "900001":
		return "system busy, try again later"
	}
	return "refused"
}

// params are the members of a request's JSON object.
type params map[string]json.RawMessage

// readParams reads the body. An empty one is allowed where nothing is asked.
func readParams(path string, body []byte) (params, *refusal) {
	if len(bytes.TrimSpace(body)) == 0 {
		switch path {
		case "balance/query", "location/list", "webhook/query":
			return params{}, nil
		}
		return nil, fail("000104")
	}
	var p params
	if err := json.Unmarshal(body, &p); err != nil || p == nil {
		return nil, fail("000104")
	}
	return p, nil
}

// optional reads a string; null and the empty string count as not given, as
// the document's own samples send them.
func (p params) optional(name string) (string, *refusal) {
	raw, ok := p[name]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var v string
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", failed("000104", name)
	}
	return v, nil
}

// mandatory reads a string of 1 to most characters.
func (p params) mandatory(name string, most int) (string, *refusal) {
	if no := p.present(name); no != nil {
		return "", no
	}
	v, no := p.optional(name)
	switch {
	case no != nil:
		return "", no
	case v == "":
		return "", failed("000106", name)
	case utf8.RuneCountInString(v) > most:
		return "", failed("000107", name)
	}
	return v, nil
}

// present refuses a mandatory parameter that is missing or null.
func (p params) present(name string) *refusal {
	raw, ok := p[name]
	if !ok {
		return failed("000105", name)
	}
	if string(raw) == "null" {
		return failed("000106", name)
	}
	return nil
}

// number reads a whole number, also when it comes in quotes: the tables type
// some amounts as strings. It reports whether there was one.
func (p params) number(name string) (int64, bool, *refusal) {
	raw, ok := p[name]
	digits := strings.Trim(string(raw), `"`)
	if !ok || digits == "null" || digits == "" {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, false, failed("000104", name)
	}
	return n, true, nil
}

// list reads an array of 1 to most members.
func list[T any](p params, name string, most int) ([]T, *refusal) {
	if no := p.present(name); no != nil {
		return nil, no
	}
	var v []T
	if err := json.Unmarshal(p[name], &v); err != nil {
		return nil, failed("000104", name)
	}
	if len(v) == 0 || len(v) > most {
		return nil, failed("000107", name)
	}
	return v, nil
}

// when reads a time; the zero time when none was given.
func (p params) when(name string) (time.Time, *refusal) {
	v, no := p.optional(name)
	if no != nil || v == "" {
		return time.Time{}, no
	}
	for _, layout := range []string{"2006-01-02T15:04Z07:00", time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if at, err := time.Parse(layout, v); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, failed("000104", name)
}

// page is the part of a list that is asked for.
type page struct{ number, size int64 }

// pager reads the page that a query must name [1.3].
func (p params) pager() (page, *refusal) {
	if no := p.present("pager"); no != nil {
		return page{}, no
	}
	var inner params
	if err := json.Unmarshal(p["pager"], &inner); err != nil {
		return page{}, failed("000104", "pager")
	}
	num, no := inner.within("pageNum", 1, 10_000)
	if no != nil {
		return page{}, no
	}
	size, no := inner.within("pageSize", 5, 500)
	if no != nil {
		return page{}, no
	}
	return page{num, size}, nil
}

// within reads a mandatory number from least to most.
func (p params) within(name string, least, most int64) (int64, *refusal) {
	if no := p.present(name); no != nil {
		return 0, no
	}
	n, _, no := p.number(name)
	if no != nil {
		return 0, no
	}
	if n < least || n > most {
		return 0, failed("000107", name)
	}
	return n, nil
}
