package intake_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/intake"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// No file makes the program fail: each row is counted once, as new, as there or as
// having a mistake, whose line is in the file.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{people, cards, codes, served, purses, "email\n\"", "\uFEFF", ";\n", "email,email\na@b.example,"} {
		for kind := range intake.Kinds() {
			f.Add(kind, s)
		}
	}
	o := newOffice(f, dbtest.SQLite(f))
	f.Fuzz(func(t *testing.T, kind int, file string) {
		kinds := intake.Kinds()
		k := kinds[(kind%len(kinds)+len(kinds))%len(kinds)]
		table, err := intake.ReadTable(k, strings.NewReader(file))
		if err != nil {
			return
		}
		r, err := o.in.Check(context.Background(), k, table)
		if err != nil {
			t.Fatal(err)
		}
		if r.New+r.There+len(r.Bad) != r.Rows && len(r.Mistakes) == 0 {
			t.Errorf("%+v", r)
		}
		for _, m := range r.Mistakes {
			if m.Line < 1 || m.Line > strings.Count(file, "\n")+strings.Count(file, "\r")+1 || m.Text == "" {
				t.Errorf("%+v", m)
			}
		}
	})
}
