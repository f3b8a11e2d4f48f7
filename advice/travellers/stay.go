package travellers

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The nationality groups, as often as they arrive: arrivals of 2023 by country
// (Japan National Tourism Organization) for KR, TW, CN, HK and SEA (TH, SG, MY,
// ID, PH, VN); US and EU, of which no row is at hand, share the rest.
var (
	groups      = []string{"KR", "TW", "CN", "HK", "SEA", "US", "EU"}
	groupShares = []float64{0.28, 0.17, 0.10, 0.08, 0.15, 0.09, 0.13}
)

// Groups are the nationality groups.
func Groups() []string { return groups }

// Purposes of long stays.
const (
	study    = "study"
	resident = "resident"
)

//go:embed stays.csv
var staysFile string

// longestVisit is as long as most nationalities may stay without a visa.
const longestVisit = 90

// visits are the ways to visit of one group: purposes with their share, and how
// long each stays. What the shares leave are students.
type visits struct {
	purposes []string
	shares   []float64
	days     [][]float64 // probability of each stay, [0] unused
}

var byGroup = sync.OnceValue(func() map[string]visits {
	all, err := readStays(staysFile)
	if err != nil {
		panic(err) // an embedded file; a test reads it
	}
	return all
})

func readStays(file string) (map[string]visits, error) {
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil {
		return nil, err
	}
	all := map[string]visits{}
	for _, row := range rows[1:] {
		var n [6]float64
		for i := range n {
			if row[2+i] == "" {
				continue
			}
			if n[i], err = strconv.ParseFloat(row[2+i], 64); err != nil {
				return nil, fmt.Errorf("stays.csv: %s %s: %w", row[0], row[1], err)
			}
		}
		days := stays([4]float64(n[1:5]), n[5])
		for _, g := range groups {
			if row[0] == g || row[0] == "*" {
				v := all[g]
				v.purposes = append(v.purposes, row[1])
				v.shares = append(v.shares, n[0])
				v.days = append(v.days, days)
				all[g] = v
			}
		}
	}
	return all, nil
}

// visit draws a purpose and how many days its stay has.
func visit(r *rand.Rand, group string) (purpose string, days int) {
	v := byGroup()[group]
	u := r.Float64()
	for i, s := range v.shares {
		if u -= s; u < 0 {
			return v.purposes[i], pick(r, v.days[i])
		}
	}
	return study, studyStay(r)
}

// stayOf draws how many days people of a group stay for a purpose.
func stayOf(r *rand.Rand, group, purpose string) int {
	switch purpose {
	case study:
		return studyStay(r)
	case resident:
		return residentStay(r)
	}
	v := byGroup()[group]
	return pick(r, v.days[slices.Index(v.purposes, purpose)])
}

// longStay draws students and residents, as many of the one as of the other.
func longStay(r *rand.Rand) (purpose string, days int) {
	if r.Float64() < 0.5 {
		return study, studyStay(r)
	}
	return resident, residentStay(r)
}

// studyStay is a term, half a year or a year, or something between (chosen: a
// visa gives 90, 180 or 365 days).
func studyStay(r *rand.Rand) int {
	heaps := []int{90, 180, 365}
	if i := pick(r, []float64{0.25, 0.15, 0.10, 0.50}); i < len(heaps) {
		return heaps[i] - r.IntN(4)
	}
	return 60 + int(gamma(r, 1.2)*55)%300
}

// residentStay is how long a resident keeps one line (chosen: four months to
// fourteen).
func residentStay(r *rand.Rand) int { return 120 + r.IntN(300) }

// The buckets of the published shares: the last day of each.
var buckets = [4]int{3, 6, 13, longestVisit}

// stays is the probability of each length of stay: the published shares of the
// buckets, spread within each with heaps at whole weeks, a month and the end of
// a visa, then tilted by a power of the length until the mean is the published
// one (0: as it is). A stay of n nights has n+1 days.
func stays(shares [4]float64, meanNights float64) []float64 {
	p := make([]float64, longestVisit+1)
	first := 1
	for b, last := range buckets {
		sum := 0.0
		for d := first; d <= last; d++ {
			sum += within(d)
		}
		for d := first; d <= last; d++ {
			p[d] = shares[b] / 100 * within(d) / sum
		}
		first = last + 1
	}
	if meanNights > 0 {
		p = tilt(p, meanNights+1)
	}
	return p
}

// within is how much more common a length is than others of its bucket. Heaps
// are chosen: people book whole weeks, thirty days and what the visa allows.
func within(d int) float64 {
	heap := map[int]float64{1: 0.1, 2: 0.5, 4: 0.9, 5: 1.1, 7: 2.5, 14: 4, 15: 1.5, 21: 2.5, 30: 9, 90: 40}[d]
	if heap == 0 {
		heap = 1
	}
	if d >= 7 {
		heap *= math.Pow(float64(d)/7, -1.8)
	}
	return heap
}

func tilt(p []float64, mean float64) []float64 {
	lo, hi := -4.0, 4.0
	q := make([]float64, len(p))
	for range 60 {
		power := (lo + hi) / 2
		sum, m := 0.0, 0.0
		for d := 1; d < len(p); d++ {
			q[d] = p[d] * math.Pow(float64(d), power)
			sum += q[d]
			m += float64(d) * q[d]
		}
		for d := range q {
			q[d] /= sum
		}
		if m/sum < mean {
			lo = power
		} else {
			hi = power
		}
	}
	return q
}
