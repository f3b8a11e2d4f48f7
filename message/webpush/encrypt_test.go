package webpush

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/pushsim"
)

// The example of RFC 8291, section 5 and appendix A.
const (
	rfcPlain   = "When I grow up, I want to be a watermelon"
	rfcSender  = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
	rfcPublic  = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	rfcPrivate = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	rfcSalt    = "DGv6ra1nlYgDCS1FRnbzlw"
	rfcAuth    = "BTBZMqHH6r4Tts7J_aSIgg"
	rfcBody    = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml" +
		"mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT" +
		"pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

func decoded(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func private(t *testing.T, s string) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.P256().NewPrivateKey(decoded(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheExampleOfTheStandard(t *testing.T) {
	key, auth, err := message.Subscription{Endpoint: "https://push.example.net/x", Key: rfcPublic, Auth: rfcAuth}.Keys()
	if err != nil {
		t.Fatal(err)
	}
	got, err := sealRecord(append([]byte(rfcPlain), 2), key, auth, private(t, rfcSender), decoded(t, rfcSalt))
	if err != nil || base64.RawURLEncoding.EncodeToString(got) != rfcBody {
		t.Errorf("sealRecord gives %s, %v", base64.RawURLEncoding.EncodeToString(got), err)
	}
	b := pushsim.Browser{Private: private(t, rfcPrivate), Auth: decoded(t, rfcAuth)}
	plain, err := b.Open(decoded(t, rfcBody))
	if err != nil || string(plain) != rfcPlain {
		t.Errorf("the browser reads %q, %v", plain, err)
	}
}

// What is encrypted is read by its browser and by no other, hides its length in
// steps, fits what services take, and is noticed when one bit is changed.
func TestOnlyItsBrowserReadsIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		random := rand.NewChaCha8([32]byte{byte(rapid.IntRange(0, 255).Draw(r, "seed"))})
		s := pushsim.Service{Random: random}
		mine, err := s.Subscribe()
		if err != nil {
			r.Fatal(err)
		}
		own, err := newPrivate(random)
		if err != nil {
			r.Fatal(err)
		}
		browser := pushsim.Browser{Private: private(t, rfcPrivate), Auth: decoded(t, rfcAuth)}
		text := bytes.Repeat([]byte{0}, rapid.IntRange(0, maxPlain).Draw(r, "length"))
		body, err := encrypt(text, browser.Private.PublicKey(), browser.Auth, own, decoded(t, rfcSalt))
		if err != nil || len(body) > maxBody {
			r.Fatalf("%d bytes become %d, %v", len(text), len(body), err)
		}
		if n := len(body) - 86 - tagBytes; n%padTo != 0 && n != maxPlain+1 {
			r.Fatalf("%d bytes are padded to %d", len(text), n)
		}
		if got, err := browser.Open(body); err != nil || !bytes.Equal(got, text) {
			r.Fatalf("the browser reads %d bytes of %d, %v", len(got), len(text), err)
		}
		key, auth, err := mine.Keys()
		if err != nil {
			r.Fatal(err)
		}
		if others, err := encrypt(text, key, auth, own, decoded(t, rfcSalt)); err != nil {
			r.Fatal(err)
		} else if _, err := browser.Open(others); err == nil {
			r.Fatal("another browser reads it")
		}
		at := rapid.IntRange(0, len(body)-1).Draw(r, "changed")
		if at >= 16 && at < 20 {
			return // the record's size may be said larger
		}
		body[at] ^= 1
		if _, err := browser.Open(body); err == nil {
			r.Fatalf("nobody notices that byte %d was changed", at)
		}
	})
	if _, err := encrypt(make([]byte, maxPlain+1), private(t, rfcPrivate).PublicKey(), nil, private(t, rfcSender), nil); err == nil {
		t.Error("a text that is too long is encrypted")
	}
}

func TestSubscriptionsThatAreNone(t *testing.T) {
	good := message.Subscription{Endpoint: "https://push.example.net/x", Key: rfcPublic, Auth: rfcAuth}
	if got, err := message.ParseSubscription(good.String()); err != nil || got != good {
		t.Errorf("%v, %v", got, err)
	}
	for _, parts := range [][3]string{
		{},
		{"http://push.example.net/x", rfcPublic, rfcAuth},
		{"https://127.0.0.1/x", rfcPublic, rfcAuth},
		{good.Endpoint, rfcPublic, rfcAuth + "A"},
		{good.Endpoint, rfcPublic, ""},
		{good.Endpoint, strings.Replace(rfcPublic, "BC", "BD", 1), rfcAuth},
		{good.Endpoint, rfcPublic[1:], rfcAuth},
		{good.Endpoint, rfcPublic + "=", rfcAuth},
		{"https://push.example.net/x y", rfcPublic, rfcAuth},
		{"https://push.example.net/x\r\nHost: y", rfcPublic, rfcAuth},
		{good.Endpoint, rfcPublic, rfcAuth + "\n"},
	} {
		s := message.Subscription{Endpoint: parts[0], Key: parts[1], Auth: parts[2]}
		if got, err := message.ParseSubscription(s.String()); err == nil {
			t.Errorf("%q is taken: %v", s, got)
		}
	}
}

func TestKeysReadBack(t *testing.T) {
	k, err := NewKey(rand.NewChaCha8([32]byte{3}))
	if err != nil {
		t.Fatal(err)
	}
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey(text)
	if err != nil || again.Public() != k.Public() || len(decoded(t, k.Public())) != pointBytes {
		t.Errorf("%s is read as %s, %v", k.Public(), again.Public(), err)
	}
	for _, bad := range []string{"", "x", text[1:], base64.RawURLEncoding.EncodeToString(make([]byte, 32)), text + "="} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}
