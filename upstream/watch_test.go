package upstream

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/carrier/remote"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// ground is an operator behind its real adapter, and staff beside it, who both are
// watched; everything that staff are told is in heard.
type ground struct {
	dbtest.Env
	sim   *remotesim.Sim
	fault outboundsim.Fault
	asked int
	watch *Watch
	heard *bytes.Buffer
}

func newGround(t *testing.T, env dbtest.Env, floor map[string]string) *ground {
	t.Helper()
	key := bytes.Repeat([]byte{7}, 32)
	g := &ground{Env: env, sim: &remotesim.Sim{Key: key, Now: env.Clock.Now, Packages: []remotesim.Package{{Code: "JP5", Days: 30, Cost: 45_000}}}, heard: &bytes.Buffer{}}
	wire := &outboundsim.Wire{Stranger: g.sim, Choose: func(*http.Request) outboundsim.Fault { g.asked++; return g.fault }}
	n := 0
	tabi, err := remote.New(remote.Config{
		Name: "tabi", URL: "https://operator.example", Keys: []string{"whsec_" + base64.StdEncoding.EncodeToString(key)},
		Capabilities: remote.Capabilities{Contract: 1, Modes: []string{"extend"}, SettlesWithin: 900, CallsPerSecond: 50},
	}, outbound.New(outbound.Options{Transport: wire}), env.Clock.Now, func() string { n++; return fmt.Sprintf("%032x", n) })
	if err != nil {
		t.Fatal(err)
	}
	staff, err := manual.New(time.Hour, env.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	floors, err := SetFloors(floor, 3)
	if err != nil {
		t.Fatal(err)
	}
	g.watch = &Watch{
		DB: env.DB, Shelf: &catalogue.Shelf{}, Floors: floors, Log: slog.New(slog.NewTextHandler(g.heard, nil)),
		Carriers: map[string]carrier.Carrier{"tabi": calls.New(tabi, calls.Budget{}, env.Clock.Now), "manual": staff},
	}
	return g
}

// reads lets the balance be read when it is next due, and wants so many words of alarm
// and of its end.
func (g *ground) reads(t *testing.T, dollars string, opened, ended int) {
	t.Helper()
	units, ok := new(big.Rat).SetString(dollars)
	if !ok {
		t.Fatal(dollars)
	}
	g.sim.Balance = floor(units.Mul(units, big.NewRat(10_000, 1)))
	g.Clock.Add(readsEvery)
	g.step(t, dollars, opened, ended)
}

func (g *ground) step(t *testing.T, what string, opened, ended int) {
	t.Helper()
	g.heard.Reset()
	worked, err := g.watch.BalanceStep(t.Context())
	if err != nil || !worked {
		t.Fatalf("%s: worked %t, %v", what, worked, err)
	}
	again, err := g.watch.BalanceStep(t.Context())
	if err != nil || again {
		t.Errorf("%s: read again at once: %t, %v", what, again, err)
	}
	g.says(t, what, opened, ended)
}

func (g *ground) says(t *testing.T, what string, opened, ended int) {
	t.Helper()
	o, e := strings.Count(g.heard.String(), `level=ERROR msg="operator alarm"`), strings.Count(g.heard.String(), `level=INFO msg="operator alarm is over"`)
	if o != opened || e != ended {
		t.Errorf("%s: %d alarms and %d ends, want %d and %d:\n%s", what, o, e, opened, ended, g.heard)
	}
}

func (g *ground) standing(t *testing.T) Standing {
	t.Helper()
	all, err := db.Seen(t.Context(), g.DB, Standings)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

func (g *ground) open(t *testing.T) []Alarm {
	t.Helper()
	all, err := db.Seen(t.Context(), g.DB, Alarms)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Staff are told once of each fall below the floor that is set, and once that it is
// over, whatever is read between; silence changes nothing but what is said of it.
func TestTellsOfEachFallOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		g := newGround(t, env, map[string]string{"tabi": "200"})
		g.reads(t, "250", 0, 0)
		g.reads(t, "200", 0, 0)
		g.reads(t, "199.9999", 1, 0)
		g.reads(t, "120", 0, 0)
		if all := g.open(t); len(all) != 1 || all[0].Kind != LowBalance || !strings.Contains(all[0].Told, "199.9999 USD, below 200 USD") {
			t.Errorf("%+v", all)
		}
		g.fault = outboundsim.Break
		g.reads(t, "500", 0, 0)
		if s := g.standing(t); !s.Low || s.Balance.Decimal() != "120" || s.Trouble == "" || !s.AsOf.Before(g.Clock.Now()) {
			t.Errorf("after silence: %+v", s)
		}
		g.fault = outboundsim.None
		g.reads(t, "150", 0, 0)
		g.reads(t, "200", 0, 1)
		if s := g.standing(t); s.Low || s.Trouble != "" || len(g.open(t)) != 0 {
			t.Errorf("after it is over: %+v", s)
		}
		g.reads(t, "300", 0, 0)
		g.reads(t, "0.0001", 1, 0)
		g.reads(t, "0.0002", 0, 0)
	})
}

// Where no floor is set it follows what was spent: three days of it. Spending less
// does not end an alarm; paying in does.
func TestFloorFollowsSpending(t *testing.T) {
	g := newGround(t, dbtest.SQLite(t), nil)
	g.reads(t, "1000", 0, 0)
	day := func(dollars string, opened, ended int) {
		t.Helper()
		g.Clock.Add(24*time.Hour - readsEvery)
		g.reads(t, dollars, opened, ended)
	}
	day("900", 0, 0)
	day("800", 0, 0)
	day("1200", 0, 0) // paid in; what was spent that day is hidden
	for _, left := range []string{"1100", "1000", "900", "800", "700", "600", "500", "400"} {
		day(left, 0, 0)
	}
	if f, s := g.watch.Floors.Of(g.standing(t), g.Clock.Now()), g.standing(t); f.Set || f.Units != 3_000_000 {
		t.Errorf("the floor is %+v of %+v, want 300 dollars", f, s)
	}
	day("301", 0, 0)
	g.reads(t, "290", 1, 0)
	for range 8 {
		day("289", 0, 0)
	}
	if f := g.watch.Floors.Of(g.standing(t), g.Clock.Now()); f.Units >= 2_890_000 {
		t.Errorf("the floor is still %+v", f)
	}
	if !g.standing(t).Low {
		t.Error("the alarm ended because less was spent")
	}
	g.reads(t, "5000", 0, 1)
	day("1", 1, 0)
}

// An empty balance is low, whatever was spent before.
func TestEmptyIsLow(t *testing.T) {
	for units, low := range map[int64]bool{1: false, 0: true, -1: true} {
		s := Standing{Carrier: "x", Balance: carrier.Cost{Units: units, Scale: 100, Currency: "USD"}, Since: noon}
		if got := s.Below(Floors{Days: 3}.Of(s, noon.Add(time.Hour))); got != low {
			t.Errorf("%d units are low: %t", units, got)
		}
	}
}

// Several processes on one database tell it once.
func TestManyWatchersTellOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		g := newGround(t, env, map[string]string{"tabi": "200"})
		g.reads(t, "250", 0, 0)
		g.sim.Balance = 1_000_000
		g.Clock.Add(readsEvery)
		g.heard.Reset()
		var lock sync.Mutex
		g.watch.Log = slog.New(slog.NewTextHandler(locked{&lock, g.heard}, nil))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := g.watch.BalanceStep(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		g.says(t, "four at once", 1, 0)
	})
}

type locked struct {
	*sync.Mutex
	to *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.to.Write(p)
}

// While orders need all that the operator allows, the balance waits, and nobody is
// blamed for it.
func TestBalanceWaitsForOrders(t *testing.T) {
	g := newGround(t, dbtest.SQLite(t), nil)
	o := g.watch.Carriers["tabi"].(*calls.Operator)
	jobs := make([]calls.Job, 200)
	for i := range jobs {
		jobs[i] = calls.Job{ID: fmt.Sprint(i), Cost: 2, Dark: g.Clock.Now().Add(2 * time.Second)}
	}
	grant, _ := o.Plan(jobs, 0, len(jobs))
	defer grant.Return()
	before := g.asked
	if worked, err := g.watch.BalanceStep(t.Context()); err != nil || !worked || g.asked != before {
		t.Fatalf("worked %t, asked %d times, %v", worked, g.asked-before, err)
	}
	if s := g.standing(t); s.Trouble != "" || s.due.Sub(g.Clock.Now()) != laterBy {
		t.Errorf("%+v", s)
	}
}

// A currency that changes makes everything of before void.
func TestAnotherCurrencyBeginsAnew(t *testing.T) {
	usd, eur := carrier.Cost{Units: 100, Scale: 100, Currency: "USD"}, carrier.Cost{Units: 90, Scale: 100, Currency: "EUR"}
	s, spent := Standing{Carrier: "x"}.told(usd, noon)
	if spent != 0 || !s.Since.Equal(noon) {
		t.Errorf("first: %+v, spent %d", s, spent)
	}
	s.Spent, s.Low = 50, true
	next, spent := s.told(eur, noon.Add(time.Hour))
	if spent != 0 || next.Spent != 0 || next.Low || !next.Since.Equal(noon.Add(time.Hour)) {
		t.Errorf("in another currency: %+v, spent %d", next, spent)
	}
}

// Whatever is not an amount is refused, and named.
func TestFloorsAreAmounts(t *testing.T) {
	for _, bad := range []string{"", "-1", "1e9", "1,000", "0x10", "1/2", "1.1234567", "∞"} {
		if _, err := SetFloors(map[string]string{"tabi": bad}, 3); err == nil || !strings.Contains(err.Error(), "tabi") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// shops are catalogues with one plan on sale and one that is not, both of which order
// JP5 for a cost.
func (g *ground) sells(t *testing.T, cost string) {
	t.Helper()
	text := strings.ReplaceAll(`
seller: {name: S, contact: a@shop.example, zone: Asia/Tokyo, address: 1-2-3 Example, base_currency: JPY, taxes: [{id: standard, percent: 10}]}
operators: [{id: tabi, name: Tabi, carrier: tabi, zone: Asia/Tokyo, gb: binary}]
networks: [{id: docomo, name: NTT DOCOMO, plmns: [440-10], bands: [B1, B19]}]
plans:
  - &plan
    id: on
    operator: tabi
    network: docomo
    name: {en: On, zh-Hans: On, ja: On}
    kind: volume
    facts: {tethering: true, five_g: true, address_in: GB, physical_sim: true}
    activation: {start: first_use}
    terms: [{id: 30d, length: 30d, volume: 5 GB, package: JP5, prices: {JPY: 1100}, cost: {USD: "COST"}}]
    policy: {renewable: true, needs: [running], effect: append, data: carried, refund: before_use}
    tax_class: standard
    rules_date: 2026-11-20
    rules_source: the operator
`, "COST", cost)
	off := strings.NewReplacer("&plan", "", "id: on\n", "id: off\n").Replace(text[strings.Index(text, "  - &plan"):]) + "    on_sale: false\n"
	text = strings.Replace(text, "&plan", "", 1) + off
	err := g.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, []byte(text), "test")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Once in the operator's night the plans on sale are compared, and staff are told of
// what is new of it.
func TestNights(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		g := newGround(t, env, nil)
		if worked, err := g.watch.PriceStep(t.Context()); worked || err != nil {
			t.Fatalf("without a catalogue: %t, %v", worked, err)
		}
		g.sells(t, "4.50")
		night := func(what string, worked bool, opened, ended int) {
			t.Helper()
			g.heard.Reset()
			for _, want := range []bool{worked, false} {
				if got, err := g.watch.PriceStep(t.Context()); err != nil || got != want {
					t.Fatalf("%s: worked %t, want %t: %v", what, got, want, err)
				}
			}
			g.says(t, what, opened, ended)
		}
		at := func(day, hour, minute int) {
			g.Clock.Set(time.Date(2026, 3, day, hour-9, minute, 0, 0, time.UTC)) // 9 hours behind Tokyo
		}
		at(3, 2, 59)
		night("before the night", false, 0, 0)
		at(3, 3, 0)
		night("all is well", true, 0, 0)
		at(3, 5, 59)
		night("once a night", false, 0, 0)
		g.sim.Packages[0].Cost = 46_000
		at(4, 12, 0)
		night("by day", false, 0, 0)
		at(5, 4, 0)
		night("dearer", true, 1, 0)
		at(6, 4, 0)
		night("still dearer", true, 0, 0)
		g.sim.Packages[0].Cost = 47_000
		at(7, 4, 0)
		night("dearer once more", true, 1, 0)
		g.fault = outboundsim.Break
		at(8, 4, 0)
		night("silence", true, 0, 0)
		if all := g.open(t); len(all) != 1 || !strings.Contains(all[0].Told, "costs 4.70 USD, and the catalogue says 4.50 USD") {
			t.Errorf("%+v", all)
		}
		g.fault = outboundsim.None
		at(8, 4, 29)
		night("too soon after silence", false, 0, 0)
		at(8, 4, 30)
		night("answers again", true, 0, 0)
		g.sim.Packages[0].Code = "JP6"
		at(9, 4, 0)
		night("withdrawn", true, 1, 1)
		g.sim.Packages = []remotesim.Package{{Code: "JP5", Days: 30, Cost: 47_000}}
		g.sells(t, "4.70")
		at(11, 4, 0)
		night("as the catalogue says", true, 0, 1)
		g.sim.Packages = nil
		at(12, 4, 0)
		night("an empty list says nothing", true, 0, 0)
	})
}
