package app

import (
	"os"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/catalogue"
)

// Every adapter below carrier/ is compared with catalogues, and the demo's promises
// no more than its operators can do.
func TestEveryAdapterIsCompared(t *testing.T) {
	able, err := Able(Remote{}, Manual{}, "")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir("../carrier")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		name := f.Name()
		if !f.IsDir() || strings.HasSuffix(name, "sim") || strings.HasSuffix(name, "test") || name == "remote" { // whose servers say it
			continue
		}
		if _, ok := able[name]; !ok {
			t.Errorf("the adapter %s is not in builtIn", name)
		}
	}
	_, warnings, err := catalogue.CheckWith("demo.yaml", catalogue.DemoFile(), able)
	if err != nil || len(warnings) > 0 {
		t.Errorf("the demo's catalogue: %v %v", err, warnings)
	}
}
