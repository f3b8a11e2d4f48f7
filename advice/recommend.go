package advice

// Question is what a traveller is advised on.
type Question struct {
	Trip     Trip
	State    State
	Attitude Attitude
	Usual    int   // 1 + the offer that they would have bought without advice; 0: not known
	Wallet   int64 // minor units of wallet and points that can be spent without a fee
}

// Action is what to do now.
type Action string

// The actions.
const (
	Buy     Action = "buy"      // the first step, now
	Wait    Action = "wait"     // nothing now; the steps say when to look again
	Enough  Action = "enough"   // what is paid for will do until the trip ends
	NoOffer Action = "no_offer" // nothing that may be bought is of use
)

// Step is one purchase of a sequence.
type Step struct {
	Offer int  // index in Tables.Shop().Offers
	On    Date // the day to buy it: Trip.Today for now
}

// MaxSteps is how many steps of a sequence are told.
const MaxSteps = 6

// Steps is a short list of steps that costs no allocation.
type Steps struct {
	N  int
	At [MaxSteps]Step
}

// All returns the steps.
func (s *Steps) All() []Step { return s.At[:s.N] }

func (s *Steps) add(t Step) {
	if s.N < MaxSteps {
		s.At[s.N] = t
		s.N++
	}
}

// Choice is one way to go on, and what is expected of it.
type Choice struct {
	Action Action
	Steps  Steps   // the most probable continuation; the first is for now where Action is Buy
	First  int64   // minor units of the first step, its fee included; 0 where nothing is bought
	Price  int64   // of all steps
	Cost   int64   // expected, of the whole rest of the trip: prices, fees, hassle and what falls short
	Paid   int64   // expected, of the whole rest of the trip: prices and fees alone
	Enough float64 // the probability that what is paid for after the first step suffices for as long as it runs
	Lasts  float64 // the probability that it suffices to the end of the trip
}

// Advice is the answer.
type Advice struct {
	Best   Choice
	Second Choice // only where Close
	Close  bool   // the second is as good: its cost differs by less than 5 %, or best is best in less than 60 of 100 cases
	Sure   float64

	// Carefree is the price of never having to think about it: the cheapest way
	// that neither ends nor becomes slow before the trip probably does, and how
	// much more than Best that is. Offer -1: nothing on sale is that.
	Carefree      Step
	CarefreePrice int64 // of all its terms; of one volume that will do, with what is expected to follow it
	CarefreeMore  int64
	CarefreeNeed  float64 // the probability that it would be needed

	UsualPaid int64 // expected, when they buy what they usually do; 0: not asked
	Saving    int64 // UsualPaid less Best.Paid; 0 or less: none

	Basis   Basis
	Reasons Reasons
	Numbers Numbers
}

// Shop is what the tables were built for.
func (t *Tables) Shop() Shop { return t.shop }

// Build makes tables, in less than a second for 40 offers. It fails with
// [fault.Invalid] for a shop about which nothing can be said ([Shop.Validate]);
// one without anything on sale is none of those.
func Build(m *Model, s Shop) (*Tables, error) { return build(m, s) }
