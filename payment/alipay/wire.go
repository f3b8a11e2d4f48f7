package alipay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// The methods that open an order; what happens to it is told to our webhook.
const (
	pagePay   = "alipay.trade.page.pay"
	wapPay    = "alipay.trade.wap.pay"
	precreate = "alipay.trade.precreate"
)

// reply is what Alipay certainly said: its signature was good.
type reply struct {
	no   string          // the business's definite no, an ACQ code; "" for success
	body json.RawMessage // the signed member
}

// act makes a call that may change something. Its error wraps
// [payment.ErrUnknown] or [payment.ErrNotSent].
func (a *Adapter) act(ctx context.Context, method string, content any) (reply, error) {
	r, kind, cause := a.ask(ctx, method, content)
	if cause != nil {
		return r, fmt.Errorf("alipay: %s: %w: %w", method, kind, cause)
	}
	return r, nil
}

// read makes a call that only looks. Its error wraps [payment.ErrNotSent].
func (a *Adapter) read(ctx context.Context, method string, content any) (reply, error) {
	r, _, cause := a.ask(ctx, method, content)
	if cause != nil {
		return r, fmt.Errorf("alipay: %s: %w: %w", method, payment.ErrNotSent, cause)
	}
	return r, nil
}

// ask makes one call. cause is nil if Alipay answered with a yes or a no; else
// kind says what became of the call.
func (a *Adapter) ask(ctx context.Context, method string, content any) (r reply, kind, cause error) {
	params, err := a.params(method, content, a.now())
	if err == nil {
		err = a.sign(params)
	}
	if err != nil {
		return r, payment.ErrNotSent, err
	}
	// The body is read as GBK unless the address says otherwise.
	form := formOf(params)
	form.Del("charset")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.gateway+"?charset=utf-8", strings.NewReader(form.Encode()))
	if err != nil {
		return r, payment.ErrNotSent, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	got, err := a.client.Do(ctx, request)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return r, payment.ErrNotSent, err
	case err != nil:
		return r, payment.ErrUnknown, err
	case got.Status == http.StatusTooManyRequests:
		return r, payment.ErrNotSent, errors.New("too many requests")
	case got.Status != http.StatusOK:
		return r, payment.ErrUnknown, fmt.Errorf("status %d", got.Status)
	}
	return a.judge(method, got.Body)
}

// params are the parameters of a call or link, not signed yet.
func (a *Adapter) params(method string, content any, at time.Time) (map[string]string, error) {
	biz, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	params := map[string]string{
		"app_id":      a.appID,
		"method":      method,
		"format":      "JSON",
		"charset":     "utf-8",
		"sign_type":   "RSA2",
		"timestamp":   at.In(china).Format(stamp),
		"version":     "1.0",
		"biz_content": string(biz),
	}
	switch method {
	case pagePay, wapPay, precreate:
		params["notify_url"] = a.notify
	}
	return params, nil
}

func formOf(params map[string]string) url.Values {
	form := url.Values{}
	for k, v := range params {
		form.Set(k, v)
	}
	return form
}

// judge sorts the answer to a call (https://opendocs.alipay.com/common/02km9f).
func (a *Adapter) judge(method string, body []byte) (r reply, kind, cause error) {
	text, signature, err := member(method, body)
	if err != nil {
		return r, payment.ErrUnknown, err
	}
	var said struct {
		Code    string `json:"code"`
		SubCode string `json:"sub_code"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return r, payment.ErrUnknown, errors.New("an answer that makes no sense")
	}
	code := brief(said.Code + " " + said.SubCode)
	switch {
	case signature == "" && said.SubCode == noTrade: // as Alipay says of every link that nobody has opened
		return r, payment.ErrUnknown, fmt.Errorf("%w: without signature: %w", payment.ErrUnproven, coded(code))
	case signature == "":
		return r, payment.ErrUnknown, fmt.Errorf("an answer without signature: %w", coded(code))
	case !a.signedAnswer(text, signature):
		return r, payment.ErrUnknown, errors.New("an answer whose signature is not Alipay's")
	}
	r.body = text
	switch said.Code {
	case "10000":
		return r, nil, nil
	case "40004":
		if definite(said.SubCode) {
			r.no = brief(said.SubCode)
			return r, nil, nil
		}
	case "20001", "40001", "40002", "40003", "40005", "40006":
		// Turned away at the gate: no permission, a parameter it does not take,
		// or too fast.
		return r, payment.ErrNotSent, coded(code)
	}
	return r, payment.ErrUnknown, coded(code)
}

// coded is a refusal that is no definite no about a trade: Alipay's codes.
type coded string

func (c coded) Error() string { return string(c) }

// member finds the signed text of an answer, byte for byte, and its signature.
func member(method string, body []byte) (text json.RawMessage, signature string, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, "", errors.New("an answer that is not whole")
	}
	text, ok := all[strings.ReplaceAll(method, ".", "_")+"_response"]
	if !ok {
		if text, ok = all["error_response"]; !ok {
			return nil, "", errors.New("an answer to another call")
		}
	}
	if sig, ok := all["sign"]; ok {
		if err := json.Unmarshal(sig, &signature); err != nil {
			return nil, "", errors.New("an answer whose signature is no text")
		}
	}
	return text, signature, nil
}

// brief lets through what a code of Alipay's may look like, and no more.
func brief(code string) string {
	code = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("._- ", r) {
			return r
		}
		return -1
	}, code)
	return strings.TrimSpace(code[:min(len(code), 80)])
}

// strange is the error of a signed answer that is not about what was asked.
// kind is ErrUnknown where the call may have changed something.
func strange(call string, kind error, why string) error {
	return fmt.Errorf("alipay: %s: %w: %w", call, kind, fault.New(fault.Internal, "%s", why))
}
