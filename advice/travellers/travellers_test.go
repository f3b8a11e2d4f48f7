package travellers

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func draw(n int, w Who) []Traveller {
	if w.To == 0 {
		w.From, w.To = 18000, 18364
	}
	all := make([]Traveller, n)
	for i := range all {
		all[i] = New(7, uint64(i), w)
	}
	return all
}

// bound is a published figure and how near the population must come.
type bound struct {
	what     string
	got      float64
	from, to float64
}

func check(t *testing.T, bounds []bound) {
	t.Helper()
	for _, b := range bounds {
		t.Logf("%-60s %8.3f  [%g, %g]", b.what, b.got, b.from, b.to)
		if math.IsNaN(b.got) || b.got < b.from || b.got > b.to {
			t.Errorf("%s: %.3f is not in [%g, %g]", b.what, b.got, b.from, b.to)
		}
	}
}

// What is published of travellers' use comes out again.
func TestPopulationIsPlausible(t *testing.T) {
	all := draw(20000, Who{})
	var active, levels, within, perDay, totals []float64
	var days, nearZero, empty float64
	var auto, pairs float64
	for _, tr := range all {
		var logs []float64
		total := 0.0
		for _, d := range tr.Days {
			days++
			total += float64(d.Demand)
			if d.Demand < 1e6 {
				nearZero++
			}
			if d.Demand == 0 {
				empty++
			}
			if d.Demand > 1e6 {
				logs = append(logs, math.Log(float64(d.Demand)))
				active = append(active, float64(d.Demand))
			}
		}
		perDay = append(perDay, total/float64(len(tr.Days)))
		totals = append(totals, total)
		if len(logs) >= 8 {
			m, s := meanSD(logs)
			levels, within = append(levels, m), append(within, s*s)
		}
		if c, ok := lag1(tr.Days); ok {
			auto, pairs = auto+c*float64(len(tr.Days)), pairs+float64(len(tr.Days))
		}
	}
	slices.Sort(active)
	slices.Sort(totals)
	meanActive, _ := meanSD(active)
	meanWithin, _ := meanSD(within)
	_, between := meanSD(levels)
	meanDay, _ := meanSD(perDay)
	meanTotal, _ := meanSD(totals)
	top := 0.0
	for _, x := range totals[len(totals)*97/100:] {
		top += x / meanTotal / float64(len(totals))
	}
	check(t, []bound{
		{"share of days below 1 MB (22 % one person, 36 % 2019)", nearZero / days, 0.18, 0.36},
		{"share of days empty to the byte (9 % one person)", empty / days, 0.06, 0.13},
		{"log-sd within a stay, active days (2.0 and 2.1)", math.Sqrt(meanWithin), 1.7, 2.2},
		{"log-sd of levels between stays (0.58 to 0.85)", between, 0.58, 1.0},
		{"mean/median of active days (3.07)", meanActive / at(active, 0.5), 2.4, 3.8},
		{"90 %/median of active days (6.5)", at(active, 0.9) / at(active, 0.5), 5, 8},
		{"lag-1 autocorrelation of ln(1+MB) (0.05 and 0.18)", auto / pairs, 0.03, 0.22},
		{"GB a day, mean (0.4 to 0.7)", meanDay / 1e9, 0.4, 0.8},
		{"GB a stay, mean (Ubigi 3.8 to 5.1)", meanTotal / 1e9, 3.3, 6.5},
		{"share of bytes of the largest 3 % (almost half: AT&T; stays differ less)", top, 0.2, 0.5},
	})
}

func TestResidentsAreAsSurveyed(t *testing.T) {
	var months []float64
	for _, tr := range draw(8000, Who{Stratum: LongStay}) {
		if tr.Purpose == resident {
			sum := 0.0
			for _, d := range tr.Days[30:60] {
				sum += float64(d.Demand)
			}
			months = append(months, sum/1e9)
		}
	}
	slices.Sort(months)
	mean, _ := meanSD(months)
	to3, _ := slices.BinarySearch(months, 3.5) // answers are whole GB
	check(t, []bound{
		{"GB a month, median (3.0)", at(months, 0.5), 2.3, 3.7},
		{"mean/median (10.33/3.00; fitted 3.9)", mean / at(months, 0.5), 2.6, 4.8},
		{"share of 3 GB or less (56 to 60 %)", float64(to3) / float64(len(months)), 0.48, 0.64},
	})
}

func TestStaysAreAsPublished(t *testing.T) {
	type tally struct{ n, nights, le3, d4to6, d7to13, ge14 float64 }
	leisure, everyone := map[string]*tally{"": {}}, &tally{}
	long := 0.0
	for _, tr := range draw(60000, Who{}) {
		into := []*tally{everyone}
		if tr.Purpose == "leisure" {
			if leisure[tr.Group] == nil {
				leisure[tr.Group] = &tally{}
			}
			into = append(into, leisure[tr.Group], leisure[""])
		}
		d := len(tr.Days)
		if d >= 60 {
			long++
		}
		for _, x := range into {
			x.n++
			x.nights += float64(d - 1)
			switch {
			case d <= 3:
				x.le3++
			case d <= 6:
				x.d4to6++
			case d <= 13:
				x.d7to13++
			default:
				x.ge14++
			}
		}
	}
	of := func(g string) *tally { return leisure[g] }
	check(t, []bound{
		{"leisure, nights (6.1 in 2017Q3, 6.4 in 2023Q4)", of("").nights / of("").n, 5.8, 6.7},
		{"leisure, to 3 days (8.8 %; Korea's own figure is 34)", of("").le3 / of("").n, 0.07, 0.18},
		{"leisure, 4-6 days (52.4 %)", of("").d4to6 / of("").n, 0.46, 0.58},
		{"leisure, 7-13 days (31.8 %)", of("").d7to13 / of("").n, 0.20, 0.35},
		{"leisure, 14 days and more (7.0 %)", of("").ge14 / of("").n, 0.05, 0.11},
		{"Korea, leisure, to 3 days (34.1 %)", of("KR").le3 / of("KR").n, 0.32, 0.36},
		{"Korea, leisure, 4-6 days (60.2 %)", of("KR").d4to6 / of("KR").n, 0.58, 0.62},
		{"Korea, leisure, nights (3.7)", of("KR").nights / of("KR").n, 3.1, 4.2},
		{"Taiwan, leisure, 4-6 days (74.5 %)", of("TW").d4to6 / of("TW").n, 0.72, 0.77},
		{"US, leisure, nights (9.8)", of("US").nights / of("US").n, 9.3, 10.3},
		{"all purposes, nights (8.7 to 10.2)", everyone.nights / everyone.n, 8.2, 10.4},
		{"stays of 60 days and more", long / everyone.n, 0.005, 0.04},
	})
}

// The same seed and number give the same traveller, whoever else was drawn.
func TestRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, n := rapid.Uint64().Draw(t, "seed"), rapid.Uint64().Draw(t, "n")
		w := Who{Stratum: Stratum(rapid.IntRange(0, 1).Draw(t, "stratum")), From: 18000, To: 18300}
		a, b := New(seed, n, w), New(seed, n, w)
		if !reflect.DeepEqual(a, b) {
			t.Fatal("two travellers of one number")
		}
		if c := New(seed, n+1, w); reflect.DeepEqual(a.Days, c.Days) {
			t.Fatal("the next one is the same")
		}
		if a.Arrival < w.From || a.Arrival > w.To || len(a.Days) == 0 || w.Stratum == LongStay && len(a.Days) < 60 {
			t.Fatalf("a stay of %d days from %d", len(a.Days), a.Arrival)
		}
		for i, d := range a.Days {
			if d.Demand < 0 || d.Demand > dayCeiling || d.Minutes < 60 || d.Minutes > MinutesPerDay {
				t.Fatalf("day %d: %+v", i, d)
			}
			if whole := d.Minutes == MinutesPerDay; !whole && i > 0 && i < len(a.Days)-1 {
				t.Fatalf("day %d of %d has %d minutes", i, len(a.Days), d.Minutes)
			}
		}
	})
}

// A told end is known from the first day on, and about as often wrong as said.
func TestToldEndsMove(t *testing.T) {
	told, wrong, moved := 0, 0, 0
	for _, tr := range draw(20000, Who{}) {
		first, ok := tr.ToldOn(tr.Arrival)
		if ok != tr.Tells() {
			t.Fatal("an end that is told later only")
		}
		if !ok {
			continue
		}
		told++
		if first < tr.Arrival {
			t.Fatal("a told end before the arrival")
		}
		if first != tr.Last() {
			wrong++
		}
		if later, _ := tr.ToldOn(tr.Last()); later != first {
			moved++
			if later != tr.Last() {
				t.Fatal("corrected to what is wrong")
			}
		}
	}
	check(t, []bound{
		{"share that tells", float64(told) / 20000, 0.48, 0.52},
		{"share of told ends that are not the end", float64(wrong) / float64(told), 0.09, 0.13},
		{"share of told ends that are corrected", float64(moved) / float64(told), 0.04, 0.08},
	})
}

// Two futures of one traveller differ, and are like what came.
func TestFutureIsLikeWhatCame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var came, drawn []float64
	out := make([]int64, 1000)
	for _, tr := range draw(3000, Who{}) {
		from := len(tr.Days) / 2
		if n := tr.Future(r, from, len(tr.Days), out); n != len(tr.Days)-from {
			t.Fatalf("a future of %d days", n)
		}
		for i, d := range tr.Days[from:] {
			came, drawn = append(came, float64(d.Demand)), append(drawn, float64(out[i]))
		}
	}
	slices.Sort(came)
	slices.Sort(drawn)
	for _, p := range []float64{0.3, 0.5, 0.7, 0.9} {
		if r := at(came, p) / at(drawn, p); r < 0.85 || r > 1.18 {
			t.Errorf("at %.0f %%: %.0f MB came, %.0f MB drawn", 100*p, at(came, p)/1e6, at(drawn, p)/1e6)
		}
	}
}

// Stays drawn for those who are still here are those of people who stayed as long.
func TestStayIsLikeOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, day := range []int{0, 5, 13} {
		var others, drawn float64
		var n int
		for _, tr := range draw(30000, Who{}) {
			if tr.Group == "US" && tr.Purpose == "leisure" && len(tr.Days) > day {
				others, drawn, n = others+float64(len(tr.Days)), drawn+float64(tr.Stay(r, day)), n+1
			}
		}
		if ratio := drawn / others; n < 200 || ratio < 0.92 || ratio > 1.08 {
			t.Errorf("on day %d: %.1f days stayed, %.1f drawn, of %d", day, others/float64(n), drawn/float64(n), n)
		}
	}
	long := draw(50, Who{Stratum: LongStay})
	for _, tr := range long {
		if s := tr.Stay(r, 70); s <= 70 || s > 420 {
			t.Errorf("%s: %d days", tr.Purpose, s)
		}
	}
}

// A meter shows what came through, never more than was wanted, and says when
// it was not all.
func TestMeter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := New(3, rapid.Uint64().Draw(t, "n"), Who{From: 18000, To: 18300})
		h := Holding{Days: rapid.IntRange(1, 40).Draw(t, "days"), Kbps: rapid.SampledFrom([]int{0, 128, 1000}).Draw(t, "kbps")}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 1:
			h.Volume = rapid.Int64Range(1, 20).Draw(t, "GB") * 1e9
		case 2:
			h.DailyCap = rapid.Int64Range(1, 10).Draw(t, "cap") * 5e8
		}
		period, slowMost := int64(0), int64(24*3600*float64(h.Kbps)*1000/8)
		for i, m := range tr.Meter(h, len(tr.Days)) {
			d := tr.Days[i].Demand
			if i%h.Days == 0 {
				period = 0
			}
			period += m.Bytes
			switch {
			case m.Bytes < 0 || m.Bytes > d:
				t.Fatalf("day %d: %d of %d wanted bytes", i, m.Bytes, d)
			case m.Bytes < d && !m.Capped:
				t.Fatalf("day %d: bytes are missing and it does not say so", i)
			case h.Volume == 0 && h.DailyCap == 0 && m.Capped:
				t.Fatalf("day %d: an unlimited line was capped", i)
			case h.Volume > 0 && h.Kbps == 0 && period > h.Volume:
				t.Fatalf("day %d: %d bytes of a volume of %d", i, period, h.Volume)
			case h.DailyCap > 0 && m.Bytes > h.DailyCap+slowMost:
				t.Fatalf("day %d: %d bytes with a cap of %d", i, m.Bytes, h.DailyCap)
			}
		}
	})
}

func at(sorted []float64, p float64) float64 { return sorted[int(p*float64(len(sorted)-1))] }

func meanSD(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}

// lag1 is how much a day has of the one before, of stays long enough to tell.
// The estimate of a short series is too low by about 1/n.
func lag1(days []Day) (float64, bool) {
	if len(days) < 20 {
		return 0, false
	}
	x := make([]float64, len(days))
	for i, d := range days {
		x[i] = math.Log1p(float64(d.Demand) / 1e6)
	}
	mean, _ := meanSD(x)
	var a, b float64
	for i, v := range x {
		b += (v - mean) * (v - mean)
		if i > 0 {
			a += (v - mean) * (x[i-1] - mean)
		}
	}
	return a/b + 1/float64(len(x)), true
}
