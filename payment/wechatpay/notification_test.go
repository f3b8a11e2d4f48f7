package wechatpay

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

type post struct {
	h    http.Header
	body []byte
}

// event is a notification as WeChat Pay makes it.
func event(t testing.TB, d *desk, kind, plain string, as signer) post {
	t.Helper()
	s := sealText(t, testKey, plain)
	return signedEvent(t, d, encode(t, map[string]any{
		"id": "EV-2018022511223320873", "create_time": "2026-03-04T13:06:31+08:00", "resource_type": "encrypt-resource", "event_type": kind, "summary": "支付成功",
		"resource": map[string]any{
			"original_type": "transaction", "algorithm": s.Algorithm, "ciphertext": s.Ciphertext, "associated_data": s.AssociatedData, "nonce": s.Nonce,
		},
	}), as)
}

func signedEvent(t testing.TB, d *desk, body string, as signer) post {
	h := http.Header{}
	sealWith(t, h, d.platform, said{body: body, as: as}, d.now)
	return post{h, []byte(body)}
}

func TestNotificationsRing(t *testing.T) {
	d := newDesk(t, nil, nil)
	refund := `{"mchid":"1900007291","out_trade_no":"abcdefghij0123456789klmnop","transaction_id":"4200001","out_refund_no":"r","refund_id":"50","refund_status":"SUCCESS"}`
	for kind, plain := range map[string]string{
		"TRANSACTION.SUCCESS": orderJSON("SUCCESS", nil),
		"REFUND.SUCCESS":      refund,
		"REFUND.ABNORMAL":     refund,
		"REFUND.CLOSED":       refund,
	} {
		n := event(t, d, kind, plain, signer{})
		want := payment.Doorbell{EventID: "EV-2018022511223320873", Kind: kind, Ref: attempt().Ref, MoneyID: "4200001"}
		for range 2 {
			if got, err := d.Notification(t.Context(), n.h, n.body); err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", kind, got, err, want)
			}
		}
	}
	if len(d.asks) != 0 || d.certs != 1 {
		t.Errorf("%d calls, %d for certificates", len(d.asks), d.certs)
	}
	// One without a name is known by its bytes.
	n := event(t, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", nil), signer{})
	n = signedEvent(t, d, strings.Replace(string(n.body), `"id":"EV-2018022511223320873"`, `"id":""`, 1), signer{})
	one, err := d.Notification(t.Context(), n.h, n.body)
	if err != nil || len(one.EventID) != 64 {
		t.Errorf("without a name: %+v, %v", one, err)
	}
	other := signedEvent(t, d, strings.Replace(string(n.body), "支付成功", "成功", 1), signer{})
	if two, err := d.Notification(t.Context(), other.h, other.body); err != nil || two.EventID == one.EventID {
		t.Errorf("two without a name are one: %+v, %v", two, err)
	}
}

func TestForgedNotifications(t *testing.T) {
	d := newDesk(t, nil, nil)
	paid := orderJSON("SUCCESS", nil)
	good := event(t, d, "TRANSACTION.SUCCESS", paid, signer{})
	if _, err := d.Notification(t.Context(), good.h, good.body); err != nil {
		t.Fatal(err)
	}
	without := func(name string) post {
		h := good.h.Clone()
		h.Del(name)
		return post{h, good.body}
	}
	set := func(name, value string) post {
		h := good.h.Clone()
		h.Set(name, value)
		return post{h, good.body}
	}
	body := string(good.body)
	for name, n := range map[string]post{
		"no headers":          {http.Header{}, good.body},
		"no body":             {good.h, nil},
		"cut":                 {good.h, good.body[:len(good.body)-1]},
		"longer":              {good.h, append([]byte(body), '\n')},
		"huge":                signedEvent(t, d, body[:len(body)-1]+strings.Repeat(" ", maxNotification)+"}", signer{}),
		"no serial":           without("Wechatpay-Serial"),
		"no signature":        without("Wechatpay-Signature"),
		"no nonce":            without("Wechatpay-Nonce"),
		"no time":             without("Wechatpay-Timestamp"),
		"another nonce":       set("Wechatpay-Nonce", "x"),
		"a time that is none": set("Wechatpay-Timestamp", "now"),
		"a negative time":     set("Wechatpay-Timestamp", "-1"),
		"a great time":        set("Wechatpay-Timestamp", "9223372036854775807"),
		"a signature, no b64": set("Wechatpay-Signature", "%%%"),
		"a probe":             set("Wechatpay-Signature", probe+good.h.Get("Wechatpay-Signature")),
		"another serial":      set("Wechatpay-Serial", "AB"),
		"a public key's":      set("Wechatpay-Serial", "PUB_KEY_ID_1"),
		"by a stranger":       event(t, d, "TRANSACTION.SUCCESS", paid, signer{key: privateKey(t, "merchant-key.pem")}),
		"old":                 event(t, d, "TRANSACTION.SUCCESS", paid, signer{late: (tolerance + 1) * time.Second}),
		"from the future":     event(t, d, "TRANSACTION.SUCCESS", paid, signer{late: -(tolerance + 1) * time.Second}),
		"another merchant":    event(t, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", map[string]any{"mchid": "1"}), signer{}),
		"no merchant":         event(t, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", map[string]any{"mchid": nil}), signer{}),
		"another app":         event(t, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", map[string]any{"appid": "wx1"}), signer{}),
		"not an object":       event(t, d, "TRANSACTION.SUCCESS", `[]`, signer{}),
		"not JSON":            signedEvent(t, d, "hello", signer{}),
		"no kind":             event(t, d, "", paid, signer{}),
		"not encrypted":       signedEvent(t, d, `{"id":"EV","event_type":"TRANSACTION.SUCCESS","resource":`+paid+`}`, signer{}),
		"by another APIv3":    signedEvent(t, d, strings.Replace(body, `"ciphertext":"`, `"ciphertext":"AAAA`, 1), signer{}),
	} {
		bell, err := d.Notification(t.Context(), n.h, n.body)
		if !errors.Is(err, payment.ErrForged) || bell != (payment.Doorbell{}) {
			t.Errorf("%s: %+v, %v; want ErrForged", name, bell, err)
		}
	}
	for _, late := range []time.Duration{tolerance * time.Second, -tolerance * time.Second} {
		n := event(t, d, "TRANSACTION.SUCCESS", paid, signer{late: late})
		if _, err := d.Notification(t.Context(), n.h, n.body); err != nil {
			t.Errorf("%v old: %v", late, err)
		}
	}
}

// What cannot be verified now may be genuine, and must come again. While
// WeChat Pay is down, strangers cannot make us call it as fast as they like.
func TestNotificationThatCannotBeVerifiedNow(t *testing.T) {
	d := newDesk(t, nil, nil)
	genuine := d.sayCert
	d.sayCert = func() said { return said{503, "", signer{none: true}} }
	n := event(t, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", nil), signer{})
	for range 5 {
		if _, err := d.Notification(t.Context(), n.h, n.body); err == nil || errors.Is(err, payment.ErrForged) {
			t.Errorf("error %v, want one that is not ErrForged", err)
		}
	}
	if d.certs != 1 {
		t.Errorf("certificates were asked for %d times", d.certs)
	}
	d.advance(pause)
	d.sayCert = genuine
	if _, err := d.Notification(t.Context(), n.h, n.body); err != nil {
		t.Errorf("later: %v", err)
	}
}

// A probe may come under a name that nobody knows. It is no reason to call.
func TestProbeCostsNothing(t *testing.T) {
	d := newDesk(t, nil, nil)
	n := event(t, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", nil), signer{serial: "AB01", sig: probe + strings.Repeat("a", 325)})
	if bell, err := d.Notification(t.Context(), n.h, n.body); !errors.Is(err, payment.ErrForged) || d.certs != 0 {
		t.Errorf("%+v, %v, %d calls for certificates", bell, err, d.certs)
	}
}

// The published notification is of another product, and its key is too short
// to be configured; all the rest is as it would be.
func TestPublishedNotification(t *testing.T) {
	v := published(t).Notification
	d := newDesk(t, func(c *Config) { c.MchID, c.AppID = "1234567890", "054aa7d7a2a54ab5898df65bd96f001c" }, nil)
	d.now = time.Date(2021, 6, 24, 8, 37, 30, 0, time.UTC)
	if _, err := d.ring.find(t.Context(), testSerial); err != nil {
		t.Fatal(err)
	}
	d.config.APIv3Key = v.Key
	h := http.Header{}
	h.Set("Wechatpay-Serial", v.Serial)
	h.Set("Wechatpay-Timestamp", v.Timestamp)
	h.Set("Wechatpay-Nonce", v.Nonce)
	h.Set("Wechatpay-Signature", v.Signature)
	want := payment.Doorbell{EventID: "3119dfba-e649-5eec-ab1e-3412bc4d2e17", Kind: "PAYSCORE.USER_OPEN_SERVICE"}
	if got, err := d.Notification(t.Context(), h, []byte(v.Body)); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range v.Body {
		if i%53 == 0 {
			body := []byte(v.Body)
			body[i] ^= 1
			if bell, err := d.Notification(t.Context(), h, body); !errors.Is(err, payment.ErrForged) {
				t.Errorf("byte %d changed: %+v, %v", i, bell, err)
			}
		}
	}
	d.advance(10 * time.Minute)
	if bell, err := d.Notification(t.Context(), h, []byte(v.Body)); !errors.Is(err, payment.ErrForged) {
		t.Errorf("ten minutes later: %+v, %v", bell, err)
	}
}

// FuzzNotification signs whatever is sent, so that the reader behind the
// signature is reached, and encrypts whatever is told.
func FuzzNotification(f *testing.F) {
	d := newDesk(f, nil, nil)
	if _, err := d.ring.find(f.Context(), testSerial); err != nil {
		f.Fatal(err)
	}
	n := event(f, d, "TRANSACTION.SUCCESS", orderJSON("SUCCESS", nil), signer{})
	f.Add(n.body, []byte(orderJSON("SUCCESS", nil)), "")
	f.Add([]byte(`{"event_type":"x","resource":{"algorithm":"AEAD_AES_256_GCM","nonce":"short","ciphertext":"AAAA"}}`), []byte(`null`), testSerial)
	f.Add([]byte(`{"resource":[]}`), []byte(`{"mchid":1}`), "AB")
	f.Add([]byte{}, []byte{0xff}, "PUB_KEY_ID_")
	f.Fuzz(func(t *testing.T, body, plain []byte, header string) {
		raw := signedEvent(t, d, string(body), signer{})
		if bell, err := d.Notification(t.Context(), raw.h, raw.body); (err == nil) == (bell == payment.Doorbell{}) {
			t.Errorf("%q: %+v, %v", body, bell, err)
		}
		e := event(t, d, "TRANSACTION.SUCCESS", string(plain), signer{})
		bell, err := d.Notification(t.Context(), e.h, e.body)
		if err == nil && !strings.Contains(string(plain), testMch) && !strings.Contains(string(plain), `\u`) {
			t.Errorf("%q is for us: %+v", plain, bell)
		}
		for _, name := range []string{"Wechatpay-Serial", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature"} {
			h := e.h.Clone()
			h.Set(name, header)
			if h.Get(name) == e.h.Get(name) || name == "Wechatpay-Serial" && canonical(header) == testSerial {
				continue
			}
			if bell, err := d.Notification(t.Context(), h, e.body); !errors.Is(err, payment.ErrForged) {
				t.Errorf("%s %q: %+v, %v", name, header, bell, err)
			}
		}
	})
}
