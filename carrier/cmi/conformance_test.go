package cmi_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriertest"
	"github.com/tsuzuku/tsuzuku/carrier/cmi"
	"github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const (
	appKey    = "simulated-app-key"
	appSecret = "simulated-app-secret"
	base      = "D2403071535388188171"
	more      = "D2403071535388188172"
	byHand    = "D2403071535388188173"
	pack      = "R2402221642265481584"
	deposit   = 1_000_000
)

// stand says which card a bench has.
type stand struct {
	state string
	daily bool
}

// The adapter keeps the promises of a carrier towards an operator that was built from
// the same document by someone else: on cards whose package waits, runs and is used
// up, with amounts in all and a day; each seed lets the operator choose anew where its
// document contradicts itself.
func TestConformance(t *testing.T) {
	for i, s := range []stand{{"in use", false}, {"new", false}, {"used up", false}, {"in use", true}, {"used up", true}} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s daily=%t seed=%d", s.state, s.daily, seed), func(t *testing.T) {
				carriertest.Run(t, func(t *testing.T) carriertest.Bench { return s.bench(seed*8 + uint64(i)) })
			})
		}
	}
}

func (s stand) bench(seed uint64) carriertest.Bench {
	c := newClock()
	sim := newSim(c, seed, nil)
	card := cmisim.Card{Package: base, ActiveFrom: c.Now().Add(-time.Hour), ESIM: true}
	if s.daily {
		card.Package = byHand
	}
	switch s.state {
	case "new":
		card.ActiveFrom = time.Time{}
	case "used up":
		card.UsedMB = 1024
	}
	var all []carrier.Profile
	for range 4 {
		iccid := sim.AddCard(card)
		all = append(all, carrier.Profile{ID: iccid, ICCID: iccid})
	}
	gone := sim.AddCard(cmisim.Card{Package: base, ActiveFrom: c.Now().AddDate(0, -1, 0), ExpiresAt: c.Now().Add(-time.Hour)})
	ours, wire := all[0], &outboundsim.Wire{Stranger: sim}
	return carriertest.Bench{
		Carrier: newAdapter(wire, c), Profile: ours, Package: more, Others: all[1:], Ended: carrier.Profile{ID: gone, ICCID: gone},
		Now: c.Now, Advance: c.Advance, Withdraw: func() { sim.Withdraw(more) },
		ByHand: func() {
			other := newAdapter(sim.Transport(), c)
			if _, err := other.Extend(context.Background(), carrier.Extension{Ref: "by_hand", Profile: ours, Package: byHand}); err != nil {
				panic(err)
			}
		},
		Extensions: func() int { return put(sim, ours.ICCID) },
	}.On(wire, buys)
}

func buys(r *http.Request) bool { return strings.Contains(r.URL.Path, string(cmisim.CreateOrder)) }

// put is how often a card was fed with the package of these tests.
func put(sim *cmisim.Sim, card string) (n int) {
	for _, s := range sim.Subscriptions(card) {
		if s.Package == more && s.Status != 99 {
			n++
		}
	}
	return n
}

func newSim(c *clock, seed uint64, set func(*cmisim.Config)) *cmisim.Sim {
	cfg := cmisim.Config{Now: c.Now, Rand: rand.New(rand.NewPCG(seed, 0)), AppKey: appKey, AppSecret: appSecret, Deposit: deposit}
	if set != nil {
		set(&cfg)
	}
	sim := cmisim.New(cfg)
	sim.AddPack(cmisim.Pack{ID: pack, MB: 1024, Price: 99})
	for _, p := range []cmisim.Package{
		{ID: base, MB: 1024, Period: 7, PeriodType: 0, Price: 360, Packs: []string{pack}},
		{ID: more, MB: 3072, Period: 30, PeriodType: 0, Price: 805, Packs: []string{pack}},
		{ID: byHand, MB: 1024, Daily: true, Period: 5, PeriodType: 1, Price: 500, Packs: []string{pack}},
	} {
		sim.AddPackage(p)
	}
	return sim
}

var nonces atomic.Uint64

func newAdapter(w http.RoundTripper, c *clock) *cmi.Adapter {
	return cmi.New(cmi.Config{AppKey: appKey, AppSecret: appSecret, BaseURL: "https://gds.example:39043"},
		outbound.New(outbound.Options{Transport: w}), c.Now, func() string { return fmt.Sprintf("%032X", nonces.Add(1)) })
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
