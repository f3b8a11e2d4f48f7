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

	wires      map[string]*outboundsim.Wire
	mu         sync.Mutex
	next       map[string]outboundsim.Fault // by stranger: what happens to its next request that matters
	nextSimple carriersim.Fault
	tell       stripesim.Delivery
}

// NewStrangers returns a town in which nothing has happened. url is where the
// shop is reached, for the addresses of the card page; seed decides everything
// that is left to chance.
func NewStrangers(clock *Clock, url string, seed uint64) *Strangers {
	s := &Strangers{Clock: clock, next: map[string]outboundsim.Fault{}, wires: map[string]*outboundsim.Wire{}}
	s.Stripe = stripesim.New(stripesim.Config{
		Key: StripeKey, WebhookSecret: StripeSecret, Now: clock.Now, PageBase: strings.TrimSuffix(url, "/") + stripePagePrefix,
		Rand: rand.New(rand.NewPCG(seed, 1)), Deliver: func(string) stripesim.Delivery { return s.delivery() },
	})
	s.Access = esimaccesssim.New(esimaccesssim.Config{
		Now: clock.Now, Rand: rand.New(rand.NewPCG(seed, 2)), AccessCode: AccessCode, SecretKey: AccessSecret,
		Balance: 5_000_0000, Webhook: url + "/hooks/carrier/esimaccess/" + AccessHook,
	})
	s.Simple = &carriersim.Sim{Title: "simple", Now: clock.Now, Choose: func(carrier.Extension) carriersim.Fault { return s.simple() }}
	s.Inbox = &inboxsim.Inbox{Now: clock.Now}
	s.wires["stripe"] = &outboundsim.Wire{Stranger: s.Stripe, Choose: s.chooser("stripe", isCharge)}
	s.wires["esimaccess"] = &outboundsim.Wire{Stranger: s.Access, Choose: s.chooser("esimaccess", isTopUp)}
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

// chooser uses up the fault that was asked for, at the next request that could
// change something.
func (s *Strangers) chooser(stranger string, matters func(*http.Request) bool) func(*http.Request) outboundsim.Fault {
	return func(r *http.Request) outboundsim.Fault {
		if !matters(r) {
			return outboundsim.None
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		f := s.next[stranger]
		delete(s.next, stranger)
		return f
	}
}

func (s *Strangers) simple() carriersim.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.nextSimple
	s.nextSimple = carriersim.None
	return f
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

// Deliver posts the notifications that are due to the house, as the strangers
// would, and says whether there were any.
func (s *Strangers) Deliver(ctx context.Context, house http.Handler) (worked bool, err error) {
	now := s.Clock.Now()
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

// Late lets everything happen that strangers were told to do later.
func (s *Strangers) Late() int {
	n := s.Simple.Deliver()
	for _, w := range s.wires {
		n += w.Deliver()
	}
	return n
}
