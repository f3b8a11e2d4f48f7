package linepay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// question is one request to LINE Pay's API.
type question struct {
	method, path string
	query        string // of a GET, without a question mark
	body         any    // of a POST
}

// answer is LINE Pay's envelope. Its message is not read: it says in free text
// what the code says.
type answer struct {
	Code string          `json:"returnCode"`
	Info json.RawMessage `json:"info"`
}

// failure is a call that came back without LINE Pay's word on what was asked.
type failure struct {
	kind  error // payment.ErrUnknown or payment.ErrNotSent, for a call that may change something
	cause error // for the log, without anything LINE Pay wrote in free text
}

// acted is the error of a call that may have changed something.
func (f *failure) acted(call string) error {
	return fmt.Errorf("linepay: %s: %w: %w", call, f.kind, f.cause)
}

// unread is the error of a call that only looked.
func (f *failure) unread(call string) error {
	return fmt.Errorf("linepay: %s: %w: %w", call, payment.ErrNotSent, f.cause)
}

// strange is the error of a whole answer that is not about what was asked. kind
// is ErrUnknown where the call may have changed something.
func strange(call string, kind error, why string) error {
	return fmt.Errorf("linepay: %s: %w: %w", call, kind, fault.New(fault.Internal, "%s", why))
}

// ask makes one call, once. LINE Pay answers with status 200 whatever it says.
func (a *Adapter) ask(ctx context.Context, q question) (answer, *failure) {
	var body []byte
	if q.body != nil {
		var err error
		if body, err = json.Marshal(q.body); err != nil {
			return answer{}, &failure{payment.ErrNotSent, err}
		}
	}
	got, err := a.send(ctx, q, body)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return answer{}, &failure{payment.ErrNotSent, err}
	case err != nil:
		return answer{}, &failure{payment.ErrUnknown, err}
	case got.Status == http.StatusTooManyRequests, got.Status == http.StatusUnauthorized, got.Status == http.StatusForbidden:
		// Turned away at the door: too fast, or our address is not registered.
		return answer{}, &failure{payment.ErrNotSent, fmt.Errorf("status %d", got.Status)}
	case got.Status != http.StatusOK:
		return answer{}, &failure{payment.ErrUnknown, fmt.Errorf("status %d", got.Status)}
	}
	return judge(got.Body, q.method == http.MethodPost)
}

func (a *Adapter) send(ctx context.Context, q question, body []byte) (outbound.Answer, error) {
	address, payload := a.base+q.path, string(body)
	if q.method == http.MethodGet {
		payload = q.query
		if q.query != "" {
			address += "?" + q.query
		}
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, bytes.NewReader(body))
	if err != nil {
		return outbound.Answer{}, fmt.Errorf("%w: %w", outbound.ErrNotSent, err)
	}
	nonce := uuid(a.nonce())
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-LINE-ChannelId", a.config.ChannelID)
	r.Header.Set("X-LINE-Authorization-Nonce", nonce)
	r.Header.Set("X-LINE-Authorization", sign(a.config.ChannelSecret, q.path, payload, nonce))
	return a.client.Do(ctx, r)
}

// judge reads the envelope, and sorts out the codes that are no answer to what
// was asked. acts says that it was asked to change something.
func judge(body []byte, acts bool) (answer, *failure) {
	var got answer
	if err := json.Unmarshal(body, &got); err != nil || len(got.Code) != 4 || !digits(got.Code) {
		return answer{}, &failure{payment.ErrUnknown, errors.New("an answer that makes no sense")}
	}
	switch meaningOf(got.Code, acts) {
	case atTheDoor:
		return answer{}, &failure{payment.ErrNotSent, fmt.Errorf("LINE Pay says %s", got.Code)}
	case undecided:
		return answer{}, &failure{payment.ErrUnknown, fmt.Errorf("LINE Pay says %s", got.Code)}
	case said:
	}
	return got, nil
}

// fine is the code of a call that did what it was asked to.
const fine = "0000"

// identifier is LINE Pay's name of a transaction: 19 digits, which no float64
// holds. It is a number on the wire; texts are taken too.
type identifier string

// UnmarshalJSON implements [json.Unmarshaler].
func (id *identifier) UnmarshalJSON(b []byte) error {
	s := string(bytes.Trim(b, `"`))
	if s == "null" {
		return nil
	}
	if !transaction(s) {
		return errors.New("linepay: not a transaction's identifier")
	}
	*id = identifier(s)
	return nil
}

// transaction reports whether s can name a transaction at LINE Pay.
func transaction(s string) bool { return digits(s) && len(s) <= 32 && s[0] != '0' }
