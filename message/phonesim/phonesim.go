// Package phonesim is a bridge to an SMS gateway with telephones behind it, written
// from docs/sms-contract.md: it checks who sends, takes each message once, and shows
// what every number has received. It misbehaves on request.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package phonesim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is what happens to one message.
type Fault string

// The faults.
const (
	None         Fault = ""
	Refuse       Fault = "refuse"        // the gateway refuses it for good
	Dead         Fault = "dead"          // there is no such number any more
	Blocked      Fault = "blocked"       // its owner wants nothing from us
	Busy         Fault = "busy"          // not now
	Unsure       Fault = "unsure"        // sent; the gateway did not say so to its bridge
	SilentBefore Fault = "silent_before" // it never arrived; no answer
	SilentAfter  Fault = "silent_after"  // it arrived; no answer
)

// Bridge is the bridge with its telephones. Its fields are set before its first use.
type Bridge struct {
	Secret string // whsec_…
	Now    func() time.Time

	// Choose decides what becomes of a message to a number; nil: None.
	Choose func(to string) Fault

	// Meanwhile, if not nil, is called while an answer is awaited that never comes.
	Meanwhile func()

	mu   sync.Mutex
	kept []SMS
}

// SMS is a message that has arrived.
type SMS struct {
	ID       string    `json:"id"`
	To       string    `json:"to"`
	Text     string    `json:"text"`
	Language string    `json:"language"`
	Parts    int       `json:"parts"`
	Alphabet string    `json:"alphabet"`
	Until    string    `json:"until"`
	At       time.Time `json:"-"`
	Times    int       `json:"-"` // how often it was handed over; it arrived once
}

// maxKept is how many messages the telephones keep; older ones are dropped.
const maxKept = 1000

// All are the messages that have arrived, the oldest first.
func (b *Bridge) All() []SMS {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]SMS(nil), b.kept...)
}

// To are the messages that one number has received, the oldest first.
func (b *Bridge) To(number string) (all []SMS) {
	for _, m := range b.All() {
		if m.To == number {
			all = append(all, m)
		}
	}
	return all
}

// RoundTrip implements [http.RoundTripper]: the network between the shop and the
// bridge.
func (b *Bridge) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	silent := b.serve(w, r)
	if silent {
		if b.Meanwhile != nil {
			b.Meanwhile()
		}
		return nil, errors.New("phonesim: no answer")
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

// ServeHTTP takes one message; where it would be silent it answers 500.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	if b.serve(rec, r) {
		http.Error(w, "no answer", http.StatusInternalServerError)
		return
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	_, _ = rec.Body.WriteTo(w) // who asked has left
}

func (b *Bridge) serve(w http.ResponseWriter, r *http.Request) (silent bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<10+1))
	switch {
	case err != nil || len(body) > 16<<10:
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return false
	case r.Method != http.MethodPost:
		http.Error(w, "POST", http.StatusMethodNotAllowed)
		return false
	}
	if err := b.signed(r.Header, body); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return false
	}
	m, err := understood(r.Header, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return b.take(w, m)
}

func (b *Bridge) take(w http.ResponseWriter, m SMS) (silent bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fault := None
	if b.Choose != nil {
		fault = b.Choose(m.To)
	}
	for i, known := range b.kept {
		if known.ID != m.ID {
			continue
		}
		b.kept[i].Times++ // the same identifier: it was sent, and is not sent again, whatever it says now
		if known.To != m.To {
			answer(w, map[string]string{"outcome": "refused", "reason": "bad_message", "text": "this id was a message to somebody else"})
			return false
		}
		if fault == SilentAfter || fault == SilentBefore {
			return true
		}
		answer(w, map[string]string{"outcome": "accepted", "ref": "sim-" + m.ID})
		return false
	}
	refusals := map[Fault]string{Refuse: "refused", Dead: "number_dead", Blocked: "not_wanted"}
	switch fault {
	case Refuse, Dead, Blocked:
		answer(w, map[string]string{"outcome": "refused", "reason": refusals[fault], "text": "the simulated gateway refuses"})
		return false
	case Busy:
		answer(w, map[string]string{"outcome": "busy", "text": "too many at once"})
		return false
	case SilentBefore:
		return true
	case None, Unsure, SilentAfter:
	}
	m.At, m.Times = b.Now(), 1
	if len(b.kept) == maxKept {
		b.kept = b.kept[1:]
	}
	b.kept = append(b.kept, m)
	switch fault { //nolint:exhaustive // the others have been answered
	case SilentAfter:
		return true
	case Unsure:
		answer(w, map[string]string{"outcome": "unknown"})
	default:
		answer(w, map[string]string{"outcome": "accepted", "ref": "sim-" + m.ID})
	}
	return false
}

func answer(w http.ResponseWriter, said map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said) // into a buffer
}

var (
	number = regexp.MustCompile(`^\+[1-9][0-9]{4,14}$`)
	named  = regexp.MustCompile(`^[0-9a-z_]{1,64}$`)
)

// understood reads a request and holds it against the contract.
func understood(h http.Header, body []byte) (m SMS, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields() // a real bridge ignores them; here they are a mistake of ours
	if err := d.Decode(&m); err != nil {
		return m, err
	}
	switch {
	case !named.MatchString(m.ID) || h.Get("Webhook-Id") != m.ID || h.Get("Idempotency-Key") != m.ID:
		return m, errors.New("the id is missing, or not the same everywhere")
	case !number.MatchString(m.To):
		return m, errors.New("to is no E.164 number")
	case m.Text == "" || len([]rune(m.Text)) > 1000:
		return m, errors.New("text is empty or too long")
	case m.Language == "" || m.Parts < 1 || m.Alphabet != "gsm7" && m.Alphabet != "ucs2":
		return m, errors.New("language, parts and alphabet are needed")
	}
	if m.Until != "" {
		if _, err := time.Parse(time.RFC3339, m.Until); err != nil {
			return m, err
		}
	}
	return m, nil
}

// signed checks who sends, as the Standard Webhooks specification has a receiver do.
func (b *Bridge) signed(h http.Header, body []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(b.Secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return errors.New("the simulator has no secret")
	}
	seconds, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if err != nil {
		return errors.New("no timestamp")
	}
	if age := b.Now().Sub(time.Unix(seconds, 0)); age > 5*time.Minute || age < -5*time.Minute {
		return fmt.Errorf("the timestamp is %v away", age)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%d.%s", h.Get("Webhook-Id"), seconds, body) // a hash takes everything
	want := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for given := range strings.FieldsSeq(h.Get("Webhook-Signature")) {
		if subtle.ConstantTimeCompare(want, []byte(given)) == 1 {
			return nil
		}
	}
	return errors.New("the signature is wrong")
}
