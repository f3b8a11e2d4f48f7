package es2plus

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// Client asks an SM-DP+ as its operator does. It is safe for concurrent use.
type Client struct {
	url, requester, version string

	http  *outbound.Client
	nonce func() string
}

const (
	prefix         = "/gsma/rsp2/es2plus/"
	defaultVersion = "2.2.0"
)

// NewClient returns a client. address is scheme and host, requester our
// functionRequesterIdentifier, version that of SGP.22 or empty.
func NewClient(address, requester, version string, client *outbound.Client, nonce func() string) (*Client, error) {
	version = cmp.Or(version, defaultVersion)
	errs := []error{absolute(address)}
	if !oids.MatchString(requester) {
		errs = append(errs, fmt.Errorf("the requester %q is no object identifier, such as 1.3.6.1.4.1.99999.1", requester))
	}
	if !versions.MatchString(version) {
		errs = append(errs, fmt.Errorf("the version %q is not three numbers, such as %s", version, defaultVersion))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Client{strings.TrimRight(address, "/"), requester, version, client, nonce}, nil
}

// effect says whether a function could make something that a phone can have, or take
// it away, and so what its silence means.
type effect bool

const (
	harmless effect = false
	changes  effect = true
)

func (f effect) silence(format string, args ...any) error {
	kind := carrier.ErrNotSent
	if f == changes {
		kind = carrier.ErrUnknown
	}
	return fmt.Errorf("%w: es2plus: %w", kind, fmt.Errorf(format, args...))
}

// header is what every request begins with.
type header struct {
	Requester string `json:"functionRequesterIdentifier"`
	Call      string `json:"functionCallIdentifier"`
}

// executed is what every answer begins with.
type executed struct {
	Header struct {
		Execution status `json:"functionExecutionStatus"`
	} `json:"header"`
}

// status is how a function ended (SGP.22, 5.2.6).
type status struct {
	Status string     `json:"status"`
	Data   statusCode `json:"statusCodeData"`
}

type statusCode struct {
	Subject string `json:"subjectCode"`
	Reason  string `json:"reasonCode"`
	Message string `json:"message"`
}

func (s status) succeeded() bool {
	return s.Status == "Executed-Success" || s.Status == "Executed-WithWarning"
}

// code is both codes as people write them.
func (c statusCode) code() string { return carrier.Clip(c.Subject + "/" + c.Reason) }

// call asks one function. ref, if there is one, begins the identifier under which the
// SM-DP+ logs the call. Errors are of the three kinds of [carrier.Carrier].
func (c *Client) call(ctx context.Context, f effect, function, ref string, fields map[string]any, answer any) error {
	call := c.nonce()
	if ref != "" {
		call = ref + "-" + call[:min(8, len(call))]
	}
	fields["header"] = header{c.requester, call}
	body, err := json.Marshal(fields)
	if err != nil {
		return &carrier.Refusal{Reason: carrier.BadRequest, Text: carrier.Quote(err.Error())}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+prefix+function, bytes.NewReader(body))
	if err != nil {
		return &carrier.Refusal{Reason: carrier.BadRequest, Text: carrier.Quote(err.Error())}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("X-Admin-Protocol", "gsma/rsp/v"+c.version)
	got, err := c.http.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return fmt.Errorf("%w: es2plus: %s: %w", carrier.ErrNotSent, function, err)
	case err != nil:
		return f.silence("%s: %w", function, err)
	case got.Status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: es2plus: %s: too many requests", carrier.ErrNotSent, function)
	case got.Status >= http.StatusInternalServerError:
		return f.silence("%s: HTTP status %d", function, got.Status)
	case got.Status == http.StatusUnauthorized, got.Status == http.StatusForbidden:
		return &carrier.Refusal{Reason: carrier.Unauthorised, Code: fmt.Sprint(got.Status)}
	}
	return read(f, function, got, answer)
}

// read takes an answer apart. A refusal is HTTP 200, too.
func read(f effect, function string, got outbound.Answer, answer any) error {
	var e executed
	if err := json.Unmarshal(got.Body, &e); err != nil {
		return f.silence("%s: HTTP status %d: cannot read the answer: %s", function, got.Status, carrier.Quote(err.Error()))
	}
	s := e.Header.Execution
	switch {
	case s.succeeded() && got.Status < http.StatusMultipleChoices:
		if answer == nil {
			return nil
		}
		if err := json.Unmarshal(got.Body, answer); err != nil {
			return f.silence("%s: cannot read the answer: %s", function, carrier.Quote(err.Error()))
		}
		return nil
	case s.Status == "Failed" && definite(s.Data):
		return &carrier.Refusal{Reason: reason(s.Data), Code: s.Data.code(), Text: carrier.Quote(s.Data.Message)}
	}
	return f.silence("%s: HTTP status %d: the answer is %s %s %s", function, got.Status,
		carrier.Quote(s.Status), s.Data.code(), carrier.Quote(s.Data.Message))
}

// definite reports whether a code was decided about the request. Reasons of classes 4
// and 5, processing and transport, are about the server: at which point it gave up
// they do not say, busy included.
func definite(c statusCode) bool {
	class, _, _ := strings.Cut(c.Reason, ".")
	return c.Subject != "" && (class == "1" || class == "2" || class == "3" || class == "6")
}

// reason is a code in our words (SGP.22, 5.2.6.1 and 5.2.6.2).
func reason(c statusCode) carrier.Reason {
	switch subject, why := c.Subject, c.Reason; {
	case subject == "1.1", subject == "8.2.1" && why == "1.2":
		return carrier.Unauthorised
	case strings.HasPrefix(subject, "1."):
		return carrier.BadRequest
	case subject == "8.2.5" && why == "3.7":
		return carrier.OutOfStock
	case subject == "8.2.5":
		return carrier.PackageGone
	case subject == "8.2.1" && why == "3.9":
		return carrier.LineUnknown
	}
	return carrier.OperatorRefuses
}
