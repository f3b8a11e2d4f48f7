package assistant

import (
	"cmp"
	_ "embed" // the table
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tsuzuku/tsuzuku/phrase"
)

// word is something that a sentence can be about, as the table calls it.
type word string

// What sentences are about.
const (
	asksStatus   word = "status"
	asksForecast word = "forecast"
	asksAdvice   word = "advice"
	asksCheapest word = "cheapest"
	asksCarefree word = "carefree"
	tellsEnd     word = "end"
	saysUntil    word = "until"
	forgetsEnd   word = "forget"
	asksTerms    word = "terms"
	takesThat    word = "that"
	takes        word = "take"
	pays         word = "pay"
	asksOrder    word = "order"
	asksPerson   word = "person"
	asksLine     word = "line"
	asksMenu     word = "menu"
	isUnsure     word = "unsure"
)

// words is every word of the table, the strongest first: of two that were found in the
// same place the stronger one is meant.
var words = []word{
	forgetsEnd, asksPerson, asksLine, asksOrder, pays, asksCheapest, asksCarefree, asksAdvice, asksForecast, asksStatus,
	tellsEnd, saysUntil, takesThat, asksTerms, takes, asksMenu, isUnsure,
}

// weak are words that say nothing beside others: who asks what is best, and says that
// they want to renew, asks what is best.
var weak = map[word][]word{
	asksTerms: {asksAdvice, asksCheapest, asksCarefree},
	takes:     {forgetsEnd, asksPerson, asksLine, asksOrder, pays, asksCheapest, asksCarefree, asksAdvice, asksForecast, asksStatus, tellsEnd, asksTerms},
	asksMenu:  words[:len(words)-2],
}

//go:embed words.yaml
var wordsFile []byte

// table is what is looked for, by language. It never changes.
var table = mustTable(wordsFile)

// sign is one pattern of the table: where it is found, its word is meant.
type sign struct {
	word word
	find *regexp.Regexp
}

// mostGap is how many characters may stand between two parts of a pattern.
const mostGap = 24

func mustTable(file []byte) map[phrase.Language][]sign {
	var raw map[word]map[phrase.Language][]string
	if err := yaml.Unmarshal(file, &raw); err != nil {
		panic(fmt.Errorf("assistant: words: %w", err))
	}
	all := map[phrase.Language][]sign{}
	for _, w := range words {
		for l, patterns := range raw[w] {
			for _, p := range patterns {
				all[l] = append(all[l], sign{w, signOf(p, l)})
			}
		}
	}
	return all
}

// signOf reads a pattern: parts that stand in this order, with little between them.
// A part is one of several, a|b; _ is a space within it, and a word of English that
// ends in * goes on.
func signOf(pattern string, l phrase.Language) *regexp.Regexp {
	var parts []string
	for part := range strings.FieldsSeq(pattern) {
		var either []string
		for one := range strings.SplitSeq(part, "|") {
			stem, more := strings.CutSuffix(one, "*")
			text := regexp.QuoteMeta(phrase.Fold(strings.ReplaceAll(stem, "_", " ")))
			switch {
			case l == phrase.English && more:
				text = `\b` + text
			case l == phrase.English:
				text = `\b` + text + `\b`
			}
			either = append(either, text)
		}
		parts = append(parts, "(?:"+strings.Join(either, "|")+")")
	}
	return regexp.MustCompile("(?s)" + strings.Join(parts, fmt.Sprintf(".{0,%d}?", mostGap)))
}

// finding is a word where it was found.
type finding struct {
	word     word
	from, to int // in the folded text
}

// heard are the words of a text, in its order.
type heard []finding

func (h heard) has(w word) bool {
	return slices.ContainsFunc(h, func(f finding) bool { return f.word == w })
}

// heardIn finds the words of a folded text. Where two overlap only the stronger one
// counts, and a weak one not at all beside those that it is weak against.
func heardIn(folded string, l phrase.Language) heard {
	var all heard
	for _, s := range table[l] { // the strongest first
		at := s.find.FindStringIndex(folded)
		if at == nil || all.has(s.word) {
			continue
		}
		f := finding{s.word, at[0], at[1]}
		if !slices.ContainsFunc(all, func(a finding) bool { return f.from < a.to && a.from < f.to }) {
			all = append(all, f)
		}
	}
	all = slices.DeleteFunc(all, func(f finding) bool { return slices.ContainsFunc(weak[f.word], all.has) })
	slices.SortStableFunc(all, func(a, b finding) int { return cmp.Compare(a.from, b.from) })
	return all
}

// command is what a word alone asks for.
func (f finding) command() Command {
	switch f.word {
	case asksStatus:
		return Status{}
	case asksForecast:
		return Forecast{}
	case asksAdvice, asksCheapest, asksCarefree:
		return Advise{attitudes[f.word]}
	case tellsEnd, saysUntil:
		return AskEnd{}
	case forgetsEnd:
		return ForgetEnd{}
	case asksTerms, takes, takesThat:
		return Compare{}
	case pays:
		return Review{}
	case asksOrder:
		return Orders{}
	case asksPerson:
		return Person{}
	case asksLine:
		return PickLine{}
	case asksMenu, isUnsure:
	}
	return Menu{}
}
