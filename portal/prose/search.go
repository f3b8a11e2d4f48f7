package prose

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/locale"
)

// MostQuery is how much of a question is read, in characters.
const MostQuery = 100

// index is how often each word stands in each topic of one language.
type index struct {
	pages []Page
	count []map[string]int // by page
	in    map[string]int   // in how many pages a word stands
}

// indices are made once, when somebody first searches, and only read after that.
var indices = sync.OnceValue(func() map[locale.Language]*index {
	all := map[locale.Language]*index{}
	for _, l := range locale.All {
		ix := &index{in: map[string]int{}}
		for _, topic := range Topics {
			p, ok := Help(l, topic)
			if !ok {
				continue
			}
			count := map[string]int{}
			for _, w := range words(p.Text()) {
				count[w]++
			}
			for _, w := range words(p.Title) {
				count[w] += inTitle
			}
			for w := range count {
				ix.in[w]++
			}
			ix.pages, ix.count = append(ix.pages, p), append(ix.count, count)
		}
		all[l] = ix
	}
	return all
})

const (
	inTitle  = 8 // a word of the title counts as if it stood so often in the text
	mostSeen = 4 // standing more often in the text makes a page no better
)

// Search finds the topics that a question is about, the best first: those in which
// its words stand most often, words that stand everywhere counting least. Chinese,
// Japanese and Korean are searched by pairs of letters, and where those find nothing
// by single Chinese characters in titles.
func Search(l locale.Language, question string) (found []Page) {
	if runes := []rune(question); len(runes) > MostQuery {
		question = string(runes[:MostQuery])
	}
	ix := indices()[l]
	if ix == nil {
		return nil
	}
	type scored struct{ page, score int }
	var all []scored
	asked := words(question)
	for i := range ix.pages {
		score := 0
		for _, w := range asked {
			if n := ix.count[i][w]; n > 0 {
				score += min(n, mostSeen) * rarity(len(ix.pages), ix.in[w])
				if n >= inTitle {
					score += inTitle * rarity(len(ix.pages), ix.in[w])
				}
			}
		}
		if score > 0 {
			all = append(all, scored{i, score})
		}
	}
	if len(all) == 0 {
		return ix.titled(question)
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	for _, s := range all {
		if 8*s.score >= all[0].score { // the rest shares only common words
			found = append(found, ix.pages[s.page])
		}
	}
	return found
}

// titled are the pages whose title shares a Chinese character with a question of
// which no pair of letters stands anywhere: 装不上 is about 安装.
func (ix *index) titled(question string) (found []Page) {
	shared := func(r rune) bool { return unicode.Is(unicode.Han, r) && strings.ContainsRune(question, r) }
	for _, p := range ix.pages {
		if strings.ContainsFunc(p.Title, shared) {
			found = append(found, p)
		}
	}
	return found
}

// rarity is what a word is worth that stands in some of all pages.
func rarity(all, in int) int { return 1 + 10*(all-in)/all }

// words are what a text is searched by: words in lower case without their English
// endings, and pairs of letters where words are not set apart.
func words(text string) (out []string) {
	var run []rune
	var dense bool
	flush := func() {
		switch {
		case len(run) == 0:
		case !dense:
			out = append(out, stem(string(run)))
		case len(run) == 1:
			out = append(out, string(run))
		default:
			for i := range len(run) - 1 {
				out = append(out, string(run[i:i+2]))
			}
		}
		run = run[:0]
	}
	for _, r := range strings.ToLower(norm.NFKC.String(text)) {
		d := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー'
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !d {
			flush()
			continue
		}
		if d != dense {
			flush()
			dense = d
		}
		run = append(run, r)
	}
	flush()
	return out
}

// stem drops the endings that a word takes in English, where enough remains.
func stem(w string) string {
	for _, end := range []string{"ing", "ed", "es", "s", "e"} {
		if base, ok := strings.CutSuffix(w, end); ok && len(base) >= 3 {
			return base
		}
	}
	return w
}
