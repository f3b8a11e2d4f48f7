//go:build !race

package examination

// raced says that this binary was built with the race detector.
const raced = false
