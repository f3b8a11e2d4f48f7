package advice

import "testing"

// computes is for tests that compute much and alone: the race detector makes them
// ten times as long, lets a [sync.Pool] forget on purpose, and has nothing to find.
// CI runs this package without it as well.
func computes(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("computes alone; it runs without the race detector")
	}
}
