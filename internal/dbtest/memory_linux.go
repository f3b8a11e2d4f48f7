package dbtest

import (
	"os"
	"syscall"
	"testing"
)

// memory is where Linux keeps files that need no disk.
const memory = "/dev/shm"

// room is how much of it must be free before tests are put there: containers may
// have very little.
const room = 1 << 30

// scratch is a directory for a database that lives as long as the test. Nobody
// cuts the power here, and waiting for a disk at every commit finds nothing.
func scratch(t testing.TB) string {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(memory, &s); err != nil || s.Bavail*uint64(s.Bsize) < room {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "tsuzuku-*") //nolint:usetesting // t.TempDir chooses where, and it is not there
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
