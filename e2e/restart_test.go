package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/world"
)

// The demo that people try first, as they start it: it opens, a line is renewed,
// the machine goes off, it is started again in the same folder, and the line is
// still renewed; every promise was kept.
func TestDemoSurvivesAPowerCut(t *testing.T) {
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "demo")
	cut := startDemo(t, address, dir)
	w := newWalker(t, "http://"+address)
	w.signIn()
	line := w.find(w.get("/"), `href="/lines/(ln_[0-9a-z]+)/renew"`)
	offer := w.get("/lines/" + line + "/renew")
	review := w.post("/lines/"+line+"/renew", url.Values{
		"item": {w.find(offer, `name="item" value="([^"]+)"`)}, "currency": {w.find(offer, `name="currency" value="([^"]+)"`)},
	})
	w.post(w.find(review, `action="(/quotes/[^"]+)"`), url.Values{
		"tool": {"wallet"}, "amount": {w.find(review, `name="amount" value="([^"]+)"`)}, "currency": {w.find(review, `name="currency" value="([^"]+)"`)},
	})
	order := w.at
	if !strings.HasPrefix(order, "/orders/") {
		t.Fatalf("paid, and on %s", order)
	}
	bill := w.find(w.get(order), `href="(/bills/[^"]+)"`) // there is one: the renewal is complete
	cut()

	cut = startDemo(t, address, dir)
	if body := w.get(order); !strings.Contains(body, bill) {
		t.Errorf("after the power cut %s has no bill:\n%s", order, body)
	}
	if body := w.get("/lines/" + line); !strings.Contains(body, order) {
		t.Errorf("after the power cut the line does not know %s:\n%s", order, body)
	}
	cut()
	out, err := exec.CommandContext(t.Context(), tsuzuku(t), "audit", "--database", filepath.Join(dir, "demo.db")).CombinedOutput()
	if err != nil {
		t.Errorf("audit: %v\n%s", err, out)
	}
}

// startDemo runs the built program until cut is called.
func startDemo(t *testing.T, address, dir string) (cut func()) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), tsuzuku(t), "demo", "--listen", address, "--data", dir)
	cmd.Env, cmd.Stdout, cmd.Stderr = cleanEnviron(), &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended bool
	cut = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill() // SIGKILL: nothing is put in order
			_ = cmd.Wait()
		}
	}
	t.Cleanup(func() {
		cut()
		if t.Failed() {
			t.Logf("the demo said:\n%s", said.String())
		}
	})
	if _, err := await("http://" + address + "/"); err != nil {
		cut()
		t.Fatalf("the demo does not open: %v\n%s", err, said.String())
	}
	return cut
}

// walker is a browser that can do no more than forms and cookies.
type walker struct {
	t      *testing.T
	base   string
	client *http.Client
	at     string // the path it is on
}

func newWalker(t *testing.T, base string) *walker {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &walker{t: t, base: base, client: &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}}
}

func (w *walker) get(path string) string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.base+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(r)
}

func (w *walker) post(path string, form url.Values) string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r)
}

func (w *walker) do(r *http.Request) string {
	w.t.Helper()
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.at = resp.Request.URL.Path
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s answers %s:\n%s", r.Method, r.URL.Path, resp.Status, body)
	}
	return string(body)
}

// find returns the first group of a pattern in a page.
func (w *walker) find(body, pattern string) string {
	w.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(body)
	if m == nil {
		w.t.Fatalf("on %s there is no %s:\n%s", w.at, pattern, body)
	}
	return m[1]
}

// inboxCode is the code in the subject of a letter in the simulated inbox.
var inboxCode = regexp.MustCompile(`<h2>[^<]*\b(\d{8}(?:\d{4})?)\b`)

func (w *walker) signIn() {
	w.t.Helper()
	w.post("/sign-in", url.Values{"email": {world.Traveller}})
	inbox := ""
	if !eventuallyTrue(func() bool {
		inbox = w.get("/sim/inbox?to=" + world.Traveller)
		return inboxCode.MatchString(inbox)
	}) {
		w.t.Fatal("no code in the mailbox")
	}
	w.post("/sign-in/code", url.Values{"code": {w.find(inbox, inboxCode.String())}})
	if w.at != "/" {
		w.t.Fatalf("signed in, and on %s", w.at)
	}
}
