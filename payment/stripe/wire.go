package stripe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// bridge lets the SDK, which wants an http.Client, call through the house's own
// client, so that limits of time and rate, the ban on calls inside transactions
// and the crash points hold for it too.
type bridge struct {
	client  *outbound.Client
	account string
}

// RoundTrip implements [http.RoundTripper]. An answer that cannot be Stripe's
// is an error, with its status: the SDK would only say that it cannot read it.
func (b bridge) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Del("X-Stripe-Client-User-Agent") // our versions and environment are not Stripe's business
	if b.account != "" {
		r.Header.Set("Stripe-Account", b.account)
	}
	a, err := b.client.Do(r.Context(), r)
	if err != nil {
		return nil, err
	}
	if a.Status < 200 || a.Status > 299 && !saysError(a.Body) || brokenList(a.Body) {
		return nil, &notStripe{a.Status}
	}
	return &http.Response{
		Status:        http.StatusText(a.Status),
		StatusCode:    a.Status,
		Header:        a.Header,
		Body:          io.NopCloser(bytes.NewReader(a.Body)),
		ContentLength: int64(len(a.Body)),
		Request:       r,
	}, nil
}

func saysError(body []byte) bool {
	var b struct {
		Error *struct {
			Type string `json:"type"`
		} `json:"error"`
	}
	return json.Unmarshal(body, &b) == nil && b.Error != nil
}

// brokenList reports whether an answer is a list with a member that is null, which
// the SDK would not survive, or says that there is more after nothing, or after a
// member without a name: the SDK would ask for the same page again and again.
func brokenList(body []byte) bool {
	var b struct {
		Data []json.RawMessage `json:"data"`
		More any               `json:"has_more"`
	}
	if json.Unmarshal(body, &b) != nil {
		return false
	}
	if slices.ContainsFunc(b.Data, func(m json.RawMessage) bool { return string(m) == "null" }) {
		return true
	}
	if b.More != true {
		return false
	}
	var last struct {
		ID string `json:"id"`
	}
	return len(b.Data) == 0 || json.Unmarshal(b.Data[len(b.Data)-1], &last) != nil || last.ID == ""
}

// notStripe is an answer without Stripe's error object: a proxy's, a load
// balancer's, half of one.
type notStripe struct{ status int }

func (e *notStripe) Error() string { return fmt.Sprintf("status %d without Stripe's words", e.status) }

// trouble is a call that came back without the object asked for.
type trouble struct {
	no    *sdk.Error // Stripe's definite no; nil if it is one of the others
	kind  error      // payment.ErrUnknown or payment.ErrNotSent
	cause error      // for the log, without anything Stripe wrote in free text
}

// judge sorts the error of an SDK call.
//
// What the SDK's errors say in full is not passed on: it quotes answers, and
// with them whatever Stripe knows of the customer.
func judge(err error) trouble {
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		return judgeAnswer(e)
	}
	if e, ok := errors.AsType[*notStripe](err); ok {
		if e.status == http.StatusTooManyRequests {
			return trouble{kind: payment.ErrNotSent, cause: e}
		}
		return trouble{kind: payment.ErrUnknown, cause: e}
	}
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return trouble{kind: payment.ErrNotSent, cause: err}
	case errors.Is(err, outbound.ErrSilent):
		return trouble{kind: payment.ErrUnknown, cause: err}
	}
	return trouble{kind: payment.ErrUnknown, cause: errors.New("an answer that makes no sense")}
}

func judgeAnswer(e *sdk.Error) trouble {
	cause := errors.New(inShort(e))
	switch {
	case e.Type == sdk.ErrorTypeIdempotency && e.HTTPStatusCode != http.StatusConflict:
		// The key was used before with other parameters: a bug of ours, or an
		// upgrade in the middle of an attempt. What was done then is not known here.
		return trouble{kind: payment.ErrUnknown, cause: fault.Wrap(fault.Internal, cause, "Stripe knows this key with other parameters")}
	case e.Code == sdk.ErrorCodeLockTimeout,
		e.Code == sdk.ErrorCodeIdempotencyKeyInUse,
		e.HTTPStatusCode == http.StatusConflict,
		e.HTTPStatusCode >= 500,
		e.HTTPStatusCode < 400,
		e.Type == sdk.ErrorTypeAPI && e.HTTPStatusCode != http.StatusTooManyRequests:
		return trouble{kind: payment.ErrUnknown, cause: cause}
	case e.HTTPStatusCode == http.StatusTooManyRequests,
		e.HTTPStatusCode == http.StatusUnauthorized,
		e.HTTPStatusCode == http.StatusForbidden:
		// Turned away at the door: too fast, or our key is wrong or may not.
		return trouble{kind: payment.ErrNotSent, cause: cause}
	}
	return trouble{no: e, kind: payment.ErrNotSent, cause: cause}
}

// inShort is what staff need to find the call in Stripe's own log. The message
// is left out: it repeats parameters, and the end of a wrong key.
func inShort(e *sdk.Error) string {
	s := fmt.Sprintf("status %d %s %s", e.HTTPStatusCode, e.Type, e.Code)
	if e.Param != "" {
		s += " param " + e.Param
	}
	if e.RequestID != "" {
		s += " request " + e.RequestID
	}
	return s
}

// acted is the error of a call that may have changed something.
func (t trouble) acted(call string) error {
	return fmt.Errorf("stripe: %s: %w: %w", call, t.kind, t.cause)
}

// unread is the error of a call that only looked.
func unread(call string, err error) error {
	return fmt.Errorf("stripe: %s: %w: %w", call, payment.ErrNotSent, judge(err).cause)
}

// strange is the error of a whole answer that is not about what was asked.
// kind is ErrUnknown where the call may have changed something.
func strange(call string, kind error, why string) error {
	return fmt.Errorf("stripe: %s: %w: %w", call, kind, fault.New(fault.Internal, "%s", why))
}
