package message

import (
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/tsuzuku/tsuzuku/outbound"
)

// Subscription is where a push service reaches one browser, as the browser itself
// said it: whoever has it can have the browser show something, if they also have
// our key. Written as a text it is the value of an address of channel [Push].
type Subscription struct {
	Endpoint string // an address of the push service, good for this browser alone
	Key      string // the browser's public key, P-256, not compressed, base64url
	Auth     string // a secret of 16 bytes shared with the browser, base64url
}

// authBytes is how long the shared secret is, RFC 8291, section 3.2.
const authBytes = 16

// String writes s as one line.
func (s Subscription) String() string { return s.Endpoint + " " + s.Key + " " + s.Auth }

// ParseSubscription reads what [Subscription.String] writes. It fails for what no
// browser says: another address than a public https one, keys that are none.
func ParseSubscription(text string) (Subscription, error) {
	parts := strings.Split(text, " ")
	if len(parts) != 3 || strings.ContainsAny(text, "\r\n") { // which base64 would pass over
		return Subscription{}, errors.New("message: not a subscription")
	}
	s := Subscription{parts[0], parts[1], parts[2]}
	if _, err := outbound.PublicURL(s.Endpoint); err != nil {
		return Subscription{}, err
	}
	if _, _, err := s.Keys(); err != nil {
		return Subscription{}, err
	}
	return s, nil
}

// Keys are the browser's key and the shared secret.
func (s Subscription) Keys() (*ecdh.PublicKey, []byte, error) {
	strict := base64.RawURLEncoding.Strict()
	point, err := strict.DecodeString(s.Key)
	if err != nil {
		return nil, nil, errors.New("message: the key of a subscription is no base64url")
	}
	key, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, nil, errors.New("message: the key of a subscription is none")
	}
	auth, err := strict.DecodeString(s.Auth)
	if err != nil || len(auth) != authBytes {
		return nil, nil, errors.New("message: the secret of a subscription has not 16 bytes")
	}
	return key, auth, nil
}
