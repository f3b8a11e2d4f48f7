package paypay

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

// reply is what PayPay certainly said: a yes with its data, or a no.
type reply struct {
	data json.RawMessage
	no   string // the code of one that says no, "" else
}

// failure is a call that came back without PayPay's yes or no.
type failure struct {
	kind  error // payment.ErrUnknown or payment.ErrNotSent, for a call that may change something
	cause error // for the log, without anything PayPay wrote in free text
}

// acted is the error of a call that may have changed something.
func (f *failure) acted(call string) error {
	return fmt.Errorf("paypay: %s: %w: %w", call, f.kind, f.cause)
}

// as is the error of a question that was asked with a purpose: kind is
// ErrNotSent where it only looked, ErrUnknown after something may have changed.
func (f *failure) as(call string, kind error) error {
	return fmt.Errorf("paypay: %s: %w: %w", call, kind, f.cause)
}

// strange is the error of a whole answer that is not about what was asked. kind
// is as with [failure.as].
func strange(call string, kind error, why string) error {
	return fmt.Errorf("paypay: %s: %w: %w", call, kind, fault.New(fault.Internal, "%s", why))
}

// refused is the error of a question that PayPay does not answer.
func refused(call string, kind error, code string) error {
	return fmt.Errorf("paypay: %s: %w: PayPay says %s", call, kind, code)
}

// do makes one call, once. path is signed, query is not; body is nil for none.
func (a *Adapter) do(ctx context.Context, method, path, query string, body any) (reply, *failure) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return reply{}, &failure{payment.ErrNotSent, err}
		}
	}
	uri := a.config.BaseURL + path
	if query != "" {
		uri += "?" + query
	}
	r, err := http.NewRequestWithContext(ctx, method, uri, bytes.NewReader(text))
	if err != nil {
		return reply{}, &failure{payment.ErrNotSent, err}
	}
	r.Header.Set("Authorization", a.authorization(method, path, text))
	r.Header.Set("X-ASSUME-MERCHANT", a.config.MerchantID)
	r.Header.Set("Accept", "application/json")
	if text != nil {
		r.Header.Set("Content-Type", mediaType)
	}
	got, err := a.client.Do(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return reply{}, &failure{payment.ErrNotSent, err}
	case err != nil:
		return reply{}, &failure{payment.ErrUnknown, err}
	}
	return judge(got)
}

// judge sorts an answer.
func judge(got outbound.Answer) (reply, *failure) {
	var said struct {
		ResultInfo struct {
			Code string `json:"code"`
		} `json:"resultInfo"`
		Data json.RawMessage `json:"data"`
	}
	err := json.Unmarshal(got.Body, &said)
	code := said.ResultInfo.Code
	if err != nil || !isCode(code) {
		code = ""
	}
	cause := inShort(got, code)
	switch {
	case got.Status == http.StatusTooManyRequests,
		got.Status == http.StatusUnauthorized && code != userInactive,
		got.Status/100 == 4 && code == throttled:
		// Turned away at the door: too fast, or our key is wrong or may not.
		return reply{}, &failure{payment.ErrNotSent, cause}
	case code == "", got.Status/100 != 2 && got.Status/100 != 4:
		return reply{}, &failure{payment.ErrUnknown, cause}
	case got.Status/100 == 4:
		return reply{no: code}, nil
	case code != "SUCCESS":
		return reply{}, &failure{payment.ErrUnknown, cause}
	}
	return reply{data: said.Data}, nil
}

// inShort is what staff need to find the call in PayPay's own log. The message
// is left out: it may repeat what we or the customer wrote.
func inShort(got outbound.Answer, code string) error {
	s := fmt.Sprintf("status %d", got.Status)
	if code == "" {
		s += " without PayPay's words"
	} else {
		s += " " + code
	}
	if id := got.Header.Get("X-REQUEST-ID"); isName(id) {
		s += " request " + id
	}
	return errors.New(s)
}

const (
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters  = "abcdefghijklmnopqrstuvwxyz"
	digits   = "0123456789"
)

// isCode reports whether s looks like one of PayPay's words.
func isCode(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, capitals+digits+"_") == ""
}

// isName reports whether s looks like one of PayPay's identifiers.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, capitals+letters+digits+"_-") == ""
}
