package smsbridge

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/messagetest"
	"github.com/tsuzuku/tsuzuku/message/phonesim"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/signed"
)

var noon = time.Date(2026, 3, 5, 3, 0, 0, 0, time.UTC)

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func at(number string) message.Address { return message.Address{Channel: message.SMS, Value: number} }

// bench is the adapter with a bridge at the other end.
func bench(t *testing.T, secrets string) (*phonesim.Bridge, *Deliverer) {
	t.Helper()
	now := func() time.Time { return noon }
	b := &phonesim.Bridge{Secret: secret, Now: now}
	d, err := New(Config{URL: "https://sms.invalid/send", Secret: secrets, Now: now}, outbound.New(outbound.Options{Transport: b}))
	if err != nil {
		t.Fatal(err)
	}
	return b, d
}

func TestDeliverer(t *testing.T) {
	messagetest.Run(t, func(t *testing.T) messagetest.Bench {
		b, d := bench(t, secret)
		fates := map[string]phonesim.Fault{
			"+819000000002": phonesim.Dead, "+819000000003": phonesim.Busy, "+819000000004": phonesim.SilentAfter, "+819000000005": phonesim.SilentBefore,
		}
		b.Choose = func(to string) phonesim.Fault { return fates[to] }
		return messagetest.Bench{
			Deliverer: d, Alive: at("+819000000001"), Dead: at("+819000000002"), Busy: at("+819000000003"), Lost: at("+819000000004"), Silent: at("+819000000005"),
			Most: maxText, Plain: true, NoSubject: true,
			OnSilent: func(ends func()) { b.Meanwhile = ends },
			Received: func() (all []messagetest.Received) {
				for _, m := range b.All() {
					all = append(all, messagetest.Received{ID: m.ID, To: []string{m.To}, Text: m.Text})
				}
				return all
			},
		}
	})
}

// What an answer means for the letter.
func TestAnswersOfTheBridge(t *testing.T) {
	for fault, want := range map[phonesim.Fault]any{
		phonesim.None: nil, phonesim.Dead: message.AddressDead, phonesim.Blocked: message.NotWanted, phonesim.Refuse: message.Refused,
		phonesim.Busy: message.ErrNotSent, phonesim.Unsure: message.ErrUnknown, phonesim.SilentAfter: message.ErrUnknown,
	} {
		b, d := bench(t, secret)
		b.Choose = func(string) phonesim.Fault { return fault }
		_, err := d.Deliver(t.Context(), messagetest.Letter("msg_1", at("+819000000001")))
		wantAnswer(t, string(fault), err, want)
	}
	for status, want := range map[int]any{
		200: message.ErrUnknown, 201: message.ErrUnknown, 302: message.ErrUnknown, 400: message.ErrNotSent, 401: message.ErrNotSent, 404: message.ErrNotSent,
		429: message.ErrNotSent, 500: message.ErrUnknown, 502: message.ErrUnknown, 503: message.ErrUnknown,
	} {
		d, err := New(Config{URL: "https://sms.invalid", Secret: secret, Now: func() time.Time { return noon }}, outbound.New(outbound.Options{Transport: says(status)}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Deliver(t.Context(), messagetest.Letter("msg_1", at("+819000000001")))
		wantAnswer(t, http.StatusText(status), err, want)
	}
}

// says is a stranger who answers with a status and nothing else.
type says int

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: int(s), Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func wantAnswer(t *testing.T, name string, err error, want any) {
	t.Helper()
	switch want := want.(type) {
	case nil:
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	case message.Reason:
		if r, ok := errors.AsType[*message.Refusal](err); !ok || r.Reason != want {
			t.Errorf("%s: %v, want it refused as %s", name, err, want)
		}
	case error:
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// A message that is handed over again, since its answer was lost, arrives once, as it
// was the first time.
func TestAgainIsOnce(t *testing.T) {
	b, d := bench(t, secret)
	silent := true
	b.Choose = func(string) phonesim.Fault {
		if silent {
			return phonesim.SilentAfter
		}
		return phonesim.None
	}
	l := messagetest.Letter("msg_1", at("+819000000001"))
	if _, err := d.Deliver(t.Context(), l); !errors.Is(err, message.ErrUnknown) {
		t.Errorf("silence is %v", err)
	}
	silent = false
	l.Text = "The same, with another link." // each attempt makes its own
	if got, err := d.Deliver(t.Context(), l); err != nil || got.Ref != "sim-msg_1" {
		t.Errorf("again: %+v, %v", got, err)
	}
	if all := b.All(); len(all) != 1 || all[0].Times != 2 {
		t.Errorf("%+v arrived", all)
	}
	l.To = at("+819000000002")
	if _, err := d.Deliver(t.Context(), l); err == nil {
		t.Error("a message to somebody else with the same identifier was taken")
	}
}

// The bridge hears of parts, language and until when, from who knows the secret alone,
// also while that is being changed.
func TestWhatTheBridgeIsTold(t *testing.T) {
	const other = "whsec_/////////////////////////////////////////w=="
	b, d := bench(t, other+" "+secret)
	l := messagetest.Letter("msg_1", at("+819000000001"))
	l.Language, l.Text, l.Until = "ja", strings.Repeat("続", 71), noon.Add(10*time.Minute)
	if _, err := d.Deliver(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if m := b.All()[0]; m.Parts != 2 || m.Alphabet != "ucs2" || m.Language != "ja" || m.Until != "2026-03-05T03:10:00Z" {
		t.Errorf("%+v", m)
	}
	b, d = bench(t, other)
	if _, err := d.Deliver(t.Context(), l); !errors.Is(err, message.ErrNotSent) || len(b.All()) != 0 {
		t.Errorf("with another secret: %v, %d arrived", err, len(b.All()))
	}
	b, d = bench(t, secret)
	d.now = func() time.Time { return noon.Add(-6 * time.Minute) }
	if _, err := d.Deliver(t.Context(), l); !errors.Is(err, message.ErrNotSent) || len(b.All()) != 0 {
		t.Errorf("with an old timestamp: %v, %d arrived", err, len(b.All()))
	}
}

// The signature is the one that docs/sms-contract.md shows.
func TestVector(t *testing.T) {
	keys, err := signed.ParseKeys([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	keys.Sign(h, "msg_1", time.Unix(1767323045, 0), []byte(`{"id":"msg_1","to":"+819012345678","text":"Kumo: 123456","language":"en","parts":1,"alphabet":"gsm7"}`))
	if got := h.Get("Webhook-Signature"); got != vector {
		t.Errorf("%s, want %s", got, vector)
	}
}

func TestConfiguration(t *testing.T) {
	for _, c := range []Config{
		{URL: "http://sms.example", Secret: secret},
		{URL: "sms.example", Secret: secret},
		{URL: "https://user@sms.example", Secret: secret},
		{URL: "ftp://127.0.0.1", Secret: secret},
		{URL: "https://sms.example"},
		{URL: "https://sms.example", Secret: "whsec_AAEC"},
		{URL: "https://sms.example", Secret: "a secret of thirty-two characters"},
	} {
		if _, err := New(c, nil); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	for _, u := range []string{"http://127.0.0.1:9000/x", "http://localhost:9000", "http://[::1]:9000", "https://sms.example/x?y=z"} {
		if _, err := New(Config{URL: u, Secret: secret}, nil); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
}

// Nothing of a number stands in an error, which staff read.
func TestErrorsNameNobody(t *testing.T) {
	b, d := bench(t, secret)
	b.Choose = func(string) phonesim.Fault { return phonesim.SilentAfter }
	_, err := d.Deliver(context.Background(), messagetest.Letter("msg_1", at("+819012345678")))
	if err == nil || strings.Contains(err.Error(), "9012345678") {
		t.Errorf("%v", err)
	}
}

// vector was made with another program.
const vector = "v1,s3SrHMfwVpril02MHqlcCjc94nbsBkkD1eCX26y9cvg="
