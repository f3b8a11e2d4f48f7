package esimaccesssim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// admit checks method and headers in the order in which the operator's codes
// are numbered [1.2].
func (s *Sim) admit(r *http.Request, body []byte) *refusal {
	if r.Method != http.MethodPost {
		return fail("000103")
	}
	given := r.Header.Get("RT-AccessCode")
	if given == "" {
		return missingHeader("RT-AccessCode")
	}
	if given != s.cfg.AccessCode {
		return fail("000102")
	}
	if s.knobs.blocked {
		return fail("101002")
	}
	if s.cfg.SecretKey == "" {
		return nil
	}
	return s.admitSigned(r.Header, body)
}

func (s *Sim) admitSigned(h http.Header, body []byte) *refusal {
	for _, name := range []string{"RT-Timestamp", "RT-RequestID", "RT-Signature"} {
		if h.Get(name) == "" {
			return missingHeader(name)
		}
	}
	stamp, request := h.Get("RT-Timestamp"), h.Get("RT-RequestID")
	sent, ok := instant(stamp)
	if !ok || !isRequestID(request) {
		return fail("000102")
	}
	if off := s.now.Sub(sent).Abs(); off > s.cfg.TimestampWindow {
		return fail("101001")
	}
	mac := hmac.New(sha256.New, []byte(s.cfg.SecretKey))
	mac.Write([]byte(stamp + request + s.cfg.AccessCode))
	mac.Write(body)
	got, err := hex.DecodeString(h.Get("RT-Signature")) // takes either case
	if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
		return fail("101003")
	}
	return nil
}

func missingHeader(name string) *refusal {
	return &refusal{"000101", "Req Header:[" + name + "] is null"}
}

// instant reads a timestamp of 10 digits (seconds) or 13 (milliseconds): the
// document says milliseconds and shows seconds.
func instant(stamp string) (time.Time, bool) {
	n, err := strconv.ParseUint(stamp, 10, 63)
	if err != nil {
		return time.Time{}, false
	}
	switch len(stamp) {
	case 10:
		return time.Unix(int64(n), 0), true
	case 13:
		return time.UnixMilli(int64(n)), true
	}
	return time.Time{}, false
}

// isRequestID accepts a UUID with or without its dashes.
func isRequestID(id string) bool {
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		id = strings.ReplaceAll(id, "-", "")
	}
	raw, err := hex.DecodeString(id)
	return err == nil && len(raw) == 16
}
