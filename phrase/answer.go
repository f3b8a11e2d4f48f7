package phrase

import "strings"

// piece is what a phrase within an answer contributes to it.
type piece int

const (
	saysYes piece = iota + 1
	saysNo
	saysUnsure
	asks      // "but", "what": unsure beside a yes, and elsewhere a part of something else
	eitherWay // 結構です: unsure alone, but a no beside one
	heard     // "got it": has understood, and does not say what it wants
	polite    // changes nothing: "please", です
)

// Answer says what the whole of text answers to a question of yes or no.
//
// A text is taken apart into phrases of the tables, the longest first. It is a
// yes only if all of it is, but for politeness: one word that is not known, a
// question mark, a hesitation or a no among it, and it is not. Money moves on a
// yes; it does not on anything else, so what is not certain is [Unsure]. A
// text that neither begins nor ends with an answer is [None].
func Answer(text string, l Language) Reply {
	s := Fold(text)
	if len(s) > longestAnswer {
		return None
	}
	a := answering{s: s, words: answers.of(l), endsWithIt: l == Japanese}
	a.read()
	return a.reply()
}

// longestAnswer is more bytes than a yes or a no has.
const longestAnswer = 400

// answering is an answer on its way.
type answering struct {
	s          string
	words      *table[piece]
	endsWithIt bool // the language puts the answer at the end, without a pause
	yes, no    int
	unsure     bool
	either     bool
	heard      bool
	asks       bool
	question   bool
	other      bool  // something that is in no table
	first      piece // the first phrase that is not polite, if nothing unknown stands before it
	last       piece // the last one, if nothing unknown stands after it
	apart      bool  // a pause follows the first phrase
	glued      bool  // two phrases of no stand side by side without a pause: 不是不要
}

// pauses separate phrases; all of them are single characters or spaces.
const pauses = " ,.!。、!…~ー-;:\"'()「」"

func (a *answering) read() {
	a.unsure = strings.Contains(a.s, "..") || strings.Contains(a.s, "。。") // "yes..." hesitates
	gap := true                                                           // at the beginning, or after a pause
	previous := piece(0)
	for i := 0; i < len(a.s); {
		r, size := runeAt(a.s, i)
		switch {
		case r == '?':
			a.question = true
			gap = true
			i += size
			continue
		case strings.ContainsRune(pauses, r):
			if r != ' ' {
				gap = true
			}
			i += size
			continue
		}
		p, end, ok := a.words.at(a.s, i)
		if !ok {
			p, end, ok = answersAny.at(a.s, i)
		}
		if !ok {
			a.other, a.last = true, 0
			end = a.word(i)
		}
		if ok {
			a.take(p, previous, gap, a.s[i:end], end)
			previous = p
		}
		gap = false
		i = end
	}
}

// word is the end of the unknown word at i: a Latin word or a single character.
func (a *answering) word(i int) int {
	_, size := runeAt(a.s, i)
	end := i + size
	for isLatin(a.s[i]) && end < len(a.s) && isLatin(a.s[end]) {
		end++
	}
	return end
}

// take counts one phrase.
func (a *answering) take(p, previous piece, gap bool, word string, end int) {
	switch p {
	case polite:
		return
	case heard:
		a.heard = true
		return
	case asks:
		a.asks = true
		return
	case eitherWay:
		a.either = true
	case saysYes:
		a.yes++
	case saysNo:
		a.no++
		if previous == saysNo && !gap && !strings.HasSuffix(a.s[:end-len(word)], word) && !strings.HasSuffix(strings.TrimSpace(a.s[:end-len(word)]), word) {
			a.glued = true
		}
	case saysUnsure:
		a.unsure = true
	}
	if !a.other && !a.asks && a.first == 0 {
		a.first = p
		next, _ := runeAt(a.s, end)
		a.apart = next == 0 || next != ' ' && strings.ContainsRune(pauses, next)
	}
	if a.last = p; !gap && a.other && !a.endsWithIt {
		a.last = 0
	}
}

// reply weighs what was read.
func (a *answering) reply() Reply {
	if a.other {
		return a.replyAmongOthers()
	}
	found := a.yes+a.no > 0 || a.either || a.unsure
	switch {
	case !found && (a.heard || a.asks):
		return Unsure
	case !found:
		return None
	case a.unsure, a.asks, a.question, a.glued, a.yes > 0 && a.no > 0:
		return Unsure
	case a.either && (a.no == 0 || a.yes > 0):
		return Unsure
	case a.yes > 0:
		return Yes
	}
	return No
}

// replyAmongOthers weighs an answer beside which something else is said. It is
// never a yes.
func (a *answering) replyAmongOthers() Reply {
	switch {
	case a.first == saysNo && a.apart && a.last != saysYes && !a.unsure && !a.question:
		return No // "no, 10 days": whatever it asks for, it is not this
	case a.first != 0, a.last != 0:
		return Unsure
	}
	return None
}
