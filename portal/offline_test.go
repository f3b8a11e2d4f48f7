package portal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// The portal is installed under the seller's name, with pictures that are there.
func TestManifest(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.Ja)
	p := b.see("/manifest.webmanifest")
	var m manifest
	if err := json.Unmarshal([]byte(p.html), &m); err != nil {
		t.Fatal(err)
	}
	if m.Name != "Tsuzuku Demo Store" || m.Lang != "ja" || m.Start != "/" || m.Scope != "/" || m.Display != "standalone" || p.header.Get("Content-Type") != "application/manifest+json" {
		t.Errorf("%+v", m)
	}
	sides := map[int]bool{}
	for i, icon := range m.Icons {
		file := b.see(icon.Src)
		c, err := png.DecodeConfig(bytes.NewReader([]byte(file.html)))
		side := ui.Icons()[i].Side
		if err != nil || c.Width != side || c.Height != side || icon.Sizes != ui.Icons()[i].Sizes() || len(file.html) > 2000 {
			t.Errorf("%s: %d × %d in %d bytes, %v", icon.Src, c.Width, c.Height, len(file.html), err)
		}
		sides[side] = true
	}
	if !sides[192] || !sides[512] {
		t.Errorf("a browser asks for 192 and 512, there are %v", sides)
	}
}

// A device keeps pages with a line while its owner is signed in, and is told to
// forget them by every page that shows nobody is; never what is to be paid.
func TestWhatADeviceMayKeep(t *testing.T) {
	w := newTown(t)
	b, holder := w.browser(locale.En).signIn("aiko@example.com"), w.browser(locale.En).link("fresh")
	said := func(p page) string { return p.header.Get("Tsuzuku-Offline") }
	quote := b.quote("fresh", "term/machi-5gb/10d")
	done := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	line := "/lines/" + w.lines["fresh"]
	for path, want := range map[string]string{
		"/": "keep", line: "keep", line + "/renew": "", "/quotes/" + b.quote("volume", "term/machi-10gb/10gb-15d"): "", done: "", "/wallet": "", "/account": "", "/plans": "", "/offline": "",
		"/nowhere": "", "/lines/" + w.lines["other"]: "",
	} {
		if got := said(b.get(path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{line + "/renew", "/plans", "/"} {
		if got := said(holder.get(path)); got != "forget" {
			t.Errorf("%s with a link: %q", path, got)
		}
	}
	for _, path := range []string{"/", line} {
		if html := b.see(path).html; !strings.Contains(html, `id="offline" hidden`) || !strings.Contains(html, "This is what we knew on Mon 2 Mar 2026") {
			t.Errorf("%s does not say of when it is", path)
		}
	}
	out := b.do("POST", "/sign-out", url.Values{})
	if got := out.header.Get("Clear-Site-Data"); got != `"storage"` {
		t.Errorf("signing out clears %q", got)
	}
	if got := said(b.see("/")); got != "forget" {
		t.Errorf("signed out: %q", got)
	}
}

// The page for no connection leads nowhere but back, and is nobody's.
func TestOfflinePageIsNobodys(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.Ko).signIn("aiko@example.com")
	b.get("/?lang=ko")
	html := b.see("/offline").html
	for _, not := range []string{"<script", "/wallet", "aiko", "?lang="} {
		if strings.Contains(html, not) {
			t.Errorf("it has %q", not)
		}
	}
	// What the worker looks for when it shows one of the notices.
	has(t, html, `id="unsent" hidden`, `id="unknown" hidden`, `href="/again"`, "결제도 되지", "문의:")
}

// An open page is told when its order has changed: at once what has happened
// before it asked, and then what happens.
func TestOpenPageIsToldOfChanges(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	id := w.orders()[0].ID
	page := b.see("/orders/" + id)
	_, after, ok := strings.Cut(page.html, `data-live="`)
	at, _, _ := strings.Cut(after, `"`)
	if !ok {
		t.Fatalf("the page does not listen:\n%s", clean(page.html))
	}
	has(t, page.html, `http-equiv="refresh" content="3"`)
	b.header.Set("Cookie", b.cookies()+"; live=1")
	if html := b.see("/orders/" + id).html; strings.Contains(html, "http-equiv") || !strings.Contains(html, "data-live") {
		t.Errorf("a page that is watched asks for itself:\n%s", clean(html))
	}

	events := w.listen(t, b, at)
	if line := <-events; line != "retry: 2000" {
		t.Fatalf("it begins with %q", line)
	}
	b.get("/orders/" + id + "?back=1") // the bank has been paid
	if line := <-events; line != "event: changed" {
		t.Errorf("it says %q", line)
	}
	if line := <-events; line != "data: " {
		t.Errorf("and %q", line)
	}
	if more, open := <-events; open {
		t.Errorf("and then %q", more)
	}
	late := w.listen(t, b, at)
	<-late
	if line := <-late; line != "event: changed" {
		t.Errorf("who asks late hears %q", line)
	}
}

// listen reads a stream's lines that say something, until it ends.
func (w *town) listen(t *testing.T, b *browser, path string) <-chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.web.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", b.cookies())
	res, err := b.client.Do(r) //nolint:bodyclose // the goroutine below does
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "private, no-store" {
		t.Fatalf("%s: %d %v", path, res.StatusCode, res.Header)
	}
	lines := make(chan string, 10)
	go func() {
		defer close(lines)
		defer res.Body.Close() //nolint:errcheck // a test
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if s.Text() != "" {
				lines <- s.Text()
			}
		}
	}()
	return lines
}

// A server that shuts down does not wait for those who watch.
func TestWatchersDoNotKeepTheServer(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	_, after, _ := strings.Cut(b.see("/orders/"+w.orders()[0].ID).html, `data-live="`)
	at, _, _ := strings.Cut(after, `"`)
	events := w.listen(t, b, at)
	<-events
	b.client.CloseIdleConnections()
	if err := w.web.Config.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, open := <-events; open {
		t.Error("the stream goes on")
	}
}

// More than the house wants to hold see their page asked for again instead.
func TestWatchersAreBounded(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	for range watchersMost {
		if !w.server.watchers.enter() {
			t.Fatal("too few places")
		}
	}
	if p := b.get("/orders/" + w.orders()[0].ID + "/live"); p.status != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", p.status)
	}
	w.server.watchers.leave()
	began := w.listen(t, b, "/orders/"+w.orders()[0].ID+"/live")
	select {
	case <-began:
	case <-time.After(waitMost):
		t.Error("a place that is free is not given")
	}
}

const waitMost = 20 * time.Second
