package world

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message/phonesim"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Panel is the page on which a person moves the clock and makes strangers
// misbehave.
type Panel struct {
	Strangers *Strangers
	Desk      *order.Desk // of the shop, where its staff write things down

	// NextEnd is the next end of service in the shop; zero when there is none.
	NextEnd func(context.Context) (time.Time, error)

	// Codes are those that the shop shows to be scanned by a phone.
	Codes func(context.Context) ([]string, error)

	// Pause is called before the clock is moved: nobody does anything until the
	// page comes back.
	Pause func() (resume func())

	// Moved is called after the clock was moved, so that the work that is due
	// by then is done before the page comes back.
	Moved func(context.Context)
}

//go:embed panel.html
var panelHTML string

var panelPage = template.Must(template.New("panel").Parse(panelHTML))

// panelView is everything that panel.html may use.
type panelView struct {
	Now     time.Time
	NextEnd time.Time
	Faults  []trouble
	Codes   []string // where a phone arrives that scans them
	Slips   []string // of convenience stores, that can be paid
	Banks   []*Bank  // at which customers' banks take money back
	Said    string
}

// trouble is one way to misbehave, as a button.
type trouble struct {
	Name string
	Says string
	do   func(*Strangers)
}

// troubles are the buttons, in order. Each concerns the next payment or
// extension only.
func troubles() []trouble {
	return append([]trouble{
		{"pay-decline", "Payment: the next one is declined", func(s *Strangers) { s.refuseNext() }},
		{"pay-silent", "Payment: the next request gets no answer, and was not carried out", charge(outboundsim.LoseRequest)},
		{"pay-lost", "Payment: the next request is carried out, and its answer is lost", charge(outboundsim.LoseAnswer)},
		{"pay-slow", "Payment: the next request is carried out long after we stopped waiting", charge(outboundsim.ActLater)},
		{"pay-twice", "Payment: the next notification comes twice", func(s *Strangers) { s.Tell("twice") }},
		{"pay-never", "Payment: the next notification never comes", func(s *Strangers) { s.Tell("never") }},
		{"pay-forged", "Payment: the next notification is preceded by a forged one", func(s *Strangers) { s.Tell("forged") }},
		{"operator-refuse", "Operator: refuses the next extension or new eSIM", operator(carriersim.Refuse, outboundsim.None)},
		{"operator-silent", "Operator: the next extension or new eSIM gets no answer, and was not carried out", operator(carriersim.LoseRequest, outboundsim.LoseRequest)},
		{"operator-lost", "Operator: extends the line or makes the eSIM, and the answer is lost", operator(carriersim.LoseAnswer, outboundsim.LoseAnswer)},
		{"operator-slow", "Operator: does it long after we stopped waiting", operator(carriersim.ActLater, outboundsim.None)},
		{"operator-away", "Operator: cannot be reached for the next extension or new eSIM", operator(carriersim.NotSent, outboundsim.Refuse)},
		{"sms-refuse", "SMS: the gateway refuses the next one", text(phonesim.Refuse)},
		{"sms-lost", "SMS: the next one arrives, and the gateway's answer is lost", text(phonesim.SilentAfter)},
	}, lying()...)
}

func charge(f outboundsim.Fault) func(*Strangers) {
	return func(s *Strangers) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.charge = f
	}
}

func operator(simple carriersim.Fault, wire outboundsim.Fault) func(*Strangers) {
	return func(s *Strangers) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.extend = operatorFault{simple, wire}
	}
}

func text(f phonesim.Fault) func(*Strangers) {
	return func(s *Strangers) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.text = f
	}
}

func (s *Strangers) refuseNext() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decline = true
}

func (p *Panel) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sim/{$}", p.show)
	mux.HandleFunc("POST /sim/clock", p.clock)
	mux.HandleFunc("POST /sim/trouble", p.trouble)
	mux.HandleFunc("POST /sim/till", p.till)
	mux.HandleFunc("POST /sim/use", p.useAll)
	mux.HandleFunc("GET /sim/phones", p.showPhones)
	mux.HandleFunc("POST /sim/phones", p.phones)
	mux.HandleFunc("POST /sim/work", p.work)
	mux.HandleFunc("POST /sim/dispute", p.dispute)
	mux.HandleFunc("POST /sim/refund", p.refund)
	return http.NewCrossOriginProtection().Handler(mux)
}

func (p *Panel) show(w http.ResponseWriter, r *http.Request) {
	end, err := p.NextEnd(r.Context())
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	codes, err := p.Codes(r.Context())
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	for i, c := range codes {
		codes[i] = p.Strangers.PageOf(c)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = panelPage.Execute(w, panelView{ // a demo page; who left does not see the rest
		Now: p.Strangers.Clock.Now(), NextEnd: end, Faults: troubles(), Codes: codes, Slips: p.Strangers.Stripe.Slips(), Banks: p.disputing(), Said: r.URL.Query().Get("said"),
	})
}

// justBefore is how long before the end the third button stops.
const justBefore = 10 * time.Minute

func (p *Panel) clock(w http.ResponseWriter, r *http.Request) {
	defer p.Pause()()
	clock := p.Strangers.Clock
	switch r.PostFormValue("by") {
	case "hour":
		clock.Add(time.Hour)
	case "day":
		clock.Add(24 * time.Hour)
	case "minutes":
		clock.Add(5 * time.Minute)
	case "end":
		end, err := p.NextEnd(r.Context())
		if err != nil || end.IsZero() {
			p.back(w, r, "No line has an end that lies ahead.")
			return
		}
		clock.Add(end.Add(-justBefore).Sub(clock.Now()))
	default:
		http.Error(w, "move the clock by minutes, hour, day or end", http.StatusUnprocessableEntity)
		return
	}
	p.Moved(r.Context())
	p.back(w, r, "The clock was moved.")
}

func (p *Panel) trouble(w http.ResponseWriter, r *http.Request) {
	for _, t := range troubles() {
		if t.Name == r.PostFormValue("name") {
			t.do(p.Strangers)
			p.back(w, r, t.Says)
			return
		}
	}
	http.Error(w, "there is no such trouble", http.StatusUnprocessableEntity)
}

// till is where the customer pays a convenience store's slip.
func (p *Panel) till(w http.ResponseWriter, r *http.Request) {
	if err := p.Strangers.Stripe.Settle(r.PostFormValue("slip"), true); err != nil {
		p.back(w, r, "This slip can no longer be paid.")
		return
	}
	p.back(w, r, "The slip was paid.")
}

// useAll is where the customer arrives, and goes online with every new line.
func (p *Panel) useAll(w http.ResponseWriter, r *http.Request) {
	n := p.Strangers.UseNew()
	all, err := p.phone(r.Context())
	if err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	for _, h := range all {
		switch h.Adapter {
		case "airalo", "cmi", RemoteName, "es2plus", "manual": // of these UseNew knows nothing
			if h.State != line.New {
				continue
			}
			if _, err := p.use(r.Context(), h, 1<<20); err == nil {
				n++
			}
		}
	}
	p.Moved(r.Context())
	if n == 0 {
		p.back(w, r, "There is no new eSIM that nobody has used.")
		return
	}
	p.back(w, r, "The new eSIMs are online. The shop sees it when it asks the operator: open the line's page, or let a quarter of an hour pass.")
}

// disputing are the banks that know disputes and have taken something.
func (p *Panel) disputing() (all []*Bank) {
	for _, b := range p.Strangers.Banks {
		if b.Dispute != nil && len(b.Charged()) > 0 {
			all = append(all, b)
		}
	}
	return all
}

// dispute is what the customer's own bank does: it takes the newest payment back
// that it can, or decides the newest that it took.
func (p *Panel) dispute(w http.ResponseWriter, r *http.Request) {
	defer p.Pause()()
	name, what, _ := strings.Cut(r.PostFormValue("do"), " ")
	all := p.disputing()
	i := slices.IndexFunc(all, func(b *Bank) bool { return b.Name == name })
	acts := map[string]func(b *Bank, ref string) error{
		"takes": func(b *Bank, ref string) error { return b.Dispute(ref) },
		"won":   func(b *Bank, ref string) error { return b.Judge(ref, true) },
		"lost":  func(b *Bank, ref string) error { return b.Judge(ref, false) },
	}
	act, known := acts[what]
	if i < 0 || !known {
		http.Error(w, "choose one of the buttons", http.StatusUnprocessableEntity)
		return
	}
	for _, ref := range slices.Backward(all[i].Charged()) {
		if act(all[i], ref) == nil {
			p.Moved(r.Context())
			p.back(w, r, "The customer's bank has spoken.")
			return
		}
	}
	p.back(w, r, "There is no payment with which that can be done.")
}

// refund is what staff do with `tsuzuku order refund`, which reaches no simulated stranger
// from its own process: all of an order's money goes back.
func (p *Panel) refund(w http.ResponseWriter, r *http.Request) {
	act := order.Act{Staff: "demo", Reason: "on the town's page"}
	k, err := order.KeyOf(strings.TrimSpace(r.PostFormValue("order")))
	var o order.Order
	if err == nil {
		o, err = db.Seen(r.Context(), p.Desk.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) { return order.Get(ctx, tx, k) })
	}
	switch {
	case err != nil:
	case o.State == order.Completed:
		_, err = p.Desk.RefundCompleted(r.Context(), k, money.Money{}, act)
	default:
		_, err = p.Desk.GiveBack(r.Context(), k, act)
	}
	if err != nil {
		p.back(w, r, "That cannot be done: "+err.Error())
		return
	}
	p.Moved(r.Context())
	p.back(w, r, "The money goes back.")
}

// back leads to the page where a button was pressed.
func (p *Panel) back(w http.ResponseWriter, r *http.Request, said string) {
	page := "/sim/"
	if r.PostFormValue("back") == "/sim/phones" {
		page = "/sim/phones"
	}
	http.Redirect(w, r, page+"?said="+template.URLQueryEscaper(said), http.StatusSeeOther)
}
