package catalogue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong in a catalogue file, said so that the
// person who wrote the line can put it right.
type Mistake struct {
	File    string // the name given to [Read]
	Line    int    // from 1
	Column  int    // from 1
	Path    string // "plans[tokyo-7].terms[7d].prices.JPY"; empty for the whole file
	Message string // a full sentence

	rule bool // the file can be read, but contradicts itself
}

// String is the mistake as compilers write theirs.
func (m Mistake) String() string {
	where := fmt.Sprintf("%s:%d:%d: ", m.File, m.Line, m.Column)
	if m.Path != "" {
		where += m.Path + ": "
	}
	return where + m.Message
}

// Mistakes is everything that is wrong in a file, in the order of its lines.
// It is the error of [Read].
type Mistakes []Mistake

// Error is one mistake a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// tidy sorts by line and drops repetitions: a mistake in a named policy would
// otherwise be told once for every plan that uses it.
func (m Mistakes) tidy() Mistakes {
	type identity struct {
		line, column int
		message      string
	}
	told := map[identity]bool{}
	m = slices.DeleteFunc(slices.Clone(m), func(one Mistake) bool {
		is := identity{one.Line, one.Column, one.Message}
		if told[is] {
			return true
		}
		told[is] = true
		return false
	})
	slices.SortStableFunc(m, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return m
}

// unreadable are the mistakes that leave a value unknown.
func (m Mistakes) unreadable() Mistakes {
	return slices.DeleteFunc(slices.Clone(m), func(one Mistake) bool { return one.rule })
}
