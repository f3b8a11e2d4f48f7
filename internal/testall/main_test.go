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
	i := slices.IndexFunc(all, func(p pkg) bool { return p.name == module+"/advice" })
	if i < 0 || len(all[i].skip) == 0 || !all[i].property {
		t.Errorf("of package advice nothing runs without the race detector")
	}
	if i := slices.IndexFunc(all, func(p pkg) bool { return p.name == longest }); i < 0 || !all[i].sequential || all[i].property {
		t.Errorf("the longest package is none, or needs flags that it does not get")
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
