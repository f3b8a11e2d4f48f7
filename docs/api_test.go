package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/api"
	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/audit"
)

// The commands of api.md do in the demo what the page says.
func TestCommandsOfTheAPI(t *testing.T) {
	w := &walkthrough{t: t, values: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.demo.Handler().ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	d, err := app.OpenDemo(t.Context(), app.DemoOptions{URL: server.URL, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	w.demo, w.values["SHOP"], w.values["KEY"] = d, server.URL, d.Key
	w.values["DAY"] = d.App.DB.Now().AddDate(0, 0, 9).Format(time.DateOnly)
	for _, block := range fenced(document(t, "api.md"), "sh")[1:] { // the first one makes the command
		for line := range strings.Lines(block) {
			w.run(strings.TrimSpace(line))
		}
	}
	if len(w.refused) > 0 {
		t.Errorf("refused: %q", w.refused)
	}
	if !strings.Contains(w.seen["/lines/$LINE/advice"], `"recommendation"`) {
		t.Errorf("nothing is advised: %s", w.seen["/lines/$LINE/advice"])
	}
	for path, says := range map[string]string{"/orders/$ORDER": `"state":"completed"`, "/orders/$BOUGHT": `"kind":"line"`, "/orders/$LATER/period/cancellation": `"state":"possible"`, "/orders/$LATER/period/cancel": `"state":"done"`, "/quotes/$QUOTE/tools": `"tool":"wallet"`, "/lines/$LINE": `"endsAt"`, "/accounts/$ACCOUNT/balances": `"points"`} {
		if !strings.Contains(w.seen[path], says) {
			t.Errorf("%s: no %s in %s", path, says, w.seen[path])
		}
	}
	for {
		worked := false
		for _, s := range d.App.Steps() {
			if s.Name == "orders" || s.Name == "bill numbers" {
				did, err := s.Do(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				worked = worked || did
			}
		}
		if !worked {
			break
		}
	}
	if found, err := audit.Run(t.Context(), d.App.DB); err != nil || len(found) > 0 {
		t.Errorf("audit: %v %v", found, err)
	}
}

// walkthrough runs the page's commands, which are all the page's own "api".
type walkthrough struct {
	t       *testing.T
	demo    *app.Demo
	values  map[string]string
	seen    map[string]string // the last answer, by the path as it is written
	refused []string
}

var assigned = regexp.MustCompile(`^([A-Z]+)=\$\((api .*) \| jq -r ([.\[\]a-zA-Z0-9]+)\)$`)

func (w *walkthrough) run(line string) {
	w.t.Helper()
	m := assigned.FindStringSubmatch(line)
	if m == nil {
		w.ask(line)
		return
	}
	var answer any
	text := w.ask(m[2])
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		w.t.Fatalf("%s: %v: %s", line, err, text)
	}
	for _, step := range regexp.MustCompile(`[a-zA-Z]+|\d+`).FindAllString(m[3], -1) {
		switch a := answer.(type) {
		case map[string]any:
			answer = a[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n >= len(a) {
				w.t.Fatalf("%s: no %s in %s", line, step, text)
			}
			answer = a[n]
		}
	}
	if f, ok := answer.(float64); ok {
		answer = strconv.FormatInt(int64(f), 10)
	}
	w.values[m[1]] = fmt.Sprint(answer)
}

// ask runs "api PATH [-X METHOD] [-H HEADER] [-d BODY]".
func (w *walkthrough) ask(line string) string {
	w.t.Helper()
	words := w.words(line)
	if len(words) < 2 || words[0] != "api" {
		w.t.Fatalf("cannot run %q", line)
	}
	method, body, header := "GET", "", http.Header{"Authorization": {"Bearer " + w.values["KEY"]}, "Content-Type": {"application/json"}}
	for i := 2; i+1 < len(words); i += 2 {
		switch words[i] {
		case "-X":
			method = words[i+1]
		case "-d":
			if body = words[i+1]; method == "GET" {
				method = "POST"
			}
		case "-H":
			name, value, _ := strings.Cut(words[i+1], ": ")
			header.Set(name, value)
		default:
			w.t.Fatalf("%q has an option that curl in this test lacks: %s", line, words[i])
		}
	}
	text := w.send(method, words[1], body, header)
	if strings.HasSuffix(words[1], "/advice") && !strings.Contains(text, "recommendation") {
		for worked := true; worked; { // a minute goes by
			var err error
			if worked, err = w.demo.App.Adviser.Step(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}
		text = w.send(method, words[1], body, header)
	}
	if w.seen == nil {
		w.seen = map[string]string{}
	}
	w.seen[strings.Fields(line)[1]] = text
	return text
}

func (w *walkthrough) send(method, path, body string, header http.Header) string {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(w.t.Context()), method, w.values["SHOP"]+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.StatusCode >= 400 {
		w.refused = append(w.refused, fmt.Sprintf("%s %s: %d %s", method, path, res.StatusCode, text))
	}
	return string(text)
}

// words splits a line as a shell does, as far as the page goes.
func (w *walkthrough) words(line string) (all []string) {
	var word strings.Builder
	var quote byte
	begun := false
	end := func() {
		if begun {
			all = append(all, word.String())
		}
		begun = false
		word.Reset()
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == 0 && c == ' ':
			end()
			continue
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '$' && quote != '\'':
			name := regexp.MustCompile(`^[A-Z]+`).FindString(line[i+1:])
			word.WriteString(w.values[name])
			i += len(name)
		default:
			word.WriteByte(c)
		}
		begun = true
	}
	end()
	return all
}

// fenced are the blocks of a language.
func fenced(text, language string) (all []string) {
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// Every type of problem and every scope has its row, and no others; every
// operation that the page names is one.
func TestPageOfTheAPIIsWhole(t *testing.T) {
	text := document(t, "api.md")
	source, err := os.ReadFile("../api/problem.go")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"invalid", "denied", "not_found", "conflict", "too_many", "unavailable", "internal"}
	kinds, _, _ := strings.Cut(string(source[bytes.Index(source, []byte("// The kinds of problem")):]), ")")
	for _, m := range regexp.MustCompile(`= "([a-z_]+)"`).FindAllStringSubmatch(kinds, -1) {
		known = append(known, m[1])
	}
	var documented []string
	for _, r := range rows(text, "| type |") {
		id, name, _ := strings.Cut(strings.TrimPrefix(r[0], `<a id="`), `"></a>`)
		if code(name) != id {
			t.Errorf("the row of %s has the address %s", name, id)
		}
		documented = append(documented, id)
	}
	same(t, "problems", documented, known)
	var scopes, said []string
	for _, s := range api.Scopes {
		scopes = append(scopes, string(s))
	}
	for _, r := range rows(text, "| scope |") {
		said = append(said, code(r[0]))
	}
	same(t, "scopes", said, scopes)
	var described struct {
		Paths map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(api.Document, &described); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for p := range described.Paths {
		paths = append(paths, p)
	}
	named := regexp.MustCompile("`(/[a-z{}/]+)[`?]").FindAllStringSubmatch(text, -1)
	if len(named) < 5 {
		t.Fatalf("only %d operations are named", len(named))
	}
	for _, m := range named {
		if !slices.Contains(paths, m[1]) && m[1] != "/api/openapi.json" {
			t.Errorf("there is no operation at %s", m[1])
		}
	}
}
