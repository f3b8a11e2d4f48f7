// Package pushsim is a push service with browsers behind it, written from RFC 8030,
// 8188, 8291 and 8292: it checks who sends, and shows what was sent as a browser
// does that can decrypt it. It misbehaves on request.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package pushsim

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/message"
)

// Fault is what happens to one message.
type Fault string

// The faults.
const (
	None         Fault = ""
	Gone         Fault = "gone"          // the browser has given the subscription up
	Unknown      Fault = "unknown"       // the service has never heard of it
	Busy         Fault = "busy"          // too many requests
	Broken       Fault = "broken"        // the service does not work
	Refused      Fault = "refused"       // a definite no
	SilentBefore Fault = "silent_before" // it never arrived; no answer
	SilentAfter  Fault = "silent_after"  // it arrived; no answer
)

// Service is a push service. Its fields are set before its first use.
type Service struct {
	Host string // of endpoints; empty: push.invalid
	Now  func() time.Time

	// Key is the public key that browsers gave when they subscribed; empty: any.
	Key string

	Random io.Reader

	// Choose decides what becomes of a message to a subscription; nil: None.
	Choose func(endpoint string) Fault

	// Meanwhile, if not nil, is called while an answer is awaited that never comes.
	Meanwhile func()

	mu       sync.Mutex
	browsers map[string]Browser // by endpoint
	shown    []Shown
}

// Shown is what a browser shows.
type Shown struct {
	Endpoint string `json:"-"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Link     string `json:"link"`
	Tag      string `json:"tag"`
	Lang     string `json:"lang"`
	ID       string `json:"id"`

	Topic, Urgency string        `json:"-"`
	TTL            time.Duration `json:"-"`
	Bytes          int           `json:"-"` // of the body
}

// Subscribe makes a browser that wants to be told.
func (s *Service) Subscribe() (message.Subscription, error) {
	raw := make([]byte, 32+16+12)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return message.Subscription{}, err
	}
	private, err := ecdh.P256().NewPrivateKey(raw[:32])
	if err != nil {
		return message.Subscription{}, err
	}
	b := Browser{private, raw[32:48]}
	host := s.Host
	if host == "" {
		host = "push.invalid"
	}
	sub := message.Subscription{
		Endpoint: "https://" + host + "/p/" + base64.RawURLEncoding.EncodeToString(raw[48:]),
		Key:      base64.RawURLEncoding.EncodeToString(private.PublicKey().Bytes()),
		Auth:     base64.RawURLEncoding.EncodeToString(b.Auth),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.browsers == nil {
		s.browsers = map[string]Browser{}
	}
	s.browsers[sub.Endpoint] = b
	return sub, nil
}

// All is what browsers show, the oldest first. What has the same tag has been
// replaced by the newest.
func (s *Service) All() []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Shown(nil), s.shown...)
}

// RoundTrip implements [http.RoundTripper]: the network between the shop and the
// service.
func (s *Service) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	fault := None
	if s.Choose != nil {
		fault = s.Choose(r.URL.String())
	}
	if fault == SilentBefore || fault == SilentAfter {
		if fault == SilentAfter {
			s.ServeHTTP(httptest.NewRecorder(), r)
		}
		if s.Meanwhile != nil {
			s.Meanwhile()
		}
		return nil, errors.New("pushsim: no answer")
	}
	w := httptest.NewRecorder()
	if status, ok := statuses[fault]; ok {
		w.WriteHeader(status)
	} else {
		s.ServeHTTP(w, r)
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

var statuses = map[Fault]int{
	Gone: http.StatusGone, Unknown: http.StatusNotFound, Busy: http.StatusTooManyRequests, Broken: http.StatusBadGateway, Refused: http.StatusBadRequest,
}

var topic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// ServeHTTP takes one message.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := "https://" + r.URL.Host + r.URL.Path
	if r.URL.Host == "" {
		at = "https://" + r.Host + r.URL.Path
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.browsers[at]
	if !ok {
		http.Error(w, "no such subscription", http.StatusNotFound)
		return
	}
	m, status, err := s.take(b, r)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	m.Endpoint = at
	for i, old := range s.shown {
		if old.Endpoint == at && old.Tag == m.Tag {
			s.shown = append(s.shown[:i], s.shown[i+1:]...)
			break
		}
	}
	s.shown = append(s.shown, m)
	w.Header().Set("Location", at+"/"+strconv.Itoa(len(s.shown)))
	w.WriteHeader(http.StatusCreated)
}

func (s *Service) take(b Browser, r *http.Request) (m Shown, status int, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4097))
	if err != nil {
		return m, http.StatusBadRequest, err
	}
	if len(body) > 4096 {
		return m, http.StatusRequestEntityTooLarge, errors.New("more than 4096 bytes")
	}
	seconds, err := strconv.ParseUint(r.Header.Get("TTL"), 10, 31)
	if err != nil {
		return m, http.StatusBadRequest, fmt.Errorf("TTL: %w", err)
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" {
		return m, http.StatusBadRequest, errors.New("not a push message")
	}
	urgency := r.Header.Get("Urgency")
	switch urgency {
	case "", "very-low", "low", "normal", "high":
	default:
		return m, http.StatusBadRequest, errors.New("no such urgency")
	}
	about := r.Header.Get("Topic")
	if about != "" && !topic.MatchString(about) {
		return m, http.StatusBadRequest, errors.New("not a topic")
	}
	if status, err := s.identify(r); err != nil {
		return m, status, err
	}
	plain, err := b.Open(body)
	if err != nil {
		return m, http.StatusBadRequest, err // a real service cannot see it; the browser would show nothing
	}
	if err := json.Unmarshal(plain, &m); err != nil {
		return m, http.StatusBadRequest, err
	}
	m.Topic, m.Urgency, m.TTL, m.Bytes = about, urgency, time.Duration(seconds)*time.Second, len(body)
	return m, 0, nil
}

// identify checks by the signature who sends, RFC 8292, section 4.2.
func (s *Service) identify(r *http.Request) (status int, err error) {
	var token, key string
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			token = value
		case "k":
			key = value
		}
	}
	parts := strings.Split(token, ".")
	if !strings.EqualFold(scheme, "vapid") || len(parts) != 3 || key == "" {
		return http.StatusUnauthorized, errors.New("nobody says who sends")
	}
	if s.Key != "" && key != s.Key {
		return http.StatusForbidden, errors.New("another key than the subscription's")
	}
	var raw [4][]byte
	for i, part := range append(parts, key) {
		if raw[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return http.StatusForbidden, err
		}
	}
	var head struct{ Alg string }
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := errors.Join(json.Unmarshal(raw[0], &head), json.Unmarshal(raw[1], &claims)); err != nil {
		return http.StatusForbidden, err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw[3])
	if err != nil {
		return http.StatusForbidden, err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	sig := raw[2]
	if head.Alg != "ES256" || len(sig) != 64 || !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return http.StatusForbidden, errors.New("the signature is wrong")
	}
	ends := time.Unix(claims.Exp, 0)
	if claims.Aud != "https://"+r.URL.Host || !ends.After(s.Now()) || ends.Sub(s.Now()) > 24*time.Hour {
		return http.StatusForbidden, fmt.Errorf("the token is for %s until %s", claims.Aud, ends)
	}
	if !strings.HasPrefix(claims.Sub, "mailto:") && !strings.HasPrefix(claims.Sub, "https:") {
		return http.StatusForbidden, errors.New("the token names nobody to ask")
	}
	return 0, nil
}
