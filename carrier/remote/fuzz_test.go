package remote

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/signed"
)

// Whatever a server answers, signed as it should be, is a receipt, a refusal or
// silence, and never two of them; figures are never negative nor of the future.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"answer":"extend","outcome":"done","receipt":{"ref":"op-1","ends_at":"2026-02-01T03:04:05Z","total_bytes":10}}`,
		`{"answer":"extend","outcome":"done","receipt":{"ref":"op-1","total_bytes":1.5}}`,
		`{"answer":"extend","outcome":"done","receipt":{"ref":"op-1","total_bytes":1e3}}`,
		`{"answer":"extend","outcome":"done"}`,
		`{"answer":"extend","outcome":"refused","reason":"line_ended","code":"1","text":"8981100000000000017"}`,
		`{"answer":"extend","outcome":"refused","reason":"whatever"}`,
		`{"answer":"extend","outcome":"unknown"}`,
		`{"answer":"lookup","found":"absent","as_of":"2026-01-02T03:04:05Z"}`,
		`{"answer":"lookup","found":"done","as_of":"2030-01-02T03:04:05Z","receipt":{"ref":"x"}}`,
		`{"answer":"status","state":"active","total_bytes":10,"used_bytes":1,"as_of":"2026-01-02T03:04:09Z"}`,
		`{"answer":"status","state":"active","used_bytes":1,"total_bytes":1,"as_of":"2026-01-02T03:04:05+09:00"}`,
		`{"answer":"status","state":"active","total_bytes":10,"used_bytes":-1,"as_of":"2026-01-02T03:04:05Z"}`,
		`{"answer":"packages","packages":[{"code":"a","cost":{"units":1,"scale":0,"currency":"USD"}}]}`,
		`{"answer":"balance","balance":{"units":1,"scale":1,"currency":"usd"}}`,
		`{"answer":"health","ok":true,"now":"2026-01-02T03:04:05Z"}`,
		`{"answer":"withdraw","outcome":"done"}`, `{"answer":"withdraw","outcome":"refused","reason":"installed"}`,
		`{"answer":"extend","outcome":"refused","reason":"installed"}`,
		`{"answer":"lookup_withdraw","fate":"gone","as_of":"2026-01-02T03:04:05Z"}`,
		`{"answer":"lookup_withdraw","fate":"installed","as_of":"2030-01-02T03:04:05Z","installed_at":"2026-01-02T03:04:05Z"}`,
		`{"answer":"lookup_withdraw","fate":"unsure","as_of":"2026-01-02T03:04:05Z"}`,
		`{"answer":"capabilities","contract":1}`, `[]`, `null`, ``, `{"answer":7}`,
	} {
		f.Add(200, body)
	}
	f.Add(401, ``)
	f.Add(429, ``)
	f.Add(500, `{"answer":"extend","outcome":"done","receipt":{"ref":"op-1"}}`)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status/100 == 3 || status == 204 {
			return
		}
		a := answering(t, now, status, body)
		ctx, e := t.Context(), carrier.Extension{Ref: "ct_1", Profile: carrier.Profile{ID: "L1"}, Package: "P"}
		r, err := a.Extend(ctx, e)
		if oneKind(t, err); (err == nil) != (r.Ref != "") || r.Total < 0 {
			t.Errorf("receipt %+v with %v", r, err)
		}
		if errors.Is(err, carrier.ErrNotSent) && status != 400 && status != 401 && status != 413 && status != 429 {
			t.Errorf("status %d is taken for not sent", status)
		}
		reading, err := a.LookUp(ctx, e)
		if oneKind(t, err); err == nil && (reading.AsOf.IsZero() || reading.AsOf.After(now) || reading.Found == "" || (reading.Found == carrier.FoundDone) != (reading.Receipt.Ref != "")) {
			t.Errorf("reading %+v", reading)
		}
		s, err := a.Status(ctx, e.Profile)
		if oneKind(t, err); err == nil && (s.AsOf.IsZero() || s.AsOf.After(now) || s.Total < 0 || s.Used < 0) {
			t.Errorf("status %+v", s)
		}
		oneKind(t, a.Cancel(ctx, e))
		p := carrier.Purchase{Ref: "ct_1", Package: "P"}
		oneKind(t, a.Withdraw(ctx, p, e.Profile))
		w, err := a.Withdrawal(ctx, p, e.Profile)
		if oneKind(t, err); (err == nil) != (w.Fate != "") || err == nil && (w.AsOf.IsZero() || w.AsOf.After(now)) {
			t.Errorf("withdrawal %+v with %v", w, err)
		}
		_, err = a.Packages(ctx, e.Profile)
		oneKind(t, err)
		cost, err := a.Balance(ctx)
		if oneKind(t, err); err == nil && (cost.Scale < 1 || len(cost.Currency) != 3) {
			t.Errorf("balance %+v", cost)
		}
		_, err = a.Health(ctx)
		oneKind(t, err)
		if c, err := a.Capabilities(ctx); err == nil && len(c.check()) > 0 {
			t.Errorf("capabilities %+v", c)
		}
		if text := carrier.Quote(body); digits(text) >= 18 {
			t.Errorf("%q shows %d digits", text, digits(text))
		}
	})
}

// answering is an adapter whose server always says the same, and signs it.
func answering(t *testing.T, now time.Time, status int, body string) *Adapter {
	t.Helper()
	key := []byte("a key for tests, 32 bytes long.")
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed.Keys{key}.Sign(w.Header(), "re_"+r.Header.Get(signed.HeaderID), now, []byte(body))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // into a recorder
	})
	a, err := New(Config{
		Name: "tabi", URL: "https://operator.example", Keys: []string{"whsec_" + base64.StdEncoding.EncodeToString(key)},
		Capabilities: Capabilities{Contract: 1, Modes: []string{"extend"}, Cancel: true, Issues: true, Withdraws: true, SettlesWithin: 900, CallsPerSecond: 1},
	}, outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: server}}), func() time.Time { return now }, func() string { return "00" })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func oneKind(t *testing.T, err error) {
	t.Helper()
	n := 0
	if _, ok := errors.AsType[*carrier.Refusal](err); ok {
		n++
	}
	for _, kind := range []error{carrier.ErrUnknown, carrier.ErrNotSent} {
		if errors.Is(err, kind) {
			n++
		}
	}
	if err != nil && n != 1 {
		t.Errorf("%v is of %d kinds", err, n)
	}
}

// digits is the longest run of digits.
func digits(s string) int {
	longest := 0
	for _, run := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		longest = max(longest, len(run))
	}
	return longest
}

// What is not an answer to this request, signed and of now, is silence, and a yes
// in it is not believed.
func TestAnswersThatAreNotBelieved(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	key := signed.Keys{[]byte("a key for tests, 32 bytes long.")}
	other := signed.Keys{[]byte("another key, also 32 bytes long")}
	yes := []byte(`{"answer":"extend","outcome":"done","receipt":{"ref":"op-1"}}`)
	for name, answer := range map[string]func(w http.ResponseWriter, id string){
		"unsigned": func(w http.ResponseWriter, _ string) { _, _ = w.Write(yes) },
		"signed by somebody": func(w http.ResponseWriter, id string) {
			other.Sign(w.Header(), "re_"+id, now, yes)
			_, _ = w.Write(yes)
		},
		"to another request":     func(w http.ResponseWriter, _ string) { key.Sign(w.Header(), "re_msg_1", now, yes); _, _ = w.Write(yes) },
		"the request, reflected": func(w http.ResponseWriter, id string) { key.Sign(w.Header(), id, now, yes); _, _ = w.Write(yes) },
		"of another day": func(w http.ResponseWriter, id string) {
			key.Sign(w.Header(), "re_"+id, now.Add(-time.Hour), yes)
			_, _ = w.Write(yes)
		},
	} {
		a := answering(t, now, 200, "")
		a.client = outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer(w, r.Header.Get(signed.HeaderID))
		})}})
		if r, err := a.Extend(t.Context(), carrier.Extension{Ref: "ct_1", Profile: carrier.Profile{ID: "L1"}, Package: "P"}); !errors.Is(err, carrier.ErrUnknown) {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}

// A notification is the operator's when it is signed, and only then.
func TestNotification(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := answering(t, now, 200, "")
	for body, reason := range map[string]carrier.Reason{
		`{"event":"usage","line":{"id":"L1"},"ref":"ord_1"}`: "",
		`{"call":"extend"}`: carrier.BadRequest,
		`[]`:                carrier.BadRequest,
	} {
		h := http.Header{}
		a.keys.Sign(h, "evt_1", now, []byte(body))
		bell, err := a.Notification(h, []byte(body))
		no, _ := errors.AsType[*carrier.Refusal](err)
		if reason == "" && (err != nil || bell != carrier.Doorbell{EventID: "evt_1", Kind: "usage", Profile: carrier.Profile{ID: "L1"}, Ref: "ord_1"}) ||
			reason != "" && (no == nil || no.Reason != reason) {
			t.Errorf("%s: %+v %v", body, bell, err)
		}
		_, err = a.Notification(h, []byte(body+" "))
		if no, ok := errors.AsType[*carrier.Refusal](err); !ok || no.Reason != carrier.Unauthorised {
			t.Errorf("%s, changed: %v", body, err)
		}
	}
}
