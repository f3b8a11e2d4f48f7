package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// attacks are what a program sends whose owner means harm, by what they hope for.
var attacks = map[string]string{
	"another query":        `x9mark' OR '1'='1' --`,
	"a second statement":   `x9mark'; DROP TABLE orders; --`,
	"a script":             `x9mark<script>alert(1)</script>`,
	"a template":           `x9mark{{printf "%s" "evaluated"}}${7*7}`,
	"another file":         `../../../../../../etc/passwd`,
	"a header":             "x9mark\r\nX-Injected: x9mark\r\n\r\n<b>",
	"another site":         `https://evil.example/x9mark`,
	"what is no text":      "x9mark\x00\u202e",
	"an endless number":    strings.Repeat("9", 400),
	"more than anybody is": strings.Repeat("x9mark", 2_000),
}

// Every operation is sent what OWASP's list of attacks is about, in its address, its
// query, every text of its body and the key against doubling, and bodies that are none:
// it refuses in the words of the document, with nothing broken inside and nothing of the
// inside shown. What another's identifier opens, [TestNobodyGetsInWithoutTheRightKey] tries.
func TestAttacksOnEveryOperation(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, all := w.key("", Scopes...)
	q := w.program(all).quote("fresh", tenDays)
	names := strings.NewReplacer("{account}", w.aiko.ID, "{line}", w.lines["fresh"], "{quote}", q.ID, "{order}", q.ID, "{bill}", q.ID, "{plan}", "machi-5gb")
	bodies := w.bodies(q)
	for _, operation := range w.operations() {
		method, path, _ := strings.Cut(operation, " ")
		for what, attack := range attacks {
			query := "?limit=" + url.QueryEscape(attack) + "&cursor=" + url.QueryEscape(attack) + "&state=" + url.QueryEscape(attack)
			paths := map[string]any{names.Replace(path) + query: poisoned(t, bodies[operation], attack)}
			if strings.Contains(path, "{") {
				paths[inPath.ReplaceAllLiteralString(path, url.PathEscape(attack))] = bodies[operation]
			}
			for at, body := range paths {
				w.env.Clock.Add(time.Second) // the key is not to be too fast
				p := w.program(all).with("Idempotency-Key", "attack "+strings.Map(printable, attack[:min(len(attack), 60)]))
				r := p.send(method, prefix+at, body)
				if r.status >= 500 || r.header.Get("X-Injected") != "" || r.header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s with %s: %d %v %s", operation, what, r.status, r.header, r.body)
				}
				for _, shown := range []string{"x9markevaluated", "root:x:", "sqlite", "SQL", "goroutine", "runtime error"} {
					if strings.Contains(string(r.body), shown) {
						t.Errorf("%s with %s shows %s: %s", operation, what, shown, r.body)
					}
				}
			}
		}
		if bodies[operation] == nil {
			continue
		}
		for _, body := range []string{"", "{", "[]", "null", `"x9mark"`, `{"__proto__":{"admin":true},"amount":1e400}`, strings.Repeat(`{"a":`, 5_000), "<x9mark/>"} {
			w.env.Clock.Add(time.Second)
			r := w.program(all).with("Idempotency-Key", "no body").send(method, prefix+names.Replace(path), body)
			if r.status < 400 || r.status >= 500 {
				t.Errorf("%s with %.20q: %d %s", operation, body, r.status, r.body)
			}
		}
	}
	if len(w.orders()) > 0 {
		t.Errorf("%d orders were placed", len(w.orders()))
	}
	if log := w.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "\nX-Injected") {
		t.Errorf("something broke inside: %s", log)
	}
}

// Types of content that no operation reads are refused, and a method that is for nothing.
func TestOtherTypesOfContentAreRefused(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, all := w.key("", Scopes...)
	for operation, body := range w.bodies(w.program(all).quote("fresh", tenDays)) {
		method, path, _ := strings.Cut(operation, " ")
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		for _, media := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			w.env.Clock.Add(time.Second)
			req, err := http.NewRequestWithContext(t.Context(), method, w.web.URL+prefix+inPath.ReplaceAllLiteralString(path, w.aiko.ID), strings.NewReader(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+all)
			req.Header.Set("Content-Type", media)
			req.Header.Set("Idempotency-Key", "another type")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusUnsupportedMediaType {
				t.Errorf("%s as %s: %d", operation, media, res.StatusCode)
			}
		}
	}
	if len(w.orders()) > 0 {
		t.Error("an order was placed")
	}
}

var inPath = regexp.MustCompile(`\{[a-z]+\}`)

// printable leaves out what no header may have.
func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

// poisoned is a body with an attack for each text that it has.
func poisoned(t *testing.T, body any, attack string) any {
	t.Helper()
	if body == nil {
		return nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	return poison(whole, attack)
}

func poison(v any, attack string) any {
	switch v := v.(type) {
	case string:
		return attack
	case map[string]any:
		for name := range v {
			v[name] = poison(v[name], attack)
		}
	}
	return v
}
