package webpush

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"
)

// Key is by which push services know who sends, RFC 8292: browsers give our public
// key to theirs when they subscribe, and it takes messages for them from nobody
// else.
type Key struct {
	signer *ecdsa.PrivateKey
	raw    []byte
}

// NewKey makes a key. It reads 32 bytes from random, seldom more.
func NewKey(random io.Reader) (Key, error) {
	own, err := newPrivate(random)
	if err != nil {
		return Key{}, err
	}
	return ParseKey(base64.RawURLEncoding.EncodeToString(own.Bytes()))
}

// newPrivate draws keys until one is in range, as all but one in 2^32 are.
func newPrivate(random io.Reader) (*ecdh.PrivateKey, error) {
	for range 10 {
		raw := make([]byte, keyBytes)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, fmt.Errorf("webpush: %w", err)
		}
		if k, err := ecdh.P256().NewPrivateKey(raw); err == nil {
			return k, nil
		}
	}
	return nil, errors.New("webpush: the random bytes are none")
}

// ParseKey reads what [Key.Text] writes: the private number, base64url.
func ParseKey(text string) (Key, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Key{}, errors.New("webpush: the key is no base64url")
	}
	own, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return Key{}, errors.New("webpush: the key is none of P-256")
	}
	public := own.PublicKey().Bytes()
	signer, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	return Key{signer, public}, err
}

// Text is the private key, to be sealed.
func (k Key) Text() (string, error) {
	raw, err := k.signer.Bytes()
	return base64.RawURLEncoding.EncodeToString(raw), err
}

// Public is the public key as browsers take it.
func (k Key) Public() string { return base64.RawURLEncoding.EncodeToString(k.raw) }

// tokenLife is how long what we sign is good; a day at most.
const tokenLife = 12 * time.Hour

// authorization says to the push service at an origin who we are.
func (k Key) authorization(origin, contact string, now time.Time) (string, error) {
	header, err := json.Marshal(map[string]string{"typ": "JWT", "alg": "ES256"})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub,omitempty"`
	}{origin, now.Add(tokenLife).Unix(), contact})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(text))
	der, err := k.signer.Sign(nil, digest[:], crypto.SHA256) // without randomness: RFC 6979
	if err != nil {
		return "", fmt.Errorf("webpush: %w", err)
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return "", fmt.Errorf("webpush: %w", err)
	}
	signature := append(pair.R.FillBytes(make([]byte, keyBytes)), pair.S.FillBytes(make([]byte, keyBytes))...)
	return "vapid t=" + text + "." + base64.RawURLEncoding.EncodeToString(signature) + ", k=" + k.Public(), nil
}
