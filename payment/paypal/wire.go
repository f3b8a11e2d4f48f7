package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// question is one request to PayPal's API.
type question struct {
	method, path string
	key          string // PayPal-Request-Id, for what changes something
	body         any    // nil: none
}

// refusal is PayPal's definite no.
type refusal struct {
	status int
	said   said
}

// trouble is a call that came back without the object asked for.
type trouble struct {
	no    *refusal // nil if it is one of the others
	kind  error    // payment.ErrUnknown or payment.ErrNotSent
	cause error    // for the log, without anything PayPal wrote in free text
}

// ask sends q and reads the answer into the value that into points to, if any. An
// expired token is replaced and the request sent again, once: PayPal has not
// looked at what a request asks for when it refuses its token.
func (a *Adapter) ask(ctx context.Context, q question, into any) (status int, t *trouble) {
	var body []byte
	if q.body != nil {
		var err error
		if body, err = json.Marshal(q.body); err != nil {
			return 0, &trouble{kind: payment.ErrNotSent, cause: err}
		}
	}
	token, err := a.bearer(ctx)
	if err != nil {
		return 0, &trouble{kind: payment.ErrNotSent, cause: err}
	}
	got, err := a.send(ctx, q, body, token)
	if err == nil && got.Status == http.StatusUnauthorized {
		a.tokens.Drop(token)
		if token, err = a.bearer(ctx); err != nil {
			return 0, &trouble{kind: payment.ErrNotSent, cause: err}
		}
		got, err = a.send(ctx, q, body, token)
	}
	if err != nil {
		kind := payment.ErrUnknown
		if errors.Is(err, outbound.ErrNotSent) {
			kind = payment.ErrNotSent
		}
		return 0, &trouble{kind: kind, cause: err}
	}
	if got.Status < 200 || got.Status > 299 {
		return got.Status, judge(got.Status, got.Body)
	}
	if into == nil {
		return got.Status, nil
	}
	if err := json.Unmarshal(got.Body, into); err != nil {
		return got.Status, &trouble{kind: payment.ErrUnknown, cause: errors.New("an answer that makes no sense")}
	}
	return got.Status, nil
}

func (a *Adapter) send(ctx context.Context, q question, body []byte, token string) (outbound.Answer, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, a.base+q.path, bytes.NewReader(body))
	if err != nil {
		return outbound.Answer{}, fmt.Errorf("%w: %w", outbound.ErrNotSent, err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json")
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
		// Otherwise PayPal answers with little more than an identifier.
		r.Header.Set("Prefer", "return=representation")
	}
	if q.key != "" {
		r.Header.Set("PayPal-Request-Id", q.key)
	}
	return a.client.Do(ctx, r)
}

// judge sorts an answer that is no success.
func judge(status int, body []byte) *trouble {
	s := saying(body)
	cause := fmt.Errorf("status %d %s", status, s.inShort())
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusUnauthorized, status == http.StatusForbidden && s.name != "":
		// Turned away at the door: too fast, or we may not.
		return &trouble{kind: payment.ErrNotSent, cause: cause}
	case status >= 500, status < 400, status == http.StatusConflict, s.name == "":
		// A failure may have acted; a conflict is the same request, still under
		// way; and what has no name is somebody else's answer: a proxy's.
		return &trouble{kind: payment.ErrUnknown, cause: cause}
	case s.is("PREVIOUS_REQUEST_IN_PROGRESS"), s.is("RESOURCE_CONFLICT"):
		return &trouble{kind: payment.ErrUnknown, cause: cause}
	case s.is("DUPLICATE_REQUEST_ID"):
		// A bug of ours, or an upgrade in the middle of an attempt. What was
		// done then is not known here.
		return &trouble{kind: payment.ErrUnknown, cause: fault.Wrap(fault.Internal, cause, "PayPal knows this key with other parameters")}
	}
	return &trouble{no: &refusal{status, s}, kind: payment.ErrNotSent, cause: cause}
}

// said is what PayPal says of an error, in its own codes; schema error_default.
// Its sentences and the values it quotes are not kept: they may be the
// customer's.
type said struct {
	name   string
	issues []string
	debug  string // what PayPal's support asks for
	links  []link
	ahead  bool // a report does not reach so far yet: PayPal has no code for it
}

// saying reads an error's body; name is empty if it is none of PayPal's.
func saying(body []byte) said {
	var e struct {
		Name    string `json:"name"`
		Error   string `json:"error"` // of the token service
		Message string `json:"message"`
		DebugID string `json:"debug_id"`
		Details []struct {
			Issue string `json:"issue"`
		} `json:"details"`
		Links []link `json:"links"`
	}
	if json.Unmarshal(body, &e) != nil {
		return said{}
	}
	s := said{name: word(e.Name), debug: word(e.DebugID), links: e.Links}
	s.ahead = strings.Contains(e.Message, "given start date is not available")
	if s.name == "" {
		s.name = word(e.Error)
	}
	for _, d := range e.Details {
		s.ahead = s.ahead || strings.Contains(d.Issue, "given start date is not available")
		if w := word(d.Issue); w != "" && len(s.issues) < 4 {
			s.issues = append(s.issues, w)
		}
	}
	return s
}

// word is s if it can be a code or an identifier, else nothing.
func word(s string) string {
	for _, c := range s {
		if c != '_' && c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	if len(s) > 64 {
		return ""
	}
	return s
}

// code is PayPal's most particular word for what is wrong.
func (s said) code() string {
	if len(s.issues) > 0 {
		return s.issues[0]
	}
	return s.name
}

func (s said) is(code string) bool {
	for _, i := range s.issues {
		if i == code {
			return true
		}
	}
	return s.name == code
}

// inShort is what staff need to find the call with PayPal's support.
func (s said) inShort() string {
	if s.name == "" {
		return "without PayPal's words"
	}
	text := strings.Join(append([]string{s.name}, s.issues...), " ")
	if s.debug != "" {
		text += " debug " + s.debug
	}
	return text
}

// acted is the error of a call that may have changed something.
func (t *trouble) acted(call string) error {
	return fmt.Errorf("paypal: %s: %w: %w", call, t.kind, t.cause)
}

// unread is the error of a call that only looked.
func (t *trouble) unread(call string) error {
	return fmt.Errorf("paypal: %s: %w: %w", call, payment.ErrNotSent, t.cause)
}

// strange is the error of a whole answer that is not about what was asked.
// kind is ErrUnknown where the call may have changed something.
func strange(call string, kind error, why string) error {
	return fmt.Errorf("paypal: %s: %w: %w", call, kind, fault.New(fault.Internal, "%s", why))
}
