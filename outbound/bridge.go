package outbound

import (
	"bytes"
	"io"
	"net/http"
)

// RoundTripper is the client for a library that wants an http.Client of its
// own: every request goes through [Client.Do], with its limits and its refusal
// to run inside a transaction. Errors wrap [ErrNotSent] or [ErrSilent], through
// whatever the library wraps around them. An answer is whole when it is returned.
//
// A redirect comes back without its Location, because an http.Client would
// follow it, credentials and all.
func (c *Client) RoundTripper() http.RoundTripper { return bridge{c} }

type bridge struct{ client *Client }

// RoundTrip implements [http.RoundTripper].
func (b bridge) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close() //nolint:errcheck // also when it was never sent; closing twice is allowed
	}
	a, err := b.client.Do(r.Context(), r)
	if err != nil {
		return nil, err
	}
	if a.Status >= 300 && a.Status < 400 {
		a.Header = a.Header.Clone()
		a.Header.Del("Location")
	}
	return &http.Response{
		Status:        http.StatusText(a.Status),
		StatusCode:    a.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.Header,
		Body:          io.NopCloser(bytes.NewReader(a.Body)),
		ContentLength: int64(len(a.Body)),
		Request:       r,
	}, nil
}
