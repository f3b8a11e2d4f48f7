package cmi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
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
	return fmt.Errorf("%w: cmi: %s", kind, fmt.Sprintf(format, args...))
}

// ask asks with a token, and decodes the whole answer. Its errors are of the three
// kinds of [carrier.Carrier].
//
// A token that the operator no longer takes is replaced once. A question that could
// change something is not asked again with the new one, although nothing can have
// come of it: whoever called may do so.
func (a *Adapter) ask(ctx context.Context, f effect, what string, question map[string]any, answer any) error {
	for {
		token, fresh, err := a.token(ctx)
		if err != nil {
			return err
		}
		q := maps.Clone(question)
		q["accessToken"] = token
		stale, err := a.send(ctx, f, what, q, answer)
		if !stale {
			return err
		}
		a.tokens.Drop(token)
		switch {
		case fresh:
			return &carrier.Refusal{Reason: carrier.Unauthorised, Code: "token", Text: what + ": a new token is refused"}
		case f == changes:
			return fmt.Errorf("%w: cmi: %s: the token is no longer taken", carrier.ErrNotSent, what)
		}
	}
}

// send makes one signed request. stale says that it was turned away for its token.
func (a *Adapter) send(ctx context.Context, f effect, what string, question map[string]any, answer any) (stale bool, err error) {
	body, err := json.Marshal(question)
	if err != nil {
		return false, &carrier.Refusal{Reason: carrier.BadRequest, Text: a.quote(err.Error())}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.config.BaseURL+"/aep/"+what+"/v1", bytes.NewReader(body))
	if err != nil {
		return false, &carrier.Refusal{Reason: carrier.BadRequest, Text: a.quote(err.Error())}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	a.sign(r.Header)
	got, err := a.client.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return false, fmt.Errorf("%w: cmi: %s: %s", carrier.ErrNotSent, what, a.quote(err.Error()))
	case err != nil:
		return false, f.silence("%s: %s", what, a.quote(err.Error()))
	case got.Status == http.StatusTooManyRequests:
		return false, fmt.Errorf("%w: cmi: %s: too many requests", carrier.ErrNotSent, what)
	}
	return a.open(f, what, got, answer)
}

// envelope is in every answer. The text has three names.
type envelope struct {
	Code        text `json:"code"`
	Description text `json:"description"`
	Msg         text `json:"msg"`
	Misspelt    text `json:"decsription"`
}

func (e envelope) words() string { return string(e.Description + e.Msg + e.Misspelt) }

// open decodes a yes, and makes a refusal or silence of everything else. What has no
// code of the operator's is not the operator's.
func (a *Adapter) open(f effect, what string, got outbound.Answer, answer any) (stale bool, err error) {
	var e envelope
	if err := json.Unmarshal(got.Body, &e); err != nil || e.Code == "" {
		return false, f.silence("%s: HTTP status %d: the answer has no code", what, got.Status)
	}
	ok := got.Status >= http.StatusOK && got.Status < http.StatusMultipleChoices
	if e.Code == "0000000" || e.Code == "0" {
		if !ok {
			return false, f.silence("%s: HTTP status %d, and a yes", what, got.Status)
		}
		if err := json.Unmarshal(got.Body, answer); err != nil {
			return false, f.silence("%s: cannot read the answer: %s", what, a.quote(err.Error()))
		}
		return false, nil
	}
	if got.Status >= http.StatusInternalServerError {
		return false, f.silence("%s: HTTP status %d: %s %s", what, got.Status, a.quote(string(e.Code)), a.quote(e.words()))
	}
	switch reason, says := reasons(string(e.Code)); says {
	case no:
		return false, &carrier.Refusal{Reason: reason, Code: string(e.Code), Text: a.quote(e.words())}
	case badToken:
		return true, nil
	case busy:
		return false, fmt.Errorf("%w: cmi: %s: %s %s", carrier.ErrNotSent, what, string(e.Code), a.quote(e.words()))
	case nothing:
	}
	return false, f.silence("%s: the operator answered %s %s", what, a.quote(string(e.Code)), a.quote(e.words()))
}

// meaning is what a code says about the request.
type meaning int

const (
	nothing  meaning = iota // it may or may not have been carried out
	no                      // it was not, for a reason
	badToken                // it was not looked at: its token is over
	busy                    // it was not looked at: there are too many
)

// codes is the table of the operator's codes, as far as they can answer what we ask.
//
// 1000154 and 1000162 say that an order of ours with the same transaction code is
// being carried out, or was: of the request that is a no, and of the order it says
// that somebody must look. So they are in no row, nor is what is about the platform
// itself: 1000024 to 1000027, 1000046, 1000047, 1000052, 1000059, 1000134 to 1000139,
// 1000176, 2000000 to 2000006, 9000001 to 9000003, 9999999. A code that is not in the
// document is none of the definite ones either.
var codes = map[carrier.Reason]string{
	carrier.Unauthorised: "1000000 1000001 1000002 1000003 1000004 1000006 1000017 1000019 1000051 1000054 1000055 1000140 1000174",
	carrier.BadRequest:   "1000005 1000007 1000083 1000087 1000095 1000107 1000164 1000201",
	carrier.LineUnknown: "1000012 1000013 1000014 1000053 1000065 1000073 1000076 1000086 1000088 1000101 1000115 1000156 1000167 " +
		"1000175",
	carrier.LineEnded:     "1000056",
	carrier.LineTerminal:  "1000062",
	carrier.LineNotActive: "1000010 1000029 1000031 1000094 1000153",
	carrier.PackageGone: "1000015 1000058 1000069 1000096 1000097 1000105 1000132 1000150 1000151 1000152 1000158 1000159 1000160 " +
		"1000163 1000172",
	carrier.NoBalance: "1000103",
	carrier.OperatorRefuses: "1000028 1000030 1000034 1000035 1000038 1000039 1000040 1000041 1000042 1000043 1000044 1000045 1000060 " +
		"1000077 1000079 1000081 1000089 1000099 1000100 1000102 1000116 1000127 1000161 1000166",
}

func reasons(code string) (carrier.Reason, meaning) {
	switch code {
	case "1000008", "1000009":
		return "", badToken
	case "9000004":
		return "", busy
	}
	if len(code) != 7 {
		return "", nothing
	}
	for reason, all := range codes {
		if strings.Contains(all, code) {
			return reason, no
		}
	}
	return "", nothing
}

// quote makes the operator's words fit to be kept.
func (a *Adapter) quote(s string) string {
	return carrier.Quote(s, a.config.AppSecret, a.config.AppKey, a.tokens.Kept(a.now()))
}
