package linepay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// sign is the value of X-LINE-Authorization
// (https://developers-pay.line.me/online/pre-requisites): the secret is the key,
// and stands in what is signed too. payload is the body of a POST and the query
// of a GET, without its question mark.
func sign(secret, path, payload, nonce string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(secret + path + payload + nonce))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// uuid gives 32 hexadecimal digits the form of a UUID of version 4, which LINE
// Pay wants for a nonce. Anything else stays as it is.
func uuid(n string) string {
	b, err := hex.DecodeString(n)
	if err != nil || len(b) != 16 {
		return n
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func randomNonce() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
