package antom

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/payment"
)

const hookPath = "/hooks/payment/antom"

func vectorNotice() (http.Header, []byte) {
	return vectorHeader("notice", "Request-Time", "2031-05-06T17:09:10+08:00"), []byte(file("notice.json"))
}

func TestNotificationVector(t *testing.T) {
	a := vectorAdapter(t)
	h, body := vectorNotice()
	sum := sha256.Sum256(body)
	want := payment.Doorbell{
		EventID: hex.EncodeToString(sum[:]), Kind: "PAYMENT_RESULT", Ref: attempt().Ref, ProviderID: testID, MoneyID: testID,
		Answer: heard, AnswerType: "application/json",
	}
	for range 2 { // the same event sent twice is the same event
		got, err := a.Notification(t.Context(), h, body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("error %v (-want +got):\n%s", err, diff)
		}
	}
}

// Of refunds and disputes Antom tells with other words; all are acknowledged.
func TestKindsOfNotifications(t *testing.T) {
	a := vectorAdapter(t)
	for body, want := range map[string]payment.Doorbell{
		`{"notifyType":"PAYMENT_PENDING","paymentRequestId":"r","paymentId":"p"}`:                                        {Kind: "PAYMENT_PENDING", Ref: "r", ProviderID: "p", MoneyID: "p"},
		`{"notifyType":"REFUND_RESULT","refundStatus":"SUCCESS","refundRequestId":"x","refundId":"y"}`:                   {Kind: "REFUND_RESULT"},
		`{"disputeNotificationType":"DISPUTE_CREATED","paymentRequestId":"r","paymentId":"p","disputeId":"d","arn":"1"}`: {Kind: "DISPUTE_CREATED", Ref: "r", ProviderID: "p", MoneyID: "p"},
		`{"something":"new"}`: {Kind: "notification"},
	} {
		got, err := a.Notification(t.Context(), signed("Request-Time", hookPath, body), []byte(body))
		want.EventID, want.Answer, want.AnswerType = got.EventID, heard, "application/json"
		if err != nil || got != want || got.EventID == "" {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func TestForgedNotifications(t *testing.T) {
	a := vectorAdapter(t)
	h, body := vectorNotice()
	other := vectorAdapter(t)
	other.clientID = "SANDBOX_5Y0000000000000001"
	elsewhere := vectorAdapter(t)
	elsewhere.notifyPath = "/hooks/payment/alipay"
	ours := vectorAdapter(t)
	ours.theirs[0] = &ours.key.PublicKey
	long := `{"notifyType":"` + strings.Repeat("x", maxNotice) + `"}`
	for name, tt := range map[string]struct {
		a    *Adapter
		h    http.Header
		body string
	}{
		"another client":   {other, h, string(body)},
		"another address":  {elsewhere, h, string(body)},
		"another key":      {ours, h, string(body)},
		"no headers":       {a, http.Header{}, string(body)},
		"an empty body":    {a, signed("Request-Time", hookPath, ""), ""},
		"half":             {a, h, string(body[:len(body)/2])},
		"one more byte":    {a, h, string(body) + "\n"},
		"another amount":   {a, h, strings.Replace(string(body), "1980", "1", 1)},
		"not an event":     {a, signed("Request-Time", hookPath, "success"), "success"},
		"too long":         {a, signed("Request-Time", hookPath, long), long},
		"an answer, moved": {a, signed("Response-Time", hookPath, string(body)), string(body)},
	} {
		if bell, err := tt.a.Notification(t.Context(), tt.h, []byte(tt.body)); !errors.Is(err, payment.ErrForged) {
			t.Errorf("%s: %+v, %v", name, bell, err)
		}
	}
}

// Whatever is posted: no panic, and nothing but the genuine contents is believed.
func FuzzNotification(f *testing.F) {
	a := vectorAdapter(f)
	h, body := vectorNotice()
	genuine, err := a.Notification(f.Context(), h, body)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body, "2031-05-06T17:09:10+08:00", h.Get("Signature"), testClient)
	f.Add([]byte(`{}`), "", "signature=AAAA", "")
	f.Fuzz(func(t *testing.T, body []byte, stamp, signature, client string) {
		posted := http.Header{"Request-Time": {stamp}, "Signature": {signature}, "Client-Id": {client}}
		bell, err := a.Notification(t.Context(), posted, body)
		if err == nil && bell != genuine || err != nil && !errors.Is(err, payment.ErrForged) {
			t.Errorf("%q: %+v, %v", body, bell, err)
		}
		bell, err = bellOf(body) // as if it had been Antom's: to sign each would take too long
		if (err == nil) != (bell.EventID != "" && bell.Kind != "" && bell.Answer == heard) || err != nil && !errors.Is(err, payment.ErrForged) {
			t.Errorf("%q, signed: %+v, %v", body, bell, err)
		}
	})
}
