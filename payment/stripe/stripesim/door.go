package stripesim

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Trouble is what goes wrong at Stripe with one call. What goes wrong on the
// way is package outboundsim's.
type Trouble string

// The troubles.
const (
	NoTrouble   Trouble = ""
	Outage      Trouble = "outage"       // 503; nothing done, nothing kept under the key
	RateLimited Trouble = "rate_limited" // 429 rate_limit; nothing done, nothing kept
	Locked      Trouble = "locked"       // 429 lock_timeout; nothing done, nothing kept
	Broken      Trouble = "broken"       // 500; begun and undone, the 500 is kept under the key
	BrokenAfter Trouble = "broken_after" // 500; done, and the 500 is kept under the key
)

// Troubles are all troubles but NoTrouble, for tests that try each.
var Troubles = []Trouble{Outage, RateLimited, Locked, Broken, BrokenAfter}

// Call is one call of the API, as an auditor wants to see it.
type Call struct {
	ID       string // Request-Id
	Method   string
	Path     string
	Params   url.Values // of the body, or of the query of a GET
	Key      string     // Idempotency-Key
	Status   int        // of the answer; 0 while under way
	Replayed bool       // answered from what is kept under the key
	At       time.Time
}

const (
	bodyMax  = 1 << 20
	callsMax = 4096 // what Calls remembers
)

// ServeHTTP implements [http.Handler]: the API under /v1/, the pages under /pay/.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/pay/") {
		s.servePage(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		http.Error(w, "body too large or broken", http.StatusBadRequest)
		return
	}
	a := s.answer(r, string(body))
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller has left; that is their affair
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// A step is a call whose parameters are in order; running it acts.
type step func() (obj, *apiError)

// answer carries one call out. Between the taking of its key and the acting
// the lock is free, so that a repeated call can find the first one under way.
func (s *Sim) answer(r *http.Request, body string) answer {
	s.enter()
	c := s.note(r)
	ready := s.admit(c, r, body)
	s.mu.Unlock()
	if ready.act != nil {
		if s.cfg.During != nil {
			s.cfg.During(r)
		}
		s.enter()
		s.act(c, &ready)
		s.mu.Unlock()
	}
	h := http.Header{"Request-Id": {c.ID}, "Stripe-Version": {Version}}
	if c.Key != "" {
		h.Set("Idempotency-Key", c.Key)
	}
	if c.Replayed {
		h.Set("Idempotent-Replayed", "true")
		h.Set("Original-Request", ready.original)
	}
	return answer{ready.status, h, ready.body}
}

// note records that a call arrived.
func (s *Sim) note(r *http.Request) *Call {
	s.callCount++
	c := &Call{
		ID:     fmt.Sprintf("req_%014d", s.callCount),
		Method: r.Method,
		Path:   r.URL.Path,
		Key:    r.Header.Get("Idempotency-Key"),
		At:     s.now,
	}
	if len(s.calls) == callsMax {
		s.calls = slices.Delete(s.calls, 0, callsMax/4)
	}
	s.calls = append(s.calls, c)
	return c
}

// admitted is a call that may act, or the answer to one that may not.
type admitted struct {
	act      step
	trouble  Trouble
	expands  []string
	keep     *kept // where the answer is kept, nil without a key
	status   int
	body     []byte
	original string // the call whose answer is replayed
}

// admit looks at a call as far as that is possible without acting: who calls,
// is it known under its key, are the parameters in order. What fails here is
// not kept under the key.
func (s *Sim) admit(c *Call, r *http.Request, body string) admitted {
	refuse := func(e *apiError) admitted {
		c.Status = e.status
		return admitted{status: e.status, body: render(e.json())}
	}
	if e := s.authenticate(r); e != nil {
		return refuse(e)
	}
	if e := versionError(r.Header.Get("Stripe-Version")); e != nil {
		return refuse(e)
	}
	trouble := s.choose(r)
	if e := trouble.beforehand(); e != nil {
		return refuse(e)
	}
	f, e := readForm(r, body)
	if e != nil {
		return refuse(e)
	}
	c.Params = f.values
	keyed := r.Method == http.MethodPost && c.Key != ""
	print := fingerprint(c)
	if keyed {
		k, e := s.lookUp(c.Key, print)
		if e != nil {
			return refuse(e)
		}
		if k != nil {
			c.Status, c.Replayed = k.status, true
			return admitted{status: k.status, body: k.body, original: k.request}
		}
	}
	handle, id := s.find(r.Method, r.URL.Path)
	if handle == nil {
		return refuse(&apiError{status: 404, kind: invalidRequest, message: fmt.Sprintf("Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)})
	}
	expands := f.words("expand")
	act := handle(f, id)
	if e := f.done(); e != nil {
		return refuse(e)
	}
	ready := admitted{act: act, trouble: trouble, expands: expands}
	if keyed {
		ready.keep = s.take(c.Key, print, c.ID)
	}
	return ready
}

// act lets an admitted call happen and keeps its answer under its key.
func (s *Sim) act(c *Call, ready *admitted) {
	s.asking = c
	defer func() { s.asking = nil }()
	status, body := http.StatusOK, []byte(nil)
	if ready.trouble != Broken {
		o, e := ready.act()
		if e == nil {
			e = expandAll(o, ready.expands)
		}
		if e != nil {
			status, o = e.status, e.json()
		}
		body = render(o)
	}
	if ready.trouble == Broken || ready.trouble == BrokenAfter {
		status = http.StatusInternalServerError
		body = render((&apiError{kind: apiTrouble, message: "An unknown error occurred."}).json())
	}
	c.Status, ready.status, ready.body = status, status, body
	if k := ready.keep; k != nil {
		k.busy, k.status, k.body = false, status, body
	}
}

// choose says what goes wrong with this call.
func (s *Sim) choose(r *http.Request) Trouble {
	if len(s.upset) > 0 {
		t := s.upset[0]
		s.upset = s.upset[1:]
		return t
	}
	if s.cfg.Choose != nil {
		return s.cfg.Choose(r)
	}
	return NoTrouble
}

// beforehand is the answer of a trouble that lets nothing happen.
func (t Trouble) beforehand() *apiError {
	switch t {
	case Outage:
		return &apiError{status: 503, kind: apiTrouble, message: "Stripe is currently unavailable."}
	case RateLimited:
		return &apiError{status: 429, kind: invalidRequest, code: "rate_limit", message: "Request rate limit exceeded."}
	case Locked:
		return &apiError{
			status: 429, kind: invalidRequest, code: "lock_timeout",
			message: "This object cannot be accessed right now because another request or process is using it.",
		}
	case NoTrouble, Broken, BrokenAfter:
	}
	return nil
}

func (s *Sim) authenticate(r *http.Request) *apiError {
	header := r.Header.Get("Authorization")
	key, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		key, _, ok = r.BasicAuth()
	}
	switch {
	case !ok || key == "":
		return &apiError{status: 401, kind: invalidRequest, message: "You did not provide an API key. Use Bearer or Basic authorization."}
	case key != s.cfg.Key:
		return &apiError{status: 401, kind: invalidRequest, message: "Invalid API Key provided: " + key[:min(len(key), 8)] + "****"}
	}
	return nil
}

func versionError(version string) *apiError {
	switch version {
	case Version:
		return nil
	case "":
		return &apiError{status: 400, kind: invalidRequest, message: "stripesim: Stripe-Version is missing; Stripe would use the account's default, which changes under you"}
	}
	return &apiError{status: 400, kind: invalidRequest, message: "Invalid Stripe API version: " + version}
}

// A route is one kind of call. Its pattern is a path whose segment {id}
// matches any one segment.
type route struct {
	method, pattern string
	handle          func(f *form, id string) step
}

func (s *Sim) table() []route {
	return []route{
		{"POST", "/v1/checkout/sessions", s.createSession},
		{"GET", "/v1/checkout/sessions", s.listSessions},
		{"GET", "/v1/checkout/sessions/{id}", s.getSession},
		{"GET", "/v1/checkout/sessions/{id}/line_items", s.listItems},
		{"POST", "/v1/checkout/sessions/{id}/expire", s.expireSession},
		{"POST", "/v1/payment_intents", s.createIntent},
		{"GET", "/v1/payment_intents", s.listIntents},
		{"GET", "/v1/payment_intents/{id}", s.getIntent},
		{"POST", "/v1/payment_intents/{id}/confirm", s.confirmIntent},
		{"POST", "/v1/payment_intents/{id}/capture", s.captureIntent},
		{"POST", "/v1/payment_intents/{id}/cancel", s.cancelIntent},
		{"GET", "/v1/charges", s.listCharges},
		{"GET", "/v1/charges/{id}", s.getCharge},
		{"GET", "/v1/balance_transactions/{id}", s.getTransaction},
		{"POST", "/v1/refunds", s.createRefund},
		{"GET", "/v1/refunds", s.listRefunds},
		{"GET", "/v1/refunds/{id}", s.getRefund},
		{"GET", "/v1/disputes", s.listDisputes},
		{"GET", "/v1/disputes/{id}", s.getDispute},
		{"POST", "/v1/customers", s.createCustomer},
		{"GET", "/v1/customers", s.listCustomers},
		{"GET", "/v1/customers/{id}", s.getCustomer},
		{"POST", "/v1/customers/{id}", s.updateCustomer},
		{"DELETE", "/v1/customers/{id}", s.deleteCustomer},
		{"GET", "/v1/customers/{id}/payment_methods", s.listMethodsOf},
		{"GET", "/v1/payment_methods", s.listMethods},
		{"GET", "/v1/payment_methods/{id}", s.getMethod},
		{"POST", "/v1/payment_methods/{id}/attach", s.attachMethod},
		{"POST", "/v1/payment_methods/{id}/detach", s.detachMethod},
		{"GET", "/v1/events", s.listEvents},
		{"GET", "/v1/events/{id}", s.getEvent},
	}
}

func (s *Sim) find(method, path string) (handle func(*form, string) step, id string) {
	got := strings.Split(path, "/")
	for _, rt := range s.routes {
		want := strings.Split(rt.pattern, "/")
		if rt.method != method || len(want) != len(got) {
			continue
		}
		id, match := "", true
		for i := range want {
			if want[i] == "{id}" && got[i] != "" {
				id = got[i]
			} else if want[i] != got[i] {
				match = false
			}
		}
		if match {
			return rt.handle, id
		}
	}
	return nil, ""
}
