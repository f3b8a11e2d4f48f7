package alipay

import (
	"strings"

	"github.com/tsuzuku/tsuzuku/payment"
)

// The codes that are acted upon.
const (
	noTrade     = "ACQ.TRADE_NOT_EXIST"           // nobody has opened the link or scanned the code
	sellerPoor  = "ACQ.SELLER_BALANCE_NOT_ENOUGH" // no refund until the seller's account is filled
	systemError = "ACQ.SYSTEM_ERROR"              // ask again, with the same parameters
	systemTypo  = "AQC.SYSTEM_ERROR"              // so written in Alipay's own list
)

// definite reports whether a business failure says that nothing was done. Only
// the acquiring business itself can say so; a gateway or a service behind it
// that failed on the way (isp., aop.) does not know.
func definite(sub string) bool {
	return strings.HasPrefix(sub, "ACQ.") && sub != systemError && sub != systemTypo
}

// refusals are the codes with which precreate refuses what follows from the
// attempt or from the contract, as Alipay's page of the method lists them: the
// same request can never have been taken. Other refusals are about a trade that
// is there already, so they are followed by a query.
var refusals = map[string]payment.Reason{
	"ACQ.TOTAL_FEE_EXCEED":                       payment.NotAccepted,
	"ACQ.PRODUCT_AMOUNT_LIMIT_ERROR":             payment.NotAccepted,
	"ACQ.BEYOND_PER_RECEIPT_RESTRICTION":         payment.NotAccepted,
	"ACQ.BEYOND_PAY_RESTRICTION":                 payment.NotAccepted,
	"ACQ.INVALID_PARAMETER":                      payment.ProviderTrouble,
	"ACQ.ACCESS_FORBIDDEN":                       payment.ProviderTrouble,
	"ACQ.EXIST_FORBIDDEN_WORD":                   payment.ProviderTrouble,
	"ACQ.PARTNER_ERROR":                          payment.ProviderTrouble,
	"ACQ.SELLER_BEEN_BLOCKED":                    payment.ProviderTrouble,
	"ACQ.SUB_MERCHANT_CREATE_FAIL":               payment.ProviderTrouble,
	"ACQ.SUB_MERCHANT_TYPE_INVALID":              payment.ProviderTrouble,
	"ACQ.INVALID_STORE_ID":                       payment.ProviderTrouble,
	"ACQ.SECONDARY_MERCHANT_STATUS_ERROR":        payment.ProviderTrouble,
	"ACQ.SECONDARY_MERCHANT_ID_INVALID":          payment.ProviderTrouble,
	"ACQ.SECONDARY_MERCHANT_NOT_MATCH":           payment.ProviderTrouble,
	"ACQ.SECONDARY_MERCHANT_ALIPAY_ACCOUNT_FAIL": payment.ProviderTrouble,
}
