//go:build race

package e2e

// raced says that this binary was built with the race detector.
const raced = true
