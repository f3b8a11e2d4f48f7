//go:build !race

package bench

// raced says that this binary was built with the race detector.
const raced = false
