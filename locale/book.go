package locale

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tsuzuku/tsuzuku/money"
)

// Book holds the texts of one package in every language. It never changes and
// is safe for concurrent use.
type Book struct {
	texts    map[string]map[Language]text
	mistakes []error // in the writing of single texts; Check reports them
}

// Args are the values that a text names. A string is said as it is, an int or
// int64 is grouped like [Number], a [money.Money] like [Money]; anything else
// as fmt prints it. What is counted must be int or int64; a number that is no
// count, such as a year or a code, should be a string.
type Args map[string]any

// ParseBook reads texts: a key, then a language, then the text.
//
//	line.left:
//	  en: "{name} has {days|# day|# days} left."
//	  zh-Hans: "{name}还剩{days|#天}。"
//	  ja: "{name}は残り{days|#日}です。"
//
// {name} is replaced by the value of that name: lower-case letters, digits and
// underscores. {days|# day|# days} chooses by the number days, with # for the
// number itself: in English the first for one and the second for all others; the
// other languages need only one. Nothing nests, and there are no other braces.
//
// ParseBook fails when data is not YAML of that form or names a language that
// the product has not. Mistakes within texts are for [Book.Check].
func ParseBook(data []byte) (*Book, error) {
	var raw map[string]map[string]string
	if err := yaml.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("locale: book: %w", err)
	}
	b := &Book{texts: make(map[string]map[Language]text, len(raw))}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		b.texts[key] = make(map[Language]text, len(raw[key]))
		for _, name := range slices.Sorted(maps.Keys(raw[key])) {
			l, ok := Parse(name)
			if !ok || string(l) != name {
				return nil, fmt.Errorf("locale: book: %s: %q is not a language", key, name)
			}
			parsed, err := parseText(l, raw[key][name])
			if err != nil {
				b.mistakes = append(b.mistakes, mistake(key, l, err.Error()))
			}
			b.texts[key][l] = parsed
		}
	}
	return b, nil
}

// MustBook is [ParseBook] for an embedded file; it panics when that cannot be
// read.
func MustBook(data []byte) *Book {
	b, err := ParseBook(data)
	if err != nil {
		panic(err)
	}
	return b
}

// Say returns the text for key in l, or in the language that l falls back to,
// with args in their places. A key that the book has not is said as "[key]", and
// a value that is missing as "[name]": visibly wrong, and found by a test of the
// caller, but no reason to break a page.
func (b *Book) Say(l Language, key string, args Args) string {
	texts := b.texts[key]
	for ok := true; ok; l, ok = l.fallback() {
		if t, found := texts[l]; found {
			return t.say(l, args)
		}
	}
	return "[" + key + "]"
}

// Has reports whether the book has the key, in any language.
func (b *Book) Has(key string) bool {
	_, ok := b.texts[key]
	return ok
}

// Keys returns all keys, sorted.
func (b *Book) Keys() []string { return slices.Sorted(maps.Keys(b.texts)) }

// Check returns all mistakes of the book as one error: texts that are missing
// in a [All] language, empty, or have stray braces, and languages that name
// other values than the rest. Every package with a book calls it in a test.
func (b *Book) Check() error {
	mistakes := slices.Clone(b.mistakes)
	for _, key := range b.Keys() {
		texts := b.texts[key]
		for _, l := range All {
			if _, ok := texts[l]; !ok {
				mistakes = append(mistakes, mistake(key, l, "missing"))
			}
		}
		var first Language
		for _, l := range All {
			t, ok := texts[l]
			switch {
			case !ok:
				continue
			case strings.TrimSpace(t.source) == "":
				mistakes = append(mistakes, mistake(key, l, "empty"))
			case first == "":
				first = l
			case !slices.Equal(t.names(), texts[first].names()):
				mistakes = append(mistakes, mistake(key, l, fmt.Sprintf(
					"names %v, but %s names %v", t.names(), first, texts[first].names())))
			}
		}
	}
	return errors.Join(mistakes...)
}

func mistake(key string, l Language, what string) error {
	return fmt.Errorf("%s: %s: %s", key, l, what)
}

// write says a value in a text of language l.
func write(l Language, value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int:
		return Number(l, int64(v))
	case int64:
		return Number(l, v)
	case money.Money:
		return Money(l, v)
	}
	return fmt.Sprint(value)
}
