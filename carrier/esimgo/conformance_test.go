package esimgo_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriertest"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const (
	apiKey = "simulated-api-key"
	base   = "esim_1GB_7D_JP_V2"
	more   = "esim_3GB_30D_JP_V2"
	byHand = "esim_5GB_30D_JP_V2"
	abroad = "esim_1GB_7D_KR_V2" // of another network, which does not fit
)

// stand says which eSIM and operator a bench has.
type stand struct {
	state string
	lag   time.Duration // until what was ordered is there
}

// The adapter keeps the promises of a carrier towards an operator that was built from
// the same document by someone else: on eSIMs new, in use and used up, where
// everything is there at once and where it takes minutes. That an ended line is
// refused is not checked: this operator takes bundles on eSIMs whose others are over.
func TestConformance(t *testing.T) {
	for i, s := range []stand{{"in use", 0}, {"new", 0}, {"used up", 0}, {"in use", 8 * time.Minute}, {"new", 8 * time.Minute}} {
		t.Run(fmt.Sprintf("%s lag=%s", s.state, s.lag), func(t *testing.T) {
			carriertest.Run(t, func(t *testing.T) carriertest.Bench { return s.bench(uint64(i)) })
		})
	}
}

func (s stand) bench(seed uint64) carriertest.Bench {
	c := newClock()
	sim := newSim(c, seed, func(cfg *esimgosim.Config) { cfg.Lag = s.lag })
	line := esimgosim.ESIM{Bundle: base, UsedFrom: c.Now().Add(-time.Hour)}
	switch s.state {
	case "new":
		line.UsedFrom = time.Time{}
	case "used up":
		line.Used = 1_000_000_000
	}
	var all []carrier.Profile
	for range 4 {
		card := sim.AddESIM(line)
		all = append(all, carrier.Profile{ID: card, ICCID: card})
	}
	ours, wire := all[0], &outboundsim.Wire{Stranger: sim}
	b := carriertest.Bench{
		Carrier: newAdapter(wire, c), Profile: ours, Package: more, NewPackage: base, Others: all[1:],
		Now: c.Now, Advance: c.Advance, Charges: true, Withdraw: func() { sim.Withdraw(more) },
		ByHand: func() {
			other := newAdapter(sim.Transport(), c)
			if _, err := other.Extend(context.Background(), carrier.Extension{Ref: "by_hand", Profile: ours, Package: byHand}); err != nil {
				panic(err)
			}
		},
		Extensions:  func() int { return put(sim, ours.ICCID) },
		Profiles:    func() int { return len(sim.ICCIDs()) - len(all) },
		Install:     func(i carrier.Issued) { sim.Install(i.Profile.ICCID) },
		TakenBack:   func() int { return sim.Revoked(base) },
		StumbleNext: func() { sim.Fail(esimgosim.RevokeOne, esimgosim.BreakAfter) },
	}
	if s.lag > 0 {
		b.FinishMaking = func() { c.Advance(s.lag + time.Second) }
	}
	return b.On(wire, buys)
}

// buys tells an order from its rehearsal, which only reads, and what takes one back.
func buys(r *http.Request) bool {
	if r.Method == http.MethodDelete {
		return true
	}
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/orders") {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte(`"transaction"`))
}

// put is how often an eSIM was fed with the bundle of these tests.
func put(sim *esimgosim.Sim, card string) (n int) {
	for _, a := range sim.Assignments(card) {
		if a.Bundle == more && a.State != "revoked" {
			n++
		}
	}
	return n
}

func newSim(c *clock, seed uint64, set func(*esimgosim.Config)) *esimgosim.Sim {
	cfg := esimgosim.Config{Now: c.Now, Rand: rand.New(rand.NewPCG(seed, 0)), APIKey: apiKey, Balance: 1_000_000}
	if set != nil {
		set(&cfg)
	}
	sim := esimgosim.New(cfg)
	for _, b := range []esimgosim.Bundle{
		{Name: base, MB: 1000, Days: 7, Price: 360, Provider: "A"},
		{Name: more, MB: 3000, Days: 30, Price: 805, Provider: "A"},
		{Name: byHand, MB: 5000, Days: 30, Price: 1100, Provider: "A"},
		{Name: abroad, MB: 1000, Days: 7, Price: 360, Provider: "B", Country: "KR"},
	} {
		sim.AddBundle(b)
	}
	return sim
}

func newAdapter(w http.RoundTripper, c *clock) *esimgo.Adapter {
	return esimgo.New(esimgo.Config{APIKey: apiKey}, outbound.New(outbound.Options{Transport: w}), c.Now)
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
