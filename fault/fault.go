// Package fault is the one kind of error that has an audience: it says what
// the caller can do, and carries a full sentence for the customer.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what the caller can do about an error. There are deliberately few.
type Kind string

// The kinds. Their values appear in the API and must not change.
const (
	Invalid     Kind = "invalid"     // fix the request and send it again
	Denied      Kind = "denied"      // sign in, or ask someone else
	NotFound    Kind = "not_found"   // there is no such thing, or you may not know of it
	Conflict    Kind = "conflict"    // someone was faster: reload and look
	TooMany     Kind = "too_many"    // slow down, and try the same again later
	Unavailable Kind = "unavailable" // a provider or operator is down: try later, unchanged
	Internal    Kind = "internal"    // a bug, or a broken disk
)

// Status is the HTTP status code for k.
func (k Kind) Status() int {
	switch k {
	case Invalid:
		return 422
	case Denied:
		return 403
	case NotFound:
		return 404
	case Conflict:
		return 409
	case TooMany:
		return 429
	case Unavailable:
		return 503
	case Internal:
		return 500
	}
	panic("fault: unknown kind " + string(k))
}

// Error is an error with an audience.
type Error struct {
	Kind    Kind
	Reason  string            // stable key of the message's translations; may be empty
	Args    map[string]string // named values of the translated message; may be nil
	Message string            // for the customer, in English: a full sentence, no internals
	Fields  map[string]string // messages for single form fields; may be nil
	Err     error             // for the log; may be nil
}

// New returns an error whose message may be shown to the customer.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Because is [New] with the key under which package ui finds the message in
// the customer's language, and the values that the translation names.
func Because(k Kind, reason, message string, args map[string]string) *Error {
	return &Error{Kind: k, Reason: reason, Message: message, Args: args}
}

// Wrap is [New] for an error that has a cause worth logging.
func Wrap(k Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), Err: err}
}

// Error returns the message and the cause: for the log.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err: the empty Kind for nil, [Internal] for an
// error that is not a [*Error].
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Message returns what the customer may read about err, in English. Errors of
// kind [Internal] and foreign errors are not the customer's business.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind != Internal {
		return e.Message
	}
	return "Something went wrong on our side. Nothing was lost; please try again in a minute."
}
