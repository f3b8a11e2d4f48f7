// Package antomsim is Antom (Alipay+ acquiring, the AMS API) as a merchant's
// program sees it: the signed JSON API, the wallets' pages, the notifications,
// and the customer and clock behind them, all in memory. It shares no code with
// the adapter that is tested against it.
//
// # The API
//
// POST of JSON below /ams/api, or /ams/sandbox/api if the client identifier
// begins with SANDBOX_:
//
//	/v1/payments/pay            one-time payments (CASHIER_PAYMENT) by wallets
//	/v1/payments/inquiryPayment
//	/v1/payments/cancel
//	/v1/payments/refund
//	/v1/payments/inquiryRefund
//
// Every scalar is a string, amounts are {"currency", "value"} with value in the
// smallest unit. Requests carry Client-Id, Request-Time and Signature; answers
// are HTTP 200 with a result (S done, F no, U unknown), sorted, without white
// space, signed with Client-Id and Response-Time. What fails before its
// signature was found good is answered without one.
//
// pay answers U PAYMENT_IN_PROCESS with the ways to the wallet. One
// paymentRequestId is one payment: asked again it answers the same, its final
// result once there is one, and REPEAT_REQ_INCONSISTENT for another amount or
// method. Who has not paid by paymentExpiryTime, or within 14 minutes, leaves a
// payment that FAILs with ORDER_IS_CLOSED. cancel closes what is not paid,
// gives everything back of what is, until 00:15 (UTC+8) of the day after, leaves
// FAIL as it is, and refuses what was refunded in part. Money that comes after a
// cancel goes back at once. A refund that was refused stays refused under its
// refundRequestId.
//
// [Sim.Pages] is what a browser or phone needs: normalUrl, applinkUrl and the
// text of orderCodeForm lead there; for a schemeUrl ask [Sim.PageOf].
//
// # The other side
//
// The customer is [Sim.Pay], [Sim.PayLater], [Sim.Decline], [Sim.Stumble] and
// [Sim.GiveUp], or a person at the page; a ref is the paymentRequestId.
// [Sim.Settle], [Sim.Expire], [Sim.PayAnyway], [Sim.FinishRefund],
// [Sim.RefundByHand], [Sim.Dispute] and [Sim.JudgeDispute] are Antom's own
// doings. [Trouble] is what goes wrong with a call, [Delivery] with a
// notification; the wire itself is package outboundsim's: it loses, delays and
// garbles. The truth is in [Sim.Captured], [Sim.Refunded], [Sim.Disputed] and
// [Sim.Charges].
//
// # Sources
//
// https://docs.antom.com/ac/ams: api_fund, digital_signature, idempotency,
// payment_cashier, paymentri_online, paymentc_online, refund_online, ir_online,
// paymentrn_online, notify_refund, notify_dispute; /ac/cashierpay:
// payment_status_desc, cancel, refund, dispute, payment_redirect;
// /ac/antomop/alipay_cn; /ac/merchant_service/notification; field names and
// headers from github.com/alipay/global-open-sdk-go; an answer of the sandbox
// with its signature, published by others, which testdata keeps. It was not compared
// with a live account.
//
// Not confirmed, and chosen: Request-Time may be ten minutes off, in
// milliseconds or ISO 8601; the codes CLIENT_INVALID and, for a key version
// that is not known, KEY_NOT_FOUND; unknown parameters, an orderAmount other
// than paymentAmount, and an amount below the wallet's least are PARAM_ILLEGAL
// (Antom may be more lenient); identifiers are letters, digits, - and _; no
// longest paymentExpiryTime; which links a terminal gets (WEB: normalUrl and
// orderCodeForm; WAP: normalUrl, applinkUrl and schemeUrl; APP: the last two);
// nothing is added to paymentRedirectUrl; a wallet's refusal ends the payment
// ([Sim.Decline]) or leaves it open ([Sim.Stumble]); paymentResultCode of what
// is not final is PAYMENT_IN_PROCESS, of what was cancelled ORDER_IS_CANCELED;
// pay of a PENDING payment is U PAYMENT_IN_PROCESS without links; cancel outside
// its time is CANCEL_WINDOW_EXCEED, is not notified, and may be said again; the
// day that cancel counts from is that of the payment; cancel of a disputed
// payment is like any other; a refund of what is not paid or was cancelled is
// ORDER_STATUS_INVALID; a refund that failed later is PROCESS_FAIL; refunds made
// at the dashboard stand among the transactions of inquiryPayment; the header
// Request-Time of notifications is ISO 8601 and fresh with every resend; the
// query of a notification address is signed, too; a PAYMENT_PENDING notification
// says S SUCCESS; who wins a dispute gets the money back at once. Not simulated:
// cards, capture, createPaymentSession, consult, exchange rates, pictures of QR
// codes, defending a dispute.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package antomsim

import (
	"crypto/rsa"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Config makes a [Sim]. ClientID, MerchantKey, AntomKey and Now are required.
type Config struct {
	ClientID    string          // with the prefix SANDBOX_ in the sandbox
	MerchantKey *rsa.PublicKey  // verifies what the merchant signs
	KeyVersion  string          // of both keys; "" means 1
	AntomKey    *rsa.PrivateKey // signs answers and notifications
	Now         func() time.Time

	// NotifyURL is the address in Antom's dashboard: of disputes always, of the
	// others where the request names none. Empty: these are not told.
	NotifyURL string

	// Methods are the payment methods in the contract, with their currencies.
	// Nil means the wallets of [DefaultMethods].
	Methods map[string][]money.Currency

	// RefundWithin is how long after the payment a refund is taken. Zero means
	// 365 days.
	RefundWithin time.Duration

	// Rand decides identifiers and delays; nil means a fixed seed.
	Rand *rand.Rand

	// PageBase is what stands before the customer's pages, without a final
	// slash. Default https://antomsim.invalid.
	PageBase string

	// Deliver decides how an event of that kind is told; nil means [Prompt]. It
	// is called under the simulator's lock.
	Deliver func(kind string) Delivery
}

// DefaultMethods are some wallets, each in its own currency.
func DefaultMethods() map[string][]money.Currency {
	return map[string][]money.Currency{
		"ALIPAY_CN": {"CNY"}, "ALIPAY_HK": {"HKD"}, "KAKAOPAY": {"KRW"}, "PAYPAY": {"JPY"},
		"GCASH": {"PHP"}, "TNG": {"MYR"}, "TRUEMONEY": {"THB"},
	}
}

// Sim is a simulated Antom account. It is an http.Handler, the API, and safe
// for concurrent use.
type Sim struct {
	cfg Config

	mu   sync.Mutex
	rand *rand.Rand
	now  time.Time // of the call or action under way, UTC

	byRef   map[string]*payment // by paymentRequestId
	byID    map[string]*payment // by paymentId
	byPage  map[string]*payment // by the identifier in the links
	latest  *payment
	waiting []*payment // those whose time runs out
	paid    []*payment // in the order of payment

	refunds   map[string]*refund // by refundRequestId
	refundsID map[string]*refund // by refundId
	returning []*refund          // those that will end by themselves

	queue []notice // that nobody fetched yet
	upset []Trouble
	lag   time.Duration

	declineNext int
}

// New returns an account in which nothing has happened yet. It panics where a
// required part of the configuration is missing.
func New(cfg Config) *Sim {
	if cfg.ClientID == "" || cfg.MerchantKey == nil || cfg.AntomKey == nil || cfg.Now == nil {
		panic("antomsim: ClientID, MerchantKey, AntomKey and Now are required")
	}
	if cfg.KeyVersion == "" {
		cfg.KeyVersion = "1"
	}
	if cfg.Methods == nil {
		cfg.Methods = DefaultMethods()
	}
	if cfg.RefundWithin == 0 {
		cfg.RefundWithin = 365 * 24 * time.Hour
	}
	if cfg.PageBase == "" {
		cfg.PageBase = "https://antomsim.invalid"
	}
	s := &Sim{
		cfg: cfg, rand: cfg.Rand,
		byRef: map[string]*payment{}, byID: map[string]*payment{}, byPage: map[string]*payment{},
		refunds: map[string]*refund{}, refundsID: map[string]*refund{},
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(18815, 1940))
	}
	return s
}

// Trouble is what goes wrong with a call that could change something.
type Trouble string

// The troubles.
const (
	BreaksAfter   Trouble = "breaks_after"   // carried out; HTTP 500
	BreaksBefore  Trouble = "breaks_before"  // not carried out; HTTP 500
	UnknownAfter  Trouble = "unknown_after"  // carried out; U UNKNOWN_EXCEPTION
	UnknownBefore Trouble = "unknown_before" // not carried out; U UNKNOWN_EXCEPTION
	Limited       Trouble = "limited"        // not carried out; U REQUEST_TRAFFIC_EXCEED_LIMIT
	Missigned     Trouble = "missigned"      // carried out; the answer's signature is not Antom's
	Unsigned      Trouble = "unsigned"       // carried out; the answer has no signature
	Truncated     Trouble = "truncated"      // carried out; half of the answer, under the signature of all
	Linkless      Trouble = "linkless"       // pay: nothing is made, U PAYMENT_IN_PROCESS without a link
	Rejected      Trouble = "rejected"       // pay: the payment FAILs at once, F RISK_REJECT
	Poor          Trouble = "poor"           // refund: refused, F MERCHANT_BALANCE_NOT_ENOUGH
	Slow          Trouble = "slow"           // refund: U REFUND_IN_PROCESS, then it succeeds
	Bounced       Trouble = "bounced"        // refund: U REFUND_IN_PROCESS, then it fails
	Stuck         Trouble = "stuck"          // refund: U REFUND_IN_PROCESS, until FinishRefund
)

// Troubles are all of them, for tests that try each.
var Troubles = []Trouble{
	BreaksAfter, BreaksBefore, UnknownAfter, UnknownBefore, Limited, Missigned, Unsigned, Truncated, Linkless, Rejected, Poor, Slow, Bounced, Stuck,
}

// Upset lets the next calls that could change something (pay, cancel, refund)
// go wrong, one trouble each. A call that a trouble is not for uses it up and
// goes well.
func (s *Sim) Upset(t ...Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.upset = append(s.upset, t...)
}

// LagReads lets both inquiries show what was true d ago.
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
	for _, p := range s.waiting {
		switch {
		case p.over() || !p.pendingAt.IsZero():
		case s.now.Before(p.expiresAt):
			still = append(still, p)
		default:
			s.fail(p, "ORDER_IS_CLOSED", p.expiresAt)
		}
	}
	clear(s.waiting[len(still):])
	s.waiting = still
	open := s.returning[:0]
	for _, r := range s.returning {
		switch {
		case r.endsAt.IsZero(): // it ended another way
		case s.now.Before(r.endsAt):
			open = append(open, r)
		default:
			s.finish(r, !r.bounces, r.endsAt)
		}
	}
	clear(s.returning[len(open):])
	s.returning = open
}

// The zones in which Antom writes and counts.
var (
	pacific = time.FixedZone("", -7*60*60)
	beijing = time.FixedZone("UTC+8", 8*60*60)
)

const isoLayout = "2006-01-02T15:04:05-07:00"

func iso(t time.Time) string { return t.In(pacific).Format(isoLayout) }

// digits returns n random decimal digits.
func (s *Sim) digits(n int) string { return s.letters(n, "0123456789") }

func (s *Sim) letters(n int, of string) string {
	var b strings.Builder
	for range n {
		b.WriteByte(of[s.rand.IntN(len(of))])
	}
	return b.String()
}
