package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// unraced is this package's tests, built once without the race detector; this is
// why it is a variable.
var unraced = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tsuzuku-e2e-")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "e2e.test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, ".").CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("go test -c: %w: %s", err, out), os.RemoveAll(dir))
	}
	built.Store("unraced", dir)
	return binary, nil
})

// ranUnraced runs the test in a binary that was built without the race detector,
// if this one was built with it, and says whether it did. For tests of hundreds
// of stories that are each driven from one goroutine, or of a thousand processes:
// the detector makes them four times as long, and has nothing to find that the
// other tests have not.
func ranUnraced(t *testing.T) bool {
	t.Helper()
	if !raced {
		return false
	}
	binary, err := unraced()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.run", "^" + t.Name() + "$", "-test.v", "-test.timeout", "30m"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if err != nil || strings.Contains(line, " points") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if err != nil {
		t.Error(err)
	}
	return true
}
