package advice

import (
	"encoding/json"
	"sync"
)

// Model is what was learnt of how travellers use data and how long they stay.
// It never changes once made; whoever holds one may share it. Its JSON is what
// is stored.
type Model struct {
	Version int    // of the form of this JSON
	From    Date   // the first day of what it was fitted on; 0: published figures only
	To      Date   // the last
	Scores  Scores // on the trips that it was calibrated with, before it saw them; zero: not calibrated

	seed   uint64
	use    useParams
	stay   stayParams
	ranges ranges

	// What follows from it.
	spread    [spreadNodes]float64 // variances of users, in shares of their segment's
	spreadLog [spreadNodes]float64 // logs of how many have each
	form      *form                // of a day's noise
	shop      func() *sync.Pool    // of workshops for forecasts
}

// Scores says how good a model was on trips that it had not seen.
type Scores struct {
	Trips   int     // how many it was fitted on
	Checked int     // how many moments of trips it was scored at
	Pinball float64 // mean loss at the seven levels, in shares of the mean need
	Cover50 float64 // share of what came that lay in the 50 % range
	Cover80 float64
	Cover95 float64
}

// Options of [Fit]. The zero value is the default.
type Options struct {
	Seed uint64 // of what is drawn while calibrating
}

// Fit learns from trips. Those with an End teach how long people stay; all teach
// how much they use. Trips that are no trips ([Trip.Validate]) are left out, and
// few trips move the published figures only a little. Fit fails with
// [fault.Invalid] when none is left.
func Fit(trips []Trip, o Options) (*Model, error) { return fit(trips, o) }

// Prior is the model of a seller who has no trips yet, from published figures;
// see priors.go for each with its source. Its ranges are wide.
func Prior() *Model { return prior() }

// Calibrate returns the model with ranges that would have been right on trips,
// which it must not have been fitted on: finished ones, later than those.
func (m *Model) Calibrate(trips ...Trip) (*Model, error) { return m.calibrated(trips) }

// Adapt returns the model after one more trip has finished, with ranges a
// little wider or narrower according to whether they held. It keeps them honest
// while behaviour drifts, between two calibrations.
func (m *Model) Adapt(t Trip) *Model { return m.adapted(t) }

// MarshalJSON writes everything there is of the model.
func (m *Model) MarshalJSON() ([]byte, error) { return json.Marshal(m.stored()) }

// UnmarshalJSON reads what MarshalJSON wrote. It fails for another version of
// the form, and for numbers that no fit makes.
func (m *Model) UnmarshalJSON(data []byte) error { return m.restore(data) }
