package main

import (
	"encoding/json"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// The bill of materials has what is built in, in the versions of go.mod, and nothing that
// go.mod does not know.
func TestMaterials(t *testing.T) {
	var out, errOut strings.Builder
	if code := run([]string{"bom"}, &out, &errOut); code != 0 {
		t.Fatalf("%d %s", code, &errOut)
	}
	var b bom
	if err := json.Unmarshal([]byte(out.String()), &b); err != nil || b.Format != "CycloneDX" || b.Metadata.Component.Name != "github.com/tsuzuku/tsuzuku" {
		t.Fatalf("%v\n%s", err, &out)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	required := regexp.MustCompile(`(?m)^\s+(\S+) (v\S+)`).FindAllStringSubmatch(string(mod), -1)
	has := func(name, version string) bool {
		return slices.Contains(b.Components, component{"library", name, version, "pkg:golang/" + name + "@" + version})
	}
	for _, m := range required {
		if slices.Contains([]string{"github.com/alecthomas/kong", "modernc.org/sqlite", "github.com/jackc/pgx/v5"}, m[1]) && !has(m[1], m[2]) {
			t.Errorf("%s %s is missing", m[1], m[2])
		}
	}
	for _, c := range b.Components {
		known := slices.ContainsFunc(required, func(m []string) bool { return m[1] == c.Name && m[2] == c.Version })
		if !known && c.Name != "std" {
			t.Errorf("go.mod does not know %s %s", c.Name, c.Version)
		}
	}
	if len(b.Components) < 10 || !has("std", runtime.Version()) {
		t.Errorf("%d components: %+v", len(b.Components), b.Components)
	}
}

// Of a module that is replaced the other one is named.
func TestReplacedMaterials(t *testing.T) {
	b := materials(&debug.BuildInfo{Deps: []*debug.Module{{Path: "a", Version: "v1.0.0", Replace: &debug.Module{Path: "b", Version: "v2.0.0"}}}})
	if got := b.Components[0]; got.PURL != "pkg:golang/b@v2.0.0" {
		t.Errorf("%+v", got)
	}
}
