package esimgosim_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
)

const (
	apiKey  = "test_api_key"
	opening = 100_000 // cents
	oneGB   = "esim_1GB_7D_JP_V2"
	threeGB = "esim_3GB_30D_JP_V2"
	endless = "esim_UL_3D_JP_V2"
	foreign = "esim_1GB_7D_GB_V2" // of another underlying provider
)

var t0 = time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)

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

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a simulator with a small catalogue.
type bench struct {
	*sim.Sim
	clock *clock
	key   string
}

// open makes a bench; set may be nil. The manners are fixed unless it changes
// them.
func open(set func(*sim.Config)) *bench {
	c := &clock{now: t0}
	cfg := sim.Config{
		Now: c.Now, Rand: rand.New(rand.NewPCG(1, 2)), APIKey: apiKey, Balance: opening, Webhook: "https://seller.example/esimgo",
		Manners: sim.Manners{ICCID: "number", Foreign: "403", Unlimited: "0", Installed: "text", Created: "nanoseconds"},
	}
	if set != nil {
		set(&cfg)
	}
	b := &bench{sim.New(cfg), c, apiKey}
	b.AddBundle(sim.Bundle{Name: oneGB, MB: 1000, Days: 7, Price: 136})
	b.AddBundle(sim.Bundle{Name: threeGB, MB: 3000, Days: 30, Price: 450})
	b.AddBundle(sim.Bundle{Name: endless, Unlimited: true, Days: 3, Price: 900})
	b.AddBundle(sim.Bundle{Name: foreign, MB: 1000, Days: 7, Price: 136, Country: "GB", Provider: "two"})
	return b
}

// reply is what a call was told.
type reply struct {
	status int
	header http.Header
	body   string
}

// at is what stands at a path of fields and indices; nil where nothing does.
func (r reply) at(path ...any) any {
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	if n, is := v.(json.Number); is {
		return n.String()
	}
	return v
}

// do makes a call with the documented header, and nothing of an adapter's.
func (b *bench) do(method, path, body string) (reply, error) {
	r := httptest.NewRequest(method, "https://api.esim-go.com/v2.4/"+path, strings.NewReader(body))
	r.Header.Set("X-API-Key", b.key)
	r.Header.Set("Content-Type", "application/json")
	w, err := b.Transport().RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	return reply{w.StatusCode, w.Header, string(text)}, err
}

func (b *bench) must(method, path, body string) reply {
	r, err := b.do(method, path, body)
	if err != nil {
		panic(err)
	}
	return r
}

func (b *bench) get(path string) reply { return b.must("GET", path, "") }

// extend is an order of a bundle for one eSIM.
func extend(kind, bundle, iccid string) string {
	return `{"type":"` + kind + `","assign":true,"order":[{"type":"bundle","item":"` + bundle + `","quantity":1,"iccids":["` + iccid + `"],"allowReassign":false}]}`
}

func (b *bench) extend(iccid, bundle string) reply {
	return b.must("POST", "orders", extend("transaction", bundle, iccid))
}

// running is an eSIM with a gigabyte, first used now.
func (b *bench) running() string {
	return b.AddESIM(sim.ESIM{Bundle: oneGB, UsedFrom: b.clock.Now()})
}

// states are those of an eSIM's assignments, newest first.
func (b *bench) states(iccid string) string {
	r := b.get("esims/" + iccid + "/bundles?includeUsed=true&limit=200")
	var v struct {
		Bundles []struct {
			Assignments []struct{ ID, BundleState, AssignmentDateTime string }
		}
	}
	if json.Unmarshal([]byte(r.body), &v) != nil {
		return r.body
	}
	var all []string
	for _, bundle := range v.Bundles {
		for _, a := range bundle.Assignments {
			all = append(all, a.BundleState)
		}
	}
	return strings.Join(all, " ")
}
