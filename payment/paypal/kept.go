package paypal

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/payment"
)

var _ payment.Keeper = (*Adapter)(nil)

// Keeps implements [payment.Keeper].
func (a *Adapter) Keeps() []payment.Rail {
	if a.config.Vault {
		return []payment.Rail{payment.PayPal}
	}
	return nil
}

// attributes is schema paypal_wallet_attributes.
type attributes struct {
	Customer *person    `json:"customer,omitempty"`
	Vault    vaultOrder `json:"vault"`
}

type person struct {
	ID string `json:"id"`
}

// vaultOrder is schema vault_paypal_wallet_base.
type vaultOrder struct {
	Store    string `json:"store_in_vault"`
	Usage    string `json:"usage_type"`
	Customer string `json:"customer_type"`
}

// keeping makes an order keep the account that pays it.
func keeping(holder string) *attributes {
	k := &attributes{Vault: vaultOrder{Store: "ON_SUCCESS", Usage: "MERCHANT", Customer: "CONSUMER"}}
	if holder != "" {
		k.Customer = &person{holder}
	}
	return k
}

// payer is schema paypal_wallet_response, as far as it tells of the vault.
type payer struct {
	Email      string `json:"email_address"`
	AccountID  string `json:"account_id"`
	Attributes struct {
		Vault struct {
			ID       string `json:"id"`
			Status   string `json:"status"`
			Customer person `json:"customer"`
		} `json:"vault"`
	} `json:"attributes"`
}

// kept is the account that PayPal keeps; zero while it is still at it, which it
// says with the status APPROVED and no token.
func (p payer) kept() payment.Kept {
	v := p.Attributes.Vault
	if word(v.ID) == "" || v.Status == "APPROVED" {
		return payment.Kept{}
	}
	k := payment.Kept{Token: payment.Token(v.ID), Holder: word(v.Customer.ID), Label: label(p.Email), Mark: word(p.AccountID)}
	if k.Mark == "" {
		k.Mark = v.ID
	}
	return k
}

// label names an account so that its owner knows it and nobody learns it.
func label(email string) string {
	name, host, ok := strings.Cut(email, "@")
	first, n := utf8.DecodeRuneInString(name)
	if !ok || n == 0 || first == utf8.RuneError || len(host) > 100 {
		return "PayPal"
	}
	return "PayPal " + string(first) + "•••@" + host
}

// chargeEnds is when a kept account is no longer charged for an attempt.
func chargeEnds(at payment.Attempt) time.Time {
	if latest := at.CreatedAt.Add(takenWithin); at.ExpiresAt.After(latest) {
		return latest
	}
	return at.ExpiresAt
}

// credential says who asks for the money. The OpenAPI description lacks it; its
// fields are those of PayPal's server SDKs.
type credential struct {
	Initiator string `json:"payment_initiator"`
	Usage     string `json:"usage"`
}

func credentialOf(at payment.Attempt) *credential {
	if at.Absent {
		return &credential{"MERCHANT", "SUBSEQUENT"}
	}
	return &credential{"CUSTOMER", "SUBSEQUENT"}
}

// charge is Start with a kept account. Repeated, PayPal answers it with the order
// as it stands.
func (a *Adapter) charge(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	if !asOf.Before(chargeEnds(at)) {
		return a.Query(ctx, at)
	}
	if at.Saved == payment.Forgotten {
		return payment.Observation{State: payment.Dead, Reason: payment.ToolGone, Code: "no_kept_account", Amount: at.Amount, AsOf: asOf}, nil
	}
	o, status, t := a.create(ctx, at)
	switch {
	case t != nil && t.no != nil:
		return notMade(at, t.no.said, asOf)
	case t != nil:
		return payment.Observation{}, t.acted("charge")
	}
	obs, why := a.observe(at, o, asOf)
	if why != "" {
		return payment.Observation{}, strange("charge", payment.ErrUnknown, why)
	}
	at.ProviderID = o.ID
	if status == http.StatusOK {
		var err error
		if obs, o, err = a.look(ctx, at); err != nil {
			return obs, err
		}
	}
	if obs.State == payment.Approved {
		if obs.Amount != at.Amount {
			return payment.Observation{}, strange("charge", payment.ErrUnknown, "PayPal's order is for another amount")
		}
		var err error
		if obs, err = a.capture(ctx, at, captureKey(at, o)); err != nil {
			return obs, err
		}
	}
	return ended(at, obs), nil
}

// ended is what a charge came to, with a refusal as the end: nobody has been
// shown the order's page, and we do not ask again. Only where PayPal wants the
// payer, and there is one, it goes on.
func ended(at payment.Attempt, obs payment.Observation) payment.Observation {
	if obs.State != payment.Open && obs.State != payment.NeedsCustomer {
		return obs
	}
	wanted := obs.Reason == "" || obs.Reason == payment.NotAuthenticated
	if wanted && obs.State == payment.NeedsCustomer && !at.Absent {
		obs.Reason, obs.Code = "", ""
		return obs
	}
	obs.State, obs.Next = payment.Dead, payment.Next{}
	if obs.Reason == "" {
		obs.Reason, obs.Code = payment.NotAuthenticated, "PAYER_ACTION_REQUIRED"
	}
	return obs
}

// Forget implements [payment.Keeper].
func (a *Adapter) Forget(ctx context.Context, k payment.Kept) error {
	path := "/v3/vault/payment-tokens/" + url.PathEscape(string(k.Token))
	_, t := a.ask(ctx, question{method: http.MethodDelete, path: path}, nil)
	switch {
	case t == nil, t.no != nil && t.no.status == http.StatusNotFound:
		return nil
	case t.no == nil:
		return t.acted("forget account")
	}
	// No, because there is nothing to forget? That is to be seen.
	_, r := a.ask(ctx, question{method: http.MethodGet, path: path}, nil)
	if r != nil && r.no != nil && r.no.status == http.StatusNotFound {
		return nil
	}
	return t.acted("forget account")
}
