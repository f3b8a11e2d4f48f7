package world

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// The credentials by which the simulated China Mobile International knows us. They
// open nothing else.
const (
	CMIKey    = "simulated-app-key"
	CMISecret = "simulated-app-secret"
)

const cmiHook = "/hooks/carrier/cmi/signed"

// refuel begins the code of what is added to a package that runs.
const refuel = "refuel:"

// cmi is China Mobile International.
type cmi struct{ *cmisim.Sim }

func (s *Strangers) addCMI(f founding) {
	s.CMI = &cmi{cmisim.New(cmisim.Config{
		Now: f.now, Rand: f.random(5), AppKey: CMIKey, AppSecret: CMISecret, Deposit: 5_000_00, Webhook: f.url + cmiHook,
	})}
	s.wires["cmi"] = &outboundsim.Wire{Stranger: s.CMI, Choose: s.atCMI}
}

// atCMI is atExtension on the wire to China Mobile International.
func (s *Strangers) atCMI(r *http.Request) outboundsim.Fault {
	if !strings.Contains(r.URL.Path, string(cmisim.CreateOrder)) {
		return outboundsim.None
	}
	f := s.atExtension("")
	switch f.simple {
	case carriersim.Refuse:
		s.CMI.RefuseNext(cmisim.CreateOrder, "1000103")
	case carriersim.ActLater:
		return outboundsim.ActLater
	case carriersim.None, carriersim.NotSent, carriersim.LoseRequest, carriersim.LoseAnswer:
	}
	return f.wire
}

// stockCMI puts what the catalogue buys from China Mobile International into its own,
// at 60 % of our prices.
func (s *Strangers) stockCMI(cat *catalogue.Catalogue) {
	packs, seen := map[string]bool{}, map[string]bool{}
	for _, p := range cat.Plans {
		if op, _ := cat.Operator(p.Operator); op.Carrier != "cmi" {
			continue
		}
		var takes []string
		for _, k := range p.Packs {
			id := strings.TrimPrefix(k.Package, refuel)
			if takes = append(takes, id); !packs[id] {
				packs[id] = true
				s.CMI.AddPack(cmisim.Pack{ID: id, MB: k.Volume >> 20, Price: max(1, dollars(k.Prices)*60/100)})
			}
		}
		for _, t := range p.Terms {
			if seen[t.Package] {
				continue
			}
			seen[t.Package] = true
			s.CMI.AddPackage(cmisim.Package{
				ID: t.Package, Name: t.ID, MB: p.DailyCap >> 20, Daily: true, Period: t.Length.N, PeriodType: naturalDays,
				Price: max(1, dollars(t.Prices)*60/100), Packs: takes,
			})
		}
	}
}

const naturalDays = 1

// remember makes a line known that was bought from China Mobile International: its
// card has run since, with the first package of its plan that lasts as long.
func (c *cmi) remember(l line.Line, p catalogue.Plan) {
	const day = 24 * time.Hour
	card := cmisim.Card{ICCID: l.ICCID, ActiveFrom: l.StartedAt, UsedMB: l.Usage.Used >> 20, ESIM: true}
	for _, t := range p.Terms {
		if card.Package == "" || l.EndsAt.Sub(l.StartedAt) > time.Duration(t.Length.N-1)*day {
			card.Package = t.Package
		}
	}
	c.AddCard(card)
}

// tell posts what China Mobile International has to say.
func (c *cmi) tell(ctx context.Context, house http.Handler) (worked bool) {
	for _, n := range c.Notifications() {
		worked = true
		post(ctx, house, cmiHook, n.Header, n.Body)
	}
	return worked
}
