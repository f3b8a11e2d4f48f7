package world

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/audit"
)

// A sign that has another name now would no longer be watched, and hardly anything
// would say so.
func TestWhatOursAloneNamesAreSigns(t *testing.T) {
	all := audit.Signs()
	for _, name := range oursAlone {
		if _, known := all[name]; !known {
			t.Errorf("the repairer has no sign %q", name)
		}
	}
	if len(all) <= len(oursAlone) {
		t.Errorf("%d signs in all, and %d of them ours alone: some come about without a mistake", len(all), len(oursAlone))
	}
}
