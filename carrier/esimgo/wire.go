package esimgo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// effect says whether a call could change something at the operator, and so
// what its silence means.
type effect bool

const (
	reads   effect = false
	changes effect = true
)

// silence is the error of a call whose outcome nobody knows: unknown when it
// could have changed something; as good as not sent when it could not.
func (f effect) silence(format string, args ...any) error {
	kind := carrier.ErrNotSent
	if f == changes {
		kind = carrier.ErrUnknown
	}
	return fmt.Errorf("%w: esimgo: %s", kind, fmt.Sprintf(format, args...))
}

// subject is what a question is about, and so what is unknown when the operator
// refuses it.
type subject int

const (
	us subject = iota
	aCard
	anOrder
)

// question is one request.
type question struct {
	effect  effect
	about   subject
	method  string // empty: GET, or POST with a payload
	what    string // for the log: the address without an eSIM's number
	path    string // below /v2.4/, with its query
	payload any
}

// ask asks, and decodes the whole answer. Its errors are of the three kinds of
// [carrier.Carrier].
func (a *Adapter) ask(ctx context.Context, q question, answer any) error {
	got, err := a.send(ctx, q)
	if err != nil {
		return err
	}
	if got.Status == http.StatusForbidden && q.about == aCard && q.effect == reads {
		return a.whose(ctx, q, got)
	}
	return a.open(q, got, answer)
}

// whose says what a 403 about an eSIM means: a key that is not taken, or an eSIM
// that is not ours. The document gives both the same number, so the key is tried.
func (a *Adapter) whose(ctx context.Context, q question, got outbound.Answer) error {
	if _, readable := message(got.Body); !readable {
		return q.effect.silence("%s: HTTP status %d without a message", q.what, got.Status)
	}
	if _, err := a.Balance(ctx); err != nil {
		return err
	}
	return a.open(q, got, nil)
}

// send makes one request.
func (a *Adapter) send(ctx context.Context, q question) (outbound.Answer, error) {
	now := a.now()
	if a.gate.shut(now) {
		return outbound.Answer{}, fmt.Errorf("%w: esimgo: %s: asked too often", carrier.ErrNotSent, q.what)
	}
	r, err := a.request(ctx, q)
	if err != nil {
		return outbound.Answer{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: a.quote(err.Error())}
	}
	got, err := a.client.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return got, fmt.Errorf("%w: esimgo: %s: %s", carrier.ErrNotSent, q.what, a.quote(err.Error()))
	case err != nil:
		return got, q.effect.silence("%s: %s", q.what, a.quote(err.Error()))
	}
	a.gate.heed(now, got)
	if got.Status == http.StatusTooManyRequests {
		return got, fmt.Errorf("%w: esimgo: %s: too many requests", carrier.ErrNotSent, q.what)
	}
	return got, nil
}

func (a *Adapter) request(ctx context.Context, q question) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if q.payload != nil {
		b, err := json.Marshal(q.payload)
		if err != nil {
			return nil, err
		}
		method, body = http.MethodPost, bytes.NewReader(b)
	}
	if q.method != "" {
		method = q.method
	}
	r, err := http.NewRequestWithContext(ctx, method, a.config.BaseURL+"/v2.4/"+q.path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json") // installing details come as CSV otherwise
	r.Header.Set("X-API-Key", a.config.APIKey)
	if q.payload != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// open decodes a yes, and makes a refusal or silence of everything else.
//
// The operator has no codes, only statuses and words. Definite are those statuses
// that its document calls a no, and only with its own message: a 403 may as well be
// somebody's in between, who lets requests through now and then.
func (a *Adapter) open(q question, got outbound.Answer, answer any) error {
	if got.Status >= http.StatusOK && got.Status < http.StatusMultipleChoices {
		if err := json.Unmarshal(got.Body, answer); err != nil {
			return q.effect.silence("%s: cannot read the answer: %s", q.what, a.quote(err.Error()))
		}
		return nil
	}
	words, readable := message(got.Body)
	code := strconv.Itoa(got.Status)
	switch {
	case got.Status == http.StatusServiceUnavailable:
		return q.effect.silence("%s: the operator is still processing", q.what)
	case !readable:
		return q.effect.silence("%s: HTTP status %d", q.what, got.Status)
	case got.Status == http.StatusUnauthorized:
		return &carrier.Refusal{Reason: carrier.Unauthorised, Code: code, Text: a.quote(words)}
	case got.Status == http.StatusBadRequest, got.Status == http.StatusForbidden, got.Status == http.StatusNotFound && q.effect == reads:
		return &carrier.Refusal{Reason: q.reason(got.Status, words), Code: code, Text: a.quote(words)}
	}
	return q.effect.silence("%s: HTTP status %d: %s", q.what, got.Status, a.quote(words))
}

// message is what the operator says when it refuses.
func message(body []byte) (words string, readable bool) {
	var m struct {
		Message text `json:"message"`
	}
	err := json.Unmarshal(body, &m)
	return string(m.Message), err == nil && m.Message != ""
}

// reason is why a question was refused. That it was is certain from the status; of
// an order only the operator's words tell why, and they are not documented. Where
// they tell nothing, neither do we.
func (q question) reason(status int, words string) carrier.Reason {
	words = strings.ToLower(words)
	says := func(some ...string) bool {
		for _, w := range some {
			if strings.Contains(words, w) {
				return true
			}
		}
		return false
	}
	switch {
	case q.about == aCard && q.effect == reads:
		return carrier.LineUnknown
	case q.about == aCard:
		return carrier.OperatorRefuses
	case q.about != anOrder && status == http.StatusForbidden:
		return carrier.Unauthorised
	case q.about != anOrder:
		return carrier.BadRequest
	case says("balance", "funds", "credit"):
		return carrier.NoBalance
	case says("compatible"):
		return carrier.PackageGone
	case says("iccid", "esim "):
		return carrier.LineUnknown
	case says("bundle", "item", "catalogue"):
		return carrier.PackageGone
	}
	return carrier.OperatorRefuses
}

// quote makes the operator's words fit to be kept.
func (a *Adapter) quote(s string) string { return carrier.Quote(s, a.config.APIKey) }

// gate keeps requests back while the operator says that there were too many. Its
// windows are of one second, which the client's pace keeps anyway; only what is
// longer is kept here.
type gate struct {
	mu    sync.Mutex
	until time.Time
}

const (
	window      = time.Second
	longestShut = time.Minute // what is believed of the operator's wish
)

func (g *gate) shut(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return now.Before(g.until)
}

// heed reads how long the operator wants to be left alone.
func (g *gate) heed(now time.Time, got outbound.Answer) {
	var wait time.Duration
	if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil && got.Status == http.StatusTooManyRequests {
		wait = time.Duration(max(0, min(seconds, 1<<20))) * time.Second
	}
	left, err := strconv.Atoi(got.Header.Get("X-Ratelimit-Remaining"))
	reset, err2 := time.Parse(time.RFC3339, got.Header.Get("X-Ratelimit-Reset"))
	if err == nil && err2 == nil && left <= 0 {
		wait = max(wait, reset.Sub(now))
	}
	if wait <= window {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = now.Add(min(wait, longestShut))
}
