//go:build race

package order_test

// raced says that this binary was built with the race detector.
const raced = true
