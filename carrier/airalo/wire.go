package airalo

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
	return fmt.Errorf("%w: airalo: %s", kind, fmt.Sprintf(format, args...))
}

// question is one request.
type question struct {
	effect  effect
	what    string // for the log: the address without a SIM's number
	path    string // below /v2/, with its query
	payload []field
	rule    rule   // that this call is under; the zero rule: none
	subject string // of the rule
}

// ask asks, and decodes the whole answer. Its errors are of the three kinds of
// [carrier.Carrier].
//
// A token that the operator no longer takes is replaced once. A question that
// could change something is not asked again with the new one, although nothing
// can have come of it: whoever called may do so.
func (a *Adapter) ask(ctx context.Context, q question, answer any) error {
	for try := 1; ; try++ {
		token, fresh, err := a.token(ctx)
		if err != nil {
			return err
		}
		got, err := a.send(ctx, q, token)
		if err != nil {
			return err
		}
		if got.Status != http.StatusUnauthorized {
			return a.open(q, got, answer)
		}
		a.tokens.Drop(token)
		if fresh || try == 3 {
			return &carrier.Refusal{Reason: carrier.Unauthorised, Code: "401", Text: q.what + ": a new token is refused"}
		}
		if q.effect == changes {
			return fmt.Errorf("%w: airalo: %s: the token is no longer taken", carrier.ErrNotSent, q.what)
		}
	}
}

// send makes one request under the operator's rules.
func (a *Adapter) send(ctx context.Context, q question, token string) (outbound.Answer, error) {
	now := a.now()
	if q.rule.most > 0 && !a.budget.take(q.rule, q.subject, now) {
		return outbound.Answer{}, fmt.Errorf("%w: airalo: %s: asked too often", carrier.ErrNotSent, q.what)
	}
	r, err := a.request(ctx, q, token)
	if err != nil {
		return outbound.Answer{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: a.quote(err.Error())}
	}
	got, err := a.client.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return got, fmt.Errorf("%w: airalo: %s: %s", carrier.ErrNotSent, q.what, a.quote(err.Error()))
	case err != nil:
		return got, q.effect.silence("%s: %s", q.what, a.quote(err.Error()))
	case got.Status == http.StatusTooManyRequests:
		if q.rule.most > 0 {
			a.budget.shut(q.rule, q.subject, now, got.Header)
		}
		return got, fmt.Errorf("%w: airalo: %s: too many requests", carrier.ErrNotSent, q.what)
	}
	return got, nil
}

// request makes the request. A payload goes as the very bytes that are signed,
// so that it does not matter whether the operator looks at the bytes or writes
// them anew.
func (a *Adapter) request(ctx context.Context, q question, token string) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	var payload []byte
	if q.payload != nil {
		payload = phpObject(q.payload...)
		method, body = http.MethodPost, bytes.NewReader(payload)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.config.BaseURL+"/v2/"+q.path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	if payload != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(signatureHeader, sign(a.config.ClientSecret, payload))
	}
	return r, nil
}

// problem is an answer that is a no, in both of its shapes: a code and a reason;
// or the fields that are wrong, and a message.
type problem struct {
	Code   text            `json:"code"`
	Reason text            `json:"reason"`
	Data   json.RawMessage `json:"data"`
	Meta   loose[struct {
		Message text `json:"message"`
	}] `json:"meta"`
}

// unknownSIM reports whether the answer is that there is no such SIM. Where
// something could have changed, a bare 404 does not say it: it may be another
// program's.
func (p problem) unknownSIM(f effect, status int) bool {
	return p.Meta.in.Message == "messages.resource_not_found" || status == http.StatusNotFound && f == reads
}

// open decodes a yes, and makes a refusal or silence of everything else.
func (a *Adapter) open(q question, got outbound.Answer, answer any) error {
	var p problem
	unreadable := json.Unmarshal(got.Body, &p)
	switch {
	case got.Status >= http.StatusInternalServerError || got.Status < http.StatusOK || got.Status/100 == 3:
		return q.effect.silence("%s: HTTP status %d", q.what, got.Status)
	case unreadable == nil && p.Code != "":
		return a.coded(q, got.Status, p)
	case unreadable == nil && p.unknownSIM(q.effect, got.Status):
		return &carrier.Refusal{Reason: carrier.LineUnknown, Code: strconv.Itoa(got.Status), Text: "the operator knows no such SIM"}
	case got.Status < http.StatusMultipleChoices && unreadable != nil:
		return q.effect.silence("%s: cannot read the answer: %s", q.what, a.quote(unreadable.Error()))
	case got.Status < http.StatusMultipleChoices:
		if err := json.Unmarshal(got.Body, answer); err != nil {
			return q.effect.silence("%s: cannot read the answer: %s", q.what, a.quote(err.Error()))
		}
		return nil
	case got.Status == http.StatusForbidden:
		return &carrier.Refusal{Reason: carrier.Unauthorised, Code: "403", Text: a.quote(string(p.Meta.in.Message))}
	case got.Status == http.StatusUnprocessableEntity && unreadable == nil:
		return a.invalid(q, p)
	}
	return q.effect.silence("%s: HTTP status %d", q.what, got.Status)
}

// coded is a no that has a code. Code 53, "something unexpected happened", is
// about the server and not about the request; the document does not say at
// which point that is. It comes with the same status as the definite ones, so a
// code that is not in the document is none of those either.
func (a *Adapter) coded(q question, status int, p problem) error {
	reason, definite := reasons(string(p.Code))
	if !definite || status < http.StatusBadRequest {
		return q.effect.silence("%s: HTTP status %d: the operator answered %s %s", q.what, status, a.quote(string(p.Code)), a.quote(string(p.Reason)))
	}
	return &carrier.Refusal{Reason: reason, Code: string(p.Code), Text: a.quote(string(p.Reason))}
}

// reasons is the table of error codes.
func reasons(code string) (r carrier.Reason, definite bool) {
	switch code {
	case "11":
		return carrier.NoBalance, true
	case "13": // the network is under maintenance: to be tried again, but a no to this request
		return carrier.OperatorRefuses, true
	case "14", "89": // wrong signature; our address is not on the list
		return carrier.Unauthorised, true
	case "23", "33", "34": // not for this SIM now; none left; not sold
		return carrier.PackageGone, true
	case "43":
		return carrier.BadRequest, true
	case "73": // recycled
		return carrier.LineTerminal, true
	}
	return "", false
}

// invalid is a no that names the fields that are wrong. They are few: what we
// send is a package, a SIM and our reference.
func (a *Adapter) invalid(q question, p problem) error {
	var wrong map[string]json.RawMessage
	if err := json.Unmarshal(p.Data, &wrong); err != nil || len(wrong) == 0 {
		return q.effect.silence("%s: HTTP status 422 without a reason", q.what)
	}
	r := &carrier.Refusal{Reason: carrier.BadRequest, Code: "422", Text: a.quote(string(p.Data))}
	switch about, packaged := wrong["package_id"]; {
	case packaged && bytes.Contains(about, []byte("exceed_limit")):
		r.Reason = carrier.OperatorRefuses
	case packaged && len(wrong) == 1:
		r.Reason = carrier.PackageGone
	case wrong["iccid"] != nil && len(wrong) == 1:
		r.Reason = carrier.LineUnknown
	}
	return r
}

// quote makes the operator's words fit to be kept.
func (a *Adapter) quote(s string) string {
	return carrier.Quote(s, a.config.ClientSecret, a.config.ClientID, a.tokens.Kept(a.now()))
}

// short reports whether s is a word of 1 to most ASCII letters, digits and
// characters of also.
func short(s string, most int, also string) bool {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && len(s) <= most && strings.Trim(s, letters+also) == ""
}

// number is how an identifier of the operator's is written, which may come as a
// number: empty when it is none.
func number(t text) string {
	if _, err := strconv.ParseUint(string(t), 10, 63); err != nil {
		return ""
	}
	return string(t)
}
