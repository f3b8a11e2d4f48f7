package airalosim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

// Each fault: what the caller hears, whether it was carried out at once, and
// after ten minutes.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault      sim.Fault
		status     int // 0: silence
		now, later int // top-ups
	}{
		{sim.None, 200, 1, 1},
		{sim.Silence, 0, 0, 0},
		{sim.SilenceAfter, 0, 1, 1},
		{sim.BreakAfter, 500, 1, 1},
		{sim.Slow, 0, 0, 1},
		{sim.Refuse, 422, 0, 0},
		{sim.Busy, 429, 0, 0},
		{sim.Reprice, 200, 1, 1},
		{sim.Outage, 503, 0, 0},
	}
	if len(tests) != len(sim.Faults)+1 {
		t.Errorf("%d of %d faults tried", len(tests)-1, len(sim.Faults))
	}
	for _, tt := range tests {
		t.Run("fault="+string(tt.fault), func(t *testing.T) {
			b := open(nil)
			iccid := b.running("change-7days-1gb")
			b.Fail(sim.TopUpOrder, tt.fault)
			r, err := b.do("POST", "orders/topups", "application/json", `{"package_id":"change-7days-1gb-topup","iccid":"`+iccid+`"}`, "")
			if silent := tt.status == 0; silent != errors.Is(err, context.DeadlineExceeded) || r.status != tt.status {
				t.Errorf("%d %v", r.status, err)
			}
			if n := len(b.TopUps(iccid)); n != tt.now {
				t.Errorf("%d at once", n)
			}
			b.clock.move(10 * time.Minute)
			if n := len(b.TopUps(iccid)); n != tt.later || (b.Balance() < opening) != (tt.later > 0) {
				t.Errorf("%d later, balance %d", n, b.Balance())
			}
			if tt.fault == sim.Slow && !b.TopUps(iccid)[0].At.Equal(t0.Add(5*time.Minute)) {
				t.Errorf("carried out at %v", b.TopUps(iccid)[0].At)
			}
			if r := b.topUp(iccid, "change-7days-1gb-topup"); r.status != 200 {
				t.Errorf("the next one: %d", r.status)
			}
		})
	}
}

// Who is turned away at the door hears so, whatever the fault.
func TestFaultsSpareTheRefused(t *testing.T) {
	for _, f := range []sim.Fault{sim.SilenceAfter, sim.BreakAfter, sim.Slow} {
		b := open(nil)
		b.token = "wrong"
		b.Fail(sim.TopUpOrder, f)
		if r := b.topUp("1", "x"); r.status != 401 {
			t.Errorf("%s: %d", f, r.status)
		}
	}
}

// A slow top-up is carried out under the rules of then: here it no longer is.
func TestSlowUnderLaterRules(t *testing.T) {
	b := open(nil)
	iccid := b.running("change-7days-1gb")
	b.Fail("", sim.Slow)
	if _, err := b.do("POST", "orders/topups", "application/json", `{"package_id":"change-7days-1gb-topup","iccid":"`+iccid+`"}`, ""); err == nil {
		t.Error("answered")
	}
	b.clock.move(time.Minute)
	b.Withdraw("change-7days-1gb-topup")
	b.clock.move(time.Hour)
	if n := len(b.TopUps(iccid)); n != 0 {
		t.Errorf("%d", n)
	}
}

// An outage answers nothing but 503 until it ends.
func TestOutage(t *testing.T) {
	b := open(nil)
	b.Down(time.Hour)
	b.clock.move(time.Hour - time.Second)
	if r := b.get("balance"); r.status != 503 || strings.HasPrefix(r.body, "{") {
		t.Errorf("%d %s", r.status, r.body)
	}
	b.clock.move(time.Second)
	if r := b.get("balance"); r.status != 200 {
		t.Errorf("afterwards %d", r.status)
	}
}

// Any documented code can be had, once.
func TestRefuseNext(t *testing.T) {
	for _, code := range []int{11, 13, 14, 23, 33, 34, 43, 53, 73, 89} {
		b := open(nil)
		iccid := b.running("change-7days-1gb")
		b.RefuseNext(sim.TopUpOrder, code)
		if r := b.topUp(iccid, "change-7days-1gb-topup"); r.code() != code || b.Balance() != opening {
			t.Errorf("%d: %s", code, r.body)
		}
		if r := b.topUp(iccid, "change-7days-1gb-topup"); r.status != 200 {
			t.Errorf("the next one: %d", r.status)
		}
	}
}

// Stale readings show what was; writings are not stale.
func TestStaleReads(t *testing.T) {
	b := open(func(c *sim.Config) { c.UsageCache = -1 })
	iccid := b.running("change-7days-1gb")
	b.clock.move(time.Hour)
	b.Use(iccid, 100)
	b.topUp(iccid, "change-7days-1gb-topup")
	look := func() string {
		return fmt.Sprint(len(b.history(t, iccid)), " ", b.get("sims/"+iccid+"/usage").data("remaining"), " ",
			strings.Contains(b.get("orders").body, `"total":1`), " ", strings.Contains(b.get("balance").body, `"amount":1000,`))
	}
	if got := look(); got != "2 1948 true false" {
		t.Errorf("fresh: %s", got)
	}
	b.LagReads(100, 30*time.Minute)
	if got := look(); got != "1 1024 false true" {
		t.Errorf("stale: %s", got)
	}
	b.clock.move(30 * time.Minute)
	if got := look(); got != "2 1948 true false" {
		t.Errorf("caught up: %s", got)
	}
	b.LagReads(0, 0)
}

// Silence cuts the connection of a real server, too.
func TestSilenceOfTheHandler(t *testing.T) {
	b := open(nil)
	b.Fail("", sim.Silence)
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v", err)
		}
	}()
	b.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v2/balance", nil))
}

// Whatever faults the seed chooses: what was answered with 200 was carried out
// once, what was refused never, and the books agree with what was carried out.
func TestWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		b := open(func(c *sim.Config) { c.Rand = rand.New(rand.NewPCG(seed, 1)); c.TokenLife = 10_000 * time.Hour })
		iccid := b.running("moshi-7days-1gb")
		weights := map[sim.Fault]int{}
		for _, f := range sim.Faults {
			weights[f] = rapid.IntRange(0, 100/len(sim.Faults)).Draw(t, string(f))
		}
		b.SetWeights(weights)
		did := map[string]string{}
		for i := range 30 {
			ref := fmt.Sprintf("ref_%d", i)
			r, err := b.do("POST", "orders/topups", "application/json",
				`{"package_id":"moshi-7days-1gb-topup","iccid":"`+iccid+`","description":"`+ref+`"}`, "")
			switch {
			case err != nil, r.status == 500:
				did[ref] = "unknown"
			case r.status == 200:
				did[ref] = "done"
			default:
				did[ref] = "no"
			}
			b.clock.move(time.Minute)
		}
		b.SetWeights(nil)
		b.clock.move(time.Hour)
		times, spent := map[string]int{}, int64(0)
		for _, u := range b.TopUps(iccid) {
			times[u.Description]++
			spent += u.Paid
		}
		for ref, what := range did {
			n := times[ref]
			if n > 1 || what == "done" && n != 1 || what == "no" && n != 0 {
				t.Fatalf("%s: %s, carried out %d times", ref, what, n)
			}
		}
		if b.Balance() != opening-spent || len(b.history(t, iccid)) != len(b.TopUps(iccid))+1 {
			t.Fatalf("balance %d, spent %d", b.Balance(), spent)
		}
	})
}
