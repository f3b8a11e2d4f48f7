package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var storySeed = regexp.MustCompile("^`--seed (\\d+) --faults (some|wild) --orders (\\d+)`")

// Everything that the town and chaos found is held by a test that is there, and where a
// seed of the town found it, by that town, which is told in every run or with all points.
func TestWhatWasFoundIsHeld(t *testing.T) {
	tests := everyTest(t)
	towns, err := os.ReadFile("../e2e/towns/towns_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(towns), "var found = ")
	list, _, _ = strings.Cut(list, "\n}\n")
	list = strings.ReplaceAll(list, "_", "")
	seeds := 0
	for _, r := range rows(document(t, "reliability.md"), "| found with |") {
		if len(r) != 4 {
			t.Errorf("a row does not say what was found, what was changed, and what holds it: %q", r)
			continue
		}
		held := 0
		for _, m := range quoted.FindAllStringSubmatch(r[3], -1) {
			if !testName.MatchString(m[1]) {
				continue
			}
			held++
			if !strings.Contains(tests, "\nfunc "+m[1]+"(") {
				t.Errorf("there is no test %s", m[1])
			}
		}
		if held == 0 {
			t.Errorf("no test holds what was found with %s", r[0])
		}
		if m := storySeed.FindStringSubmatch(r[0]); m != nil {
			seeds++
			if told := fmt.Sprintf("town{%s, world.%sFaults, %s}", m[1], strings.ToUpper(m[2][:1])+m[2][1:], m[3]); !strings.Contains(list, told) {
				t.Errorf("%s is not in the list of e2e/towns", told)
			}
		}
	}
	if seeds == 0 || seeds != strings.Count(list, "town{") {
		t.Errorf("%d seeds here, and %d in the list of e2e/towns", seeds, strings.Count(list, "town{"))
	}
}
