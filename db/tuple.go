package db

import (
	"strconv"
	"strings"
	"sync"
)

// rowsMax is how many rows one statement has at most, a power of two.
const rowsMax = 64

// texts keeps statements whose tuple was repeated.
type texts struct {
	mu   sync.Mutex
	kept map[repeated]string
}

type repeated struct {
	query string
	rows  int
}

// split divides a statement of many rows into statements whose numbers of rows
// are powers of two, so that few texts are prepared, whatever the sets' sizes.
func (t *texts) split(s statement) []statement {
	width := len(s.args) / s.rows
	var out []statement
	for rows, args := s.rows, s.args; rows > 0; {
		n := rowsMax
		for n > rows {
			n /= 2
		}
		out = append(out, statement{t.of(s.query, n), args[:n*width], s.guarded, s.tuple, n, s.reduced})
		rows, args = rows-n, args[n*width:]
	}
	return out
}

func (t *texts) of(query string, rows int) string {
	if rows == 1 {
		return query
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := repeated{query, rows}
	text, ok := t.kept[key]
	if !ok {
		if t.kept == nil {
			t.kept = map[repeated]string{}
		}
		text = tuples(query, rows)
		t.kept[key] = text
	}
	return text
}

// tuples repeats the tuple after VALUES in a statement all of whose parameters
// are in that tuple, with its parameters numbered on. The tuple may hold calls,
// but no text in quotes with a parenthesis or a dollar sign.
func tuples(query string, n int) string {
	start := strings.Index(query, "VALUES (")
	if start < 0 {
		panic("db: a statement for many rows has no VALUES: " + query)
	}
	start += len("VALUES ")
	end := start + closing(query[start:])
	parts, width := parameters(query[start:end])
	var b strings.Builder
	b.Grow(len(query) + n*(end-start+2*width))
	b.WriteString(query[:start])
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, p := range parts {
			b.WriteString(p.before)
			if p.number > 0 {
				b.WriteByte('$')
				b.WriteString(strconv.Itoa(p.number + i*width))
			}
		}
	}
	b.WriteString(query[end:])
	return b.String()
}

// closing is the length of the parenthesis that s begins with.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	panic("db: a parenthesis is not closed: " + s)
}

// part is some text and the number of the parameter after it, 0 for none.
type part struct {
	before string
	number int
}

// parameters divides a tuple at its parameters, and returns their highest number.
func parameters(tuple string) (parts []part, highest int) {
	for {
		at := strings.IndexByte(tuple, '$')
		if at < 0 {
			return append(parts, part{before: tuple}), highest
		}
		digits, n := at+1, 0
		for digits < len(tuple) && tuple[digits] >= '0' && tuple[digits] <= '9' {
			n = 10*n + int(tuple[digits]-'0')
			digits++
		}
		parts = append(parts, part{tuple[:at], n})
		highest, tuple = max(highest, n), tuple[digits:]
	}
}
