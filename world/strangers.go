// Package world is the town around the house: simulated payment providers,
// operators and mailboxes, a clock that can be moved, a demo customer with lines
// in every state, and the panel on which a person makes strangers misbehave.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package world

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// The credentials by which simulated strangers know us. They open nothing else.
const (
	StripeKey        = "sk_test_simulated"
	StripeSecret     = "whsec_simulated"
	AccessCode       = "simulated-access-code"
	AccessSecret     = "simulated-secret-key"
	AccessHook       = "simulated-unguessable-path"
	stripePagePrefix = "/sim/stripe"
)

// Strangers are everyone outside the house.
type Strangers struct {
	Clock  *Clock
	Stripe *stripesim.Sim
	Access *esimaccesssim.Sim
	Simple *carriersim.Sim
	Inbox  *inboxsim.Inbox

	wires map[string]*outboundsim.Wire

	mu     sync.Mutex
	charge outboundsim.Fault  // what happens to the next request for money
	extend operatorFault      // what happens to the next extension, at whichever operator
	tell   stripesim.Delivery // how the next notification arrives
	lateAt time.Time          // when what was put off happens by itself; zero: nothing was
}

// operatorFault is one misbehaviour, as the in-process operator and as the wire
// to the other one know it.
type operatorFault struct {
	simple carriersim.Fault
	wire   outboundsim.Fault
}

// lateBy is how long strangers put off what they do late: longer than we wait
// for them, and no longer than they themselves say it can take.
const lateBy = 25 * time.Second

// NewStrangers returns a town in which nothing has happened. url is where the
// shop is reached, for the addresses of the card page; seed decides everything
// that is left to chance.
func NewStrangers(clock *Clock, url string, seed uint64) *Strangers {
	s := &Strangers{Clock: clock, wires: map[string]*outboundsim.Wire{}}
	s.Stripe = stripesim.New(stripesim.Config{
		Key: StripeKey, WebhookSecret: StripeSecret, Now: clock.Now, PageBase: strings.TrimSuffix(url, "/") + stripePagePrefix,
		Rand: rand.New(rand.NewPCG(seed, 1)), Deliver: func(string) stripesim.Delivery { return s.delivery() },
	})
	s.Access = esimaccesssim.New(esimaccesssim.Config{
		Now: clock.Now, Rand: rand.New(rand.NewPCG(seed, 2)), AccessCode: AccessCode, SecretKey: AccessSecret,
		Balance: 5_000_0000, Webhook: url + "/hooks/carrier/esimaccess/" + AccessHook,
	})
	s.Simple = &carriersim.Sim{Title: "simple", Now: clock.Now, Choose: func(carrier.Extension) carriersim.Fault { return s.atExtension().simple }}
	s.Inbox = &inboxsim.Inbox{Now: clock.Now}
	s.wires["stripe"] = &outboundsim.Wire{Stranger: s.Stripe, Choose: s.atCharge}
	s.wires["esimaccess"] = &outboundsim.Wire{Stranger: s.Access, Choose: s.atTopUp}
	return s
}

// Transport is the wire to a stranger.
func (s *Strangers) Transport(stranger string) http.RoundTripper {
	if w, ok := s.wires[stranger]; ok {
		return w
	}
	return nobody{}
}

// nobody answers for strangers that do not exist in this town: the demo never
// reaches the network.
type nobody struct{}

func (nobody) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	http.Error(rec, "there is no "+r.URL.Host+" in this town", http.StatusBadGateway)
	return rec.Result(), nil
}

func isCharge(r *http.Request) bool {
	return r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "/sessions") || strings.HasSuffix(r.URL.Path, "/refunds"))
}

func isTopUp(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/esim/topup") }

// atCharge uses up the fault that was asked for, at a request that moves money.
func (s *Strangers) atCharge(r *http.Request) outboundsim.Fault {
	if !isCharge(r) {
		return outboundsim.None
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.charge
	s.charge = outboundsim.None
	s.putOff(f == outboundsim.ActLater)
	return f
}

// atTopUp is atExtension on the wire to the operator that has one.
func (s *Strangers) atTopUp(r *http.Request) outboundsim.Fault {
	if !isTopUp(r) {
		return outboundsim.None
	}
	f := s.atExtension()
	switch f.simple {
	case carriersim.Refuse:
		s.Access.Refuse("esim/topup", "200002")
	case carriersim.ActLater: // it has heard us in time: a wire that delivers late would be turned away
		s.Access.ActAfter(lateBy)
	case carriersim.None, carriersim.NotSent, carriersim.LoseRequest, carriersim.LoseAnswer:
	}
	return f.wire
}

// atExtension uses up the fault that was asked for.
func (s *Strangers) atExtension() operatorFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.extend
	s.extend = operatorFault{}
	s.putOff(f.simple == carriersim.ActLater)
	return f
}

func (s *Strangers) putOff(later bool) {
	if later {
		s.lateAt = s.Clock.Now().Add(lateBy)
	}
}

func (s *Strangers) delivery() stripesim.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.tell
	s.tell = stripesim.Prompt
	return d
}

// Handler serves what strangers show to people: the card page, the mailbox and
// the panel. Mount it at /sim/.
func (s *Strangers) Handler(p *Panel) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(stripePagePrefix+"/", http.StripPrefix(stripePagePrefix, s.Stripe.Pages()))
	mux.Handle("GET /sim/inbox", s.Inbox.Handler())
	mux.Handle("/sim/", p.handler())
	return mux
}

// Deliver lets happen what was put off until now, posts the notifications that
// are due to the house, as the strangers would, and says whether there were any.
func (s *Strangers) Deliver(ctx context.Context, house http.Handler) (worked bool, err error) {
	now := s.Clock.Now()
	if s.overdue(now) {
		worked = s.late() > 0
	}
	for _, n := range s.Stripe.Notifications() {
		worked = true
		if n.DueAt.After(now.Add(time.Minute)) {
			continue // told so late that nobody waits for it in a demo
		}
		if post(ctx, house, "/hooks/payment/stripe", n.Header, n.Body) >= 300 && n.Attempt > 0 {
			s.Stripe.Failed(n)
		}
	}
	for _, n := range s.Access.Notifications() {
		worked = true
		post(ctx, house, "/hooks/carrier/esimaccess/"+AccessHook, n.Header, n.Body)
	}
	return worked, nil
}

func post(ctx context.Context, house http.Handler, path string, h http.Header, body []byte) int {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	r.Header = h.Clone()
	rec := httptest.NewRecorder()
	house.ServeHTTP(rec, r)
	return rec.Code
}

func (s *Strangers) overdue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.lateAt.IsZero() && !now.Before(s.lateAt)
}

// late lets everything happen that strangers were told to do later.
func (s *Strangers) late() int {
	s.mu.Lock()
	s.lateAt = time.Time{}
	s.mu.Unlock()
	n := s.Simple.Deliver()
	for _, w := range s.wires {
		n += w.Deliver()
	}
	return n
}
