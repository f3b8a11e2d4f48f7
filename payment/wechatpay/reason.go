package wechatpay

import (
	"strings"

	"github.com/tsuzuku/tsuzuku/payment"
)

// reasons are the codes with which an order is refused, without their
// underscores, that say more than trouble between WeChat Pay and us: the
// customer has done nothing yet. WeChat Pay's pages spell them differently, and
// none that lists them all was at hand.
var reasons = map[string]payment.Reason{
	"RULELIMIT":    payment.NotAccepted,
	"ACCOUNTERROR": payment.NotAccepted,
	"TRADEERROR":   payment.Declined,
	"NOTENOUGH":    payment.NoFunds,
}

// refusedStart is why WeChat Pay would not make an order.
func refusedStart(code string) payment.Reason {
	if r, ok := reasons[strings.ReplaceAll(code, "_", "")]; ok {
		return r
	}
	return payment.ProviderTrouble
}

// absent reports whether code says that there is no such order or refund.
func absent(code string) bool {
	return is(code, "ORDERNOTEXIST", "ORDERNOTEXISTS", "RESOURCENOTEXIST", "RESOURCENOTEXISTS", "REFUNDNOTEXIST", "REFUNDNOTEXISTS")
}

// exists reports whether a refusal of Start says that there is an order of this
// name already.
func exists(code string) bool {
	return is(code, "ORDERPAID", "ORDERCLOSED", "OUTTRADENOUSED", "TRADECLOSED")
}
