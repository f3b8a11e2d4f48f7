package phrase

// numberWord is what an English word does in a number.
type numberWord struct {
	unit    int64 // 1 to 19, and 0 itself
	tens    int64 // 20, 30 …
	hundred bool
	scale   int64 // a thousand and more, a dozen
	ordinal bool  // ends the number: fifth, hundredth
	plural  bool  // fifths: only as the lower half of a fraction
	zero    bool
}

var numberWords = func() *table[numberWord] {
	var rows entries[numberWord]
	add := func(words string, w numberWord) {
		rows = append(rows, struct {
			words string
			means numberWord
		}{words, w})
	}
	units := []string{"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"}
	ordinals := []string{"zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"}
	tens := []string{"twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
	tenths := []string{"twentieth", "thirtieth", "fortieth", "fiftieth", "sixtieth", "seventieth", "eightieth", "ninetieth"}
	add("zero nought naught", numberWord{zero: true})
	for i := range units {
		add(units[i], numberWord{unit: int64(i)})
		add(ordinals[i], numberWord{unit: int64(i), zero: i == 0, ordinal: true})
		if i > 2 {
			add(ordinals[i]+"s", numberWord{unit: int64(i), ordinal: true, plural: true})
		}
	}
	for i := range tens {
		add(tens[i], numberWord{tens: int64(i+2) * 10})
		add(tenths[i], numberWord{tens: int64(i+2) * 10, ordinal: true})
		add(tenths[i]+"s", numberWord{tens: int64(i+2) * 10, ordinal: true, plural: true})
	}
	add("hundred hundreds", numberWord{hundred: true})
	add("hundredth", numberWord{hundred: true, ordinal: true})
	add("hundredths", numberWord{hundred: true, ordinal: true, plural: true})
	add("thousandth", numberWord{scale: 1e3, ordinal: true})
	add("millionth", numberWord{scale: 1e6, ordinal: true})
	add("billionth", numberWord{scale: 1e9, ordinal: true})
	add("trillionth", numberWord{scale: 1e12, ordinal: true})
	for _, s := range scaleWords {
		add(s.words, numberWord{scale: s.means})
	}
	return tabulate(rows)
}()

// scaleWords follow a number and multiply it.
var scaleWords = entries[int64]{
	{"dozen dozens dz dzs", 12},
	{"thousand thousands k", 1e3},
	{"lakh lakhs", 1e5},
	{"million millions mil mln", 1e6},
	{"crore crores", 1e7},
	{"billion billions bln bn", 1e9},
	{"trillion trillions tln", 1e12},
	{"quadrillion quadrillions", 1e15},
	{"quintillion quintillions", 1e18},
}

var scales = tabulate(scaleWords)

// notNumbersEn are phrases whose number words count nothing.
var notNumbersEn = tabulate(entries[bool]{
	{"the_one this_one that_one which_one each_one any_one no_one every_one another_one only_one good_one one_way one_another one_by_one seven-eleven 7-eleven 24/7 second_hand second-hand", true},
})

// joint skips what stands between the words of one number: a space, a hyphen.
func joint(s string, i int) int {
	i = space(s, i)
	if i < len(s) && s[i] == '-' {
		i = space(s, i+1)
	}
	return i
}

// englishState is a number on its way: two million three hundred five is,
// before its end, total 2000000, group 305.
type englishState struct {
	total, group Exact
	smallest     int64 // the smallest scale so far
	last         numberWord
	words        int
	bad          bool
}

// english reads a number in words. It ends with an ordinal, if there is one.
func (r *reading) english(c *cardinal) bool {
	if _, ok := past(r.s, c.From, "point "); ok && (c.From == 0 || c.From > 1 && !isLatin(r.s[c.From-2])) {
		c.value = Whole(0)
		r.point(c)
		return c.To > c.From
	}
	st := englishState{total: Whole(0), group: Whole(0)}
	if w, end, ok := r.a(c.From); ok {
		st.group, st.last, st.words, c.To = Whole(1), w, 1, end
	}
	return r.englishFrom(c, st)
}

// a reads the "a" of "a hundred" and "a dozen".
func (r *reading) a(i int) (numberWord, int, bool) {
	_, end, ok := articles.at(r.s, i)
	if !ok {
		return numberWord{}, i, false
	}
	next := space(r.s, end)
	w, _, ok := numberWords.at(r.s, next)
	if !ok || !w.hundred && w.scale == 0 || w.ordinal {
		return numberWord{}, i, false
	}
	return numberWord{unit: 1}, end, true
}

var articles = tabulate(entries[bool]{{"a an", true}})

// englishAfterFigures goes on after ASCII digits: 2.5 million, 4 thousand 3
// hundred, 21st.
func (r *reading) englishAfterFigures(c *cardinal) {
	if _, end, ok := ordinalEndings.at(r.s, c.To); ok {
		c.To, c.ordinal, c.digits, c.figures = end, true, false, false
		return
	}
	next := joint(r.s, c.To)
	if next > c.To && r.s[next-1] == '-' || next < len(r.s) && isLatin(r.s[next]) && next == c.To && r.s[next] == 'g' {
		return
	}
	w, _, ok := numberWords.at(r.s, next)
	if !ok && next == c.To { // 2k, 2mil: a word may not begin within another, but after digits it does
		return
	}
	if !ok || w.ordinal || !w.hundred && w.scale == 0 {
		return
	}
	r.englishFrom(c, englishState{total: Whole(0), group: c.value, last: numberWord{unit: 1}, words: 1})
}

var ordinalEndings = tabulate(entries[bool]{{"st nd rd th", true}})

// englishFrom reads number words from the end of c on.
func (r *reading) englishFrom(c *cardinal, st englishState) bool {
	begun := st.words > 0
	for {
		i := c.To
		if st.words > 0 {
			i = joint(r.s, c.To)
		}
		word, end, ok := numberWords.at(r.s, i)
		switch {
		case ok && (st.words > 0 && r.notNumber(i) > end || word.plural):
			ok = false
		case ok:
			ok = st.take(word)
		case st.words > 0:
			end, word, ok = r.andMore(i, &st)
		}
		if !ok {
			break
		}
		c.To, c.digits, c.figures = end, false, false
		st.words++
		st.last = word
		c.scale = word.scale
		if word.ordinal {
			c.ordinal = true
			break
		}
	}
	if st.words == 0 || begun && st.words == 1 && c.value.Den == 0 {
		return false
	}
	if begun && st.words == 1 {
		return true
	}
	total, fits := st.total.plus(st.group)
	c.value, c.bad = total, st.bad || !fits
	if !c.ordinal && !c.bad {
		r.point(c)
	}
	return true
}

// andMore reads "and five" after a hundred or a scale, and figures after a scale:
// 4 thousand 300.
func (r *reading) andMore(i int, st *englishState) (end int, w numberWord, ok bool) {
	if !st.last.hundred && st.last.scale == 0 {
		return i, w, false
	}
	next, isAnd := past(r.s, i, "and ")
	if isAnd {
		i = next
		w, end, ok = numberWords.at(r.s, i)
		if ok && !w.hundred && w.scale == 0 && !w.plural && (w.tens > 0 || !r.beforePlural(end)) && st.take(w) {
			return end, w, true
		}
	}
	if !digitAt(r.s, i) || st.last.scale == 0 {
		return i, w, false
	}
	value, end, fits := r.decimal(i)
	n, isWhole := value.Int()
	if !fits || !isWhole || n >= st.last.scale || n == 0 || end < len(r.s) && isLatin(r.s[end]) {
		return i, w, false
	}
	st.group = Whole(n)
	return end, numberWord{unit: 1}, true
}

// beforePlural reports whether the lower half of a fraction stands at i: the two of
// "one hundred and two thirds" is its upper half.
func (r *reading) beforePlural(i int) bool {
	w, _, ok := numberWords.at(r.s, joint(r.s, i))
	_, _, half := halves.at(r.s, joint(r.s, i))
	return half || ok && w.ordinal && (w.plural || w.unit > 2)
}

// take takes one word, and reports whether it can stand here.
func (st *englishState) take(w numberWord) bool {
	group, _ := st.group.Int()
	last := st.last
	first := st.words == 0
	switch {
	case w.scale != 0:
		return st.takeScale(w.scale, first && !w.ordinal)
	case w.hundred:
		if first {
			if !w.ordinal {
				return false
			}
			st.group = Whole(100)
			return true
		}
		if last.hundred || last.scale != 0 || last.zero {
			return false
		}
		st.group, st.bad = st.times(st.group, 100)
		return true
	case w.zero:
		if !first {
			return false
		}
		return true
	case w.tens != 0:
		if !first && !last.hundred && last.scale == 0 {
			return false
		}
		st.group, _ = st.group.plus(Whole(w.tens))
		return true
	}
	if !first && !last.hundred && last.scale == 0 && (last.tens == 0 || w.unit > 9 || w.unit == 0) {
		return false
	}
	st.group = Whole(group + w.unit)
	return true
}

// takeScale takes a thousand, a million …, each smaller than those before it.
func (st *englishState) takeScale(scale int64, first bool) bool {
	switch {
	case first, st.last.zero:
		return false
	case st.words == 0: // a thousandth
		st.group = Whole(1)
	case st.last.scale != 0: // three lakh crore
		if st.words < 2 {
			return false
		}
		st.total, st.bad = st.times(st.total, scale)
		return true
	case st.smallest != 0 && scale >= st.smallest && scale != 12:
		return false
	}
	if scale == 12 { // three hundred and two dozens are 324
		group, ok := st.group.Int()
		if low := group % 100; ok && low != 0 && group > 100 {
			st.group = Whole(group - low + low*12)
			return true
		}
	}
	value, bad := st.times(st.group, scale)
	total, fits := st.total.plus(value)
	st.total, st.group, st.smallest = total, Whole(0), scale
	st.bad = st.bad || bad || !fits
	return true
}

// times is e×n and whether it does not fit, now or before.
func (st *englishState) times(e Exact, n int64) (Exact, bool) {
	value, fits := e.times(Whole(n))
	if !fits {
		return Whole(0), true
	}
	return value, st.bad
}

// point reads "point one two" and "point seventy-one", and a scale after it.
func (r *reading) point(c *cardinal) {
	end, ok := past(r.s, c.To, "point ")
	if !ok {
		return
	}
	digits := ""
	for len(digits) < 18 {
		i := joint(r.s, end)
		if digits == "" {
			i = end
		}
		w, next, isWord := numberWords.at(r.s, i)
		_, oh, isOh := ohs.at(r.s, i)
		switch {
		case isWord && !w.ordinal && !w.hundred && w.scale == 0 && w.unit < 10 && w.tens == 0:
			digits += string(rune('0' + w.unit))
		case isOh:
			digits, next = digits+"0", oh
		case isWord && digits == "" && !w.ordinal && (w.tens > 0 || w.unit >= 10): // seventy-one
			n, after := r.twoFigures(i)
			digits, next = n, after
		default:
			next = i
		}
		if next == i {
			break
		}
		end = next
	}
	if digits == "" {
		return
	}
	part, _ := digitsOf("", digits)
	value, fits := c.value.plus(part)
	c.To, c.value, c.bad = end, value, !fits
	if scale, end, ok := scales.at(r.s, space(r.s, c.To)); ok && fits {
		value, fits = c.value.times(Whole(scale))
		c.To, c.value, c.bad = end, value, !fits
	}
}

var ohs = tabulate(entries[bool]{{"o oh", true}})

// twoFigures reads "seventy-one" and "seventeen" as two digits.
func (r *reading) twoFigures(i int) (digits string, end int) {
	w, end, _ := numberWords.at(r.s, i)
	n := w.tens + w.unit
	if w.tens > 0 {
		if u, after, ok := numberWords.at(r.s, joint(r.s, end)); ok && u.unit > 0 && u.unit < 10 && !u.ordinal {
			n, end = n+u.unit, after
		}
	}
	return string([]rune{rune('0' + n/10), rune('0' + n%10)}), end
}
