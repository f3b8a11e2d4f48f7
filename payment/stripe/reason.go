package stripe

import (
	sdk "github.com/stripe/stripe-go/v85"

	"github.com/tsuzuku/tsuzuku/payment"
)

// lastRefusal is why the customer's last try in an open session failed, if it did.
func lastRefusal(pi *sdk.PaymentIntent) (payment.Reason, string) {
	if pi == nil || pi.LastPaymentError == nil {
		return "", ""
	}
	e := pi.LastPaymentError
	return reasonOf(e.Code, e.DeclineCode), codeOf(e.Code, e.DeclineCode, "")
}

// codeOf is Stripe's own words: card_declined/insufficient_funds.
func codeOf(code sdk.ErrorCode, decline sdk.DeclineCode, param string) string {
	s := string(code)
	if s == "" {
		s = "refused"
	}
	if decline != "" {
		s += "/" + string(decline)
	}
	if param != "" {
		s += " " + param
	}
	return s
}

// reasons are those codes and decline codes that say more than "declined"
// (https://docs.stripe.com/declines/codes, https://docs.stripe.com/error-codes).
// Decline codes that hint at fraud are deliberately not here: the customer is
// told no more than that the card was declined.
var reasons = map[string]payment.Reason{
	"insufficient_funds":                     payment.NoFunds,
	"withdrawal_count_limit_exceeded":        payment.NoFunds,
	"card_velocity_exceeded":                 payment.NoFunds,
	"expired_card":                           payment.CardExpired,
	"incorrect_number":                       payment.WrongDetails,
	"invalid_number":                         payment.WrongDetails,
	"incorrect_cvc":                          payment.WrongDetails,
	"invalid_cvc":                            payment.WrongDetails,
	"invalid_expiry_month":                   payment.WrongDetails,
	"invalid_expiry_year":                    payment.WrongDetails,
	"incorrect_zip":                          payment.WrongDetails,
	"incorrect_address":                      payment.WrongDetails,
	"incorrect_pin":                          payment.WrongDetails,
	"invalid_pin":                            payment.WrongDetails,
	"authentication_required":                payment.NotAuthenticated,
	"authentication_not_handled":             payment.NotAuthenticated,
	"mobile_device_authentication_required":  payment.NotAuthenticated,
	"payment_intent_authentication_failure":  payment.NotAuthenticated,
	"payment_intent_payment_attempt_expired": payment.NotAuthenticated,
	"card_not_supported":                     payment.NotAccepted,
	"currency_not_supported":                 payment.NotAccepted,
	"payment_method_currency_mismatch":       payment.NotAccepted,
	"amount_too_small":                       payment.NotAccepted,
	"amount_too_large":                       payment.NotAccepted,
	"invalid_charge_amount":                  payment.NotAccepted,
	"invalid_amount":                         payment.NotAccepted,
	"processing_error":                       payment.ProviderTrouble,
	"issuer_not_available":                   payment.ProviderTrouble,
	"try_again_later":                        payment.ProviderTrouble,
	"reenter_transaction":                    payment.ProviderTrouble,
	"approve_with_id":                        payment.ProviderTrouble,
}

// reasonOf prefers the bank's word to Stripe's.
func reasonOf(code sdk.ErrorCode, decline sdk.DeclineCode) payment.Reason {
	if r, ok := reasons[string(decline)]; ok {
		return r
	}
	if r, ok := reasons[string(code)]; ok {
		return r
	}
	return payment.Declined
}

// refusedStart is why Stripe would not make a session. The customer did nothing
// yet, so what is not about the amount or the time is trouble between us.
func refusedStart(e *sdk.Error) payment.Reason {
	if e.Param == "expires_at" {
		return payment.TooLate
	}
	if r, ok := reasons[string(e.Code)]; ok {
		return r
	}
	if e.Type == sdk.ErrorTypeCard {
		return payment.Declined
	}
	return payment.ProviderTrouble
}
