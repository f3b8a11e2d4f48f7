package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every patch still fits the product. That it compiles, and that the auditor finds
// it, is what the command is for, which takes too long for every run of the tests.
func TestEveryPatchFits(t *testing.T) {
	t.Chdir("../..")
	files, err := filepath.Glob(filepath.Join(folder, "*.patch"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d patches, %v; want at least 20", len(files), err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if says, _, _ := strings.Cut(string(text), "\n"); !strings.HasSuffix(says, ".") {
			t.Errorf("%s does not begin with a sentence", f)
		}
		if _, err := apply(t.Context(), f, t.TempDir()); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}
