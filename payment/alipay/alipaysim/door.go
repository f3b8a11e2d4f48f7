package alipaysim

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	gatewayPath = "/gateway.do"
	bodyMax     = 64 << 10
	drift       = 10 * time.Minute
)

// publicParameters are those beside biz_content's.
var publicParameters = []string{
	"app_id", "method", "format", "charset", "sign_type", "sign", "timestamp", "version",
	"notify_url", "return_url", "biz_content", "alipay_sdk",
}

// call is a request to the gateway that was found good.
type call struct {
	*method
	params   url.Values
	content  content
	signedAt time.Time
}

// ServeHTTP is the gateway, and what a bill_download_url leads to.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == downloadPath {
		s.serveBill(w, r)
		return
	}
	if r.URL.Path != gatewayPath {
		http.NotFound(w, r)
		return
	}
	params, alien, err := readForm(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.enter()
	defer s.mu.Unlock()
	if isLink(params) {
		s.serveLink(w, r, params, alien)
		return
	}
	name, a := s.answer(params, alien)
	if a.broken {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	_, _ = io.WriteString(w, envelope(name, a)) // the caller has left; that is their affair
}

// readForm reads the parameters from address and body. alien is set if the body
// is read as GBK for want of a charset in the address, and it makes a
// difference.
func readForm(w http.ResponseWriter, r *http.Request) (params url.Values, alien bool, err error) {
	params, err = url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, false, err
	}
	switch r.Method {
	case http.MethodGet:
		return params, false, nil
	case http.MethodPost:
	default:
		return nil, false, errors.New("GET or POST")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, false, errors.New("only application/x-www-form-urlencoded is simulated")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		return nil, false, err
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, false, err
	}
	known := params.Has("charset")
	for name, values := range form {
		for _, v := range values {
			params.Add(name, v)
			alien = alien || !known && strings.ContainsFunc(v, func(c rune) bool { return c > 0x7f })
		}
	}
	return params, alien, nil
}

// reply is what a call is answered with.
type reply struct {
	body   object
	sign   string // "" for none
	broken bool   // HTTP 500 instead
}

func envelope(name string, a reply) string {
	text := `{"` + name + `":` + a.body.text()
	if a.sign != "" {
		text += `,"sign":"` + a.sign + `"`
	}
	return text + "}"
}

// answer carries a call out and returns the name of the answer's member.
func (s *Sim) answer(params url.Values, alien bool) (name string, a reply) {
	m, bad := findMethod(params)
	if bad != nil {
		return "error_response", s.fail(bad)
	}
	name = strings.ReplaceAll(m.name, ".", "_") + "_response"
	c, bad := s.check(m, params, alien)
	if bad != nil {
		return name, s.fail(bad)
	}
	trouble := s.nextTrouble(m)
	if bad := trouble.before(m); bad != nil {
		return name, s.fail(bad)
	}
	if trouble == BreaksBefore {
		return name, reply{broken: true}
	}
	body, bad := m.act(s, c)
	if bad == nil {
		bad = trouble.after()
	}
	if bad != nil {
		return name, s.fail(bad)
	}
	a = reply{body: append(object{{"code", "10000"}, {"msg", "Success"}}, body...)}
	a.sign = sign(s.cfg.AlipayKey, a.body.text())
	switch trouble {
	case BreaksAfter:
		a.broken = true
	case Missigned:
		a.sign = s.strangersSign()
	case BreaksBefore, UnknownAfter, UnknownBefore, SystemAfter, SystemBefore, Limited, Poor, "":
	}
	return name, a
}

func (s *Sim) fail(f *failure) reply {
	a := reply{body: object{{"code", f.code}, {"msg", f.msg}, {"sub_code", f.sub}, {"sub_msg", f.detail}}}
	if unsigned := s.cfg.UnsignedFailures; !f.ours && unsigned != nil && !*unsigned {
		a.sign = sign(s.cfg.AlipayKey, a.body.text())
	}
	return a
}

// nextTrouble takes the next trouble if the call could change something.
func (s *Sim) nextTrouble(m *method) (t Trouble) {
	if m.changes && len(s.upset) > 0 {
		t, s.upset = s.upset[0], s.upset[1:]
	}
	return t
}

// before is what goes wrong before anything was done.
func (t Trouble) before(m *method) *failure {
	switch t {
	case UnknownBefore:
		return &failure{code: "20000", msg: "Service Currently Unavailable", sub: "aop.unknow-error", detail: "the gateway does not know"}
	case SystemBefore:
		return refused("ACQ.SYSTEM_ERROR", "system error")
	case Limited:
		return &failure{code: "40005", msg: "Call Limited", sub: "isv.app-call-limited", detail: "too many calls"}
	case Poor:
		if m.name == "alipay.trade.refund" {
			return refused("ACQ.SELLER_BALANCE_NOT_ENOUGH", "the seller's balance does not cover it")
		}
	case BreaksAfter, BreaksBefore, UnknownAfter, SystemAfter, Missigned, "":
	}
	return nil
}

// after is what is said instead of success although all was done.
func (t Trouble) after() *failure {
	switch t {
	case UnknownAfter:
		return &failure{code: "20000", msg: "Service Currently Unavailable", sub: "isp.unknow-error", detail: "the system behind does not know"}
	case SystemAfter:
		return refused("ACQ.SYSTEM_ERROR", "system error")
	case BreaksAfter, BreaksBefore, UnknownBefore, SystemBefore, Limited, Missigned, Poor, "":
	}
	return nil
}

func findMethod(params url.Values) (*method, *failure) {
	if params.Get("method") == "" {
		return nil, missing("isv.missing-method", "method")
	}
	for _, m := range methods() {
		if m.name == params.Get("method") {
			return &m, nil
		}
	}
	return nil, illegal("isv.invalid-method", params.Get("method"))
}

// check looks at everything about a request that can be seen without knowing
// any trade, in the gateway's order: who asks comes before the signature, all
// else after it.
func (s *Sim) check(m *method, params url.Values, alien bool) (call, *failure) {
	c := call{method: m, params: params}
	switch signature := params.Get("sign"); {
	case params.Get("app_id") == "":
		return c, missing("isv.missing-app-id", "app_id")
	case params.Get("app_id") != s.cfg.AppID:
		return c, illegal("isv.invalid-app-id", "no such app_id, or it is not online")
	case params.Get("sign_type") == "":
		return c, missing("isv.missing-signature-type", "sign_type")
	case params.Get("sign_type") != "RSA2":
		return c, illegal("isv.invalid-signature-type", "RSA2 only")
	case signature == "":
		return c, missing("isv.missing-signature", "sign")
	case !isUTF8(params.Get("charset")):
		return c, illegal("isv.invalid-charset", "only UTF-8 is simulated")
	case alien:
		return c, illegal("isv.invalid-signature", "the body was read as GBK: put charset into the address, not into the body")
	case !verifies(s.cfg.MerchantKey, signedText(params, "sign"), signature):
		return c, illegal("isv.invalid-signature", "the text to be signed is: "+signedText(params, "sign"))
	}
	if bad := s.checkPublic(&c); bad != nil {
		return c, bad
	}
	var bad *failure
	c.content, bad = readContent(params.Get("biz_content"), m.fields)
	if bad != nil && bad.code == "40004" && m.invalid != "" {
		bad.sub = m.invalid
	}
	return c, bad
}

func isUTF8(charset string) bool { return strings.EqualFold(charset, "utf-8") }

func (s *Sim) checkPublic(c *call) *failure {
	for name, values := range c.params {
		if len(values) > 1 {
			return illegal("isv.invalid-parameter", name+" comes twice")
		}
		if !slices.Contains(publicParameters, name) {
			return illegal("isv.invalid-parameter", name+" is not a public parameter")
		}
	}
	if format := c.params.Get("format"); format != "" && !strings.EqualFold(format, "JSON") {
		return illegal("isv.invalid-format", "JSON only")
	}
	switch c.params.Get("version") {
	case "1.0":
	case "":
		return missing("isv.missing-version", "version")
	default:
		return illegal("isv.invalid-parameter", "version is 1.0")
	}
	for _, name := range []string{"notify_url", "return_url"} {
		if v := c.params.Get(name); v != "" && (len(v) > 256 || !isAddress(v)) {
			return illegal("isv.invalid-parameter", name+" is not an absolute http or https address of at most 256 characters")
		}
	}
	if c.params.Get("return_url") != "" && !c.link {
		return illegal("isv.invalid-parameter", "return_url is for pages")
	}
	stamp := c.params.Get("timestamp")
	if stamp == "" {
		return missing("isv.missing-timestamp", "timestamp")
	}
	at, err := time.ParseInLocation(timeLayout, stamp, beijing)
	if err != nil {
		return illegal("isv.invalid-timestamp", "write it like "+timeLayout)
	}
	c.signedAt = at
	if off := s.now.Sub(at); off < -drift || off > drift && !c.link {
		return illegal("isv.invalid-timestamp", "it is now "+clock(s.now))
	}
	return nil
}

func isAddress(v string) bool {
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
