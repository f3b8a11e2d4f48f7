package account

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tsuzuku/tsuzuku/id"
)

const (
	minSecret   = 16 // bytes
	secretBytes = 24 // of a session or a link: 192 bits
	nonceLen    = 12 // of AES-GCM
)

// mac is a keyed hash of parts, which are told apart by their lengths.
func (d *Door) mac(parts ...string) []byte {
	if len(d.Secret) < minSecret {
		panic("account: a door without a secret")
	}
	h := hmac.New(sha256.New, d.Secret)
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// hash is mac as text, to be stored.
func (d *Door) hash(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(d.mac(parts...))
}

// same compares hashes in a time that tells nothing.
func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// code returns as many random digits as a code may have; a short one is its beginning.
func (d *Door) code() string {
	n := binary.BigEndian.Uint64(d.IDs.Bytes(8)) // so many that all codes are as likely, but for 2^-24
	return fmt.Sprintf("%0*d", longDigits, n%1_000_000_000_000)
}

// seal hides a challenge's identifier from whoever asked for the code: it
// carries the account's part, which tells how old the account is, and so
// whether the address was registered before.
func (d *Door) seal(challenge string, nonce []byte) string {
	sealed := d.box("challenge").Seal(nonce, nonce, []byte(strings.TrimPrefix(challenge, "ch_")), nil)
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// unseal returns what was sealed, and whose it is.
func (d *Door) unseal(s string) (challenge, account string, ok bool) {
	if len(s) > 200 {
		return "", "", false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(sealed) < nonceLen {
		return "", "", false
	}
	part, err := d.box("challenge").Open(nil, sealed[:nonceLen], sealed[nonceLen:], nil)
	if err != nil {
		return "", "", false
	}
	challenge = "ch_" + string(part)
	account, err = id.AccountOf(challenge)
	return challenge, account, err == nil
}

// box seals what is for one purpose.
func (d *Door) box(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(d.mac("seal", purpose))
	if err != nil {
		panic(err) // a key of 32 bytes is right
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return box
}

// A token is what the holder of a session or a link shows: the identifier
// without its prefix, which tells whose it is, and a secret.

// newToken returns a new identifier with this prefix and its secret.
func (d *Door) newToken(prefix, account string) (identifier, secret string) {
	return d.IDs.Under(prefix, account), d.IDs.Secret(secretBytes)
}

func joinToken(prefix, identifier, secret string) string {
	return strings.TrimPrefix(identifier, prefix+"_") + "." + secret
}

// splitToken reads a token; the secret has not been compared with anything yet.
func splitToken(prefix, token string) (identifier, account, secret string, ok bool) {
	if len(token) > 200 {
		return "", "", "", false
	}
	part, secret, ok := strings.Cut(token, ".")
	if !ok || secret == "" {
		return "", "", "", false
	}
	identifier = prefix + "_" + part
	account, err := id.AccountOf(identifier)
	return identifier, account, secret, err == nil
}
