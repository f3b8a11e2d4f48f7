package antomsim

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// drift is how far Request-Time may be off.
const drift = 10 * time.Minute

// failure is what Antom says instead of S.
type failure struct {
	status, code, message string
	ours                  bool // found before the signature was: never signed
}

func (f *failure) Error() string { return f.status + " " + f.code + ": " + f.message }

func refused(code, message string) *failure { return &failure{"F", code, message, false} }
func unknown(code, message string) *failure { return &failure{"U", code, message, false} }
func illegal(message string) *failure       { return refused("PARAM_ILLEGAL", message) }

func atDoor(code, message string) *failure { return &failure{"F", code, message, true} }

var success = members{"resultCode": "SUCCESS", "resultMessage": "success.", "resultStatus": "S"}

func (f *failure) result() members {
	return members{"resultCode": f.code, "resultMessage": f.message, "resultStatus": f.status}
}

// call is what a request asks for.
type call struct {
	*reader
	trouble Trouble
}

// method is one of the API's.
type method struct {
	name    string
	changes bool
	act     func(*Sim, call) (members, *failure)
}

func methods() []method {
	return []method{
		{"pay", true, (*Sim).pay},
		{"inquiryPayment", false, (*Sim).inquiryPayment},
		{"cancel", true, (*Sim).cancel},
		{"refund", true, (*Sim).refund},
		{"inquiryRefund", false, (*Sim).inquiryRefund},
	}
}

// base is what stands before a method's name.
func (s *Sim) base() string {
	if s.sandbox() {
		return "/ams/sandbox/api/v1/payments/"
	}
	return "/ams/api/v1/payments/"
}

func (s *Sim) sandbox() bool { return strings.HasPrefix(s.cfg.ClientID, "SANDBOX_") }

// ServeHTTP is the API.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		http.Error(w, "Request Entity Too Large", http.StatusRequestEntityTooLarge)
		return
	}
	s.enter()
	defer s.mu.Unlock()
	m, bad := s.find(r)
	if bad == nil {
		bad = s.check(r, body)
	}
	if bad != nil {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		w.Header().Set("Client-Id", r.Header.Get("Client-Id"))
		w.Header().Set("Response-Time", s.now.Format(time.RFC3339))
		text := members{"result": bad.result()}.text()
		if !bad.ours {
			s.header(w.Header(), "Response-Time", r.URL.RequestURI(), s.cfg.ClientID, s.now.Format(time.RFC3339), text)
		}
		_, _ = w.Write(text) // the caller has left; that is their affair
		return
	}
	s.answer(w, r.URL.RequestURI(), m, body)
}

func (s *Sim) find(r *http.Request) (method, *failure) {
	if r.Method != http.MethodPost {
		return method{}, atDoor("METHOD_NOT_SUPPORTED", "The server does not implement the requested HTTP method.")
	}
	for _, m := range methods() {
		if r.URL.RequestURI() == s.base()+m.name {
			return m, nil
		}
	}
	return method{}, atDoor("NO_INTERFACE_DEF", "API is not defined.")
}

// check looks at who asks: the client, the key, the signature, then the time.
func (s *Sim) check(r *http.Request, body []byte) *failure {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return atDoor("MEDIA_TYPE_NOT_ACCEPTABLE", "The server does not implement the media type that is acceptable to the client.")
	}
	if r.Header.Get("Client-Id") != s.cfg.ClientID {
		return atDoor("CLIENT_INVALID", "The client ID is invalid.")
	}
	g, ok := readSignature(r.Header.Get("Signature"))
	at := r.Header.Get("Request-Time")
	switch {
	case !ok || g.algorithm != "" && !strings.EqualFold(g.algorithm, "RSA256"):
		return atDoor("INVALID_SIGNATURE", "The signature is not validated.")
	case g.version != "" && g.version != s.cfg.KeyVersion:
		return atDoor("KEY_NOT_FOUND", "The private key or public key of Antom or the merchant is not found.")
	case !verifies(s.cfg.MerchantKey, signedText(r.URL.RequestURI(), s.cfg.ClientID, at, body), g.value):
		return atDoor("INVALID_SIGNATURE", "The signature is not validated.")
	}
	sent, ok := readTime(at)
	if off := s.now.Sub(sent); !ok || off < -drift || off > drift {
		return illegal("Request-Time: it is now " + iso(s.now))
	}
	return nil
}

// answer carries out what was found good.
func (s *Sim) answer(w http.ResponseWriter, uri string, m method, body []byte) {
	var trouble Trouble
	if m.changes && len(s.upset) > 0 {
		trouble, s.upset = s.upset[0], s.upset[1:]
	}
	if trouble == BreaksBefore {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	said := s.carryOut(m, body, trouble)
	text := said.text()
	s.header(w.Header(), "Response-Time", uri, s.cfg.ClientID, s.now.Format(time.RFC3339), text)
	switch trouble {
	case BreaksAfter:
		w.Header().Del("Signature")
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	case Missigned:
		w.Header().Set("Signature", s.signatureOf(s.strangersSign()))
	case Unsigned:
		w.Header().Del("Signature")
	case Truncated:
		text = text[:len(text)/2]
	case BreaksBefore, UnknownAfter, UnknownBefore, Limited, Linkless, Rejected, Poor, Slow, Bounced, Stuck, "":
	}
	_, _ = w.Write(text) // the caller has left; that is their affair
}

func (s *Sim) carryOut(m method, body []byte, trouble Trouble) members {
	switch trouble {
	case UnknownBefore:
		return members{"result": unknownException().result()}
	case Limited:
		return members{"result": unknown("REQUEST_TRAFFIC_EXCEED_LIMIT", "The request traffic exceeds the limit.").result()}
	case BreaksAfter, BreaksBefore, UnknownAfter, Missigned, Unsigned, Truncated, Linkless, Rejected, Poor, Slow, Bounced, Stuck, "":
	}
	o, err := readObject(body)
	if err != nil {
		return members{"result": illegal(err.Error()).result()}
	}
	said, bad := m.act(s, call{read(o, ""), trouble})
	switch {
	case trouble == UnknownAfter:
		return members{"result": unknownException().result()}
	case said == nil:
		said = members{}
	}
	said["result"] = success
	if bad != nil {
		said["result"] = bad.result()
	}
	return said
}

func unknownException() *failure {
	return unknown("UNKNOWN_EXCEPTION", "An API call has failed, which is caused by unknown reasons.")
}
