package antom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// status is the result of a call: the three words of Antom's.
type status string

// The words. In the answer to a question they speak about the question only.
const (
	yes     status = "S"
	no      status = "F"
	perhaps status = "U"
)

// reply is what Antom certainly said: its signature was good.
type reply struct {
	status status
	code   string
	body   json.RawMessage
}

// failure is a call that came back without Antom's word.
type failure struct {
	kind  error // payment.ErrUnknown or payment.ErrNotSent, for a call that may change something
	cause error // for the log, without anything Antom wrote in free text
}

// as is the error of a call: kind is what it came to.
func (f *failure) as(call string, kind error) error {
	return fmt.Errorf("antom: %s: %w: %w", call, kind, f.cause)
}

// acted is the error of a call that may have changed something.
func (f *failure) acted(call string) error { return f.as(call, f.kind) }

// said is the error of a signed answer that is not enough. kind is ErrUnknown
// where the call may have changed something.
func (r reply) said(call string, kind error) error {
	return fmt.Errorf("antom: %s: %w: Antom says %s %s", call, kind, r.status, r.code)
}

// strange is the error of a signed answer that is not about what was asked.
func strange(call string, kind error, why string) error {
	return fmt.Errorf("antom: %s: %w: %w", call, kind, fault.New(fault.Internal, "%s", why))
}

// do makes one call, once. end is the last part of its path.
func (a *Adapter) do(ctx context.Context, end string, content any) (reply, *failure) {
	body, err := json.Marshal(content)
	if err != nil {
		return reply{}, &failure{payment.ErrNotSent, err}
	}
	path := a.root + end
	stamp := strconv.FormatInt(a.now().UnixMilli(), 10)
	signature, err := a.signature(textOf(path, a.clientID, stamp, body))
	if err != nil {
		return reply{}, &failure{payment.ErrNotSent, err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.gateway+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, &failure{payment.ErrNotSent, err}
	}
	request.Header.Set("Content-Type", "application/json; charset=UTF-8")
	request.Header.Set("Client-Id", a.clientID)
	request.Header.Set("Request-Time", stamp)
	request.Header.Set("Signature", signature)
	got, err := a.client.Do(ctx, request)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return reply{}, &failure{payment.ErrNotSent, err}
	case err != nil:
		return reply{}, &failure{payment.ErrUnknown, err}
	}
	return a.judge(path, got)
}

// judge sorts an answer. Nothing in it is read before its signature is good.
func (a *Adapter) judge(path string, got outbound.Answer) (reply, *failure) {
	switch {
	case got.Status == http.StatusTooManyRequests:
		return reply{}, &failure{payment.ErrNotSent, errors.New("too many requests")}
	case got.Status != http.StatusOK:
		return reply{}, &failure{payment.ErrUnknown, fmt.Errorf("status %d", got.Status)}
	}
	if err := a.verify(got.Header, "Response-Time", path, got.Body); err != nil {
		return reply{}, &failure{payment.ErrUnknown, fmt.Errorf("an answer that counts for nothing: %w", err)}
	}
	return wordOf(got.Body)
}

// wordOf reads the result in a body whose signature was good.
func wordOf(body []byte) (reply, *failure) {
	var said struct {
		Result struct {
			Status status `json:"resultStatus"`
			Code   string `json:"resultCode"`
		} `json:"result"`
	}
	if err := json.Unmarshal(body, &said); err != nil || !isCode(said.Result.Code) {
		return reply{}, &failure{payment.ErrUnknown, errors.New("an answer without a result")}
	}
	r := reply{said.Result.Status, said.Result.Code, body}
	switch r.status {
	case yes, perhaps:
		return r, nil
	case no:
		if turnedAway[r.code] {
			return reply{}, &failure{payment.ErrNotSent, errors.New(r.code)}
		}
		return r, nil
	}
	return reply{}, &failure{payment.ErrUnknown, errors.New("a result in no word we know")}
}

const (
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters  = "abcdefghijklmnopqrstuvwxyz"
	digits   = "0123456789"
)

// isCode reports whether s looks like one of Antom's codes.
func isCode(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, capitals+digits+"_") == ""
}

// isName reports whether s looks like one of Antom's identifiers, which have 64
// characters at most.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, capitals+letters+digits+"_-") == ""
}
