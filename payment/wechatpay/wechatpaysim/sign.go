package wechatpaysim

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// scheme names the only signature there is: SHA-256 with RSA, PKCS #1 v1.5.
const scheme = "WECHATPAY2-SHA256-RSA2048"

// drift is how many seconds a request's time may be from ours.
const drift = 5 * 60

// lines joins what is signed: every line ends in a line feed, also the last.
func lines(parts ...string) string { return strings.Join(parts, "\n") + "\n" }

// requestText is what a merchant signs of a request. uri is the path with its
// query as it was sent.
func requestText(method, uri, timestamp, nonce, body string) string {
	return lines(method, uri, timestamp, nonce, body)
}

// answerText is what WeChat signs of an answer or a notification.
func answerText(timestamp, nonce, body string) string { return lines(timestamp, nonce, body) }

func sign(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic("wechatpaysim: the platform's key cannot sign: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func verify(key *rsa.PublicKey, text, signature string) error {
	raw, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw)
}

// authorization is what a request's header of that name says.
type authorization struct{ mchID, nonce, timestamp, serial, signature string }

var errAuthorization = errors.New(`the header is not ` + scheme + ` with mchid, nonce_str, timestamp, serial_no and signature, each once and quoted`)

func parseAuthorization(header string) (authorization, error) {
	var a authorization
	rest, ok := strings.CutPrefix(header, scheme+" ")
	pairs := strings.Split(rest, ",")
	if !ok || len(pairs) != 5 {
		return a, errAuthorization
	}
	into := map[string]*string{
		"mchid": &a.mchID, "nonce_str": &a.nonce, "timestamp": &a.timestamp, "serial_no": &a.serial, "signature": &a.signature,
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		to := into[name]
		if to == nil || len(value) < 3 || value[0] != '"' || value[len(value)-1] != '"' || strings.Contains(value[1:len(value)-1], `"`) {
			return a, errAuthorization
		}
		delete(into, name)
		*to = value[1 : len(value)-1]
	}
	return a, nil
}

// authenticate refuses a request that is not the merchant's, or not of now.
func (s *Sim) authenticate(r *http.Request, body string) *apiError {
	a, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return unsigned("authorization", err.Error())
	}
	switch {
	case len(r.Header.Values("Authorization")) != 1:
		return unsigned("authorization", "there is more than one")
	case a.mchID != s.cfg.MchID:
		return unsigned("mchid", "no such merchant")
	case a.serial != s.cfg.MerchantSerial:
		return unsigned("serial_no", "not the serial number of a certificate of this merchant")
	case len(a.nonce) > 32 || strings.Trim(a.nonce, letters) != "":
		return unsigned("nonce_str", "not 1 to 32 letters or digits")
	}
	seconds, err := strconv.ParseInt(a.timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != a.timestamp {
		return unsigned("timestamp", "not seconds since 1970")
	}
	if off := s.now.Unix() - seconds; off > drift || off < -drift {
		return unsigned("timestamp", "more than five minutes from the present")
	}
	uri := r.RequestURI
	if !strings.HasPrefix(uri, "/") {
		uri = r.URL.RequestURI() // the request never was on a wire
	}
	if verify(s.cfg.MerchantKey, requestText(r.Method, uri, a.timestamp, a.nonce, body), a.signature) != nil {
		return unsigned("signature", "does not fit method, path, time, nonce and body")
	}
	return nil
}

// unsigned is the answer to whoever did not sign well.
func unsigned(field, issue string) *apiError {
	return &apiError{status: http.StatusUnauthorized, code: "SIGN_ERROR", message: "the signature was not accepted", field: field, issue: issue, location: "authorization"}
}

// autograph adds the headers that prove that an answer or a notification is
// WeChat's.
func (s *Sim) autograph(h http.Header, at time.Time, body []byte) {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), s.word(letters, 32)
	serial, key := s.signer()
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Signature-Type", scheme)
	h.Set("Wechatpay-Signature", sign(key, answerText(timestamp, nonce, string(body))))
}

// signTest begins a signature that is wrong on purpose.
const signTest = "WECHATPAY/SIGNTEST/"

func spoil(h http.Header) {
	good := h.Get("Wechatpay-Signature")
	h.Set("Wechatpay-Signature", signTest+good[len(signTest):])
}

func (s *Sim) signer() (name string, key *rsa.PrivateKey) {
	if s.cfg.PublicKeyID != "" {
		return s.cfg.PublicKeyID, s.cfg.PlatformKey
	}
	return s.certificates[0].serial, s.certificates[0].key
}

// sealed is something encrypted with the APIv3 key, as it stands in JSON.
type sealed struct {
	Algorithm      string `json:"algorithm"`
	Nonce          string `json:"nonce"`
	AssociatedData string `json:"associated_data"`
	Ciphertext     string `json:"ciphertext"`
}

// seal encrypts with AES-GCM; the nonce is 12 characters, the tag is at the end.
func (s *Sim) seal(key, associated, plain string) sealed {
	nonce := s.word(letters, 12)
	return sealed{"AEAD_AES_256_GCM", nonce, associated, encrypt(key, nonce, associated, plain)}
}

func encrypt(key, nonce, associated, plain string) string {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		panic("wechatpaysim: " + err.Error())
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("wechatpaysim: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), []byte(plain), []byte(associated)))
}

// certificate is a platform certificate with its key.
type certificate struct {
	serial           string // upper-case hexadecimal
	key              *rsa.PrivateKey
	pem              string
	startsAt, endsAt time.Time
}

// Rotate makes a platform certificate for a key and signs with it from now on.
// The one before stays listed beside it. It returns the new serial number, and
// panics in public-key mode, where there are no certificates.
func (s *Sim) Rotate(key *rsa.PrivateKey) (serial string) {
	s.enter()
	defer s.mu.Unlock()
	if s.cfg.PublicKeyID != "" {
		panic("wechatpaysim: there are no certificates in public-key mode")
	}
	number := big.NewInt(int64(1 + s.rand.IntN(7)))
	for range 2 {
		number.Lsh(number, 64).Or(number, new(big.Int).SetUint64(s.rand.Uint64()))
	}
	starts := s.now.Truncate(time.Second)
	c := &certificate{serial: fmt.Sprintf("%X", number), key: key, startsAt: starts, endsAt: starts.AddDate(5, 0, 0)}
	template := &x509.Certificate{
		SerialNumber: number,
		Subject:      pkix.Name{Country: []string{"CN"}, Organization: []string{"Tenpay.com"}, CommonName: "simulated WeChat Pay platform"},
		NotBefore:    c.startsAt,
		NotAfter:     c.endsAt,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(crand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic("wechatpaysim: no certificate can be made for this key: " + err.Error())
	}
	c.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	s.certificates = append([]*certificate{c}, s.certificates[:min(1, len(s.certificates))]...)
	return c.serial
}
