package phrase

import "strings"

// Numbers returns the numbers of text: counts, decimals, fractions and
// ordinals, in figures, in words and mixed. A number that letters are glued to
// ("A4") is a name and left out.
func Numbers(text string, l Language) []Number {
	r := read(text, l)
	var found []Number
	scan(r.s, func(i int) int {
		if n, ok := r.number(i); ok {
			found = append(found, n)
			return n.To
		}
		if c, ok := r.card(i); ok || c.bad {
			return c.To
		}
		return r.notNumber(i)
	})
	return found
}

// number reads the number at i.
func (r *reading) number(i int) (Number, bool) {
	if n, ok := r.ordinal(i); ok {
		return n, true
	}
	sign, at := r.sign(i)
	value, end, ok := r.quantity(at)
	if !ok || end < len(r.s) && isLatin(r.s[end]) && isDigit(r.s[end-1]) {
		return Number{}, false // 29km is a measure, and 7eleven a name
	}
	if _, _, ok := measures.at(r.s, end); ok {
		return Number{}, false
	}
	if sign < 0 {
		value.Num = -value.Num
	}
	return Number{Span: Span{i, end}, Value: value}, true
}

var signs = tabulate(entries[bool]{{"- 负 マイナス minus negative", true}})

// measures follow a number that measures something which is never asked here.
var measures = tabulate(entries[bool]{{"メートル キロメートル センチ センチメートル ミリリットル リットル キログラム グラム 公里 公斤 毫升 厘米 平方米", true}})

// sign reads a minus. One between two numbers, or within a word, is a hyphen.
func (r *reading) sign(i int) (sign, end int) {
	_, end, ok := signs.at(r.s, i)
	if !ok {
		return 1, i
	}
	if r.s[i] == '-' && i > 0 {
		if b := r.s[i-1]; isDigit(b) || isLatin(b) || b == '-' {
			return 1, i
		}
		if b := runeBefore(r.s, i); numerals[b] != (numeral{}) {
			return 1, i
		}
	}
	return -1, space(r.s, end)
}

// quantity reads a number without sign at i, with what fractions it may have.
func (r *reading) quantity(i int) (Exact, int, bool) {
	c, ok := r.card(i)
	if !ok || c.ordinal || c.glued || c.kana && !r.afterKana(c.To) {
		return r.halfOf(i)
	}
	if value, end, ok := r.slash(c); ok {
		return value, end, true
	}
	if r.l == English {
		return r.englishFraction(c)
	}
	if value, end, ok := r.partsOf(c); ok {
		return value, end, true
	}
	for _, and := range []string{"又", "と"} { // 一又三分之二, 一と三分の二
		at, ok := past(r.s, c.To, and)
		if !ok {
			continue
		}
		if d, ok := r.card(space(r.s, at)); ok {
			part, end, ok := r.partsOf(d)
			if !ok {
				part, end, ok = r.overSlash(d)
			}
			if ok {
				if value, fits := c.value.plus(part); fits {
					return value, end, true
				}
			}
		}
	}
	return r.dozen(c)
}

// dozen multiplies by ダース.
func (r *reading) dozen(c cardinal) (Exact, int, bool) {
	if end, ok := past(r.s, c.To, "ダース"); ok {
		if value, fits := c.value.times(Whole(12)); fits {
			return value, end, true
		}
	}
	return c.value, c.To, true
}

// afterKana reports whether a spelt number may end at i: before anything but
// hiragana, or before a unit.
func (r *reading) afterKana(i int) bool {
	next, _ := runeAt(r.s, i)
	_, _, unit := unitsJa.at(r.s, i)
	_, _, money := currencies.at(r.s, i)
	return unit || money || next < 'ぁ' || next > 'ん' || strings.HasPrefix(r.s[i:], "どる") || strings.HasPrefix(r.s[i:], "です")
}

// partsOf reads the Chinese and Japanese fraction, the lower half first:
// 三分之二, 三分の二.
func (r *reading) partsOf(c cardinal) (Exact, int, bool) {
	i, ok := past(r.s, c.To, "分")
	if !ok {
		return Exact{}, 0, false
	}
	for _, of := range []string{"之", "の"} {
		at, ok := past(r.s, i, of)
		if !ok {
			continue
		}
		sign, at := r.sign(space(r.s, at))
		upper, ok := r.card(at)
		if !ok {
			return Exact{}, 0, false
		}
		value, fits := quotient(upper.value, c.value)
		value.Num *= int64(sign)
		return value, upper.To, fits
	}
	return Exact{}, 0, false
}

// quotient is a/b, and whether there is one that fits.
func quotient(a, b Exact) (Exact, bool) {
	if b.Num <= 0 {
		return Exact{}, false
	}
	return a.times(Exact{b.Den, b.Num})
}

// slash reads 3/5 and 1 3/5.
func (r *reading) slash(c cardinal) (Exact, int, bool) {
	if !c.digits {
		return Exact{}, 0, false
	}
	if value, end, ok := r.overSlash(c); ok {
		return value, end, true
	}
	if d, ok := r.card(c.To + 1); ok && d.digits && c.To < len(r.s) && r.s[c.To] == ' ' {
		if part, end, ok := r.overSlash(d); ok {
			value, fits := c.value.plus(part)
			return value, end, fits
		}
	}
	return Exact{}, 0, false
}

// overSlash reads two whole numbers with a slash, and no third one as dates have.
func (r *reading) overSlash(c cardinal) (Exact, int, bool) {
	if c.To >= len(r.s) || r.s[c.To] != '/' || c.From > 0 && (r.s[c.From-1] == '/' || r.s[c.From-1] == '-' && digitAt(r.s, c.From-2)) {
		return Exact{}, 0, false
	}
	d, ok := r.card(c.To + 1)
	if !ok || !d.digits || d.To < len(r.s) && r.s[d.To] == '/' {
		return Exact{}, 0, false
	}
	value, fits := quotient(c.value, d.value)
	return value, d.To, fits
}

// halves are the words of English fractions that are no ordinals.
var halves = tabulate(entries[int64]{
	{"half halves", 2},
	{"quarter quarters fourth", 4},
})

// denominator reads the lower half of an English fraction at i. In the singular
// it wants a "one" or "a" before it.
func (r *reading) denominator(i int, plural bool) (int64, int, bool) {
	if n, end, ok := halves.at(r.s, i); ok {
		return n, end, true
	}
	w, end, ok := numberWords.at(r.s, i)
	if ok && w.plural {
		if w.hundred {
			return 100, end, true
		}
		return w.unit + w.tens, end, true
	}
	if c, ok := r.card(i); ok && c.ordinal && !plural {
		if n, isWhole := c.value.Int(); isWhole && n > 2 {
			return n, c.To, true
		}
	}
	return 0, i, false
}

// englishFraction reads what may follow a cardinal: two thirds, one and a half,
// five and three quarters, one over three; and a scale after these.
func (r *reading) englishFraction(c cardinal) (Exact, int, bool) {
	value, end := c.value, c.To
	if q, stop, ok := r.over(c); ok {
		return q, stop, true
	}
	if n, stop, ok := r.denominator(joint(r.s, end), value != Whole(1)); ok && !c.digits {
		if q, fits := quotient(value, Whole(n)); fits {
			value, end = r.ofScale(q, stop)
			return value, end, true
		}
	}
	if part, stop, ok := r.andPart(end); ok {
		value, end = r.andScaled(c, part, stop)
	}
	return value, end, true
}

// andScaled adds a part that ends at i to what c says: a million and a half are
// 1.5 million, one and a half million too, and a million and a half million are
// what they say.
func (r *reading) andScaled(c cardinal, part Exact, i int) (Exact, int) {
	scaled, end := r.ofScale(part, i)
	switch {
	case c.scale > 0 && end == i:
		scaled, _ = part.times(Whole(c.scale))
	case c.scale == 0 && end > i:
		if sum, fits := c.value.plus(part); fits {
			return r.ofScale(sum, i)
		}
	}
	sum, fits := c.value.plus(scaled)
	if !fits || scaled.Den == 0 {
		return c.value, c.To
	}
	return sum, end
}

// over reads "one out of three", and "one over three" where nothing is counted
// by the second number: "2000 over 3 years" is no fraction.
func (r *reading) over(c cardinal) (Exact, int, bool) {
	at, ok := past(r.s, c.To, "over ")
	outOf := false
	if !ok && !c.digits {
		at, outOf = past(r.s, c.To, "out of ")
		ok = outOf
	}
	if !ok {
		return Exact{}, 0, false
	}
	d, ok := r.card(at)
	if !ok || d.ordinal || !outOf && d.To < len(r.s) && !strings.ContainsRune(".,;!?", rune(r.s[d.To])) {
		return Exact{}, 0, false
	}
	q, fits := quotient(c.value, d.value)
	return q, d.To, fits
}

// andPart reads "and a half", "and three quarters" at i.
func (r *reading) andPart(i int) (Exact, int, bool) {
	at, ok := past(r.s, i, "and ")
	if !ok {
		return Exact{}, 0, false
	}
	upper := Whole(1)
	if _, end, ok := articles.at(r.s, at); ok {
		at = space(r.s, end)
	} else if c, ok := r.card(at); ok && !c.ordinal {
		upper, at = c.value, joint(r.s, c.To)
	} else if _, _, ok := halves.at(r.s, at); !ok {
		return Exact{}, 0, false
	}
	n, end, ok := r.denominator(at, upper != Whole(1))
	if !ok {
		return Exact{}, 0, false
	}
	part, fits := quotient(upper, Whole(n))
	return part, end, fits
}

// halfOf reads "half a million" and "a quarter million".
func (r *reading) halfOf(i int) (Exact, int, bool) {
	if r.l != English {
		return Exact{}, 0, false
	}
	if _, end, ok := articles.at(r.s, i); ok {
		i = space(r.s, end)
	}
	n, end, ok := halves.at(r.s, i)
	if !ok {
		return Exact{}, 0, false
	}
	value, stop := r.ofScale(Exact{1, n}, end)
	return value, stop, stop > end
}

// ofScale multiplies by a scale at i: "million", "of a million".
func (r *reading) ofScale(value Exact, i int) (Exact, int) {
	at := space(r.s, i)
	if next, ok := past(r.s, i, "of "); ok {
		at = next
	}
	if _, end, ok := articles.at(r.s, at); ok {
		at = space(r.s, end)
	}
	scale, end, ok := scales.at(r.s, at)
	if !ok {
		return value, i
	}
	if product, fits := value.times(Whole(scale)); fits {
		return product, end
	}
	return value, i
}
