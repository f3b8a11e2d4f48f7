package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/metrics"
)

// Every request is counted once, by its door and by what came of it, whether or not its
// answer names a status.
func TestRequestsAreCounted(t *testing.T) {
	a := &App{Metrics: &metrics.Registry{}}
	a.Metrics.Add(a.requests.metrics()...)
	status := 0
	h := a.guarded(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if status != 0 {
			w.WriteHeader(status)
		}
		_, _ = w.Write([]byte("x"))
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}))
	for _, one := range []struct {
		path   string
		status int
	}{
		{"/", 0}, {"/lines", 303}, {"/lines/x", 404}, {"/account", 403}, {"/sign-in", 429}, {"/api/v1/lines", 401}, {"/api/v1/lines", 422}, {"/hooks/payment/stripe", 400}, {"/hooks/carrier/x", 500}, {"/readyz", 503}, {"/healthz", 200},
	} {
		status = one.status
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, one.path, nil))
	}
	text := string(a.Metrics.Text(t.Context()))
	for _, want := range []string{
		`door="portal",outcome="done"} 2`, `door="portal",outcome="refused"} 2`, `door="portal",outcome="limited"} 1`, `door="portal",outcome="failed"} 0`,
		`door="api",outcome="refused"} 1`, `door="api",outcome="unfit"} 1`, `door="hooks",outcome="unfit"} 1`, `door="hooks",outcome="failed"} 1`,
		`door="health",outcome="failed"} 1`, `door="health",outcome="done"} 1`,
	} {
		if !strings.Contains(text, "tsuzuku_requests_total{"+want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}
