// Package ui is how the shop looks and speaks on every page: layout, components
// and style; and how money, time, lines, offers, refusals and orders are said
// to one person, in their language.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package ui

import (
	_ "embed" // the words
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

//go:embed texts.yaml
var textsFile []byte

//go:embed chat.yaml
var chatFile []byte

// texts never changes.
var texts = locale.MustBook(slices.Concat(textsFile, chatFile))

// Texts are the words of all pages, for those who check them.
func Texts() *locale.Book { return texts }

// Written is the language in which a reader of l gets pages. A page is in one
// language throughout, numbers and all, so that a screen reader and a font can
// believe its lang attribute.
func Written(l locale.Language) locale.Language {
	if slices.Contains(locale.All, l) {
		return l
	}
	return locale.En
}

// Voice says things to one person. Templates call it, as part of [Frame].
type Voice struct {
	Lang locale.Language
	Zone *time.Location // the traveller's own; nil where it is not known
	Now  time.Time      // the instant as of which the page speaks
}

// NewVoice speaks l, or what its readers know best.
func NewVoice(l locale.Language, own *time.Location, now time.Time) Voice {
	return Voice{Lang: Written(l), Zone: own, Now: now}
}

// T is a text without values.
func (v Voice) T(key string) string { return texts.Say(v.Lang, key, nil) }

// Say is a text with values.
func (v Voice) Say(key string, args locale.Args) string { return texts.Say(v.Lang, key, args) }

// Either is the text of key, or of the fallback where key has none: for keys
// that end in a word which was stored.
func (v Voice) Either(key, fallback string, args locale.Args) string {
	if !texts.Has(key) {
		key = fallback
	}
	return texts.Say(v.Lang, key, args)
}

// Money is an amount with its currency.
func (v Voice) Money(m money.Money) string { return locale.Money(v.Lang, m) }

// Number is a count.
func (v Voice) Number(n int64) string { return locale.Number(v.Lang, n) }
