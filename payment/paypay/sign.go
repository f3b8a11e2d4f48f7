package paypay

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // PayPay's scheme: the hash is itself under the HMAC
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// mediaType is what our bodies are. It is signed byte for byte as it is sent.
const mediaType = "application/json"

// none stands for the media type and the hash of a body that is not there.
const none = "empty"

// authorization is the header that signs a request: its path without the query,
// method, media type and body, with a nonce and our clock's seconds.
func (a *Adapter) authorization(method, path string, body []byte) string {
	nonce, epoch := a.nonce(), strconv.FormatInt(a.now().Unix(), 10)
	kind, hash := none, none
	if body != nil {
		kind, hash = mediaType, hashOf(mediaType, body)
	}
	mac := macOf(a.config.APISecret, path, method, nonce, epoch, kind, hash)
	return "hmac OPA-Auth:" + strings.Join([]string{a.config.APIKey, mac, nonce, epoch, hash}, ":")
}

// hashOf is the hash of a body and its media type.
func hashOf(kind string, body []byte) string {
	h := md5.New() //nolint:gosec // see above
	h.Write([]byte(kind))
	h.Write(body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// macOf is the signature over lines, which have no line end after the last.
func macOf(secret string, lines ...string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(strings.Join(lines, "\n")))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
