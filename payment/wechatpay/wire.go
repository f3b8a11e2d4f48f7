package wechatpay

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

// reply is a signed answer.
type reply struct {
	status int
	body   []byte // of an answer that says yes
	no     string // the code of one that says no, "" else
}

// failure is a call that came back without an answer of WeChat Pay's.
type failure struct {
	kind  error // payment.ErrUnknown or payment.ErrNotSent, for a call that may change something
	cause error // for the log, without anything WeChat Pay wrote in free text
}

// acted is the error of a call that may have changed something.
func (f *failure) acted(call string) error {
	return fmt.Errorf("wechatpay: %s: %w: %w", call, f.kind, f.cause)
}

// unread is the error of a call that only looked.
func (f *failure) unread(call string) error {
	return fmt.Errorf("wechatpay: %s: %w: %w", call, payment.ErrNotSent, f.cause)
}

// strange is the error of a signed answer that is not about what was asked.
// kind is ErrUnknown where the call may have changed something.
func strange(call string, kind error, why string) error {
	return fmt.Errorf("wechatpay: %s: %w: %w", call, kind, fault.New(fault.Internal, "%s", why))
}

// refused is the error of a question that WeChat Pay does not answer.
func refused(call, code string) error {
	return fmt.Errorf("wechatpay: %s: %w: WeChat Pay says %s", call, payment.ErrNotSent, code)
}

// do makes one call, once, and returns an answer that is WeChat Pay's own.
func (a *Adapter) do(ctx context.Context, method, uri string, body any) (reply, *failure) {
	if err := a.ring.ready(ctx); err != nil {
		return reply{}, &failure{payment.ErrNotSent, err}
	}
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return reply{}, &failure{payment.ErrNotSent, err}
		}
	}
	got, f := a.send(ctx, method, uri, text)
	if f != nil {
		return reply{}, f
	}
	if got.Status == http.StatusUnauthorized || got.Status == http.StatusTooManyRequests {
		// Turned away at the door: our signature is wrong, or we are too fast.
		// To whom it does not know WeChat Pay signs nothing.
		return reply{}, &failure{payment.ErrNotSent, fmt.Errorf("status %d", got.Status)}
	}
	if err := a.verify(ctx, got.Header, got.Body); err != nil {
		return reply{}, &failure{payment.ErrUnknown, fmt.Errorf("status %d: %w", got.Status, err)}
	}
	if got.Status/100 == 2 {
		return reply{status: got.Status, body: got.Body}, nil
	}
	return judge(got)
}

// send makes one call and returns whatever came back.
func (a *Adapter) send(ctx context.Context, method, uri string, body []byte) (outbound.Answer, *failure) {
	r, err := http.NewRequestWithContext(ctx, method, a.base+uri, bytes.NewReader(body))
	if err != nil {
		return outbound.Answer{}, &failure{payment.ErrNotSent, err}
	}
	auth, err := a.authorization(method, r.URL.RequestURI(), body)
	if err != nil {
		return outbound.Answer{}, &failure{payment.ErrNotSent, err}
	}
	r.Header.Set("Authorization", auth)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Tsuzuku") // a request without one is refused
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.config.PublicKeyID != "" {
		r.Header.Set("Wechatpay-Serial", a.config.PublicKeyID) // asks for an answer signed with it
	}
	got, err := a.client.Do(ctx, r)
	if errors.Is(err, outbound.ErrNotSent) {
		return got, &failure{payment.ErrNotSent, err}
	}
	if err != nil {
		return got, &failure{payment.ErrUnknown, err}
	}
	return got, nil
}

// judge sorts a signed answer that says no.
func judge(got outbound.Answer) (reply, *failure) {
	var said struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(got.Body, &said); err != nil || !isCode(said.Code) {
		return reply{}, &failure{payment.ErrUnknown, fmt.Errorf("status %d without a code", got.Status)}
	}
	cause := fmt.Errorf("status %d %s", got.Status, said.Code)
	switch {
	case got.Status/100 != 4, is(said.Code, "SYSTEMERROR", "BANKERROR"):
		return reply{}, &failure{payment.ErrUnknown, cause}
	case is(said.Code, "FREQUENCYLIMITED", "FREQUENCYLIMIT", "FREQUENCYLIMITEXCEED", "RATELIMITEXCEED", "RATELIMITEXCEEDED", "SIGNERROR"):
		return reply{}, &failure{payment.ErrNotSent, cause}
	}
	return reply{status: got.Status, no: said.Code}, nil
}

// is reports whether code is one of families. WeChat Pay spells its codes with
// and without underscores, and not everywhere alike.
func is(code string, families ...string) bool {
	bare := strings.ReplaceAll(code, "_", "")
	for _, f := range families {
		if bare == f {
			return true
		}
	}
	return false
}

func isCode(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}
