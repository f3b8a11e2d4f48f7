//go:build race

package advice

// raced says that this binary was built with the race detector.
const raced = true
