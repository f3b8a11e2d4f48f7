// Package paymenttest is the suite that every [payment.Provider] must pass: the
// promises in the comments of package payment, each tried with a customer who
// pays, declines or leaves, and on a wire that loses, delays and garbles.
//
// A suite is run against a provider's simulator (or its sandbox) like this:
//
//	paymenttest.Run(t, func(t *testing.T) paymenttest.Bench { … })
package paymenttest

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Bench is a provider on a test bench: the adapter, and what only a simulator
// lets us do. Controls that are nil skip the promises that need them.
// NewAttempt, Pay and Captured are needed always.
type Bench struct {
	payment.Provider

	// NewAttempt returns an attempt that was never sent: a Ref never used
	// before, CreatedAt at the bench's present, an amount within Limits that is
	// at least 300 minor units and a multiple of 100.
	NewAttempt func() payment.Attempt

	// The customer, at the provider's page of the attempt with our Ref. Pay and
	// Authenticate return what the provider adds to the return address. Paying
	// does nothing where the provider no longer lets the customer pay.
	Pay          func(ref string) url.Values
	Decline      func(ref string)            // tries a tool that is refused
	GiveUp       func(ref string)            // leaves by the way back to the shop
	Authenticate func(ref string) url.Values // pays with a tool whose bank asks first, and says yes

	// Advance moves the clock of adapter and provider alike.
	Advance func(time.Duration)

	// The wire. Each control decides the fate of the next request that may
	// change something at the provider; those with Read, of the next that only
	// looks. Token requests and the like are left alone. See [Bench.Over].
	LoseNextRequest, LoseNextAnswer, NextActsLater, BreakNext, GarbleNext func()
	RefuseNext, BusyNext, TwiceNext                                       func()
	LoseNextRead, BreakNextRead, GarbleNextRead, BusyNextRead             func()

	// DeliverLate carries out what was chosen to act later.
	DeliverLate func()

	// What the provider itself says it took and gave back, all charges added
	// up; the zero value for none. They do not go through the adapter.
	Captured func(ref string) money.Money
	Refunded func(ref string) money.Money

	// RefundByHand returns part of a paid attempt at the provider's own desk;
	// Dispute makes the customer's bank take all of it back.
	RefundByHand func(ref string, m money.Money)
	Dispute      func(ref string)

	// Notifications returns everything the provider has sent to our webhook so
	// far; Forged the like from somebody else: well made, with another's key or
	// for another merchant.
	Notifications func() []Notification
	Forged        func() []Notification

	// What this provider cannot do, by its own document.
	StartIsLocal bool          // Start makes no request: a signed link
	CannotClose  bool          // no call closes an attempt; Abandon says what it sees
	Lapses       time.Duration // an attempt nobody paid is Dead at the latest this long after ExpiresAt; 0: it never says so
	Mute         bool          // a refusal is told to the customer alone, who may try again
	Discreet     bool          // Query does not say how much was given back: only who asks for a refund by its name hears of it
	Unsigned     bool          // notifications carry no signature
	Timeless     bool          // the signature covers no time: old notifications verify
}

// Notification is one request to our webhook address.
type Notification struct {
	Header http.Header
	Body   []byte
}

// Kind says what a request on the wire does.
type Kind int

// The kinds of requests.
const (
	Aside Kind = iota // neither: a token, a certificate
	Reads             // looks, and changes nothing
	Acts              // may change an attempt or move money
)

// Over fills in the wire controls for a provider that is simulated behind w.
// kind tells the adapter's requests apart; it takes over w.Choose.
func (b *Bench) Over(w *outboundsim.Wire, kind func(*http.Request) Kind) {
	var mu sync.Mutex
	next := map[Kind]outboundsim.Fault{}
	arm := func(k Kind, f outboundsim.Fault) func() {
		return func() {
			mu.Lock()
			defer mu.Unlock()
			next[k] = f
		}
	}
	w.Choose = func(r *http.Request) outboundsim.Fault {
		mu.Lock()
		defer mu.Unlock()
		k := kind(r)
		f := next[k]
		delete(next, k)
		return f
	}
	b.LoseNextRequest = arm(Acts, outboundsim.LoseRequest)
	b.LoseNextAnswer = arm(Acts, outboundsim.LoseAnswer)
	b.NextActsLater = arm(Acts, outboundsim.ActLater)
	b.BreakNext = arm(Acts, outboundsim.Break)
	b.GarbleNext = arm(Acts, outboundsim.Garble)
	b.RefuseNext = arm(Acts, outboundsim.Refuse)
	b.BusyNext = arm(Acts, outboundsim.Busy)
	b.TwiceNext = arm(Acts, outboundsim.Twice)
	b.LoseNextRead = arm(Reads, outboundsim.LoseRequest)
	b.BreakNextRead = arm(Reads, outboundsim.Break)
	b.GarbleNextRead = arm(Reads, outboundsim.Garble)
	b.BusyNextRead = arm(Reads, outboundsim.Busy)
	b.DeliverLate = func() { w.Deliver() }
}

// Run checks the promises of package payment. open is called once for each.
func Run(t *testing.T, open func(*testing.T) Bench) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) { p.keep(t, open(t)) })
	}
}

// tester is the part of testing.T that promises need, so that the suite's own
// tests can see a wrong provider fail without failing themselves.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skip(args ...any)
}

type promise struct {
	name string
	keep func(tester, Bench)
}

func promises() []promise {
	all := []promise{
		{"limits are data that make sense", limits},
		{"start shows the customer the way and takes nothing", start},
		{"every currency is taken exactly, and no other", currencies},
		{"a customer who pays is seen to have paid exactly that", pay},
		{"a customer who pays and never comes back has paid", neverBack},
		{"a customer whose bank asks first has paid", authenticate},
		{"a declined customer has paid nothing, knows why, and may try again", decline},
		{"a customer who gives up has paid nothing", giveUp},
		{"an attempt that was never started is neither paid nor dead", neverStarted},
		{"an abandoned attempt is dead for good", abandon},
		{"abandoning what was paid says paid", abandonPaid},
		{"abandoning a lost start leaves nothing that could be paid unseen", abandonLost},
		{"an attempt nobody pays dies by itself", lapse},
		{"paid never regresses", neverRegresses},
		{"attempts side by side do not mix", sideBySide},
		{"one attempt started by many at once is one attempt", startRace},
		{"a refund returns exactly that, once", refund},
		{"refunds in parts add up to no more than was paid", refundInParts},
		{"a refund by many at once is one refund", refundRace},
		{"more than was paid cannot be refunded", overRefund},
		{"a refund that was never asked for is not found", refundNotFound},
		{"a refund at the provider's desk is counted", refundByHand},
		{"a dispute is counted and changes no state", dispute},
		{"notifications verify and ring for their attempt", notifications},
		{"a changed, bare or foreign notification is forged", forged},
		{"a stale notification is forged", stale},
	}
	return append(all, wirePromises()...)
}
