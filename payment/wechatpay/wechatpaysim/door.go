package wechatpaysim

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Trouble is what goes wrong at WeChat with one call that could change
// something. What goes wrong on the way is package outboundsim's.
type Trouble string

// The troubles.
const (
	NoTrouble   Trouble = ""
	Outage      Trouble = "outage"       // 500 SYSTEM_ERROR; nothing done
	Unavailable Trouble = "unavailable"  // 503 SERVICE_UNAVAILABLE; nothing done
	Busy        Trouble = "busy"         // 429 FREQUENCY_LIMITED; nothing done
	BrokenAfter Trouble = "broken_after" // 500 SYSTEM_ERROR; done
	Missigned   Trouble = "missigned"    // done, and the answer's signature is a probe
	NotEnough   Trouble = "not_enough"   // 403 NOT_ENOUGH; waits for the next refund, which is not done
)

// Troubles are all troubles but NoTrouble, for tests that try each.
var Troubles = []Trouble{Outage, Unavailable, Busy, BrokenAfter, Missigned, NotEnough}

// Upset lets these troubles befall the next calls that could change something,
// one each. Whoever did not sign well uses none up.
func (s *Sim) Upset(troubles ...Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upset = append(s.upset, troubles...)
}

// LagReads lets queries show what was true that long ago.
func (s *Sim) LagReads(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = d
}

// seen is the instant that queries show.
func (s *Sim) seen() time.Time { return s.now.Add(-s.lag) }

// apiError is a refusal in WeChat's envelope.
type apiError struct {
	status                 int
	code, message          string
	field, issue, location string // the detail, if there is one
}

func (e *apiError) json() any {
	body := map[string]any{"code": e.code, "message": e.message}
	if e.field != "" {
		body["detail"] = map[string]any{"field": e.field, "issue": e.issue, "location": e.location}
	}
	return body
}

func invalid(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "INVALID_REQUEST", message: message}
}

func badQuery(field, issue string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "PARAM_ERROR", message: "parameter error", field: field, issue: issue, location: "query"}
}

// call is a request that is the merchant's.
type call struct {
	id     string // the number in its path
	origin string // what stood before its path
	query  url.Values
	body   []byte
}

type handler func(c *call) (status int, body any, e *apiError)

const bodyMax = 1 << 16

// ServeHTTP implements [http.Handler]: the API under /v3/, the customer's
// pages elsewhere.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/v3/") {
		s.servePage(w, r)
		return
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax)); err != nil {
			http.Error(w, "body too large or broken", http.StatusBadRequest)
			return
		}
	}
	status, header, answer := s.answer(r, body)
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the caller has left; that is their affair
}

func (s *Sim) answer(r *http.Request, body []byte) (int, http.Header, []byte) {
	s.enter()
	defer s.mu.Unlock()
	var out any
	var trouble Trouble
	status := 0
	e := s.authenticate(r, string(body))
	if e == nil {
		status, out, trouble, e = s.carryOut(r, body)
	}
	if trouble == BrokenAfter {
		e = systemError()
	}
	if e != nil {
		status, out = e.status, e.json()
	}
	h := http.Header{"Request-Id": {s.word("0123456789ABCDEF", 32) + "-0"}, "Server": {"nginx"}}
	var answer []byte
	if f, isFile := out.(file); isFile {
		h.Set("Content-Type", f.kind)
		return status, h, f.body
	}
	if out != nil {
		answer = render(out)
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	if status != http.StatusUnauthorized {
		s.autograph(h, s.now, answer)
	}
	if trouble == Missigned {
		spoil(h)
	}
	return status, h, answer
}

// carryOut lets an authentic request happen, unless something is wrong with it
// or with us.
func (s *Sim) carryOut(r *http.Request, body []byte) (status int, out any, t Trouble, e *apiError) {
	if e := s.rules(r, body); e != nil {
		return 0, nil, t, e
	}
	handle, id := s.route(r.Method, r.URL.Path)
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case handle == nil:
		return 0, nil, t, &apiError{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", message: "there is no such call"}
	case err != nil:
		return 0, nil, t, badQuery("", "not a query")
	}
	if r.Method == http.MethodPost {
		if len(query) > 0 {
			return 0, nil, t, badQuery("", "this call takes no query")
		}
		t = s.choose(strings.HasPrefix(r.URL.Path, "/v3/refund/"))
		if e := t.beforehand(); e != nil {
			return 0, nil, t, e
		}
	}
	status, out, e = handle(&call{id: id, origin: originOf(r), query: query, body: body})
	return status, out, t, e
}

// rules are those of every call.
func (s *Sim) rules(r *http.Request, body []byte) *apiError {
	accepts := slices.ContainsFunc(strings.Split(r.Header.Get("Accept"), ","), func(each string) bool {
		kind, _, err := mime.ParseMediaType(each)
		return err == nil && (kind == "application/json" || kind == "*/*")
	})
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	serial := r.Header.Get("Wechatpay-Serial")
	known := serial == "" || serial == s.cfg.PublicKeyID ||
		slices.ContainsFunc(s.certificates, func(c *certificate) bool { return c.serial == serial })
	switch {
	case !accepts && r.URL.Path != downloadPath:
		return invalid("the header Accept does not name application/json")
	case r.Method == http.MethodPost && kind != "application/json":
		return invalid("the header Content-Type does not say application/json")
	case r.Method == http.MethodGet && len(body) > 0:
		return invalid("a GET has no body")
	case !known:
		return &apiError{status: http.StatusBadRequest, code: "PARAM_ERROR", message: "parameter error", field: "Wechatpay-Serial", issue: "no such platform certificate or public key", location: "header"}
	}
	return nil
}

// route finds the call. {no} in a pattern is the number in the path.
func (s *Sim) route(method, path string) (handler, string) {
	for _, rt := range []struct {
		method, before, after string
		handle                handler
	}{
		{http.MethodPost, "/v3/pay/transactions/native", "", s.place(native)},
		{http.MethodPost, "/v3/pay/transactions/h5", "", s.place(mweb)},
		{http.MethodPost, "/v3/pay/transactions/jsapi", "", s.place(jsapi)},
		{http.MethodGet, "/v3/pay/transactions/out-trade-no/{no}", "", s.queryByRef},
		{http.MethodGet, "/v3/pay/transactions/id/{no}", "", s.queryByTrade},
		{http.MethodPost, "/v3/pay/transactions/out-trade-no/{no}", "/close", s.close},
		{http.MethodPost, "/v3/refund/domestic/refunds", "", s.refund},
		{http.MethodGet, "/v3/refund/domestic/refunds/{no}", "", s.queryRefund},
		{http.MethodGet, "/v3/certificates", "", s.listCertificates},
		{http.MethodGet, "/v3/bill/tradebill", "", s.applyTradeBill},
		{http.MethodGet, "/v3/bill/fundflowbill", "", s.applyFundBill},
		{http.MethodGet, downloadPath, "", s.fetchBill},
	} {
		before, numbered := strings.CutSuffix(rt.before, "{no}")
		rest, fits := strings.CutPrefix(path, before)
		number, ends := strings.CutSuffix(rest, rt.after)
		if rt.method == method && fits && ends && numbered == (number != "") && !strings.Contains(number, "/") {
			return rt.handle, number
		}
	}
	return nil, ""
}

// choose says what goes wrong with this call.
func (s *Sim) choose(refund bool) Trouble {
	if len(s.upset) == 0 || s.upset[0] == NotEnough && !refund {
		return NoTrouble
	}
	t := s.upset[0]
	s.upset = s.upset[1:]
	return t
}

// beforehand is the answer of a trouble that lets nothing happen.
func (t Trouble) beforehand() *apiError {
	switch t {
	case Outage:
		return systemError()
	case Unavailable:
		return &apiError{status: http.StatusServiceUnavailable, code: "SERVICE_UNAVAILABLE", message: "try again later"}
	case Busy:
		return tooOften("too many calls")
	case NotEnough:
		return &apiError{status: http.StatusForbidden, code: "NOT_ENOUGH", message: "the merchant's balance does not cover the refund"}
	case NoTrouble, BrokenAfter, Missigned:
	}
	return nil
}

func systemError() *apiError {
	return &apiError{status: http.StatusInternalServerError, code: "SYSTEM_ERROR", message: "system error, call again with the same parameters"}
}

func tooOften(message string) *apiError {
	return &apiError{status: http.StatusTooManyRequests, code: "FREQUENCY_LIMITED", message: message}
}

func (s *Sim) listCertificates(c *call) (int, any, *apiError) {
	if kind := c.query["algorithm_type"]; len(c.query) > 1 || len(c.query) == 1 && !slices.Equal(kind, []string{"RSA"}) {
		return 0, nil, badQuery("algorithm_type", "this call takes algorithm_type=RSA or nothing")
	}
	if len(s.certificates) == 0 {
		return 0, nil, &apiError{status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", message: "there is no platform certificate; this merchant uses the WeChat Pay public key"}
	}
	var all []any
	for _, each := range s.certificates {
		all = append(all, map[string]any{
			"serial_no": each.serial, "effective_time": stamp(each.startsAt), "expire_time": stamp(each.endsAt),
			"encrypt_certificate": s.seal(s.cfg.APIv3Key, "certificate", each.pem),
		})
	}
	return http.StatusOK, map[string]any{"data": all}, nil
}

// render writes JSON in one line, with & and < as they are.
func render(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("wechatpaysim: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
