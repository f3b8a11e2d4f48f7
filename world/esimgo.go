package world

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// ESIMGoKey is by what the simulated eSIM Go knows us. It opens nothing else.
const ESIMGoKey = "simulated-api-key"

const (
	esimgoHook    = "/hooks/carrier/esimgo/signed"
	esimgoNetwork = "docomo" // all its bundles are of one, so that each fits each eSIM
	million       = 1_000_000
)

// esimgo is eSIM Go, which makes a new eSIM, and puts a bundle on one, in a moment.
type esimgo struct{ *esimgosim.Sim }

func (s *Strangers) addESIMGo(f founding) {
	s.ESIMGo = &esimgo{esimgosim.New(esimgosim.Config{
		Now: f.now, Rand: f.random(4), APIKey: ESIMGoKey, Balance: 5_000_00, Lag: makingTakes, Webhook: f.url + esimgoHook,
	})}
	s.wires["esimgo"] = &outboundsim.Wire{Stranger: s.ESIMGo, Choose: s.atESIMGo}
}

// atESIMGo is atExtension on the wire to eSIM Go. A rehearsal moves nothing.
func (s *Strangers) atESIMGo(r *http.Request) outboundsim.Fault {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/orders") || !says(r, `"transaction"`) {
		return outboundsim.None
	}
	f := s.atExtension("")
	switch f.simple {
	case carriersim.Refuse:
		s.ESIMGo.Fail(esimgosim.PlaceOrder, esimgosim.Refuse)
	case carriersim.ActLater:
		return outboundsim.ActLater
	case carriersim.None, carriersim.NotSent, carriersim.LoseRequest, carriersim.LoseAnswer:
	}
	return f.wire
}

// says reports whether a request's body has a word in it.
func says(r *http.Request, word string) bool {
	body, _ := io.ReadAll(r.Body) // in memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte(word))
}

// stockESIMGo puts what the catalogue buys from eSIM Go into its own, at 60 % of our
// prices.
func (s *Strangers) stockESIMGo(cat *catalogue.Catalogue) {
	for _, p := range cat.Plans {
		if op, _ := cat.Operator(p.Operator); op.Carrier != "esimgo" {
			continue
		}
		for _, t := range p.Terms {
			s.ESIMGo.AddBundle(esimgosim.Bundle{
				Name: t.Package, MB: t.Volume / million, Days: t.Length.N, Price: max(1, dollars(t.Prices)*60/100), Provider: esimgoNetwork,
			})
		}
	}
}

// remember makes a line known that was bought from eSIM Go, as one bundle that holds
// all that the line has.
func (g *esimgo) remember(l line.Line) {
	const day = 24 * time.Hour
	name := "esim_of_" + l.ID
	g.AddBundle(esimgosim.Bundle{
		Name: name, MB: max(1, l.Usage.Total/million), Days: max(1, int((l.EndsAt.Sub(l.StartedAt)+day-1)/day)), Price: 100, Provider: esimgoNetwork,
	})
	g.AddESIM(esimgosim.ESIM{ICCID: l.ICCID, Bundle: name, InstalledAt: l.StartedAt, UsedFrom: l.StartedAt, Used: l.Usage.Used})
}

// useNew is the customer who installs every eSIM that nobody has used, and goes online.
func (g *esimgo) useNew() (n int) {
	for _, card := range g.ICCIDs() {
		fresh := false
		for _, a := range g.Assignments(card) {
			fresh = a.StartsAt.IsZero()
			if !fresh {
				break
			}
		}
		if fresh {
			g.Use(card, million)
			n++
		}
	}
	return n
}

// tell posts what eSIM Go has to say.
func (g *esimgo) tell(ctx context.Context, house http.Handler) (worked bool) {
	for _, n := range g.Notifications() {
		worked = true
		post(ctx, house, esimgoHook, n.Header, n.Body)
	}
	return worked
}
