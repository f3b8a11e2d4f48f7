package world

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// The second operator of a simulated town is eSIM Access, by its real wire. Its lines
// are those of one plan, and some lose their cards to other people meanwhile.
const (
	wholesaler  = "esimaccess"
	plansAbroad = "aurora-sum"

	// deposit is more than any town buys, in the operator's units: that it can be
	// empty, the misfortunes of package e2e tell.
	deposit = 1_000_000_000_0000

	// recycleMost is how many cards are given to somebody else in a run, at most.
	recycleMost = 6
)

// sellAbroad stocks the operator with what the shop buys there, and lets the weather
// decide what befalls calls to it.
func (s *Simulation) sellAbroad() {
	s.town.stock(s.cat)
	s.town.Access.SetBalance(deposit)
	s.town.wires[wholesaler].Choose = s.abroad
	if s.plan.Faults == NoFaults {
		return
	}
	for range s.rand.IntN(recycleMost + 1) {
		s.at(s.epoch.Add(time.Duration(s.rand.Int64N(int64(s.length)+1))), func(context.Context) { s.recycle() })
	}
}

// abroad is the fate of one call to the operator.
func (s *Simulation) abroad(r *http.Request) outboundsim.Fault {
	if !isTopUp(r) && !isOrder(r) {
		return s.failing(r, s.askedAbroad())
	}
	w, sim := s.weather, s.town.Access
	if w.out(wholesaler, s.clock.Now()) {
		return s.failing(r, outboundsim.Refuse)
	}
	fault := outboundsim.None
	switch pick(w, "operator", w.operator) {
	case carriersim.Refuse:
		sim.Refuse(strings.TrimPrefix(r.URL.Path, esimaccesssim.Prefix), map[bool]string{true: "200002", false: "200011"}[isTopUp(r)])
	case carriersim.NotSent:
		fault = outboundsim.Refuse
	case carriersim.LoseRequest:
		fault = outboundsim.LoseRequest
	case carriersim.LoseAnswer:
		fault = outboundsim.LoseAnswer
	case carriersim.ActLater: // it has heard us in time: a wire that delivers late would be turned away
		if isTopUp(r) {
			sim.ActAfter(w.later())
		}
	case carriersim.None:
	}
	return s.failing(r, fault)
}

// askedAbroad is the fate of one question, which changes nothing, also later.
func (s *Simulation) askedAbroad() outboundsim.Fault {
	w := s.weather
	if w.out(wholesaler, s.clock.Now()) {
		return outboundsim.Refuse
	}
	s.town.Access.LagReads(w.lag())
	f := pick(w, "wire", w.wire)
	if f == outboundsim.ActLater || f == outboundsim.Twice {
		return outboundsim.LoseRequest
	}
	return f
}

// failing notes a call to the operator, and one that comes to nothing by what stands in it.
func (s *Simulation) failing(r *http.Request, f outboundsim.Fault) outboundsim.Fault {
	now := s.clock.Now()
	s.weather.hail.call(now, f != outboundsim.None)
	if f != outboundsim.None {
		s.weather.failed.add(now, wordsOf(r))
	}
	return f
}

// joins makes a customer's line known to the operator, if it is one of its lines.
func (s *Simulation) joins(l *served) {
	if l.plan.ID != plansAbroad {
		return
	}
	s.town.Access.AddProfile(esimaccesssim.Profile{
		TranNo: l.profile, ICCID: l.iccid, Package: base(l.plan.ID), ActivatedAt: l.ends.Add(-30 * day), EndsAt: l.ends, TotalVolume: 5 << 30, TotalDays: 30, Used: 1 << 30,
	})
}

// recycle gives the card of some line to somebody else.
func (s *Simulation) recycle() {
	all := s.town.Access.Profiles()
	if len(all) == 0 {
		return
	}
	tran := all[s.rand.IntN(len(all))]
	s.weather.count["recycled card"]++
	s.log("the card of %s is given to %s", tran, s.town.Access.Recycle(tran))
}

// tellAbroad brings the operator's notifications on their way. It does not send again
// what nobody heard.
func (s *Simulation) tellAbroad() {
	for _, n := range s.town.Access.Notifications() {
		s.at(s.clock.Now(), func(ctx context.Context) {
			_, _ = s.in(ctx, "a notification of the operator", func(ctx context.Context, h *House) error {
				post(ctx, h.Door, "/hooks/carrier/esimaccess/"+AccessHook, n.Header, n.Body)
				return nil
			})
		})
	}
}

// deed is what the second operator did for one of our references.
type deed struct {
	ref    string
	tranNo string // of the line that was extended or made
	issue  bool
}

// deedsAbroad are all that the second operator did, of every line that there is.
func (s *Simulation) deedsAbroad() (all []deed) {
	for _, tran := range s.town.Access.Profiles() {
		if p := s.town.Access.Profile(tran); !strings.HasPrefix(p.TransactionID, "seed-") { // nobody here bought that one
			all = append(all, deed{p.TransactionID, tran, true})
		}
		for _, t := range s.town.Access.TopUps(tran) {
			all = append(all, deed{t.TransactionID, tran, false})
		}
	}
	return all
}

// served reports how often operators acted for an order, whichever they were.
func (s *Simulation) served(order string) int {
	n := s.town.Simple.Extended(order) + s.town.Simple.Issues(order)
	for _, d := range s.deedsAbroad() {
		if d.ref == order {
			n++
		}
	}
	return n
}

// profileOf is the name of a customer's line at its operator.
func profileOf(n, i int) string { return fmt.Sprintf("sim-%d-%d", n, i) }

// cardOf is a number of a card that nobody else has.
func cardOf(n, i int) string { return fmt.Sprintf("89818%013d%d", n, i) }
