package locale

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	xplural "golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// text is one text of a [Book], taken apart.
type text struct {
	source   string
	segments []segment
}

// segment is either literal or the place of a named value.
type segment struct {
	literal  string
	name     string
	branches []string // of a plural, at least one: the last is for all other numbers
}

// parseText takes a text apart. With an error, the text is said as it is.
func parseText(l Language, source string) (text, error) {
	asIs := text{source, []segment{{literal: source}}}
	t := text{source: source}
	rest := source
	for rest != "" {
		literal, after, opened := strings.Cut(rest, "{")
		if strings.Contains(literal, "}") {
			return asIs, fmt.Errorf("a stray } after %q", strings.SplitN(literal, "}", 2)[0])
		}
		if literal != "" {
			t.segments = append(t.segments, segment{literal: literal})
		}
		if !opened {
			break
		}
		inside, next, closed := strings.Cut(after, "}")
		if !closed || strings.Contains(inside, "{") {
			return asIs, fmt.Errorf("a stray { before %q", after)
		}
		place, err := parsePlace(l, inside)
		if err != nil {
			return asIs, err
		}
		t.segments = append(t.segments, place)
		rest = next
	}
	return t, nil
}

// parsePlace reads what stands between braces.
func parsePlace(l Language, inside string) (segment, error) {
	parts := strings.Split(inside, "|")
	s := segment{name: parts[0], branches: parts[1:]}
	if s.name == "" || strings.Trim(s.name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return s, fmt.Errorf("{%s} has no name of a-z, 0-9 and _", inside)
	}
	if len(s.branches) == 0 {
		return s, nil
	}
	if len(s.branches) > 2 {
		return s, fmt.Errorf("{%s} has %d forms, more than the two of one and other", inside, len(s.branches))
	}
	if l == En && len(s.branches) != 2 {
		return s, fmt.Errorf("{%s} needs two forms, for one and for all other numbers", inside)
	}
	return s, nil
}

// names is what the text names, sorted, each once.
func (t text) names() []string {
	set := map[string]bool{}
	for _, s := range t.segments {
		if s.name != "" {
			set[s.name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (t text) say(l Language, args Args) string {
	var b strings.Builder
	for _, s := range t.segments {
		b.WriteString(s.say(l, args))
	}
	return b.String()
}

func (s segment) say(l Language, args Args) string {
	if s.name == "" {
		return s.literal
	}
	value, ok := args[s.name]
	if !ok {
		return "[" + s.name + "]"
	}
	written := write(l, value)
	if len(s.branches) == 0 {
		return written
	}
	branch := s.branches[len(s.branches)-1]
	switch n := value.(type) {
	case int:
		branch = s.branch(l, int64(n))
	case int64:
		branch = s.branch(l, n)
	}
	return strings.ReplaceAll(branch, "#", written)
}

func (s segment) branch(l Language, n int64) string {
	if plural(l, n) == one {
		return s.branches[0]
	}
	return s.branches[len(s.branches)-1]
}

// category is CLDR's plural category. Our languages have no other than these.
type category bool

const (
	one   category = true
	other category = false
)

// plural returns the category of n in l, from CLDR. Chinese, Japanese and
// Korean have only other.
func plural(l Language, n int64) category {
	tag := language.English
	switch l {
	case ZhHans, ZhHant:
		tag = language.Chinese
	case Ja:
		tag = language.Japanese
	case Ko:
		tag = language.Korean
	case En:
	}
	if n < 0 {
		n = -max(n, -math.MaxInt64) // CLDR looks at the absolute value
	}
	if xplural.Cardinal.MatchPlural(tag, int(n), 0, 0, 0, 0) == xplural.One {
		return one
	}
	return other
}
