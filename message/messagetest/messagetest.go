// Package messagetest is the suite that every [message.Deliverer] must pass.
package messagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/message"
)

// Bench is a deliverer on a test bench, with a receiver behind it whose
// mailboxes behave in different ways.
type Bench struct {
	message.Deliverer

	Alive message.Address // takes every letter
	Dead  message.Address // does not exist
	Busy  message.Address // turns every letter away for now
	Lost  message.Address // takes every letter, and says nothing

	// Silent never answers, not even that it has taken nothing. The suite ends
	// the context instead of waiting.
	Silent message.Address

	// OnSilent says what the receiver calls when a letter to Silent is under way.
	OnSilent func(func())

	// Of a channel that carries but so much: how many characters of the text and of
	// the subject, the last of which is then an ellipsis, and whether it carries no
	// HTML, or no subject. 0: all.
	Most, Subject int
	Plain         bool
	NoSubject     bool // there is nothing but the text

	// Received gives what has arrived at all the mailboxes, oldest first.
	Received func() []Received
}

// Received is a letter as its receiver sees it.
type Received struct {
	ID      string // Letter.ID, wherever the channel puts it
	To      []string
	Subject string
	Text    string
	HTML    string // empty on a channel without
}

// Run checks the promises in the documentation of [message.Deliverer]. open is
// called once per promise.
func Run(t *testing.T, open func(*testing.T) Bench) {
	t.Run("delivers a letter whole", func(t *testing.T) { delivers(t, open(t)) })
	t.Run("keeps every script", func(t *testing.T) { keepsScripts(t, open(t)) })
	t.Run("keeps long letters and odd lines", func(t *testing.T) { keepsLongLetters(t, open(t)) })
	t.Run("no part of a letter becomes a header or another receiver", func(t *testing.T) { staysInItsPart(t, open(t)) })
	t.Run("an address that is none is refused", func(t *testing.T) { refusesNonsense(t, open(t)) })
	t.Run("the same letter twice has the same identifier", func(t *testing.T) { keepsID(t, open(t)) })
	t.Run("a dead address is refused", func(t *testing.T) { refusesDead(t, open(t)) })
	t.Run("a busy receiver has not got it", func(t *testing.T) { busy(t, open(t)) })
	t.Run("a lost answer is not a failure", func(t *testing.T) { lostAnswer(t, open(t)) })
	t.Run("gives up with its context", func(t *testing.T) { givesUp(t, open(t)) })
	t.Run("sends nothing when the context has ended", func(t *testing.T) { sendsNothingLate(t, open(t)) })
}

// Letter is a letter to an address, for tests of adapters.
func Letter(id string, to message.Address) message.Letter {
	return message.Letter{
		ID: id, To: to, Language: "en",
		Subject: "3 days left",
		Text:    "Your line ends soon.\n\nRenew: https://shop.example/r/abc\n",
		HTML:    `<!doctype html><p>Your line ends soon.</p><p><a href="https://shop.example/r/abc">Renew</a></p>`,
		Link:    "https://shop.example/r/abc",
	}
}

func delivers(t *testing.T, b Bench) {
	if b.Name() == "" || b.Channel() != b.Alive.Channel {
		t.Errorf("deliverer %q of channel %q is given addresses of channel %q", b.Name(), b.Channel(), b.Alive.Channel)
	}
	l := Letter("msg_1", b.Alive)
	mustDeliver(t, b, l)
	wantReceived(t, b, l)
}

func keepsScripts(t *testing.T, b Bench) {
	l := Letter("msg_1", b.Alive)
	l.Subject = "续费提醒：京都 📱 線路「…1234」があと3日で終了します – ещё 3 дня"
	l.Text = "剩余 1.2 GB。\n最終更新は 3月5日(木) 23:59 です。\n" + "𠮷野家で 👩‍👩‍👧‍👦\n"
	l.HTML = "<p>剩余 1.2 GB。</p><p>最終更新は 3月5日(木) 23:59 です。𠮷</p>"
	mustDeliver(t, b, l)
	wantReceived(t, b, l)
}

func keepsLongLetters(t *testing.T, b Bench) {
	l := Letter("msg_1", b.Alive)
	l.Subject = strings.Repeat("まだ続く ", 60)
	l.Subject = strings.TrimSpace(l.Subject)
	l.Text = ".\n..\n.dot\nFrom here\n" + strings.Repeat("x", 3000) + "\n" +
		strings.Repeat("A line of ordinary length, again and again.\n", 5000)
	mustDeliver(t, b, l)
	wantReceived(t, b, l)
}

func staysInItsPart(t *testing.T, b Bench) {
	for i, lineEnd := range []string{"\r\n", "\n", "\r", "\u2028", "\v", "\x00"} {
		l := Letter(fmt.Sprint("msg_", i), b.Alive)
		l.Subject = "Hello" + lineEnd + "Bcc: " + b.Alive.Value + lineEnd + lineEnd + "<script>"
		l.Headers = map[string]string{
			"List-Unsubscribe":  "<https://shop.example/stop>" + lineEnd + "Subject: stolen",
			"Bcc":               b.Alive.Value,
			"Subject":           "stolen",
			"X" + lineEnd + "Y": "1",
		}
		before := len(b.Received())
		mustDeliver(t, b, l)
		got := b.Received()[before:]
		if len(got) != 1 {
			t.Fatalf("line end %q: %d letters arrived, want 1", lineEnd, len(got))
		}
		if diff := cmp.Diff([]string{b.Alive.Value}, got[0].To); diff != "" {
			t.Errorf("line end %q: receivers (-want +got):\n%s", lineEnd, diff)
		}
		if s := got[0].Subject; !b.NoSubject && (!strings.HasPrefix(s, "Hello") || !strings.HasSuffix(s, "<script>") || strings.Contains(s, lineEnd)) {
			t.Errorf("line end %q: subject %q", lineEnd, s)
		}
		if lines(got[0].Text) != lines(l.Text) {
			t.Errorf("line end %q: text %q", lineEnd, got[0].Text)
		}
	}
}

func refusesNonsense(t *testing.T, b Bench) {
	for _, value := range []string{
		"", " ", b.Alive.Value + "\r\nRCPT TO:<" + b.Dead.Value + ">", b.Alive.Value + "\n", "\x00" + b.Alive.Value,
	} {
		l := Letter("msg_1", message.Address{Channel: b.Channel(), Value: value})
		if r := refusal(t, b, l); r != nil && r.Reason != message.BadLetter {
			t.Errorf("address %q refused as %q, want %q", value, r.Reason, message.BadLetter)
		}
	}
	if got := b.Received(); len(got) != 0 {
		t.Errorf("%d letters arrived, want none", len(got))
	}
}

func keepsID(t *testing.T, b Bench) {
	mustDeliver(t, b, Letter("msg_0a_1", b.Alive))
	mustDeliver(t, b, Letter("msg_0a_1", b.Alive))
	mustDeliver(t, b, Letter("msg_0a_2", b.Alive))
	seen := map[string]int{}
	for _, r := range b.Received() {
		seen[r.ID]++
	}
	// A receiver may have dropped the second; it may not have taken it for another.
	if seen["msg_0a_2"] != 1 || seen["msg_0a_1"] == 0 || len(seen) != 2 {
		t.Errorf("letters by identifier: %v, want msg_0a_1 and one msg_0a_2", seen)
	}
}

func refusesDead(t *testing.T, b Bench) {
	if r := refusal(t, b, Letter("msg_1", b.Dead)); r != nil && r.Reason != message.AddressDead {
		t.Errorf("refused as %q (%s %s), want %q", r.Reason, r.Code, r.Text, message.AddressDead)
	}
	if got := b.Received(); len(got) != 0 {
		t.Errorf("%d letters arrived, want none", len(got))
	}
}

func busy(t *testing.T, b Bench) {
	_, err := b.Deliver(t.Context(), Letter("msg_1", b.Busy))
	if !errors.Is(err, message.ErrNotSent) {
		t.Errorf("Deliver error %v, want ErrNotSent", err)
	}
	if got := b.Received(); len(got) != 0 {
		t.Errorf("%d letters arrived, want none", len(got))
	}
	l := Letter("msg_1", b.Alive)
	mustDeliver(t, b, l) // the deliverer has not been broken by it
	wantReceived(t, b, l)
}

func lostAnswer(t *testing.T, b Bench) {
	l := Letter("msg_1", b.Lost)
	_, err := b.Deliver(t.Context(), l)
	if !errors.Is(err, message.ErrUnknown) {
		t.Errorf("Deliver error %v, want ErrUnknown", err)
	}
	wantReceived(t, b, l)
}

func givesUp(t *testing.T, b Bench) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.OnSilent(cancel)
	_, err := b.Deliver(ctx, Letter("msg_1", b.Silent))
	if !errors.Is(err, message.ErrUnknown) && !errors.Is(err, message.ErrNotSent) {
		t.Errorf("Deliver error %v, want ErrUnknown or ErrNotSent", err)
	}
	if errors.Is(err, message.ErrNotSent) && len(b.Received()) != 0 {
		t.Error("Deliver says ErrNotSent, and the letter has arrived")
	}
}

func sendsNothingLate(t *testing.T, b Bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Deliver(ctx, Letter("msg_1", b.Alive))
	if !errors.Is(err, message.ErrNotSent) {
		t.Errorf("Deliver error %v, want ErrNotSent", err)
	}
	if got := b.Received(); len(got) != 0 {
		t.Errorf("%d letters arrived, want none", len(got))
	}
}

func mustDeliver(t *testing.T, b Bench, l message.Letter) {
	t.Helper()
	if _, err := b.Deliver(t.Context(), l); err != nil {
		t.Fatalf("Deliver: %v", err)
	}
}

// refusal delivers what must be refused; nil if it was not, which it reports.
func refusal(t *testing.T, b Bench, l message.Letter) *message.Refusal {
	t.Helper()
	_, err := b.Deliver(t.Context(), l)
	r, ok := errors.AsType[*message.Refusal](err)
	if !ok {
		t.Errorf("Deliver to %q: error %v, want a *Refusal", l.To.Value, err)
	}
	return r
}

// wantReceived checks that l has arrived once, unchanged.
func wantReceived(t *testing.T, b Bench, l message.Letter) {
	t.Helper()
	got := b.Received()
	for i := range got {
		got[i].Text = lines(got[i].Text)
		got[i].HTML = lines(got[i].HTML)
	}
	want := []Received{{
		ID: l.ID, To: []string{l.To.Value}, Subject: most(l.Subject, b.Subject), Text: most(lines(l.Text), b.Most), HTML: lines(l.HTML),
	}}
	if b.Plain {
		want[0].HTML = ""
	}
	if b.NoSubject {
		want[0].Subject = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

// most is as much of a text as a channel carries.
func most(s string, n int) string {
	if runes := []rune(s); n > 0 && len(runes) > n {
		return strings.TrimSpace(string(runes[:n-1])) + "…"
	}
	return s
}

// lines makes a text comparable: how its lines end, and how many empty ones
// follow the last, is the channel's business.
func lines(s string) string {
	return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}
