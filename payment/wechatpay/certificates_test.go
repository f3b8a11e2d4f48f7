package wechatpay

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

const expiredSerial = "5F1C72E2A8931B72A2E13AF8DEE92471EB397115"

func TestCertificatesAreKeptAndRenewed(t *testing.T) {
	d := newDesk(t, nil, always(200, codeURL))
	ask := func() error { _, err := d.Start(t.Context(), attempt()); return err }
	for range 3 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if d.certs != 1 {
		t.Errorf("certificates were asked for %d times, want once", d.certs)
	}
	// A serial that nobody knows is asked for, but not as fast as a stranger
	// can make them up.
	stranger := signer{key: privateKey(t, "merchant-key.pem")}
	for _, s := range []struct {
		serial string
		after  time.Duration
		certs  int
	}{
		{"AB01", 0, 1},
		{"AB02", again - time.Second, 1},
		{"AB03", time.Second, 2},
		{"AB04", time.Second, 2},
		{"not hex", 2 * again, 2},
		{publicKeyPrefix + "7", 0, 2},
		{strings.Repeat("A", 65), 0, 2},
	} {
		d.advance(s.after)
		stranger.serial = s.serial
		d.say = func(asked) said { return said{200, codeURL, stranger} }
		if err := ask(); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("serial %s: %v", s.serial, err)
		}
		if d.certs != s.certs {
			t.Errorf("serial %s: certificates were asked for %d times, want %d", s.serial, d.certs, s.certs)
		}
	}
	// The new certificate's first use fetches it, and the old one goes.
	d.now = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	d.ring.asked = time.Time{}
	fresh := privateKey(t, "expired-key.pem") // not yet expired, then
	d.sayCert = func() said {
		return said{200, certList(t, "expired-cert.pem", expiredSerial), signer{key: fresh, serial: expiredSerial}}
	}
	d.say = func(asked) said {
		return said{200, codeURL, signer{key: fresh, serial: strings.ToLower(expiredSerial)}}
	}
	if err := ask(); err != nil {
		t.Error(err)
	}
	d.say = always(200, codeURL)
	if err := ask(); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("signed by a certificate that is no longer listed: %v", err)
	}
}

func TestExpiredCertificateIsNotBelieved(t *testing.T) {
	old := signer{key: privateKey(t, "expired-key.pem"), serial: expiredSerial}
	d := newDesk(t, nil, func(asked) said { return said{200, codeURL, old} })
	d.sayCert = func() said { return said{200, certList(t, "expired-cert.pem", expiredSerial), old} }
	if _, err := d.Start(t.Context(), attempt()); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("error %v, want ErrUnknown", err)
	}
}

// Without a certificate nothing is sent that would have to be believed.
func TestNothingIsSentWhileNoAnswerCouldBeRead(t *testing.T) {
	list := certList(t, "platform-cert.pem", testSerial)
	for name, s := range map[string]said{
		"down":                   {status: 503},
		"unsigned":               {200, list, signer{none: true}},
		"signed by a stranger":   {200, list, signer{key: privateKey(t, "merchant-key.pem")}},
		"signed by another":      {200, list, signer{serial: "AB"}},
		"a probe":                {200, list, signer{sig: probe + "xxxx"}},
		"of yesterday":           {200, list, signer{late: 24 * time.Hour}},
		"half":                   {status: 200, body: list[:len(list)/2]},
		"none":                   {status: 200, body: `{"data":[]}`},
		"under another number":   {200, certList(t, "platform-cert.pem", "AB"), signer{serial: "AB"}},
		"by another APIv3 key":   {status: 200, body: strings.Replace(list, `"ciphertext":"`, `"ciphertext":"AAAA`, 1)},
		"a no":                   {status: 403, body: `{"code":"NO_AUTH"}`},
		"not a certificate":      {status: 200, body: encode(t, sealedList(t, "hello"))},
		"a certificate of noise": {status: 200, body: encode(t, sealedList(t, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))},
	} {
		d := newDesk(t, nil, always(200, codeURL))
		d.sayCert = func() said { return s }
		_, err := d.Start(t.Context(), attempt())
		if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) || errors.Is(err, errFalse) {
			t.Errorf("%s: error %v, want ErrNotSent", name, err)
		}
		if len(d.asks) != 0 {
			t.Errorf("%s: sent %v", name, d.asks)
		}
	}
}

func sealedList(t *testing.T, text string) any {
	return map[string]any{"data": []any{map[string]any{"serial_no": testSerial, "encrypt_certificate": sealText(t, testKey, text)}}}
}

func TestPublicKeyMode(t *testing.T) {
	key := privateKey(t, "expired-key.pem")
	ours := signer{key: key, serial: "PUB_KEY_ID_0116"}
	mode := func(c *Config) { c.PublicKeyID, c.PublicKey = ours.serial, publicText(t, key) }
	d := newDesk(t, mode, func(asked) said { return said{200, codeURL, ours} })
	if _, err := d.Start(t.Context(), attempt()); err != nil {
		t.Error(err)
	}
	if d.certs != 0 {
		t.Error("certificates were asked for")
	}
	if got := d.asks[0].header.Get("Wechatpay-Serial"); got != ours.serial {
		t.Errorf("the answer's key was asked for as %q", got)
	}
	for name, as := range map[string]signer{
		"another key":            {key: privateKey(t, "merchant-key.pem"), serial: ours.serial},
		"another id":             {key: key, serial: "PUB_KEY_ID_0117"},
		"its key under a serial": {key: key},
	} {
		d.say = func(asked) said { return said{200, codeURL, as} }
		if _, err := d.Start(t.Context(), attempt()); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// In the week of the change both come.
	d.say = always(200, codeURL)
	d.advance(again)
	if _, err := d.Start(t.Context(), attempt()); err != nil {
		t.Errorf("signed with a certificate: %v", err)
	}
	// The list may be signed with the public key, and a merchant may have none.
	d = newDesk(t, mode, always(200, codeURL))
	d.sayCert = func() said { return said{200, certList(t, "platform-cert.pem", testSerial), ours} }
	if _, err := d.Start(t.Context(), attempt()); err != nil {
		t.Errorf("list signed with the public key: %v", err)
	}
	d = newDesk(t, mode, nil)
	d.sayCert = func() said { return said{404, `{"code":"RESOURCE_NOT_EXISTS"}`, ours} }
	n := event(t, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", nil), signer{})
	if _, err := d.Notification(t.Context(), n.h, n.body); !errors.Is(err, payment.ErrForged) {
		t.Errorf("a merchant without certificates: %v, want ErrForged", err)
	}
}

func TestOneAsksForAll(t *testing.T) {
	d := newDesk(t, nil, always(200, codeURL))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := d.Start(t.Context(), attempt()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if d.certs != 1 {
		t.Errorf("certificates were asked for %d times", d.certs)
	}
}
