package app

import (
	"net/http/httptest"
	"testing"
)

// Where a request comes from is what our proxy says, and never what the client writes
// into the same header: before it, or in a line of its own that the proxy leaves.
func TestWhereARequestComesFrom(t *testing.T) {
	for name, one := range map[string]struct {
		header string
		lines  []string
		want   string
	}{
		"no proxy":                   {"", []string{"198.51.100.7"}, "192.0.2.1"},
		"the proxy's line":           {"X-Forwarded-For", []string{"203.0.113.9"}, "203.0.113.9"},
		"after what the client says": {"X-Forwarded-For", []string{"198.51.100.7, 203.0.113.9"}, "203.0.113.9"},
		"a line of the client's own": {"X-Forwarded-For", []string{"198.51.100.7", "203.0.113.9"}, "203.0.113.9"},
		"the proxy says nothing":     {"X-Forwarded-For", nil, "192.0.2.1"},
		"an empty line":              {"X-Forwarded-For", []string{""}, "192.0.2.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil) // from 192.0.2.1
		for _, l := range one.lines {
			r.Header.Add("X-Forwarded-For", l)
		}
		a := &App{Config: Config{ClientHeader: one.header}}
		if got := a.client(r); got != one.want {
			t.Errorf("%s: %s, want %s", name, got, one.want)
		}
	}
}
