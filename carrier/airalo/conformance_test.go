package airalo_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/airalo"
	"github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
	"github.com/tsuzuku/tsuzuku/carrier/carriertest"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const (
	clientID = "client"
	secret   = "sec/ret<é>"
	base     = "moshi-7days-1gb"
	more     = "moshi-30days-3gb-topup"
	byHand   = "moshi-7days-1gb-topup"
)

// stand says which line and operator a bench has.
type stand struct {
	state   string
	queues  bool // a further package waits for the one before
	forgets bool // the description of a top-up is not kept
	bare    bool // we know the card's number only
}

// The adapter keeps the promises of a carrier towards an operator that was
// built from the same document by someone else: on lines new, in use and used
// up, whether packages wait or run side by side, and whatever the operator does
// where its document contradicts itself.
func TestConformance(t *testing.T) {
	for i, state := range []string{"in use", "new", "used up"} {
		for seed := range uint64(4) {
			s := stand{state: state, queues: seed%2 == 1, forgets: seed >= 2, bare: seed == 3}
			t.Run(fmt.Sprintf("%s seed=%d", s.state, seed), func(t *testing.T) {
				carriertest.Run(t, func(t *testing.T) carriertest.Bench { return s.bench(t, seed*8+uint64(i)) })
			})
		}
	}
}

// bench is a town with this line. High seeds must sign their requests.
func (s stand) bench(t *testing.T, seed uint64) carriertest.Bench {
	c := newClock()
	sim := newSim(c, seed, func(cfg *airalosim.Config) {
		cfg.SignatureNeeded, cfg.ForgetTopUpDescriptions, cfg.HistoryOfTopUpsOnly = seed >= 8, s.forgets, seed >= 16
	})
	stock(sim, s.queues)
	used := airalosim.Line{Package: base, ActivatedAt: c.Now().Add(-time.Hour)}
	switch s.state {
	case "new":
		used.ActivatedAt = time.Time{}
	case "used up":
		used.UsedMB = 1024
	}
	var all []carrier.Profile
	for _, l := range []airalosim.Line{used, {Package: base, ActivatedAt: c.Now().AddDate(0, -6, 0)}, used, used, used} {
		all = append(all, carrier.Profile{ICCID: sim.AddLine(l)})
	}
	if !s.bare {
		identify(t, sim, all)
	}
	ours := all[0]
	wire := &outboundsim.Wire{Stranger: sim}
	return carriertest.Bench{
		Carrier: newAdapter(wire, c), Profile: ours, Package: more, NewPackage: base,
		Ended: all[1], Others: all[2:],
		Now: c.Now, Advance: c.Advance, Charges: true, Withdraw: func() { sim.Withdraw(more) },
		ByHand: func() {
			direct := newAdapter(&outboundsim.Wire{Stranger: sim}, c)
			if _, err := direct.Extend(context.Background(), carrier.Extension{Ref: "by_hand", Profile: ours, Package: byHand}); err != nil {
				panic(err)
			}
		},
		Extensions: func() int { return toppedUp(sim, ours.ICCID) },
		Profiles:   func() int { return len(sim.ICCIDs()) - len(all) },
	}.On(wire, isOrder)
}

func isTopUp(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/orders/topups") }

func isOrder(r *http.Request) bool {
	return isTopUp(r) || r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/orders")
}

// toppedUp is how often a line was fed with the package of these tests.
func toppedUp(sim *airalosim.Sim, card string) (n int) {
	for _, up := range sim.TopUps(card) {
		if up.Package == more {
			n++
		}
	}
	return n
}

func newSim(c *clock, seed uint64, set func(*airalosim.Config)) *airalosim.Sim {
	cfg := airalosim.Config{Now: c.Now, Rand: rand.New(rand.NewPCG(seed, 0)), ClientID: clientID, ClientSecret: secret, Balance: 1_000_000}
	if set != nil {
		set(&cfg)
	}
	return airalosim.New(cfg)
}

// stock fills the catalogue: an operator whose lines are fed until a day after
// their end.
func stock(sim *airalosim.Sim, queues bool) (operator int) {
	operator = sim.AddOperator(airalosim.Operator{Title: "Moshi", Country: "JP", Queues: queues, TopUpGraceDays: 1})
	for _, p := range []airalosim.Package{
		{ID: base, Price: 450, NetPrice: 360, AmountMB: 1024, Days: 7},
		{ID: more, TopUp: true, Price: 1100, NetPrice: 805, AmountMB: 3 * 1024, Days: 30},
		{ID: byHand, TopUp: true, Price: 450, NetPrice: 360, AmountMB: 1024, Days: 7},
	} {
		p.Operator = operator
		sim.AddPackage(p)
	}
	return operator
}

func newAdapter(w http.RoundTripper, c *clock) *airalo.Adapter {
	return airalo.New(airalo.Config{ClientID: clientID, ClientSecret: secret}, outbound.New(outbound.Options{Transport: w}), c.Now)
}

// identify looks up what the operator itself calls its lines.
func identify(t *testing.T, sim *airalosim.Sim, all []carrier.Profile) {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://airalo.example/v2/sims?limit=50", nil)
	r.Header.Set("Authorization", "Bearer "+tokenOf(t, sim))
	var lines struct {
		Data []struct {
			ID    json.Number `json:"id"`
			ICCID string      `json:"iccid"`
		} `json:"data"`
	}
	ask(t, sim, r, &lines)
	for i := range all {
		for _, l := range lines.Data {
			if l.ICCID == all[i].ICCID {
				all[i].ID = l.ID.String()
			}
		}
		if all[i].ID == "" {
			t.Fatalf("the operator does not list %s", all[i].ICCID)
		}
	}
}

// tokenOf signs in as somebody else at the seller's would.
func tokenOf(t *testing.T, sim *airalosim.Sim) string {
	t.Helper()
	form := url.Values{"client_id": {clientID}, "client_secret": {secret}, "grant_type": {"client_credentials"}}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://airalo.example/v2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write([]byte(`{"client_id":"client","client_secret":"sec\/ret<\u00e9>","grant_type":"client_credentials"}`))
	r.Header.Set("airalo-signature", hex.EncodeToString(mac.Sum(nil)))
	var token struct {
		Data struct {
			Token string `json:"access_token"`
		} `json:"data"`
	}
	ask(t, sim, r, &token)
	return token.Data.Token
}

func ask(t *testing.T, sim *airalosim.Sim, r *http.Request, answer any) {
	t.Helper()
	got, err := sim.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close() //nolint:errcheck // in memory
	if err := json.NewDecoder(got.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
