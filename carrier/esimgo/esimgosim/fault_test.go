package esimgosim_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
)

// Each fault: what the caller hears, how often the eSIM was extended at once,
// and after ten minutes.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault      sim.Fault
		status     int // 0: silence
		now, later int
		charged    int64 // cents; 0: as often as it was carried out
	}{
		{sim.None, 200, 1, 1, 0},
		{sim.Silence, 0, 0, 0, 0},
		{sim.SilenceAfter, 0, 1, 1, 0},
		{sim.BreakAfter, 500, 1, 1, 0},
		{sim.Slow, 0, 0, 1, 0},
		{sim.Processing, 503, 0, 1, 0},
		{sim.ProcessingLost, 503, 0, 0, 0},
		{sim.Refuse, 400, 0, 0, 0},
		{sim.Busy, 429, 0, 0, 0},
		{sim.Reprice, 200, 1, 1, 495},
		{sim.OtherESIM, 200, 0, 0, 450},
		{sim.Down, 500, 0, 0, 0},
	}
	if len(tests) != len(sim.Faults)+1 {
		t.Errorf("%d of %d faults tried", len(tests)-1, len(sim.Faults))
	}
	for _, tt := range tests {
		t.Run("fault="+string(tt.fault), func(t *testing.T) {
			b := open(nil)
			iccid := b.running()
			b.Fail(sim.PlaceOrder, tt.fault)
			r, err := b.do("POST", "orders", extend("transaction", threeGB, iccid))
			if silent := tt.status == 0; silent != errors.Is(err, context.DeadlineExceeded) || r.status != tt.status {
				t.Errorf("%d %v", r.status, err)
			}
			if retry := r.header.Get("Retry-After"); (tt.status == 429 || tt.status == 503) != (retry != "") {
				t.Errorf("Retry-After %q", retry)
			}
			if n := len(b.Assignments(iccid)) - 1; n != tt.now {
				t.Errorf("%d at once", n)
			}
			b.clock.move(10 * time.Minute)
			if n := len(b.Assignments(iccid)) - 1; n != tt.later {
				t.Errorf("%d later", n)
			}
			want := int64(450 * tt.later)
			if tt.charged != 0 {
				want = tt.charged
			}
			if charged := opening - b.Balance(); charged != want {
				t.Errorf("charged %d, want %d", charged, want)
			}
			if r := b.extend(iccid, threeGB); r.status != 200 {
				t.Errorf("the next one: %d", r.status)
			}
		})
	}
}

// Who is turned away at the door hears so, whatever the fault; what is slow is
// carried out under the rules of then.
func TestFaultsSpareTheRefused(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	b.Fail("", sim.Slow)
	if _, err := b.do("POST", "orders", extend("transaction", threeGB, iccid)); err == nil {
		t.Error("answered")
	}
	b.Withdraw(threeGB)
	b.clock.move(time.Hour)
	if n := len(b.Assignments(iccid)); n != 1 {
		t.Errorf("%d", n)
	}
	b.key = "wrong"
	b.Fail("", sim.SilenceAfter)
	if r := b.extend(iccid, oneGB); r.status != 401 {
		t.Errorf("%d", r.status)
	}
}

// Stale readings show what was.
func TestStaleReads(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	b.clock.move(time.Hour)
	b.extend(iccid, threeGB)
	b.LagReads(100, 30*time.Minute)
	stale := b.states(iccid)
	if r := b.get("orders"); stale != "active" || r.at("rows") != "0" || b.get("organisation").at("organisations", 0, "balance") != "1000" {
		t.Errorf("%q %s", stale, r.body)
	}
	b.clock.move(30 * time.Minute)
	if got := b.states(iccid); got != "queued active" {
		t.Errorf("caught up: %q", got)
	}
}

// The vector of the reference notes, recomputed here with the provider's own
// three lines: HMAC-SHA256 under the API key over the raw body, in base64.
func TestSignatureVector(t *testing.T) {
	body := []byte(`{"iccid":"8943108165015003887","alertType":"Utilisation"}`)
	const want = "zygYK34Xso30VandUKUT5NsTfTEVYK6BRsPqW+XPLc8="
	if got := sim.Sign("test_api_key", body); got != want || got != signature("test_api_key", body) {
		t.Errorf("%s, want %s", got, want)
	}
}

func signature(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Use is told once for each threshold, signed over exactly what is sent.
func TestCallbacks(t *testing.T) {
	b := open(nil)
	iccid := b.AddESIM(sim.ESIM{Bundle: oneGB})
	for _, use := range []int64{0, 10 * mega, 0, 500 * mega, 600 * mega} {
		b.Use(iccid, use)
	}
	var got []string
	for _, n := range b.Notifications() {
		if n.Header.Get("X-Signature-SHA256") != signature(apiKey, n.Body) {
			t.Errorf("%s: signed with %q", n.Body, n.Header)
		}
		if !bytes.HasPrefix(n.Body, []byte(`{"iccid":`+iccid+`,`)) {
			t.Errorf("the ICCID is no bare number: %s", n.Body)
		}
		r := reply{body: string(n.Body)}
		left, _ := r.at("bundle", "remainingQuantity").(string)
		got = append(got, r.at("alertType").(string)+" "+left)
	}
	want := "FirstUse 1000000000, Utilisation 990000000, Utilisation 490000000, Utilisation 0, Utilisation 0"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
}

// Callbacks come late, twice, out of order, forged or not at all, on request.
func TestDelivery(t *testing.T) {
	b := open(func(c *sim.Config) { c.Manners.ICCID = "string" })
	b.SetDelivery(sim.Delivery{LateMax: time.Hour, RepeatPercent: 100, ForgePercent: 100})
	iccid := b.AddESIM(sim.ESIM{Bundle: oneGB})
	b.Use(iccid, 1000*mega)
	b.clock.move(time.Hour)
	forged, bodies := 0, map[string]int{}
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		bodies[body.String()]++
		if r.Header.Get("X-Signature-SHA256") != signature(apiKey, body.Bytes()) {
			forged++
		}
	})
	if n := b.DeliverTo(h); n != 15 || forged != 5 || len(bodies) != 2 {
		t.Errorf("%d callbacks, %d forged, %d bodies", n, forged, len(bodies))
	}
	b.SetDelivery(sim.Delivery{LosePercent: 100})
	b.extend(iccid, oneGB)
	b.Use(iccid, 1)
	if due, any := b.NextDue(); any {
		t.Errorf("something is due at %v", due)
	}
	b.Forge([]byte("{}"))
	if n := b.Notifications(); len(n) != 1 || n[0].Header.Get("X-Signature-SHA256") == signature(apiKey, []byte("{}")) {
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
	b.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v2.4/orders", nil))
}

// Whatever faults the seed chooses: what was answered with 200 was carried out
// once, what was refused never, and the balance agrees.
func TestWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		b := open(func(c *sim.Config) { c.Rand = rand.New(rand.NewPCG(seed, 1)) })
		weights := map[sim.Fault]int{}
		for _, f := range sim.Faults {
			if f != sim.OtherESIM && f != sim.Reprice {
				weights[f] = rapid.IntRange(0, 100/len(sim.Faults)).Draw(t, string(f))
			}
		}
		b.SetWeights(weights)
		did := map[string]string{}
		for range 20 {
			iccid := b.running()
			r, err := b.do("POST", "orders", extend("transaction", threeGB, iccid))
			switch {
			case err != nil, r.status >= 500:
				did[iccid] = "unknown"
			case r.status == 200:
				did[iccid] = "done"
			default:
				did[iccid] = "no"
			}
			b.clock.move(time.Minute)
		}
		b.clock.move(time.Hour)
		times := int64(0)
		for iccid, what := range did {
			n := len(b.Assignments(iccid)) - 1
			times += int64(n)
			if n > 1 || what == "done" && n != 1 || what == "no" && n != 0 {
				t.Fatalf("%s: %s, carried out %d times", iccid, what, n)
			}
		}
		if b.Balance() != opening-450*times {
			t.Fatalf("balance %d after %d", b.Balance(), times)
		}
	})
}
