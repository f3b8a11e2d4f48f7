// Package wechatpaysim is WeChat Pay (mainland, direct merchant, API v3) as a
// merchant's program sees it: the HTTP API with state, its notifications, the
// phone of the customer and WeChat's clock, all in memory and decided by a
// seed. It shares no code with the adapter that is tested against it.
//
// # The API
//
//	POST /v3/pay/transactions/native                     code_url, lives 2 h
//	POST /v3/pay/transactions/h5                         h5_url, lives 5 min
//	POST /v3/pay/transactions/jsapi                      prepay_id, lives 2 h
//	GET  /v3/pay/transactions/out-trade-no/{no}?mchid=   the trade
//	GET  /v3/pay/transactions/id/{transaction_id}?mchid=
//	POST /v3/pay/transactions/out-trade-no/{no}/close    204, or ORDER_PAID
//	POST /v3/refund/domestic/refunds                     PROCESSING
//	GET  /v3/refund/domestic/refunds/{out_refund_no}
//	GET  /v3/certificates                                sealed with the APIv3 key
//	GET  /v3/bill/tradebill                              a download_url of the day's trades
//	GET  /v3/bill/fundflowbill                           the same of the basic account's movements
//	GET  /v3/billdownload/file                           what a download_url leads to: not signed
//
// Amounts are integer fen. Requests carry WECHATPAY2-SHA256-RSA2048 by the
// merchant's certificate, and a time within five minutes of ours; a request
// that does not is answered 401 SIGN_ERROR without a signature, every other
// answer is signed. Unknown, missing and mistyped parameters are refused, and
// so are those that would change the money and are not simulated.
//
// A trade is NOTPAY, SUCCESS, REFUND (a refund was asked for, even in part) or
// CLOSED (by call, or by itself after seven days). A refused try leaves it
// NOTPAY, and so does time_expire, after which nobody can pay any more. Asking
// again for the same out_trade_no with the same parameters gives a fresh code
// and ends the old one.
//
// Bills are of a day in Beijing, from 10 o'clock of the next for three months,
// and never change. Payments stand in the trade bill by success_time, refunds by
// the time they were accepted and as they stood when the bill was made. Fees are
// FeeRate of the amount, rounded to fen; a refund gives back as much as the fee
// of what is left is lower. hash_value is the SHA-1 of the file before GZIP. A
// download_url lives five minutes and leads where the application was sent;
// [BillTrouble] is what is wrong with a bill.
//
// # The other side
//
// The customer is [Sim.Pay], [Sim.Decline] and [Sim.GiveUp], or a person at
// [Sim.Pages]: what the phone shows after scanning ([Sim.PageOf]), after
// opening an h5_url, or after the payment sheet of JSAPI ([Sim.Open]). WeChat
// adds nothing to a return address. What really happened is in [Sim.Captured],
// [Sim.Refunded] and [Sim.Charges].
//
// # Sources
//
// https://pay.weixin.qq.com/doc/v3/merchant/ pages 4012365342 (signing),
// 4013053249 (public key), 4012791877 and 4012791834 (orders), 4013070356
// (query), 4013070360 (close), 4012791836 and 4012791865 (notifications), with
// their tables of parameters and error codes, and WeChat's own guide to
// troubles (github.com/wechatpay-apiv3/wechatpay-skills), and for bills
// apis/native-payment/get-trade-bill, 4012810615 (download),
// products/bill-download/format-trade and structure/fund-bill, and published
// samples of bills, as noted for this project in 2026, some from stored copies of a part only. It was not compared
// with a live account; there is no sandbox.
//
// Chosen where no source was at hand, the stricter where there was a choice:
// the codes for other parameters under a known number (INVALID_REQUEST), for a
// number that was paid (OUT_TRADE_NO_USED) or closed (ORDER_CLOSED), for a
// second refund within a minute (FREQUENCY_LIMITED) and for the other rules of
// refunds (INVALID_REQUEST); status 400 of ORDER_PAID; 404 RESOURCE_NOT_EXISTS
// for unknown calls and for certificates in public-key mode; that nonces are
// 1–32 letters or digits and may come twice; that time_expire is at most seven
// days ahead and amounts at most 1,000,000 yuan; that just one of out_trade_no
// and transaction_id names the trade to refund; that an unpaid trade shows no
// amount; that a refund succeeds after three seconds; that sixteen sends are
// made of one notification (the first and fifteen more); that errors with
// status 429 and 5xx are signed and that an answer, too, may carry a signature
// probe; that 10 o'clock is meant for both bills, that a bill of a day that is not
// over or older than three months is INVALID_REQUEST, that a bill's lines end in
// LF, that refunds show an order amount of 0.00 (samples differ), that commas in
// texts become spaces, that money is in the basic account as soon as it is paid,
// that it gives a refund's fee back as 退回交易手续费, and that a refund that is
// closed comes back there as 退款 with 收入. A refund without notify_url is not told. Limits of calls per second
// and the old rule that an order is not closed in its first five minutes are
// not simulated.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package wechatpaysim

import (
	"crypto/rsa"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Config makes a [Sim]. Everything down to Now is required, but for
// PublicKeyID.
type Config struct {
	MchID          string         // the merchant
	AppID          string         // bound to MchID
	MerchantSerial string         // of the merchant's API certificate, as in serial_no
	MerchantKey    *rsa.PublicKey // verifies the merchant's requests
	APIv3Key       string         // 32 bytes

	// PlatformKey is WeChat's own: it signs answers and notifications.
	PlatformKey *rsa.PrivateKey

	// PublicKeyID, PUB_KEY_ID_…, chooses public-key mode: the merchant knows the
	// public half of PlatformKey by this name and there are no certificates. If
	// it is "", New makes a platform certificate for PlatformKey.
	PublicKeyID string

	Now func() time.Time

	// FeeRate is WeChat's part of an amount, in hundredths of a percent. Zero
	// means 60, which is 0.60%; less means none.
	FeeRate int64

	// H5Domain is the registered host of pages that lead to an h5_url, and of
	// redirect_url; "" takes any.
	H5Domain string

	// Local takes what only a demo on one machine needs: http and private
	// addresses in notify_url, a private payer_client_ip, and an h5_url that is
	// opened without a Referer.
	Local bool

	// Rand decides identifiers and delays; nil means a fixed seed.
	Rand *rand.Rand

	// PageBase is what stands before the customer's pages, without a final
	// slash. Default https://wechatpaysim.invalid.
	PageBase string

	// Deliver decides how a notification of that event_type is told; nil means
	// [Prompt]. It is called under the simulator's lock.
	Deliver func(kind string) Delivery
}

// Sim is WeChat Pay with one merchant. It is an HTTP handler, the API, and
// safe for concurrent use. It never sleeps and starts no goroutines.
type Sim struct {
	cfg Config

	mu           sync.Mutex
	rand         *rand.Rand
	now          time.Time      // of the call or action under way
	certificates []*certificate // newest first; none in public-key mode

	orders     []*order
	byRef      map[string]*order // by out_trade_no
	byTrade    map[string]*order // by transaction_id
	byTicket   map[string]*order // by every code or prepay_id there ever was
	refundByNo map[string]*refund

	events []*event
	queue  []notice

	upset       []Trouble
	spoilt      []BillTrouble
	downloads   map[string]*download // by token
	lag         time.Duration
	declineNext int
	holdRefunds bool
}

// New returns a merchant account in which nothing has happened yet. It panics
// where a required part of the configuration is missing or impossible.
func New(cfg Config) *Sim {
	if cfg.MchID == "" || cfg.AppID == "" || cfg.MerchantSerial == "" || cfg.MerchantKey == nil || cfg.PlatformKey == nil || cfg.Now == nil {
		panic("wechatpaysim: MchID, AppID, MerchantSerial, MerchantKey, PlatformKey and Now are required")
	}
	if len(cfg.APIv3Key) != 32 {
		panic("wechatpaysim: APIv3Key has 32 bytes")
	}
	if cfg.PublicKeyID != "" && !strings.HasPrefix(cfg.PublicKeyID, "PUB_KEY_ID_") {
		panic("wechatpaysim: PublicKeyID begins with PUB_KEY_ID_")
	}
	if cfg.PageBase == "" {
		cfg.PageBase = "https://wechatpaysim.invalid"
	}
	if cfg.FeeRate == 0 {
		cfg.FeeRate = 60
	}
	s := &Sim{
		cfg:        cfg,
		rand:       cfg.Rand,
		byRef:      map[string]*order{},
		byTrade:    map[string]*order{},
		byTicket:   map[string]*order{},
		refundByNo: map[string]*refund{},
		downloads:  map[string]*download{},
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(20260401, 3))
	}
	if cfg.PublicKeyID == "" {
		s.Rotate(cfg.PlatformKey)
	}
	return s
}

// enter takes the lock and looks at the clock. The caller unlocks.
func (s *Sim) enter() {
	s.mu.Lock()
	s.now = s.cfg.Now().UTC()
}

const (
	digits  = "0123456789"
	letters = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// word makes n characters of an alphabet.
func (s *Sim) word(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.rand.IntN(len(alphabet))]
	}
	return string(b)
}

// beijing is the zone of every instant that WeChat writes.
func beijing(t time.Time) time.Time { return t.In(time.FixedZone("", 8*60*60)) }

// stamp writes an instant as WeChat does.
func stamp(t time.Time) string { return beijing(t).Format("2006-01-02T15:04:05-07:00") }
