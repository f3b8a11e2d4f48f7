package stripesim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// eventOfDotnet is the body of vector S-1: stripe-dotnet (Apache-2.0),
// src/StripeTests/Resources/event_test_signature.json.
const eventOfDotnet = `{
  "id": "evt_123",
  "object": "event",
  "account": "acct_123",
  "api_version": "2017-05-25",
  "created": 1533204620,
  "data": {
    "object": {
      "id": "cus_123",
      "object": "customer",
      "created": 123456789,
      "email": "test@stripe.com",
      "livemode": false,
      "metadata": {}
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_123",
    "idempotency_key": "idempotency-key-123"
  },
  "type": "customer.created"
}
`

func TestSignatureMatchesThePublishedVector(t *testing.T) {
	sum := sha256.Sum256([]byte(eventOfDotnet))
	if got := hex.EncodeToString(sum[:]); got != "98cc89412549ca7faf118fca984763bdb6f81e13d1ce8c528dbbb5be602ec1be" {
		t.Fatalf("the vector's body has changed (%d bytes): %s", len(eventOfDotnet), got)
	}
	got := stripesim.Sign(time.Unix(1533204620, 0), []byte(eventOfDotnet), "webhook_secret")
	wanted := "t=1533204620,v1=2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7,v0="
	if !strings.HasPrefix(got, wanted) {
		t.Errorf("signature %s, want %s…", got, wanted)
	}
}

// genuine is how a seller is told to verify, written out here once more: the
// instants of a v1 that fits one of the secrets.
func genuine(n stripesim.Notification, secrets ...string) bool {
	var at string
	var v1 []string
	for _, part := range strings.Split(n.Header.Get("Stripe-Signature"), ",") {
		k, v, _ := strings.Cut(part, "=")
		switch k {
		case "t":
			at = v
		case "v1":
			v1 = append(v1, v)
		}
	}
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil || n.DueAt.Sub(time.Unix(unix, 0)).Abs() > 300*time.Second {
		return false
	}
	for _, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s))
		mac.Write([]byte(at + "." + string(n.Body)))
		if slices.Contains(v1, hex.EncodeToString(mac.Sum(nil))) {
			return true
		}
	}
	return false
}

// The vectors S-3 (stripe-node, MIT) prove the verifier's MAC.
func TestRawMACsMatchThePublishedVectors(t *testing.T) {
	for payload, wanted := range map[string]string{
		"":                                "f7f9bd47fb987337b5796fdc1fdb9ba221d0d5396814bfcaf9521f43fd8927fd",
		`{"obj1":"hello","obj2":"world"}`: "bebb1a643997f419b315ddba19e6f5411e1ce7f810ba6d3617ce72823092f363",
		"\U0001F600":                      "837da296d05c4fe31f61d5d7ead035099d9585a5bcde87de952012a78f0b0c43",
	} {
		if got := stripesim.MAC("test_secret", []byte(payload)); got != wanted {
			t.Errorf("%q: %s, want %s", payload, got, wanted)
		}
	}
}

func TestEventsAreSignedAndTellTheirCause(t *testing.T) {
	w := newTown()
	w.call("POST", "/v1/checkout/sessions", "", forYen("a", "1980", "payment_method_types[]=card")...)
	if _, err := w.Pay("a"); err != nil {
		t.Fatal(err)
	}
	p, _ := w.Session("a")
	want(t, w.call("POST", "/v1/refunds", "key of refund", "payment_intent="+p.PaymentIntent), 200)
	var kinds []string
	for _, n := range w.Notifications() {
		var body struct {
			ID, Type   string
			APIVersion string `json:"api_version"`
			Created    int64
			Request    struct {
				Key *string `json:"idempotency_key"`
			}
		}
		if err := json.Unmarshal(n.Body, &body); err != nil {
			t.Fatal(err)
		}
		if !genuine(n, "whsec_town") || body.ID != n.EventID || body.APIVersion != stripesim.Version || n.DueAt.Before(w.clock()) || n.Attempt != 1 {
			t.Errorf("a bad notice: %+v %s", n, n.Body)
		}
		if key := body.Request.Key; (key != nil) != strings.Contains(body.Type, "refund") || key != nil && *key != "key of refund" {
			t.Errorf("%s was caused by %v", body.Type, key)
		}
		kinds = append(kinds, body.Type)
	}
	slices.Sort(kinds)
	wanted := []string{"charge.refunded", "charge.succeeded", "checkout.session.completed", "payment_intent.created", "payment_intent.succeeded", "refund.created"}
	if d := cmp.Diff(wanted, kinds); d != "" {
		t.Error(d)
	}
	if again := w.Notifications(); len(again) != 0 {
		t.Errorf("%d notices were fetched twice", len(again))
	}
}

func TestDeliveriesDoWhatTheySay(t *testing.T) {
	for _, how := range append(stripesim.Deliveries, stripesim.Prompt) {
		for seed := range 48 { // each way to forge
			w := newTown()
			w.offer(t, "first") // no event of its own
			if _, err := w.Pay("first"); err != nil {
				t.Fatal(err)
			}
			w.Notifications()
			for range seed {
				w.offer(t, "more") // moves the dice
			}
			w.Tell(how)
			want(t, w.call("POST", "/v1/customers", "k"), 200) // one event
			var genuines, forgeries int
			ids := map[string]bool{}
			var wait time.Duration
			for _, n := range w.Notifications() {
				wait = max(wait, n.DueAt.Sub(w.clock()))
				if !genuine(n, "whsec_town") {
					forgeries++
					continue
				}
				genuines++
				ids[n.EventID] = true
			}
			type outcome struct{ genuines, ids, forgeries int }
			wanted := map[stripesim.Delivery]outcome{
				stripesim.Prompt: {1, 1, 0}, stripesim.Early: {1, 1, 0}, stripesim.Late: {1, 1, 0}, stripesim.Behind: {1, 1, 0},
				stripesim.Twice: {2, 1, 0}, stripesim.Doubled: {2, 2, 0}, stripesim.Replayed: {2, 2, 0}, stripesim.Forged: {1, 1, 1}, stripesim.Never: {},
			}[how]
			if how == stripesim.Replayed && len(ids) == 1 {
				wanted.ids = 1 // the event itself was drawn
			}
			if got := (outcome{genuines, len(ids), forgeries}); got != wanted {
				t.Errorf("%s: %+v, want %+v", how, got, wanted)
			}
			if how == stripesim.Early && wait != 0 || how == stripesim.Late && wait < time.Hour || how == stripesim.Prompt && (wait < time.Second || wait > time.Minute) {
				t.Errorf("%s: due after %v", how, wait)
			}
		}
	}
}

func TestBothSecretsSignForADayAfterRotation(t *testing.T) {
	w := newTown()
	signers := func() (old, present bool) {
		w.call("POST", "/v1/customers", "")
		n := w.Notifications()[0]
		return genuine(n, "whsec_town"), genuine(n, "whsec_next")
	}
	w.Rotate("whsec_next")
	if old, present := signers(); !old || !present {
		t.Errorf("just rotated: old %v, new %v", old, present)
	}
	w.pass(24 * time.Hour)
	if old, present := signers(); old || !present {
		t.Errorf("a day later: old %v, new %v", old, present)
	}
}

func TestAFailedNoticeComesAgainForThreeDays(t *testing.T) {
	w := newTown()
	w.call("POST", "/v1/customers", "")
	first := w.Notifications()[0]
	n, attempts := first, 1
	for {
		w.mu.Lock()
		w.now = n.DueAt
		w.mu.Unlock()
		w.Failed(n)
		next := w.Notifications()
		if len(next) == 0 {
			break
		}
		if attempts++; next[0].EventID != first.EventID || !next[0].DueAt.After(n.DueAt) || !genuine(next[0], "whsec_town") || attempts > 50 {
			t.Fatalf("attempt %d: %+v", attempts, next[0])
		}
		n = next[0]
	}
	if span := n.DueAt.Sub(first.DueAt); attempts < 5 || span < 48*time.Hour || span > 72*time.Hour {
		t.Errorf("%d attempts over %v", attempts, span)
	}
	if !w.Resend(first.EventID) || len(w.Notifications()) != 1 || w.Resend("evt_none") {
		t.Error("an event cannot be sent again")
	}
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	story := func() (all []stripesim.Notification) {
		w := newTown(func(c *stripesim.Config) {
			i := 0
			c.Deliver = func(string) stripesim.Delivery {
				i++
				return stripesim.Deliveries[i%len(stripesim.Deliveries)]
			}
		})
		pi := w.paid(t, "a")
		w.call("POST", "/v1/refunds", "k", "payment_intent="+pi, "metadata[a]=1", "metadata[b]=2")
		return w.Notifications()
	}
	if d := cmp.Diff(story(), story()); d != "" {
		t.Error(d)
	}
}
