package device

import "github.com/tsuzuku/tsuzuku/catalogue"

// Kind of area, as people think of a country; there is no map behind it.
const (
	City    AreaKind = "city"
	Suburb  AreaKind = "suburb"
	Remote  AreaKind = "remote"  // mountains and islands
	Indoors AreaKind = "indoors" // deep inside buildings, basements
)

// AreaKind is a kind of area.
type AreaKind string

// Level is how much can be expected in an area.
type Level string

// The levels.
const (
	Full         Level = "full"
	Gaps         Level = "gaps" // what carries the area well is missing; something else reaches parts of it
	None         Level = "none"
	LevelUnknown Level = "unknown"
)

// Area is what a phone can expect of a network in one kind of area.
type Area struct {
	Kind    AreaKind
	Level   Level
	Missing []string // the bands one of which would make it full; empty for Full
	Varies  bool     // some versions of the phone have one of them
}

// Coverage says what a network carries by kind of area for a phone that has what
// has reports: its main layer carries cities and suburbs, and its reaching layer
// mountains, islands and the inside of buildings. It is empty for a network
// whose layers nobody has written down.
func Coverage(n catalogue.Network, has func(band string) Presence) []Area {
	l := n.Layers
	if len(l.Main) == 0 || len(l.Reach) == 0 {
		return nil
	}
	more := join(l.Reach, l.ReachMore)
	return []Area{
		area(City, l.Main, join(l.City, more), has),
		area(Suburb, l.Main, more, has),
		area(Remote, l.Reach, join(l.Main, l.ReachMore), has),
		area(Indoors, l.Reach, join(l.Main, l.ReachMore), has),
	}
}

// Everything is the phone that has every band.
func Everything(string) Presence { return Has }

// area is full with one of the bands that carry it, and has gaps with another.
func area(k AreaKind, carry, help []string, has func(string) Presence) Area {
	a := Area{Kind: k, Level: Full}
	first := oneOf(carry, has)
	if first == Has {
		return a
	}
	a.Missing, a.Varies = carry, first == Varies
	switch {
	case first == NotKnown:
		a.Level, a.Missing = LevelUnknown, nil
	case first == Varies, oneOf(help, has) == Has, oneOf(help, has) == Varies:
		a.Level = Gaps
	case oneOf(help, has) == NotKnown:
		a.Level = LevelUnknown
	default:
		a.Level = None
	}
	return a
}

// oneOf reports whether the phone has one of several bands.
func oneOf(bands []string, has func(string) Presence) Presence {
	out := Lacks
	for _, b := range bands {
		switch p := has(b); {
		case p == Has:
			return Has
		case p == NotKnown, p == Varies && out == Lacks:
			out = p
		}
	}
	return out
}

func join(a, b []string) []string { return append(append([]string{}, a...), b...) }
