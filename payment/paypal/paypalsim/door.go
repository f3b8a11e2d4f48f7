package paypalsim

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Trouble is what goes wrong with one call that could change something.
type Trouble string

// The troubles.
const (
	ActsThenBreaks Trouble = "acts_then_breaks" // carried out, answered with 500
	Breaks         Trouble = "breaks"           // 500, nothing happened
	Unavailable    Trouble = "unavailable"      // 503, nothing happened
	Busy           Trouble = "busy"             // 429, nothing happened
	InProgress     Trouble = "in_progress"      // 409: an earlier call is said to be under way; nothing happened
	TokenGone      Trouble = "token_gone"       // the access token ends before its time: 401, nothing happened
)

// Troubles are all of them, for tests that try each.
var Troubles = []Trouble{ActsThenBreaks, Breaks, Unavailable, Busy, InProgress, TokenGone}

// Upset lets the next calls that could change something go wrong, one each.
// Token requests are not among them.
func (s *Sim) Upset(troubles ...Trouble) {
	s.enter()
	defer s.mu.Unlock()
	s.upset = append(s.upset, troubles...)
}

// bodyMax is the longest body that is read, in bytes.
const bodyMax = 1 << 20

// answer is what a call is answered with.
type answer struct {
	status int
	kind   string // the media type
	body   []byte
}

func say(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // made of strings and numbers only
	}
	return answer{status, "application/json", body}
}

// ServeHTTP is the API.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	s.enter()
	a := s.answer(r, body)
	if err != nil {
		a = s.refuse(bad("MALFORMED_REQUEST_JSON", "/", ""))
	}
	debug := s.newID(hexLetters, 13)
	s.mu.Unlock()
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Paypal-Debug-Id", debug)
	if a.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	if a.status == http.StatusNoContent {
		w.Header().Del("Content-Type")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller has left; that is their affair
}

func (s *Sim) answer(r *http.Request, body []byte) answer {
	path := r.URL.Path
	switch name, cert := strings.CutPrefix(path, certPath); {
	case cert && r.Method == http.MethodGet:
		if file, ok := s.certs.files[name]; ok {
			return answer{http.StatusOK, "application/x-pem-file", file}
		}
		return s.refuse(missing())
	case path == "/v1/oauth2/token" && r.Method == http.MethodPost:
		return s.token(r, body)
	}
	if no := s.authenticate(r); no != nil {
		return s.refuse(no)
	}
	switch r.Method {
	case http.MethodGet:
		if r.URL.Path == reportPath && len(s.upsetReports) > 0 {
			t := s.upsetReports[0]
			s.upsetReports = s.upsetReports[1:]
			return s.befall(t, r)
		}
		return s.read(r.URL)
	case http.MethodPost, http.MethodDelete:
		return s.act(r, body)
	}
	return s.refuse(missing())
}

// token exchanges the app's credentials for an access token.
func (s *Sim) token(r *http.Request, body []byte) answer {
	id, secret, ok := r.BasicAuth()
	sameID := subtle.ConstantTimeCompare([]byte(id), []byte(s.cfg.ClientID))
	sameSecret := subtle.ConstantTimeCompare([]byte(secret), []byte(s.cfg.Secret))
	if !ok || sameID&sameSecret != 1 {
		return say(http.StatusUnauthorized, obj{"error": "invalid_client", "error_description": "Wrong client or secret"})
	}
	form, err := url.ParseQuery(string(body))
	switch {
	case err != nil || mediaType(r) != "application/x-www-form-urlencoded" || form.Get("grant_type") == "":
		return say(http.StatusBadRequest, obj{"error": "invalid_request", "error_description": "grant_type is missing"})
	case form.Get("grant_type") != "client_credentials":
		return say(http.StatusBadRequest, obj{"error": "unsupported_grant_type", "error_description": "Not simulated"})
	}
	for t, end := range s.tokens {
		if !s.now.Before(end) {
			delete(s.tokens, t)
		}
	}
	t := "A21AA" + s.newID(idLetters, 60)
	s.tokens[t] = s.now.Add(s.cfg.TokenLife)
	return say(http.StatusOK, obj{
		"scope": "https://uri.paypal.com/services/payments/payment", "access_token": t, "token_type": "Bearer",
		"app_id": "APP-" + s.cfg.MerchantID, "expires_in": int64(s.cfg.TokenLife / time.Second),
		"nonce": stamp(s.now) + s.newID(idLetters, 20),
	})
}

func (s *Sim) authenticate(r *http.Request) *refusal {
	t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return &refusal{status: http.StatusUnauthorized}
	}
	if end, ok := s.tokens[t]; !ok || !s.now.Before(end) {
		return oldToken()
	}
	return nil
}

// act is a call that could change something.
func (s *Sim) act(r *http.Request, body []byte) answer {
	if len(s.upset) == 0 {
		return s.carryOut(r, body)
	}
	t := s.upset[0]
	s.upset = s.upset[1:]
	if t == ActsThenBreaks {
		s.carryOut(r, body)
	}
	return s.befall(t, r)
}

// befall is the answer of a trouble.
func (s *Sim) befall(t Trouble, r *http.Request) answer {
	switch t {
	case ActsThenBreaks, Breaks:
		return s.refuse(&refusal{status: http.StatusInternalServerError})
	case Unavailable:
		return s.refuse(&refusal{status: http.StatusServiceUnavailable})
	case Busy:
		return s.refuse(&refusal{status: http.StatusTooManyRequests})
	case InProgress:
		return s.refuse(&refusal{status: http.StatusConflict, issue: "PREVIOUS_REQUEST_IN_PROGRESS"})
	case TokenGone:
		delete(s.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		return s.refuse(oldToken())
	}
	panic("paypalsim: unknown trouble " + string(t))
}

// request is one call that could change something, read.
type request struct {
	key    string // PayPal-Request-Id, "" for none
	print  string // what was asked, to compare with what was asked before
	full   bool   // Prefer: return=representation
	fields obj
}

// kept is what is remembered of a call under its PayPal-Request-Id.
type kept struct {
	print string
	until time.Time
	again func(full bool) answer
}

// How long identifiers of requests are remembered.
const (
	ordersKeep   = 6 * time.Hour
	paymentsKeep = 45 * 24 * time.Hour
)

func (s *Sim) carryOut(r *http.Request, body []byte) answer {
	if r.Method == http.MethodDelete {
		return s.deleteToken(r.URL.Path)
	}
	if strings.HasPrefix(r.URL.Path, disputesPath+"/") {
		return s.answerDispute(r, body)
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	order := len(parts) >= 3 && parts[0] == "v2" && parts[1] == "checkout" && parts[2] == "orders"
	rules, keep := map[string]rule{}, ordersKeep
	var run func(request) (answer, func(bool) answer)
	switch {
	case order && len(parts) == 3:
		rules, run = orderRule, s.createOrder
	case order && len(parts) == 5 && parts[4] == "capture":
		run = func(q request) (answer, func(bool) answer) { return s.captureOrder(parts[3], q) }
	case len(parts) == 5 && parts[0] == "v2" && parts[1] == "payments" && parts[2] == "captures" && parts[4] == "refund":
		rules, keep = refundRule, paymentsKeep
		run = func(q request) (answer, func(bool) answer) { return s.refundCapture(parts[3], q) }
	default:
		return s.refuse(missing())
	}
	if mediaType(r) != "application/json" {
		return s.refuse(&refusal{status: http.StatusUnsupportedMediaType})
	}
	q, no := readRequest(r, body, rules)
	if no != nil {
		return s.refuse(no)
	}
	if k, ok := s.kept[q.key]; ok && s.now.Before(k.until) {
		if k.print != q.print {
			return s.refuse(unfit("PAYPAL_REQUEST_ID_PREVIOUSLY_USED", "", ""))
		}
		return k.again(q.full)
	}
	a, again := run(q)
	if again != nil && q.key != "" {
		s.keep(q.key, kept{q.print, s.now.Add(keep), again})
	}
	return a
}

func (s *Sim) keep(key string, k kept) {
	if len(s.kept)%1024 == 1023 {
		for old, k := range s.kept {
			if !s.now.Before(k.until) {
				delete(s.kept, old)
			}
		}
	}
	s.kept[key] = k
}

func readRequest(r *http.Request, body []byte, rules map[string]rule) (request, *refusal) {
	var q request
	q.key = r.Header.Get("PayPal-Request-Id")
	if len(q.key) > 108 {
		return q, bad("INVALID_STRING_LENGTH", "PayPal-Request-Id", q.key)
	}
	switch prefer := r.Header.Get("Prefer"); prefer {
	case "", "return=minimal":
	case "return=representation":
		q.full = true
	default:
		return q, bad("INVALID_PARAMETER_VALUE", "Prefer", prefer)
	}
	if r.URL.RawQuery != "" {
		return q, bad("NOT_SUPPORTED", "?"+r.URL.RawQuery, "")
	}
	var no *refusal
	if q.fields, no = parse(body, rules); no != nil {
		return q, no
	}
	q.print = r.URL.Path + " " + string(say(0, q.fields).body)
	return q, nil
}

func mediaType(r *http.Request) string {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(kind))
}
