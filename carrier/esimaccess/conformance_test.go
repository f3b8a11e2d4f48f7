package esimaccess_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriertest"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const gigabyte = 1 << 30

// stand says which line and package a bench has.
type stand struct {
	name  string
	days  int // of a day pass; 0: a fixed package
	state string
}

// The adapter keeps the promises of a carrier towards an operator that was
// built from the same document by someone else, on fixed packages and day
// passes, on lines new, in use and used up, signed and not, and however the
// operator happens to write its answers.
func TestConformance(t *testing.T) {
	for i, s := range []stand{
		{"in use", 0, "in use"},
		{"new", 0, "new"},
		{"used up", 0, "used up"},
		{"day pass in use", 5, "in use"},
		{"day pass new", 5, "new"},
	} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s seed=%d", s.name, seed), func(t *testing.T) {
				carriertest.Run(t, func(*testing.T) carriertest.Bench { return s.bench(uint64(i), seed) })
			})
		}
	}
}

// bench is a town with this line. Even seeds sign their requests; high ones
// meet an operator who writes as its older documents do.
func (s stand) bench(i, seed uint64) carriertest.Bench {
	clock := &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	cfg := esimaccesssim.Config{
		Now: clock.Now, Rand: rand.New(rand.NewPCG(i, seed)), AccessCode: "code", Balance: 1_000_000_000,
	}
	cfg.Manners.AsInTables, cfg.Manners.TopUpOldShape = seed >= 2, seed == 3
	if seed%2 == 0 {
		cfg.SecretKey = "secret"
	}
	sim := esimaccesssim.New(cfg)
	base, more := s.stock(sim)
	profile := func(p esimaccesssim.Profile) carrier.Profile {
		p.Package = base
		tran := sim.AddProfile(p)
		return carrier.Profile{ID: tran, ICCID: sim.Profile(tran).ICCID}
	}
	var line esimaccesssim.Profile
	if s.state != "new" {
		line.ActivatedAt = clock.Now().Add(-time.Hour)
	}
	ours := profile(line)
	if s.state == "used up" {
		sim.Use(ours.ID, 100*gigabyte)
	}

	wire := &outboundsim.Wire{Stranger: sim}
	adapter := func(w http.RoundTripper) *esimaccess.Adapter {
		var n int
		var mu sync.Mutex
		return esimaccess.New(esimaccess.Config{AccessCode: cfg.AccessCode, SecretKey: cfg.SecretKey},
			outbound.New(outbound.Options{Transport: w}), clock.Now, func() string {
				mu.Lock()
				defer mu.Unlock()
				n++
				return fmt.Sprintf("%032x", n)
			})
	}
	return carriertest.Bench{
		Carrier: adapter(wire), Profile: ours, Package: more, NewPackage: base, Days: s.days,
		Ended:  profile(esimaccesssim.Profile{ActivatedAt: clock.Now().AddDate(0, -6, 0)}),
		Others: []carrier.Profile{profile(line), profile(line), profile(line)},
		Now:    clock.Now, Advance: clock.Advance, Charges: true, Withdraw: func() { sim.Withdraw(more) },
		ByHand: func() {
			byHand := carrier.Extension{Ref: "by_hand", Profile: ours, Package: "TOPUP_BY_HAND", Days: s.days}
			direct := &outboundsim.Wire{Stranger: sim}
			if _, err := adapter(direct).Extend(context.Background(), byHand); err != nil {
				panic(err)
			}
		},
		Extensions: func() int {
			n := 0
			for _, up := range sim.TopUps(ours.ID) {
				if strings.HasPrefix(up.TransactionID, "ct_") {
					n++
				}
			}
			return n
		},
		FinishMaking: func() { clock.Advance(time.Minute) },
		Profiles: func() int {
			n := 0
			for _, tran := range sim.Profiles() {
				if strings.HasPrefix(sim.Profile(tran).TransactionID, "ct_") {
					n++
				}
			}
			return n
		},
		Install: func(i carrier.Issued) {
			if sim.Profile(i.Profile.ID).Status == esimaccesssim.GotResource {
				sim.Install(i.Profile.ID)
			}
		},
		TakenBack: func() int {
			n := 0
			for _, e := range sim.Ledger() {
				if e.Kind == "cancel" {
					n++
				}
			}
			return n
		},
		StumbleNext: func() { sim.Stumble("esim/cancel", []string{"000001", "900001"}[seed%2]) },
	}.On(wire, func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/esim/topup") || strings.HasSuffix(r.URL.Path, "/esim/order") || strings.HasSuffix(r.URL.Path, "/esim/cancel")
	})
}

// stock fills the catalogue and returns the base package and what tops it up.
func (s stand) stock(sim *esimaccesssim.Sim) (base, more string) {
	base, more = "JP5", "TOPUP_JP5"
	p := esimaccesssim.Package{Code: base, Slug: "JP_5_30", Name: "Japan 5 GB", Price: 90000, Volume: 5 * gigabyte, Duration: 30}
	if s.days > 0 {
		p = esimaccesssim.Package{
			Code: base, Slug: "JP_1_Daily", Name: "Japan 1 GB a day", Price: 9000, Volume: gigabyte, Duration: 1,
			DataType: 2, SupportTopUpType: 3, FUPPolicy: "384 Kbps",
		}
	}
	sim.AddPackage(p)
	p.Code = more
	sim.AddPackage(p)
	p.Code, p.Slug, p.Volume = "TOPUP_BY_HAND", "JP_2_x", 2*gigabyte
	sim.AddPackage(p)
	return base, more
}

func newSim(c *clock, seed uint64) *esimaccesssim.Sim {
	return esimaccesssim.New(esimaccesssim.Config{
		Now: c.Now, Rand: rand.New(rand.NewPCG(seed, 0)), AccessCode: "code", Balance: 1_000_000_000, Webhook: "https://seller.example/hook",
	})
}

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

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
