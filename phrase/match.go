package phrase

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// entries are the rows of a table as they are written in the source: words that
// mean the same, separated by spaces (an underscore stands for a space within
// one), and what they mean.
type entries[T any] []struct {
	words string
	means T
}

// table finds the longest of many words at a place of a folded text.
type table[T any] struct {
	means   map[string]T
	lengths [256][]int // of the words by their first byte, the longest first
}

// tabulate makes a table. The first row that has a word gives its meaning.
func tabulate[T any](rows ...entries[T]) *table[T] {
	t := &table[T]{means: map[string]T{}}
	for _, row := range slices.Concat(rows...) {
		for w := range strings.FieldsSeq(row.words) {
			w = Fold(strings.ReplaceAll(w, "_", " "))
			if _, ok := t.means[w]; ok || w == "" {
				continue
			}
			t.means[w] = row.means
			if n := &t.lengths[w[0]]; !slices.Contains(*n, len(w)) {
				*n = append(*n, len(w))
				slices.SortFunc(*n, func(a, b int) int { return b - a })
			}
		}
	}
	return t
}

// at returns the meaning of the longest word of the table that stands at i, and
// where it ends. Words of Latin letters do not end or begin within another.
func (t *table[T]) at(s string, i int) (means T, end int, ok bool) {
	if i >= len(s) || latinBefore(s, i) && isLatin(s[i]) {
		return means, i, false
	}
	for _, n := range t.lengths[s[i]] {
		end := i + n
		if end > len(s) || end < len(s) && isLatin(s[end-1]) && isLatin(s[end]) {
			continue
		}
		if m, ok := t.means[s[i:end]]; ok {
			return m, end, true
		}
	}
	return means, i, false
}

// before reports whether a word of the table ends at i, spaces apart.
func (t *table[T]) before(s string, i int) (means T, from int, ok bool) {
	for i > 0 && s[i-1] == ' ' {
		i--
	}
	// No word is longer than this many bytes; the longest one counts.
	for from := max(0, i-longestBefore); from < i; from++ {
		if !utf8.RuneStart(s[from]) {
			continue
		}
		if m, end, ok := t.at(s[:i], from); ok && end == i {
			return m, from, true
		}
	}
	return means, i, false
}

const longestBefore = 24

// byLanguage are tables of one kind for each language.
type byLanguage[T any] struct{ zh, ja, en *table[T] }

// of is the table of l.
func (t byLanguage[T]) of(l Language) *table[T] {
	switch l {
	case Chinese:
		return t.zh
	case Japanese:
		return t.ja
	case English:
	}
	return t.en
}

func isLatin(b byte) bool { return b >= 'a' && b <= 'z' }
func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// latinBefore reports whether the text goes on with the same Latin word at i.
func latinBefore(s string, i int) bool { return i > 0 && isLatin(s[i-1]) }

// digitAt reports whether an ASCII digit stands at i.
func digitAt(s string, i int) bool { return i >= 0 && i < len(s) && isDigit(s[i]) }

// space skips a space at i. Folded texts have no two in a row.
func space(s string, i int) int {
	if i < len(s) && s[i] == ' ' {
		return i + 1
	}
	return i
}

// past skips the word w at i, and spaces before it, and reports whether it stood there.
func past(s string, i int, w string) (int, bool) {
	i = space(s, i)
	if strings.HasPrefix(s[i:], w) {
		return i + len(w), true
	}
	return i, false
}

// runeAt is the character at i and its length; 0 and 1 at the end.
func runeAt(s string, i int) (rune, int) {
	if i < 0 || i >= len(s) {
		return 0, 1
	}
	return utf8.DecodeRuneInString(s[i:])
}

// runeBefore is the last character before i; 0 at the beginning.
func runeBefore(s string, i int) rune {
	if i <= 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return r
}

// scan tries a rule at every place of the text from left to right, and goes on
// after what it found. A rule returns where it ends, i where it does not fit.
func scan(s string, rule func(i int) int) {
	for i := 0; i < len(s); {
		end := rule(i)
		if end <= i {
			_, n := runeAt(s, i)
			end = i + n
		}
		i = end
	}
}
