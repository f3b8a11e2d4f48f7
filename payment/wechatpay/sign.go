package wechatpay

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// tolerance is how far the time of a signature may be from ours, in seconds
// (https://pay.weixin.qq.com/doc/v3/merchant/4013053249).
const tolerance = 300

// probe begins the signatures that WeChat Pay gets wrong on purpose, to see
// whether they are checked. Accepting one is a breach of its rules.
const probe = "WECHATPAY/SIGNTEST/"

// errFalse says that a signature is not WeChat Pay's, or not of now.
var errFalse = errors.New("the signature is not WeChat Pay's")

// lines are what is signed: each part with a line feed, also the last.
func lines(parts ...string) []byte { return []byte(strings.Join(parts, "\n") + "\n") }

func sign(key *rsa.PrivateKey, text []byte) (string, error) {
	sum := sha256.Sum256(text)
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("wechatpay: the private key cannot sign: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

// authorization is the header that says who asks, signed over the request as
// it is sent: uri with its query, body byte for byte.
func (a *Adapter) authorization(method, uri string, body []byte) (string, error) {
	stamp, nonce := strconv.FormatInt(a.now().Unix(), 10), a.nonce()
	sig, err := sign(a.key, lines(method, uri, stamp, nonce, string(body)))
	if err != nil {
		return "", err
	}
	return credentials(a.config.MchID, nonce, stamp, a.config.Serial, sig), nil
}

func credentials(mchid, nonce, stamp, serial, sig string) string {
	return `WECHATPAY2-SHA256-RSA2048 mchid="` + mchid + `",nonce_str="` + nonce + `",timestamp="` + stamp +
		`",serial_no="` + serial + `",signature="` + sig + `"`
}

// signature is what stands in the headers of an answer or a notification.
type signature struct {
	stamp, nonce, serial string
	sig                  []byte
}

// readSignature takes what it can refuse without a key: that must not cost a
// call for a certificate.
func (a *Adapter) readSignature(h http.Header) (signature, error) {
	s := signature{stamp: h.Get("Wechatpay-Timestamp"), nonce: h.Get("Wechatpay-Nonce"), serial: h.Get("Wechatpay-Serial")}
	text := h.Get("Wechatpay-Signature")
	if s.stamp == "" || s.nonce == "" || s.serial == "" || text == "" {
		return s, fmt.Errorf("%w: it is missing", errFalse)
	}
	if strings.HasPrefix(text, probe) {
		return s, fmt.Errorf("%w: it is a probe", errFalse)
	}
	unix, err := strconv.ParseInt(s.stamp, 10, 64)
	if err != nil || unix <= 0 {
		return s, fmt.Errorf("%w: it has no time", errFalse)
	}
	if now := a.now().Unix(); now-unix > tolerance || unix-now > tolerance {
		return s, fmt.Errorf("%w: its time is too far from ours", errFalse)
	}
	if s.sig, err = base64.StdEncoding.DecodeString(text); err != nil {
		return s, fmt.Errorf("%w: it cannot be read", errFalse)
	}
	return s, nil
}

// fits reports whether s is key's signature of body.
func (s signature) fits(key *rsa.PublicKey, body []byte) bool {
	sum := sha256.Sum256(lines(s.stamp, s.nonce, string(body)))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.sig) == nil
}

// verify checks that WeChat Pay sent body, now. Its error wraps [errFalse], or
// says that the certificate could not be had.
func (a *Adapter) verify(ctx context.Context, h http.Header, body []byte) error {
	s, err := a.readSignature(h)
	if err != nil {
		return err
	}
	key, err := a.ring.find(ctx, s.serial)
	if err != nil {
		return err
	}
	if !s.fits(key, body) {
		return fmt.Errorf("%w: it does not fit", errFalse)
	}
	return nil
}

// sealed is something that WeChat Pay encrypted with the APIv3 key.
type sealed struct {
	Algorithm      string `json:"algorithm"`
	Ciphertext     string `json:"ciphertext"` // base64, with the tag of 16 bytes at its end
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
}

func (s sealed) open(key string) ([]byte, error) {
	if s.Algorithm != "AEAD_AES_256_GCM" {
		return nil, errors.New("it is encrypted in an unknown way")
	}
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, errors.New("the APIv3 key has a wrong length")
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	text, err := base64.StdEncoding.DecodeString(s.Ciphertext)
	if err != nil || len(s.Nonce) != gcm.NonceSize() {
		return nil, errors.New("its encryption cannot be read")
	}
	plain, err := gcm.Open(nil, []byte(s.Nonce), text, []byte(s.AssociatedData))
	if err != nil {
		return nil, errors.New("it does not decrypt with our APIv3 key")
	}
	return plain, nil
}

func parsePrivateKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("wechatpay: the private key is not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("wechatpay: the private key is not an RSA key")
	}
	return key, nil
}

func parsePublicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("wechatpay: the public key is not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil, errors.New("wechatpay: the public key is not an RSA key")
	}
	return key, nil
}
