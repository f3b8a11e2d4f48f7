// Package outboundsim is the wire between us and a simulated stranger, in
// process: a RoundTripper over the stranger's http.Handler that loses, delays,
// repeats and garbles on request, as networks do. It knows nothing of what the
// requests mean.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package outboundsim

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"time"
)

// Fault is what happens to one request on the wire.
type Fault string

// The faults.
const (
	None        Fault = ""
	Refuse      Fault = "refuse"       // the connection is refused: nothing was sent
	LoseRequest Fault = "lose_request" // sent, never arrived; the caller hears nothing
	LoseAnswer  Fault = "lose_answer"  // arrived and carried out; the caller hears nothing
	ActLater    Fault = "act_later"    // the caller hears nothing; it is carried out at Deliver
	Break       Fault = "break"        // carried out; answered with 500
	Garble      Fault = "garble"       // carried out; the answer is cut in half, unnoticed by HTTP
	Busy        Fault = "busy"         // not carried out; answered with 429 and Retry-After
	Twice       Fault = "twice"        // carried out twice; the second answer is returned
	Stale       Fault = "stale"        // a GET is answered as it was the last time, if that is known and not too long ago
)

// Faults are all faults but None and Stale, for tests that try each.
var Faults = []Fault{Refuse, LoseRequest, LoseAnswer, ActLater, Break, Garble, Busy, Twice}

// Wire is an http.RoundTripper. It is safe for concurrent use, as far as its
// Stranger is; its fields are set before its first use.
type Wire struct {
	Stranger http.Handler

	// Choose decides the fate of each request; nil means None. It may read the
	// body. It is called under the wire's lock and must not use the wire.
	Choose func(*http.Request) Fault

	// Meanwhile, if not nil, is called while a request is under way: after the
	// stranger acted and before the caller hears. A test lets another worker
	// look at that worst moment.
	Meanwhile func(*http.Request)

	// Now is the stranger's clock, and StaleMost how old a Stale answer may be. Nil:
	// nothing is kept, and no answer is stale.
	Now       func() time.Time
	StaleMost time.Duration

	mu    sync.Mutex
	later []*http.Request
	calls int
	last  map[string]said // what was answered to a GET, by its address
}

// RoundTrip implements [http.RoundTripper]. A request whose context has ended
// does not reach the wire. What the caller never hears fails at once: nobody
// waits for a time limit.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a transport closes what it was given, sent or not
		}
		return nil, err
	}
	arrived, err := copyOf(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.calls++
	fault := None
	if w.Choose != nil {
		fault = w.Choose(r)
	}
	if fault == ActLater {
		w.later = append(w.later, arrived)
	}
	w.mu.Unlock()

	switch fault {
	case Refuse:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case LoseRequest, ActLater:
		w.meanwhile(r)
		return nil, context.DeadlineExceeded
	case Busy:
		return answer(r, http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}, nil), nil
	case Twice:
		again, err := copyOf(arrived)
		if err != nil {
			return nil, err
		}
		w.serve(again)
	case Stale:
		if old, ok := w.before(r); ok {
			return answer(r, old.status, old.header, old.body), nil
		}
	case None, LoseAnswer, Break, Garble:
	default:
		panic("outboundsim: unknown fault " + string(fault))
	}
	got := w.serve(arrived)
	w.meanwhile(r)
	switch fault {
	case LoseAnswer:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case Break:
		return answer(r, http.StatusInternalServerError, nil, nil), nil
	case Garble:
		return answer(r, got.status, got.header, got.body[:len(got.body)/2]), nil
	case None, Refuse, LoseRequest, ActLater, Busy, Twice, Stale:
	}
	return answer(r, got.status, got.header, got.body), nil
}

// Deliver lets everything happen that was chosen to [ActLater], in order, and
// says how much that was. The answers go nowhere.
func (w *Wire) Deliver() int {
	w.mu.Lock()
	later := w.later
	w.later = nil
	w.mu.Unlock()
	for _, r := range later {
		w.serve(r)
	}
	return len(later)
}

// Calls is how many requests were made, whatever became of them.
func (w *Wire) Calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// said is what the stranger answered.
type said struct {
	status int
	header http.Header
	body   []byte
	at     time.Time
}

func (w *Wire) serve(r *http.Request) said {
	rec := httptest.NewRecorder()
	w.Stranger.ServeHTTP(rec, r)
	got := said{status: rec.Code, header: rec.Result().Header, body: rec.Body.Bytes()}
	if w.Now != nil && r.Method == http.MethodGet {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.last == nil {
			w.last = map[string]said{}
		}
		got.at = w.Now()
		w.last[r.URL.String()] = got
	}
	return got
}

// before is what was answered to the same GET before, if that is young enough.
func (w *Wire) before(r *http.Request) (said, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old, ok := w.last[r.URL.String()]
	return old, ok && r.Method == http.MethodGet && !w.Now().After(old.at.Add(w.StaleMost))
}

func (w *Wire) meanwhile(r *http.Request) {
	if w.Meanwhile != nil {
		w.Meanwhile(r)
	}
}

// copyOf makes a request as a server sees it, detached from the caller's
// context: a stranger goes on working when we stop waiting.
func copyOf(r *http.Request) (*http.Request, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close() // an in-memory body
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	c := httptest.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, r.URL.String(), bytes.NewReader(body))
	c.Header = r.Header.Clone()
	c.Host = cmp.Or(r.Host, r.URL.Host)
	return c, nil
}

func answer(r *http.Request, status int, h http.Header, body []byte) *http.Response {
	if h == nil {
		h = http.Header{}
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        h,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}

// Transport is a simulated stranger as the far end of an HTTP client, without a
// network: receive is asked what is answered. Its errors are the caller's.
func Transport(receive func(*http.Request) (status int, h http.Header, body []byte, err error)) http.RoundTripper {
	return transport(receive)
}

type transport func(*http.Request) (int, http.Header, []byte, error)

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close() //nolint:errcheck // it is only read
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	status, h, body, err := t(r)
	if err != nil {
		return nil, err
	}
	return answer(r, status, h.Clone(), body), nil
}
