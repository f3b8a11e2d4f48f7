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
	"time"

	"golang.org/x/time/rate"

	"github.com/tsuzuku/tsuzuku/db"
)

// MaxBody is how much of an answer is read: 16 MiB (an operator's whole
// package list has about 3 MB).
const MaxBody = 16 << 20

// ErrNotSent says that no byte of the request can have reached the stranger.
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
	Transport     http.RoundTripper // nil: http.DefaultTransport's kind, for real strangers
	Timeout       time.Duration     // for one call, all of it; 0: 20 s
	RatePerSecond int               // calls allowed each second; 0: no limit
	Observe       func(Point)       // called at every call boundary; nil: nobody looks
}

// Client calls one stranger.
type Client struct {
	http    *http.Client
	timeout time.Duration
	limit   *rate.Limiter
	observe func(Point)
}

// New returns a client for one stranger.
func New(o Options) *Client {
	c := &Client{
		http:    &http.Client{Transport: o.Transport, CheckRedirect: refuseRedirect},
		timeout: o.Timeout,
		limit:   rate.NewLimiter(rate.Inf, 1),
		observe: o.Observe,
	}
	if c.http.Transport == nil {
		c.http.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second,
		}
	}
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

// Do sends r and reads the whole answer, whatever its status. Errors wrap
// [ErrNotSent] or [ErrSilent]. It panics inside a transaction: that is a bug
// that would hold the database while a stranger thinks.
func (c *Client) Do(ctx context.Context, r *http.Request) (Answer, error) {
	if db.Forbidden(ctx) {
		panic("outbound: call inside a transaction")
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := c.limit.Wait(ctx); err != nil {
		return Answer{}, fmt.Errorf("%w: waiting for the rate limit: %w", ErrNotSent, err)
	}
	c.observe(BeforeCall)
	defer c.observe(AfterCall)
	resp, err := c.http.Do(r.WithContext(ctx)) //nolint:gosec // the adapter decides whom to call, not a stranger
	if err != nil {
		if neverLeft(err) {
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

// neverLeft reports whether the connection was not even made: name look-up or
// dialling failed. Everything later may have reached the stranger.
func neverLeft(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns != nil
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
