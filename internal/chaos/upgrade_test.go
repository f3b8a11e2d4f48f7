package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest/cluster"
)

// TestMain lets this binary be the strangers, as the command does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "strangers" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The schema is migrated by the next version while customers buy, and after that programs
// of both versions are started and stopped by turns: no order that was acknowledged is
// lost, and none is carried out twice.
func TestUpgradeAndBackUnderLoad(t *testing.T) {
	o := options{seed: 33, length: 24 * time.Second, customers: 8, upgrade: true}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // PostgreSQL runs as another user and goes through
		t.Fatal(err)
	}
	binary, next, err := o.build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, bare := range map[string]ground{"sqlite": &file{bare: true}, "postgres": &single{bare: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &run{
				engine: name, ground: bare, binary: binary, next: next, dir: filepath.Join(shortDir(t), name), seed: o.seed,
				faults: map[string]int{}, calmly: true,
			}
			s, err := r.whole(t.Context(), o)
			if _, missing := errors.AsType[errSkipped](err); missing && os.Getenv("CI") == "" {
				t.Skip("NOT TESTED: " + cluster.ErrNotInstalled.Error())
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, wrong := range [][]string{s.Lost, s.Doubled, s.Wrong} {
				for _, w := range wrong {
					t.Error(w)
				}
			}
			seen := fmt.Sprintf("%d orders acknowledged, %d completed; stopped %d times; after the migration %d starts of this version, %d of the next, %d ended themselves",
				s.Acknowledged, s.Completed, s.Stops, s.Older, s.Newer, s.Ends)
			if s.Completed < 10 || s.Older == 0 || s.Newer == 0 {
				t.Error("too little to say anything:", seen)
			}
			t.Log(seen)
		})
	}
}

// shortDir is where sockets have short names, and where another user may go through.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tsuzuku-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // see above
		t.Fatal(err)
	}
	return dir
}
