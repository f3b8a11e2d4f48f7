package device

import "slices"

// Code names an exception; the values are in the data and in texts.
type Code string

// Effect is what is so for the phones that an exception is about.
type Effect string

// The effects.
const (
	EffectNoESIM  Effect = "no_esim"
	EffectHasESIM Effect = "has_esim"
	EffectNoTray  Effect = "no_tray"
	EffectCheck   Effect = "check"
	EffectLocked  Effect = "locked" // another seller's line does not work
)

// Exception is a group of phones of some models that differ from the rest.
type Exception struct {
	Code       Code
	Effect     Effect
	SoldIn     []string // ISO 3166 countries; nil: everywhere
	Carrier    bool     // only those that a carrier sold
	Source     string
	Confidence string // C: the source is weak, so it only says to check
}

// esim is what the exception makes of a phone.
func (e Exception) esim(base ESIM) ESIM {
	switch e.Effect {
	case EffectNoESIM:
		if e.Confidence == "C" {
			return base.doubted()
		}
		return ESIMNo
	case EffectHasESIM:
		return ESIMYes
	case EffectNoTray:
		return ESIMOnly
	case EffectCheck:
		return base.doubted()
	case EffectLocked:
	}
	return base
}

// covers reports whether the exception is about a phone bought in a country.
func (e Exception) covers(country string) bool {
	return len(e.SoldIn) == 0 || slices.Contains(e.SoldIn, country)
}

// Exception is the one with that code.
func (l *List) Exception(c Code) (Exception, bool) {
	e, ok := l.exceptions[c]
	return e, ok
}

// state is what is known of a phone before any plan: whether it takes an eSIM,
// whether it is locked, why, and the exceptions that would change the answer.
type state struct {
	esim   ESIM
	locked bool
	why    Code
	open   []Exception
}

func (l *List) state(p Phone) state {
	switch {
	case p.EID:
		return state{esim: ESIMYes}
	case p.Model == nil:
		return state{esim: ESIMCheck}
	}
	base, why := agreed(p.Possible)
	s := state{esim: base, why: why, locked: p.lockRisk()}
	if s.esim == "" {
		s.esim, s.why = p.Model.ESIM, ""
	}
	for _, c := range p.Model.Exceptions {
		e := l.exceptions[c]
		switch p.standing(e, base) {
		case certain:
			s.esim, s.why = e.esim(s.esim), c
			s.locked = s.locked || e.Effect == EffectLocked
		case possible:
			s.open = append(s.open, e)
		case excluded:
		}
	}
	return s
}

// agreed is what all versions say of themselves, and why; "" if they differ, or
// if one leaves it to the model.
func agreed(all []Version) (ESIM, Code) {
	if len(all) == 0 {
		return "", ""
	}
	for _, v := range all[1:] {
		if v.ESIM != all[0].ESIM {
			return "", ""
		}
	}
	return all[0].ESIM, all[0].Why
}

// standing is whether a phone is one of those that an exception is about.
type standing int

const (
	excluded standing = iota
	possible
	certain
)

// standing decides by what is known of where the phone is from. base is what its
// versions say themselves; "" if they do not.
func (p Phone) standing(e Exception, base ESIM) standing {
	told := p.Exact && (base == ESIMYes || base == ESIMNo || base == ESIMOnly)
	everywhere := len(e.SoldIn) == 0 && !e.Carrier
	switch {
	case everywhere && p.Exact && base != "", e.Carrier && told:
		return excluded // its own row knows better
	case everywhere:
		return certain
	case p.SoldIn != "" && !e.covers(p.SoldIn):
		return excluded
	case p.SoldIn != "" && !e.Carrier && !told:
		return certain
	case len(p.Possible) == 0, slices.ContainsFunc(p.Possible, func(v Version) bool { return p.mayBe(v, e, told) }):
		return possible
	}
	return excluded
}

// mayBe reports whether a phone of a version can be one of those that an
// exception is about.
func (p Phone) mayBe(v Version, e Exception, told bool) bool {
	if len(v.SoldIn) == 0 {
		return !p.othersCover(e)
	}
	return !told && slices.ContainsFunc(v.SoldIn, e.covers)
}

// othersCover reports whether for each place of an exception another version
// is made, so that one for the rest of the world is not sold there.
func (p Phone) othersCover(e Exception) bool {
	for _, country := range e.SoldIn {
		if !slices.ContainsFunc(p.Model.Versions, func(v Version) bool { return slices.Contains(v.SoldIn, country) }) {
			return false
		}
	}
	return len(e.SoldIn) > 0
}
