package stripesim

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// form is a call's parameters. A handler reads what it knows; the first
// mistake is kept, and what nobody read is unknown.
type form struct {
	values url.Values
	root   *node
	err    *apiError
}

// node is a parameter, or a group of them: a[b][0].
type node struct {
	value string
	set   bool
	read  bool
	kids  map[string]*node
}

const (
	paramsMax = 1000
	depthMax  = 6
)

// readForm reads the parameters of a call: from the body of a POST, else from
// the query.
func readForm(r *http.Request, body string) (*form, *apiError) {
	raw := body
	if r.Method != http.MethodPost {
		raw = r.URL.RawQuery
	} else if body != "" {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/x-www-form-urlencoded" {
			return nil, wrong("", "", "Invalid request: the content type of a POST must be application/x-www-form-urlencoded.")
		}
	}
	values, err := url.ParseQuery(raw)
	if err != nil || len(values) > paramsMax {
		return nil, wrong("", "", "Invalid request: the parameters cannot be read.")
	}
	f := &form{values: values, root: &node{}}
	for key, all := range values {
		path, ok := split(key)
		if !ok {
			return nil, wrong("parameter_unknown", key, "Received unknown parameter: %s", key)
		}
		f.root.put(path, all)
	}
	return f, nil
}

// split reads a[b][c]; a final [] is left as an empty part.
func split(key string) ([]string, bool) {
	first, rest, nested := strings.Cut(key, "[")
	if first == "" || strings.Contains(first, "]") {
		return nil, false
	}
	path := []string{first}
	if !nested {
		return path, true
	}
	rest, ok := strings.CutSuffix(rest, "]")
	if !ok {
		return nil, false
	}
	path = append(path, strings.Split(rest, "][")...)
	for i, p := range path[1:] {
		last := i == len(path)-2
		if strings.ContainsAny(p, "[]") || p == "" && !last {
			return nil, false
		}
	}
	return path, len(path) <= depthMax
}

// put writes a parameter down. Of several values the last one counts, except
// in a list: a[].
func (n *node) put(path []string, all []string) {
	for _, name := range path {
		if name == "" { // only the last part can be
			for j, v := range all {
				n.put([]string{strconv.Itoa(j)}, []string{v})
			}
			return
		}
		if n.kids == nil {
			n.kids = map[string]*node{}
		}
		if n.kids[name] == nil {
			n.kids[name] = &node{}
		}
		n = n.kids[name]
	}
	n.value, n.set = all[len(all)-1], true
}

// at finds a parameter by its name, nil if it was not sent.
func (f *form) at(name string) *node {
	path, _ := split(name)
	n := f.root
	for _, p := range path {
		if n = n.kids[p]; n == nil {
			return nil
		}
	}
	return n
}

func (f *form) has(name string) bool { return f.at(name) != nil }

// fail keeps the first mistake.
func (f *form) fail(e *apiError) {
	if f.err == nil {
		f.err = e
	}
}

// done returns the first mistake, counting parameters that nobody read.
func (f *form) done() *apiError {
	if f.err != nil {
		return f.err
	}
	if name := f.root.unread(""); name != "" {
		return wrong("parameter_unknown", name, "Received unknown parameter: %s", name)
	}
	return nil
}

func (n *node) unread(name string) string {
	if n.set && !n.read {
		return name
	}
	for _, k := range n.names() {
		inner := name + "[" + k + "]"
		if name == "" {
			inner = k
		}
		if u := n.kids[k].unread(inner); u != "" {
			return u
		}
	}
	return ""
}

// names are the names within a group: numbers in their order, then words.
func (n *node) names() []string {
	var names []string
	for k := range n.kids {
		names = append(names, k)
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) && isIndex(a) && isIndex(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return names
}

func isIndex(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// text reads an optional string of at most that many bytes.
func (f *form) text(name string, most int) string {
	n := f.at(name)
	if n == nil {
		return ""
	}
	n.read = true
	switch {
	case !n.set:
		f.fail(wrong("", name, "Invalid string: %s must be a value, not a group.", name))
	case n.value == "":
		f.fail(wrong("parameter_invalid_empty", name, "You passed an empty string for '%s'.", name))
	case len(n.value) > most:
		f.fail(wrong("", name, "Invalid string: %s must be at most %d characters.", name, most))
	}
	return n.value
}

// need reads a required string.
func (f *form) need(name string) string {
	if !f.has(name) {
		f.fail(wrong("parameter_missing", name, "Missing required param: %s.", name))
	}
	return f.text(name, 5000)
}

// integer reads an optional integer: digits with an optional minus, no
// decimals, no exponent.
func (f *form) integer(name string) (n int64, ok bool) {
	s := f.text(name, 5000)
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strings.HasPrefix(s, "+") {
		f.fail(wrong("parameter_invalid_integer", name, "Invalid integer: %s", s))
	}
	return n, true
}

// count reads a required integer that is not negative.
func (f *form) count(name string) int64 {
	f.need(name)
	n, _ := f.integer(name)
	if n < 0 {
		f.fail(wrong("parameter_invalid_integer", name, "This value must be greater than or equal to 0."))
	}
	return n
}

func (f *form) flag(name string) bool {
	s := f.text(name, 5000)
	if s != "" && s != "true" && s != "false" {
		f.fail(wrong("", name, "Invalid boolean: %s", s))
	}
	return s == "true"
}

// word reads an optional string that is one of a few.
func (f *form) word(name string, allowed ...string) string {
	s := f.text(name, 5000)
	if s != "" && !slices.Contains(allowed, s) {
		f.fail(wrong("", name, "Invalid %s: must be one of %s", name, strings.Join(allowed, ", ")))
	}
	return s
}

// words reads an optional list of strings; without allowed, any.
func (f *form) words(name string, allowed ...string) []string {
	var all []string
	for _, item := range f.each(name) {
		if len(allowed) > 0 {
			f.word(item, allowed...)
		}
		all = append(all, f.text(item, 500))
	}
	return all
}

// each returns the names of a list's elements.
func (f *form) each(name string) []string {
	n := f.at(name)
	if n == nil {
		return nil
	}
	if n.set {
		n.read = true
		f.fail(wrong("", name, "Invalid array: %s", name))
	}
	var all []string
	for _, k := range n.names() {
		if !isIndex(k) {
			f.fail(wrong("", name, "Invalid array: %s", name))
		}
		all = append(all, name+"["+k+"]")
	}
	return all
}

// metadata reads a group of the caller's own words. An empty value is none.
func (f *form) metadata(name string) map[string]string {
	all := map[string]string{}
	n := f.at(name)
	if n == nil {
		return all
	}
	if n.set {
		n.read = true
		f.fail(wrong("", name, "Invalid object: %s", name))
	}
	for _, k := range n.names() {
		kid := n.kids[k]
		kid.read = true
		inner := name + "[" + k + "]"
		switch {
		case kid.kids != nil:
			f.fail(wrong("", inner, "Invalid string: metadata values are strings."))
		case len(k) > 40:
			f.fail(wrong("", inner, "Metadata keys are at most 40 characters."))
		case len(kid.value) > 500:
			f.fail(wrong("", inner, "Metadata values are at most 500 characters."))
		case kid.value != "":
			all[k] = kid.value
		}
	}
	if len(all) > 50 {
		f.fail(wrong("", name, "Metadata has at most 50 keys."))
	}
	return all
}

// address reads an optional absolute URL.
func (f *form) address(name string) string {
	s := f.text(name, 5000)
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		f.fail(wrong("url_invalid", name, "Not a valid URL: %s", name))
	}
	return s
}

// span reads created[gte] and its like; nil without any.
func (f *form) span(name string) func(time.Time) bool {
	if !f.has(name) {
		return nil
	}
	from, until := int64(-1<<62), int64(1<<62)
	if n, ok := f.integer(name + "[gte]"); ok {
		from = n
	}
	if n, ok := f.integer(name + "[gt]"); ok {
		from = max(from, n+1)
	}
	if n, ok := f.integer(name + "[lte]"); ok {
		until = n
	}
	if n, ok := f.integer(name + "[lt]"); ok {
		until = min(until, n-1)
	}
	return func(t time.Time) bool { return from <= t.Unix() && t.Unix() <= until }
}

// ignore takes parameters that exist at Stripe and change nothing here.
func (f *form) ignore(names ...string) {
	for _, name := range names {
		if n := f.at(name); n != nil {
			n.markRead()
		}
	}
}

func (n *node) markRead() {
	n.read = true
	for _, k := range n.kids {
		k.markRead()
	}
}

// refuse turns away parameters that exist at Stripe and would change the
// outcome, but are not simulated.
func (f *form) refuse(names ...string) {
	for _, name := range names {
		if f.has(name) {
			f.ignore(name)
			f.fail(wrong("", name, "stripesim: %s is a parameter of Stripe's that is not simulated", name))
		}
	}
}
