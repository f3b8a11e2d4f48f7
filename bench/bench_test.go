package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// ticking is a clock that shows four milliseconds more each time it is looked
// at, so that a measurement of a second is over after a few hundred looks.
type ticking struct {
	mu  sync.Mutex
	now time.Time
}

func (c *ticking) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(4 * time.Millisecond)
	return c.now
}

func newTicking() *ticking {
	return &ticking{now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
}

// Whatever is measured, both sides renew, and what was counted is completed.
func TestRenewMeasuresBothSides(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, o := range []Options{{Clients: 1}, {Clients: 3}, {Clients: 1, Sets: 4}, {Sets: 4}} {
			o.Engine, o.Seconds, o.Now, o.URL = env.DB.Engine(), 1, newTicking().Now, env.URL
			if env.DB.Engine() == db.SQLite {
				o.URL = filepath.Join(t.TempDir(), "bench.db")
			} else {
				o.URL = dbtest.Postgres(t).URL
			}
			r, err := Renew(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			clients := o.Clients
			if clients == 0 {
				clients = order.Workers
			}
			if len(r.Runs) != 1 || r.Runs[0].Clients != clients {
				t.Fatalf("%+v: runs %+v, want one", o, r.Runs)
			}
			if run := r.Runs[0]; run.RenewalsPerSecond <= 0 || run.LimitPerSecond <= 0 || run.P50 <= 0 || run.P99 < run.P50 || run.Ratio <= 0 {
				t.Errorf("%+v: nothing was measured: %+v", o, run)
			}
		}
	})
}

// Bench fills a database with invented customers; it must not be a shop's.
func TestRenewRefusesADatabaseInUse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := testShop(t, env, 0)
		if _, err := s.stock(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		_, err := Renew(t.Context(), Options{Engine: env.DB.Engine(), Seconds: 1, URL: env.URL, Now: newTicking().Now})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("err %v, want invalid", err)
		}
	})
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, o := range []Options{
		{Engine: "oracle", Seconds: 1},
		{Engine: db.SQLite},
		{Engine: db.SQLite, Seconds: secondsMax + 1},
		{Engine: db.SQLite, Seconds: 1, Clients: -1},
		{Engine: db.SQLite, Seconds: 1, Clients: clientsMax + 1},
		{Engine: db.SQLite, Seconds: 1, Sets: setsMax + 1},
		{Engine: db.SQLite, Seconds: 1, URL: ":memory:"},
		{Engine: db.PostgreSQL, Seconds: 1, URL: filepath.Join(t.TempDir(), "sqlite.db")},
	} {
		if _, err := Renew(t.Context(), o); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: err %v, want invalid", o, err)
		}
	}
}

// An order that is not completed is not a renewal, however fast it was.
func TestCheckFindsWhatWasNotCompleted(t *testing.T) {
	s := testShop(t, dbtest.SQLite(t), 0)
	lots, err := s.stock(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	s.renewed = 2
	if err := s.place(t.Context(), lots[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.check(t.Context()); err == nil {
		t.Error("one of two orders was placed, and check is content")
	}
	s.sim.Silence(true) // the operator does not answer: the order comes back paid
	if err := s.place(t.Context(), lots[1]); err == nil {
		t.Error("an order that is not completed counts as a renewal")
	}
}

func TestRaceEndsWithTheFirstError(t *testing.T) {
	s := testShop(t, dbtest.SQLite(t), 0)
	broken := errors.New("broken")
	if _, err := s.byLimit(t.Context(), 2, nil); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
	lots := make([]lot, 100)
	for i := range lots {
		lots[i].quote.Periods = i
	}
	var mu sync.Mutex
	done := map[int]bool{}
	_, err := s.race(t.Context(), 4, each(lots, func(ctx context.Context, l lot) error {
		mu.Lock()
		done[l.quote.Periods] = true
		n := len(done)
		mu.Unlock()
		if n == 10 {
			return broken
		}
		if n > 10 {
			<-ctx.Done() // the others hear of it, whoever runs first
		}
		return nil
	}))
	if !errors.Is(err, broken) || len(done) > 10+3 {
		t.Errorf("err %v after %d of 100, want the tenth's", err, len(done))
	}
}

func TestRunOfTallies(t *testing.T) {
	ms := func(n ...int) (out []time.Duration) {
		for _, n := range n {
			out = append(out, time.Duration(n)*time.Millisecond)
		}
		return out
	}
	var ours, limit tally
	ours.add(100, 250*time.Millisecond, ms(3, 1))
	ours.add(200, 500*time.Millisecond, ms(4, 2))
	limit.add(1000, time.Second, ms(1))
	want := Run{Clients: 8, RenewalsPerSecond: 400, P50: 2000, P99: 4000, LimitPerSecond: 1000, Ratio: 400}
	if d := cmp.Diff(want, runOf(8, ours, limit)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Run{Clients: 1}, runOf(1, tally{}, tally{})); d != "" {
		t.Errorf("of nothing: %s", d)
	}
}

// A percentile is one of the times, at least so many of 100 are not longer, and
// no shorter one would do.
func TestPercentileByItsMeaning(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		took := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) time.Duration {
			return time.Duration(rapid.IntRange(0, 50).Draw(r, "us")) * time.Microsecond
		}), 1, 40).Draw(r, "took")
		p := rapid.IntRange(1, 100).Draw(r, "p")
		got := time.Duration(percentile(took, p)) * time.Microsecond
		within, shorter := 0, 0
		for _, d := range took {
			if d <= got {
				within++
			}
			if d < got {
				shorter++
			}
		}
		if within*100 < p*len(took) || shorter*100 >= p*len(took) {
			r.Fatalf("percentile %d of %v is %v", p, took, got)
		}
	})
}

func TestNextTurnFillsATurn(t *testing.T) {
	tests := []struct {
		renewals int
		elapsed  time.Duration
		step     int
		want     int
	}{
		{100, time.Second / 2, 1, 200},
		{100, 4 * time.Second, 8, 24},
		{100, time.Hour, 64, 64},                // never nothing
		{100, time.Microsecond, 100, turnMax},   // never without end
		{100, 0, 1, turnMax},                    // too fast for the clock
		{1000, time.Second, 300, 900},           // whole sets
		{50_000, 50 * time.Second, 1000, 1_000}, // slow at first, or later
	}
	for _, tt := range tests {
		if got := nextTurn(tt.renewals, tt.elapsed, tt.step); got != tt.want {
			t.Errorf("nextTurn(%d, %v, %d) = %d, want %d", tt.renewals, tt.elapsed, tt.step, got, tt.want)
		}
	}
}

func TestReportIsOneObjectAndATable(t *testing.T) {
	r := Result{Engine: db.SQLite, Seconds: 10, CPUs: 2, Runs: []Run{
		{Clients: 1, RenewalsPerSecond: 1234, P50: 805, P99: 12_040, LimitPerSecond: 1300, Ratio: 949},
		{Clients: 64, RenewalsPerSecond: 2000, P50: 31_000, P99: 40_001, LimitPerSecond: 1250, Ratio: 1600},
	}}
	var programs, people bytes.Buffer
	if err := r.Report(&programs, &people); err != nil {
		t.Fatal(err)
	}
	var back Result
	if err := json.Unmarshal(programs.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("the object does not say what the result says: %s", d)
	}
	if want := `"p50_ms":0.805,"p99_ms":12.040,"limit_per_second":1300,"ratio":0.949}`; !strings.Contains(programs.String(), want) {
		t.Errorf("%s lacks %s", programs.String(), want)
	}
	want := "" +
		"sqlite, renewals one by one, 10 s each, 2 CPUs\n" +
		"  clients  renewals/s  p50 ms  p99 ms  limit/s  ratio\n" +
		"        1        1234   0.805  12.040     1300  0.949\n" +
		"       64        2000  31.000  40.001     1250  1.600\n"
	if d := cmp.Diff(want, people.String()); d != "" {
		t.Error(d)
	}
}

func TestThousandthReadsOnlyWhatItWrites(t *testing.T) {
	for _, n := range []Thousandth{0, 1, 999, 1000, -1, -1500, 1 << 52} {
		var back Thousandth
		if err := json.Unmarshal([]byte(n.String()), &back); err != nil || back != n {
			t.Errorf("%d is written %s and read as %d, %v", n, n, back, err)
		}
	}
	for _, bad := range []string{"1", "1.5", `"1.500"`, "1.5000", "null"} {
		var n Thousandth
		if err := n.UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s is read as %d", bad, n)
		}
	}
}
