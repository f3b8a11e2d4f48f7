package linepaysim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

const (
	bodyMax  = 1 << 20
	nonceMax = 4096 // how many are remembered
)

// operation is one of the API's calls.
type operation string

const (
	opRequest operation = "request"
	opConfirm operation = "confirm"
	opCapture operation = "capture"
	opVoid    operation = "void"
	opRefund  operation = "refund"
	opCheck   operation = "check"
	opDetails operation = "details"
)

func (op operation) method() string {
	if op == opCheck || op == opDetails {
		return http.MethodGet
	}
	return http.MethodPost
}

// ServeHTTP implements [http.Handler]: the API, without the pages.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, id, found := route(r.URL.EscapedPath())
	switch {
	case !found:
		http.NotFound(w, r)
		return
	case r.Method != op.method():
		http.Error(w, "405", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		http.Error(w, "body too large or broken", http.StatusBadRequest)
		return
	}
	a := s.answer(op, id, r, body)
	if a.broken {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	b, err := json.Marshal(a)
	if err != nil {
		panic("linepaysim: " + err.Error()) // an answer holds only what was put there
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_, _ = w.Write(b) // the caller has left; that is their affair
}

// route says which call a path is, and the identifier in it.
func route(path string) (op operation, id string, found bool) {
	rest, ok := strings.CutPrefix(path, "/v3/payments")
	if !ok {
		return "", "", false
	}
	parts := strings.Split(rest, "/")
	switch {
	case rest == "":
		return opDetails, "", true
	case rest == "/request":
		return opRequest, "", true
	case len(parts) == 3 && (parts[2] == "confirm" || parts[2] == "refund"):
		return operation(parts[2]), parts[1], true
	case len(parts) == 4 && parts[1] == "authorizations" && (parts[3] == "capture" || parts[3] == "void"):
		return operation(parts[3]), parts[2], true
	case len(parts) == 4 && parts[1] == "requests" && parts[3] == "check":
		return opCheck, parts[2], true
	}
	return "", "", false
}

// answer lets a call in, and carries it out unless something goes wrong first.
func (s *Sim) answer(op operation, id string, r *http.Request, body []byte) reply {
	s.enter()
	defer s.mu.Unlock()
	if code := s.admit(r, body); code != success {
		return plain(code)
	}
	trouble := NoTrouble
	if op.method() == http.MethodPost && len(s.upset) > 0 {
		trouble, s.upset = s.upset[0], s.upset[1:]
	}
	if a, struck := trouble.before(op); struck {
		return a
	}
	return trouble.after(op, s.act(op, id, r, body))
}

func (s *Sim) act(op operation, pathID string, r *http.Request, body []byte) reply {
	var id int64
	if op != opRequest && op != opDetails {
		var err error
		if id, err = strconv.ParseInt(pathID, 10, 64); err != nil {
			return parameter(map[string]string{
				"unrecognizedPathVariable": "transactionId", "requiredType": "Number",
				"cause": "For input string: " + strconv.Quote(pathID),
			})
		}
	}
	if op != opDetails && r.URL.RawQuery != "" {
		return parameter(map[string]string{"query": "none is taken"})
	}
	switch op {
	case opRequest:
		return s.request(body)
	case opConfirm:
		return s.confirm(id, body)
	case opCapture:
		return s.capture(id, body)
	case opVoid:
		return s.void(id, body)
	case opRefund:
		return s.refund(id, body)
	case opCheck:
		return s.check(id)
	case opDetails:
		return s.details(r.URL.RawQuery)
	}
	panic("linepaysim: unknown call " + string(op))
}

// aNonce is a UUID of version 1 or 4, or a timestamp in digits.
var aNonce = regexp.MustCompile(`^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[14][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|[0-9]{10,19})$`)

// admit reads the headers and answers success or the code of what is wrong.
func (s *Sim) admit(r *http.Request, body []byte) string {
	channel, nonce, mac := r.Header["X-Line-Channelid"], r.Header["X-Line-Authorization-Nonce"], r.Header["X-Line-Authorization"]
	if len(channel) != 1 || len(nonce) != 1 || len(mac) != 1 || !aNonce.MatchString(nonce[0]) {
		return headerError
	}
	if channel[0] != s.cfg.ChannelID {
		return noMerchant
	}
	payload := r.URL.RawQuery
	if r.Method == http.MethodPost {
		payload = string(body)
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return headerError
		}
	}
	want := seal(s.cfg.ChannelSecret, r.URL.EscapedPath(), payload, nonce[0])
	if !hmac.Equal([]byte(mac[0]), []byte(want)) {
		return headerError
	}
	if before, used := s.nonces[nonce[0]]; used {
		if before != want {
			return headerError
		}
		return success
	}
	if len(s.nonceAges) == nonceMax {
		delete(s.nonces, s.nonceAges[0])
		s.nonceAges = s.nonceAges[1:]
	}
	s.nonces[nonce[0]] = want
	s.nonceAges = append(s.nonceAges, nonce[0])
	return success
}

// seal signs a request: the secret is both key and first part of the text. The
// payload is the body of a POST, the query of a GET without its question mark.
func seal(secret, path, payload, nonce string) string {
	return mac(secret, secret+path+payload+nonce)
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
