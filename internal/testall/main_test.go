package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// Every test that runs without the race detector only is one that testall runs so,
// and every package that it names is there.
func TestNothingRunsNowhere(t *testing.T) {
	t.Chdir("../..")
	all, err := packages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sequential {
		if !slices.ContainsFunc(all, func(p pkg) bool { return p.name == module+"/"+name && p.sequential }) {
			t.Errorf("there is no package %s", name)
		}
	}
	i := slices.IndexFunc(all, func(p pkg) bool { return p.name == module+"/order" })
	if i < 0 || !slices.Contains(all[i].skip, "TestEveryFaultAtEveryCall") || !all[i].property {
		t.Errorf("of package order nothing runs without the race detector")
	}
	if !all[i].sqliteOnly || len(all[i].engines) < 100 || slices.Contains(all[i].engines, "TestEveryFaultAtEveryCall") {
		t.Errorf("of package order %d tests run on PostgreSQL", len(all[i].engines))
	}
	for name, tests := range partly {
		if !slices.ContainsFunc(all, func(p pkg) bool { return p.name == module+"/"+name && !p.sequential && len(p.skip) == 0 }) {
			t.Errorf("there is no package %s, or the detector leaves it out otherwise, too", name)
		}
		for _, test := range tests {
			out, err := exec.Command("git", "grep", "-l", "^func "+test+"(", "--", name).Output()
			if err != nil || len(out) == 0 {
				t.Errorf("package %s has no test %s", name, test)
			}
		}
	}
	for _, p := range all {
		if p.sequential && len(p.skip) > 0 {
			t.Errorf("%s runs without the race detector anyway", p.name)
		}
	}
}

// A test that would skip itself in every run is an error.
func TestLateSkipIsRefused(t *testing.T) {
	dir := t.TempDir()
	late := "package x\n\nfunc TestA(t *testing.T) {\n\tt.Parallel()\n\tracetest.Skip(t)\n}\n"
	if err := os.WriteFile(dir+"/x_test.go", []byte(late), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := skipping(dir); err == nil {
		t.Errorf("found %v and no error", got)
	}
}

// A helper that brings the engines hides its tests, and is an error.
func TestHiddenEnginesAreRefused(t *testing.T) {
	dir := t.TempDir()
	hidden := "package x\n\nfunc each(t *testing.T) {\n\tdbtest.Each(t, nil)\n}\n\nfunc TestA(t *testing.T) {\n\teach(t)\n}\n"
	if err := os.WriteFile(dir+"/x_test.go", []byte(hidden), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := onEngines(dir); err == nil {
		t.Errorf("found %v and no error", got)
	}
}
