package paypaysim

import (
	"crypto/hmac"
	"crypto/md5" // PayPay's document prescribes it for the hash of the body
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	bodyMax = 1 << 20

	// drift is how far a caller's clock may be from ours, either way.
	drift = 2 * time.Minute
)

// Trouble is what goes wrong at PayPay with one call. What goes wrong on the
// way is package outboundsim's.
type Trouble string

// The troubles.
const (
	NoTrouble   Trouble = ""
	RateLimited Trouble = "rate_limited" // 429; nothing done
	Maintenance Trouble = "maintenance"  // 503; nothing done
	Broken      Trouble = "broken"       // 500; nothing done
	BrokenAfter Trouble = "broken_after" // 500; done
)

// Upset lets these troubles befall the next calls that could change something,
// one each.
func (s *Sim) Upset(troubles ...Trouble) {
	s.enter()
	defer s.mu.Unlock()
	s.upset = append(s.upset, troubles...)
}

// ServeHTTP implements [http.Handler]: the API.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	s.enter()
	a := invalidRequest.of("body")
	if err == nil {
		a = s.answer(r, body)
	}
	request := "OPA" + s.random("0123456789ABCDEF", 32)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("X-REQUEST-ID", request)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the caller has left; that is their affair
}

// answer carries one call out: who asks is clear before what they want is read.
func (s *Sim) answer(r *http.Request, body []byte) answer {
	if !s.signed(r, body) || s.merchant(r) != s.cfg.MerchantID {
		return unauthorized.answer()
	}
	act := s.route(r, body)
	if act == nil {
		return noSuchCall.answer()
	}
	trouble := NoTrouble
	if r.Method != http.MethodGet && len(s.upset) > 0 {
		trouble, s.upset = s.upset[0], s.upset[1:]
	}
	switch trouble {
	case RateLimited:
		return refusal{429, "RATE_LIMIT", "08100998", "Too many requests"}.answer()
	case Maintenance:
		return refusal{503, "MAINTENANCE_MODE", "08100999", "Sorry, we are down for scheduled maintenance"}.answer()
	case Broken:
		return refusal{500, "SERVICE_ERROR", "08100026", "Something went wrong on PayPay service side"}.answer()
	case BrokenAfter:
		act()
		return serverError.answer()
	case NoTrouble:
	}
	return act()
}

// route finds what a call wants, nil if there is no such call.
func (s *Sim) route(r *http.Request, body []byte) func() answer {
	head, last := r.URL.Path, ""
	if i := strings.LastIndexByte(head, '/'); i > len("/v2") {
		head, last = head[:i], head[i+1:]
	}
	if !s.queryInOrder(r, head) {
		return invalidRequest.of("query").itself
	}
	if (r.Method == http.MethodPost) != (len(body) > 0) {
		return invalidRequest.of("body").itself
	}
	if r.Method == http.MethodPost && last != "" {
		return nil
	}
	switch r.Method + " " + head {
	case "POST /v2/codes", "POST /v2/refunds":
		if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(media) != "application/json" {
			return invalidRequest.of("Content-Type").itself
		}
		if head == "/v2/codes" {
			return func() answer { return s.createCode(body) }
		}
		return func() answer { return s.refund(body) }
	case "DELETE /v2/codes":
		return func() answer { return s.deleteCode(last) }
	case "GET /v2/codes/payments":
		return func() answer { return s.paymentDetails(last) }
	case "DELETE /v2/payments":
		return func() answer { return s.cancel(last) }
	case "GET /v2/refunds":
		return func() answer { return s.refundDetails(last, r.URL.Query().Get("paymentId")) }
	}
	return nil
}

// queryInOrder reports whether the query says each of what it may at most once.
func (s *Sim) queryInOrder(r *http.Request, head string) bool {
	for name, values := range r.URL.Query() {
		known := name == "assumeMerchant" || name == "paymentId" && r.Method == http.MethodGet && head == "/v2/refunds"
		if !known || len(values) != 1 {
			return false
		}
	}
	return true
}

// merchant is whom a call is made for; the query goes before the header.
func (s *Sim) merchant(r *http.Request) string {
	if q := r.URL.Query(); q.Has("assumeMerchant") {
		return q.Get("assumeMerchant")
	}
	return r.Header.Get("X-ASSUME-MERCHANT")
}

// signed checks Authorization: the scheme, then key, MAC, nonce, epoch and hash
// of the body, with colons between.
func (s *Sim) signed(r *http.Request, body []byte) bool {
	parts := strings.Split(r.Header.Get("Authorization"), ":")
	if len(parts) != 6 || len(r.Header.Values("Authorization")) != 1 {
		return false
	}
	scheme, key, mac, nonce, epoch, hash := parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]
	contentType, wantHash := "empty", "empty"
	if len(body) > 0 {
		contentType = r.Header.Get("Content-Type")
		wantHash = bodyHash(contentType, body)
	}
	want := requestMAC(s.cfg.APISecret, r.URL.EscapedPath(), r.Method, nonce, epoch, contentType, hash)
	return scheme == "hmac OPA-Auth" && key == s.cfg.APIKey && nonce != "" && s.timely(epoch) && hash == wantHash && hmac.Equal([]byte(mac), []byte(want))
}

func (s *Sim) timely(epoch string) bool {
	seconds, ok := wholeNumber(epoch)
	if !ok {
		return false
	}
	off := s.now.Sub(time.Unix(seconds, 0))
	return -drift <= off && off <= drift
}

func bodyHash(contentType string, body []byte) string {
	h := md5.New()
	_, _ = io.WriteString(h, contentType)
	_, _ = h.Write(body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// requestMAC signs six lines without a line feed after the last. The query is
// no part of path.
func requestMAC(secret, path, method, nonce, epoch, contentType, hash string) string {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(h, strings.Join([]string{path, method, nonce, epoch, contentType, hash}, "\n"))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// wholeNumber reads up to eleven digits without leading zeros.
func wholeNumber(text string) (int64, bool) {
	if text == "" || len(text) > 11 || strings.Trim(text, digits) != "" || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

type obj map[string]any

type answer struct {
	status int
	body   []byte
}

func (a answer) itself() answer { return a }

func reply(status int, code, codeID, message string, data any) answer {
	body, err := json.Marshal(obj{"resultInfo": obj{"code": code, "message": message, "codeId": codeID}, "data": data})
	if err != nil {
		panic("paypaysim: " + err.Error()) // only strings, numbers and lists are ever in data
	}
	return answer{status, body}
}

func success(status int, data any) answer {
	return reply(status, "SUCCESS", "08100001", "Success", data)
}

func accepted() answer {
	return reply(http.StatusAccepted, "REQUEST_ACCEPTED", "08100001", "Request accepted", nil)
}

// refusal is one of PayPay's documented errors.
type refusal struct {
	status                int
	code, codeID, message string
}

func (r refusal) answer() answer { return reply(r.status, r.code, r.codeID, r.message, nil) }

// of is the refusal with the name of what is wrong.
func (r refusal) of(what string) answer {
	r.message += ": " + what
	return r.answer()
}

// unprinted stands for the codeId of a refusal that no source prints.
const unprinted = "00000000"

// The refusals, from the tables of PayPay's document.
var (
	invalidRequest = refusal{400, "INVALID_REQUEST_PARAMS", "08100006", "Invalid request params"}
	missingParam   = refusal{400, "MISSING_REQUEST_PARAMS", "08100024", "The required parameter is not set"}
	unauthorized   = refusal{401, "UNAUTHORIZED", "08100016", "Unauthorized request"}
	serverError    = refusal{500, "INTERNAL_SERVER_ERROR", "08101000", "Something went wrong on PayPay service side"}
	noSuchCall     = refusal{404, "RESOURCE_NOT_FOUND", unprinted, "There is no such API"}

	duplicateQR     = refusal{400, "DUPLICATE_DYNAMIC_QR_REQUEST", "01652073", "Duplicate Dynamic QR request error"}
	noPreAuth       = refusal{400, "PRE_AUTH_CAPTURE_UNSUPPORTED_MERCHANT", "00400060", "Merchant do not support Pre-Auth-Capture"}
	badQRRequest    = refusal{400, "DYNAMIC_QR_BAD_REQUEST", "01650000", "Dynamic QR bad request error"}
	codeNotFound    = refusal{404, "DYNAMIC_QR_NOT_FOUND", "01652072", "Dynamic qr code not found"}
	codePaid        = refusal{400, "DYNAMIC_QR_ALREADY_PAID", "01652074", "Dynamic QR already paid"}
	paymentNotFound = refusal{400, "DYNAMIC_QR_PAYMENT_NOT_FOUND", "01652075", "Dynamic QR payment not found"}
	notReversible   = refusal{400, "ORDER_NOT_REVERSIBLE", "00200044", "Order cannot be reversed"}
	invalidParams   = refusal{400, "INVALID_PARAMS", "00200004", "Invalid parameters received"}
	tooMuch         = refusal{400, "INVALID_PARAMS", "00200015", "Invalid refund amount"}
	notRefundable   = refusal{400, "UNACCEPTABLE_OP", "00200013", "Order cannot be refunded"}
	refundThrottled = refusal{400, "THROTTLED_MULTIPLE_REFUND_REJECTED", unprinted, "Rejected as similar request is in progress"}
	refundLimit     = refusal{400, "REFUND_LIMIT_EXCEEDED", unprinted, "Maximum number of refunds reached"}
	refundWindow    = refusal{400, "REFUND_WINDOW_EXCEED", unprinted, "Refund window exceeded"}
	refundOnlyOnce  = refusal{403, "MERCHANT_MULTIPLE_REFUND_REJECTED", unprinted, "Merchant multiple refund not enabled"}
	refundNotFound  = refusal{404, "NO_SUCH_REFUND_ORDER", "00200018", "Refund not found"}
	orderNotFound   = refusal{404, "RESOURCE_NOT_FOUND", "00200001", "Order not found"}
)
