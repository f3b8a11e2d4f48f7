package order_test

import "testing"

// alone is for long stories that are driven from one goroutine: the race detector
// makes them several times as long, and has nothing to find that the others have
// not. CI runs this package without it as well.
func alone(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("told from one goroutine; it runs without the race detector")
	}
}
