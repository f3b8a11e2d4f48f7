package app

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/metrics"
)

// Where there is a token, the numbers are for those who send it; where there is none, for
// whoever is on the machine.
func TestNumbersAreForTheEngineer(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	for _, tt := range []struct {
		token  Secret
		sent   string
		status int
	}{
		{"", "", 200},
		{"", "Bearer x", 200},
		{token, "", 401},
		{token, token, 401},
		{token, "Basic " + token, 401},
		{token, "Bearer " + token[1:], 401},
		{token, "Bearer", 401},
		{token, "Bearer " + token, 200},
		{token, "bearer " + token, 200},
	} {
		var log bytes.Buffer
		a := &App{Config: Config{AdminToken: tt.token}, Env: Env{Log: slog.New(slog.NewTextHandler(&log, nil))}, Metrics: &metrics.Registry{}}
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.Header.Set("Authorization", tt.sent)
		a.AdminHandler().ServeHTTP(w, r)
		if w.Code != tt.status || strings.Contains(w.Body.String(), "# HELP") != (tt.status == 200) || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %d %v %s", tt.sent, w.Code, w.Header(), w.Body)
		}
		if noted := strings.Contains(log.String(), "msg=refused door=admin"); noted != (tt.status == 401) || strings.Contains(log.String(), token[1:]) {
			t.Errorf("%q: logged %s", tt.sent, &log)
		}
	}
}

// An address that others can reach is refused without a token.
func TestNumbersAreNotForTheNetwork(t *testing.T) {
	for _, tt := range []struct {
		listen string
		token  Secret
		says   string
	}{
		{"", "", ""},
		{"127.0.0.1:9464", "", ""},
		{"[::1]:9464", "", ""},
		{"localhost:9464", "", ""},
		{":9464", "", "--admin-token"},
		{"0.0.0.0:9464", "", "--admin-token"},
		{"[::]:9464", "", "--admin-token"},
		{"10.0.0.5:9464", "", "--admin-token"},
		{"metrics.shop.example:9464", "", "--admin-token"},
		{"9464", "", "missing port"},
		{"10.0.0.5:9464", "too short", "32 characters"},
		{"10.0.0.5:9464", "0123456789abcdef0123456789abcdef", ""},
	} {
		err := (&Config{Admin: tt.listen, AdminToken: tt.token}).checkAdmin()
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: %v, want %q", tt.listen, err, tt.says)
		}
	}
}
