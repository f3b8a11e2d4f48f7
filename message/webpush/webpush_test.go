package webpush

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/messagetest"
	"github.com/tsuzuku/tsuzuku/message/pushsim"
	"github.com/tsuzuku/tsuzuku/outbound"
)

var noon = time.Date(2026, 3, 5, 3, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// bench is the adapter with a push service at the other end.
func bench(t *testing.T) (*pushsim.Service, *Deliverer, message.Address) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	key, err := NewKey(random)
	if err != nil {
		t.Fatal(err)
	}
	s := &pushsim.Service{Now: now, Key: key.Public(), Random: random}
	d := New(Config{Key: key, Contact: "mailto:shop@example.com", Random: random, Now: now}, outbound.New(outbound.Options{Transport: s}))
	return s, d, subscribe(t, s)
}

func subscribe(t *testing.T, s *pushsim.Service) message.Address {
	t.Helper()
	sub, err := s.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	return message.Address{Channel: message.Push, Value: sub.String()}
}

func TestDeliverer(t *testing.T) {
	messagetest.Run(t, func(t *testing.T) messagetest.Bench {
		s, d, alive := bench(t)
		dead, busy, lost, silent := subscribe(t, s), subscribe(t, s), subscribe(t, s), subscribe(t, s)
		of := func(a message.Address) string { at, _, _ := strings.Cut(a.Value, " "); return at }
		fates := map[string]pushsim.Fault{of(dead): pushsim.Gone, of(busy): pushsim.Busy, of(lost): pushsim.SilentAfter, of(silent): pushsim.SilentBefore}
		s.Choose = func(endpoint string) pushsim.Fault { return fates[endpoint] }
		return messagetest.Bench{
			Deliverer: d, Alive: alive, Dead: dead, Busy: busy, Lost: lost, Silent: silent, Most: maxText, Subject: maxTitle, Plain: true,
			OnSilent: func(ends func()) { s.Meanwhile = ends },
			Received: func() (all []messagetest.Received) {
				for _, m := range s.All() {
					for _, to := range []message.Address{alive, dead, busy, lost, silent} {
						if of(to) == m.Endpoint {
							all = append(all, messagetest.Received{ID: m.ID, To: []string{to.Value}, Subject: m.Title, Text: m.Text})
						}
					}
				}
				return all
			},
		}
	})
}

// What an answer means for the letter, and for the subscription.
func TestAnswersOfPushServices(t *testing.T) {
	for fault, want := range map[pushsim.Fault]any{
		pushsim.None: nil, pushsim.Gone: message.AddressDead, pushsim.Unknown: message.AddressDead, pushsim.Refused: message.Refused,
		pushsim.Busy: message.ErrNotSent, pushsim.Broken: message.ErrNotSent, pushsim.SilentAfter: message.ErrUnknown,
	} {
		s, d, to := bench(t)
		s.Choose = func(string) pushsim.Fault { return fault }
		_, err := d.Deliver(t.Context(), messagetest.Letter("msg_1", to))
		switch want := want.(type) {
		case nil:
			if err != nil {
				t.Errorf("%s: %v", fault, err)
			}
		case message.Reason:
			if r, ok := errors.AsType[*message.Refusal](err); !ok || r.Reason != want {
				t.Errorf("%s: %v, want it refused as %s", fault, err, want)
			}
		case error:
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", fault, err, want)
			}
		}
	}
}

// A later letter about the same replaces the one before; how long it is kept, and
// how urgent it is, is said; nothing about it can be read on its way.
func TestTopicTimeAndUrgency(t *testing.T) {
	s, d, to := bench(t)
	l := messagetest.Letter("msg_1", to)
	l.About, l.Until = "line/ln_1", noon.Add(26*time.Hour)
	next := l
	next.ID, next.Subject, next.Until, next.Urgent = "msg_2", "A day left", noon.Add(2*time.Hour), true
	other := messagetest.Letter("msg_3", to)
	for _, one := range []message.Letter{l, next, other} {
		if _, err := d.Deliver(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	all := s.All()
	if len(all) != 2 || all[0].Title != "A day left" || all[0].Urgency != "high" || all[0].TTL != 2*time.Hour || all[1].TTL != away || all[1].Urgency != "normal" {
		t.Fatalf("shown: %+v", all)
	}
	if all[0].Topic == all[1].Topic || strings.Contains(all[0].Topic, "ln_1") || all[0].Link != l.Link || all[0].Lang != "en" {
		t.Errorf("shown: %+v", all)
	}
	for _, c := range []struct{ until, want time.Duration }{{-time.Hour, 0}, {90 * 24 * time.Hour, awayAtMost}} {
		if got := lasts(noon.Add(c.until), noon); got != c.want {
			t.Errorf("until %s: kept for %s, want %s", c.until, got, c.want)
		}
	}
}

// A service that has another key, or that is told that we are somebody else, takes
// nothing; the same letter, key and clock make the same signature.
func TestWhoSends(t *testing.T) {
	s, d, to := bench(t)
	first, err := d.config.Key.authorization("https://push.invalid", "mailto:shop@example.com", noon)
	if again, _ := d.config.Key.authorization("https://push.invalid", "mailto:shop@example.com", noon); err != nil || first != again {
		t.Errorf("%q, then %q, %v", first, again, err)
	}
	s.Key = rfcPublic
	if _, err := d.Deliver(t.Context(), messagetest.Letter("msg_1", to)); err == nil {
		t.Error("another key is taken")
	}
	s.Key = d.config.Key.Public()
	for what, change := range map[string]func(http.Header){
		"no signature": func(h http.Header) { h.Del("Authorization") },
		"a signature with a changed bit": func(h http.Header) {
			v := []byte(h.Get("Authorization"))
			v[strings.Index(string(v), ", k=")-9] ^= 1
			h.Set("Authorization", string(v))
		},
	} {
		r, err := d.request(context.WithoutCancel(t.Context()), mustParse(t, to.Value), messagetest.Letter("msg_1", to))
		if err != nil {
			t.Fatal(err)
		}
		change(r.Header)
		res, err := s.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode < 400 {
			t.Errorf("%s: %d", what, res.StatusCode)
		}
	}
	other := New(Config{Key: d.config.Key, Contact: "mailto:shop@example.com", Random: d.config.Random, Now: func() time.Time { return noon.Add(-13 * time.Hour) }}, d.client)
	if _, err := other.Deliver(t.Context(), messagetest.Letter("msg_1", to)); err == nil {
		t.Error("a signature that is over is taken")
	}
}

func mustParse(t *testing.T, s string) message.Subscription {
	t.Helper()
	sub, err := message.ParseSubscription(s)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}
