package stripe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/payment"
)

// tolerance is how far a notification's time may be from ours, in seconds:
// what Stripe's own libraries allow (https://docs.stripe.com/webhooks).
const tolerance = 300

// Notification implements [payment.Provider].
//
// The doorbell names the attempt by our reference where the event's object
// carries it: sessions, payments, charges, and refunds made through us. Of a
// dispute and of a refund made by hand Stripe tells only the PaymentIntent,
// which is the MoneyID.
func (a *Adapter) Notification(_ context.Context, h http.Header, body []byte) (payment.Doorbell, error) {
	if err := a.verify(h.Get("Stripe-Signature"), body); err != nil {
		return payment.Doorbell{}, err
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil || e.ID == "" || e.Type == "" {
		return payment.Doorbell{}, forged("the body is not an event")
	}
	if e.Livemode != a.live {
		return payment.Doorbell{}, forged("the event is of the other mode")
	}
	if e.Account != a.account {
		return payment.Doorbell{}, forged("the event is of another account")
	}
	return e.doorbell(), nil
}

// verify checks the header "t=<unix>,v1=<hex>[,v1=<hex>…]". Several v1 occur
// while a secret is being replaced; v0 is for Stripe's own tests and counts for
// nothing.
func (a *Adapter) verify(header string, body []byte) error {
	var stamp string
	var sums [][]byte
	for _, part := range strings.Split(header, ",") {
		k, v, _ := strings.Cut(part, "=")
		switch k {
		case "t":
			if stamp != "" {
				return forged("the signature has two times")
			}
			stamp = v
		case "v1":
			if sum, err := hex.DecodeString(v); err == nil {
				sums = append(sums, sum)
			}
		}
	}
	t, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || t <= 0 {
		return forged("the signature has no time")
	}
	if !a.signed(stamp, body, sums) {
		return forged("the signature does not fit")
	}
	if now := a.now().Unix(); now-t > tolerance || t-now > tolerance {
		return forged("the signature's time is too far from ours")
	}
	return nil
}

func (a *Adapter) signed(stamp string, body []byte, sums [][]byte) bool {
	ok := false
	for _, secret := range a.secrets {
		want := sign(secret, []byte(stamp+"."), body)
		for _, sum := range sums {
			ok = hmac.Equal(want, sum) || ok
		}
	}
	return ok
}

func sign(secret string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

func forged(why string) error {
	return fmt.Errorf("stripe: %w: %s", payment.ErrForged, why)
}

// event is what we read of an event. Nothing in it is acted upon.
type event struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Account  string `json:"account"`
	Livemode bool   `json:"livemode"`
	Data     struct {
		Object struct {
			ID                string            `json:"id"`
			Object            string            `json:"object"`
			ClientReferenceID string            `json:"client_reference_id"`
			PaymentIntent     any               `json:"payment_intent"` // an identifier, unless expanded
			Metadata          map[string]string `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

func (e event) doorbell() payment.Doorbell {
	o := e.Data.Object
	bell := payment.Doorbell{EventID: e.ID, Kind: e.Type, Ref: o.Metadata["ref"]}
	switch o.Object {
	case "payment_method", "customer", "setup_intent", "mandate":
		return payment.Doorbell{EventID: e.ID, Kind: e.Type, Discreet: true}
	}
	bell.MoneyID, _ = o.PaymentIntent.(string)
	switch o.Object {
	case "checkout.session":
		bell.ProviderID = o.ID
		if o.ClientReferenceID != "" {
			bell.Ref = o.ClientReferenceID
		}
	case "refund":
		bell.Ref = o.Metadata["attempt"] // ref is the refund's own
	case "payment_intent":
		bell.MoneyID = o.ID
	}
	return bell
}
