package airalo

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
)

// signatureHeader carries a signature, on what we send and on what they send.
const signatureHeader = "airalo-signature"

// sign is the signature of a payload in PHP's JSON.
func sign(secret string, payload []byte) string {
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write(payload)
	return hex.EncodeToString(mac.Sum(nil))
}

// signed reports whether a signature is of this body: of its very bytes, or of
// what PHP makes of them, since a body may have been written anew on its way.
func signed(secret, signature string, body []byte) bool {
	given, err := hex.DecodeString(signature)
	if err != nil || len(given) != sha512.Size || secret == "" {
		return false
	}
	fits := func(payload []byte) bool {
		mac := hmac.New(sha512.New, []byte(secret))
		mac.Write(payload)
		return hmac.Equal(mac.Sum(nil), given)
	}
	if fits(body) {
		return true
	}
	normal, err := phpNormal(body)
	return err == nil && fits(normal)
}
