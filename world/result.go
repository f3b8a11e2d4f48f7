package world

import (
	"slices"
	"time"
)

// Result is what a simulation comes to.
type Result struct {
	Seed       uint64            `json:"seed"`
	Faults     Faults            `json:"faults"`
	Orders     int               `json:"orders"` // that customers wanted
	Outcomes   map[string]int    `json:"outcomes"`
	Injected   map[string]int    `json:"injected"`                 // faults, by kind
	Repairs    map[string]Repair `json:"repairs"`                  // what the system put right by itself, by kind
	Detected   Detection         `json:"detect_seconds"`           // from when something was wrong until the repairer found it
	Settled    Spread            `json:"settle_seconds"`           // from when an order was paid until it was completed or given back
	Reachable  Spread            `json:"settle_reachable_seconds"` // the same from when nothing was in its way, see [auditor.free], without what a person decided
	Late       int               `json:"settled_late"`             // of these, later than promised, see [auditor.holdToPromise]
	Hosts      int               `json:"hosts"`
	Lives      int               `json:"process_lives"`
	Violations []string          `json:"violations"`
}

// Spread says how long something took, in seconds of the town's time.
type Spread struct {
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// Detection says how often the repairer found something, how often that was later than
// promised, and how long after it had come about, in seconds that the house had: see
// [workedBetween].
type Detection struct {
	Times int `json:"times"`
	Late  int `json:"late"`
	Spread
}

// Repair says how often something was put right, and how long it took, from when the
// money had come, in seconds of the town's time.
type Repair struct {
	Times int `json:"times"`
	Spread
}

// spread is how the durations lie, in whole seconds.
func spread(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	slices.Sort(all)
	at := func(percent int) int64 { return int64(all[(len(all)-1)*percent/100] / time.Second) }
	return Spread{P50: at(50), P99: at(99), Max: at(100)}
}
