package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// screen is how many lines a function may have: as many as fit a screen.
const screen = 70

// Every function fits a screen, and every file tells one thing.
func TestFunctionsFitAScreen(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, "../"+s.file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1; n > screen {
				t.Errorf("%s: %s has %d lines", s.file, fn.Name.Name, n)
			}
		}
		if n := set.Position(f.End()).Line; n > 600 {
			t.Errorf("%s has %d lines; is it still one idea?", s.file, n)
		}
	}
}
