package fault

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The kinds and their statuses are part of the API.
func TestStatus(t *testing.T) {
	want := map[Kind]int{
		"invalid": 422, "denied": 403, "not_found": 404, "conflict": 409, "too_many": 429, "unavailable": 503, "internal": 500,
	}
	got := map[Kind]int{}
	for _, k := range []Kind{Invalid, Denied, NotFound, Conflict, TooMany, Unavailable, Internal} {
		got[k] = k.Status()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown kind has a status")
		}
	}()
	Kind("").Status()
}

// An error is what its innermost author said, however it was wrapped on its
// way, and only errors for the customer are shown to the customer.
func TestKindAndMessage(t *testing.T) {
	denied := New(Denied, "Sign in as %s first.", "Aya")
	const hidden = "Something went wrong on our side. Nothing was lost; please try again in a minute."
	for _, tt := range []struct {
		name    string
		err     error
		kind    Kind
		message string
	}{
		{"a fault", denied, Denied, "Sign in as Aya first."},
		{"wrapped", fmt.Errorf("portal: %w", denied), Denied, "Sign in as Aya first."},
		{"joined", errors.Join(io.EOF, denied), Denied, "Sign in as Aya first."},
		{"with a cause", Wrap(Unavailable, io.EOF, "PayPay does not answer."), Unavailable, "PayPay does not answer."},
		{"with a reason", Because(Conflict, "moved", "Someone was faster.", nil), Conflict, "Someone was faster."},
		{"the outer of two", Wrap(NotFound, denied, "There is no such line."), NotFound, "There is no such line."},
		{"a bug", New(Internal, "row 7 of secrets is broken"), Internal, hidden},
		{"a stranger's error", io.EOF, Internal, hidden},
		{"a bug around a fault", Wrap(Internal, denied, "secret"), Internal, hidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := KindOf(tt.err); got != tt.kind {
				t.Errorf("KindOf(%v) = %q, want %q", tt.err, got, tt.kind)
			}
			if got := Message(tt.err); got != tt.message {
				t.Errorf("Message(%v) = %q, want %q", tt.err, got, tt.message)
			}
		})
	}
	if got := KindOf(nil); got != "" {
		t.Errorf("no error is of kind %q", got)
	}
}

// The log gets message and cause; the cause can be found, and is not in the
// message for the customer.
func TestCauseIsForTheLog(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.1: refused")
	err := Wrap(Unavailable, cause, "The operator does not answer.")
	if !errors.Is(err, cause) {
		t.Error("the cause cannot be found")
	}
	if got, want := err.Error(), "The operator does not answer.: dial tcp 10.0.0.1: refused"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got := Message(err); strings.Contains(got, "10.0.0.1") {
		t.Errorf("the customer reads %q", got)
	}
	if got, want := New(Invalid, "100 %% sure").Error(), "100 % sure"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

// A message with a reason is not a format: what customers typed stays as it is.
func TestBecauseTakesTheMessageAsItIs(t *testing.T) {
	err := Because(Invalid, "unknown_zone", `There is no zone "%d".`, map[string]string{"zone": "%d"})
	want := &Error{Kind: Invalid, Reason: "unknown_zone", Args: map[string]string{"zone": "%d"}, Message: `There is no zone "%d".`}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("Because (-want +got):\n%s", diff)
	}
}
