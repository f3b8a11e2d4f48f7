package paypal

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	webhook = "4JH86294D6297924G"
	certURL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
)

// issuer is an authority that certifies whom it is told to.
type issuer struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

func newKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

// Keys take a while to make, so that all tests share these.
var (
	authority = sync.OnceValue(func() issuer { return issuer{}.certify("Authority", newKey(), always2015) })
	another   = sync.OnceValue(func() issuer { return issuer{}.certify("Another", newKey(), always2015) })
	ourKey    = sync.OnceValue(newKey)
)

var always2015 = [2]time.Time{time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)}

// certify makes an authority below i, or a root.
func (i issuer) certify(name string, key *rsa.PrivateKey, life [2]time.Time) issuer {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: life[0], NotAfter: life[1],
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	parent, signer := template, key
	if i.cert != nil {
		parent, signer = i.cert, i.key
	}
	return issuer{parse(x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)), key}
}

// sign issues a certificate for a key.
func (i issuer) sign(name string, public any, life [2]time.Time) *x509.Certificate {
	return parse(x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: life[0], NotAfter: life[1], KeyUsage: x509.KeyUsageDigitalSignature,
	}, i.cert, public, i.key))
}

func parse(der []byte, err error) *x509.Certificate {
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

func file(certs ...*x509.Certificate) string {
	var b bytes.Buffer
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.String()
}

func roots(i issuer) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(i.cert)
	return p
}

// post is a notification.
type post struct {
	h    http.Header
	body []byte
}

// signed is a notification by key to a webhook.
func signed(key *rsa.PrivateKey, webhook, body string) post {
	const id, at = "103e3700-8b0c-11e6-8695-6b62a8a99ac4", "2031-05-06T07:08:09Z"
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%s|%d", id, at, webhook, crc32.ChecksumIEEE([]byte(body))))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return post{http.Header{
		"Paypal-Transmission-Id": {id}, "Paypal-Transmission-Time": {at}, "Paypal-Auth-Algo": {"SHA256withRSA"},
		"Paypal-Cert-Url": {certURL}, "Paypal-Transmission-Sig": {base64.StdEncoding.EncodeToString(sig)},
	}, []byte(body)}
}

// office is an adapter that gets certificates from answer.
func office(t testing.TB, answer func(q asked) (int, string)) *desk {
	return newDeskWith(t, Config{WebhookID: webhook, Roots: roots(authority())}, answer)
}

// holds answers with a certificate of ours.
func holds() func(asked) (int, string) {
	return always(http.StatusOK, file(authority().sign("messages", &ourKey().PublicKey, always2015)))
}

// vector is a published webhook of 2015 and 2016, and the public key that all
// three verify with: see testdata.
type vector struct {
	name, id, time, webhook, event string
	crc                            uint32
}

var vectors = []vector{
	{"py-1", "dfb3be50-fd74-11e4-8bf3-77339302725b", "2015-05-18T15:45:13Z", "4JH86294D6297924G", "WH-0G2756385H040842W-5Y612302CV158622M", 2771810304},
	{"py-2", "103e3700-8b0c-11e6-8695-6b62a8a99ac4", "2016-10-05T14:57:40Z", "3TR748995U920805P", "WH-82L71649W50323023-5WC64761VS637831A", 4280182022},
	{"py-3", "d938e770-8046-11e6-8103-6b62a8a99ac4", "2016-09-21T22:00:46Z", "9XL90610J3647323C", "WH-9UG43882HX7271132-6E0871324L7949614", 1915257671},
}

func (v vector) post(t testing.TB) post {
	return post{http.Header{
		"Paypal-Transmission-Id": {v.id}, "Paypal-Transmission-Time": {v.time}, "Paypal-Auth-Algo": {"SHA256withRSA"},
		"Paypal-Cert-Url": {certURL}, "Paypal-Transmission-Sig": {strings.TrimSpace(string(testdata(t, v.name+".sig")))},
	}, testdata(t, v.name+".json")}
}

func testdata(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectorKey is PayPal's sandbox key of those years. Its certificate is not
// published, so our authority issues one for it.
func vectorKey(t testing.TB) *rsa.PublicKey {
	block, _ := pem.Decode(testdata(t, "py-pub.pem"))
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return k.(*rsa.PublicKey)
}

func TestVectors(t *testing.T) {
	certificate := file(authority().sign("messages", vectorKey(t), always2015))
	for _, v := range vectors {
		p := v.post(t)
		if crc := crc32.ChecksumIEEE(p.body); crc != v.crc {
			t.Fatalf("%s: crc %d, want %d: the file has changed", v.name, crc, v.crc)
		}
		d := newDeskWith(t, Config{WebhookID: v.webhook, Roots: roots(authority())}, always(http.StatusOK, certificate))
		d.now, _ = time.Parse(time.RFC3339, v.time)
		bell, err := d.Notification(t.Context(), p.h, p.body)
		if want := (payment.Doorbell{EventID: v.event, Kind: "PAYMENT.SALE.COMPLETED"}); err != nil || bell != want {
			t.Errorf("%s: %+v, %v; want %+v", v.name, bell, err, want)
		}
		forged := func(what string, h http.Header, body []byte) {
			t.Helper()
			if bell, err := d.Notification(t.Context(), h, body); !errors.Is(err, payment.ErrForged) {
				t.Errorf("%s, %s: %+v, %v", v.name, what, bell, err)
			}
		}
		for i := 0; i < len(p.body); i += 37 {
			body := bytes.Clone(p.body)
			body[i] ^= 1
			forged(fmt.Sprintf("byte %d changed", i), p.h, body)
		}
		forged("a line feed more", p.h, append(bytes.Clone(p.body), '\n'))
		for name := range p.h {
			h := p.h.Clone()
			value := []byte(h.Get(name))
			value[len(value)/2] ^= 1
			if name == "Paypal-Cert-Url" {
				continue // another certificate: see below
			}
			h.Set(name, string(value))
			forged(name+" changed", h, p.body)
			h.Del(name)
			forged(name+" missing", h, p.body)
		}
		d.config.WebhookID = webhook + "X"
		forged("another app's", p.h, p.body)
	}
	d := newDeskWith(t, Config{Roots: roots(authority())}, holds())
	p := signed(ourKey(), "", `{"id":"WH-1","event_type":"X"}`)
	if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) || d.wire.Calls() != 0 {
		t.Errorf("without a webhook: %v, %d calls", err, d.wire.Calls())
	}
}

// An address that is not PayPal's is refused before anything is asked.
func TestCertificateAddresses(t *testing.T) {
	d := office(t, holds())
	p := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`)
	for _, address := range []string{
		"http://api.paypal.com/v1/notifications/certs/CERT-1",
		"https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
		"https://evil.example/v1/notifications/certs/CERT-1",
		"https://evilapi.paypal.com/v1/notifications/certs/CERT-1",
		"https://paypal.com/v1/notifications/certs/CERT-1",
		"https://www.paypal.com/v1/notifications/certs/CERT-1",
		"https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
		"https://api.paypal.com:443/v1/notifications/certs/CERT-1",
		"https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
		"https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
		"https://me:secret@api.paypal.com/v1/notifications/certs/CERT-1",
		"https://api.paypal.com\\@evil.example/v1/notifications/certs/CERT-1",
		"https://api.paypal.com./v1/notifications/certs/CERT-1",
		"https://api.paypal.com/v1/notifications/certs/../../redirect",
		"https://api.paypal.com/v1/notifications/certs/..",
		"https://api.paypal.com/v1/notifications/certs/.",
		"https://api.paypal.com/v1/notifications/certs/%2e%2e",
		"https://api.paypal.com/v1/notifications/certs/CERT-1/x",
		"https://api.paypal.com/v1/notifications/certs/CERT-1?x=y",
		"https://api.paypal.com/v1/notifications/certs/CERT-1?",
		"https://api.paypal.com/v1/notifications/certs/CERT-1#x",
		"https://api.paypal.com/v1/notifications/certs/",
		"https://api.paypal.com/v1/oauth2/token",
		"https://api.paypal.com",
		"//api.paypal.com/v1/notifications/certs/CERT-1",
		"file:///v1/notifications/certs/CERT-1",
		"https://api.paypal.com/v1/notifications/certs/" + strings.Repeat("a", 65),
		" https://api.paypal.com/v1/notifications/certs/CERT-1",
		"", "\x00", "%",
	} {
		p.h.Set("Paypal-Cert-Url", address)
		if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if d.wire.Calls() != 0 {
		t.Errorf("%d calls for addresses that are not PayPal's: %q", d.wire.Calls(), d.lines())
	}
	for _, address := range []string{"https://api.paypal.com/v1/notifications/certs/CERT-1", certURL} {
		p.h.Set("Paypal-Cert-Url", address)
		if _, err := d.Notification(t.Context(), p.h, p.body); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
	d.config.CertHosts = []string{"localhost:8080"}
	p.h.Set("Paypal-Cert-Url", "https://localhost:8080/v1/notifications/certs/CERT-1")
	if _, err := d.Notification(t.Context(), p.h, p.body); err != nil {
		t.Errorf("a host that is configured: %v", err)
	}
	p.h.Set("Paypal-Cert-Url", certURL)
	if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) {
		t.Errorf("a host that is no longer configured: %v", err)
	}
}

// Certificates count only if they hold now and lead to whom we trust.
func TestCertificates(t *testing.T) {
	year := [2]time.Time{t0.AddDate(-1, 0, 0), t0.AddDate(1, 0, 0)}
	public := &ourKey().PublicKey
	between := authority().certify("Between", ourKey(), year)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`)
	for name, tt := range map[string]struct {
		status int
		file   string
		ok     bool
		forged bool // else: not now
	}{
		"good":               {200, file(authority().sign("messages", public, year)), true, false},
		"with one between":   {200, file(between.sign("messages", public, year), between.cert), true, false},
		"one between missed": {200, file(between.sign("messages", public, year)), false, true},
		"another authority":  {200, file(another().sign("messages.paypal.com", public, year)), false, true},
		"with its authority": {200, file(another().sign("messages.paypal.com", public, year), another().cert), false, true},
		"by itself":          {200, file(issuer{}.certify("messages.paypal.com", ourKey(), year).cert), false, true},
		"expired":            {200, file(authority().sign("messages", public, [2]time.Time{year[0], t0.Add(-time.Second)})), false, true},
		"not yet":            {200, file(authority().sign("messages", public, [2]time.Time{t0.Add(time.Second), year[1]})), false, true},
		"another's key":      {200, file(authority().sign("messages", &another().key.PublicKey, year)), false, true},
		"an elliptic key":    {200, file(authority().sign("messages", &curve.PublicKey, year)), false, true},
		"a small key":        {200, file(authority().sign("messages", &small.PublicKey, year)), false, true},
		"none there":         {404, "", false, true},
		"none any more":      {410, "", false, true},
		"broken":             {500, "", false, false},
		"good, but broken":   {500, file(authority().sign("messages", public, year)), false, false},
		"too fast":           {429, "", false, false},
		"moved":              {302, "", false, false},
		"empty":              {200, "", false, false},
		"half":               {200, file(authority().sign("messages", public, year))[:700], false, false},
		"a page":             {200, "<html>", false, false},
		"a key":              {200, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", false, false},
		"not a certificate":  {200, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", false, false},
		"endless":            {200, strings.Repeat(file(authority().cert), 9), false, false},
		"huge":               {200, file(authority().sign("messages", public, year)) + strings.Repeat(" ", 64<<10), false, false},
	} {
		d := office(t, always(tt.status, tt.file))
		p := p
		if name == "a small key" {
			p = signed(small, webhook, string(p.body))
		}
		bell, err := d.Notification(t.Context(), p.h, p.body)
		if tt.ok != (err == nil) || tt.forged != errors.Is(err, payment.ErrForged) {
			t.Errorf("%s: %+v, %v", name, bell, err)
		}
	}
	for _, f := range []outboundsim.Fault{outboundsim.Refuse, outboundsim.LoseRequest, outboundsim.LoseAnswer, outboundsim.Garble, outboundsim.Break, outboundsim.Busy} {
		d := office(t, holds())
		d.wire.Choose = func(*http.Request) outboundsim.Fault { return f }
		if _, err := d.Notification(t.Context(), p.h, p.body); err == nil || errors.Is(err, payment.ErrForged) {
			t.Errorf("%s: error %v, want one that is not ErrForged", f, err)
		}
		d.wire.Choose = nil
		if _, err := d.Notification(t.Context(), p.h, p.body); err != nil {
			t.Errorf("%s, and again: %v", f, err)
		}
	}
}

// Under the system's roots a certificate must be in PayPal's name.
func TestCertificateNames(t *testing.T) {
	for name, want := range map[string]bool{
		"messageverificationcerts.paypal.com": true, "messageverificationcerts.sandbox.paypal.com": true, "Messages.PayPal.com": true,
		"paypal.com.evil.example": false, "evilpaypal.com": false, "evil.example": false, "": false,
	} {
		if got := inPayPalsName(&x509.Certificate{Subject: pkix.Name{CommonName: name}}); got != want {
			t.Errorf("common name %q: %t", name, got)
		}
		if got := inPayPalsName(&x509.Certificate{DNSNames: []string{"x", name}}); got != want {
			t.Errorf("alternative name %q: %t", name, got)
		}
	}
}

// A certificate is fetched once, stops holding when its time is over by our
// clock, and only so many are kept.
func TestCertificatesAreKept(t *testing.T) {
	end := t0.Add(24 * time.Hour)
	d := office(t, always(http.StatusOK, file(authority().sign("messages", &ourKey().PublicKey, [2]time.Time{t0.Add(-time.Hour), end}))))
	p := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := d.Notification(t.Context(), p.h, p.body); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(d.asked) != 1 {
		t.Errorf("fetched %d times", len(d.asked))
	}
	for i := range 2 * maxCerts {
		p.h.Set("Paypal-Cert-Url", fmt.Sprintf("https://api.paypal.com/v1/notifications/certs/CERT-%d", i))
		if _, err := d.Notification(t.Context(), p.h, p.body); err != nil {
			t.Error(err)
		}
	}
	if n := len(d.certs.files); n != maxCerts {
		t.Errorf("%d are kept", n)
	}
	before := len(d.asked)
	d.advance(24*time.Hour + time.Second)
	if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) || len(d.asked) != before {
		t.Errorf("after its end: %v, %d more fetched", err, len(d.asked)-before)
	}
}

// A chain is proved once for the time in which all of it holds, and what is
// answered is what a fresh proof says, whichever way the clock goes.
func TestProofIsKeptWhileTheWholeChainHolds(t *testing.T) {
	second := t0.Truncate(time.Second) // as certificates count
	at := func(h time.Duration) time.Time { return second.Add(h * time.Hour) }
	between := authority().certify("Between", another().key, [2]time.Time{at(-2), at(5)})
	chain := []*x509.Certificate{between.sign("messages", &ourKey().PublicKey, [2]time.Time{at(-3), at(9)}), between.cert}
	d := office(t, always(http.StatusOK, file(chain...)))
	p := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`)
	ring := func(now time.Time) error {
		d.mu.Lock()
		d.now = now
		d.mu.Unlock()
		_, err := d.Notification(context.Background(), p.h, p.body)
		if err != nil && !errors.Is(err, payment.ErrForged) {
			t.Errorf("at %v: %v", now, err)
		}
		return err
	}
	if err := ring(t0); err != nil {
		t.Fatal(err)
	}
	whole := d.certs.files[0].proven
	if !whole.from.Equal(at(-2)) || !whole.until.Equal(at(5)) {
		t.Errorf("proven from %v to %v", whole.from, whole.until)
	}
	borders := []time.Duration{-2*time.Hour - 1, -2 * time.Hour, 5 * time.Hour, 5*time.Hour + 1, 9*time.Hour + 1}
	rapid.Check(t, func(t *rapid.T) {
		now := second.Add(rapid.OneOf(rapid.SampledFrom(borders), rapid.Map(rapid.Int64Range(-4, 10), func(h int64) time.Duration { return time.Duration(h) * time.Hour })).Draw(t, "later"))
		_, fresh := d.prove(chain, now)
		if err := ring(now); (err == nil) != (fresh == nil) {
			t.Fatalf("at %v: %v, a fresh proof says %v", now, err, fresh)
		}
	})
	// While the proof holds the chain is not looked at: here it could not be proved.
	d.certs.files[0].chain = chain[:1]
	for h, want := range map[time.Duration]bool{0: true, 5: true, 6: false, -3: false} {
		d.certs.files[0].proven = whole
		if err := ring(at(h)); (err == nil) != want {
			t.Errorf("%d h later: %v", h, err)
		}
	}
}

// The key of a proof is the certificate's own: another's notification under the
// same address is refused, whether the chain was proved before or not.
func TestProofIsOfOneKey(t *testing.T) {
	d := office(t, holds())
	good, bad := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`), signed(another().key, webhook, `{"id":"WH-1","event_type":"X"}`)
	var wg sync.WaitGroup
	for i := range 16 {
		p, want := good, true
		if i%2 == 1 {
			p, want = bad, false
		}
		wg.Go(func() {
			for range 4 {
				if _, err := d.Notification(t.Context(), p.h, p.body); (err == nil) != want || err != nil && !errors.Is(err, payment.ErrForged) {
					t.Errorf("%v, want good: %v", err, want)
				}
			}
		})
	}
	wg.Wait()
}

// What was never PayPal's does not push out what is.
func TestBadCertificatesAreNotKept(t *testing.T) {
	d := office(t, always(http.StatusOK, file(another().sign("messages", &ourKey().PublicKey, always2015))))
	p := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`)
	if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) || len(d.certs.files) != 0 {
		t.Errorf("%v, %d kept", err, len(d.certs.files))
	}
}

// What is signed and no event is not believed either; and whatever is too long
// is refused before anything is fetched.
func TestBodies(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"id":"WH-1","event_type":"X"}`:               true,
		`{"id":"WH-1","event_type":"X","resource":{}}`: true,
		`{"id":"WH-1"}`:                 false,
		`{"event_type":"X"}`:            false,
		`{"id":1,"event_type":"X"}`:     false,
		`{"id":"WH-1","event_type":"X"`: false,
		`[]`:                            false,
		``:                              false,
		`null`:                          false,
		`{"id":"a b","event_type":"X"}`: false,
	} {
		d := office(t, holds())
		p := signed(ourKey(), webhook, body)
		bell, err := d.Notification(t.Context(), p.h, p.body)
		if ok != (err == nil) || !ok && !errors.Is(err, payment.ErrForged) {
			t.Errorf("%s: %+v, %v", body, bell, err)
		}
	}
	d := office(t, holds())
	p := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`+strings.Repeat(" ", maxEvent))
	if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) || d.wire.Calls() != 0 {
		t.Errorf("huge: %v after %d calls", err, d.wire.Calls())
	}
	if p := signed(ourKey(), "another", `{"id":"WH-1","event_type":"X"}`); true {
		if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("another app's: %v", err)
		}
	}
	for name, value := range map[string]string{
		"Paypal-Transmission-Id": "a|b", "Paypal-Transmission-Time": "a|b", "Paypal-Auth-Algo": "SHA1withRSA",
		"Paypal-Transmission-Sig": strings.Repeat("A", 2049), "paypal-transmission-sig": "not base64",
	} {
		p := signed(ourKey(), webhook, `{"id":"WH-1","event_type":"X"}`)
		p.h.Set(name, value)
		if _, err := d.Notification(t.Context(), p.h, p.body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("%s %q: %v", name, value, err)
		}
	}
}

func TestDoorbells(t *testing.T) {
	const order, capture = "5O190127TN364715T", "3C679366HH908993F"
	related := object{"related_ids": object{"order_id": order}}
	up := []object{{"rel": "self", "href": "https://api.paypal.com/v2/payments/refunds/1JU"}, {"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/" + capture}}
	for _, tt := range []struct {
		kind, shape string
		resource    object
		want        payment.Doorbell
	}{
		{"CHECKOUT.ORDER.APPROVED", "checkout-order", object{"id": order, "purchase_units": []object{{"custom_id": ref}}}, payment.Doorbell{Ref: ref, ProviderID: order}},
		{"CHECKOUT.PAYMENT-APPROVAL.REVERSED", "", object{"order_id": order, "purchase_units": []object{{"custom_id": ref}}}, payment.Doorbell{Ref: ref, ProviderID: order}},
		{"PAYMENT.CAPTURE.COMPLETED", "capture", object{"id": capture, "custom_id": ref, "supplementary_data": related}, payment.Doorbell{Ref: ref, ProviderID: order, MoneyID: capture}},
		{"PAYMENT.CAPTURE.PENDING", "capture", object{"id": capture, "custom_id": ref}, payment.Doorbell{Ref: ref, MoneyID: capture}},
		{"PAYMENT.CAPTURE.DECLINED", "capture", object{"id": capture, "custom_id": ref}, payment.Doorbell{Ref: ref, MoneyID: capture}},
		{"PAYMENT.CAPTURE.REVERSED", "capture", object{"id": capture, "custom_id": ref}, payment.Doorbell{Ref: ref, MoneyID: capture}},
		{"PAYMENT.CAPTURE.REVERSED", "refund", object{"id": "1JU", "custom_id": ref, "links": up}, payment.Doorbell{MoneyID: capture}},
		{"PAYMENT.CAPTURE.REFUNDED", "refund", object{"id": "1JU", "custom_id": refundRef, "links": up}, payment.Doorbell{MoneyID: capture}},
		{"PAYMENT.CAPTURE.REFUNDED", "refund", object{"id": "1JU", "custom_id": refundRef}, payment.Doorbell{}},
		{"PAYMENT.REFUND.FAILED", "refund", object{"id": "1JU", "supplementary_data": object{"related_ids": object{"order_id": order, "capture_id": capture}}}, payment.Doorbell{ProviderID: order, MoneyID: capture}},
		{"CUSTOMER.DISPUTE.CREATED", "dispute", object{"dispute_id": "PP-D-1", "disputed_transactions": []object{{"seller_transaction_id": capture, "custom": ref}}}, payment.Doorbell{Ref: ref, MoneyID: capture}},
		{"CUSTOMER.DISPUTE.CREATED", "dispute", object{"dispute_id": "PP-D-1"}, payment.Doorbell{}},
		{"CATALOG.PRODUCT.CREATED", "product", object{"id": "X", "custom_id": ref}, payment.Doorbell{}},
		{"PAYMENT.CAPTURE.COMPLETED", "capture", object{"id": capture, "custom_id": "Anna Schmidt"}, payment.Doorbell{MoneyID: capture}},
	} {
		d := office(t, holds())
		tt.want.EventID, tt.want.Kind = "WH-1", tt.kind
		p := signed(ourKey(), webhook, object{"id": "WH-1", "event_type": tt.kind, "resource_type": tt.shape, "resource": tt.resource}.String())
		if bell, err := d.Notification(t.Context(), p.h, p.body); err != nil || bell != tt.want {
			t.Errorf("%s %s: %+v, %v; want %+v", tt.kind, tt.shape, bell, err, tt.want)
		}
	}
}

// A notification by a stranger never makes a doorbell, and never a panic.
func FuzzNotification(f *testing.F) {
	d := office(f, holds())
	for _, v := range vectors {
		p := v.post(f)
		f.Add(v.id, v.time, p.h.Get("Paypal-Transmission-Sig"), certURL, "SHA256withRSA", p.body)
	}
	f.Add("", "", "", "", "", []byte(nil))
	f.Add("a|b", "c", "AAAA", "https://api.paypal.com/v1/notifications/certs/CERT-1", "SHA256withRSA", []byte(`{"id":"x"}`))
	f.Fuzz(func(t *testing.T, id, at, sig, address, algo string, body []byte) {
		h := http.Header{
			"Paypal-Transmission-Id": {id}, "Paypal-Transmission-Time": {at}, "Paypal-Transmission-Sig": {sig},
			"Paypal-Cert-Url": {address}, "Paypal-Auth-Algo": {algo},
		}
		if bell, err := d.Notification(t.Context(), h, body); err == nil {
			t.Errorf("believed: %+v", bell)
		}
	})
}

// Events of any shape ring, or not, and never panic.
func FuzzEvent(f *testing.F) {
	d := office(f, holds())
	for _, v := range vectors {
		f.Add(string(v.post(f).body))
	}
	f.Add(`{"id":"a","event_type":"PAYMENT.CAPTURE.REFUNDED","resource":{"links":[{"rel":"up","href":"%"}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		p := signed(ourKey(), webhook, body)
		bell, err := d.Notification(t.Context(), p.h, p.body)
		for _, s := range []string{bell.EventID, bell.Kind, bell.Ref, bell.ProviderID, bell.MoneyID} {
			if s != word(s) {
				t.Errorf("%q is passed on", s)
			}
		}
		if (err == nil) != (bell.EventID != "") {
			t.Errorf("%+v, %v", bell, err)
		}
	})
}

// Whatever an order looks like, it is paid only with money in it, and an answer
// that makes no sense changes nothing.
func FuzzAnswer(f *testing.F) {
	for _, o := range []object{
		orderOf("PAYER_ACTION_REQUIRED", nil, nil), orderOf("APPROVED", nil, nil), paidOrder(refundOfState("PENDING", 5)),
		orderOf("COMPLETED", []object{captureOfState("PENDING", "ECHECK")}, nil),
	} {
		f.Add(200, o.String())
	}
	f.Add(422, refusalOf("UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED"))
	f.Add(404, refusalOf("RESOURCE_NOT_FOUND", ""))
	f.Fuzz(func(t *testing.T, status int, body string) {
		if !slices.Contains([]int{200, 201, 400, 401, 403, 404, 409, 422, 429, 500}, status) {
			return
		}
		d := newDesk(t, always(status, body))
		obs, err := d.Query(t.Context(), started())
		if err != nil && (!errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) || !reflect.DeepEqual(obs, payment.Observation{})) {
			t.Errorf("Query: %+v, %v", obs, err)
		}
		if err == nil && (obs.State == payment.Paid && (obs.Amount.Minor <= 0 || obs.MoneyID == "") || obs.Amount.Currency == "") {
			t.Errorf("Query: %+v", obs)
		}
		if _, err := d.Start(t.Context(), started()); err != nil && errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
			t.Errorf("Start: %v", err)
		}
		if _, err := d.Refund(t.Context(), refundDue()); err != nil && errors.Is(err, payment.ErrNotSent) == errors.Is(err, payment.ErrUnknown) {
			t.Errorf("Refund: %v", err)
		}
	})
}
