package examination

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/advice/travellers"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Options say how large an examination is. Everything else is frozen.
type Options struct {
	Users    int    // trips that are examined; buckets and rows are in proportion
	Seed     uint64 // of population and intervals
	Progress io.Writer
	Today    advice.Date // on which a seller's own history is examined: it has no later days; 0: not known
}

// The frozen sizes for 8,000 users; fewer users are a smaller examination of the
// same kind.
const (
	fullUsers   = 8000
	fitted      = 20000
	calibrated  = 6000
	bucketLeast = 1500
	longTrips   = 1500
	longCharged = 400 // of them, with a clairvoyant: a year is long for one
	packTrips   = 1500
	oracleDraws = 64
	longDraws   = 16
	fewestUsers = 50
)

// Report is what an examination found. Shares are of 1. What there was nothing to
// say it from is nil, and not in the JSON.
type Report struct {
	Seed     uint64     `json:"seed"`
	Users    int        `json:"users"`
	Split    Split      `json:"split"`
	Regret   float64    `json:"regret_mean"`
	RegretCI [2]float64 `json:"regret_mean_ci"`
	Told     *float64   `json:"regret_told,omitempty"`
	NoPast   *float64   `json:"regret_no_history,omitempty"`
	Median   float64    `json:"regret_median"`
	P90      float64    `json:"regret_p90"`
	Gap      float64    `json:"gap_closed,omitzero"`
	GapCI    [2]float64 `json:"gap_closed_ci,omitzero"`
	GapFrom  string     `json:"gap_closed_from,omitzero"` // the best simple buyer; "": there was no oracle
	// The same against an oracle who does not know the end.
	GapBlind   float64    `json:"gap_closed_end_not_known,omitzero"`
	GapBlindCI [2]float64 `json:"gap_closed_end_not_known_ci,omitzero"`
	Flips      *float64   `json:"flips,omitempty"`
	Coverage

	Forecast    ForecastReport `json:"forecast"`
	Buyers      []BuyerReport  `json:"buyers"`
	Buckets     []Bucket       `json:"buckets"`
	LongStays   *Row           `json:"long_stays,omitempty"`
	Packs       *Row           `json:"packs,omitempty"`
	Sensitivity []Sensitivity  `json:"sensitivity,omitempty"`
	Fairness    float64        `json:"fairness_points"` // the largest distance of a group's regret from the mean of all
}

// Split says what was learned from and what was examined.
type Split struct {
	FittedUntil     advice.Date `json:"fitted_until"`
	CalibratedUntil advice.Date `json:"calibrated_until"`
	Fitted          int         `json:"fitted"`
	Calibrated      int         `json:"calibrated"`
	HeldOut         string      `json:"held_out_group,omitempty"`
}

// Bucket is a part of the trips, filled up until there are enough to tell.
type Bucket struct {
	Dimension string `json:"dimension"`
	Name      string `json:"name"`
	Trips     int    `json:"trips"`
	Coverage
	Miss     float64       `json:"coverage_miss"` // of the worst of the three
	Allowed  float64       `json:"coverage_miss_allowed"`
	Pinball  float64       `json:"pinball"`
	Regret   float64       `json:"regret_mean"`
	RegretCI [2]float64    `json:"regret_mean_ci"`
	P90      float64       `json:"regret_p90"`
	Buyers   []BuyerReport `json:"buyers"`

	// What those who know the true parameters regret, of the main trips in the
	// bucket; nobody knows them of a seller's own.
	Blind  *float64 `json:"regret_oracle_end_not_known,omitempty"`
	Oracle *float64 `json:"regret_oracle,omitempty"`
}

// Row is a kind of trip that is examined by itself.
type Row struct {
	Forecast *ForecastReport `json:"forecast,omitempty"`
	Trips    int             `json:"trips"`
	Buyers   []BuyerReport   `json:"buyers"`
}

// Sensitivity is the examination when people use more while they need not count.
type Sensitivity struct {
	More   float64 `json:"more"`
	Regret float64 `json:"regret_mean"`
	Simple string  `json:"best_simple"`
	Best   float64 `json:"best_simple_regret"`
}

// exam is one examination under way.
type exam struct {
	Options
	store  *store
	model  *advice.Model
	tables *advice.Tables
	lore   *lore
	buyers []buyer
	simple []string
}

// Synthetic examines advice with travellers who were made up.
func Synthetic(ctx context.Context, o Options) (*Report, error) {
	if o.Users < fewestUsers {
		return nil, fault.New(fault.Invalid, "an examination needs at least %d users", fewestUsers)
	}
	e := &exam{Options: o, store: terms()}
	r := &Report{Seed: o.Seed, Users: o.Users}
	if err := e.learn(r); err != nil {
		return nil, err
	}
	main := &sample{seed: o.Seed, number: numberOfTest, store: e.store}
	steps := []func(){
		func() { e.examine(r, main) },
		func() { r.LongStays = e.longStays() },
		func() { r.Packs = e.packs() },
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		step()
	}
	return r, nil
}

// of is a frozen size, in proportion to the users.
func (e *exam) of(size int) int { return max(size*e.Users/fullUsers, 1) }

func (e *exam) say(format string, args ...any) {
	if e.Progress != nil {
		fmt.Fprintf(e.Progress, format+"\n", args...)
	}
}

func (e *exam) learn(r *Report) error {
	e.say("travellers for fit and calibration …")
	fit := population{
		seed: e.Seed, from: numberOfFit, fromLong: numberOfFitLong, visitors: max(e.of(fitted), fitted/10), first: opening, until: learned,
	}.draw(e.store)
	check := population{
		seed: e.Seed, from: numberOfCheck, fromLong: numberOfCheckLong, visitors: max(e.of(calibrated), calibrated/10),
		first: learned - 90, until: checked, finished: learned,
	}.draw(e.store)
	r.Split = Split{FittedUntil: learned, CalibratedUntil: checked, Fitted: len(fit), Calibrated: len(check), HeldOut: unseen}
	return e.fit(fit, check)
}

// fit makes model and tables from two sets of trips.
func (e *exam) fit(fit, check []advice.Trip) error {
	e.say("fit on %d trips, calibrate on %d …", len(fit), len(check))
	model, err := advice.Fit(fit, advice.Options{Seed: e.Seed})
	if err != nil {
		return fmt.Errorf("fit: %w", err)
	}
	if model, err = model.Calibrate(check...); err != nil {
		return fmt.Errorf("calibrate: %w", err)
	}
	tables, err := advice.Build(model, e.store.Shop)
	if err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	e.model, e.tables, e.lore = model, tables, learn(fit)
	simple := baselines(e.store, e.lore)
	for _, b := range simple {
		e.simple = append(e.simple, b.name())
	}
	e.buyers = append([]buyer{advised{tables: tables}}, simple...)
	return nil
}

// examine is the main examination, with its buckets.
func (e *exam) examine(r *Report, s *sample) {
	e.say("%d trips, each on one morning …", e.Users)
	at := s.take(e.Users, anyone)
	scores := e.score(at)
	r.Forecast = scores.report()
	r.Coverage = r.Forecast.Coverage

	e.say("%d buyers, the oracle and the clairvoyant …", len(e.buyers))
	b := charge(at, slices.Concat(e.buyers, e.knowing(oracleDraws)), 1)
	r.Buyers = b.report(e.Seed)
	r.Regret, r.RegretCI, r.Median, r.P90 = r.Buyers[0].Regret, r.Buyers[0].RegretCI, r.Buyers[0].Median, r.Buyers[0].P90
	r.Gap, r.GapCI, r.GapFrom = b.gap(e.Seed, e.simple, seeingOracle)
	r.GapBlind, r.GapBlindCI, _ = b.gap(e.Seed, e.simple, blindOracle)
	r.Flips = e.flips(at)

	e.say("buckets …")
	for _, k := range buckets() {
		if bucket, ok := e.bucket(k, at, scores, b, s); ok {
			r.Buckets = append(r.Buckets, bucket)
		}
	}
	r.fromBuckets()
	e.say("more use while nobody counts …")
	for _, more := range []float64{0, 0.15, 0.30} {
		r.Sensitivity = append(r.Sensitivity, e.sensitivity(at, b, more))
	}
}

// knowing are buyers who know what nobody can; the limit comes last.
func (e *exam) knowing(futures int) []buyer {
	limit := oracle{shop: &e.store.Shop, futures: futures, carefree: 1}
	blind := limit
	blind.futures, blind.blind = 2*futures, true // stays scatter more than days
	return []buyer{advised{e.tables, true}, blind, limit}
}

// scored are the forecasts at moments, and how those without a model see them.
type scored struct {
	scores       []forecastScore
	own, segment []float64
	tsb          [][7]float64
}

func (s scored) report() ForecastReport { return forecasts(s.scores, s.own, s.segment, s.tsb) }

// score forecasts at every moment.
func (e *exam) score(at []moment) scored {
	n := len(at)
	s := scored{make([]forecastScore, n), make([]float64, n), make([]float64, n), make([][7]float64, n)}
	each(n, func(i int) {
		m := &at[i]
		s.scores[i] = score(e.model, m, dice(e.Seed+1, m.trip).Float64())
		days := float64(e.lore.expected(m))
		s.own[i] = float64(meanUse{e.store, e.lore, true}.daily(m)) * days
		s.segment[i] = float64(e.lore.perDay(m.trip.segment)) * days
		s.tsb[i] = e.lore.tsb(m)
	})
	return s
}

// only is the part for some of the moments.
func (s scored) only(keep []int) scored {
	var part scored
	for _, k := range keep {
		part = part.and(scored{s.scores[k : k+1], s.own[k : k+1], s.segment[k : k+1], s.tsb[k : k+1]})
	}
	return part
}

// and is both.
func (s scored) and(t scored) scored {
	return scored{append(s.scores, t.scores...), append(s.own, t.own...), append(s.segment, t.segment...), append(s.tsb, t.tsb...)}
}

// flips is how often advice changes with one more day of history: the same
// morning, with the newest day and without it (a day that was not measured). Nil:
// nobody has a day of history.
func (e *exam) flips(at []moment) *float64 {
	type pair struct{ asked, flipped bool }
	pairs := make([]pair, len(at))
	each(len(at), func(i int) {
		m := at[i]
		if len(m.seen) == 0 {
			return
		}
		with, without := advised{tables: e.tables}.decide(&m), 0
		m.seen = m.seen[:len(m.seen)-1]
		without = advised{tables: e.tables}.decide(&m)
		pairs[i] = pair{true, with != without}
	})
	asked, flipped := 0.0, 0.0
	for _, p := range pairs {
		if p.asked {
			asked++
		}
		if p.flipped {
			flipped++
		}
	}
	if asked == 0 {
		return nil
	}
	return new(flipped / asked)
}

func (e *exam) sensitivity(at []moment, b bill, more float64) Sensitivity {
	if more != 0 {
		b = charge(at, e.buyers, 1+more)
	}
	s := Sensitivity{More: more, Best: math.Inf(1)}
	for _, r := range b.report(e.Seed) {
		switch {
		case r.Name == "advice":
			s.Regret = r.Regret
		case slices.Contains(e.simple, r.Name) && r.Regret < s.Best:
			s.Best, s.Simple = r.Regret, r.Name
		}
	}
	return s
}

func (e *exam) longStays() *Row {
	e.say("long stays …")
	s := &sample{seed: e.Seed, number: numberOfLong, stratum: travellers.LongStay, store: e.store}
	at := s.take(e.of(longTrips), anyone)
	f := e.score(at).report()
	at = at[:min(len(at), e.of(longCharged))]
	b := charge(at, slices.Concat(e.buyers, e.knowing(longDraws)), 1)
	return &Row{Forecast: &f, Trips: len(at), Buyers: b.report(e.Seed)}
}

// packs examines in a shop that sells packs, on mornings on which a volume is
// used up or nearly.
func (e *exam) packs() *Row {
	e.say("packs …")
	shop := withPacks()
	tables, err := advice.Build(e.model, shop.Shop)
	if err != nil {
		return nil // the same shop with two more offers
	}
	s := &sample{seed: e.Seed, number: numberOfPacks, store: shop}
	at := s.take(e.of(packTrips), func(m *moment) bool { return m.why == low || m.why == usedUp })
	b := charge(at, append([]buyer{advised{tables: tables}}, baselines(shop, e.lore)...), 1)
	return &Row{Trips: len(at), Buyers: b.report(e.Seed)}
}
