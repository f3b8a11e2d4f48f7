//go:build !race

package racetest

// On says that this binary was built with the race detector.
const On = false
