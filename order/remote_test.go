package order_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/remote"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// distance is a remote operator and the wire to it.
type distance struct {
	sim  *remotesim.Sim
	wire *outboundsim.Wire
}

// atDistance is a shop whose operator is behind a server that speaks our contract.
func atDistance(t tester, env dbtest.Env) (*cashier, distance) {
	t.Helper()
	c := newCashier(t, env)
	key := []byte("a key for tests, 32 bytes long.")
	d := distance{sim: &remotesim.Sim{Key: key, Now: env.Clock.Now, Packages: []remotesim.Package{{Code: "KAZ-MACHI-5GB-3D", Days: 3}}}}
	d.wire = &outboundsim.Wire{Stranger: d.sim}
	n := 0
	a, err := remote.New(remote.Config{
		Name: "tabi", URL: "https://operator.example", Keys: []string{"whsec_" + base64.StdEncoding.EncodeToString(key)},
		Capabilities: remote.Capabilities{Contract: 1, Modes: []string{"extend", "queue"}, SettlesWithin: 900, CallsPerSecond: 10},
	}, outbound.New(outbound.Options{Transport: d.wire}), env.Clock.Now, func() string { n++; return fmt.Sprintf("%032x", n) })
	if err != nil {
		t.Fatal(err)
	}
	c.Desk.Carriers = map[string]carrier.Carrier{"simple": a}
	return c, d
}

// next is what happens to the next requests that extend, one fault each.
func (d distance) next(faults ...outboundsim.Fault) {
	d.wire.Choose = func(r *http.Request) outboundsim.Fault {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if len(faults) == 0 || !bytes.Contains(body, []byte(`"call":"extend"`)) {
			return outboundsim.None
		}
		f := faults[0]
		faults = faults[1:]
		return f
	}
}

// Whatever happens on the wire to a remote operator, an order is served exactly
// once, or its money goes back and it was not served.
func TestRemoteOperatorFaults(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c, d := atDistance(t, env)
		for _, fault := range append([]outboundsim.Fault{outboundsim.None}, outboundsim.Faults...) {
			for _, late := range []bool{false, true} {
				if late && fault != outboundsim.ActLater {
					continue
				}
				account, ln := c.customer(t, extendable, 48*time.Hour, opening)
				d.sim.Add(remotesim.Line{ID: "pf_" + ln, ICCID: "8981100000000000017", Starts: c.Clock.Now().Add(-72 * time.Hour), Ends: c.Clock.Now().Add(48 * time.Hour), Total: 1})
				d.next(fault)
				o, err := c.place(t, c.quote(t, account, ln, extendable))
				if err != nil {
					t.Fatalf("%s: %v", fault, err)
				}
				if fault == outboundsim.ActLater {
					c.pass(t, time.Minute) // looked up, and found absent
				}
				if late {
					// Five minutes later the server refuses it: it is too old.
					c.pass(t, 6*time.Minute)
				}
				d.wire.Deliver()
				c.pass(t, time.Hour)
				want := order.Completed
				if late || fault == outboundsim.LoseRequest {
					want = order.Refunded
				}
				got := c.get(t, o.Ref())
				if got.State != want {
					t.Errorf("%s (late %t): %s (%s), want %s", fault, late, got.State, got.Evidence, want)
				}
				served := d.sim.Extended("pf_"+ln, func(ref string) bool { return ref == o.ID })
				if done := got.State == order.Completed; served > 1 || (served == 1) != done {
					t.Errorf("%s (late %t): %s, and the operator extended it %d times", fault, late, got.State, served)
				}
				if got.State == order.Refunded && c.wallet(t, account) != opening {
					t.Errorf("%s: the wallet has %d", fault, c.wallet(t, account))
				}
				c.clean(t, account)
			}
		}
	})
}
