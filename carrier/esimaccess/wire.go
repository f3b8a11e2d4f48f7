package esimaccess

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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
	return fmt.Errorf("%w: esimaccess: %w", kind, fmt.Errorf(format, args...))
}

// call posts question and decodes the answer's obj into answer, if that is not
// nil. Its errors are of the three kinds of [carrier.Carrier].
func (a *Adapter) call(ctx context.Context, f effect, path string, question, answer any) error {
	r, err := a.request(ctx, path, question)
	if err != nil {
		return &carrier.Refusal{Reason: carrier.BadRequest, Text: a.quote(err.Error())}
	}
	got, err := a.client.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return fmt.Errorf("%w: esimaccess: %s: %w", carrier.ErrNotSent, path, err)
	case err != nil:
		return f.silence("%s: %w", path, err)
	case got.Status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: esimaccess: %s: too many requests", carrier.ErrNotSent, path)
	case got.Status >= http.StatusInternalServerError:
		return f.silence("%s: HTTP status %d", path, got.Status)
	}
	obj, err := a.open(f, path, got)
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(obj, answer); err != nil {
		return f.silence("%s: cannot read obj: %s", path, a.quote(err.Error()))
	}
	return nil
}

// request makes the signed request. Without a secret key the access code alone
// identifies us; the operator takes both forms.
func (a *Adapter) request(ctx context.Context, path string, question any) (*http.Request, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.config.BaseURL+"/api/v1/open"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("RT-AccessCode", a.config.AccessCode)
	if a.config.SecretKey != "" {
		id, at := a.nonce(), strconv.FormatInt(a.now().UnixMilli(), 10)
		r.Header.Set("RT-RequestID", id)
		r.Header.Set("RT-Timestamp", at)
		r.Header.Set("RT-Signature", a.signature(at, id, body))
	}
	return r, nil
}

// signature is over the timestamp, the request's identifier, the access code
// and the exact bytes of the body, one after the other.
func (a *Adapter) signature(timestamp, requestID string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(a.config.SecretKey))
	mac.Write([]byte(timestamp + requestID + a.config.AccessCode))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// envelope is around every answer. The document names the text errorMessage,
// the wire errorMsg.
type envelope struct {
	Success      flag            `json:"success"`
	ErrorCode    text            `json:"errorCode"`
	ErrorMsg     text            `json:"errorMsg"`
	ErrorMessage text            `json:"errorMessage"`
	Obj          json.RawMessage `json:"obj"`
}

// open takes the obj out of an answer. Whoever says yes with an error code, or
// no without one, has said nothing.
func (a *Adapter) open(f effect, path string, got outbound.Answer) (json.RawMessage, error) {
	var e envelope
	if err := json.Unmarshal(got.Body, &e); err != nil {
		if got.Status == http.StatusUnauthorized || got.Status == http.StatusForbidden {
			return nil, &carrier.Refusal{Reason: carrier.Unauthorised, Code: strconv.Itoa(got.Status)}
		}
		return nil, f.silence("%s: HTTP status %d: cannot read the answer: %s", path, got.Status, a.quote(err.Error()))
	}
	failed := e.ErrorCode != "" && e.ErrorCode != "0"
	switch {
	case e.Success == yes && !failed && got.Status < http.StatusMultipleChoices:
		if len(e.Obj) == 0 {
			e.Obj = json.RawMessage("null")
		}
		return e.Obj, nil
	case e.Success == no && failed:
		return nil, a.refusal(f, path, string(e.ErrorCode), string(e.ErrorMsg+e.ErrorMessage))
	default:
		return nil, f.silence("%s: HTTP status %d: the answer contradicts itself: success %q, code %q",
			path, got.Status, string(e.Success), a.quote(string(e.ErrorCode)))
	}
}

// refusal is the operator's code as one of our three kinds of error.
//
// A definite no is what was decided about the request: bad credentials, a bad
// parameter, the line, the package, the balance. Codes 000001 (server error)
// and 900001 (busy, try again) are about the server instead. Busy sounds as if
// nothing had been done, but the document does not say at which point the
// system gave up; only HTTP 429 is certain to come from before. Believing it
// wrongly would extend a line twice, so both are silence.
func (a *Adapter) refusal(f effect, path, code, words string) error {
	reason, definite := reasons(code)
	if !definite {
		return f.silence("%s: the operator answered %s %s", path, a.quote(code), a.quote(words))
	}
	return &carrier.Refusal{Reason: reason, Code: code, Text: a.quote(words)}
}

// reasons is the table of error codes. A code that is not in the document is
// judged by its family, and is not definite when the family is unknown too.
func reasons(code string) (r carrier.Reason, definite bool) {
	switch code {
	case "000001", "900001":
		return "", false
	case "000101", "000102", "101001", "101002", "101003":
		return carrier.Unauthorised, true
	case "200005", "200006":
		return carrier.PriceChanged, true
	case "200007":
		return carrier.NoBalance, true
	case "200008":
		return carrier.BadRequest, true
	case "200010":
		return carrier.StillInProgress, true
	case "310241", "310243":
		return carrier.PackageGone, true
	case "310272", "310403":
		return carrier.LineUnknown, true
	case "310201", "310211", "310221", "310231", "310251":
		return carrier.BadRequest, true // names of things that we never send
	}
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return "", false
	}
	switch {
	case strings.HasPrefix(code, "0001"): // header and parameters
		return carrier.BadRequest, true
	case strings.HasPrefix(code, "1010"): // authentication
		return carrier.Unauthorised, true
	case code[0] == '2' || code[0] == '3': // orders; things that do not exist
		return carrier.OperatorRefuses, true
	}
	return "", false
}

// wrongState reports whether code says that the line's state does not allow
// the request. What they answer about an ended line is not documented; it is
// one of these.
func wrongState(code string) bool { return code == "200002" || code == "200009" }

// quote makes the operator's words fit to be kept.
func (a *Adapter) quote(s string) string {
	return carrier.Quote(s, a.config.SecretKey, a.config.AccessCode)
}
