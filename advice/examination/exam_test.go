package examination

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/racetest"
)

// The frozen examination, small: figures that advice must keep. The margins are
// about twice what so few trips can tell; docs/advice.md has the whole one.
func TestAdviceKeepsItsFigures(t *testing.T) {
	racetest.Skip(t)
	if testing.Short() {
		t.Skip("examines advice for some seconds")
	}
	const users = 600
	r, err := Synthetic(t.Context(), Options{Users: users, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	atMost := func(what string, got, most float64) {
		t.Helper()
		t.Logf("%-40s %.3f, at most %.3f", what, got, most)
		if !(got <= most) {
			t.Errorf("%s: %.3f, at most %.3f", what, got, most)
		}
	}
	atMost("coverage of 50 %, distance", math.Abs(r.Cover50-0.50), 0.06)
	atMost("coverage of 80 %, distance", math.Abs(r.Cover80-0.80), 0.06)
	atMost("coverage of 95 %, distance", math.Abs(r.Cover95-0.95), 0.03)
	atMost("mean regret", r.Regret, 0.35)
	atMost("mean regret, end told", *r.Told, 0.25)
	atMost("mean regret, no history", *r.NoPast, 0.40)
	atMost("flips", *r.Flips, 0.11)
	atMost("forecasts that failed", float64(r.Forecast.Failed), 0)
	atMost("pinball, to that of the own mean", r.Forecast.Pinball/r.Forecast.OwnMean, 0.35)
	for _, b := range r.Buyers {
		if b.Name == "advice" || strings.HasPrefix(b.Name, "oracle") || strings.Contains(b.Name, "known") {
			atMost("refused purchases of "+b.Name, float64(b.Refused), 0)
			continue
		}
		atMost("advice less "+b.Name+", yen, upper bound", b.VersusCI[1], 0)
	}
	oracle := r.Buyers[len(r.Buyers)-1]
	if oracle.Name != "oracle" || oracle.Regret <= 0 || oracle.Regret > 0.2 || oracle.Regret >= r.Regret {
		t.Errorf("the oracle regrets %.3f, the advice %.3f", oracle.Regret, r.Regret)
	}
	reportIsWhole(t, r)
}

// reportIsWhole looks at what a reader of the report counts on.
func reportIsWhole(t *testing.T, r *Report) {
	t.Helper()
	for _, b := range r.Buckets {
		if b.Dimension != "occasion" && b.Trips < r.Users*bucketLeast/fullUsers {
			t.Errorf("%s %s: only %d trips", b.Dimension, b.Name, b.Trips)
		}
		if b.Trips > 0 && (math.IsNaN(b.Regret) || b.RegretCI[0] > b.Regret || b.RegretCI[1] < b.Regret) {
			t.Errorf("%s %s: regret %.3f in %v", b.Dimension, b.Name, b.Regret, b.RegretCI)
		}
	}
	if pit := sum(r.Forecast.PIT[:]); math.Abs(pit-1) > 1e-9 {
		t.Errorf("the histogram sums to %v", pit)
	}
	var text, object bytes.Buffer
	if err := r.Table(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.JSON(&object); err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(object.Bytes(), &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"regret_mean", "regret_told", "regret_p90", "gap_closed", "coverage_50", "coverage_80", "coverage_95",
		"buyers", "buckets", "long_stays", "packs", "sensitivity",
	} {
		if keys[key] == nil {
			t.Errorf("the report lacks %s", key)
		}
	}
	for _, want := range []string{"oracle", "repeat-last", "history: 11+ days", "Long stays", "Packs", "+30 %"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the tables lack %s", want)
		}
	}
}

// The same seed gives the same report, whoever of the workers was faster.
func TestExaminationIsRepeatable(t *testing.T) {
	var reports [2]bytes.Buffer
	for i := range reports {
		r, err := Synthetic(t.Context(), Options{Users: fewestUsers, Seed: 9})
		if err == nil {
			err = r.JSON(&reports[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if reports[0].String() != reports[1].String() {
		t.Error("two reports of one seed")
	}
	if _, err := Synthetic(t.Context(), Options{Users: fewestUsers - 1}); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

// Nothing that is examined was seen before: the model learns from what was known
// by one day, calibrates on trips that finished by a second, and is examined on
// trips that began after it, at a moment that shows the past alone.
func TestNothingLeaks(t *testing.T) {
	s := terms()
	fit := population{seed: 1, from: numberOfFit, fromLong: numberOfFitLong, visitors: 300, first: learned - 60, until: learned}.draw(s)
	check := population{seed: 1, from: numberOfCheck, fromLong: numberOfCheckLong, visitors: 100, first: learned - 90, until: checked, finished: learned}.draw(s)
	open := 0
	for i, a := range append(fit, check...) {
		until := advice.Date(learned)
		if i >= len(fit) {
			until = checked
		}
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		last := a.Days[len(a.Days)-1].Date
		if a.Today > until || last >= until || a.End >= until || a.Segment.Group == unseen {
			t.Fatalf("known on %s: %s to %s, end %s, %+v", until, a.Arrival, last, a.End, a.Segment)
		}
		if a.End == 0 {
			open++
		} else if i >= len(fit) && a.End < learned {
			t.Fatal("calibrated with what was fitted")
		}
	}
	if open == 0 {
		t.Error("no trip was open when the fit was made")
	}
	sample := &sample{seed: 1, number: numberOfTest, store: s}
	for _, m := range sample.take(500, anyone) {
		a := m.asked()
		if a.Arrival < checked || a.End != 0 || len(a.Days) != m.day || m.day > 0 && a.Days[m.day-1].Date != a.Today-1 {
			t.Fatalf("%+v", a)
		}
		for i, d := range a.Days {
			if d.Bytes > m.trip.demand[i] || d.Bytes < m.trip.demand[i] && !d.Capped {
				t.Fatalf("day %d shows %d of %d, capped %v", i, d.Bytes, m.trip.demand[i], d.Capped)
			}
		}
		if m.day >= len(m.trip.demand) || m.daysLeft()+m.day != len(m.trip.demand) {
			t.Fatal("asked after the end")
		}
	}
}

// Nobody is better off than the clairvoyant, whoever buys.
func TestNobodyBeatsTheClairvoyant(t *testing.T) {
	for _, shop := range []*store{terms(), withPacks()} {
		l := learn(population{seed: 2, from: numberOfFit, fromLong: numberOfFitLong, visitors: 200, first: opening, until: learned}.draw(shop))
		at := (&sample{seed: 2, number: numberOfTest, store: shop}).take(300, anyone)
		for _, carefree := range []float64{1, 1.3} {
			b := charge(at, append(baselines(shop, l), oracle{&shop.Shop, 8, carefree, false}, oracle{&shop.Shop, 8, carefree, true}), carefree)
			for i, name := range b.buyers {
				for k, o := range b.out[i] {
					if o.cost < b.best[k] {
						t.Errorf("%s pays %d, the clairvoyant %d", name, o.cost, b.best[k])
					}
				}
			}
		}
	}
}
