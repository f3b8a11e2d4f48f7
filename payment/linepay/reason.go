package linepay

import "github.com/tsuzuku/tsuzuku/payment"

// meaning is what a return code says about the call.
type meaning int

const (
	said      meaning = iota // an answer: yes, or a definite no
	atTheDoor                // refused before it was looked at; it may be made again
	undecided                // nobody knows whether it had its effect
)

// meaningOf sorts the return codes. A code that we do not know may be anything:
// it is undecided, and what became of the call is looked up.
func meaningOf(code string, acts bool) meaning {
	switch code {
	case fine:
		return said
	case "0110", "0121", "0122", "0123":
		if !acts { // they say how far a request is, which only check is asked
			return said
		}
	case "1104", "1105", "1106":
		// No such merchant, it may not use LINE Pay now, or our headers are wrong.
		return atTheDoor
	case notThere, "2042", "2101", "2102":
		// No such transaction; too little money at LINE Pay for a refund; a
		// parameter or the JSON is wrong.
		return said
	}
	if _, ok := reasons[code]; ok {
		return said
	}
	return undecided
}

// notThere says that LINE Pay has no such transaction.
const notThere = "1150"

// reasons are the definite refusals and what we tell the customer. Those that
// hint at fraud (1283, 1291, 1294) say no more than that the card was declined.
//
// Not here, and so undecided, are 1145 (under way), 1152 (done before), 1172
// (the orderId is used), 1198 (the same call is running), 1199, 190x and 9000
// (trouble), 1280 (trouble with the card, for the moment) and 1999 (differs from
// what was asked before).
var reasons = map[string]payment.Reason{
	"1101": payment.NotAccepted,      // no member of LINE Pay
	"1102": payment.NotAccepted,      // the member cannot pay now
	"1110": payment.NotAccepted,      // the card cannot be used
	"1124": payment.NotAccepted,      // the amount's form
	"1141": payment.NotAccepted,      // the state of the customer's account
	"1142": payment.NoFunds,          // the balance
	"1153": payment.ProviderTrouble,  // another amount than was requested
	"1154": payment.NotAccepted,      // the payment method
	"1155": payment.ProviderTrouble,  // the wrong kind of transaction
	"1159": payment.TooLate,          // nothing to confirm any more
	"1163": payment.TooLate,          // no refund so late
	"1164": payment.ProviderTrouble,  // a refund of more than is left
	"1165": payment.ProviderTrouble,  // refunded before
	"1169": payment.NotAuthenticated, // the customer has not agreed
	"1170": payment.NoFunds,          // the balance has changed
	"1178": payment.NotAccepted,      // the currency
	"1179": payment.ProviderTrouble,  // not in this state
	"1180": payment.TooLate,          // agreed to too long ago
	"1183": payment.NotAccepted,      // too little
	"1184": payment.NotAccepted,      // too much
	"1194": payment.ProviderTrouble,  // the contract
	"1281": payment.Declined,
	"1282": payment.Declined,
	"1283": payment.Declined,
	"1284": payment.ProviderTrouble, // cards are not taken for the moment
	"1285": payment.WrongDetails,
	"1286": payment.WrongDetails,
	"1287": payment.CardExpired,
	"1288": payment.NoFunds,
	"1289": payment.NoFunds, // the card's limit
	"1290": payment.NoFunds, // its limit for one payment
	"1291": payment.Declined,
	"1292": payment.Declined,
	"1293": payment.WrongDetails,
	"1294": payment.Declined,
	"1295": payment.WrongDetails,
	"1296": payment.NotAccepted, // this amount
	"1298": payment.Declined,
}

// reasonOf is why LINE Pay refused, in our words.
func reasonOf(code string) payment.Reason {
	if r, ok := reasons[code]; ok {
		return r
	}
	return payment.ProviderTrouble
}
