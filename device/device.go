// Package device knows which phone takes which line, and why not: whether a
// model has an eSIM where it was sold, and which of a network's radio bands it
// lacks. It finds a model by any usual spelling, by its IMEI, and recognises an
// EID; what it does not know it calls unknown, and several answers it lists.
//
// The tables in data are compiled for this project, each row with where it is
// from. IMEI tables of others are imported, never shipped.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package device

import (
	"slices"
	"strings"
)

// ESIM is whether a phone takes an eSIM.
type ESIM string

// Whether a phone takes an eSIM. The values are in the data and in JSON.
const (
	ESIMYes   ESIM = "yes"   // beside a tray for a card
	ESIMNo    ESIM = "no"    //
	ESIMOnly  ESIM = "only"  // there is no tray
	ESIMCheck ESIM = "check" // nobody knows without looking: an EID in the answer to *#06# means yes

	// ESIMOnlyCheck is a phone without a tray, of which nobody knows whether it
	// takes another seller's eSIM.
	ESIMOnlyCheck ESIM = "only_check"
)

// doubted is e where a source says that one has to look.
func (e ESIM) doubted() ESIM {
	if e == ESIMOnly || e == ESIMOnlyCheck {
		return ESIMOnlyCheck
	}
	return ESIMCheck
}

// Presence is whether a phone has a radio band.
type Presence string

// Whether a phone has a band.
const (
	Has        Presence = "has"
	Lacks      Presence = "lacks"
	Varies     Presence = "varies"      // some of its versions have it
	NotOffered Presence = "not_offered" // the plan has no such thing
	NotKnown   Presence = "unknown"
)

// Model is one model under one name, in all its versions.
type Model struct {
	Brand      string
	Name       string   // without the brand: "iPhone 13", "Galaxy S23"
	Aka        []string // other names
	ESIM       ESIM     // of those versions that no exception is about
	TwoESIMs   bool     // two eSIM lines at once; false also means that nobody said so
	Exceptions []Code
	Bands      Bands // where its specification tells no versions apart
	Versions   []Version
	Source     string
}

// FullName is the model with its brand.
func (m *Model) FullName() string { return m.Brand + " " + m.Name }

// ID names the model in addresses: "apple-iphone-13".
func (m *Model) ID() string {
	out := strings.ToLower(strings.ReplaceAll(m.FullName(), "+", " plus"))
	return strings.Join(strings.FieldsFunc(out, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}

// Version is one make of a model, by its maker's code.
type Version struct {
	Code       string   // "A2634", "SM-S911B"
	SoldIn     []string // ISO 3166 countries; empty: wherever no other version is made for
	ESIM       ESIM     // "": as the model, with its exceptions
	LockRisk   bool     // a carrier sells it, and locks it
	Why        Code     // the exception that explains ESIM; "" if none
	Bands      Bands
	Confidence string // A to K, as in the data
}

// Bands are the radio bands that a specification names: "B19" for 4G, "n78" for
// 5G. The zero Bands are not known.
type Bands struct {
	Names []string
	FiveG bool // the specification also tells the 5G bands, if only that there are none
}

// Has reports whether the band is among them.
func (b Bands) Has(band string) Presence {
	switch {
	case slices.Contains(b.Names, band):
		return Has
	case len(b.Names) == 0, strings.HasPrefix(band, "n") && !b.FiveG:
		return NotKnown
	}
	return Lacks
}

// String is the bands as [parseBands] reads them.
func (b Bands) String() string {
	var out []string
	five := false
	for _, n := range b.Names {
		five = five || strings.HasPrefix(n, "n")
		out = append(out, strings.TrimPrefix(n, "B"))
	}
	if b.FiveG && !five {
		out = append(out, "no5g")
	}
	return strings.Join(out, " ")
}

// parseBands reads "1 19 n78" or "1 19 no5g".
func parseBands(text string) Bands {
	var b Bands
	for f := range strings.FieldsSeq(text) {
		switch {
		case f == "no5g":
			b.FiveG = true
		case strings.HasPrefix(f, "n"):
			b.FiveG = true
			b.Names = append(b.Names, f)
		default:
			b.Names = append(b.Names, "B"+strings.TrimPrefix(f, "B"))
		}
	}
	return b
}

// Phone is what is known of the phone that somebody asks about.
type Phone struct {
	Model    *Model    // nil: it is not in the list
	Possible []Version // the versions that it can be; the model may have others, or none that are told apart
	Exact    bool      // its version is certain: Possible is that one
	SoldIn   string    // where it was bought, if they said: ISO 3166, or [Elsewhere]
	EID      bool      // it has an EID, so it has an eSIM, whatever it is
	Name     string    // what to call it where Model is nil; may be ""
}

// Elsewhere is a place that no list has anything special about.
const Elsewhere = "ZZ"

// Called is the name of the phone for people; "" for a phone that nobody named.
func (p Phone) Called() string {
	if p.Model != nil {
		return p.Model.FullName()
	}
	return p.Name
}

// In is the phone if it was bought in a country, or [Elsewhere]; "" changes
// nothing.
func (p Phone) In(country string) Phone {
	if country == "" {
		return p
	}
	p.SoldIn = country
	if p.Exact {
		return p
	}
	there := slices.DeleteFunc(slices.Clone(p.Possible), func(v Version) bool { return !slices.Contains(v.SoldIn, country) })
	if len(there) == 0 {
		there = slices.DeleteFunc(slices.Clone(p.Possible), func(v Version) bool { return len(v.SoldIn) > 0 })
	}
	if len(there) > 0 {
		p.Possible = there
	}
	return p
}

// has reports whether the phone has a band, in whatever version it can be.
func (p Phone) has(band string) Presence {
	if p.Model == nil {
		return NotKnown
	}
	if out := p.Model.Bands.Has(band); out != NotKnown || len(p.Possible) == 0 {
		return out
	}
	out := p.Possible[0].Bands.Has(band)
	for _, v := range p.Possible[1:] {
		switch next := v.Bands.Has(band); {
		case next == NotKnown:
			return NotKnown
		case next != out:
			out = Varies
		}
	}
	return out
}

// lockRisk reports whether every version that the phone can be is one that a
// carrier locks.
func (p Phone) lockRisk() bool {
	return len(p.Possible) > 0 && !slices.ContainsFunc(p.Possible, func(v Version) bool { return !v.LockRisk })
}
