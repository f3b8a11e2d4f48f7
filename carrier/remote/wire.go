package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/signed"
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
	return fmt.Errorf("%w: remote: %w", kind, fmt.Errorf(format, args...))
}

// mostAnswer is how many bytes an answer may have.
const mostAnswer = 1 << 20

// call sends a question and decodes the signed answer into answer, which also
// hears a refusal. Its errors are of the three kinds of [carrier.Carrier].
func (a *Adapter) call(ctx context.Context, f effect, q question, answer any) error {
	body, err := json.Marshal(q)
	if err != nil {
		return &carrier.Refusal{Reason: carrier.BadRequest, Text: err.Error()}
	}
	id := "msg_" + a.nonce()
	got, err := a.send(ctx, id, body)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return fmt.Errorf("%w: remote: %s: %w", carrier.ErrNotSent, q.Call, err)
	case err != nil:
		return f.silence("%s: %w", q.Call, err)
	}
	switch got.Status {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		// Turned away before it was looked at. Nothing proves who says so; but
		// the same request may come again, because it acts once.
		return fmt.Errorf("%w: remote: %s: HTTP status %d", carrier.ErrNotSent, q.Call, got.Status)
	default:
		return f.silence("%s: HTTP status %d", q.Call, got.Status)
	}
	if err := a.opened(id, got); err != nil {
		return f.silence("%s: %w", q.Call, err)
	}
	var kept envelope
	if err := json.Unmarshal(got.Body, &kept); err != nil {
		return f.silence("%s: cannot read the answer: %s", q.Call, carrier.Clip(err.Error()))
	}
	if kept.Answer != q.Call {
		return f.silence("%s: the answer is to %q", q.Call, carrier.Clip(kept.Answer))
	}
	switch kept.Outcome {
	case "refused":
		return a.refusal(f, q.Call, kept)
	case "unknown":
		return f.silence("%s: the operator did not answer: %s", q.Call, carrier.Quote(kept.Text))
	}
	if err := json.Unmarshal(got.Body, answer); err != nil {
		return f.silence("%s: cannot read the answer: %s", q.Call, carrier.Clip(err.Error()))
	}
	return nil
}

// send posts a signed body, whatever comes of it.
func (a *Adapter) send(ctx context.Context, id string, body []byte) (outbound.Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.config.URL, bytes.NewReader(body))
	if err != nil {
		return outbound.Answer{}, fmt.Errorf("%w: %w", outbound.ErrNotSent, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	a.keys.Sign(r.Header, id, a.now(), body)
	return a.client.Do(ctx, r)
}

// opened fails unless an answer is the one to the request id, signed lately.
func (a *Adapter) opened(id string, got outbound.Answer) error {
	if len(got.Body) > mostAnswer {
		return fmt.Errorf("the answer is longer than %d bytes", mostAnswer)
	}
	if err := a.keys.Verify(got.Header, a.now(), got.Body); err != nil {
		return fmt.Errorf("the answer is not believed: %w", err)
	}
	if got.Header.Get(signed.HeaderID) != "re_"+id {
		return errors.New("the answer is not believed: it is to another request")
	}
	return nil
}

// envelope is what all answers have.
type envelope struct {
	Answer  string `json:"answer"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
	Code    string `json:"code"`
	Text    string `json:"text"`
}

// reasons are the words of a refusal.
var reasons = []carrier.Reason{
	carrier.LineEnded, carrier.LineTerminal, carrier.LineUnknown, carrier.LineNotActive, carrier.PackageGone, carrier.PriceChanged,
	carrier.NoBalance, carrier.StillInProgress, carrier.BadRequest, carrier.Unauthorised, carrier.OperatorRefuses, carrier.OutOfStock,
}

// knows reports whether a refusal of a call may have this reason.
func knows(call string, r carrier.Reason) bool {
	return slices.Contains(reasons, r) || r == carrier.Installed && call == "withdraw"
}

// refusal is a definite no. One without a reason that we know says nothing: its
// server does not keep to the contract, so why should this word of it be true.
func (a *Adapter) refusal(f effect, call string, e envelope) error {
	if r := carrier.Reason(e.Reason); knows(call, r) {
		return &carrier.Refusal{Reason: r, Code: carrier.Quote(e.Code), Text: carrier.Quote(e.Text)}
	}
	return f.silence("%s: refused for the unknown reason %q", call, carrier.Clip(e.Reason))
}
