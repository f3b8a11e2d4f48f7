package antom

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// vectorHeader are the headers of a vector that OpenSSL signed for Antom.
func vectorHeader(name, timed, stamp string) http.Header {
	return http.Header{
		"Client-Id": {testClient}, timed: {stamp},
		"Signature": {"algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(file(name+".sig"))},
	}
}

func vectorAdapter(t testing.TB) *Adapter {
	t.Helper()
	a, err := New(config(), outbound.New(outbound.Options{}), func() time.Time { return t0 })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What OpenSSL makes of the request that we send, we make, too: PKCS#1 v1.5
// leaves no choice.
func TestRequestVector(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.KeyVersion = 3 }, answering(map[string][]string{"inquiryPayment": {result(no, noOrder)}}))
	if _, err := d.Query(t.Context(), attempt()); err != nil {
		t.Fatal(err)
	}
	r := d.asked[0]
	want := "algorithm=RSA256,keyVersion=3,signature=" + url.QueryEscape(file("request.sig"))
	for name, got := range map[string][2]string{
		"path": {r.path, "/ams/sandbox/api/v1/payments/inquiryPayment"}, "body": {r.body, file("request.json")},
		"client": {r.header.Get("Client-Id"), testClient}, "time": {r.header.Get("Request-Time"), "1935853689987"},
		"signature": {r.header.Get("Signature"), want}, "type": {r.header.Get("Content-Type"), "application/json; charset=UTF-8"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", name, got[0], got[1])
		}
	}
}

// OpenSSL's signature of an answer and of a notification is good, and of nothing
// else: not with one byte changed, wherever it is.
func TestVectorsFromAntom(t *testing.T) {
	a := vectorAdapter(t)
	for _, tt := range []struct{ name, timed, stamp, path string }{
		{"answer", "Response-Time", "2031-05-06T17:08:10+08:00", apiRoot + "inquiryPayment"},
		{"notice", "Request-Time", "2031-05-06T17:09:10+08:00", "/hooks/payment/antom"},
	} {
		h, body := vectorHeader(tt.name, tt.timed, tt.stamp), []byte(file(tt.name+".json"))
		if err := a.verify(h, tt.timed, tt.path, body); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		for i := range body {
			changed := bytes.Clone(body)
			changed[i] ^= 1
			if a.verify(h, tt.timed, tt.path, changed) == nil {
				t.Fatalf("%s is good with byte %d changed", tt.name, i)
			}
		}
		for name, spoil := range map[string]func(http.Header) (path string){
			"another path":     func(http.Header) string { return tt.path + "/" },
			"another time":     func(h http.Header) string { h.Set(tt.timed, strings.Replace(tt.stamp, "10", "11", 1)); return tt.path },
			"no time":          func(h http.Header) string { h.Del(tt.timed); return tt.path },
			"two times":        func(h http.Header) string { h.Add(tt.timed, tt.stamp); return tt.path },
			"another client":   func(h http.Header) string { h.Set("Client-Id", "SANDBOX_5Y0000000000000001"); return tt.path },
			"no signature":     func(h http.Header) string { h.Del("Signature"); return tt.path },
			"two signatures":   func(h http.Header) string { h.Add("Signature", h.Get("Signature")); return tt.path },
			"its first byte":   func(h http.Header) string { h.Set("Signature", flip(h.Get("Signature"), 40)); return tt.path },
			"its last byte":    func(h http.Header) string { h.Set("Signature", flip(h.Get("Signature"), -8)); return tt.path },
			"of another thing": func(h http.Header) string { h.Set("Signature", "signature="+file("request.sig")); return tt.path },
		} {
			bad := h.Clone()
			if path := spoil(bad); a.verify(bad, tt.timed, path, body) == nil {
				t.Errorf("%s with %s is good", tt.name, name)
			}
		}
		bare := h.Clone()
		bare.Del("Client-Id") // our own is in the signed text
		if err := a.verify(bare, tt.timed, tt.path, body); err != nil {
			t.Errorf("%s without its client: %v", tt.name, err)
		}
	}
}

// An answer of the sandbox's own, with Antom's key, as a public program prints it
// (see antomsim/testdata): its signature is good, with no byte changed, and it is
// the payment that it says it is.
func TestPublishedAnswer(t *testing.T) {
	const path = apiRoot + "pay"
	a := vectorAdapter(t)
	a.clientID, a.theirs[0] = "SANDBOX_5YEV2N2ZV8LC00920", must(publicKey(file("../antomsim/testdata/published-key.pem")))
	body := []byte(file("../antomsim/testdata/published-body.json"))
	h := http.Header{
		"Client-Id": {a.clientID}, "Response-Time": {"2025-05-19T01:52:32Z"},
		"Signature": {"algorithm=RSA256,keyVersion=2,signature=" + strings.TrimSpace(file("../antomsim/testdata/published-signature.txt"))},
	}
	r, f := a.judge(path, answerOf(http.StatusOK, h, body))
	if f != nil || r.status != perhaps || r.code != inProcess {
		t.Fatalf("%+v, %+v", r, f)
	}
	at := attempt()
	at.Ref, at.ProviderID, at.Amount = "PAY_20250519095221009", "202505191940108001001889C0238417260", money.Of(1000, "CNY")
	if _, why := opened(at, body, t0); why != "Antom answered with another amount" { // it is in SGD
		t.Errorf("read as %q", why)
	}
	for i := range body {
		changed := bytes.Clone(body)
		changed[i] ^= 1
		if a.verify(h, "Response-Time", path, changed) == nil {
			t.Fatalf("it is good with byte %d changed", i)
		}
	}
}

// flip changes one character to another that base64 knows.
func flip(s string, i int) string {
	if i < 0 {
		i += len(s)
	}
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}

// Whatever is said for another client does not fit, even if the header names ours.
func TestAnotherClientsAnswer(t *testing.T) {
	a := vectorAdapter(t)
	a.clientID = "SANDBOX_5Y0000000000000009"
	h := vectorHeader("answer", "Response-Time", "2031-05-06T17:08:10+08:00")
	h.Set("Client-Id", a.clientID)
	if a.verify(h, "Response-Time", apiRoot+"inquiryPayment", []byte(file("answer.json"))) == nil {
		t.Error("it is taken")
	}
}

// Any of Antom's keys will do while one is being replaced.
func TestSecondKey(t *testing.T) {
	a := vectorAdapter(t)
	a.theirs = []*rsa.PublicKey{&a.key.PublicKey, a.theirs[0]}
	if err := a.verify(vectorHeader("notice", "Request-Time", "2031-05-06T17:09:10+08:00"), "Request-Time", "/hooks/payment/antom", []byte(file("notice.json"))); err != nil {
		t.Errorf("the second key is not tried: %v", err)
	}
}

// The header in all forms that Antom's pages show, and in none that they do not.
func TestSignatureHeader(t *testing.T) {
	raw := []byte{0xfb, 0xff, 0xfe, 1} // +//+AQ== in base64
	plain := base64.StdEncoding.EncodeToString(raw)
	escaped := url.QueryEscape(plain)
	for _, good := range []string{
		"algorithm=RSA256,keyVersion=1,signature=" + escaped,
		"algorithm=RSA256, keyVersion=1, signature=" + escaped,
		"algorithm=rsa256,keyVersion=2,signature=" + plain,
		"signature=" + escaped + ",keyVersion=12,algorithm=RSA256",
		"signature=" + plain,
	} {
		if got, err := readSignature(good); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: %x, %v", good, got, err)
		}
	}
	for _, bad := range []string{
		"", "signature=", "signature", "keyVersion=1", plain, "algorithm=ECC224,keyVersion=1,signature=" + escaped, "algorithm=,signature=" + escaped,
		"algorithm=none,signature=" + escaped, "keyVersion=,signature=" + escaped, "keyVersion=x,signature=" + escaped,
		"signature=" + escaped + ",signature=" + escaped, "signature=" + escaped + ",", "signature=%zz", "signature=" + strings.TrimRight(plain, "="),
		"signature=" + strings.Repeat("A", maxSignature), "Signature=" + escaped,
	} {
		if got, err := readSignature(bad); err == nil {
			t.Errorf("%s: %x", bad, got)
		}
	}
}

// Whatever stands in the header: no panic, and what is read is bytes of a
// signature that can be written back.
func FuzzSignatureHeader(f *testing.F) {
	for _, s := range []string{
		"algorithm=RSA256,keyVersion=1,signature=" + url.QueryEscape(file("notice.sig")), "signature=AAAA", "signature=%2B,algorithm=RSA256", ",,=", "a=b=c", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		sig, err := readSignature(header)
		if err != nil {
			return
		}
		back, err := readSignature("signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig)))
		if err != nil || !bytes.Equal(back, sig) || len(sig) == 0 {
			t.Errorf("%q: %x, then %x, %v", header, sig, back, err)
		}
	})
}

// What becomes of a call, by status, signature and word. Only a signed S or F
// counts; everything else is unknown, or was certainly not taken.
func TestAnswersAreSorted(t *testing.T) {
	const path = apiRoot + "refund"
	unknown, notSent := payment.ErrUnknown, payment.ErrNotSent
	both := func(body string) func() (http.Header, string) {
		return func() (http.Header, string) { return signed("Response-Time", path, body), body }
	}
	as := func(body string, spoil func(http.Header)) func() (http.Header, string) {
		return func() (http.Header, string) { h := signed("Response-Time", path, body); spoil(h); return h, body }
	}
	for _, tt := range []struct {
		name   string
		status int
		say    func() (http.Header, string)
		want   status
		kind   error
	}{
		{"yes", 200, both(result(yes, "SUCCESS")), yes, nil},
		{"no", 200, both(result(no, "REFUND_AMOUNT_EXCEED")), no, nil},
		{"a no we never heard of", 200, both(result(no, "NEW_2030")), no, nil},
		{"perhaps", 200, both(result(perhaps, "UNKNOWN_EXCEPTION")), perhaps, nil},
		{"turned away", 200, both(result(no, "INVALID_SIGNATURE")), "", notSent},
		{"another word", 200, both(result("A", "ACCEPT")), "", unknown},
		{"no word", 200, both(result("", "SUCCESS")), "", unknown},
		{"no code", 200, both(result(yes, "")), "", unknown},
		{"a code that is a sentence", 200, both(result(no, "no, 王先生")), "", unknown},
		{"no result", 200, both(`{}`), "", unknown},
		{"half an answer", 200, both(`{"result":{"resultStatus":"F"`), "", unknown},
		{"a page", 200, both("<html>maintenance</html>"), "", unknown},
		{"an unsigned yes", 200, as(result(yes, "SUCCESS"), func(h http.Header) { h.Del("Signature") }), "", unknown},
		{"an unsigned no", 200, as(result(no, "REFUND_AMOUNT_EXCEED"), func(h http.Header) { h.Del("Signature") }), "", unknown},
		{"an unsigned rejection", 200, as(result(no, "INVALID_SIGNATURE"), func(h http.Header) { h.Del("Signature") }), "", unknown},
		{"a signature of something else", 200, as(result(no, "PROCESS_FAIL"), func(h http.Header) { h.Set("Response-Time", "1") }), "", unknown},
		{"for another client", 200, as(result(no, "PROCESS_FAIL"), func(h http.Header) { h.Set("Client-Id", "x") }), "", unknown},
		{"an answer to another call", 200, func() (http.Header, string) {
			return signed("Response-Time", apiRoot+"inquiryPayment", result(yes, "SUCCESS")), result(yes, "SUCCESS")
		}, "", unknown},
		{"broken", 500, both(result(no, "PROCESS_FAIL")), "", unknown},
		{"elsewhere", 302, both(""), "", unknown},
		{"busy", 429, both(""), "", notSent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				h, body := tt.say()
				maps.Copy(w.Header(), h)
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(body))
			})
			r, f := d.do(t.Context(), "refund", named{"x"})
			if tt.kind == nil {
				if f != nil || r.status != tt.want {
					t.Errorf("%+v, %+v", r, f)
				}
				return
			}
			if f == nil || !errors.Is(f.kind, tt.kind) || !only(f.acted("refund"), tt.kind) {
				t.Fatalf("%+v, %+v; want %v", r, f, tt.kind)
			}
			if s := f.acted("refund").Error(); strings.Contains(s, "王") || strings.Contains(s, "138") {
				t.Errorf("the error quotes the answer: %s", s)
			}
		})
	}
}
