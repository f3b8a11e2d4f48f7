package alipay

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// textOf is what is signed of parameters: name=value, sorted by name, joined by
// &, values as they are before any encoding. Empty ones and those named in
// without are left out.
func textOf(params map[string]string, without ...string) []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if params[name] == "" || slices.Contains(without, name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + params[name])
	}
	return b.Bytes()
}

// sign adds the signature to a request's parameters. sign_type is signed too.
func (a *Adapter) sign(params map[string]string) error {
	sum := sha256.Sum256(textOf(params, "sign"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return err
	}
	params["sign"] = base64.StdEncoding.EncodeToString(sig)
	return nil
}

// signed reports whether one of Alipay's keys made the signature of text.
func (a *Adapter) signed(text []byte, signature string) bool {
	sig, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(signature))
	if err != nil || len(sig) == 0 {
		return false
	}
	sum := sha256.Sum256(text)
	for _, k := range a.theirs {
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) == nil {
			return true
		}
	}
	return false
}

// signedAnswer is [Adapter.signed] for the member of an answer. Some parts of
// the gateway sign before they escape slashes; both texts mean the same.
func (a *Adapter) signedAnswer(text []byte, signature string) bool {
	if a.signed(text, signature) {
		return true
	}
	plain := bytes.ReplaceAll(text, []byte(`\/`), []byte(`/`))
	return len(plain) < len(text) && a.signed(plain, signature)
}

// signedNotice is [Adapter.signed] for the parameters of a notification: those
// of payments are signed without sign_type, those of the service market with it.
func (a *Adapter) signedNotice(params map[string]string) bool {
	return a.signed(textOf(params, "sign", "sign_type"), params["sign"]) ||
		a.signed(textOf(params, "sign"), params["sign"])
}
