package phrase

import "strconv"

// reading is a folded text with the plain numbers in it, which all grammars
// build on.
type reading struct {
	s      string
	l      Language
	cards  []cardinal
	starts []int32 // by byte of s: which cardinal begins there, 1 for the first; 0 none
}

// cardinal is a number without sign and fraction line, or an English ordinal.
type cardinal struct {
	Span
	value   Exact
	bad     bool // does not fit, or is glued to letters: no number, but nothing else either
	glued   bool // letters end where it begins: the 5 of "A5" and "USD5"
	ordinal bool
	digits  bool  // nothing but ASCII digits
	figures bool  // Han or ASCII digits without units, read one by one: 二零一六
	loose   bool  // two Han digits that may mean "three or four": 三四
	kana    bool  // spelt in kana, where it might also be a part of a word
	scale   int64 // the thousand or million that an English number ends with, else 0
}

// read folds text and finds its cardinals.
func read(text string, l Language) *reading {
	r := &reading{s: Fold(text), l: l}
	r.starts = make([]int32, len(r.s)+1)
	scan(r.s, func(i int) int {
		c, ok := r.cardinalAt(i)
		if !ok {
			return r.notNumber(i)
		}
		r.cards = append(r.cards, c)
		r.starts[i] = int32(len(r.cards))
		return c.To
	})
	return r
}

// card returns the cardinal that begins at i.
func (r *reading) card(i int) (cardinal, bool) {
	if i < 0 || i > len(r.s) || r.starts[i] == 0 {
		return cardinal{}, false
	}
	c := r.cards[r.starts[i]-1]
	return c, !c.bad
}

// whole returns the whole number, not an ordinal, that begins at i.
func (r *reading) whole(i int) (n int, c cardinal, ok bool) {
	c, ok = r.card(i)
	if !ok || c.ordinal || c.value.Den != 1 || c.value.Num > 1_000_000 {
		return 0, c, false
	}
	return int(c.value.Num), c, true
}

// notNumber skips a word that only looks as if it began with a number.
func (r *reading) notNumber(i int) int {
	if _, end, ok := notNumbers.of(r.l).at(r.s, i); ok {
		return end
	}
	if _, end, ok := weekdaysHan.at(r.s, i); ok && r.l != English && numerals[runeBefore(r.s, i)] == (numeral{}) && !digitAt(r.s, i-1) {
		return end // 周三; but 一周三次 has a three
	}
	return i
}

// cardinalAt reads the cardinal at i.
func (r *reading) cardinalAt(i int) (cardinal, bool) {
	if end := r.notNumber(i); end > i {
		return cardinal{}, false
	}
	c := cardinal{Span: Span{i, i}}
	ok := false
	switch {
	case isDigit(r.s[i]) || r.s[i] == '.' && digitAt(r.s, i+1) && !digitAt(r.s, i-1) && !latinBefore(r.s, i):
		ok = r.figures(&c)
	case r.l == Japanese || r.l == Chinese:
		if ok = r.han(&c); !ok && r.l == Japanese {
			ok = r.kana(&c)
		}
	case isLatin(r.s[i]) && !latinBefore(r.s, i):
		ok = r.english(&c)
	}
	c.glued = ok && isDigit(r.s[i]) && latinBefore(r.s, i)
	return c, ok
}

// figures reads a number that begins with ASCII digits, and what languages put
// after these: 3万5千, 2.5 million, 21st.
func (r *reading) figures(c *cardinal) bool {
	value, end, fits := r.decimal(c.From)
	if end == c.From {
		return false // the second point of "1..5"
	}
	c.To, c.value, c.bad = end, value, !fits
	c.digits = allDigits(r.s[c.From:end])
	c.figures = c.digits
	switch {
	case !fits:
	case r.l == English:
		r.englishAfterFigures(c)
	default:
		r.hanAfterFigures(c)
	}
	return true
}

// decimal reads digits with thousands separated by commas, a decimal fraction
// and a power of ten: 1,234.5 and 2e5. A number with two points is none, and
// its first part stands alone: 192.168.1.1.
func (r *reading) decimal(i int) (value Exact, end int, fits bool) {
	s := r.s
	end = run(s, i)
	digits := s[i:end]
	for grouped := end-i <= 3; grouped; { // groups follow one of at most three digits
		next, ok := r.group(end)
		if !ok {
			break
		}
		digits += s[next-3 : next]
		end = next
	}
	if cents := run(s, end+1); len(digits) == end-i && end < len(s) && s[end] == ',' && cents == end+3 && !digitAt(s, cents+1) && (i == 0 || s[i-1] != ',') {
		value, fits = digitsOf(digits, s[end+1:cents]) // 12,50 as half of Europe writes it
		end = cents
	} else if end < len(s) && s[end] == '.' && digitAt(s, end+1) && !dotted(s, i, end) {
		stop := run(s, end+1)
		value, fits = digitsOf(digits, s[end+1:stop])
		end = stop
	} else {
		value, fits = digitsOf(digits, "")
	}
	if stop, power, ok := exponent(s, end); ok {
		ten, fit := powerOfTen(power)
		value, end = orZero(value.times(ten)), stop
		fits = fits && fit && value.Den != 0
	}
	return value, end, fits
}

// group reads a group of exactly three digits after its separator: a comma, or
// in English a space.
func (r *reading) group(i int) (end int, ok bool) {
	s := r.s
	if i+4 > len(s) || s[i] != ',' && (s[i] != ' ' || r.l != English) {
		return i, false
	}
	end = run(s, i+1)
	return end, end == i+4
}

// dotted reports whether a point at i, after digits that begin at from, belongs
// to several: an address or a version.
func dotted(s string, from, i int) bool {
	end := run(s, i+1)
	return end < len(s) && s[end] == '.' && digitAt(s, end+1) ||
		from > 1 && s[from-1] == '.' && isDigit(s[from-2])
}

// exponent reads e5, e+5 and e-5.
func exponent(s string, i int) (end, power int, ok bool) {
	if i >= len(s) || s[i] != 'e' {
		return i, 0, false
	}
	from := i + 1
	if from < len(s) && (s[from] == '+' || s[from] == '-') {
		from++
	}
	end = run(s, from)
	if end == from || end-from > 2 || end < len(s) && isLatin(s[end]) {
		return i, 0, false
	}
	power, _ = strconv.Atoi(s[i+1 : end])
	return end, power, true
}

// run is where the digits that begin at i end.
func run(s string, i int) int {
	for digitAt(s, i) {
		i++
	}
	return i
}

func allDigits(s string) bool { return s != "" && run(s, 0) == len(s) }

// digitsOf is whole.fraction, and whether it fits.
func digitsOf(whole, fraction string) (Exact, bool) {
	for len(fraction) > 0 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if len(whole)+len(fraction) > 40 {
		return Exact{}, false
	}
	num, err := strconv.ParseInt("0"+whole+fraction, 10, 64)
	den, fits := powerOfTen(len(fraction))
	if err != nil || !fits {
		return Exact{}, false
	}
	return ratio(num, den.Num)
}

// powerOfTen is 10^n, and whether it fits.
func powerOfTen(n int) (Exact, bool) {
	if n < -18 || n > 18 {
		return Exact{}, false
	}
	p := int64(1)
	for range max(n, -n) {
		p *= 10
	}
	if n < 0 {
		return Exact{1, p}, true
	}
	return Exact{p, 1}, true
}

// orZero is e, or the zero Exact where it did not fit.
func orZero(e Exact, fits bool) Exact {
	if !fits {
		return Exact{}
	}
	return e
}
