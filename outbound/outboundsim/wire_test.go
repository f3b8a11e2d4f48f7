package outboundsim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// counter is a stranger that counts what it is asked to do, and says how often
// that was.
type counter struct {
	mu   sync.Mutex
	done []string
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // in memory
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, string(body))
	w.Header().Set("X-Host", r.Host)
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, "%s no. %d", body, len(c.done))
	w.Header().Set("X-Late", "a real server has sent the headers by now")
}

func (c *counter) acts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.done)
}

func call(ctx context.Context, w *outboundsim.Wire, body string) (outbound.Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://operator.example/do?x=1", strings.NewReader(body))
	if err != nil {
		return outbound.Answer{}, err
	}
	return outbound.New(outbound.Options{Transport: w}).Do(ctx, r)
}

// What each fault does to the stranger, and what the house's client hears of it.
func TestFaults(t *testing.T) {
	tests := map[outboundsim.Fault]struct {
		acts   int // at once
		later  int // at Deliver
		hears  error
		status int
		body   string
	}{
		outboundsim.None:        {acts: 1, status: 201, body: "a no. 1"},
		outboundsim.Refuse:      {hears: outbound.ErrNotSent},
		outboundsim.LoseRequest: {hears: outbound.ErrSilent},
		outboundsim.LoseAnswer:  {acts: 1, hears: outbound.ErrSilent},
		outboundsim.ActLater:    {later: 1, hears: outbound.ErrSilent},
		outboundsim.Break:       {acts: 1, status: 500},
		outboundsim.Garble:      {acts: 1, status: 201, body: "a n"},
		outboundsim.Busy:        {status: 429},
		outboundsim.Twice:       {acts: 2, status: 201, body: "a no. 2"},
	}
	for _, f := range append([]outboundsim.Fault{outboundsim.None}, outboundsim.Faults...) {
		want, known := tests[f]
		if !known {
			t.Errorf("%s: nobody says what it does", f)
			continue
		}
		t.Run("fault="+string(f), func(t *testing.T) {
			s := &counter{}
			w := &outboundsim.Wire{Stranger: s, Choose: func(*http.Request) outboundsim.Fault { return f }}
			a, err := call(t.Context(), w, "a")
			if !errors.Is(err, want.hears) || (err == nil) != (want.hears == nil) || a.Status != want.status || string(a.Body) != want.body {
				t.Errorf("heard %d %q, %v; want %d %q, %v", a.Status, a.Body, err, want.status, want.body, want.hears)
			}
			if f == outboundsim.Busy && a.Header.Get("Retry-After") != "1" {
				t.Errorf("busy without saying until when: %v", a.Header)
			}
			if got := len(s.acts()); got != want.acts {
				t.Errorf("%d acts, want %d", got, want.acts)
			}
			if got := w.Deliver(); got != want.later || len(s.acts()) != want.acts+want.later {
				t.Errorf("%d delivered, %d acts in all; want %d, %d", got, len(s.acts()), want.later, want.acts+want.later)
			}
			if got := w.Deliver(); got != 0 || w.Calls() != 1 {
				t.Errorf("%d delivered again, %d calls", got, w.Calls())
			}
		})
	}
}

// Headers are as of the first byte, as a real server sends them, and the
// stranger sees the request that was made.
func TestStrangerSeesTheRequest(t *testing.T) {
	s := &counter{}
	a, err := call(t.Context(), &outboundsim.Wire{Stranger: s}, "hello")
	if err != nil || a.Header.Get("X-Host") != "operator.example" || a.Header.Get("X-Late") != "" || !slices.Equal(s.acts(), []string{"hello"}) {
		t.Errorf("%+v %q %v", a, s.acts(), err)
	}
}

// What acts late acts in the order of the requests, with the bodies they had.
func TestLateActsKeepTheirOrder(t *testing.T) {
	s := &counter{}
	w := &outboundsim.Wire{Stranger: s, Choose: func(r *http.Request) outboundsim.Fault {
		if body, _ := io.ReadAll(r.Body); string(body) == "b" { // Choose may read it
			return outboundsim.None
		}
		return outboundsim.ActLater
	}}
	for _, body := range []string{"a", "b", "c"} {
		_, _ = call(t.Context(), w, body) // judged by what the stranger saw
	}
	if n := w.Deliver(); n != 2 || !slices.Equal(s.acts(), []string{"b", "a", "c"}) {
		t.Errorf("%d delivered: %q", n, s.acts())
	}
}

// The worst moment: the stranger has acted, or never will, and the caller has
// not heard. The wire is free for others then.
func TestMeanwhileIsBetweenActAndAnswer(t *testing.T) {
	for f, want := range map[outboundsim.Fault]int{
		outboundsim.None: 1, outboundsim.LoseAnswer: 1, outboundsim.LoseRequest: 0, outboundsim.ActLater: 0, outboundsim.Break: 1,
	} {
		s := &counter{}
		saw, nested := -1, false
		w := &outboundsim.Wire{Stranger: s, Choose: func(*http.Request) outboundsim.Fault { return f }}
		w.Meanwhile = func(r *http.Request) {
			if nested {
				return
			}
			saw, nested = len(s.acts()), true
			_, _ = call(r.Context(), w, "another worker") // it must not wait for the first
		}
		_, _ = call(t.Context(), w, "a") // judged by what was seen meanwhile
		if saw != want || w.Calls() != 2 {
			t.Errorf("%q: %d acts meanwhile and %d calls, want %d and 2", f, saw, w.Calls(), want)
		}
	}
}

// A stranger goes on working when we stop waiting; what was never begun does
// not reach it.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	finished := false
	w := &outboundsim.Wire{Stranger: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		finished = r.Context().Err() == nil
	})}
	if _, err := call(ctx, w, "a"); err != nil || !finished {
		t.Errorf("the stranger was stopped: %v", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://operator.example", strings.NewReader("b"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.RoundTrip(r)
	if resp != nil {
		_ = resp.Body.Close() // in memory
	}
	if !errors.Is(err, context.Canceled) || w.Calls() != 1 {
		t.Errorf("after the end: %v, %d calls", err, w.Calls())
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	const callers, each = 8, 50
	s := &counter{}
	n := 0
	w := &outboundsim.Wire{Stranger: s, Choose: func(*http.Request) outboundsim.Fault {
		n++ // under the wire's lock
		return append([]outboundsim.Fault{outboundsim.None}, outboundsim.Faults...)[n%9]
	}}
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				_, _ = call(t.Context(), w, "a") // judged by the sums
				w.Deliver()
			}
		})
	}
	wg.Wait()
	w.Deliver()
	// Of nine in turn: one of None, LoseAnswer, ActLater, Break, Garble and two of Twice.
	whole, rest := callers*each/9, callers*each%9
	want := 7 * whole
	for i := 1; i <= rest; i++ {
		want += []int{1, 0, 0, 1, 1, 1, 1, 0, 2}[i]
	}
	if got := len(s.acts()); got != want || w.Calls() != callers*each {
		t.Errorf("%d acts of %d calls, want %d", got, w.Calls(), want)
	}
}

func TestUnknownFaultPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a fault that is none was taken for one")
		}
	}()
	_, _ = call(t.Context(), &outboundsim.Wire{Stranger: &counter{}, Choose: func(*http.Request) outboundsim.Fault { return "typo" }}, "a") // it panics
}

// A stale answer is the one that was given before, no older than a stranger says; what
// changes something is never answered so.
func TestStaleAnswers(t *testing.T) {
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	stale := false
	w := &outboundsim.Wire{
		Stranger: &counter{}, Now: func() time.Time { return now }, StaleMost: time.Minute,
		Choose: func(*http.Request) outboundsim.Fault {
			if stale {
				return outboundsim.Stale
			}
			return outboundsim.None
		},
	}
	get := func(method, path string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://operator.example/"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = got.Body.Close() }() // in memory
		body, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(body))
	}
	get(http.MethodGet, "a")
	get(http.MethodGet, "a")
	stale = true
	for i, step := range []struct {
		method, path string
		after        time.Duration
		want         string
	}{
		{http.MethodGet, "a", 30 * time.Second, "no. 2"}, // as it was
		{http.MethodPost, "a", 0, "no. 3"},
		{http.MethodGet, "b", 0, "no. 4"}, // never asked before
		{http.MethodGet, "a", 40 * time.Second, "no. 5"},
	} {
		now = now.Add(step.after)
		if got := get(step.method, step.path); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}
