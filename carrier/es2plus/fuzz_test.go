package es2plus

import (
	"errors"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// Whatever an SM-DP+ answers is success, a refusal, or silence; of a function that could
// have made something only an answer that says so is believed to have made nothing.
func FuzzAnswers(f *testing.F) {
	f.Add(200, []byte(`{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"matchingId":"A-B"}`))
	f.Add(200, []byte(`{"header":{"functionExecutionStatus":{"status":"Failed","statusCodeData":{"subjectCode":"8.2.1","reasonCode":"3.9"}}}}`))
	f.Add(200, []byte(`{"header":{"functionExecutionStatus":{"status":"Failed","statusCodeData":{"subjectCode":"8.1","reasonCode":"4.2"}}}}`))
	f.Add(404, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		var answer struct {
			MatchingID string `json:"matchingId"`
		}
		err := read(changes, "confirmOrder", outbound.Answer{Status: status, Body: body}, &answer)
		_, refused := errors.AsType[*carrier.Refusal](err)
		switch {
		case err == nil && status >= 300:
			t.Errorf("HTTP status %d is taken for success: %q", status, body)
		case err != nil && !refused && !errors.Is(err, carrier.ErrUnknown):
			t.Errorf("%v is none of the three: %q", err, body)
		}
	})
}
