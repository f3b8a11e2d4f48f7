package inboxsim_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/message/messagetest"
)

func address(name string) message.Address {
	return message.Address{Channel: message.Email, Value: name + "@example.com"}
}

// The simulated inbox keeps the promises that real channels keep.
func TestDeliverer(t *testing.T) {
	messagetest.Run(t, func(*testing.T) messagetest.Bench {
		fates := map[message.Address]inboxsim.Fault{
			address("dead"): inboxsim.Refuse, address("busy"): inboxsim.Busy,
			address("lost"): inboxsim.SilentAfter, address("silent"): inboxsim.Slow,
		}
		silent := func() {}
		in := &inboxsim.Inbox{
			Choose: func(l message.Letter) inboxsim.Fault { return fates[l.To] },
			Meanwhile: func(l message.Letter) {
				if l.To == address("silent") {
					silent()
				}
			},
		}
		return messagetest.Bench{
			Deliverer: in,
			Alive:     address("alive"), Dead: address("dead"), Busy: address("busy"),
			Lost: address("lost"), Silent: address("silent"),
			OnSilent: func(f func()) { silent = f },
			Received: func() []messagetest.Received {
				var out []messagetest.Received
				for _, k := range in.Letters() {
					out = append(out, messagetest.Received{
						ID: k.ID, To: []string{k.To.Value}, Subject: k.Subject, Text: k.Text, HTML: k.HTML,
					})
				}
				return out
			},
		}
	})
}

// A letter that never arrived is not in the inbox, although nobody was told.
func TestSilentBefore(t *testing.T) {
	in := &inboxsim.Inbox{Choose: func(message.Letter) inboxsim.Fault { return inboxsim.SilentBefore }}
	_, err := in.Deliver(t.Context(), messagetest.Letter("msg_1", address("a")))
	if !errors.Is(err, message.ErrUnknown) || len(in.Letters()) != 0 || in.Attempts() != 1 {
		t.Errorf("error %v, %d letters, %d attempts; want unknown, none, 1", err, len(in.Letters()), in.Attempts())
	}
}

// The page shows the newest letters first, makes their links usable, and lets
// nothing in a letter do anything.
func TestPage(t *testing.T) {
	at := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	in := &inboxsim.Inbox{Now: func() time.Time { return at }}
	deliver := func(id, to, subject, text, html, link string) {
		t.Helper()
		l := message.Letter{ID: id, To: address(to), Subject: subject, Text: text, HTML: html, Link: link}
		if _, err := in.Deliver(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	deliver("msg_1", "ann", "First", "See http://shop.example/r/1.\n", "", "http://shop.example/r/1")
	deliver("msg_2", "bob", "<script>alert(1)</script>", "<img src=x onerror=alert(2)>",
		`<p>"Hi" & bye</p><script>alert(3)</script>`, "javascript:alert(4)")

	page := get(t, in, "/")
	for _, want := range []string{
		`<a href="http://shop.example/r/1" rel="noreferrer">`,
		`&lt;script&gt;alert(1)`, `&lt;img src=x`,
		`sandbox="allow-top-navigation-by-user-activation allow-popups"`,
		`srcdoc="&lt;base target=&#34;_top&#34;&gt;&lt;p&gt;&#34;Hi&#34; &amp; bye&lt;/p&gt;`,
		"2026-03-02T03:00:00Z",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, bad := range []string{"<script", "<img", `href="javascript`} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if strings.Index(page, "msg_2") > strings.Index(page, "msg_1") {
		t.Error("the older letter comes first")
	}
	if page := get(t, in, "/?to=ann%40example.com"); strings.Contains(page, "msg_2") || !strings.Contains(page, "msg_1") {
		t.Error("the page of ann shows the wrong letters")
	}
}

// However many letters arrive, memory and page stay bounded.
func TestBounded(t *testing.T) {
	in := &inboxsim.Inbox{}
	for i := range 1100 {
		l := messagetest.Letter("msg_"+strings.Repeat("x", i/100)+string(rune('0'+i%10))+string(rune('a'+i/10%10)), address("a"))
		if _, err := in.Deliver(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(in.Letters()); n != 1000 {
		t.Errorf("%d letters kept, want 1000", n)
	}
	page := get(t, in, "/")
	if n := strings.Count(page, "<article"); n != 50 || !strings.Contains(page, "950 older letters") {
		t.Errorf("%d letters shown, want 50 and a word about the others", n)
	}
}

func get(t *testing.T, in *inboxsim.Inbox, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	in.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("status %d, policy %q", w.Code, w.Header().Get("Content-Security-Policy"))
	}
	return w.Body.String()
}
