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
	PerDay       int64 // bytes of an ordinary day
	NeedLow      int64 // bytes until LastDay, 80 % range
	NeedHigh     int64
	LastDay      Date // told, or most probable
	EnoughOf100  int  // in how many of 100 cases the first step suffices
	Price        int64
	Saving       int64
	CarefreeMore int64
	CarefreeOf   int // in how many of 100 cases carefree would be needed
}
