package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

// A Step that panics does not end the program, is seen in the log without what it
// threw, is put off longer every time, and is done again as usual once it goes well.
func TestAPanicInAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		a := &App{Env: Env{Log: slog.New(slog.NewTextHandler(&log, nil))}}
		ctx, cancel := context.WithCancel(t.Context())
		var at []time.Duration
		began := time.Now()
		step := Step{Name: "x", Do: func(context.Context) (bool, error) {
			at = append(at, time.Since(began))
			switch {
			case len(at) < 5:
				panic(errors.New("a secret"))
			case len(at) == 8:
				cancel()
			}
			return false, nil
		}}
		a.work(ctx, []Step{step}, time.Second)
		want := []time.Duration{0, 2 * time.Second, 6 * time.Second, 14 * time.Second, 30 * time.Second, 31 * time.Second, 32 * time.Second, 33 * time.Second}
		for i := range want {
			if i >= len(at) || at[i] != want[i] {
				t.Fatalf("done at %v, want %v", at, want)
			}
		}
		if got := log.String(); strings.Contains(got, "a secret") || strings.Count(got, "step=x") != 4 || !strings.Contains(got, "TestAPanicInAStep") {
			t.Errorf("logged: %s", got)
		}
	})
}

// What a Step has claimed and panics over ends nothing either.
func TestAPanicInWhatWasClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &App{Env: Env{Log: slog.New(slog.DiscardHandler)}}
		ctx, cancel := context.WithCancel(t.Context())
		turns, before := 0, fault.Panics()
		step := Step{Name: "x", Take: func(context.Context) (func(context.Context) error, error) {
			if turns++; turns == 6 {
				cancel()
				return nil, nil
			}
			return func(context.Context) error { panic("x") }, nil
		}}
		a.work(ctx, []Step{step}, time.Second)
		if turns != 6 || fault.Panics()-before != 5 {
			t.Errorf("%d turns, %d panics", turns, fault.Panics()-before)
		}
	})
	if got := patience(time.Second, 1000); got != mostPatience {
		t.Errorf("after a thousand panics: %v", got)
	}
}

// A door that panics is answered, and stands in the log; every answer has its headers.
func TestAPanicInADoor(t *testing.T) {
	var log bytes.Buffer
	a := &App{Config: Config{URL: "https://shop.example"}, Env: Env{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	h := a.guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a secret") }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/payment/stripe", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") || strings.Contains(log.String(), "a secret") || !strings.Contains(log.String(), "a door panicked") {
		t.Errorf("%d %q, logged %s", w.Code, w.Body, log.String())
	}
	if w.Header().Get("Strict-Transport-Security") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers: %v", w.Header())
	}
	defer func() {
		if p := recover(); p != any(http.ErrAbortHandler) {
			t.Errorf("a connection that is to end: %v", p)
		}
	}()
	a.guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
}

// Issuers are configured whole, or not at all, and told why not.
func TestIssuersAreChecked(t *testing.T) {
	one := func(url string, change func(*Issuers)) error {
		i := Issuers{URL: map[string]string{"x": url}, ClientID: map[string]string{"x": "id"}, Secret: map[string]Secret{"x": "secret"}}
		if change != nil {
			change(&i)
		}
		return i.check()
	}
	for says, err := range map[string]error{
		"":                     one("https://accounts.google.com", nil),
		"is no name":           Issuers{URL: map[string]string{"A b": "https://x.example"}}.check(),
		"configured in part":   Issuers{URL: map[string]string{"x": "https://x.example"}}.check(),
		"not at a public":      one("http://login.example", nil),
		"at port 443":          one("https://login.example:8443", nil),
		"inside of your":       one("https://10.0.0.5", nil),
		"has no address":       one("login.example", nil),
		"less than 32":         one("https://access.line.me", func(i *Issuers) { i.BySecret = []string{"x"} }),
		"issuer-client-id and": Issuers{Private: []string{"y"}}.check(),
	} {
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("want %q: %v", says, err)
		}
	}
	if err := one("http://10.0.0.5:8080/realms/x", func(i *Issuers) { i.Private = []string{"x"} }); err != nil {
		t.Errorf("the seller's own: %v", err)
	}
}
