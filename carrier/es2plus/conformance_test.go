package es2plus_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriertest"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus/es2plussim"
	"github.com/tsuzuku/tsuzuku/carrier/remote"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/internal/certtest"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const (
	travel    = "TRAVEL-JP"
	requester = "1.3.6.1.4.1.99999.1"
	address   = "smdp.example.com"
	secret    = "the secret of these tests, long enough"
)

// card is the n-th profile that the SM-DP+ has.
func card(n int) string { return fmt.Sprintf("898110000000%07d", n) }

// town is an SM-DP+, the operator that feeds its lines, and what lies between.
type town struct {
	clock  *clock
	smdp   *es2plussim.Sim
	feeds  *remotesim.Sim
	wire   *outboundsim.Wire
	able   *es2plus.Adapter
	status bool // it has getProfileStatus
}

func newTown(t testing.TB, repeat es2plussim.Repeat, status bool, over func(http.Handler) http.Handler) *town {
	t.Helper()
	c := &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	w := &town{clock: c, status: status}
	w.smdp = es2plussim.New(es2plussim.Config{
		Now: c.Now, Rand: rand.New(rand.NewPCG(1, 2)), Address: address, Requesters: []string{requester}, Repeat: repeat, Status: status,
	})
	key := []byte("a key for tests, 32 bytes long.")
	w.feeds = &remotesim.Sim{Key: key, Now: c.Now, Packages: []remotesim.Package{{Code: "JP5", Bytes: 5 << 30, Days: 30}}}
	for i, l := range []string{"L1", "L2", "L3", "L4"} {
		end := 5
		if i == 1 {
			end = -1
		}
		w.feeds.Add(remotesim.Line{ID: l, Starts: c.now.AddDate(0, 0, -10), Ends: c.now.AddDate(0, 0, end), Total: 1 << 30})
	}
	for n := range 6 {
		w.smdp.Add(travel, card(n))
		w.feeds.Add(remotesim.Line{ID: card(n), ICCID: card(n), Ends: c.now.AddDate(0, 6, 0), Total: 1 << 30})
	}
	var smdp http.Handler = w.smdp
	if over != nil {
		smdp = over(smdp)
	}
	mux := http.NewServeMux()
	mux.Handle(es2plussim.Prefix, smdp)
	mux.Handle("/", w.feeds)
	w.wire = &outboundsim.Wire{Stranger: mux}
	client := outbound.New(outbound.Options{Transport: w.wire})
	renews, err := remote.New(remote.Config{
		Name: "tabi", URL: "https://operator.example/tsuzuku", Keys: []string{"whsec_" + base64.StdEncoding.EncodeToString(key)},
		Capabilities: remote.Capabilities{Contract: 1, Modes: []string{"extend"}, Cancel: true, SettlesWithin: 900, CallsPerSecond: 50},
	}, client, c.Now, nonces())
	if err != nil {
		t.Fatal(err)
	}
	w.able, err = es2plus.New(es2plus.Config{
		URL: "https://es2.example", Requester: requester, Address: address, Secret: secret, Status: status,
	}, renews, client, c.Now, nonces())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *town) bench() carriertest.Bench {
	return carriertest.Bench{
		Carrier: w.able, Profile: carrier.Profile{ID: "L1"}, Package: "JP5", NewPackage: travel,
		Ended: carrier.Profile{ID: "L2"}, Others: []carrier.Profile{{ID: "L3"}, {ID: "L4"}},
		Now: w.clock.Now, Advance: w.clock.Advance,
		ByHand: func() { w.feeds.By("L1", "JP5", 0) },
		Extensions: func() int {
			return w.feeds.Extended("L1", func(ref string) bool { return strings.HasPrefix(ref, "ct_") })
		},
		Profiles: w.smdp.Sold, TakenBack: w.smdp.Cancelled, Blind: !w.status,
		Install:     func(i carrier.Issued) { _ = w.smdp.Install(i.Code, eid) }, // one that is gone cannot be
		StumbleNext: func() { w.smdp.Fail("cancelOrder", es2plussim.Execution) },
	}.On(w.wire, changesSomething)
}

// eid is a phone's.
const eid = "89049032000000000000000000000017"

// changesSomething tells what could extend a line, make a profile or take one back.
func changesSomething(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, es2plussim.Prefix) {
		return strings.HasSuffix(r.URL.Path, "/confirmOrder") || strings.HasSuffix(r.URL.Path, "/cancelOrder")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var q struct{ Call string }
	_ = json.Unmarshal(body, &q) // what cannot be read is no extend
	return q.Call == "extend"
}

// The adapter keeps the promises of a carrier towards an SM-DP+ that was written from
// the specification before the adapter was: one that can be asked what became of a
// profile, and two that cannot.
func TestConformance(t *testing.T) {
	for name, m := range map[string]struct {
		repeat es2plussim.Repeat
		status bool
	}{
		"with getProfileStatus":        {es2plussim.MatchingInUse, true},
		"identifiers are taken once":   {es2plussim.MatchingInUse, false},
		"the same is answered as same": {es2plussim.SameAgain, false},
	} {
		t.Run(name, func(t *testing.T) {
			carriertest.Run(t, func(t *testing.T) carriertest.Bench { return newTown(t, m.repeat, m.status, nil).bench() })
		})
	}
}

// The same over a real connection with certificates on both sides.
func TestConformanceOverMutualTLS(t *testing.T) {
	ca := certtest.New(t, "seller's own authority")
	server, client := ca.Issue(address), ca.Issue("shop.example.com")
	carriertest.Run(t, func(t *testing.T) carriertest.Bench {
		return newTown(t, es2plussim.MatchingInUse, false, func(h http.Handler) http.Handler {
			s := listen(t, h, &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
			})
			return forward(t, s, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca.Pool(), ServerName: address, Certificates: []tls.Certificate{client}})
		}).bench()
	})
}

func listen(t testing.TB, h http.Handler, c *tls.Config) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = c
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// forward is the stranger behind a wire, at the other end of a real connection.
func forward(t testing.TB, s *httptest.Server, c *tls.Config) http.Handler {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: c}
	t.Cleanup(tr.CloseIdleConnections)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, s.URL+r.URL.Path, r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		out.Header = r.Header.Clone()
		got, err := tr.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer got.Body.Close() //nolint:errcheck // read to its end
		for k, v := range got.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(got.StatusCode)
		_, _ = io.Copy(w, got.Body) // in memory
	})
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
