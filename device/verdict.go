package device

import (
	"slices"

	"github.com/tsuzuku/tsuzuku/catalogue"
)

// Answer is a verdict in one word. The values are in JSON and in texts.
type Answer string

// The answers, from the best to the worst that is certain.
const (
	Works    Answer = "works"
	Limited  Answer = "limited"   // it works, and lacks a band: see the areas
	Fits     Answer = "fits"      // the line goes into the phone; its bands are not known
	LockRisk Answer = "lock_risk" // a carrier sells it locked
	Unknown  Answer = "unknown"
	NoESIM   Answer = "no_esim" // the plan comes as an eSIM, and the phone takes none
	NoTray   Answer = "no_tray" // the plan comes as a card, and the phone takes none
	NoBand   Answer = "no_band" // it has none of the network's bands
)

// Rank orders answers, the best first.
func (a Answer) Rank() int {
	return slices.Index([]Answer{Works, Limited, Fits, LockRisk, Unknown, NoESIM, NoTray, NoBand}, a)
}

// Form is what a line comes as.
type Form string

// The forms.
const (
	FormESIM   Form = "esim"
	FormCard   Form = "card"
	FormEither Form = "either"
)

// Verdict is whether a phone works with a plan, and why.
type Verdict struct {
	Answer  Answer
	ESIM    ESIM // what the phone takes
	Form    Form // what the line would come as; "" if it does not go in
	Why     Code // the exception that decided; "" if none
	Areas   []Area
	FiveG   Presence
	Unless  []Condition // who it is different for
	Carrier bool        // nobody said where it was bought: from a carrier it may be locked
}

// Condition is a group of the same phones for which the answer is another one.
type Condition struct {
	Exception Code
	SoldIn    []string // nil: everywhere
	Carrier   bool
	Answer    Answer
}

// Judge says whether a phone works with a plan that a catalogue has.
func (l *List) Judge(p Phone, c *catalogue.Catalogue, plan catalogue.Plan) Verdict {
	network, _ := c.Network(plan.Network)
	if p.Model == nil && !p.EID {
		return Verdict{Answer: Unknown, ESIM: ESIMCheck, FiveG: NotKnown}
	}
	s := l.state(p)
	v := Verdict{ESIM: s.esim, Why: s.why, Areas: Coverage(network, p.has), FiveG: NotOffered}
	if plan.Facts.FiveG && len(network.Layers.FiveG) > 0 {
		v.FiveG = oneOf(network.Layers.FiveG, p.has)
	}
	v.Form, v.Answer = answer(s.esim, s.locked, plan.Facts, v.Areas)
	v.Carrier = v.Answer == Works || v.Answer == Limited || v.Answer == Fits
	for _, e := range s.open {
		_, other := answer(e.esim(s.esim), s.locked || e.Effect == EffectLocked, plan.Facts, v.Areas)
		if other != v.Answer {
			v.Unless = append(v.Unless, Condition{e.Code, e.SoldIn, e.Carrier, other})
		}
	}
	return v
}

// answer is the verdict in one word for a phone that takes an eSIM or not, and
// what the line would come as.
func answer(e ESIM, locked bool, f catalogue.Facts, areas []Area) (Form, Answer) {
	as, refused := form(e, f)
	switch {
	case refused != "":
		return "", refused
	case locked:
		return as, LockRisk
	}
	return as, radio(areas)
}

// form is what a line of the plan would come as in a phone, or why it does not.
func form(e ESIM, f catalogue.Facts) (Form, Answer) {
	switch e {
	case ESIMYes:
		switch {
		case f.ESIM && f.PhysicalSIM:
			return FormEither, ""
		case f.ESIM:
			return FormESIM, ""
		}
		return FormCard, ""
	case ESIMOnly:
		if f.ESIM {
			return FormESIM, ""
		}
		return "", NoTray
	case ESIMNo:
		if f.PhysicalSIM {
			return FormCard, ""
		}
		return "", NoESIM
	case ESIMOnlyCheck:
		if f.ESIM {
			return "", Unknown
		}
		return "", NoTray
	case ESIMCheck:
	}
	if f.PhysicalSIM {
		return FormCard, ""
	}
	return "", Unknown
}

// radio is the answer by the bands alone.
func radio(areas []Area) Answer {
	level := func(l Level) func(Area) bool { return func(a Area) bool { return a.Level == l } }
	switch {
	case len(areas) == 0, slices.ContainsFunc(areas, level(LevelUnknown)):
		return Fits
	case !slices.ContainsFunc(areas, func(a Area) bool { return a.Level != None }):
		return NoBand
	case !slices.ContainsFunc(areas, func(a Area) bool { return a.Level != Full }):
		return Works
	}
	return Limited
}
