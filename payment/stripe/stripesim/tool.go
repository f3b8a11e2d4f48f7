package stripesim

// tool is one of Stripe's test payment methods, or a rail other than cards. See
// https://docs.stripe.com/testing.
type tool struct {
	kind          string // card, alipay …
	brand, last4  string
	authenticates bool   // the customer must do one more step: 3-D Secure, or the rail's own page
	settles       bool   // that step, once done while the card was saved, is not asked for off session again
	settled       bool   // … and was done before
	later         bool   // the money comes after the session: konbini
	code, decline string // of the refusal, "" if it is charged
	says          string // the sentence of the refusal
	attaches      bool   // can be attached to a customer although every charge is refused
}

// refusing is a card that every bank's system refuses by one decline code.
func refusing(last4, decline string) tool {
	code, says := declines[decline], sentences[decline]
	if code == "" {
		code = "card_declined"
	}
	if says == "" {
		says = "Your card was declined."
	}
	return tool{kind: "card", brand: "visa", last4: last4, code: code, decline: decline, says: says}
}

// declines are the decline codes whose error has another code than
// card_declined. See https://docs.stripe.com/declines/codes.
var declines = map[string]string{
	"expired_card": "expired_card", "incorrect_cvc": "incorrect_cvc", "processing_error": "processing_error",
	authenticationRequired: authenticationRequired,
}

var sentences = map[string]string{
	"insufficient_funds":   "Your card has insufficient funds.",
	"expired_card":         "Your card has expired.",
	"incorrect_cvc":        "Your card's security code is incorrect.",
	"processing_error":     "An error occurred while processing your card. Try again in a little bit.",
	authenticationRequired: "Your card was declined. This transaction requires authentication.",
}

// authenticationRequired is code and decline code of a debit off session for
// which the bank wants the customer.
const authenticationRequired = "authentication_required"

var tools = map[string]tool{
	"pm_card_visa":       {kind: "card", brand: "visa", last4: "4242"},
	"pm_card_mastercard": {kind: "card", brand: "mastercard", last4: "4444"},
	"pm_card_jcb":        {kind: "card", brand: "jcb", last4: "0505"},

	"pm_card_authenticationRequired":                                {kind: "card", brand: "visa", last4: "3184", authenticates: true},
	"pm_card_authenticationRequiredOnSetup":                         {kind: "card", brand: "visa", last4: "3155", authenticates: true, settles: true},
	"pm_card_authenticationRequiredSetupForOffSession":              {kind: "card", brand: "visa", last4: "0446", authenticates: true, settled: true},
	"pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": needing3DS(refusing("3178", "insufficient_funds")),

	"pm_card_chargeDeclined":                           refusing("0002", "generic_decline"),
	"pm_card_chargeDeclinedInsufficientFunds":          refusing("9995", "insufficient_funds"),
	"pm_card_chargeDeclinedExpiredCard":                refusing("0069", "expired_card"),
	"pm_card_chargeDeclinedIncorrectCvc":               refusing("0127", "incorrect_cvc"),
	"pm_card_chargeDeclinedProcessingError":            refusing("0119", "processing_error"),
	"pm_card_visa_chargeDeclinedLostCard":              refusing("9987", "lost_card"),
	"pm_card_visa_chargeDeclinedStolenCard":            refusing("9979", "stolen_card"),
	"pm_card_visa_chargeDeclinedVelocityLimitExceeded": refusing("6975", "card_velocity_exceeded"),
	"pm_card_chargeCustomerFail":                       attaching(refusing("0341", "generic_decline")),

	"alipay":     {kind: "alipay", authenticates: true},
	"wechat_pay": {kind: "wechat_pay", authenticates: true},
	"paypay":     {kind: "paypay", authenticates: true},
	"paypal":     {kind: "paypal", authenticates: true},
	"konbini":    {kind: "konbini", later: true},
}

// needing3DS is a card that is refused only after the customer's step.
func needing3DS(t tool) tool { t.authenticates = true; return t }

// attaching is a card whose refusals begin once it is saved.
func attaching(t tool) tool { t.attaches = true; return t }
