package linepaysim

import (
	"time"
)

// The codes in use. What the customer's bank says is in tools.
const (
	success       = "0000" // also: check, nobody has agreed yet
	agreed        = "0110" // check: the customer has agreed
	cancelledCode = "0121" // check: cancelled, or too late
	failedCode    = "0122" // check: the payment failed
	completed     = "0123" // check: confirmed
	noMerchant    = "1104"
	headerError   = "1106"
	badAmount     = "1124"
	inProgress    = "1145"
	noRecord      = "1150"
	alreadyMade   = "1152"
	otherAmount   = "1153"
	wrongID       = "1155"
	noRequest     = "1159"
	refundTooLate = "1163"
	refundTooMuch = "1164"
	alreadyBack   = "1165"
	notAgreed     = "1169"
	sameOrder     = "1172"
	tooMany       = "1177"
	otherCurrency = "1178"
	wrongState    = "1179"
	expired       = "1180"
	tooLittle     = "1183"
	tooMuch       = "1184"
	noPreapproved = "1194"
	duplicated    = "1198"
	cardHiccup    = "1280"
	temporary     = "1900"
	badParameter  = "2101"
	badJSON       = "2102"
	internalError = "9000"
)

// messages are the API's own. A code without one has a hyphen.
var messages = map[string]string{
	success:       "Success.",
	agreed:        "auth completed.",
	cancelledCode: "canceled or expired.",
	failedCode:    "payment failed.",
	completed:     "payment completed.",
	noMerchant:    "Merchant not found.",
	headerError:   "Header information error",
	badAmount:     "Error in Amount (scale).",
	"1142":        "Insufficient balance remains.",
	inProgress:    "Payment in progress.",
	noRecord:      "Transaction record not found.",
	alreadyMade:   "Transaction has already been made.",
	otherAmount:   "Request amount is different from real amount.",
	wrongID:       "Wrong TransactionId",
	noRequest:     "Omitted request payment information.",
	refundTooLate: "Exceeded the expiration for Refund.",
	refundTooMuch: "Refund limit exceeded.",
	alreadyBack:   "The transaction has already been refunded.",
	notAgreed:     "Payment method and password must be certificated by LINE Pay.",
	sameOrder:     "Existing same orderId.",
	tooMany:       "Exceeded max. number of transactions (100) allowed to be retrieved.",
	otherCurrency: "Unsupported currency.",
	wrongState:    "Status can not be processed.",
	expired:       "Expired the payment date",
	tooLittle:     "Payment amount must be greater than 0.",
	tooMuch:       "Payment amount exceeds amount requested.",
	noPreapproved: "This Merchant cannot use Preapproved Payment.",
	duplicated:    "Duplicated the request calling API.",
	cardHiccup:    "Temporary error while making a payment with Credit Card",
	"1298":        "The credit card payment declined.",
	badParameter:  "Parameter error.",
	badJSON:       "JSON data format error",
	internalError: "Internal error",
}

// reply is the envelope of every answer.
type reply struct {
	Code    string            `json:"returnCode"`
	Message string            `json:"returnMessage"`
	Info    any               `json:"info,omitempty"`
	Wrong   map[string]string `json:"errorDetailMap,omitempty"`

	broken bool // no envelope at all: status 500
}

// plain is an answer that is only a code.
func plain(code string) reply {
	m, known := messages[code]
	if !known {
		m = "-"
	}
	return reply{Code: code, Message: m}
}

func parameter(wrong map[string]string) reply {
	a := plain(badParameter)
	a.Wrong = wrong
	return a
}

func done(info any) reply {
	a := plain(success)
	a.Info = info
	return a
}

// Trouble is what goes wrong at LINE Pay with one call. What goes wrong on the
// way is package outboundsim's.
type Trouble string

// The troubles.
const (
	NoTrouble    Trouble = ""
	Outage       Trouble = "outage"        // status 500; nothing done
	Broken       Trouble = "broken"        // status 500; done
	Unwell       Trouble = "unwell"        // 9000; nothing done
	UnwellAfter  Trouble = "unwell_after"  // 9000; done
	Running      Trouble = "running"       // 1198, or 1145 for a request: the like is said to be under way; nothing done
	RunningAfter Trouble = "running_after" // the same; done
	Hiccup       Trouble = "hiccup"        // 1280 for confirm and capture, else 1900; nothing done
)

// Troubles are all troubles but NoTrouble, for tests that try each.
var Troubles = []Trouble{Outage, Broken, Unwell, UnwellAfter, Running, RunningAfter, Hiccup}

// before is the answer of a trouble that keeps the call from acting.
func (t Trouble) before(op operation) (a reply, struck bool) {
	switch t {
	case Outage:
		return reply{broken: true}, true
	case Unwell:
		return plain(internalError), true
	case Running:
		return plain(op.running()), true
	case Hiccup:
		if op == opConfirm || op == opCapture {
			return plain(cardHiccup), true
		}
		return plain(temporary), true
	case NoTrouble, Broken, UnwellAfter, RunningAfter:
	}
	return reply{}, false
}

// after is what the caller hears of a call that acted and answered a.
func (t Trouble) after(op operation, a reply) reply {
	switch t {
	case Broken:
		return reply{broken: true}
	case UnwellAfter:
		return plain(internalError)
	case RunningAfter:
		return plain(op.running())
	case NoTrouble, Outage, Unwell, Running, Hiccup:
	}
	return a
}

// running is the code of a call whose like is under way.
func (op operation) running() string {
	if op == opRequest {
		return inProgress
	}
	return duplicated
}

// Upset lets these troubles befall the next calls that could change something,
// one each, if their signatures are right.
func (s *Sim) Upset(troubles ...Trouble) {
	s.enter()
	defer s.mu.Unlock()
	s.upset = append(s.upset, troubles...)
}

// LagReads lets check and details show what was true d ago, until it is called
// again. Nothing else lags.
func (s *Sim) LagReads(d time.Duration) {
	s.enter()
	defer s.mu.Unlock()
	s.lag = d
}
