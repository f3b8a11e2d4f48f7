//go:build !race

package raced

// On says that this binary was built with the race detector.
const On = false
