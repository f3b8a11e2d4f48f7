// Package linepaysim is LINE Pay as its merchants' programs see it: version 3
// of its online API with state, its page, and the customer and clock behind
// them, all in memory and decided by a seed. It shares no code with the adapter
// that is tested against it: it reads LINE Pay's documents for itself.
//
// # The API
//
//	POST /v3/payments/request             GET /v3/payments/requests/{id}/check
//	POST /v3/payments/{id}/confirm        GET /v3/payments?transactionId=&orderId=
//	POST /v3/payments/{id}/refund
//	POST /v3/payments/authorizations/{id}/capture | void
//
// Every answer but an outage has HTTP status 200; returnCode says what
// happened. Requests are signed over their path and their body or query.
// Amounts are JSON numbers in whole dollars, or baht with at most two decimals.
// Identifiers are JSON numbers of 19 digits which a float64 would change. A
// request that nobody confirmed is in no details: only check knows it. A refund
// carries no key: the same partial refund again is a second refund.
//
// What exists at LINE Pay and is not simulated is refused: preapproved payment,
// customer fees, shipping, promotions, return addresses called by a server or
// not at all.
//
// # The other side
//
// The customer is [Sim.Pay], [Sim.PayWith], [Sim.Decline] and [Sim.GiveUp], or
// a person at the page. Agreeing moves no money; confirm does, and it is there
// that a bank refuses. There are no notifications and no disputes: the browser
// that comes back is all the merchant hears. [Trouble] is what goes wrong with a
// call; the wire itself is package outboundsim's. What really happened is in
// [Sim.Captured], [Sim.Refunded] and [Sim.Charges].
//
// # Sources
//
// The rules of https://developers-pay.line.me (online, online-api-v3,
// online-api-v4), read in others' copies of those pages, and the return codes
// per call in the documents of github.com/enylin/line-pay-merchant (MIT), as
// noted for this project in 2026. Answers that others say they recorded in LINE
// Pay's sandbox, most of them of version 4: details know nothing of what is not
// confirmed (1150), confirm before the customer agreed (1169), identifiers
// beyond int64 (2101 with errorDetailMap), refundAmount in refundList is
// negative, and PAYMENT_REFUND is only one refund of everything. It was not
// compared with a live account or a sandbox of our own.
//
// Chosen where no source was at hand: an order number is used up by its
// request, not by its confirmation (1172); confirm again is 1152, after a
// cancellation or a failure 1159; twenty minutes count from request to
// agreement, and [Config.ConfirmWithin] from there to confirm (then 1180);
// authorisations stand five days; refunds are taken for [Config.RefundWithin]; a
// refund without an amount is one of the whole payment even after parts of it
// (1164); totals that do not add up are 1124; the largest amount; the shape of
// a nonce, and that one may not come again with other content, though the same
// request may arrive twice; details by several names are those of any of them;
// errorDetailMap for parameters of a body; the messages of check other than
// that of 0000; statuses 404 and 405 for what is no call at all.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package linepaysim

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Config makes a [Sim]. ChannelID, ChannelSecret and Now are required.
type Config struct {
	ChannelID     string
	ChannelSecret string // keys the signatures, and stands in what is signed
	Now           func() time.Time

	// Currency is the one of the contract: TWD (the default), THB or USD.
	Currency money.Currency

	// Rand decides identifiers; nil means a fixed seed.
	Rand *rand.Rand

	// PageBase is what stands before the addresses of pages, without a final
	// slash. Default https://linepaysim.invalid.
	PageBase string

	// ConfirmWithin is how long a customer's agreement can be confirmed.
	// Default 20 minutes.
	ConfirmWithin time.Duration

	// RefundWithin is how long after its capture a payment can be refunded.
	// Default 60 days.
	RefundWithin time.Duration
}

// Sim is a simulated channel of one merchant at LINE Pay. It is an
// [http.Handler] and safe for concurrent use.
type Sim struct {
	cfg    Config
	places int // decimals of an amount on the wire

	mu     sync.Mutex
	rand   *rand.Rand
	now    time.Time // of the call or action under way
	serial int64     // of the newest identifier
	lag    time.Duration
	upset  []Trouble

	payments  []*payment // oldest first
	byID      map[int64]*payment
	byOrder   map[string]*payment
	byReserve map[string]*payment // what a page's address names
	refundOf  map[int64]*payment  // by the refund's identifier

	nonces    map[string]string // each with what was signed by it
	nonceAges []string          // oldest first

	declineNext int
}

const (
	agreeWithin      = 20 * time.Minute
	authorisedFor    = 5 * 24 * time.Hour
	defaultRefunding = 60 * 24 * time.Hour
)

// New returns a channel in which nothing has happened yet. It panics where a
// required part of the configuration is missing, or the currency is none of
// LINE Pay's.
func New(cfg Config) *Sim {
	if cfg.ChannelID == "" || cfg.ChannelSecret == "" || cfg.Now == nil {
		panic("linepaysim: ChannelID, ChannelSecret and Now are required")
	}
	if cfg.Currency == "" {
		cfg.Currency = "TWD"
	}
	places, known := map[money.Currency]int{"TWD": 0, "THB": 2, "USD": 2}[cfg.Currency]
	if !known {
		panic("linepaysim: no contract is in " + string(cfg.Currency))
	}
	if cfg.PageBase == "" {
		cfg.PageBase = "https://linepaysim.invalid"
	}
	if cfg.ConfirmWithin == 0 {
		cfg.ConfirmWithin = agreeWithin
	}
	if cfg.RefundWithin == 0 {
		cfg.RefundWithin = defaultRefunding
	}
	s := &Sim{
		cfg:       cfg,
		places:    places,
		rand:      cfg.Rand,
		serial:    2_375_151,
		byID:      map[int64]*payment{},
		byOrder:   map[string]*payment{},
		byReserve: map[string]*payment{},
		refundOf:  map[int64]*payment{},
		nonces:    map[string]string{},
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(20211130, 610))
	}
	return s
}

// enter takes the lock and moves to the present. The caller unlocks.
func (s *Sim) enter() {
	s.mu.Lock()
	s.now = s.cfg.Now().UTC()
}

// The last two digits of identifiers say what they are of.
const (
	ofPayment       = 10
	ofFullRefund    = 11
	ofPartialRefund = 12
)

// newID is the next identifier: 19 digits, the first eight of them the day in
// Taipei. A float64 counts in steps of 256 there, and would lose any of them.
func (s *Sim) newID(of int64) int64 {
	day, err := strconv.ParseInt(s.now.Add(8*time.Hour).Format("20060102"), 10, 64)
	if err != nil {
		panic("linepaysim: " + err.Error())
	}
	for {
		s.serial += 1 + s.rand.Int64N(500)
		if id := day*100_000_000_000 + s.serial*100 + of; id%256 != 0 {
			return id
		}
	}
}

const reserveLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func (s *Sim) newReserve() string {
	b := make([]byte, 40)
	for i := range b {
		b[i] = reserveLetters[s.rand.IntN(len(reserveLetters))]
	}
	return string(b)
}

// money is an amount as the house writes it, which has more decimals than the
// wire for some currencies.
func (s *Sim) money(units int64) money.Money {
	if units == 0 {
		return money.Money{}
	}
	return money.Of(units*s.perUnit(), s.cfg.Currency)
}

// perUnit is how many minor units of the house are one of the wire.
func (s *Sim) perUnit() int64 {
	per := int64(1)
	for range money.Decimals(s.cfg.Currency) - s.places {
		per *= 10
	}
	return per
}
