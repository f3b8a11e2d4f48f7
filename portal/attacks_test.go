package portal

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
)

// attacks are what somebody types who means harm, by what they hope for. Each has the
// mark, so that it is known where it comes out.
func attacks(inside string) map[string]string {
	return map[string]string{
		"another query":        `x9mark' OR '1'='1' --`,
		"a second statement":   `x9mark'; DROP TABLE orders; --`,
		"a script":             `x9mark<script>alert(1)</script>`,
		"an attribute":         `x9mark" onmouseover="alert(1)" x='`,
		"a template":           `x9mark{{printf "%s" "evaluated"}}${7*7}`,
		"another file":         `../../../../../../etc/passwd`,
		"a header":             "x9mark\r\nX-Injected: x9mark\r\n\r\n<b>",
		"another site":         `//evil.example/x9mark`,
		"a script's address":   `javascript:alert("x9mark")`,
		"our own network":      inside,
		"a command":            `x9mark; cat /etc/passwd #$(id)`,
		"what is no text":      "x9mark\x00\xff\xfe\u202e",
		"an endless number":    strings.Repeat("9", 400),
		"a number below zero":  `-1`,
		"more than anybody is": strings.Repeat("x9mark", 2_000),
	}
}

// Every route is sent what OWASP's list of attacks is about, in its address, its query
// and every field that any form has, by nobody and by a customer: it answers, with
// nothing broken inside, nothing run, nothing of the inside shown, and leads nowhere else.
// What an identifier of somebody else opens, [TestNobodySeesOrChangesWhatIsNotTheirs] tries.
func TestAttacksOnEveryRoute(t *testing.T) {
	w := newTown(t)
	var called atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
	defer inside.Close()
	fields := fieldsOfForms(t)
	people := []*browser{w.browser(locale.En), w.browser(locale.En).signIn("aiko@example.com")}
	balance := w.balance()
	visits := 0
	for _, route := range w.server.routes() {
		method, path, _ := strings.Cut(route.pattern, " ")
		for what, attack := range attacks(inside.URL) {
			send := url.Values{}
			for _, f := range fields {
				if f != "lang" { // which leads back to the page without it, whatever else is there
					send.Set(f, attack)
				}
			}
			paths := []string{filled(path, url.PathEscape(attack))}
			if strings.Contains(path, "{") && !strings.HasSuffix(path, "/live") {
				paths = append(paths, filled(path, map[bool]string{true: "machi-5gb", false: w.lines["fresh"]}[strings.HasPrefix(path, "/plans")]))
			}
			for _, at := range paths {
				for _, b := range people {
					visits++
					w.env.Clock.Add(time.Second)
					p := b.attack(method, at, send)
					for _, wrong := range append(p.harmed(), b.attack(method, at, url.Values{"lang": {attack}}).harmed()...) {
						t.Errorf("%s with %s: %s", route.pattern, what, wrong)
					}
				}
			}
		}
	}
	if visits < 30*len(w.server.routes()) {
		t.Errorf("only %d visits", visits)
	}
	if log := w.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") || strings.Contains(log, "\nX-Injected") {
		t.Errorf("something broke inside, or wrote a line of its own:\n%s", log)
	}
	if n := called.Load(); n > 0 {
		t.Errorf("somebody inside was called %d times", n)
	}
	if len(w.orders()) > 0 || w.balance() != balance {
		t.Errorf("%d orders, and %d in the wallet, had %d", len(w.orders()), w.balance(), balance)
	}
}

// Every form is refused that another site sends, and one that is of no kind that forms have.
func TestEveryFormIsOurOwn(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.header.Set("Origin", "https://evil.example")
	for _, route := range w.server.routes() {
		method, path, _ := strings.Cut(route.pattern, " ")
		if method != "POST" {
			continue
		}
		if p := b.do(method, filled(path, w.lines["fresh"]), url.Values{"sure": {"yes"}}); p.status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", route.pattern, p.status)
		}
	}
}

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

func filled(path, with string) string {
	return wildcard.ReplaceAllLiteralString(strings.ReplaceAll(path, "{$}", ""), with)
}

// fieldsOfForms are the names of all fields and parameters that a page reads, as its
// source says.
func fieldsOfForms(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reads := regexp.MustCompile(`(?:field\(|\bGet\(|FormValue\(|Form\[)"([a-z][a-zA-Z_]*)"`)
	seen := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reads.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasSuffix(f, "_test.go") && !seen[m[1]] {
				seen[m[1]] = true
				all = append(all, m[1])
			}
		}
	}
	if len(all) < 50 {
		t.Fatalf("only %d fields found: %q", len(all), all)
	}
	return all
}

// attack asks with a query and, by POST, with a form, and reads no more than a page may have.
func (b *browser) attack(method, path string, send url.Values) page {
	b.t.Helper()
	var body io.Reader
	target := b.town.web.URL + path
	if method == "POST" {
		body = strings.NewReader(send.Encode())
	} else if query := send.Encode(); len(query) < 500_000 {
		target += "?" + query
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, target, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = b.header.Clone()
	req.Header.Del("Accept-Encoding") // the client unpacks by itself
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		b.t.Fatal(err)
	}
	return page{status: res.StatusCode, to: res.Header.Get("Location"), header: res.Header, html: string(text), bytes: len(text)}
}

// harmed is what shows on a page that an attack has done something.
func (p page) harmed() (all []string) {
	if p.status >= 500 {
		all = append(all, "answered with "+http.StatusText(p.status))
	}
	for _, shown := range []string{
		"x9mark<script", `x9mark" onmouseover`, "x9markevaluated", "root:x:", "SQLITE", "sqlite", "syntax error", "goroutine ", "runtime error", `href="javascript:`, `src="javascript:`,
		`href="//evil`, `action="//evil`,
	} {
		if strings.Contains(p.html, shown) {
			all = append(all, "the page has "+shown)
		}
	}
	if p.to != "" && (!strings.HasPrefix(p.to, "/") || strings.HasPrefix(p.to, "//") || strings.HasPrefix(p.to, `/\`)) && !strings.HasPrefix(p.to, "https://pay.example/") {
		all = append(all, "leads to "+p.to)
	}
	if p.header.Get("X-Injected") != "" || strings.ContainsAny(p.to, "\r\n") {
		all = append(all, "has a header of the attacker's")
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff"} {
		if p.header.Get(name) != want {
			all = append(all, "has no "+name)
		}
	}
	if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") && !strings.Contains(p.header.Get("Content-Security-Policy"), "default-src 'none'") {
		all = append(all, "has no policy")
	}
	if p.bytes >= 1<<20 {
		all = append(all, "answers without end")
	}
	return all
}
