package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Problem is what every error is answered with, as RFC 9457 has it.
type Problem struct {
	Type   string    `json:"type" format:"uri" doc:"What kind of problem it is; the address explains it. Never changes." example:"https://github.com/tsuzuku/tsuzuku/blob/main/docs/api.md#conflict"`
	Title  string    `json:"title" doc:"The kind in a few words, in the language that was asked for."`
	Status int       `json:"status" doc:"The HTTP status." example:"409"`
	Detail string    `json:"detail" doc:"What happened and what to do, in whole sentences that may be shown to the customer."`
	Reason string    `json:"reason,omitempty" doc:"A word for this very problem, for programs." example:"quote_expired"`
	Order  string    `json:"order,omitempty" doc:"The order that the problem speaks of."`
	Errors []Mistake `json:"errors,omitempty" nullable:"false" doc:"What does not fit the description of the request."`

	language locale.Language
	retry    int // seconds; 0: nothing is said
}

// Mistake is one thing in a request that does not fit its description.
type Mistake struct {
	Location string `json:"location,omitempty" doc:"Where it is." example:"body.amount.currency"`
	Message  string `json:"message" doc:"For the engineer, in English."`
}

const (
	problemType  = "application/problem+json"
	problemTypes = "https://github.com/tsuzuku/tsuzuku/blob/main/docs/api.md#"
)

// The kinds of problem that are no kinds of fault.
const (
	unauthenticated = "unauthenticated"
	malformed       = "malformed"
	keyMissing      = "idempotency_key_missing"
	keyReused       = "idempotency_key_reused"
	keyRunning      = "idempotency_key_running"
)

// Error implements error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus implements [huma.StatusError].
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements [huma.ContentTypeFilter].
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders implements [huma.HeadersError].
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	return h
}

// kinded is an error that is a problem of a kind of its own.
type kinded struct {
	error
	kind   string
	status int
	retry  int
}

// Unwrap lets its fault be found.
func (k kinded) Unwrap() error { return k.error }

func errKey() error {
	return kinded{fault.Because(fault.Denied, "api_key", "Send a key of this shop that works, as Authorization: Bearer and the key.", nil), unauthenticated, http.StatusUnauthorized, 0}
}

func errScope(s Scope) error {
	return fault.Because(fault.Denied, "api_scope", "This key may not do that: it has no scope "+string(s)+".", map[string]string{"scope": string(s)})
}

func errTooFast(seconds int) error {
	return kinded{fault.Because(fault.TooMany, "api_too_fast", "This key asks too often. Wait, and send the same again.", nil), string(fault.TooMany), http.StatusTooManyRequests, seconds}
}

func errPath() error {
	return fault.Because(fault.NotFound, "api_path", "There is no such operation. /api/openapi.json lists all of them.", nil)
}

func errMethod() error {
	return kinded{fault.Because(fault.Invalid, "api_path", "There is no such operation. /api/openapi.json lists all of them.", nil), malformed, http.StatusMethodNotAllowed, 0}
}

// said is a fault whose words were found where more is known than its reason.
type said struct {
	error
	text string
}

// Unwrap lets its fault be found.
func (s said) Unwrap() error { return s.error }

// problem says err to the caller, and logs what is not their business, and that
// somebody asked for what they may not see or do.
func (s *Server) problem(ctx context.Context, v ui.Voice, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	kind := fault.KindOf(err)
	p := &Problem{
		Type: problemTypes + string(kind), Title: v.Either("fault.api_title."+string(kind), "fault.title."+string(kind), nil),
		Status: kind.Status(), Detail: v.Fault(err), language: v.Lang,
	}
	if kind == fault.Internal {
		s.Log.ErrorContext(ctx, "api", "err", err)
		return p
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		p.Reason, p.Order = f.Reason, f.Args["order"]
	}
	if t, ok := errors.AsType[said](err); ok {
		p.Detail = t.text
	}
	if k, ok := errors.AsType[kinded](err); ok {
		p.Type, p.Status, p.retry = problemTypes+k.kind, k.status, k.retry
		p.Title = v.Either("fault.api_title."+k.kind, "fault.title."+string(kind), nil)
	}
	if kind == fault.Unavailable {
		p.retry = 30
	}
	s.note(ctx, kind, p)
	return p
}

// note writes a line of the log about a request that was refused: which operation, why,
// and with which key, but not whom or what it is about. A plan that is not on sale is no
// such thing.
func (s *Server) note(ctx context.Context, kind fault.Kind, p *Problem) {
	c := callOf(ctx)
	if c == nil {
		c = &call{}
	}
	switch {
	case kind == fault.Denied, p.Reason == "no_such_id", p.Status == http.StatusMethodNotAllowed:
		s.Log.InfoContext(ctx, "refused", "door", "api", "path", c.route, "key", c.key.ID, "reason", cmp.Or(p.Reason, string(kind)))
	}
}

// adoptProblems makes huma answer with ours. Its hooks are global; nobody else in
// this program has an API of huma's.
var adoptProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return unfit(ui.Voice{Lang: locale.En}, status, errs)
	}
	huma.NewErrorWithContext = func(hc huma.Context, status int, _ string, errs ...error) huma.StatusError {
		v := ui.Voice{Lang: locale.En}
		if c := callOf(hc.Context()); c != nil {
			v = c.voice
		}
		return unfit(v, status, errs)
	}
})

// maxMistakes is how many are listed.
const maxMistakes = 20

// unfit says that a request does not fit its description.
func unfit(v ui.Voice, status int, errs []error) *Problem {
	p := &Problem{Type: problemTypes + malformed, Title: v.T("fault.api_title." + malformed), Status: status, Detail: v.T("fault.api_malformed"), language: v.Lang}
	if status >= http.StatusInternalServerError {
		p.Type, p.Title, p.Detail = problemTypes+string(fault.Internal), v.T("fault.title.internal"), v.T("fault.internal")
		return p
	}
	for _, err := range errs[:min(len(errs), maxMistakes)] {
		m := Mistake{Message: err.Error()}
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok { // not its value: that may be a secret
			m = Mistake{Location: d.Location, Message: d.Message}
		}
		p.Errors = append(p.Errors, m)
	}
	return p
}
