package paypal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/tsuzuku/tsuzuku/payment"
)

// maxEvent is how long a notification may be; real ones have some KiB.
const maxEvent = 1 << 20

// Notification implements [payment.Provider].
//
// PayPal signs the time of a transmission and names no age after which it is
// stale: it tells an event again for three days. So an old one verifies; its
// EventID is the same each time.
//
// The doorbell names the attempt by our reference where the event carries it:
// orders, captures, and disputes. A refund carries its own reference, or none;
// it names the capture.
func (a *Adapter) Notification(ctx context.Context, h http.Header, body []byte) (payment.Doorbell, error) {
	if a.config.WebhookID == "" {
		return payment.Doorbell{}, forged("no webhook is configured")
	}
	t, why := readTransmission(h)
	if why != "" {
		return payment.Doorbell{}, forged(why)
	}
	if len(body) > maxEvent {
		return payment.Doorbell{}, forged("it is too long")
	}
	key, err := a.signer(ctx, t.certURL)
	if errors.Is(err, errNotPayPals) {
		return payment.Doorbell{}, forged(err.Error())
	}
	if err != nil {
		return payment.Doorbell{}, fmt.Errorf("paypal: notification's certificate: %w", err)
	}
	if !t.fits(key, a.config.WebhookID, body) {
		return payment.Doorbell{}, forged("the signature does not fit")
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil || word(e.ID) == "" || word(e.Type) == "" {
		return payment.Doorbell{}, forged("the body is not an event")
	}
	return e.doorbell(), nil
}

func forged(why string) error {
	return fmt.Errorf("paypal: %w: %s", payment.ErrForged, why)
}

// event is what we read of an event. Nothing in it is acted upon.
type event struct {
	ID           string `json:"id"`
	Type         string `json:"event_type"`
	ResourceType string `json:"resource_type"`
	Resource     struct {
		ID            string        `json:"id"`
		OrderID       string        `json:"order_id"` // of an agreement taken back
		CustomID      string        `json:"custom_id"`
		Supplementary supplementary `json:"supplementary_data"`
		Links         []link        `json:"links"`
		Units         []struct {
			CustomID string `json:"custom_id"`
		} `json:"purchase_units"`
		Transactions []transaction `json:"disputed_transactions"`
	} `json:"resource"`
}

// doorbell reads the kinds of events that attempts are made of; the others ring
// for nobody (https://developer.paypal.com/api/rest/webhooks/event-names/).
func (e event) doorbell() payment.Doorbell {
	r := e.Resource
	bell := payment.Doorbell{EventID: e.ID, Kind: e.Type}
	switch {
	case strings.HasPrefix(e.Type, "VAULT."):
		bell.Discreet = true
	case strings.HasPrefix(e.Type, "CHECKOUT."):
		bell.ProviderID = word(r.ID)
		if bell.ProviderID == "" {
			bell.ProviderID = word(r.OrderID)
		}
		if len(r.Units) == 1 {
			bell.Ref = word(r.Units[0].CustomID)
		}
	case strings.HasPrefix(e.Type, "PAYMENT.CAPTURE."), strings.HasPrefix(e.Type, "PAYMENT.REFUND."):
		bell.ProviderID = word(r.Supplementary.Related.OrderID)
		bell.MoneyID = word(r.Supplementary.Related.CaptureID)
		if bell.MoneyID == "" {
			bell.MoneyID = captureOf(r.Links)
		}
		// Some events about a capture are told with a refund of it.
		if bell.MoneyID == "" && e.ResourceType != "refund" {
			bell.Ref, bell.MoneyID = word(r.CustomID), word(r.ID)
		}
	case strings.HasPrefix(e.Type, "CUSTOMER.DISPUTE."):
		if len(r.Transactions) > 0 {
			bell.Ref, bell.MoneyID = word(r.Transactions[0].Custom), word(r.Transactions[0].ID)
		}
	}
	return bell
}

// captureOf is the capture that a refund belongs to: its link up.
func captureOf(links []link) string {
	for _, l := range links {
		if u, err := url.Parse(l.Href); l.Rel == "up" && err == nil && path.Base(path.Dir(u.Path)) == "captures" {
			return word(path.Base(u.Path))
		}
	}
	return ""
}
