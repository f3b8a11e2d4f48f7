package advice

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
)

// formVersion is the version of the JSON form.
const formVersion = 1

// MaxTrips is how many trips a fit looks at: the newest.
const MaxTrips = 200_000

func fit(trips []Trip, o Options) (*Model, error) {
	var good []Trip
	for i := range trips {
		if trips[i].Validate() == nil && (len(trips[i].Days) > 0 || trips[i].End != 0) {
			good = append(good, trips[i])
		}
	}
	if len(good) > MaxTrips {
		good = good[len(good)-MaxTrips:]
	}
	if len(good) == 0 {
		return nil, refuse("There is no trip to learn from.")
	}
	m := &Model{Version: formVersion, seed: o.Seed, use: learnUse(good), stay: learnStay(good)}
	m.Scores.Trips = len(good)
	for _, t := range good {
		if m.From == 0 || t.Arrival < m.From {
			m.From = t.Arrival
		}
		m.To = max(m.To, t.End)
		if n := len(t.Days); n > 0 {
			m.To = max(m.To, t.Days[n-1].Date)
		}
	}
	m.ready()
	return m, nil
}

func prior() *Model {
	m := &Model{Version: formVersion, use: priorUse(), stay: priorStayParams()}
	m.ready()
	return m
}

// ready computes what follows from what was learnt.
func (m *Model) ready() {
	var mean float64
	for j, p := range [usualNodes]float64{0.1, 0.3, 0.5, 0.7, 0.9} {
		a := 2 / (9 * m.use.Nu) // Wilson and Hilferty's cube of a normal
		c := 1 - a + normalAt(1-p)*math.Sqrt(a)
		m.spread[j] = 1 / max(c*c*c, 0.05)
		mean += m.spread[j] / usualNodes
	}
	for j := range usualNodes {
		m.spread[j] /= mean
		m.spreadLog[j] = math.Log((1 - calmNodes*calmEach) / usualNodes)
	}
	for j, sd := range calmSDs {
		m.spread[usualNodes+j], m.spreadLog[usualNodes+j] = sd*sd, math.Log(calmEach)
	}
	m.form = formOf(&m.use)
	use := m.use
	m.shop = sync.OnceValue(func() *sync.Pool {
		dice := (&Model{use: use}).throw(forecastPaths, forecastSeed)
		return &sync.Pool{New: func() any { return newWorkshop(dice) }}
	})
}

// stored is the JSON form of a model.
type stored struct {
	Version  int
	From, To Date
	Scores   Scores
	Seed     uint64
	Use      useParams
	Stay     stayParams
	Ranges   ranges
}

func (m *Model) stored() stored {
	return stored{m.Version, m.From, m.To, m.Scores, m.seed, m.use, m.stay, m.ranges}
}

func (m *Model) restore(data []byte) error {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("advice: model: %w", err)
	}
	if err := s.check(); err != nil {
		return err
	}
	*m = Model{Version: s.Version, From: s.From, To: s.To, Scores: s.Scores, seed: s.Seed, use: s.Use, stay: s.Stay, ranges: s.Ranges}
	m.ready()
	return nil
}

// check refuses what no fit makes, so that a damaged row is found when it is
// read and not when it advises.
func (s *stored) check() error {
	bad := func(what string) error { return refuse("The stored model cannot be used: %s.", what) }
	switch {
	case s.Version != formVersion:
		return bad("it has another form")
	case len(s.Use.Shape) != shapeNodes || len(s.Stay.Base) != maxStay:
		return bad("a list has another length")
	case !within(s.Use.Nu, 4, 1000) || !within(s.Use.ZeroWeight, 0.1, 1e6) || !within(s.Use.Mood, 0, 10) || !within(s.Use.Hold, 0, 0.999) ||
		!within(s.Use.Memory, 0, 0.99) || !within(s.Use.Silent, 0, 1) || !within(s.Use.Part, 0, 2) || !within(s.Use.First, -20, 20) || !within(s.Use.Last, -20, 20):
		return bad("a number is out of its range")
	case !s.Use.All.sound():
		return bad("a level is out of its range")
	}
	for i, x := range s.Use.Shape {
		if !within(x, -40, 40) || i > 0 && x < s.Use.Shape[i-1] {
			return bad("the noise has no shape")
		}
	}
	for _, g := range s.Use.Segments {
		if !g.sound() {
			return bad("a level is out of its range")
		}
	}
	return s.checkStay(bad)
}

func (s *stored) checkStay(bad func(string) error) error {
	hazards := [][]float64{s.Stay.Base}
	for _, g := range s.Stay.Segments {
		hazards = append(hazards, g.Hazard)
	}
	for _, list := range hazards {
		for _, h := range list {
			if !within(h, 0, 1) || h == 0 {
				return bad("a hazard is no probability")
			}
		}
	}
	var moved float64
	for _, p := range s.Stay.Moved {
		if !within(p, 0, 1) {
			return bad("a share is no probability")
		}
		moved += p
	}
	if !within(moved, 0.99, 1.01) {
		return bad("shares do not add up")
	}
	return s.Ranges.check(bad)
}

func (l level) sound() bool {
	return within(l.Mu, -50, 50) && within(l.Tau2, 1e-6, 100) && within(l.S2, 1e-6, 100) && within(l.Zero, 0, 1)
}

// within is false for what is no number.
func within(x, lo, hi float64) bool { return x >= lo && x <= hi }
