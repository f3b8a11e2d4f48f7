package advice

// Reason is a piece of why, as a code with its words in texts.yaml. The values
// are keys of texts; do not rename.
type Reason string

// The reasons, in the order in which they are said. A need and a thing to do
// make the sentence; the others are notes to it.
const (
	NeedTold  Reason = "need.told"  // what is needed until the told end
	NeedGuess Reason = "need.guess" // what is needed until those like this one have left
	NeedNone  Reason = "need.none"  // hardly anything

	DoBuy       Reason = "do.buy"        // one purchase that covers the trip
	DoBuyFast   Reason = "do.buy_fast"   // the same, of what never stops and may become slow
	DoBuyFirst  Reason = "do.buy_first"  // the first of several
	DoFirstFast Reason = "do.first_fast" // the same, of what never stops
	DoBuyTight  Reason = "do.buy_tight"  // it will probably fall short at times, and is still best
	DoTightFast Reason = "do.tight_fast" // the same, of what never stops
	DoMost      Reason = "do.most"       // it will probably fall short at times, and nothing on sale does so less often
	DoMostFast  Reason = "do.most_fast"  // the same, of what never stops
	DoWait      Reason = "do.wait"       // look again when what is paid for ends
	DoWaitLeft  Reason = "do.wait_left"  // the same, with a volume that may be used up before
	DoCovered   Reason = "do.covered"    // paid for to the end of the stay: it may fall short, and more is not worth its price
	DoLater     Reason = "do.later"      // what is left will not do, and buying then costs no more than now
	DoReset     Reason = "do.reset"      // today's full speed is used up, and comes back by itself
	DoSlow      Reason = "do.slow"       // the volume is used up, and slow is good enough
	DoPause     Reason = "do.pause"      // nothing runs, and today nothing is worth its price
	DoNothing   Reason = "do.nothing"    // what is paid for suffices
	DoNone      Reason = "do.none"       // nothing on sale helps

	Used        Reason = "note.used"         // a day so far
	Little      Reason = "note.little"       // there is hardly any history
	ChangedMore Reason = "note.changed_more" // since a day much more is used
	ChangedLess Reason = "note.changed_less"
	Then        Reason = "note.then"     // the next step
	EndsBefore  Reason = "note.ends"     // it ends before the told day, and nothing is bought after it
	SecondBest  Reason = "note.second"   // another is as good
	Saves       Reason = "note.saves"    // against what they would have bought
	Worry       Reason = "note.carefree" // what it costs not to have to think about it
	TellEnd     Reason = "note.tell_end" // the advice would be better with the day of departure
	Overdue     Reason = "note.overdue"  // the told day has passed
	AwayFor     Reason = "note.away"     // the line was not seen for days
)

// AllReasons is every reason, for tests that each has its words.
var AllReasons = []Reason{
	NeedTold, NeedGuess, NeedNone, DoBuy, DoBuyFast, DoBuyFirst, DoFirstFast, DoBuyTight, DoTightFast, DoMost, DoMostFast, DoWait, DoWaitLeft, DoCovered, DoLater, DoReset, DoSlow, DoPause, DoNothing, DoNone,
	Used, Little, ChangedMore, ChangedLess, Then, EndsBefore, SecondBest, Saves, Worry, TellEnd, Overdue, AwayFor,
}

// Reasons is a list of reasons that costs no allocation.
type Reasons struct {
	N  int
	At [12]Reason
}

// All returns the reasons.
func (r *Reasons) All() []Reason { return r.At[:r.N] }

func (r *Reasons) add(x Reason) {
	if r.N < len(r.At) {
		r.At[r.N] = x
		r.N++
	}
}

// Numbers is every number that an explanation may name, besides the prices and
// days of [Choice]s. Nothing else may be named.
type Numbers struct {
	PerDay       int64 // bytes of an ordinary day: what was used so far, where there is a history, else expected
	OwnDays      int   // days of history that this is from; 0: expected
	NeedLow      int64 // bytes from now to the end of the trip: 80 % range
	NeedHigh     int64
	LastDay      Date // told, or as likely later as earlier
	Told         bool
	Covered      Date // the last day for which something is paid for already; 0: nothing is
	Until        Date // the last day that the first purchase reaches, if it is not used up before; 0: nothing is bought
	Gap          int  // days from then to the told end on which nothing will be paid for; 0: none
	EnoughOf100  int  // in how many of 100 cases the choice suffices for as long as it runs, or to the end of the trip
	ShortOf100   int  // in how many it does not
	LastsOf100   int  // in how many it suffices to the end of the trip
	Price        int64
	Saving       int64
	CarefreeMore int64
	CarefreeOf   int  // in how many of 100 cases it would be needed
	Changed      Date // since when use is another
	ChangedBy    int  // how many times as much, or as little, rounded; 0: no change
	Away         int  // whole days since the line was last seen
}

// outlook is what of an answer's way there is to say.
type outlook struct {
	fast  bool // what is paid for after the first step never stops
	safer bool // something on sale falls short less often
	gone  bool // what is left of a volume will hardly last until tomorrow night
}

// reasons picks what is said of an answer.
func (a *Advice) reasons(b *Basis, usual int, s *State, o outlook) {
	r, n := &a.Reasons, &a.Numbers
	*r = Reasons{}
	switch {
	case n.NeedHigh < activeBytes:
		r.add(NeedNone)
	case n.Told:
		r.add(NeedTold)
	default:
		r.add(NeedGuess)
	}
	r.add(a.todo(s, o))
	if n.OwnDays == 0 {
		r.add(Little)
	} else {
		r.add(Used)
	}
	switch {
	case b.Changed == 0 || n.ChangedBy < 2:
	case b.ChangeFactor > 1:
		r.add(ChangedMore)
	default:
		r.add(ChangedLess)
	}
	if a.Best.Action != Wait && a.Best.Steps.N > 1 {
		r.add(Then)
	}
	if n.Gap > 0 {
		r.add(EndsBefore)
	}
	if a.Close {
		r.add(SecondBest)
	}
	bought := a.Best.Action == Buy
	if bought && a.Saving > 0 && usual != a.Best.Steps.At[0].Offer {
		r.add(Saves)
	}
	if bought && a.worthNaming() {
		r.add(Worry)
	}
	switch {
	case b.Overdue:
		r.add(Overdue)
	case !b.Told:
		r.add(TellEnd)
	}
	if b.Away > 0 {
		r.add(AwayFor)
	}
}

// worthNaming reports whether the way without worry is another than those that
// are named already.
func (a *Advice) worthNaming() bool {
	free := a.Carefree.Offer
	return free >= 0 && a.CarefreeMore > 0 && free != a.Best.Steps.At[0].Offer && (!a.Close || free != a.Second.Steps.At[0].Offer)
}

func (a *Advice) todo(s *State, o outlook) Reason {
	switch a.Best.Action {
	case Buy:
		stops, slows := DoBuy, DoBuyFast
		switch {
		case a.Numbers.EnoughOf100 < 50 && !o.safer:
			stops, slows = DoMost, DoMostFast
		case a.Numbers.EnoughOf100 < 50:
			stops, slows = DoBuyTight, DoTightFast
		case a.Best.Steps.N > 1:
			stops, slows = DoBuyFirst, DoFirstFast
		}
		if o.fast {
			return slows
		}
		return stops
	case Wait:
		return a.waiting(s, o.gone)
	case Enough:
		return DoNothing
	case NoOffer:
	}
	return DoNone
}

// waiting says for what it is best to wait. Nobody whose data is used up is told
// that what they have will do, and nobody to wait until it nearly is when it is.
func (a *Advice) waiting(s *State, gone bool) Reason {
	c := &s.Running
	empty := c.Days > 0 && c.Bytes <= 0
	switch {
	case a.Numbers.Covered == 0, empty && c.Volume > 0 && c.ThrottleKbps == 0:
		return DoPause
	case empty && c.Volume > 0:
		return DoSlow
	case empty && c.DailyCap > 0 && s.Covered() > 1:
		return DoReset
	case a.Numbers.Told && a.Numbers.Covered >= a.Numbers.LastDay && a.Numbers.EnoughOf100 >= 50:
		return DoCovered
	case c.Days > 0 && c.Volume > 0 && a.Numbers.EnoughOf100 < 50 && gone:
		return DoPause
	case c.Days > 0 && c.Volume > 0 && a.Numbers.EnoughOf100 < 50:
		return DoLater
	case c.Days > 0 && c.Volume > 0:
		return DoWaitLeft
	case a.Numbers.Told && a.Numbers.Covered >= a.Numbers.LastDay:
		return DoCovered
	}
	return DoWait
}
