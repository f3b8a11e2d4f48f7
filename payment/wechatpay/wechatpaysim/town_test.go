package wechatpaysim_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

const (
	mchID  = "1900007291"
	appID  = "wxd678efh567hg6787"
	serial = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567"
	apiKey = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb"
	pubID  = "PUB_KEY_ID_0114232134912410000000000000"
)

// town is a simulator with a clock that the test moves, and its merchant.
type town struct {
	*sim.Sim
	t        testing.TB
	merchant *rsa.PrivateKey
	platform *rsa.PrivateKey
	mu       sync.Mutex
	now      time.Time
	nonces   int
}

func newTown(t testing.TB, change ...func(*sim.Config)) *town {
	t.Helper()
	w := &town{t: t, merchant: privateKey(t, "WX-R1-key"), platform: privateKey(t, "WX-R2-key"), now: time.Date(2031, 5, 4, 3, 2, 1, 500e6, time.UTC)}
	cfg := sim.Config{
		MchID: mchID, AppID: appID, MerchantSerial: serial, MerchantKey: &w.merchant.PublicKey, APIv3Key: apiKey, PlatformKey: w.platform,
		Now: w.clock, Rand: mrand.New(mrand.NewPCG(1, 2)), PageBase: "https://shop.test/sim",
	}
	for _, f := range change {
		f(&cfg)
	}
	w.Sim = sim.New(cfg)
	return w
}

func publicKeyMode(c *sim.Config) { c.PublicKeyID = pubID }

func (w *town) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *town) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// signed is the test's own signer, written from the document.
func signed(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	b, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// verified is the test's own check of an answer or a notification.
func verified(key *rsa.PublicKey, h http.Header, body []byte) error {
	sum := sha256.Sum256([]byte(h.Get("Wechatpay-Timestamp") + "\n" + h.Get("Wechatpay-Nonce") + "\n" + string(body) + "\n"))
	raw, err := base64.StdEncoding.DecodeString(h.Get("Wechatpay-Signature"))
	if err != nil {
		return err
	}
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw)
}

// envelope is the body of a notification.
type envelope struct {
	ID           string   `json:"id"`
	ResourceType string   `json:"resource_type"`
	EventType    string   `json:"event_type"`
	Resource     resource `json:"resource"`
}

type resource struct {
	OriginalType   string `json:"original_type"`
	Algorithm      string `json:"algorithm"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
}

// unseal is the test's own opener.
func unseal(key string, r resource) (string, error) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	raw, err := base64.StdEncoding.DecodeString(r.Ciphertext)
	if err != nil {
		return "", err
	}
	plain, err := gcm.Open(nil, []byte(r.Nonce), raw, []byte(r.AssociatedData))
	return string(plain), err
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// at reads a value by its path: "amount.total", "data.0.serial_no".
func (r reply) at(path string) any { return within(r.body, path) }

func within(v any, path string) any {
	for p := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[p]
		case []any:
			if i := int(p[0] - '0'); i < len(in) {
				v = in[i]
			} else {
				return nil
			}
		default:
			return nil
		}
	}
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

// request is a signed call. A body of "" is none.
func (w *town) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	w.nonces++
	w.authorize(r, mchID, serial, fmt.Sprintf("NONCE%027d", w.nonces), w.clock().Unix(), body, w.merchant)
	r.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return r
}

func (w *town) authorize(r *http.Request, mch, serialNo, nonce string, at int64, body string, key *rsa.PrivateKey) {
	text := fmt.Sprintf("%s\n%s\n%d\n%s\n%s\n", r.Method, r.RequestURI, at, nonce, body)
	r.Header.Set("Authorization", fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%d",serial_no="%s",signature="%s"`,
		mch, nonce, at, serialNo, signed(key, text)))
}

// call calls the API and insists that the answer is signed if the call was.
func (w *town) call(method, path, body string) reply {
	w.t.Helper()
	got := w.send(w.request(method, path, body))
	if err := verified(&w.platform.PublicKey, got.header, []byte(got.raw)); err != nil {
		w.t.Fatalf("%s %s: the answer's signature: %v: %s", method, path, err, got.raw)
	}
	return got
}

func (w *town) send(r *http.Request) reply {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	got := reply{status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	if got.raw == "" {
		return got
	}
	d := json.NewDecoder(bytes.NewReader([]byte(got.raw)))
	d.UseNumber()
	if err := d.Decode(&got.body); err != nil {
		w.t.Fatalf("the answer is not JSON: %s", got.raw)
	}
	return got
}

const notifyURL = "https://shop.test/hooks/wechatpay"

// orderOf is the body of an order over some fen. More is put in before its end.
func orderOf(ref string, fen int64, more string) string {
	return fmt.Sprintf(`{"appid":"%s","mchid":"%s","description":"30 天","out_trade_no":"%s","notify_url":"%s","amount":{"total":%d,"currency":"CNY"}%s}`,
		appID, mchID, ref, notifyURL, fen, more)
}

const (
	h5Scene = `,"scene_info":{"payer_client_ip":"14.23.150.211","h5_info":{"type":"Wap"}}`
	payer   = `,"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}`
)

func (w *town) place(ref string, fen int64) (codeURL string) {
	w.t.Helper()
	r := w.call("POST", "/v3/pay/transactions/native", orderOf(ref, fen, ""))
	want(w.t, r, 200)
	return r.at("code_url").(string)
}

// paid makes an order that the customer paid and returns its transaction_id.
func (w *town) paid(ref string, fen int64) string {
	w.t.Helper()
	w.place(ref, fen)
	if _, err := w.Pay(ref); err != nil {
		w.t.Fatal(err)
	}
	return w.Charges()[len(w.Charges())-1].ID
}

func (w *town) query(ref string) reply {
	w.t.Helper()
	return w.call("GET", "/v3/pay/transactions/out-trade-no/"+ref+"?mchid="+mchID, "")
}

func (w *town) close(ref string) reply {
	w.t.Helper()
	return w.call("POST", "/v3/pay/transactions/out-trade-no/"+ref+"/close", `{"mchid":"`+mchID+`"}`)
}

func refundOf(ref, number string, fen, total int64) string {
	return fmt.Sprintf(`{"out_trade_no":"%s","out_refund_no":"%s","notify_url":"%s","amount":{"refund":%d,"total":%d,"currency":"CNY"}}`, ref, number, notifyURL, fen, total)
}

const refunds = "/v3/refund/domestic/refunds"

func (w *town) refund(ref, number string, fen, total int64) reply {
	w.t.Helper()
	return w.call("POST", refunds, refundOf(ref, number, fen, total))
}

// want checks the status of an answer, and pairs of path and value in it.
func want(t testing.TB, r reply, status int, pairs ...any) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.raw)
	}
	for i := 0; i < len(pairs); i += 2 {
		if got := r.at(pairs[i].(string)); got != pairs[i+1] {
			t.Errorf("%s is %v, want %v", pairs[i], got, pairs[i+1])
		}
	}
}

// serialOf writes a certificate's number as WeChat does.
func serialOf(n *big.Int) string { return fmt.Sprintf("%X", n) }
