package bench

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/world"
)

// proof is how a provider's notifications are known to be genuine, and how our
// requests to it are: the bare operations, without anything that has to be read
// or written around them.
type proof struct {
	name string

	// silent says that there are no notifications: whoever comes back from the
	// provider's page makes us ask.
	silent bool

	// bare takes a notification apart and returns the operation that proves it;
	// nil: nothing does.
	bare func(k world.Keys, n notice) (func() bool, error)

	// sign proves a request of ours; nil: a secret in a header does.
	sign func(k world.Keys, text []byte) error
}

// proofs are those of all providers, by the names of their adapters.
var proofs = map[string]proof{
	"stripe":    {name: "HMAC-SHA256", bare: stripeProof},
	"paypal":    {name: "RSA-2048", bare: paypalProof},
	"paypay":    {name: "nothing", sign: signHMAC},
	"linepay":   {name: "tells nothing", silent: true, sign: signHMAC},
	"alipay":    {name: "RSA-2048", bare: alipayProof, sign: signRSA},
	"wechatpay": {name: "RSA-2048, AES-256-GCM", bare: wechatProof, sign: signRSA},
	"antom":     {name: "RSA-2048", bare: antomProof, sign: signRSA},
}

// signHMAC signs as PayPay and LINE Pay want it, with a secret of the usual length.
func signHMAC(_ world.Keys, text []byte) error {
	mac := hmac.New(sha256.New, []byte(world.PayPaySecret))
	_, err := mac.Write(text)
	mac.Sum(nil)
	return err
}

func signRSA(k world.Keys, text []byte) error {
	sum := sha256.Sum256(text)
	_, err := rsa.SignPKCS1v15(rand.Reader, k.Ours, crypto.SHA256, sum[:])
	return err
}

// verifyRSA is the operation for a text and its signature in base64.
func verifyRSA(k world.Keys, text, signature string) (func() bool, error) {
	sig, err := base64.StdEncoding.DecodeString(signature)
	signed := []byte(text)
	return func() bool {
		sum := sha256.Sum256(signed)
		return rsa.VerifyPKCS1v15(&k.Theirs.PublicKey, crypto.SHA256, sum[:], sig) == nil
	}, err
}

func stripeProof(_ world.Keys, n notice) (func() bool, error) {
	_, rest, _ := strings.Cut(n.header.Get("Stripe-Signature"), "t=")
	stamp, rest, _ := strings.Cut(rest, ",v1=")
	sum, _, _ := strings.Cut(rest, ",")
	want, err := hex.DecodeString(sum)
	signed := slices.Concat([]byte(stamp+"."), n.body)
	return func() bool {
		mac := hmac.New(sha256.New, []byte(world.StripeSecret))
		mac.Write(signed)
		return hmac.Equal(mac.Sum(nil), want)
	}, err
}

func paypalProof(k world.Keys, n notice) (func() bool, error) {
	text := strings.Join([]string{
		n.header.Get("Paypal-Transmission-Id"), n.header.Get("Paypal-Transmission-Time"), world.PayPalWebhook,
		strconv.FormatUint(uint64(crc32.ChecksumIEEE(n.body)), 10),
	}, "|")
	return verifyRSA(k, text, n.header.Get("Paypal-Transmission-Sig"))
}

func alipayProof(k world.Keys, n notice) (func() bool, error) {
	form, err := url.ParseQuery(string(n.body))
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name != "sign" && name != "sign_type" && form.Get(name) != "" {
			parts = append(parts, name+"="+form.Get(name))
		}
	}
	return verifyRSA(k, strings.Join(parts, "&"), form.Get("sign"))
}

func wechatProof(k world.Keys, n notice) (func() bool, error) {
	text := n.header.Get("Wechatpay-Timestamp") + "\n" + n.header.Get("Wechatpay-Nonce") + "\n" + string(n.body) + "\n"
	signed, err := verifyRSA(k, text, n.header.Get("Wechatpay-Signature"))
	if err != nil {
		return nil, err
	}
	var event struct {
		Resource struct {
			Ciphertext []byte `json:"ciphertext"`
			Beside     string `json:"associated_data"`
			Nonce      string `json:"nonce"`
		} `json:"resource"`
	}
	if err := json.NewDecoder(bytes.NewReader(n.body)).Decode(&event); err != nil {
		return nil, err
	}
	r := event.Resource
	return func() bool {
		block, err := aes.NewCipher([]byte(world.WeChatKey))
		if err != nil {
			return false
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil || len(r.Nonce) != gcm.NonceSize() || !signed() {
			return false
		}
		_, err = gcm.Open(nil, []byte(r.Nonce), r.Ciphertext, []byte(r.Beside))
		return err == nil
	}, nil
}

func antomProof(k world.Keys, n notice) (func() bool, error) {
	_, escaped, _ := strings.Cut(n.header.Get("Signature"), "signature=")
	signature, err := url.QueryUnescape(escaped)
	if err != nil {
		return nil, err
	}
	text := "POST /hooks/payment/antom\n" + world.AntomClient + "." + n.header.Get("Request-Time") + "." + string(n.body)
	return verifyRSA(k, text, signature)
}
