package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const walk = "asvs.md"

// results are what a requirement can come to, in the order of the table of counts.
var results = []string{"met", "partly", "not met", "not applicable"}

var (
	requirement = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)(?:–(\d+)\.(\d+)\.(\d+))?$`)
	quoted      = regexp.MustCompile("`([^`]+)`")
	testName    = regexp.MustCompile(`^(Test|Fuzz)[A-Z]\w*$`)
	fileName    = regexp.MustCompile(`^[\w./-]+\.(go|mod|sum|md|js|html|json|yaml|yml|sql|txt)$`)
)

// Every row of the walk has a result and says what is missing where something is, no
// requirement has two, and the table of counts is their sum.
func TestTheWalkAddsUp(t *testing.T) {
	text := document(t, walk)
	counts, seen := map[string][]int{}, map[string]bool{}
	for l := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(l, "| "), " |"), " | ")
		first, _, _ := strings.Cut(cells[0], ", ")
		if !strings.HasPrefix(l, "| ") || !requirement.MatchString(first) {
			continue
		}
		word, why, explained := strings.Cut(cells[len(cells)-1], ": ")
		at := slices.Index(results, word)
		if len(cells) != 4 || at < 0 || word != "met" && why == "" || explained && why == "" {
			t.Errorf("a row without a result, or without what is missing: %s", l)
			continue
		}
		for _, one := range requirements(t, cells[0]) {
			if seen[one] {
				t.Errorf("%s has two results", one)
			}
			seen[one] = true
			chapter, _, _ := strings.Cut(one, ".")
			for _, name := range []string{"V" + chapter, "all"} {
				if counts[name] == nil {
					counts[name] = make([]int, len(results))
				}
				counts[name][at]++
			}
		}
	}
	table := rows(text, "| chapter |")
	if len(table) != len(counts) || len(seen) < 200 {
		t.Errorf("%d rows of counts, want %d; %d requirements", len(table), len(counts), len(seen))
	}
	for _, r := range table {
		name, _, _ := strings.Cut(r[0], " ")
		if got, want := strings.Join(r[1:], " "), strings.Trim(fmt.Sprint(counts[name]), "[]"); got != want {
			t.Errorf("%s: counted %s, the table says %s", name, want, got)
		}
	}
}

// requirements are those that a cell names: "2.1.1–2.1.3, 2.1.9" are four.
func requirements(t *testing.T, cell string) (all []string) {
	t.Helper()
	for one := range strings.SplitSeq(cell, ", ") {
		m := requirement.FindStringSubmatch(one)
		if m == nil {
			t.Errorf("%q is no requirement", one)
			continue
		}
		from, last := m[3], m[3]
		if m[4] != "" {
			last = m[6]
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(last)
		if errA != nil || errB != nil || b < a || m[4] != "" && (m[4] != m[1] || m[5] != m[2]) {
			t.Errorf("%q is no range", one)
			continue
		}
		for n := a; n <= b; n++ {
			all = append(all, fmt.Sprintf("%s.%s.%d", m[1], m[2], n))
		}
	}
	return all
}

// Files and tests that the walk names are there.
func TestTheWalkNamesWhatThereIs(t *testing.T) {
	tests := everyTest(t)
	named := 0
	for _, m := range quoted.FindAllStringSubmatch(document(t, walk), -1) {
		switch name := m[1]; {
		case testName.MatchString(name):
			named++
			if !strings.Contains(tests, "\nfunc "+name+"(") {
				t.Errorf("there is no test %s", name)
			}
		case fileName.MatchString(name):
			named++
			if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(name))); err != nil {
				t.Error(err)
			}
		}
	}
	if named < 200 {
		t.Errorf("only %d names found", named)
	}
}

// everyTest is the source of all tests of the project.
func everyTest(t *testing.T) string {
	t.Helper()
	var tests strings.Builder
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && strings.HasPrefix(e.Name(), ".") && path != "..":
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		tests.Write(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests.String()
}
