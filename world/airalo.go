package world

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// The credentials by which the simulated Airalo knows us. They open nothing else.
const (
	AiraloClient = "simulated-client-id"
	AiraloSecret = "simulated-client-secret"
)

const airaloHook = "/hooks/carrier/airalo/signed"

// airalo is the second operator that has a wire, with one network.
type airalo struct {
	*airalosim.Sim
	network int
}

func (s *Strangers) addAiralo(f founding) {
	sim := airalosim.New(airalosim.Config{
		Now: f.now, Rand: f.random(3), ClientID: AiraloClient, ClientSecret: AiraloSecret, Balance: 5_000_00,
	})
	s.Airalo = &airalo{sim, sim.AddOperator(airalosim.Operator{Title: "Sorami", Country: "JP"})}
	s.wires["airalo"] = &outboundsim.Wire{Stranger: sim, Choose: s.atAiralo}
	token := asSeller(sim, "token", map[string]string{"client_id": AiraloClient, "client_secret": AiraloSecret, "grant_type": "client_credentials"}, "")
	asSeller(sim, "notifications/opt-in", map[string]string{"type": "webhook_low_data", "webhook_url": f.url + airaloHook}, token)
}

// asSeller does what a seller's engineer does by hand at Airalo, and returns the
// token of the answer, if there is one.
func asSeller(sim *airalosim.Sim, path string, payload map[string]string, token string) string {
	body, _ := json.Marshal(payload) // of strings
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, airalosim.Prefix+path, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	sim.ServeHTTP(rec, r)
	var answer struct {
		Data struct {
			Token string `json:"access_token"`
		} `json:"data"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || rec.Code != http.StatusOK {
		panic("world: Airalo does not take " + path + ": " + rec.Body.String())
	}
	return answer.Data.Token
}

// atAiralo is atExtension on the wire to Airalo.
func (s *Strangers) atAiralo(r *http.Request) outboundsim.Fault {
	buys := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/orders")
	if !buys && !strings.HasSuffix(r.URL.Path, "/orders/topups") {
		return outboundsim.None
	}
	f := s.atExtension("")
	switch f.simple {
	case carriersim.Refuse:
		if buys {
			s.Airalo.RefuseNext(airalosim.Order, 33)
		} else {
			s.Airalo.RefuseNext(airalosim.TopUpOrder, 23)
		}
	case carriersim.ActLater:
		return outboundsim.ActLater
	case carriersim.None, carriersim.NotSent, carriersim.LoseRequest, carriersim.LoseAnswer:
	}
	return f.wire
}

// stockAiralo puts what the catalogue buys from Airalo into its own, at 60 % of
// our prices.
func (s *Strangers) stockAiralo(cat *catalogue.Catalogue) {
	seen := map[string]bool{}
	for _, p := range cat.Plans {
		if op, _ := cat.Operator(p.Operator); op.Carrier != "airalo" {
			continue
		}
		for _, t := range p.Terms {
			k := airalosim.Package{
				ID: t.Package, Operator: s.Airalo.network, TopUp: true, Price: dollars(t.Prices), NetPrice: max(1, dollars(t.Prices)*60/100),
				AmountMB: t.Volume >> 20, Days: t.Length.N,
			}
			if !seen[k.ID] {
				s.Airalo.AddPackage(k)
			}
			if k.ID, k.TopUp = t.NewPackage, false; k.ID != "" && !seen[k.ID] {
				s.Airalo.AddPackage(k)
			}
			seen[t.Package], seen[t.NewPackage] = true, true
		}
	}
}

// remember makes a line known that was bought from Airalo, as one package that
// holds all that the line has.
func (a *airalo) remember(l line.Line) {
	const day = 24 * time.Hour
	code := "base-of-" + l.ID
	a.AddPackage(airalosim.Package{
		ID: code, Operator: a.network, Price: 100, AmountMB: max(1, l.Usage.Total>>20), Days: max(1, int((l.EndsAt.Sub(l.StartedAt)+day-1)/day)),
	})
	a.AddLine(airalosim.Line{ICCID: l.ICCID, Package: code, ActivatedAt: l.StartedAt, UsedMB: l.Usage.Used >> 20})
}

// tell posts what Airalo has to say.
func (a *airalo) tell(ctx context.Context, house http.Handler) (worked bool) {
	for _, n := range a.Notifications() {
		worked = true
		status, _ := post(ctx, house, airaloHook, n.Header, n.Body)
		a.Answered(n.ID, status)
	}
	return worked
}
