//go:build !linux

package dbtest

import "testing"

// scratch is a directory for a database that lives as long as the test.
func scratch(t testing.TB) string {
	t.Helper()
	return t.TempDir()
}
