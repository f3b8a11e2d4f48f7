package stripe_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
)

// Every kind of request we make satisfies Stripe's own OpenAPI description, as
// Stripe's checker stripe-mock reads it. stripe-mock keeps no state, so each
// request is shown to it and answered by the simulator.
func TestRequestsSatisfyOpenAPI(t *testing.T) {
	mock := startStripeMock(t)
	b := newBench(t)
	clerk := &clerk{t: t, mock: mock, next: &outboundsim.Wire{Stranger: b.sim}}
	a, err := stripe.New(stripe.Config{Key: key, WebhookSecrets: []string{secret}}, outbound.New(outbound.Options{Transport: clerk}),
		func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now })
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lost, left, bought := b.attempt(), b.attempt(), b.attempt()
	for _, at := range []*payment.Attempt{&left, &bought} {
		obs, err := a.Start(ctx, *at)
		must(obs, err)
		at.ProviderID = obs.ProviderID
	}
	must(a.Query(ctx, lost))
	must(a.Abandon(ctx, lost))
	must(a.Abandon(ctx, left))
	must(b.sim.Pay(bought.Ref))
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: bought, Amount: money.Of(300, "JPY"), Note: "a note"}
	got, err := a.Refund(ctx, r)
	must(got, err)
	must(a.QueryRefund(ctx, r))
	r.ProviderID = got.ProviderID
	must(a.QueryRefund(ctx, r))
	must(nil, b.sim.Dispute(bought.Ref))
	must(a.Query(ctx, bought))

	want := []string{
		"GET /v1/checkout/sessions", "GET /v1/checkout/sessions/…", "GET /v1/disputes", "GET /v1/refunds", "GET /v1/refunds/…",
		"POST /v1/checkout/sessions", "POST /v1/checkout/sessions/…/expire", "POST /v1/refunds",
	}
	slices.Sort(clerk.seen)
	if got := slices.Compact(clerk.seen); !slices.Equal(got, want) {
		t.Errorf("requests shown: %q, want %q", got, want)
	}
	if status, _ := clerk.show(t, "POST", "/v1/checkout/sessions", http.Header{"Authorization": {"Bearer " + key}}, []byte("mood=payment")); status != http.StatusBadRequest {
		t.Errorf("stripe-mock answers %d to nonsense: it checks nothing", status)
	}
}

// clerk shows each request to stripe-mock and passes it on.
type clerk struct {
	t    *testing.T
	mock string // host and port
	next http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (c *clerk) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if status, said := c.show(c.t, r.Method, r.URL.RequestURI(), r.Header, body); status != http.StatusOK {
		c.t.Errorf("stripe-mock refuses %s %s %s: %d %s", r.Method, r.URL.Path, body, status, said)
	}
	parts := strings.Split(r.URL.Path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "cs_") || strings.HasPrefix(p, "re_") {
			parts[i] = "…"
		}
	}
	c.mu.Lock()
	c.seen = append(c.seen, r.Method+" "+strings.Join(parts, "/"))
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

func (c *clerk) show(t *testing.T, method, uri string, h http.Header, body []byte) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+c.mock+uri, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = h.Clone()
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(said)
}

// startStripeMock runs Stripe's checker on free ports and returns its address.
func startStripeMock(t *testing.T) string {
	t.Helper()
	path := os.Getenv("TSUZUKU_STRIPE_MOCK")
	if path == "" {
		var err error
		if path, err = exec.LookPath("stripe-mock"); err != nil {
			const how = "no stripe-mock: go install github.com/stripe/stripe-mock@v0.203.0, or name it in TSUZUKU_STRIPE_MOCK"
			if os.Getenv("CI") != "" {
				t.Fatal(how)
			}
			t.Skip(how)
		}
	}
	cmd := exec.CommandContext(t.Context(), path, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed when the test's context ends, just before
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "HTTP at address: "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return address
		}
	}
	t.Fatalf("stripe-mock ended without listening: %v", lines.Err())
	return ""
}
