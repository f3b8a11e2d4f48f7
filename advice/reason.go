package advice

// Reason is why, as a code with its words in texts.yaml. The values are keys of
// texts; do not rename.
type Reason string

// Reasons is a set of reasons that costs no allocation, in the order of a
// sentence.
type Reasons struct {
	N  int
	At [8]Reason
}

// All returns the reasons.
func (r *Reasons) All() []Reason { return r.At[:r.N] }

func (r *Reasons) add(x Reason) {
	if r.N < len(r.At) {
		r.At[r.N] = x
		r.N++
	}
}

// Numbers is every number that an explanation may name. Nothing else may be
// named.
type Numbers struct {
	PerDay       int64 // bytes of an ordinary day: what was used so far, where there is a history, else expected
	OwnDays      int   // days of history that this is from; 0: expected
	NeedLow      int64 // bytes from now to the end of the trip: 80 % range
	NeedHigh     int64
	LastDay      Date // told, or as likely later as earlier
	Told         bool
	Covered      Date // until when something is paid for already, the last day; 0: nothing is
	EnoughOf100  int  // in how many of 100 cases the choice suffices for as long as it runs
	LastsOf100   int  // in how many it suffices to the end of the trip
	Price        int64
	Saving       int64
	CarefreeMore int64
	CarefreeOf   int  // in how many of 100 cases it would be needed
	Changed      Date // since when use is another
	ChangedBy    int  // how many times as much, or as little, rounded; 0: no change
	Away         int  // days since the line was last seen
}
