package stripe

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
)

// The vector is stripe-dotnet's: src/StripeTests/Services/Events/EventUtilityTest.cs
// and Resources/event_test_signature.json (github.com/stripe/stripe-dotnet).
const (
	vectorSecret = "webhook_secret"
	vectorTime   = 1533204620
	vectorV1     = "2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7"
	vectorV0     = "63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef"
)

func vectorBody(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/event_test_signature.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// at returns an adapter of account acct_123 whose clock stands at unix.
func at(t testing.TB, unix int64, secrets ...string) *Adapter {
	a, err := New(Config{Key: "sk_test_1", WebhookSecrets: secrets, Account: "acct_123"}, outbound.New(outbound.Options{}),
		func() time.Time { return time.Unix(unix, 999_000_000) })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func header(s string) http.Header { return http.Header{"Stripe-Signature": {s}} }

func TestNotificationVector(t *testing.T) {
	body := vectorBody(t)
	good := fmt.Sprintf("t=%d,v1=%s,v0=%s", vectorTime, vectorV1, vectorV0)
	wrong := "3" + vectorV1[1:]
	tests := []struct {
		name   string
		after  int64
		header string
		secret []string
		ok     bool
	}{
		{"at once", 0, good, []string{vectorSecret}, true},
		{"five minutes later", 300, good, []string{vectorSecret}, true},
		{"a second more", 301, good, []string{vectorSecret}, false},
		{"our clock is behind", -300, good, []string{vectorSecret}, true},
		{"our clock is far behind", -301, good, []string{vectorSecret}, false},
		{"another secret", 0, good, []string{"webhook_Secret"}, false},
		{"no secret", 0, good, nil, false},
		{"one of two secrets", 0, good, []string{"new", vectorSecret}, true},
		{"one of two signatures", 0, fmt.Sprintf("t=%d,v1=%s,v1=%s", vectorTime, wrong, vectorV1), []string{vectorSecret}, true},
		{"one of two signatures, the first", 0, fmt.Sprintf("t=%d,v1=%s,v1=%s", vectorTime, vectorV1, wrong), []string{vectorSecret}, true},
		{"one of two secrets, the first", 0, good, []string{vectorSecret, "new"}, true},
		{"no good signature", 0, fmt.Sprintf("t=%d,v1=%s,v0=%s", vectorTime, wrong, vectorV0), []string{vectorSecret}, false},
		{"only v0", 0, fmt.Sprintf("t=%d,v0=%s", vectorTime, vectorV0), []string{vectorSecret}, false},
		{"v1's sum as v0", 0, fmt.Sprintf("t=%d,v0=%s", vectorTime, vectorV1), []string{vectorSecret}, false},
		{"v0's sum as v1", 0, fmt.Sprintf("t=%d,v1=%s", vectorTime, vectorV0), []string{vectorSecret}, false},
		{"another scheme", 0, fmt.Sprintf("t=%d,v2=%s", vectorTime, vectorV1), []string{vectorSecret}, false},
		{"another time", 0, fmt.Sprintf("t=%d,v1=%s", vectorTime+1, vectorV1), []string{vectorSecret}, false},
		{"two times", 0, fmt.Sprintf("t=%d,t=%d,v1=%s", vectorTime, vectorTime, vectorV1), []string{vectorSecret}, false},
		{"half a signature", 0, good[:50], []string{vectorSecret}, false},
		{"no header", 0, "", []string{vectorSecret}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bell, err := at(t, vectorTime+tt.after, tt.secret...).Notification(t.Context(), header(tt.header), body)
			if tt.ok && (err != nil || bell != payment.Doorbell{EventID: "evt_123", Kind: "customer.created", Discreet: true}) {
				t.Errorf("%+v, %v", bell, err)
			}
			if !tt.ok && !errors.Is(err, payment.ErrForged) {
				t.Errorf("%+v, error %v; want ErrForged", bell, err)
			}
		})
	}
}

// No byte of the vector's body may differ.
func TestNotificationChangedByte(t *testing.T) {
	a := at(t, vectorTime, vectorSecret)
	for i := range vectorBody(t) {
		body := vectorBody(t)
		body[i] ^= 1
		if _, err := a.Notification(t.Context(), header(fmt.Sprintf("t=%d,v1=%s", vectorTime, vectorV1)), body); !errors.Is(err, payment.ErrForged) {
			t.Fatalf("byte %d changed: error %v", i, err)
		}
	}
	if _, err := a.Notification(t.Context(), header(fmt.Sprintf("t=%d,v1=%s", vectorTime, vectorV1)), append(vectorBody(t), '\n')); !errors.Is(err, payment.ErrForged) {
		t.Errorf("a line feed more: error %v", err)
	}
}

// The malformed headers of the same file.
func TestNotificationMalformedHeaders(t *testing.T) {
	a := at(t, vectorTime, vectorSecret)
	for _, h := range []string{"t=,v1=" + vectorV1, "t,v1=,v0=", "t,v1=,v0", "t,v1=,", "t,,", ",,", "t"} {
		if _, err := a.Notification(t.Context(), header(h), vectorBody(t)); !errors.Is(err, payment.ErrForged) {
			t.Errorf("%q: error %v", h, err)
		}
	}
}

// Raw sums, from stripe-node's test/crypto/helpers.ts (github.com/stripe/stripe-node).
func TestSignVectors(t *testing.T) {
	for payload, want := range map[string]string{
		"":                                "f7f9bd47fb987337b5796fdc1fdb9ba221d0d5396814bfcaf9521f43fd8927fd",
		`{"obj1":"hello","obj2":"world"}`: "bebb1a643997f419b315ddba19e6f5411e1ce7f810ba6d3617ce72823092f363",
		"\U0001F600":                      "837da296d05c4fe31f61d5d7ead035099d9585a5bcde87de952012a78f0b0c43",
	} {
		if got := hex.EncodeToString(sign("test_secret", []byte(payload))); got != want {
			t.Errorf("%q signs as %s, want %s", payload, got, want)
		}
		if got := hex.EncodeToString(sign("test_secret", []byte(payload+"x"))); got == want {
			t.Errorf("%q and a byte more sign alike", payload)
		}
	}
}

// A good signature of the wrong mode or account is another merchant's event.
func TestNotificationOfOthers(t *testing.T) {
	a := at(t, vectorTime, vectorSecret)
	for name, body := range map[string]string{
		"live mode":       `{"id":"evt_1","type":"x","account":"acct_123","livemode":true}`,
		"another account": `{"id":"evt_1","type":"x","account":"acct_124","livemode":false}`,
		"no account":      `{"id":"evt_1","type":"x","livemode":false}`,
		"no identifier":   `{"type":"x","account":"acct_123"}`,
		"not an event":    `[]`,
		"not JSON":        `evt_1`,
	} {
		if bell, err := notify(a, body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("%s: %+v, %v", name, bell, err)
		}
	}
	if _, err := notify(a, `{"id":"evt_1","type":"x","account":"acct_123","livemode":false}`); err != nil {
		t.Errorf("ours: %v", err)
	}
}

func TestDoorbellNamesTheAttempt(t *testing.T) {
	a := at(t, vectorTime, vectorSecret)
	tests := []struct{ object, ref, id, money string }{
		{`{"object":"checkout.session","id":"cs_1","client_reference_id":"r1","metadata":{"ref":"r1"}}`, "r1", "cs_1", ""},
		{`{"object":"checkout.session","id":"cs_1","client_reference_id":"r1"}`, "r1", "cs_1", ""},
		{`{"object":"checkout.session","id":"cs_1","client_reference_id":null,"metadata":{"ref":"r1"}}`, "r1", "cs_1", ""},
		{`{"object":"payment_intent","id":"pi_1","metadata":{"ref":"r1"}}`, "r1", "", "pi_1"},
		{`{"object":"charge","id":"ch_1","payment_intent":"pi_1","metadata":{"ref":"r1"}}`, "r1", "", "pi_1"},
		{`{"object":"refund","id":"re_1","payment_intent":"pi_1","metadata":{"ref":"f1","attempt":"r1"}}`, "r1", "", "pi_1"},
		{`{"object":"refund","id":"re_1","payment_intent":"pi_1","metadata":{}}`, "", "", "pi_1"},
		{`{"object":"dispute","id":"dp_1","payment_intent":"pi_1","charge":"ch_1"}`, "", "", "pi_1"},
		{`{"object":"charge","id":"ch_1","payment_intent":{"id":"pi_1"},"metadata":{"ref":"r1"}}`, "r1", "", ""},
	}
	for _, tt := range tests {
		bell, err := notify(a, `{"id":"evt_1","type":"k","account":"acct_123","data":{"object":`+tt.object+`}}`)
		if want := (payment.Doorbell{EventID: "evt_1", Kind: "k", Ref: tt.ref, ProviderID: tt.id, MoneyID: tt.money}); err != nil || bell != want {
			t.Errorf("%s rings %+v, %v; want %+v", tt.object, bell, err, want)
		}
	}
}

// notify delivers body with a good signature.
func notify(a *Adapter, body string) (payment.Doorbell, error) {
	sum := sign(vectorSecret, fmt.Appendf(nil, "%d.", vectorTime), []byte(body))
	return a.Notification(context.Background(), header(fmt.Sprintf("t=%d,v1=%x", vectorTime, sum)), []byte(body))
}

// Whatever arrives, nothing breaks, and what is believed was signed.
func FuzzNotification(f *testing.F) {
	body := vectorBody(f)
	good := fmt.Sprintf("t=%d,v1=%s,v0=%s", vectorTime, vectorV1, vectorV0)
	f.Add(good, body)
	f.Add("t=,v1=", []byte("{}"))
	f.Add(good+",v1=00", body[:100])
	f.Add(good, append([]byte(" "), body...))
	a := at(f, vectorTime, vectorSecret)
	f.Fuzz(func(t *testing.T, h string, b []byte) {
		bell, err := a.Notification(t.Context(), header(h), b)
		switch {
		case err == nil && !bytes.Equal(b, body):
			t.Errorf("believed %q with %q: %+v", b, h, bell)
		case err != nil && !errors.Is(err, payment.ErrForged):
			t.Errorf("error %v does not wrap ErrForged", err)
		}
		// The same bytes, signed: whatever they are, they are read or refused.
		if _, err := notify(a, string(b)); err != nil && !errors.Is(err, payment.ErrForged) {
			t.Errorf("error %v does not wrap ErrForged", err)
		}
	})
}
