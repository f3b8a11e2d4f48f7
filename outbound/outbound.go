// Package outbound is the only HTTP client of the house: it keeps time limits
// and rate limits, bounds what it reads, refuses to run inside a transaction,
// and tells apart a request that never left from one whose answer was lost.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/tsuzuku/tsuzuku/db"
)

// MaxBody is how much of an answer is read: 16 MiB (an operator's whole
// package list has about 3 MB).
const MaxBody = 16 << 20

// ErrNotSent says that no byte of the request can have reached the stranger: it
// never had a connection.
var ErrNotSent = errors.New("outbound: not sent")

// ErrSilent says that the request may have arrived and no whole answer came.
var ErrSilent = errors.New("outbound: no answer")

// Point is a place where a crash would hurt most.
type Point string

// The call boundaries.
const (
	BeforeCall Point = "before call"
	AfterCall  Point = "after call"
)

// Options are what a [Client] is made from. The zero value is usable.
type Options struct {
	// Transport carries the requests; nil: an http.Transport of the client's
	// own, for real strangers. Of any other than an http.Transport only an
	// error in looking up a name or in dialling is believed to mean that
	// nothing was sent.
	Transport http.RoundTripper

	Timeout       time.Duration // for one call, all of it, waiting for its turn included; 0: 20 s
	RatePerSecond int           // calls allowed each second; 0: no limit
	Observe       func(Point)   // called at every call boundary; nil: nobody looks

	// Ended is called after each call with whether the stranger answered; not for
	// a call that our own side gave up. nil: nobody counts.
	Ended func(answered bool)
}

// Client calls one stranger. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	traced  bool // the transport says when a request gets its connection
	timeout time.Duration
	limit   *rate.Limiter
	observe func(Point)
	ended   func(answered bool)
}

// New returns a client for one stranger.
func New(o Options) *Client {
	c := &Client{
		http:    &http.Client{Transport: o.Transport, CheckRedirect: refuseRedirect},
		timeout: o.Timeout,
		limit:   rate.NewLimiter(rate.Inf, 1),
		observe: o.Observe,
		ended:   o.Ended,
	}
	if c.http.Transport == nil {
		c.http.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second,
		}
	}
	_, c.traced = c.http.Transport.(*http.Transport)
	if c.timeout == 0 {
		c.timeout = 20 * time.Second
	}
	if o.RatePerSecond > 0 {
		c.limit = rate.NewLimiter(rate.Limit(o.RatePerSecond), o.RatePerSecond)
	}
	if c.observe == nil {
		c.observe = func(Point) {}
	}
	return c
}

// A stranger's API has no business sending us elsewhere with our credentials.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Answer is a whole answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends r and reads the whole answer, whatever its status; a redirect is an
// answer. Errors wrap [ErrNotSent] or [ErrSilent]. It panics inside a
// transaction: that is a bug that would hold the database while a stranger
// thinks.
//
// A request is sent once. Go's transport sends one again by itself only where a
// kept connection turned out to be dead before its first byte, and, if that
// became clear later, requests that read or carry an Idempotency-Key.
func (c *Client) Do(ctx context.Context, r *http.Request) (Answer, error) {
	if db.Forbidden(ctx) {
		panic("outbound: call inside a transaction")
	}
	asker := ctx
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := c.limit.Wait(ctx); err != nil { // also for somebody who has gone already
		return Answer{}, fmt.Errorf("%w: waiting for the rate limit: %w", ErrNotSent, err)
	}
	c.observe(BeforeCall)
	defer c.observe(AfterCall)
	a, err := c.send(ctx, r)
	if c.ended != nil && !errors.Is(asker.Err(), context.Canceled) {
		c.ended(err == nil && a.Status < http.StatusInternalServerError)
	}
	return a, err
}

// send is one call, within its time.
func (c *Client) send(ctx context.Context, r *http.Request) (Answer, error) {
	// Bytes can leave from the moment a connection is had, and not before. The
	// later hooks are called by the goroutine that writes, which may still be
	// on its way to them when a cancelled call has returned.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	resp, err := c.http.Do(r.WithContext(ctx)) //nolint:gosec // the adapter decides whom to call, not a stranger
	if err != nil {
		if !connected.Load() && (c.traced || neverLeft(err)) {
			return Answer{}, fmt.Errorf("%w: %w", ErrNotSent, err)
		}
		return Answer{}, fmt.Errorf("%w: %w", ErrSilent, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end below
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: reading the answer: %w", ErrSilent, err)
	}
	if len(body) > MaxBody {
		return Answer{}, fmt.Errorf("%w: the answer is longer than %d bytes", ErrSilent, MaxBody)
	}
	return Answer{resp.StatusCode, resp.Header, body}, nil
}

// neverLeft reports whether the connection was not even made, from the error
// alone: name look-up or dialling failed.
func neverLeft(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
