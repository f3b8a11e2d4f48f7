package stripesim

import (
	"net/http"
	"time"
)

const (
	keyMax  = 255
	keyLife = 24 * time.Hour // Stripe promises at least this, so no more is given
)

// kept is what is remembered under an idempotency key, from the moment the
// call began to be carried out.
type kept struct {
	print   string // of the call: the same key with another one is an error
	request string // Request-Id of the first call
	at      time.Time
	busy    bool // still being carried out
	status  int
	body    []byte
}

// fingerprint tells calls apart: method, path and all parameters, whatever
// their order was.
func fingerprint(c *Call) string {
	return c.Method + " " + c.Path + "?" + c.Params.Encode()
}

// lookUp returns what is kept under a key: nil if that is nothing.
func (s *Sim) lookUp(key, print string) (*kept, *apiError) {
	if len(key) > keyMax {
		return nil, &apiError{status: 400, kind: invalidRequest, message: "Idempotency-Key must be at most 255 characters long."}
	}
	k := s.keys[key]
	switch {
	case k == nil:
		return nil, nil
	case k.print != print:
		return nil, &apiError{
			status: http.StatusBadRequest, kind: "idempotency_error",
			message: "Keys for idempotent requests can only be used with the endpoint and parameters they were first used with. Use another key than '" + key + "' for another request.",
		}
	case k.busy:
		return nil, &apiError{
			status: http.StatusConflict, kind: "idempotency_error", code: "idempotency_key_in_use",
			message: "There is another request in progress with this idempotency key.",
		}
	}
	return k, nil
}

// take reserves a key for the call that is about to be carried out.
func (s *Sim) take(key, print, request string) *kept {
	k := &kept{print: print, request: request, at: s.now, busy: true}
	s.keys[key] = k
	s.keyAges = append(s.keyAges, key)
	return k
}

func (s *Sim) forgetKeys() {
	n := 0
	for _, key := range s.keyAges {
		k := s.keys[key]
		if k.busy || s.now.Sub(k.at) <= keyLife {
			break
		}
		delete(s.keys, key)
		n++
	}
	s.keyAges = s.keyAges[n:]
}
