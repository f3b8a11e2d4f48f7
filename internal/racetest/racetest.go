// Package racetest says whether a test binary was built with the race detector, and
// lets tests that need no such detector wait for the run without it: it makes
// what only computes, or is told from one goroutine, up to ten times as long and
// cannot find anything in it.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package racetest

import "testing"

// Skip skips a test that runs alone when the race detector is on. It is the first
// statement of the test: testall finds the tests by that, and runs them without it.
func Skip(t testing.TB) {
	t.Helper()
	if On {
		t.Skip("nothing runs side by side here; it runs without the race detector")
	}
}
