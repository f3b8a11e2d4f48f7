package remote_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriertest"
	"github.com/tsuzuku/tsuzuku/carrier/remote"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const gigabyte = 1 << 30

var secret = []byte("a key for tests, 32 bytes long.")

func written(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

func capabilities() remote.Capabilities {
	return remote.Capabilities{Contract: 1, Modes: []string{"extend"}, PerDay: true, Cancel: true, Issues: true, Withdraws: true, SettlesWithin: 900, CallsPerSecond: 50}
}

// The adapter keeps the promises of a carrier towards a server that was written
// from the contract alone.
func TestConformance(t *testing.T) {
	for _, days := range []int{0, 3} {
		for _, making := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprintf("days=%d making=%v", days, making), func(t *testing.T) {
				carriertest.Run(t, func(t *testing.T) carriertest.Bench { return bench(t, days, making) })
			})
		}
	}
}

func bench(t *testing.T, days int, making time.Duration) carriertest.Bench {
	t.Helper()
	c := &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	sim := newSim(c.Now)
	sim.Making = making
	wire := &outboundsim.Wire{Stranger: sim}
	pkg, fresh := "JP5", "NEW5"
	if days > 0 {
		pkg, fresh = "DAY", "NEWDAY"
	}
	b := carriertest.Bench{
		Carrier: adapter(t, wire, c.Now), Profile: carrier.Profile{ID: "L1", ICCID: "8981100000000000017"}, Package: pkg, Days: days, NewPackage: fresh,
		Ended:  carrier.Profile{ID: "L2", ICCID: "8981100000000000025"},
		Others: []carrier.Profile{{ID: "L3"}, {ID: "L4"}},
		Now:    c.Now, Advance: c.Advance,
		ByHand:     func() { sim.By("L1", pkg, int64(days)) },
		Extensions: func() int { return sim.Extended("L1", func(ref string) bool { return strings.HasPrefix(ref, "ct_") }) },
		Profiles:   func() int { return len(sim.Made()) },
		Install:    func(i carrier.Issued) { sim.Install(i.Profile.ID) },
		TakenBack:  sim.TakenBack, StumbleNext: sim.MuteNext,
	}
	if making > 0 {
		b.FinishMaking = func() { c.Advance(making) }
	}
	return b.On(wire, func(r *http.Request) bool {
		call := callOf(r)
		return call == "extend" || call == "issue" || call == "withdraw"
	})
}

func newSim(now func() time.Time) *remotesim.Sim {
	sim := &remotesim.Sim{Key: secret, Now: now, Packages: []remotesim.Package{
		{Code: "JP5", Bytes: 5 * gigabyte, Days: 30},
		{Code: "DAY", Bytes: gigabyte, Days: 1, PerDay: true},
		{Code: "NEW5", Bytes: 5 * gigabyte, Days: 30, New: true},
		{Code: "NEWDAY", Bytes: gigabyte, Days: 1, PerDay: true, New: true},
	}}
	at := now()
	for i, l := range []remotesim.Line{
		{ID: "L1", ICCID: "8981100000000000017"}, {ID: "L2", ICCID: "8981100000000000025"}, {ID: "L3", ICCID: "8981100000000000033"}, {ID: "L4", ICCID: "8981100000000000041"},
	} {
		l.Starts, l.Ends, l.Total = at.AddDate(0, 0, -10), at.AddDate(0, 0, 5), gigabyte
		if i == 1 {
			l.Ends = at.AddDate(0, 0, -1)
		}
		sim.Add(l)
	}
	return sim
}

func adapter(t testing.TB, w http.RoundTripper, now func() time.Time) *remote.Adapter {
	t.Helper()
	a, err := remote.New(remote.Config{
		Name: "tabi", URL: "https://operator.example/tsuzuku", Keys: []string{written(secret)}, Capabilities: capabilities(),
	}, outbound.New(outbound.Options{Transport: w}), now, nonces())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func nonces() func() string {
	var n int
	var mu sync.Mutex
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("%032x", n)
	}
}

// callOf is the word of a request.
func callOf(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	var q struct{ Call string }
	_ = json.Unmarshal(body, &q) // what cannot be read is no extend
	return q.Call
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
