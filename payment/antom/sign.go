package antom

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// errFalse says that a signature is not Antom's for our client.
var errFalse = errors.New("the signature is not Antom's")

// textOf is what is signed (ams/digital_signature): the path without host and
// query, whose client, when, and the body byte for byte. Requests, answers to
// them and notifications differ in nothing but the name of the header with the
// time.
func textOf(path, clientID, stamp string, body []byte) []byte {
	head := http.MethodPost + " " + path + "\n" + clientID + "." + stamp + "."
	return append([]byte(head), body...)
}

// signature is our signature of text, as it stands in the header.
func (a *Adapter) signature(text []byte) (string, error) {
	sum := sha256.Sum256(text)
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return "algorithm=RSA256,keyVersion=" + strconv.Itoa(a.keyVersion) +
		",signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig)), nil
}

// verify checks that Antom signed body for our client and path. timed names the
// header with the time. The client in the text is ours, whatever the header says.
func (a *Adapter) verify(h http.Header, timed, path string, body []byte) error {
	if who := h.Values("Client-Id"); len(who) > 1 || len(who) == 1 && who[0] != a.clientID {
		return errors.New("it is for another client")
	}
	stamps, signatures := h.Values(timed), h.Values("Signature")
	if len(stamps) != 1 || stamps[0] == "" || len(signatures) != 1 {
		return errFalse
	}
	sig, err := readSignature(signatures[0])
	if err != nil {
		return err
	}
	sum := sha256.Sum256(textOf(path, a.clientID, stamps[0], body))
	for _, k := range a.theirs {
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) == nil {
			return nil
		}
	}
	return errFalse
}

// maxSignature is longer than any header with a signature: one of 4096 bits has
// about 800 bytes.
const maxSignature = 2048

// readSignature reads a header Signature: name=value, separated by commas, in any
// order, the algorithm and the version of the key with a meaning when they are
// absent. A key's version chooses among Antom's own; we try all that we have.
func readSignature(header string) ([]byte, error) {
	if len(header) > maxSignature {
		return nil, errFalse
	}
	parts := map[string]string{}
	for _, part := range strings.Split(header, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parts[name]; !ok || twice {
			return nil, errFalse
		}
		parts[name] = value
	}
	if algorithm, ok := parts["algorithm"]; ok && !strings.EqualFold(algorithm, "RSA256") {
		return nil, errors.New("the signature is of an algorithm that we do not take")
	}
	if version, ok := parts["keyVersion"]; ok && (version == "" || strings.Trim(version, digits) != "") {
		return nil, errFalse
	}
	// Not a query's unescaping: a + that was not escaped is a +.
	text, err := url.PathUnescape(parts["signature"])
	if err != nil {
		return nil, errFalse
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(sig) == 0 {
		return nil, errFalse
	}
	return sig, nil
}
