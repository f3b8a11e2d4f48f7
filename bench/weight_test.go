package bench

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/locale"
)

// Both sides answer, and what is reported is what was measured.
func TestPagesMeasuresBothSides(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := Options{Engine: env.DB.Engine(), Seconds: 1, Clients: 2, Now: newTicking().Now, URL: env.URL}
		if o.Engine == db.SQLite {
			o.URL = filepath.Join(t.TempDir(), "bench.db")
		} else {
			o.URL = dbtest.Postgres(t).URL
		}
		r, err := Pages(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []PageRun{r.Status, r.Static} {
			if side.PerSecond <= 0 || side.P99 < side.P50 || side.P50 <= 0 || side.Bytes < 500 {
				t.Errorf("%+v", r)
			}
		}
		if r.Status.Bytes < 2*r.Static.Bytes || r.Status.Bytes > 14_000 {
			t.Errorf("a page of %d bytes and a file of %d", r.Status.Bytes, r.Static.Bytes)
		}
		var people, programs strings.Builder
		var back PagesResult
		if err := r.Report(&programs, &people); err != nil || json.Unmarshal([]byte(programs.String()), &back) != nil || back != r {
			t.Errorf("%v: %s", err, programs.String())
		}
	})
}

// A shop that is none, or that nobody has signed in to, is said to be so.
func TestWeightNeedsAShop(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(closed.Close)
	for _, o := range []WeightOptions{{}, {URL: "shop.example"}, {URL: closed.URL, Session: "x"}} {
		if _, err := Weight(t.Context(), o); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := Weight(t.Context(), WeightOptions{URL: closed.URL, Traveller: "a@example.com"}); err == nil {
		t.Error("signed in to nothing")
	}
}

// An answer weighs what a browser receives of it, byte for byte.
func TestAnAnswerWeighsWhatArrives(t *testing.T) {
	body := strings.Repeat("x", 1234)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nContent-Type: text/plain\r\nX-Two: a\r\nX-Two: b\r\n\r\n"
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close() //nolint:errcheck // a test
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.ReadAtLeast(c, make([]byte, 4096), 1)
		_, _ = io.WriteString(c, head+body)
	}()
	v, err := newWeigher(WeightOptions{URL: "http://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	a, err := v.see(t.Context(), "/")
	if err != nil || a.bytes != len(head)+len(body) {
		t.Errorf("it weighs %d, want %d; %v", a.bytes, len(head)+len(body), err)
	}
}

func TestWeightReport(t *testing.T) {
	r := WeightResult{URL: "u", MaxBytes: 9, Missing: []string{payOf}}
	for _, page := range []string{statusOf, renewOf} {
		for _, l := range locale.All {
			r.Pages = append(r.Pages, PageWeight{Page: page, Language: l, Bytes: 9, Coding: "br"})
		}
	}
	var programs, people strings.Builder
	if err := r.Report(&programs, &people); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"status", "renew", "the most", "no order for"} {
		if !strings.Contains(people.String(), want) {
			t.Errorf("no %q in\n%s", want, people.String())
		}
	}
	if !strings.Contains(programs.String(), `"max_bytes":9`) {
		t.Error(programs.String())
	}
}
