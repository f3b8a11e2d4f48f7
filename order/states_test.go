package order

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/states.md")

// docs/states.md shows every move there is, and no other.
func TestStatesAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("# States of an order\n\nMade from `moves` in order/state.go by `go test ./order -run States -update`.\n\n```mermaid\nstateDiagram-v2\n    [*] --> placed\n")
	for _, from := range States {
		for _, to := range moves[from] {
			b.WriteString("    " + string(from) + " --> " + string(to) + "\n")
		}
		if from.Final() {
			b.WriteString("    " + string(from) + " --> [*]\n")
		}
	}
	b.WriteString("```\n")
	const file = "../docs/states.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != b.String() {
		t.Errorf("%s is not what the moves say; run go test ./order -run States -update (%v)", file, err)
	}
}
