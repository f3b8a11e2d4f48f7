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

// roleVariable makes this test binary something else than the tests: the parent
// runs it again as a process that may be killed.
const roleVariable = "TSUZUKU_E2E_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		code := m.Run()
		removeProgram()
		os.Exit(code)
	case roleHouse:
		os.Exit(beHouse())
	case roleFullDisk:
		os.Exit(beOnFullDisk())
	default:
		fmt.Fprintf(os.Stderr, "e2e: no role %q\n", role)
		os.Exit(2)
	}
}

// program is the built binary, made once in a run of the tests; this is why it
// is a variable.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tsuzuku-e2e-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "tsuzuku")
	out, err := exec.Command("go", "build", "-o", file, "github.com/tsuzuku/tsuzuku/cmd/tsuzuku").CombinedOutput()
	if err != nil {
		return "", errors.Join(fmt.Errorf("go build: %w: %s", err, out), os.RemoveAll(dir))
	}
	built.Store("dir", dir)
	return file, nil
})

var built sync.Map // the folder to remove at the end, if there is one

func removeProgram() {
	if dir, ok := built.Load("dir"); ok {
		_ = os.RemoveAll(dir.(string)) // a folder for temporary files
	}
}

// tsuzuku is the path of the built program.
func tsuzuku(t *testing.T) string {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// cleanEnviron is our environment without what configures the program.
func cleanEnviron(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TSUZUKU_") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}
