package smtp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/messagetest"
	"github.com/tsuzuku/tsuzuku/message/smtp"
)

// A real relay gets every letter whole, and what it says is understood.
func TestDeliverer(t *testing.T) {
	r := startRelay(t, smtp.Plain, "", "")
	messagetest.Run(t, func(t *testing.T) messagetest.Bench {
		r.forget()
		d := open(t, r, smtp.Config{Security: smtp.Plain})
		at := func(name string) message.Address {
			return message.Address{Channel: message.Email, Value: name + "@example.com"}
		}
		return messagetest.Bench{
			Deliverer: d,
			Alive:     at("alive"), Dead: at("dead"), Busy: at("busy"), Lost: at("lost"), Silent: at("silent"),
			OnSilent: func(f func()) { r.onSilent = f },
			Received: func() []messagetest.Received { return r.received(t) },
		}
	})
}

func open(t *testing.T, r *relay, c smtp.Config) *smtp.Deliverer {
	t.Helper()
	c.Host, c.Port, c.TLS, c.Now = "127.0.0.1", r.port, r.tls, now.UTC
	c.From = "Tsuzuku 通信 <shop@shop.example>"
	d, err := smtp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var alive = message.Address{Channel: message.Email, Value: "alive@example.com"}

// The password goes over the line encrypted, or not at all.
func TestSecurity(t *testing.T) {
	for _, security := range []smtp.Security{smtp.STARTTLS, smtp.TLS} {
		t.Run(string(security), func(t *testing.T) {
			r := startRelay(t, security, "shop", "pässword")
			d := open(t, r, smtp.Config{Security: security, User: "shop", Password: "pässword"})
			if _, err := d.Deliver(t.Context(), messagetest.Letter("msg_1", alive)); err != nil {
				t.Fatal(err)
			}
			got := r.letters(t)
			if len(got) != 1 || !got[0].TLS || got[0].User != "shop" {
				t.Errorf("arrived %+v; want one letter, by TLS, from shop", got)
			}

			wrong := open(t, r, smtp.Config{Security: security, User: "shop", Password: "guess"})
			wantNotSent(t, wrong)
			untrusted := open(t, &relay{port: r.port}, smtp.Config{Security: security, User: "shop", Password: "pässword"})
			wantNotSent(t, untrusted)
		})
	}
	t.Run("a relay that does not encrypt when it should", func(t *testing.T) {
		r := startRelay(t, smtp.Plain, "", "")
		wantNotSent(t, open(t, r, smtp.Config{Security: smtp.STARTTLS}))
	})
	t.Run("no password over a plain connection", func(t *testing.T) {
		r := script(t, "220 hi", "250-hi\r\n250 AUTH PLAIN LOGIN")
		wantNotSent(t, open(t, &relay{port: r.port}, smtp.Config{Security: smtp.Plain, User: "shop", Password: "secret"}))
		if heard := r.heard(); strings.Contains(heard, "AUTH") {
			t.Errorf("the relay heard %q", heard)
		}
	})
}

func wantNotSent(t *testing.T, d message.Deliverer) {
	t.Helper()
	_, err := d.Deliver(t.Context(), messagetest.Letter("msg_1", alive))
	if !errors.Is(err, message.ErrNotSent) {
		t.Errorf("Deliver error %v, want ErrNotSent", err)
	}
	if strings.Contains(fmt.Sprint(err), "pässword") {
		t.Errorf("the error %v shows the password", err)
	}
}

// The mail says who we are, when it was sent, how to stop it, and that no
// machine should answer.
func TestHeaders(t *testing.T) {
	r := startRelay(t, smtp.Plain, "", "")
	l := messagetest.Letter("msg_01", message.Address{Channel: message.Email, Value: "用户@example.com"})
	l.Language = "zh-Hans"
	l.Headers = map[string]string{
		"List-Unsubscribe":      "<https://shop.example/stop/abc>",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
	}
	receipt, err := open(t, r, smtp.Config{Security: smtp.Plain}).Deliver(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(receipt.Ref, "queued as 42") {
		t.Errorf("receipt %q, want the relay's words", receipt.Ref)
	}
	m, err := mail.ReadMessage(bytes.NewReader(r.letters(t)[0].Raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Message-ID":            "<msg_01@shop.example>",
		"Date":                  "Mon, 02 Mar 2026 03:00:00 +0000",
		"Auto-Submitted":        "auto-generated",
		"Content-Language":      "zh-Hans",
		"List-Unsubscribe":      "<https://shop.example/stop/abc>",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"User-Agent":            "",
		"X-Mailer":              "",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Name != "Tsuzuku 通信" || from[0].Address != "shop@shop.example" {
		t.Errorf("From: %v, %v", from, err)
	}
}

// How far the conversation got decides what its end means.
func TestFaults(t *testing.T) {
	const hello = "250-hi\r\n250 ENHANCEDSTATUSCODES"
	tests := []struct {
		name    string
		answers []string // after the last one the relay hangs up
		want    error    // nil: a refusal
		reason  message.Reason
	}{
		{"hangs up at once", nil, message.ErrNotSent, ""},
		{"is closed", []string{"554 no service"}, message.ErrNotSent, ""},
		{"talks nonsense", []string{"HTTP/1.1 400 Bad Request"}, message.ErrNotSent, ""},
		{"dislikes our name", []string{"220 hi", "550 go away", "550 go away"}, message.ErrNotSent, ""},
		{"dislikes the seller", []string{"220 hi", hello, "550 5.7.1 not you"}, message.ErrNotSent, ""},
		{"hangs up after MAIL", []string{"220 hi", hello}, message.ErrNotSent, ""},
		{"greylists", []string{"220 hi", hello, "250 ok", "450 4.7.1 later"}, message.ErrNotSent, ""},
		{"is going down", []string{"220 hi", hello, "250 ok", "421 bye"}, message.ErrNotSent, ""},
		{"knows no such user", []string{"220 hi", hello, "250 ok", "550 unknown"}, nil, message.AddressDead},
		{"knows no such user, in detail", []string{"220 hi", hello, "250 ok", "554 5.1.1 who?"}, nil, message.AddressDead},
		{"has the user blocked", []string{"220 hi", hello, "250 ok", "550 5.7.1 blocked"}, nil, message.NotWanted},
		{"has a full mailbox", []string{"220 hi", hello, "250 ok", "552 5.2.2 full"}, nil, message.Refused},
		{"hangs up after RCPT", []string{"220 hi", hello, "250 ok"}, message.ErrNotSent, ""},
		{"refuses DATA", []string{"220 hi", hello, "250 ok", "250 ok", "554 no"}, nil, message.Refused},
		{"is too busy for DATA", []string{"220 hi", hello, "250 ok", "250 ok", "451 no"}, message.ErrNotSent, ""},
		{"hangs up after DATA", []string{"220 hi", hello, "250 ok", "250 ok"}, message.ErrNotSent, ""},
		{"takes it for spam", []string{"220 hi", hello, "250 ok", "250 ok", "354 go", "554 5.7.1 spam"}, nil, message.NotWanted},
		{"finds it too big", []string{"220 hi", hello, "250 ok", "250 ok", "354 go", "552 too big"}, nil, message.BadLetter},
		{"has no room", []string{"220 hi", hello, "250 ok", "250 ok", "354 go", "452 4.3.1 full"}, message.ErrNotSent, ""},
		{"hangs up after the letter", []string{"220 hi", hello, "250 ok", "250 ok", "354 go"}, message.ErrUnknown, ""},
		{"mumbles after the letter", []string{"220 hi", hello, "250 ok", "250 ok", "354 go", "what?"}, message.ErrUnknown, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := script(t, tt.answers...)
			d := open(t, &relay{port: r.port}, smtp.Config{Security: smtp.Plain})
			_, err := d.Deliver(t.Context(), messagetest.Letter("msg_1", alive))
			refusal, refused := errors.AsType[*message.Refusal](err)
			switch {
			case tt.want == nil && (!refused || refusal.Reason != tt.reason):
				t.Errorf("Deliver error %v, want a refusal %q", err, tt.reason)
			case tt.want != nil && (refused || !errors.Is(err, tt.want)):
				t.Errorf("Deliver error %v, want %v", err, tt.want)
			}
		})
	}
}

// A relay that stops talking costs no more than the caller's patience, and what
// it may have taken is not called a failure.
func TestHanging(t *testing.T) {
	steps := []string{"220 hi", "250 hi", "250 ok", "250 ok", "354 go"}
	for n := range len(steps) + 1 {
		t.Run(fmt.Sprintf("after %d answers", n), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := script(t, append(append([]string(nil), steps[:n]...), hang)...)
			r.onHang(cancel)
			d := open(t, &relay{port: r.port}, smtp.Config{Security: smtp.Plain})
			want := message.ErrNotSent
			if n == len(steps) {
				want = message.ErrUnknown
			}
			if _, err := d.Deliver(ctx, messagetest.Letter("msg_1", alive)); !errors.Is(err, want) {
				t.Errorf("Deliver error %v, want %v", err, want)
			}
		})
	}
}

// An address with letters beyond ASCII needs a relay that says it takes them.
func TestAddressBeyondASCII(t *testing.T) {
	r := script(t, "220 hi", "250 hi")
	l := messagetest.Letter("msg_1", message.Address{Channel: message.Email, Value: "用户@example.com"})
	_, err := open(t, &relay{port: r.port}, smtp.Config{Security: smtp.Plain}).Deliver(t.Context(), l)
	if refusal, ok := errors.AsType[*message.Refusal](err); !ok || refusal.Reason != message.BadLetter {
		t.Errorf("Deliver error %v, want a refusal %q", err, message.BadLetter)
	}
}

// A configuration that cannot work is reported when it is read, all of it.
func TestNew(t *testing.T) {
	_, err := smtp.New(smtp.Config{Security: "ssl", From: "nobody", Port: -1})
	for _, want := range []string{"host", "clock", "port", "ssl", "nobody"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New error %v says nothing about %s", err, want)
		}
	}
	c := smtp.Config{Host: "mail.example", Password: "secret"}
	if s := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(s, "secret") {
		t.Errorf("the configuration shows its password: %s", s)
	}
}
