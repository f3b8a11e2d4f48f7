package cmisim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
)

// Each fault: what the caller hears, how often the order was carried out at once,
// and after ten minutes; and that the same transaction code is never carried out
// twice.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault      sim.Fault
		status     int // 0: silence
		codes      string
		now, later int
		again      string // the code for the same transaction code, at once
	}{
		{sim.None, 200, "0000000", 1, 1, "1000162"},
		{sim.Silence, 0, "", 0, 1, "0000000"},
		{sim.SilenceAfter, 0, "", 1, 1, "1000162"},
		{sim.BreakAfter, 500, "", 1, 1, "1000162"},
		{sim.FailAfter, 200, "9000003 9999999", 1, 1, "1000162"},
		{sim.Slow, 0, "", 0, 1, "1000154"},
		{sim.InFlight, 200, "1000154", 0, 1, "1000154"},
		{sim.Refuse, 200, "1000052", 0, 1, "0000000"},
		{sim.Congested, 200, "1000176", 0, 1, "0000000"},
		{sim.Busy, 429, "9000004", 0, 1, "0000000"},
		{sim.Reprice, 200, "0000000", 1, 1, "1000162"},
		{sim.OtherCard, 200, "0000000", 1, 1, "1000162"},
		{sim.TokenGone, 200, "1000008", 0, 0, "1000008"},
		{sim.Down, 500, "", 0, 0, ""},
	}
	if len(tests) != len(sim.Faults)+1 {
		t.Errorf("%d of %d faults tried", len(tests)-1, len(sim.Faults))
	}
	for _, tt := range tests {
		t.Run("fault="+string(tt.fault), func(t *testing.T) {
			b := open(nil)
			iccid, _ := b.running(five), b.running(five)
			b.Fail(sim.CreateOrder, tt.fault)
			r, err := b.do(sim.CreateOrder, buy(iccid, hours, "ours", "tx"))
			if silent := tt.status == 0; silent != errors.Is(err, context.DeadlineExceeded) || r.status != tt.status {
				t.Errorf("%d %v", r.status, err)
			}
			if !slices.Contains(strings.Split(tt.codes, " "), r.code()) {
				t.Errorf("code %q, want %q", r.code(), tt.codes)
			}
			if n := b.Orders("ours"); n != tt.now {
				t.Errorf("%d at once", n)
			}
			if r := b.buy(iccid, hours, "ours", "tx"); r.code() != tt.again {
				t.Errorf("the same again: %s, want %s", r.body, tt.again)
			}
			b.clock.move(6 * time.Minute)
			if n := b.Orders("ours"); n != tt.later {
				t.Errorf("%d later", n)
			}
			misplaced := tt.fault == sim.OtherCard
			if on := len(b.Subscriptions(iccid)) - 1; tt.later == 1 && misplaced == (on == 1) {
				t.Errorf("%d on the card", on)
			}
		})
	}
}

// Stale readings show what was; orders are not stale.
func TestStaleReads(t *testing.T) {
	b := open(nil)
	iccid := b.running(five)
	b.clock.move(8 * time.Minute)
	b.LagReads(100, 5*time.Minute)
	b.buy(iccid, hours, "ours", "tx")
	count := func() int { return strings.Count(b.bundles(iccid).body, "subscriptionKey") }
	if q := b.call(sim.Quota, `"thirdOrderId":"ours"`); count() != 1 || q.code() != "1000116" {
		t.Errorf("%d, %s", count(), q.body)
	}
	if r := b.buy(iccid, hours, "ours", "tx"); r.code() != "1000162" {
		t.Errorf("%s", r.body)
	}
	b.LagReads(0, 0)
	if count() != 2 {
		t.Errorf("%d", count())
	}
}

// One call too many in a second is 429, or 9000004 alone.
func TestRateLimit(t *testing.T) {
	for manner, want := range map[string]int{"429": 429, "9000004": 200} {
		b := open(func(c *sim.Config) { c.PerSecond, c.Manners.Busy = 3, manner })
		iccid := b.running(five)
		b.bundles(iccid)
		b.bundles(iccid)
		if r := b.buy(iccid, five, "x", ""); r.status != want || r.code() != "9000004" || b.Orders("x") != 0 {
			t.Errorf("%d %s", r.status, r.body)
		}
		b.clock.move(time.Second)
		if r := b.buy(iccid, five, "x", ""); r.code() != "0000000" {
			t.Errorf("%s", r.body)
		}
	}
}

// Any code can be had, once.
func TestRefuseNext(t *testing.T) {
	for _, code := range []string{"1000008", "1000060", "1000103", "1000154", "9000003"} {
		b := open(nil)
		if code == "1000060" {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("a code that it does not know was taken")
					}
				}()
				b.RefuseNext("", code)
			}()
			continue
		}
		iccid := b.running(five)
		b.RefuseNext(sim.CreateOrder, code)
		if r := b.buy(iccid, five, "x", "tx"); r.code() != code || b.Orders("x") != 0 {
			t.Errorf("%s", r.body)
		}
		if r := b.buy(iccid, five, "x", "tx"); r.code() != "0000000" {
			t.Errorf("the next one: %s", r.body)
		}
	}
}

var wsse = regexp.MustCompile(`^UsernameToken Username="([^"]+)",PasswordDigest="([^"]+)",Nonce="([^"]+)", Created="([^"]+)"$`)

// good says whether a push's headers are made with our key and secret.
func good(h http.Header) bool {
	m := wsse.FindStringSubmatch(h.Get("X-WSSE"))
	return m != nil && m[1] == appKey && m[2] == digest(m[3], m[4], appSecret)
}

// Use, activation and installation are told, in the shapes of the document.
func TestPushes(t *testing.T) {
	b := open(nil)
	iccid := b.AddCard(sim.Card{ESIM: true})
	b.buy(iccid, five, "ours", "")
	b.Install(iccid)
	b.Use(iccid, 101_804_370)
	b.Use(iccid, 1)
	var got []string
	for _, n := range b.Notifications() {
		r := reply{body: string(n.Body)}
		if !good(n.Header) || r.at("iccid") != iccid {
			t.Errorf("%v %s", n.Header, n.Body)
		}
		got = append(got, r.at("notificationPointId")+r.at("thirdOrderId")+r.at("qtavalue"))
	}
	if strings.Join(got, " ") != "4 101 ours 101804370 101804371" {
		t.Errorf("%q", got)
	}
}

// Pushes come late, twice, forged or not at all, and with a bare number for the
// ICCID, on request.
func TestDelivery(t *testing.T) {
	b := open(func(c *sim.Config) { c.Manners.ICCID = "number" })
	b.SetDelivery(sim.Delivery{LateMax: time.Hour, RepeatPercent: 100, ForgePercent: 100})
	iccid := b.running(five)
	b.clock.move(time.Hour)
	forged, bodies := 0, map[string]int{}
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		bodies[body.String()]++
		if !good(r.Header) {
			forged++
		}
	})
	if n := b.DeliverTo(h); n != 3 || forged != 1 || len(bodies) != 1 {
		t.Errorf("%d pushes, %d forged, %d bodies", n, forged, len(bodies))
	}
	for body := range bodies {
		if !strings.Contains(body, `"iccid":`+iccid+`,`) {
			t.Errorf("%s", body)
		}
	}
	b.SetDelivery(sim.Delivery{LosePercent: 100})
	b.Use(iccid, 1)
	if due, any := b.NextDue(); any {
		t.Errorf("something is due at %v", due)
	}
	b.Forge([]byte("{}"))
	if n := b.Notifications(); len(n) != 1 || good(n[0].Header) {
		t.Errorf("%v", n)
	}
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
	b.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/aep/APP_createOrder_SBO/v1", strings.NewReader("{}")))
}

// Whatever faults the seed chooses, and however often each order is sent again
// under its code: it is carried out at most once, what was answered with success
// or 1000162 exactly once, and the deposit agrees.
func TestWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		b := open(func(c *sim.Config) { c.Rand, c.TokenLife = rand.New(rand.NewPCG(seed, 1)), 10_000*time.Hour })
		weights := map[sim.Fault]int{}
		for _, f := range sim.Faults {
			if f != sim.TokenGone && f != sim.Reprice {
				weights[f] = rapid.IntRange(0, 100/len(sim.Faults)).Draw(t, string(f))
			}
		}
		b.SetWeights(weights)
		iccid, _ := b.running(five), b.running(five)
		sure := map[string]bool{}
		for n := range 20 {
			ref := fmt.Sprintf("ref_%d", n)
			for range rapid.IntRange(1, 3).Draw(t, "times") {
				r, err := b.do(sim.CreateOrder, buy(iccid, hours, ref, ref))
				sure[ref] = sure[ref] || err == nil && (r.code() == "0000000" || r.code() == "1000162")
				b.clock.move(time.Minute)
			}
		}
		b.clock.move(time.Hour)
		total := 0
		for n := range 20 {
			ref := fmt.Sprintf("ref_%d", n)
			times := b.Orders(ref)
			total += times
			if times > 1 || sure[ref] && times != 1 {
				t.Fatalf("%s was carried out %d times", ref, times)
			}
		}
		if b.Balance() != int64(opening-300*total) {
			t.Fatalf("balance %d after %d", b.Balance(), total)
		}
	})
}
