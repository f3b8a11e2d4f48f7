// Package world is the town around the house: simulated payment providers,
// operators and mailboxes, a clock that can be moved, a demo customer with lines
// in every state, and the panel on which a person makes strangers misbehave.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package world

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"crypto/x509"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/account/openid/openidsim"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus/es2plussim"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/message/phonesim"
	"github.com/tsuzuku/tsuzuku/message/pushsim"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// The credentials by which the simulated operator knows us. They open nothing else.
const (
	AccessCode   = "simulated-access-code"
	AccessSecret = "simulated-secret-key"
	AccessHook   = "simulated-unguessable-path"

	// SMSSecret is the one by which the bridge to the simulated SMS gateway knows us.
	SMSSecret = "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGUtZGVtbw=="
)

// Strangers are everyone outside the house.
type Strangers struct {
	Clock  *Clock
	Stripe *stripesim.Sim // among Banks, too
	Banks  []*Bank
	Keys   Keys           // of those who sign with RSA
	Roots  *x509.CertPool // who issued PayPal's certificates
	Access *esimaccesssim.Sim
	Airalo *airalo
	ESIMGo *esimgo
	CMI    *cmi
	Remote *remotesim.Sim
	SMDP   *es2plussim.Sim
	ByHand *byHand
	Simple *carriersim.Sim
	Inbox  *inboxsim.Inbox
	Push   *pushsim.Service
	Issuer *openidsim.Sim
	SMS    *phonesim.Bridge

	numbers *rand.Rand // of cards
	drawer  []sold     // cards that can be claimed
	wires   map[string]*outboundsim.Wire
	weather *Weather // decides by chance; nil: only what was asked for happens

	mu      sync.Mutex
	charge  outboundsim.Fault // what happens to the next request for money, at whichever bank
	decline bool              // whether the next who pays is declined
	tell    string            // how the next notification arrives: one of the simulators' deliveries
	text    phonesim.Fault    // what happens to the next SMS
	extend  operatorFault     // what happens to the next extension or new line, at whichever operator
	lateAt  time.Time         // when what was put off happens by itself; zero: nothing was
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
// shop is reached, for the addresses of payment pages; seed decides everything
// that is left to chance.
func NewStrangers(clock *Clock, url string, seed uint64, keys Keys) *Strangers {
	s := &Strangers{Clock: clock, wires: map[string]*outboundsim.Wire{}, Keys: keys}
	f := founding{now: clock.Now, url: url, seed: seed, keys: keys, deliver: s.delivery}
	s.Stripe = stripesim.New(stripesim.Config{
		Key: StripeKey, WebhookSecret: StripeSecret, Now: clock.Now, PageBase: f.pageBase("stripe"),
		Rand: f.random(1), Deliver: func(string) stripesim.Delivery { return stripesim.Delivery(s.delivery()) },
	})
	paypal, sim := paypalBank(f)
	s.Roots = sim.Roots()
	s.Banks = []*Bank{stripeBank(s.Stripe), paypal, linepayBank(f), paypayBank(f), alipayBank(f), wechatBank(f), antomBank(f)}
	for _, b := range s.Banks {
		b.Wire.Choose = s.atCharge(b)
		s.wires[b.Name] = b.Wire
	}
	s.Access = esimaccesssim.New(esimaccesssim.Config{
		Now: clock.Now, Rand: f.random(2), AccessCode: AccessCode, SecretKey: AccessSecret,
		Balance: 5_000_0000, Webhook: url + "/hooks/carrier/esimaccess/" + AccessHook,
	})
	s.Simple = &carriersim.Sim{
		Title: "simple", Now: clock.Now,
		Choose:      func(e carrier.Extension) carriersim.Fault { return s.atExtension(e.Ref).simple },
		ChooseIssue: func(p carrier.Purchase) carriersim.Fault { return s.atExtension(p.Ref).simple },
		Making:      makingTakes,
	}
	s.Inbox = &inboxsim.Inbox{Now: clock.Now}
	s.SMS = &phonesim.Bridge{Secret: SMSSecret, Now: clock.Now, Choose: s.atSMS}
	s.Push = &pushsim.Service{Now: clock.Now, Random: crand.Reader}
	s.addAiralo(f)
	s.addESIMGo(f)
	s.addCMI(f)
	s.addMore(f)
	s.addIssuer(f)
	s.wires["esimaccess"] = &outboundsim.Wire{Stranger: s.Access, Choose: s.atTopUp}
	return s
}

// Transport is the wire to a stranger.
func (s *Strangers) Transport(stranger string) http.RoundTripper {
	if stranger == "push" {
		return s.Push
	}
	if stranger == "sms" {
		return s.SMS
	}
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

// makingTakes is how long the in-process operator makes a new line.
const makingTakes = 3 * time.Second

func isTopUp(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/esim/topup") }

func isOrder(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/esim/order") }

// atCharge uses up the fault that was asked for, at a request that moves money.
func (s *Strangers) atCharge(b *Bank) func(*http.Request) outboundsim.Fault {
	return func(r *http.Request) outboundsim.Fault {
		if s.weather != nil {
			f := s.weather.atBank(b, s.Clock.Now(), r)
			s.putOffFor(f == outboundsim.ActLater, s.weather.later)
			return f
		}
		if !b.Acts(r) {
			return outboundsim.None
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		f := s.charge
		s.charge = outboundsim.None
		s.putOff(f == outboundsim.ActLater)
		return f
	}
}

// atTopUp is atExtension on the wire to the operator that has one.
func (s *Strangers) atTopUp(r *http.Request) outboundsim.Fault {
	if isOrder(r) {
		f := s.atExtension("")
		if f.simple == carriersim.Refuse {
			s.Access.Refuse("esim/order", "200011")
		}
		return f.wire
	}
	if !isTopUp(r) {
		return outboundsim.None
	}
	f := s.atExtension("")
	switch f.simple {
	case carriersim.Refuse:
		s.Access.Refuse("esim/topup", "200002")
	case carriersim.ActLater: // it has heard us in time: a wire that delivers late would be turned away
		s.Access.ActAfter(lateBy)
	case carriersim.None, carriersim.NotSent, carriersim.LoseRequest, carriersim.LoseAnswer:
	}
	return f.wire
}

// atExtension uses up the fault that was asked for; ref is our name for what is ordered.
func (s *Strangers) atExtension(ref string) operatorFault {
	if s.weather != nil {
		f := operatorFault{simple: s.weather.atOperator(s.Clock.Now(), ref)}
		s.putOffFor(f.simple == carriersim.ActLater, s.weather.later)
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.extend
	s.extend = operatorFault{}
	s.putOff(f.simple == carriersim.ActLater)
	return f
}

// atSMS uses up the fault that was asked for.
func (s *Strangers) atSMS(string) phonesim.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.text
	s.text = phonesim.None
	return f
}

// putOffFor lets what is done later be done after a time of chance, or with what
// is put off already.
func (s *Strangers) putOffFor(later bool, after func() time.Duration) {
	if !later {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lateAt.IsZero() {
		s.lateAt = s.Clock.Now().Add(after())
	}
}

func (s *Strangers) putOff(later bool) {
	if later {
		s.lateAt = s.Clock.Now().Add(lateBy)
	}
}

// Tell decides how the next notification arrives, whichever bank's it is: one of
// the deliveries that all simulated providers know.
func (s *Strangers) Tell(how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = how
}

func (s *Strangers) delivery() string {
	if s.weather != nil {
		return s.weather.delivery()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.tell
	s.tell = ""
	return d
}

// Handler serves what strangers show to people: the payment pages, the mailbox, the
// telephones and the panel. Mount it at /sim/.
func (s *Strangers) Handler(p *Panel) http.Handler {
	mux := http.NewServeMux()
	for _, b := range s.Banks {
		mux.Handle("/sim/"+b.Name+"/", http.StripPrefix("/sim/"+b.Name, s.counter(b)))
	}
	mux.Handle("GET /sim/inbox", s.Inbox.Handler())
	mux.Handle("GET /sim/phone", s.SMS.Handler())
	mux.Handle("GET /sim/notifications", s.Push.Handler())
	mux.Handle("/sim/"+Issuer+"/", s.Issuer)
	mux.Handle("/sim/", p.handler())
	return mux
}

// counter is a bank's pages. Whoever pays next at any of them is declined, if
// that was asked for.
func (s *Strangers) counter(b *Bank) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.mu.Lock()
			if s.decline {
				b.declineNext(1)
			}
			s.decline = false
			s.mu.Unlock()
		}
		b.pages.ServeHTTP(w, r)
	})
}

// Deliver lets happen what was put off until now, posts the notifications that
// are due to the house, as the strangers would, and says whether there were any.
func (s *Strangers) Deliver(ctx context.Context, house http.Handler) (worked bool, err error) {
	now := s.Clock.Now()
	if s.overdue(now) {
		worked = s.late() > 0
	}
	for _, b := range s.Banks {
		worked = b.tell(ctx, now, house) || worked
	}
	for _, n := range s.Access.Notifications() {
		worked = true
		post(ctx, house, "/hooks/carrier/esimaccess/"+AccessHook, n.Header, n.Body)
	}
	worked = s.Airalo.tell(ctx, house) || worked
	worked = s.ESIMGo.tell(ctx, house) || worked
	worked = s.tellRemote(ctx, house) || worked
	return s.CMI.tell(ctx, house) || worked, nil
}

func post(ctx context.Context, house http.Handler, path string, h http.Header, body []byte) (status int, answer []byte) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	r.Header = h.Clone()
	rec := httptest.NewRecorder()
	house.ServeHTTP(rec, r)
	return rec.Code, rec.Body.Bytes()
}

// UseNew is the customer who installs every new line that nobody has used, and goes
// online with it; it says how many there were.
func (s *Strangers) UseNew() (n int) {
	n = s.Simple.UseNew() + s.ESIMGo.useNew()
	for _, tran := range s.Access.Profiles() {
		if p := s.Access.Profile(tran); p.Status == esimaccesssim.GotResource && p.ActivatedAt.IsZero() {
			s.Access.Use(tran, 1<<20)
			n++
		}
	}
	return n
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
