package advice

import (
	"github.com/tsuzuku/tsuzuku/money"
)

// Kind is what an offer brings.
type Kind string

// The kinds.
const (
	Term Kind = "term" // days of service
	Pack Kind = "pack" // more data, or full speed, in the running period; no days
)

// Service is what a stretch of service does with what its user wants.
//
//   - Volume 0 and DailyCap 0: everything, at full speed.
//   - Volume: so many bytes for the whole period, then throttled or nothing.
//   - DailyCap: so many bytes of every day, then throttled or nothing until the
//     next day.
type Service struct {
	Volume       int64 // bytes for the period; 0: no such limit
	DailyCap     int64 // bytes a day; 0: no such limit
	ThrottleKbps int   // the speed after that; 0: no service
}

// Served is how a day's demand was met. Its parts add up to the demand.
type Served struct {
	Full    int64 // bytes at full speed
	Slow    int64 // bytes that were wanted while the line was throttled
	Missing int64 // bytes that were wanted while there was no service
}

// Serve meets demand with what is left of the volume, or of today's cap. An
// unlimited service ignores left.
func (s Service) Serve(left, demand int64) Served {
	full := demand
	if s.Volume > 0 || s.DailyCap > 0 {
		full = min(demand, max(left, 0))
	}
	switch {
	case full == demand:
		return Served{Full: full}
	case s.ThrottleKbps > 0:
		return Served{Full: full, Slow: demand - full}
	}
	return Served{Full: full, Missing: demand - full}
}

// Endless reports whether the service never stops within its days; it may
// become slow.
func (s Service) Endless() bool { return s.Volume == 0 && s.DailyCap == 0 || s.ThrottleKbps > 0 }

// Offer is something that can be bought for the line.
type Offer struct {
	ID   string // the seller's own, for whoever maps it back
	Kind Kind
	Service
	Days  int   // a term's calendar days, the first included; a month counts 30, a year 365
	Until bool  // a pack that lasts until the next reset only, not for the rest of the period
	Price int64 // minor units of Costs.Currency
	Fee   int64 // minor units that paying adds, unless paid from the wallet
}

// Mode is what buying a term does while another runs.
type Mode string

// The modes.
const (
	Queue    Mode = "queue"    // the new period begins when the last one ends
	Extend   Mode = "extend"   // the end moves; a volume is added to what is left
	Replace  Mode = "replace"  // the running period ends now, and the new one begins
	Parallel Mode = "parallel" // the new period begins now, beside the running one
)

// Rules are the policy's predicates as data. The zero value allows everything
// at any time, and queues.
type Rules struct {
	Mode         Mode
	WhenEmpty    Mode  // as Mode, once the running volume is used up; "": Replace
	MustRunOn    bool  // a line that has ended cannot be renewed any more
	NeedsData    bool  // nor one whose volume is used up
	OpensDays    int   // a running line can be renewed in its last so many days only; 0: at any time
	ClosesDays   int   // nor in its very last so many days
	StackPeriods int   // running and waiting periods together; 0: no limit
	AheadDays    int   // the new end may lie at most so many days from today, today included; 0: no limit
	MinimumOrder int64 // an order below is refused
	MinimumSpend int64 // what the whole stay must come to; what is missing at its end is lost
	NoTerms      bool  // nothing extends this line
	NoPacks      bool
}

// Cover is one stretch of service that is paid for.
type Cover struct {
	Service
	Days  int   // days that are left, today included
	Bytes int64 // left of the volume, or of today's cap; of a waiting period all of it
}

// State is what is paid for on the line at the moment of the question.
type State struct {
	Running Cover   // Days 0: nothing runs
	Waiting []Cover // in the order in which they begin
	Spent   int64   // minor units, towards Rules.MinimumSpend
}

// MaxWaiting is how many waiting periods can be told of.
const MaxWaiting = maxStretches - 2

// Covered is for how many days, today included, something is paid for.
func (s *State) Covered() int {
	days := s.Running.Days
	for _, c := range s.Waiting {
		days += c.Days
	}
	return days
}

// Allows reports whether the policy accepts this offer for a line in this
// state.
func (r Rules) Allows(o Offer, s State) bool { return r.allows(&o, &s) }

func (r *Rules) allows(o *Offer, s *State) bool {
	switch {
	case o.Price < r.MinimumOrder, o.Price < 0:
		return false
	case o.Kind == Pack:
		return !r.NoPacks && s.Running.Days > 0
	case r.NoTerms || o.Days < 1:
		return false
	case s.Running.Days < 1:
		return r.AheadDays == 0 || o.Days <= r.AheadDays
	}
	switch {
	case r.OpensDays > 0 && s.Covered() > r.OpensDays, s.Covered() <= r.ClosesDays:
		return false
	case r.NeedsData && s.Running.Volume > 0 && s.Running.Bytes <= 0:
		return false
	}
	return r.fits(o, s)
}

// fits checks how many periods there would be, and how far ahead.
func (r *Rules) fits(o *Offer, s *State) bool {
	periods, days := 1+len(s.Waiting), s.Covered()+o.Days
	switch r.modeFor(s) {
	case Replace:
		return len(s.Waiting) == 0 && (r.AheadDays == 0 || o.Days <= r.AheadDays)
	case Parallel:
		days = max(s.Covered(), o.Days)
	case Queue, Extend, "":
	}
	if r.StackPeriods > 0 && periods >= r.StackPeriods {
		return false
	}
	return r.AheadDays == 0 || days <= r.AheadDays
}

// modeFor is what a purchase does to a line in this state.
func (r *Rules) modeFor(s *State) Mode {
	mode := r.Mode
	if s.Running.Volume > 0 && s.Running.Bytes <= 0 {
		mode = r.WhenEmpty
		if mode == "" {
			mode = Replace
		}
	}
	if mode == "" {
		mode = Queue
	}
	return mode
}

// Shop is what is on sale for one line, and how: the offers of one catalogue
// and policy version.
type Shop struct {
	Version string // of catalogue and policy together; whoever stores tables keys them by it
	Offers  []Offer
	Rules   Rules
	Costs   Costs
}

// Limits of a shop.
const (
	MaxOffers    = 64
	MaxOfferDays = 400
)

// Validate fails with [fault.Invalid] for a shop about which nothing can be
// said: too much on sale, prices or days that cannot be.
func (s Shop) Validate() error {
	if len(s.Offers) > MaxOffers {
		return refuse("There are %d offers, more than the %d that are compared.", len(s.Offers), MaxOffers)
	}
	for _, o := range s.Offers {
		if err := o.validate(); err != nil {
			return err
		}
	}
	c := s.Costs
	if min(c.Hassle, c.PerGB, c.SlowDayMax, c.OutageDay) < 0 || max(c.Hassle, c.PerGB, c.SlowDayMax, c.OutageDay) > maxPrice {
		return refuse("A cost of the yardstick cannot be.")
	}
	return nil
}

// maxPrice keeps every sum of prices and costs of a stay far within an int64.
const maxPrice = money.MaxMinor >> 16

func (o Offer) validate() error {
	switch {
	case o.Kind != Term && o.Kind != Pack:
		return refuse("Offer %s is neither a term nor a pack.", o.ID)
	case o.Kind == Term && (o.Days < 1 || o.Days > MaxOfferDays):
		return refuse("Offer %s lasts %d days.", o.ID, o.Days)
	case o.Price < 0 || o.Price > maxPrice || o.Fee < 0 || o.Fee > maxPrice:
		return refuse("Offer %s has a price that cannot be.", o.ID)
	case o.Volume < 0 || o.DailyCap < 0 || o.ThrottleKbps < 0:
		return refuse("Offer %s brings less than nothing.", o.ID)
	}
	return nil
}
