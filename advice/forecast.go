package advice

// Levels are the probabilities of [Quantiles], in order.
var Levels = [7]float64{0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975}

// Quantiles of something that is not known yet, at [Levels]: it will be at most
// At[i] with probability Levels[i].
type Quantiles struct{ At [7]int64 }

// Median is as likely too much as too little.
func (q Quantiles) Median() int64 { return q.At[3] }

// Half is the range in which it will lie in 50 of 100 cases, Most in 80 and
// Nearly in 95.
func (q Quantiles) Half() (lo, hi int64)   { return q.At[2], q.At[4] }
func (q Quantiles) Most() (lo, hi int64)   { return q.At[1], q.At[5] }
func (q Quantiles) Nearly() (lo, hi int64) { return q.At[0], q.At[6] }

// Forecast is what is to be expected of the rest of a trip.
type Forecast struct {
	Need   Quantiles // bytes from now to the end of the trip
	PerDay Quantiles // bytes of an ordinary whole day that is still to come, days of no use included

	// RunsOut is the Date on which the allowance that was asked about is used up;
	// the last day of the trip plus one where it is not. Lasts is the probability
	// that it is not used up before the trip ends.
	RunsOut Quantiles
	Lasts   float64

	LastDay Quantiles // the Date of the last day of the trip
	// Ends is the probability for each day, from Today on, that it is the last
	// one. It sums to 1; what lies beyond is in its last entry.
	Ends []float64

	Basis Basis
}

// Basis says how much a forecast stands on, so that words can be honest.
type Basis struct {
	Days    int  // days of this trip's history that could be used
	Capped  int  // of them, those on which more was wanted than the meter shows
	Similar int  // finished trips of the same segment that the model has seen
	Trips   int  // all trips that the model has seen; 0: published figures only
	Told    bool // the end was told, and lies not in the past
	Overdue bool // the end was told and has passed, and the line is still in use
	Away    int  // whole days since the line was last seen

	Changed      Date    // since when use is clearly another; 0: it is not
	ChangeFactor float64 // how many times as much as before; 1: no change
}

// Little reports whether so little is known of this very traveller that the
// range is mostly that of others.
func (b Basis) Little() bool { return b.Days < 3 }

// Forecast says what is to be expected of the rest of a trip, and until when an
// allowance of so many bytes lasts. It fails with [fault.Invalid] for a history
// that cannot be ([Trip.Validate]).
func (m *Model) Forecast(t Trip, allowance int64) (Forecast, error) { return m.forecast(t, allowance) }
