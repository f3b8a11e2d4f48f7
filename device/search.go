package device

import (
	"cmp"
	"slices"
	"strings"
)

// Found is the answer to a question by name: a phone, or those that may be meant.
type Found struct {
	Phone      Phone
	Candidates []*Model // several that it may be, the likeliest first; then Phone is only a name
	Typo       bool     // the name was mistyped, in a place where no other model could be meant
	Serial     bool     // it is no name, and looks like a serial number
}

// maxCandidates is how many models an ambiguous name is answered with.
const maxCandidates = 24

// name is one spelling under which a model is found.
type name struct {
	key    string // the tokens in one
	tokens []string
	rank   int // 0: its full name, another name, or a code; 1: a part of it that others may share
	model  *Model
	code   string // of the version, for a maker's code
}

// Search finds the phone of a query by name. It never chooses between models:
// what could be several is answered with all of them.
func (l *List) Search(q Query) Found {
	asked := tokens(q.Text)
	for _, t := range [][]string{asked, withoutGeneration(asked)} {
		if hits := l.exactly(strings.Join(t, "")); len(hits) > 0 {
			return l.found(hits, q, false)
		}
	}
	key := strings.Join(asked, "")
	near := l.near(key)
	if len(near) == 0 { // what was left out may be a part of a mistyped word
		key = strings.Join(runs(q.Text), "")
		near = l.near(key)
	}
	if one, ok := sure(near, key); ok {
		return l.found([]name{one}, q, true)
	}
	out := Found{Phone: Phone{Name: q.Text, SoldIn: q.SoldIn}}
	for _, n := range slices.Concat(near.names(), l.containing(asked)) {
		if !slices.Contains(out.Candidates, n.model) && len(out.Candidates) < maxCandidates {
			out.Candidates = append(out.Candidates, n.model)
		}
	}
	out.Serial = len(out.Candidates) == 0 && looksLikeSerial(q.Text)
	return out
}

// withoutGeneration leaves "5G" and "4G" out, which many add to any name.
func withoutGeneration(list []string) []string {
	var out []string
	for i := 0; i < len(list); i++ {
		if i > 0 && i+1 < len(list) && (list[i] == "5" || list[i] == "4") && list[i+1] == "g" {
			i++
			continue
		}
		out = append(out, list[i])
	}
	return out
}

// exactly is whose name the key is: of the best rank that there is.
func (l *List) exactly(key string) []name {
	all := l.byKey[key]
	if len(all) == 0 {
		return nil
	}
	best := slices.MinFunc(all, func(a, b name) int { return cmp.Compare(a.rank, b.rank) }).rank
	return slices.DeleteFunc(slices.Clone(all), func(n name) bool { return n.rank != best })
}

// found is the phone if all hits are of one model, else the list of them.
func (l *List) found(hits []name, q Query, typo bool) Found {
	var models []*Model
	for _, h := range hits {
		if !slices.Contains(models, h.model) {
			models = append(models, h.model)
		}
	}
	if len(models) > 1 {
		return Found{Phone: Phone{Name: q.Text, SoldIn: q.SoldIn}, Candidates: models[:min(len(models), maxCandidates)]}
	}
	p := l.Phone(models[0])
	if hits[0].code != "" {
		p, _ = l.WithCode(models[0], hits[0].code)
	}
	return Found{Phone: p.In(q.SoldIn), Typo: typo}
}

// scored is a name with the number of letters that it is off.
type scored struct {
	name
	off int
}

type nearby []scored

func (n nearby) names() []name {
	out := make([]name, len(n))
	for i, s := range n {
		out[i] = s.name
	}
	return out
}

// near is the names that are few letters off, the nearest first: one of a short
// name, two of a long one.
func (l *List) near(key string) nearby {
	limit := 1
	switch n := len(key); {
	case n < 4 || n > 2*maxQuery:
		return nil
	case n >= 10:
		limit = 2
	}
	var out nearby
	for _, n := range l.names {
		if d := distance(key, n.key, limit+1); d <= limit && (d == 1 || n.code == "") {
			out = append(out, scored{n, d})
		}
	}
	slices.SortStableFunc(out, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.off, b.off), cmp.Compare(a.rank, b.rank))
	})
	return out
}

// sure is the one name that is one letter off, where the mistake stands inside
// a word that no other model has in another form: "galxy s23" is a Galaxy S23,
// but "pixel 9a" is not a Pixel 9 and "iphone 18" is none that we know.
func sure(all nearby, key string) (name, bool) {
	if len(all) == 0 || all[0].off != 1 {
		return name{}, false
	}
	first := all[0]
	for _, s := range all {
		if s.off == 1 && s.rank == first.rank && s.model != first.model {
			return name{}, false
		}
	}
	return first.name, first.code == "" && insideAWord(key, first.tokens)
}

// wordLength is how many letters a word has at least of which one may be wrong.
const wordLength = 4

// insideAWord reports whether the key differs from the tokens only within one
// of them that is a word: not at its end, where a letter makes another model.
func insideAWord(key string, want []string) bool {
	whole := strings.Join(want, "")
	from := 0
	for from < len(key) && from < len(whole) && key[from] == whole[from] {
		from++
	}
	to := len(whole)
	for i := len(key); to > from && i > from && key[i-1] == whole[to-1]; i-- {
		to--
	}
	at := 0
	for _, t := range want {
		end := at + len(t)
		if t[0] >= 'a' && t[0] <= 'z' && len(t) >= wordLength && from >= at && to <= end && (from > at || to > from) && from < end {
			return true
		}
		at = end
	}
	return false
}

// containing is the names that have all tokens of the question and more: "s23"
// for the whole family. Those with the fewest more come first.
func (l *List) containing(asked []string) []name {
	var out []name
	for _, n := range l.names {
		if n.code == "" && n.rank == 0 && subset(asked, n.tokens) {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b name) int { return cmp.Compare(len(a.tokens), len(b.tokens)) })
	return out
}

func subset(some, all []string) bool {
	for _, t := range some {
		if !slices.Contains(all, t) {
			return false
		}
	}
	return len(some) > 0
}

// distance counts letters to add, drop, change, or to exchange with their
// neighbour; limit or more is limit. Both are bytes of keys, which are short.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least >= limit {
			return limit
		}
		before, last, row = last, row, before
	}
	return min(limit, last[len(b)])
}
