// Package alipaysim is Alipay's mainland gateway as a merchant's program sees
// it: the signed form API, the cashier and the page behind a QR code, the
// notifications, and the customer and clock behind them, all in memory. It
// shares no code with the adapter that is tested against it.
//
// # The API
//
// One address, /gateway.do, GET or POST of a form, RSA2, one method parameter:
//
//	alipay.trade.page.pay, alipay.trade.wap.pay
//	alipay.trade.precreate
//	alipay.trade.query, alipay.trade.close, alipay.trade.cancel
//	alipay.trade.refund, alipay.trade.fastpay.refund.query
//	alipay.data.dataservice.bill.downloadurl.query
//
// The first two are signed links that the customer's browser opens: the gateway
// answers with 302 to the cashier, or with an error page. There is no trade,
// and all other methods say ACQ.TRADE_NOT_EXIST, until the customer has logged
// in there, or has scanned the code of precreate. A close before that closes
// nothing: the link stays good until its time_expire.
//
// Amounts are yuan strings with at most two decimals. Answers are HTTP 200,
// text/html with a JSON body whose slashes are escaped, and signed over the raw
// text of their first member. Unknown, missing and mistyped parameters are
// refused; those that change nothing here are taken and forgotten; those that
// would change the money (discounts, shares, instalments) count as unknown.
//
// Bills are of a day in Beijing, from nine o'clock of the next, and never
// change: payments and refunds by their time, with fees of FeeRate, rounded to
// fen; a refund gives back as much as the fee of what is left is lower. A
// bill_download_url begins with PageBase, lives 30 seconds and is served by
// [Sim.ServeHTTP]: a ZIP, in GBK, with the day's trades and a summary.
// [BillTrouble] is what is wrong with a bill.
//
// [Sim.Pages] is what a browser needs: the links, the cashier, the page behind
// a code. An adapter whose gateway is PageBase+"/gateway.do" gives links that
// lead there.
//
// # The other side
//
// The customer is [Sim.Open], [Sim.Login], [Sim.Pay], [Sim.Decline] and
// [Sim.GiveUp], or a person at the page. A ref is the out_trade_no. [Trouble]
// is what goes wrong with a call, [Delivery] with a notification; the wire
// itself is package outboundsim's. The truth is in [Sim.Captured],
// [Sim.Refunded] and [Sim.Charges].
//
// # Sources
//
// The rules of https://opendocs.alipay.com (common/057k53, common/02mse7,
// common/02km9f, open/028r8t, 02ivbs, 05osv9, 02ekfq, 02ekfr, 02ekfs, 02ekft,
// 02o6e8, open/270/105902, and that of bill.downloadurl.query) as retold by
// others in 2016 to 2026, and published samples of links, answers, return
// addresses, notifications and bills. It was not
// compared with a live account. Documented and easily missed: charset must
// stand in the address of a POST (else its body is read as GBK); app_id is
// looked at before the signature; refund_fee is the sum of all refunds; a
// refund query that finds nothing answers 10000 without a refund_status.
//
// Chosen where no source was at hand: calls with a timestamp more than ten
// minutes off are refused (documented for the newer protocol), links are not;
// parameters that are unknown or come twice are isv.invalid-parameter; a link
// with a lifetime of less than a minute is refused; an out_trade_no used with
// another amount, subject or product is ACQ.CONTEXT_INCONSISTENT once its trade
// exists; precreate with equal content gives the same code, at most 20 times
// and never longer than two hours from the first; trades from precreate close
// after 3 h, others after 15 d, if nothing else was said; cancel is for trades
// from precreate, within 24 h, and does nothing to a code that was never
// scanned; close of anything but a waiting trade is ACQ.TRADE_STATUS_ERROR;
// refunds are told for every product, an unpaid close and the end of the refund
// period only for wap.pay; a retried notification keeps its content and its
// notify_id but not its notify_time. Of bills: isp.bill_not_exist also for a day
// without trades, and isv.invalid_arguments for a day that is not over (both
// names were seen in answers; the document writes them otherwise); lines end in
// CR LF, commas in texts become spaces, what GBK lacks becomes a question mark;
// a refund's row has its own time twice; an address whose time is over leads to
// a page with status 200.
//
// Not simulated: requests in GBK, certificates, app_auth_token, the pause of 3 s
// between refunds of one trade, error pages in GBK (they are UTF-8 here),
// disputes (the API shows none), bills of a month or of other types than trade.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package alipaysim

import (
	"crypto/rsa"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Config makes a [Sim]. AppID, SellerID, MerchantKey, AlipayKey and Now are
// required.
type Config struct {
	AppID       string          // of the merchant's application
	SellerID    string          // the merchant's account, 2088 and twelve digits
	MerchantKey *rsa.PublicKey  // verifies what the merchant signs
	AlipayKey   *rsa.PrivateKey // signs answers, notifications and return addresses
	Now         func() time.Time

	// Rand decides identifiers and delays; nil means a fixed seed.
	Rand *rand.Rand

	// PageBase is what stands before the customer's pages, without a final
	// slash. Default https://alipaysim.invalid.
	PageBase string

	// UnsignedFailures lets answers other than 10000 come without a sign. Nil
	// means true. What fails before its signature was found good never has one.
	UnsignedFailures *bool

	// FeeRate is Alipay's part of an amount, in hundredths of a percent. Zero
	// means 60, which is 0.60%; less means none.
	FeeRate int64

	// FinishAfter is how long after the payment a trade can be refunded. Zero
	// means 90 days.
	FinishAfter time.Duration

	// Deliver decides how an event of that kind is told; nil means [Prompt]. It
	// is called under the simulator's lock.
	Deliver func(kind string) Delivery
}

// Sim is a simulated Alipay account. It is an http.Handler, the gateway, and
// safe for concurrent use.
type Sim struct {
	cfg Config

	mu   sync.Mutex
	rand *rand.Rand
	now  time.Time // of the call or action under way, UTC

	offers  map[string]*offer // by identifier
	newest  map[string]*offer // by out_trade_no: what the customer has before them
	codes   map[string]*offer // by out_trade_no: those of precreate
	latest  *offer
	trades  map[string]*trade // by out_trade_no
	byNo    map[string]*trade // by trade_no
	waiting []*trade          // those whose time runs out
	paid    []*trade          // in the order of payment
	ending  []*trade          // paid, in the order of payment, not finished yet

	queue []notice // that nobody fetched yet
	upset []Trouble
	lag   time.Duration

	spoilt    []BillTrouble
	downloads map[string]*download // by query

	declineNext int
}

// New returns an account in which nothing has happened yet. It panics where a
// required part of the configuration is missing.
func New(cfg Config) *Sim {
	if cfg.AppID == "" || cfg.SellerID == "" || cfg.MerchantKey == nil || cfg.AlipayKey == nil || cfg.Now == nil {
		panic("alipaysim: AppID, SellerID, MerchantKey, AlipayKey and Now are required")
	}
	if cfg.PageBase == "" {
		cfg.PageBase = "https://alipaysim.invalid"
	}
	if cfg.FinishAfter == 0 {
		cfg.FinishAfter = 90 * 24 * time.Hour
	}
	if cfg.FeeRate == 0 {
		cfg.FeeRate = 60
	}
	s := &Sim{
		cfg: cfg, rand: cfg.Rand,
		offers: map[string]*offer{}, newest: map[string]*offer{}, codes: map[string]*offer{},
		trades: map[string]*trade{}, byNo: map[string]*trade{}, downloads: map[string]*download{},
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(20880, 40004))
	}
	return s
}

// Trouble is what goes wrong with a call that could change something.
type Trouble string

// The troubles.
const (
	BreaksAfter   Trouble = "breaks_after"   // carried out; HTTP 500
	BreaksBefore  Trouble = "breaks_before"  // not carried out; HTTP 500
	UnknownAfter  Trouble = "unknown_after"  // carried out; 20000 isp.unknow-error
	UnknownBefore Trouble = "unknown_before" // not carried out; 20000 aop.unknow-error
	SystemAfter   Trouble = "system_after"   // carried out; 40004 ACQ.SYSTEM_ERROR
	SystemBefore  Trouble = "system_before"  // not carried out; 40004 ACQ.SYSTEM_ERROR
	Limited       Trouble = "limited"        // not carried out; 40005 isv.app-call-limited
	Missigned     Trouble = "missigned"      // carried out; the answer's signature is not Alipay's
	Poor          Trouble = "poor"           // the seller's balance does not cover a refund: ACQ.SELLER_BALANCE_NOT_ENOUGH
)

// Troubles are all of them, for tests that try each.
var Troubles = []Trouble{BreaksAfter, BreaksBefore, UnknownAfter, UnknownBefore, SystemAfter, SystemBefore, Limited, Missigned, Poor}

// Upset lets the next calls that could change something (precreate, close,
// cancel, refund) go wrong, one trouble each. Any call but alipay.trade.refund
// uses up [Poor] and goes well.
func (s *Sim) Upset(t ...Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upset = append(s.upset, t...)
}

// LagReads lets both queries show what was true d ago.
func (s *Sim) LagReads(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = d
}

// enter takes the lock and lets happen what the clock has brought. The caller
// unlocks.
func (s *Sim) enter() {
	s.mu.Lock()
	s.now = s.cfg.Now().UTC()
	still := s.waiting[:0]
	for _, t := range s.waiting {
		switch {
		case !t.paidAt.IsZero() || !t.closedAt.IsZero():
		case s.now.Before(t.expiresAt):
			still = append(still, t)
		default:
			s.close(t, t.expiresAt)
		}
	}
	clear(s.waiting[len(still):])
	s.waiting = still
	for len(s.ending) > 0 && !s.now.Before(s.ending[0].finishAt) {
		t := s.ending[0]
		s.ending = s.ending[1:]
		if t.product == wapPay && t.status(s.now) == tradeFinished {
			s.tell(Finished, t, t.finishAt)
		}
	}
}

// beijing is the zone of every time that Alipay reads or writes.
var beijing = time.FixedZone("UTC+8", 8*60*60)

const timeLayout = "2006-01-02 15:04:05"

func clock(t time.Time) string { return t.In(beijing).Format(timeLayout) }

// digits returns n random decimal digits.
func (s *Sim) digits(n int) string { return s.letters(n, "0123456789") }

func (s *Sim) letters(n int, of string) string {
	var b strings.Builder
	for range n {
		b.WriteByte(of[s.rand.IntN(len(of))])
	}
	return b.String()
}
