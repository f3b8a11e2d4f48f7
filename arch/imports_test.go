package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tsuzuku/tsuzuku/"

// source is one Go file of the repository.
type source struct {
	dir     string // relative to the root, slashes
	file    string
	test    bool
	imports []string // of this module, relative
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && p != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(p), "../")
		s := source{dir: path.Dir(rel), file: rel, test: strings.HasSuffix(p, "_test.go")}
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			if in, ok := strings.CutPrefix(name, module); ok {
				s.imports = append(s.imports, in)
			}
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d Go files found: looking in the wrong place", len(all))
	}
	return all
}

// Imports point one way: down the list of layers.
func TestImportsPointDown(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || isTestPackage(s.dir) {
			continue
		}
		for _, imp := range s.imports {
			if why := forbidden(s.dir, imp); why != "" {
				t.Errorf("%s imports %s: %s", s.file, imp, why)
			}
		}
	}
}

// forbidden says why a package may not import another; "" if it may.
func forbidden(from, to string) string {
	switch {
	case strings.HasPrefix(from, "internal/") || from == "arch" || from == "e2e":
		return "" // tests and tools of the house
	case to == "internal/dbtest/cluster" && from == "bench":
		return "" // a bench is a tool that needs a throw-away PostgreSQL, as tests do
	case strings.HasPrefix(to, "internal/"), to == "arch", to == "e2e":
		return "only tests use it"
	case to == "outbound/outboundsim" && strings.HasSuffix(from, "sim"):
		return "" // the wire to a stranger, who knows nothing of what requests mean
	case strings.HasSuffix(to, "sim"):
		if slices.Contains([]string{"world", "bench", "app"}, top(from)) {
			return ""
		}
		return "only the town, the bench, the demo and tests know simulators"
	case isTestPackage(to):
		return "a conformance suite is for tests"
	case strings.HasSuffix(from, "sim"):
		if to == top(from) || isWord(to) {
			return ""
		}
		return "a simulator knows its port only"
	case path.Dir(to) != "." && !slices.Contains(layers, to) && path.Dir(to) != from && top(from) != top(to) && top(from) != "app" && top(from) != "world":
		return "only app knows adapters by name"
	case isAdapter(from):
		if to == top(from) || isWord(to) {
			return ""
		}
		return "an adapter knows its port and words"
	}
	a, b := rank(from), rank(to)
	switch {
	case a < 0:
		return from + " has no layer; add it to the list in arch.go"
	case b < 0:
		return to + " has no layer; add it to the list in arch.go"
	case b > a:
		return "imports point down, and " + to + " stands above " + from
	}
	return ""
}

// Rooms that are apart do not import each other, directly or through others.
func TestRoomsApart(t *testing.T) {
	imports := map[string][]string{}
	for _, s := range sources(t) {
		imports[s.dir] = append(imports[s.dir], s.imports...)
	}
	for _, pair := range apart {
		for i := range pair {
			from, to := pair[i], pair[1-i]
			if len(imports[from]) == 0 && from == "advice" {
				t.Fatalf("%s imports nothing of the house: looking in the wrong place", from)
			}
			if way := wayTo(imports, []string{from}, to); way != nil {
				t.Errorf("%s are apart, and there is a way: %s", strings.Join(pair[:], " and "), strings.Join(way, " → "))
			}
		}
	}
}

// wayTo is how the last package of a way comes to know another; nil if it does
// not. No package is looked at twice.
func wayTo(imports map[string][]string, way []string, to string) []string {
	seen := map[string]bool{}
	var walk func(way []string) []string
	walk = func(way []string) []string {
		for _, next := range imports[way[len(way)-1]] {
			if next == to {
				return append(way, next)
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			if found := walk(append(slices.Clone(way), next)); found != nil {
				return found
			}
		}
		return nil
	}
	return walk(way)
}

func top(pkg string) string { return strings.SplitN(pkg, "/", 2)[0] }

func isWord(pkg string) bool {
	at := slices.Index(layers, pkg)
	return at >= 0 && at <= slices.Index(layers, lastWord)
}

func isAdapter(pkg string) bool { return slices.Contains(adapters, top(pkg)) && pkg != top(pkg) }

func isTestPackage(pkg string) bool { return strings.HasSuffix(path.Base(pkg), "test") }

// rank is a package's place in the list; a child stands where its parent does.
func rank(pkg string) int {
	if at := slices.Index(layers, pkg); at >= 0 {
		return at
	}
	return slices.Index(layers, top(pkg))
}

// Every package says what it is for, and whether anyone else may rely on it.
func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	promised := []string{"message", "payment", "carrier", "app"}
	comments := map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), "../"+s.file, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		comments[s.dir] += f.Doc.Text()
	}
	const disclaimer = "this package promises nothing to other modules"
	for dir, doc := range comments {
		switch {
		case !strings.HasPrefix(doc, "Package ") && !strings.HasPrefix(doc, "Command "):
			t.Errorf("%s: no package comment", dir)
		case strings.HasPrefix(doc, "Command ") || isTestPackage(dir) || slices.Contains(promised, dir):
		case !strings.Contains(strings.Join(strings.Fields(doc), " "), disclaimer):
			t.Errorf("%s: the package comment does not say that %s", dir, disclaimer)
		}
	}
}

// Nothing of the machine it was written on is in the repository.
func TestNoPathsOfOneMachine(t *testing.T) {
	for _, s := range sources(t) {
		text, err := os.ReadFile("../" + s.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"/" + "work/", "/" + "root/", "/tmp/" + "bash_jobs"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s names %s", s.file, bad)
			}
		}
	}
}
