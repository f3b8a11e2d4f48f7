package app

import (
	"cmp"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/airalo"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/cmi"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/catalogue"
)

// longestByHand stands for the time of staff where none is configured.
const longestByHand = manual.WithinMost

// builtIn is what the adapters of this program can do, whether configured or not.
func builtIn(m Manual) map[string]carrier.Abilities {
	all := map[string]carrier.Abilities{
		"airalo":     airalo.New(airalo.Config{}, nil, nil).Abilities(),
		"cmi":        cmi.New(cmi.Config{}, nil, nil, nil).Abilities(),
		"esimaccess": esimaccess.New(esimaccess.Config{}, nil, nil, nil).Abilities(),
		"esimgo":     esimgo.New(esimgo.Config{}, nil, nil).Abilities(),
		simple:       (&carriersim.Sim{}).Abilities(),
	}
	if hand, err := manual.New(cmp.Or(m.Within, longestByHand), time.Now); err == nil {
		all[manual.Name] = hand.Abilities()
		all[es2plus.Name] = es2plus.With(hand.Abilities(), false) // unless somebody else is said to renew its lines
	}
	return all
}

// Able is what operators can do by their adapters, for the check of a catalogue.
// renews is who renews the lines of the seller's own SM-DP+; empty: manual.
func Able(r Remote, m Manual, renews string) (map[string]catalogue.Able, error) {
	all := builtIn(m)
	for name, file := range r.Capabilities {
		c, err := readCapabilities(file)
		if err != nil {
			return nil, err
		}
		all[name] = c.Abilities()
	}
	if a, known := all[renews]; known {
		all[es2plus.Name] = es2plus.With(a, false)
	}
	out := map[string]catalogue.Able{}
	for name, a := range all {
		one := catalogue.Able{
			Extend: slices.Contains(a.Modes, carrier.ModeExtend), Queue: slices.Contains(a.Modes, carrier.ModeQueue),
			Parallel: slices.Contains(a.Modes, carrier.ModeParallel), SameDay: slices.Contains(a.Modes, carrier.ModeSameDay),
			AfterEnd: a.AfterEnd, ActiveOnly: a.ActiveOnly, PerDay: a.PerDay, Cancel: a.Cancel,
		}
		if a.ByHand {
			one.ByHand = a.SettlesWithin
		}
		out[name] = one
	}
	return out, nil
}
