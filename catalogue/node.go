package catalogue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// reading is one pass over one file. It never stops at a mistake: it notes it
// and goes on with the zero value.
type reading struct {
	file     string
	mistakes Mistakes
	warnings Mistakes
}

// place is one value in the file. A place without a node is a value that is
// absent or has already been complained about: every method gives the zero
// value and says nothing.
type place struct {
	r    *reading
	node *yaml.Node
	path string
	key  *yaml.Node // of the value in a mapping; nil elsewhere
}

// section is a mapping whose keys are known.
type section struct {
	place
	fields map[string]place
}

func (p place) there() bool { return p.node != nil }

func (p place) note(format string, args ...any) Mistake {
	m := Mistake{File: p.r.file, Path: p.path, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}
	at := p.node
	if at != nil && at.Kind != yaml.ScalarNode && p.key != nil {
		at = p.key // a block begins below its key
	}
	if at != nil {
		m.Line, m.Column = max(1, at.Line), max(1, at.Column)
	}
	return m
}

// wrong notes a value that cannot be read.
func (p place) wrong(format string, args ...any) {
	p.r.mistakes = append(p.r.mistakes, p.note(format, args...))
}

// breaks notes a value that can be read but contradicts another.
func (p place) breaks(format string, args ...any) {
	m := p.note(format, args...)
	m.rule = true
	p.r.mistakes = append(p.r.mistakes, m)
}

// doubtful notes something that may be meant.
func (p place) doubtful(format string, args ...any) {
	p.r.warnings = append(p.r.warnings, p.note(format, args...))
}

// syntaxLine finds the line in the YAML library's messages, which it gives as
// text only.
var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// countsFromZero are the library's messages whose line is one too small: those
// of its parser, while its scanner counts from one.
var countsFromZero = regexp.MustCompile(`^did not find expected (?:',' or|key|'-' indicator)`)

// parse reads the only document of the file. Values that stand for other
// values (aliases) are refused: they make a file small that is huge, and hide
// from its readers what a plan says. Named policies are there for reuse.
func (r *reading) parse(data []byte) place {
	whole := place{r: r}
	if len(data) > maxFile {
		whole.wrong("The file is larger than %d MB, which no catalogue is.", maxFile>>20)
		return whole
	}
	if !utf8.Valid(data) {
		whole.wrong("The file is not UTF-8 text.")
		return whole
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			whole.wrong("The file is empty.")
		} else {
			r.syntax(err)
		}
		return whole
	}
	if err := decoder.Decode(&yaml.Node{}); err == nil {
		whole.wrong("The file holds more than one YAML document. Remove the line ---.")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		whole.wrong("The file is empty.")
		return whole
	}
	whole.node = document.Content[0]
	if whole.node.Tag == "!!null" {
		whole.wrong("The file is empty.")
		return place{r: r}
	}
	r.refuseAliases(whole.node)
	return whole
}

func (r *reading) syntax(err error) {
	m := Mistake{File: r.file, Line: 1, Column: 1, Message: "This is not YAML: " + err.Error() + "."}
	if found := syntaxLine.FindStringSubmatch(err.Error()); found != nil {
		m.Message = "This is not YAML: " + found[2] + "."
		if line, err := strconv.Atoi(found[1]); err == nil {
			m.Line = max(1, line)
		}
		if countsFromZero.MatchString(found[2]) && found[1] != "" {
			m.Line++
		}
	}
	r.mistakes = append(r.mistakes, m)
}

func (r *reading) refuseAliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		place{r: r, node: n}.wrong("Aliases (*%s) are not read. Write the value out, or give a policy a name under policies.", n.Value)
		return
	}
	for _, child := range n.Content {
		r.refuseAliases(child)
	}
}

// below is the value n at path, or no place when nothing can be read from it.
func (p place) below(n *yaml.Node, path string) place {
	at := place{r: p.r, node: n, path: path}
	if n.Kind == yaml.AliasNode {
		at.node = nil // told already
		return at
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		at.wrong("There is no value. Give one, or leave the line out.")
		at.node = nil
	}
	return at
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// section reads a mapping with these keys and no others.
func (p place) section(known ...string) section {
	s := section{place: p, fields: map[string]place{}}
	for _, e := range p.entries() {
		if !slices.Contains(known, e.key) {
			e.keyAt.wrong("There is no %q here%s", e.key, suggestion(e.key, known))
			continue
		}
		s.fields[e.key] = e.value
	}
	if s.there() && s.node.Kind != yaml.MappingNode {
		s.node = nil // told already
	}
	return s
}

type entry struct {
	key   string
	keyAt place
	value place
}

// entries are the pairs of a mapping in the order of the file, without
// repeated keys.
func (p place) entries() []entry {
	if !p.there() {
		return nil
	}
	if p.node.Kind != yaml.MappingNode {
		p.wrong("There should be a block of keys and values here, not %s.", kindOf(p.node))
		return nil
	}
	var out []entry
	first := map[string]int{}
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		k, v := p.node.Content[i], p.node.Content[i+1]
		keyAt := place{r: p.r, node: k, path: p.path}
		if k.Kind != yaml.ScalarNode {
			if k.Kind != yaml.AliasNode {
				keyAt.wrong("A key must be a single word.")
			}
			continue
		}
		if line, repeated := first[k.Value]; repeated {
			keyAt.wrong("%q is given twice; the first is on line %d.", k.Value, line)
			continue
		}
		first[k.Value] = k.Line
		value := p.below(v, join(p.path, k.Value))
		value.key = k
		out = append(out, entry{k.Value, keyAt, value})
	}
	return out
}

// list are the elements of a sequence. An element that is a mapping with an id
// is named by it.
func (p place) list() []place {
	if !p.there() {
		return nil
	}
	if p.node.Kind != yaml.SequenceNode {
		p.wrong("There should be a list here, not %s.", kindOf(p.node))
		return nil
	}
	if len(p.node.Content) > maxEntries {
		p.wrong("There are %d entries here; at most %d are read.", len(p.node.Content), maxEntries)
		return nil
	}
	var out []place
	for i, n := range p.node.Content {
		out = append(out, p.below(n, fmt.Sprintf("%s[%s]", p.path, nameOf(n, i))))
	}
	return out
}

func nameOf(n *yaml.Node, i int) string {
	if n.Kind == yaml.MappingNode {
		for k := 0; k+1 < len(n.Content); k += 2 {
			if n.Content[k].Value == "id" && isID.MatchString(n.Content[k+1].Value) {
				return n.Content[k+1].Value
			}
		}
	}
	return strconv.Itoa(i + 1)
}

// element is the i-th element of a list, or the list where there is none.
func (p place) element(i int) place {
	if p.there() && i < len(p.node.Content) {
		return place{r: p.r, node: p.node.Content[i], path: p.path + "[" + strconv.Itoa(i+1) + "]"}
	}
	return p
}

// has reports whether the key is given, readable or not.
func (s section) has(key string) bool {
	_, given := s.fields[key]
	return given
}

// opt is the value of a key that may be left out.
func (s section) opt(key string) place {
	if at, given := s.fields[key]; given {
		return at
	}
	return place{r: s.r, path: join(s.path, key)}
}

// need is the value of a key that must be there.
func (s section) need(key string) place {
	if s.there() && !s.has(key) {
		s.wrong("%q is missing.", key)
	}
	return s.opt(key)
}

// where is the place to complain about a key, given or not.
func (s section) where(key string) place {
	if at := s.opt(key); at.there() {
		return at
	}
	return s.place
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a block of keys and values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!str":
			return "text"
		case "!!int", "!!float":
			return "a number"
		case "!!bool":
			return "true or false"
		case "!!timestamp":
			return "a date"
		}
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return "something else"
}

// suggestion ends a sentence with the known word that is closest to a mistyped
// one.
func suggestion(word string, known []string) string {
	best, least := "", 3 // three letters off is another word
	for _, k := range known {
		if d := editDistance(word, k, least); d < least && d < len(k) {
			best, least = k, d
		}
	}
	if best == "" {
		return "."
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts letters to add, drop or change; limit or more is limit.
func editDistance(a, b string, limit int) int {
	if len(a) > len(b)+limit || len(b) > len(a)+limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(limit, row[len(b)])
}
