package airalosim

import (
	"net/http"
	"strings"
	"time"
)

// answer is what a call is told.
type answer struct {
	status int
	header http.Header
	body   []byte
	code   int // the business code, for the record; 0: none
}

// ok is an answer in the usual envelope.
func ok(data any) *answer { return said(http.StatusOK, data, "success") }

func said(status int, data any, message string) *answer {
	return plain(status, object{{"data", data}, {"meta", object{{"message", message}}}})
}

func plain(status int, body object) *answer {
	return &answer{status: status, body: phpJSON(body)}
}

// refusal is a definite no.
type refusal struct{ answer }

// invalid is the answer to wrong parameters [2.3].
func invalid(wrong object) *refusal {
	return &refusal{*said(http.StatusUnprocessableEntity, wrong, "the parameter is invalid")}
}

func invalidField(key, text string) *refusal { return invalid(object{{key, text}}) }

func missing(key string) *refusal {
	return invalidField(key, "The "+strings.ReplaceAll(key, "_", " ")+" field is required.")
}

// notFound is the answer about what is not ours or is not there [2.3].
func notFound() *refusal {
	return &refusal{*said(http.StatusNotFound, []any{}, "messages.resource_not_found")}
}

// tooMany is the answer to a call beyond a limit [2.4].
func tooMany() *refusal {
	return &refusal{*plain(http.StatusTooManyRequests, object{{"message", "Too Many Attempts."}})}
}

// reasons are the business codes with their texts [2.3]; a star stands for what
// is added.
var reasons = map[int]string{
	11: "Insufficient Airalo Credit: *",
	13: "The requested operator is currently undergoing maintenance. Please try again later.",
	14: "Invalid checksum: *",
	23: "The requested top-up has been disabled by the operator. *",
	33: "Insufficient stock of eSIMs remaining: *. Please try your request again later.",
	34: "The requested eSIM package is invalid or it is currently out of stock. Please try again later.",
	43: "Bad request. * Please check your input and try again.",
	53: "Something unexpected happened. We're working to resolve the issue. Please try again later.",
	73: "The eSIM with iccid * has been recycled. It can no longer be used or topped up.",
	89: "Your IP address is not permitted to access the Partner API. Add it to your API IP allowlist in the Partner Platform, or contact your account manager.",
}

// refuse is the answer with a business code; it panics if there is no such code.
func refuse(code int, added string) *refusal {
	text, known := reasons[code]
	if !known {
		panic("airalosim: no such code")
	}
	status := http.StatusUnprocessableEntity
	if code == 89 {
		status = http.StatusForbidden
	}
	a := plain(status, object{{"code", code}, {"reason", strings.TrimSpace(strings.ReplaceAll(text, "*", added))}})
	a.code = code
	return &refusal{*a}
}

// stamp writes an instant as most fields do: UTC, though nothing says so.
func stamp(at time.Time) string { return at.UTC().Format(time.DateTime) }

// minute is how due dates are written.
const minute = "2006-01-02 15:04"

// offset writes an instant as the package history does; null for none.
func offset(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UTC().Format("2006-01-02T15:04:05-07:00")
}

// orNull is null for an empty text.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// orNothing is null for 0.
func orNothing(n int) any {
	if n == 0 {
		return nil
	}
	return n
}
