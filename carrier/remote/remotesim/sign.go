package remotesim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fresh is how far a timestamp may be from our clock.
const fresh = 300 * time.Second

func (s *Sim) verified(h http.Header, body []byte) bool {
	id, at := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" {
		return false
	}
	if age := s.now().Sub(time.Unix(seconds, 0)); (age > fresh || age < -fresh) && s.Flaw != Ageless {
		return false
	}
	if s.Flaw == TrustsAll {
		return true
	}
	want := []byte("v1," + signed(s.Key, id, at, body))
	for _, given := range strings.Fields(h.Get("Webhook-Signature")) {
		if hmac.Equal(want, []byte(given)) {
			return true
		}
		if s.Flaw == FirstSignature {
			return false
		}
	}
	return false
}

func signed(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id))
	mac.Write([]byte{'.'})
	mac.Write([]byte(at))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Sim) say(w http.ResponseWriter, asked string, answer map[string]any) {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // maps of plain values
	}
	id, key, now := "re_"+asked, s.Key, s.now()
	if s.Flaw == WrongID {
		id = asked
	}
	if s.Flaw == OneKey {
		key = []byte("another key of at least 24 bytes")
	}
	if s.Flaw == OldAnswers {
		now = now.Add(-time.Hour)
	}
	at := strconv.FormatInt(now.Unix(), 10)
	w.Header().Set("Content-Type", "application/json")
	if s.Flaw != Unsigned {
		w.Header().Set("Webhook-Id", id)
		w.Header().Set("Webhook-Timestamp", at)
		w.Header().Set("Webhook-Signature", "v1,"+signed(key, id, at, body))
	}
	_, _ = w.Write(body) // who hung up hears nothing
}

// Notification is what the operator tells the shop.
type Notification struct {
	Header http.Header
	Body   []byte
}

// Notifications takes out what is to be told.
func (s *Sim) Notifications() (all []Notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, bell := range s.bells {
		body, err := json.Marshal(bell)
		if err != nil {
			panic(err) // maps of plain values
		}
		s.n++
		id, at := "evt_"+strconv.Itoa(s.n), strconv.FormatInt(s.now().Unix(), 10)
		all = append(all, Notification{http.Header{
			"Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {"v1," + signed(s.Key, id, at, body)}, "Content-Type": {"application/json"},
		}, body})
	}
	s.bells = nil
	return all
}
