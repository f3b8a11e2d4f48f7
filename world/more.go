package world

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus/es2plussim"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/luhn"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// The operators that are there for the demo alone: one behind a server that speaks our
// contract, an SM-DP+ of the seller's own whose lines that server feeds, and one
// without any API.

// How the simulated remote operator and we know each other. It opens nothing else.
const (
	RemoteName = "tabi"
	RemoteURL  = "http://tabi.invalid/tsuzuku"
	RemoteKey  = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

const remoteHook = "/hooks/carrier/" + RemoteName + "/signed"

// What is agreed with the simulated SM-DP+.
const (
	SMDPURL       = "https://es2plus.invalid"
	SMDPAddress   = "smdp.hayate.invalid"
	SMDPRequester = "1.3.6.1.4.1.99999.1"
)

// profilesMost is how many profiles the SM-DP+ has of each type, and how many eSIMs
// are bought for the stock.
const profilesMost = 40

// byHand is an operator without an API: what its website shows to the seller's staff.
type byHand struct {
	mu    sync.Mutex
	lines map[string]carrier.Status // by ICCID
}

func (s *Strangers) addMore(f founding) {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	s.Remote = &remotesim.Sim{Key: key, Now: f.now, Making: makingTakes}
	s.SMDP = es2plussim.New(es2plussim.Config{Now: f.now, Rand: f.random(6), Address: SMDPAddress, Requesters: []string{SMDPRequester}, Status: true})
	s.ByHand = &byHand{lines: map[string]carrier.Status{}}
	s.wires[RemoteName] = &outboundsim.Wire{Stranger: s.Remote, Choose: s.atRemote}
	s.wires["es2plus"] = &outboundsim.Wire{Stranger: s.SMDP, Choose: s.atSMDP}
	s.numbers = rand.New(rand.NewPCG(f.seed, 7))
}

// atRemote is atExtension on the wire to the remote operator.
func (s *Strangers) atRemote(r *http.Request) outboundsim.Fault {
	if !says(r, `"call":"extend"`) && !says(r, `"call":"issue"`) {
		return outboundsim.None
	}
	return s.onWire()
}

// atSMDP is atExtension on the wire to the SM-DP+.
func (s *Strangers) atSMDP(r *http.Request) outboundsim.Fault {
	if !strings.HasSuffix(r.URL.Path, "/confirmOrder") {
		return outboundsim.None
	}
	return s.onWire()
}

// onWire is atExtension where a simulator has no refusal of its own: being turned away
// at the door is one.
func (s *Strangers) onWire() outboundsim.Fault {
	switch f := s.atExtension(""); f.simple {
	case carriersim.Refuse:
		return outboundsim.Refuse
	case carriersim.ActLater:
		return outboundsim.ActLater
	case carriersim.None, carriersim.NotSent, carriersim.LoseRequest, carriersim.LoseAnswer:
		return f.wire
	}
	return outboundsim.None
}

// iccid is the number of a card that nobody has, of an issuer.
func (s *Strangers) iccid(issuer string) string {
	digits := fmt.Sprintf("89%s%012d", issuer, s.numbers.Int64N(1e12))
	return digits + string(rune(luhn.Digit(digits)))
}

// stockMore lets the remote operator sell what the catalogue buys from it, and the
// SM-DP+ have profiles of every type, each known to who feeds its lines.
func (s *Strangers) stockMore(cat *catalogue.Catalogue) {
	seen := map[string]bool{}
	for _, p := range cat.Plans {
		for _, id := range p.Operators() {
			from, _ := p.From(id)
			op, _ := cat.Operator(id)
			if op.Carrier != RemoteName && op.Carrier != "es2plus" {
				continue
			}
			for _, t := range from.Terms {
				s.sellMore(op.Carrier, t, seen)
			}
		}
	}
}

func (s *Strangers) sellMore(adapter string, t catalogue.Term, seen map[string]bool) {
	offer := remotesim.Package{Code: t.Package, Bytes: t.Volume, Days: int64(t.Length.N), Cost: max(1, dollars(t.Prices)*50)} // half of our price
	if !seen[offer.Code] {
		seen[offer.Code] = true
		s.Remote.Packages = append(s.Remote.Packages, offer)
	}
	offer.Code, offer.New = t.NewPackage, true
	switch {
	case t.NewPackage == "" || seen[offer.Code]:
	case adapter == RemoteName:
		s.Remote.Packages = append(s.Remote.Packages, offer)
	default:
		for range profilesMost {
			card := s.iccid("8210")
			s.SMDP.Add(t.NewPackage, card)
			s.Remote.Add(remotesim.Line{ID: card, ICCID: card, Total: t.Volume, Lasts: int64(t.Length.N), Ends: s.Clock.Now().AddDate(1, 0, 0)})
		}
	}
	seen[offer.Code] = true
}

// rememberMore makes a line known to an operator of the demo alone.
func (s *Strangers) rememberMore(adapter string, l line.Line) bool {
	switch adapter {
	case RemoteName, "es2plus":
		known := remotesim.Line{ID: l.ProfileID, ICCID: l.ICCID, Starts: l.StartedAt, Ends: l.EndsAt, Total: l.Usage.Total, Used: l.Usage.Used}
		if l.StartedAt.IsZero() {
			known.Ends, known.Lasts = s.Clock.Now().AddDate(1, 0, 0), 15
		}
		s.Remote.Add(known)
	case "manual":
		s.ByHand.set(l.ICCID, carrier.Status{State: carrier.LineActive, StartsAt: l.StartedAt, Total: l.Usage.Total, Used: l.Usage.Used})
	default:
		return false
	}
	return true
}

// tellRemote posts what the remote operator has to say.
func (s *Strangers) tellRemote(ctx context.Context, house http.Handler) (worked bool) {
	for _, n := range s.Remote.Notifications() {
		worked = true
		post(ctx, house, remoteHook, n.Header, n.Body)
	}
	return worked
}

func (b *byHand) set(iccid string, st carrier.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines[iccid] = st
}

// use is a phone that uses data; what the website shows then.
func (b *byHand) use(iccid string, total, bytes int64, now time.Time) carrier.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	st := b.lines[iccid]
	if st.StartsAt.IsZero() {
		st.StartsAt = now
	}
	st.State, st.Total, st.AsOf = carrier.LineActive, max(st.Total, total), now
	st.Used = min(st.Total, st.Used+bytes)
	b.lines[iccid] = st
	return st
}
