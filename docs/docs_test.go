// Package docs_test keeps the documents true: examples are read by the program,
// and whatever the program knows by name is written about.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
)

// Every example of the catalogue file can be read: complete ones as they are,
// parts of one in their place in the demo's file.
func TestCatalogueExamplesAreRead(t *testing.T) {
	all := examples(t)
	if len(all) < 10 {
		t.Fatalf("only %d examples found: looking for the wrong thing", len(all))
	}
	complete := 0
	for _, e := range all {
		if isComplete(t, e) {
			complete++
		} else {
			e = inDemo(t, e)
		}
		if _, err := catalogue.Read("example", []byte(e)); err != nil {
			t.Errorf("%v\n%s", err, e)
		}
	}
	if complete == 0 {
		t.Error("no example is complete")
	}
}

// The policies in the document are the demo's, field by field.
func TestShapesAreTheDemos(t *testing.T) {
	type file struct {
		Policies map[string]map[string]any `yaml:"policies"`
	}
	var demo file
	decode(t, string(catalogue.DemoFile()), &demo)
	shown := map[string]bool{}
	for _, e := range examples(t) {
		var f file
		decode(t, e, &f)
		for name, fields := range f.Policies {
			shown[name] = true
			if diff := cmp.Diff(demo.Policies[name], fields); diff != "" {
				t.Errorf("policy %s is not the demo's (-demo +document):\n%s", name, diff)
			}
		}
	}
	for name := range demo.Policies {
		if !shown[name] {
			t.Errorf("the demo's policy %s is not shown", name)
		}
	}
}

// Each block of the file has a table with exactly its keys.
func TestEveryKeyHasItsRow(t *testing.T) {
	tables := keyTables(t)
	read := blocksOfReader(t)
	if len(read) < 12 {
		t.Fatalf("only %d blocks found in the reader", len(read))
	}
	for _, keys := range read {
		if !slices.Contains(tables, keys) {
			t.Errorf("no table has the keys %s", keys)
		}
	}
	for _, keys := range tables {
		if !slices.Contains(read, keys) {
			t.Errorf("the reader has no block with the keys %s", keys)
		}
	}
}

// Every word that a value can be is in the document.
func TestEveryWordIsExplained(t *testing.T) {
	text := document(t, "catalogue.md")
	kinds := []string{"Kind", "Reset", "Until", "Condition", "Effect", "DataRule", "RefundRule"}
	n := 0
	for _, f := range sources(t, "../catalogue") {
		for _, w := range constants(f, kinds...) {
			n++
			if !strings.Contains(text, "`"+w+"`") {
				t.Errorf("%q is not explained", w)
			}
		}
	}
	if n < 25 {
		t.Fatalf("only %d words found in the program", n)
	}
}

// A sentence in “…” is one that a customer can read.
func TestSentencesAreThePrograms(t *testing.T) {
	said := map[string]bool{}
	demo := catalogue.Demo()
	for _, p := range demo.Plans {
		for _, s := range catalogue.Sentences(demo, p, locale.En) {
			said[s.Text] = true
		}
	}
	quoted := regexp.MustCompile(`“([^”]+)”`).FindAllStringSubmatch(document(t, "catalogue.md"), -1)
	if len(quoted) < 20 {
		t.Fatalf("only %d sentences found", len(quoted))
	}
	for _, q := range quoted {
		if !said[q[1]] {
			t.Errorf("nobody reads %q", q[1])
		}
	}
}

// Each common mistake, made in the demo's file, gives the message beside it.
func TestMistakesGiveTheirMessages(t *testing.T) {
	table := rows(document(t, "catalogue.md"), "| instead of |")
	if len(table) < 15 {
		t.Fatalf("only %d mistakes found", len(table))
	}
	for _, r := range table {
		good, bad := code(r[0]), code(r[1])
		file := string(catalogue.DemoFile())
		if good == "" || !strings.Contains(file, good) {
			t.Errorf("the demo's file has no %q", good)
			continue
		}
		_, err := catalogue.Read("m", []byte(strings.Replace(file, good, bad, 1)))
		if err == nil || !strings.Contains(err.Error(), r[2]) {
			t.Errorf("%q instead of %q: %v\nwant %s", bad, good, err, r[2])
		}
	}
}

// examples are the blocks marked as parts of a catalogue file.
func examples(t *testing.T) []string {
	t.Helper()
	var out []string
	block := regexp.MustCompile("(?ms)^```yaml catalogue\n(.*?)^```$")
	for _, m := range block.FindAllStringSubmatch(document(t, "catalogue.md"), -1) {
		out = append(out, m[1])
	}
	return out
}

func isComplete(t *testing.T, example string) bool {
	t.Helper()
	var top map[string]any
	decode(t, example, &top)
	return top["seller"] != nil
}

// inDemo is the demo's file with the parts that an example has in their place.
func inDemo(t *testing.T, example string) string {
	t.Helper()
	var demo, part yaml.Node
	decode(t, string(catalogue.DemoFile()), &demo)
	decode(t, example, &part)
	for i := 0; i < len(part.Content[0].Content); i += 2 {
		key, value := part.Content[0].Content[i], part.Content[0].Content[i+1]
		there := member(demo.Content[0], key.Value)
		switch {
		case there == nil:
			t.Fatalf("a catalogue has no %q", key.Value)
		case value.Kind == yaml.MappingNode:
			putMembers(there, value)
		default:
			putElements(there, value)
		}
	}
	out, err := yaml.Marshal(&demo)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func member(of *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(of.Content); i += 2 {
		if of.Content[i].Value == key {
			return of.Content[i+1]
		}
	}
	return nil
}

func putMembers(into, from *yaml.Node) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		if there := member(into, from.Content[i].Value); there != nil {
			*there = *from.Content[i+1]
			continue
		}
		into.Content = append(into.Content, from.Content[i], from.Content[i+1])
	}
}

// putElements replaces the elements that have the same id, and appends others.
func putElements(into, from *yaml.Node) {
	for _, e := range from.Content {
		at := slices.IndexFunc(into.Content, func(old *yaml.Node) bool { return member(old, "id").Value == member(e, "id").Value })
		if at < 0 {
			into.Content = append(into.Content, e)
			continue
		}
		into.Content[at] = e
	}
}

// keyTables are the keys of each table of keys, sorted, in one string.
func keyTables(t *testing.T) []string {
	t.Helper()
	var out []string
	text := document(t, "catalogue.md")
	for {
		at := strings.Index(text, "\n| key |")
		if at < 0 {
			return out
		}
		text = text[at+1:]
		var keys []string
		for _, r := range rows(text, "| key |") {
			keys = append(keys, code(r[0]))
		}
		out = append(out, joined(keys))
	}
}

// blocksOfReader are the keys of each call of section in the reader.
func blocksOfReader(t *testing.T) []string {
	t.Helper()
	var out []string
	named := map[string][]string{} // variables that hold lists of keys
	files := sources(t, "../catalogue")
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
				named[v.Names[0].Name] = texts(v.Values[0])
			}
			return true
		})
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || called(call) != "section" {
				return true
			}
			var keys []string
			for _, arg := range call.Args {
				keys = append(keys, texts(arg)...)
				ast.Inspect(arg, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						keys = append(keys, named[id.Name]...)
					}
					return true
				})
			}
			if len(keys) > 0 && !slices.Contains(keys, "use") && slices.Equal(keys, named["policyKeys"]) {
				return true // a plan's own block has these and one more
			}
			if len(keys) > 0 {
				out = append(out, joined(keys))
			}
			return true
		})
	}
	return out
}

func joined(keys []string) string {
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// document is the text of a file in this folder.
func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows are the cells of the table whose first line begins with head.
func rows(text, head string) [][]string {
	lines := strings.Split(text, "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, head) })
	if at < 0 {
		return nil
	}
	var out [][]string
	for _, l := range lines[min(at+2, len(lines)):] {
		if !strings.HasPrefix(l, "| ") {
			break
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(l, "| "), " |"), " | ")
		out = append(out, cells)
	}
	return out
}

// code is what stands between the first pair of backquotes of a cell.
func code(cell string) string {
	_, rest, _ := strings.Cut(cell, "`")
	inside, _, _ := strings.Cut(rest, "`")
	return inside
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// sources are the parsed files of a package, without its tests.
func sources(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		t.Fatalf("no Go files in %s", dir)
	}
	return out
}

// called is the name of what is called, without the package or receiver.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// texts are the string literals within n.
func texts(n ast.Node) []string {
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}

// constants are the values of the constants in f of these types.
func constants(f *ast.File, types ...string) []string {
	var out []string
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			if kind, ok := v.Type.(*ast.Ident); ok && slices.Contains(types, kind.Name) {
				out = append(out, texts(v)...)
			}
		}
	}
	return out
}
