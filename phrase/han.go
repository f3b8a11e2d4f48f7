package phrase

import (
	"strings"
	"unicode/utf8"
)

// numerals are the characters that Chinese and Japanese numbers are made of.
type numeral struct {
	digit int64 // 0 to 9
	unit  int64 // 10, 100, 1000
	big   int64 // 10^4, 10^8, 10^12
	tens  int64 // 20, 30: a digit and 十 in one
}

var numerals = func() map[rune]numeral {
	m := map[rune]numeral{}
	for d, forms := range []string{"零〇", "一壹壱弌", "二贰弐两", "三叁参", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"} {
		for _, r := range forms {
			m[r] = numeral{digit: int64(d), unit: 0}
		}
	}
	for _, u := range []struct {
		forms string
		worth int64
	}{{"十拾", 10}, {"百佰", 100}, {"千仟", 1000}} {
		for _, r := range u.forms {
			m[r] = numeral{digit: -1, unit: u.worth}
		}
	}
	for _, u := range []struct {
		r     rune
		worth int64
	}{{'万', 1e4}, {'亿', 1e8}, {'兆', 1e12}} {
		m[u.r] = numeral{digit: -1, big: u.worth}
	}
	m['俩'] = numeral{digit: 2}
	m['廿'] = numeral{digit: -1, tens: 20}
	m['卅'] = numeral{digit: -1, tens: 30}
	return m
}()

// hanState is a number on its way: 四千零五万三百 is, before its 百, whole
// 40050000, section 0, digit 3.
type hanState struct {
	whole, section int64 // below the last big unit, and since then
	digit          int64 // the digits that wait for their unit, -1 for none
	run            int   // how many digits these are
	unit           int64 // the last unit, also a big one: what a digit at the end is a tenth of
	zero           bool  // 零 stood since then
	last           int64 // the last of several digits, for 二三十
	smallest       int64 // the smallest big unit so far
	units          bool  // any unit stood
	overflow       bool
}

// han reads a number that begins with a Han numeral.
func (r *reading) han(c *cardinal) bool {
	first, _ := runeAt(r.s, c.From)
	n, ok := numerals[first]
	if !ok || n.big > 0 {
		return false
	}
	if n.unit >= 100 && r.l == Chinese {
		if second, _ := runeAt(r.s, c.From+utf8.RuneLen(first)); numerals[second] == (numeral{}) && second != '零' {
			return false // 百货, 千万别
		}
	}
	return r.hanFrom(c, hanState{digit: -1})
}

// hanAfterFigures goes on after ASCII digits: 3万, 1千零1.
func (r *reading) hanAfterFigures(c *cardinal) {
	value, isWhole := c.value.Int()
	next, _ := runeAt(r.s, space(r.s, c.To))
	n, ok := numerals[next]
	if !ok && (next == '余' || next == '多' || next == '几') {
		ok = r.bigAfter(space(r.s, c.To) + utf8.RuneLen(next))
	}
	switch {
	case !ok || n.digit >= 0 && n.unit == 0 && n.big == 0 && !r.bigAfter(space(r.s, c.To)+utf8.RuneLen(next)):
	case !isWhole:
		r.hanScale(c)
	case value < 1e15:
		r.hanFrom(c, hanState{digit: value, run: 1, last: value})
	}
}

// bigAfter reports whether 万 or 亿 stand at i.
func (r *reading) bigAfter(i int) bool {
	next, _ := runeAt(r.s, space(r.s, i))
	return numerals[next].big > 0
}

// hanScale multiplies by the big units that follow a decimal fraction: 36.57亿.
func (r *reading) hanScale(c *cardinal) {
	for {
		i := space(r.s, c.To)
		next, size := runeAt(r.s, i)
		n := numerals[next]
		worth := max(n.big, n.unit)
		if worth == 0 || r.dataUnit(i) {
			return
		}
		value, fits := c.value.times(Whole(worth))
		c.To, c.value, c.bad = i+size, value, !fits
		c.digits, c.figures = false, false
		if !fits {
			return
		}
	}
}

// hanFrom reads numerals from the end of c on, which may be its beginning.
func (r *reading) hanFrom(c *cardinal, st hanState) bool {
	from := c.From
	asFigures := c.To == c.From
	figures := strings.Builder{}
	for i := c.To; i < len(r.s); {
		at := i
		if i > from {
			at = space(r.s, i)
		}
		next, size := runeAt(r.s, at)
		n, ok := numerals[next]
		switch {
		case ok && r.dataUnit(at):
			ok = false
		case ok:
			ok = st.take(n)
		case digitAt(r.s, at) && st.digit < 0 && st.units:
			var end int
			end, ok = r.hanDigits(at, &st)
			size = end - at
		case (next == '余' || next == '多' || next == '几') && r.bigAfter(at+size):
			ok = true
		}
		if !ok || at > i && n.digit >= 0 && n.unit == 0 && n.big == 0 && !st.units {
			break
		}
		if n.digit >= 0 && n.unit == 0 {
			figures.WriteByte(byte('0' + n.digit))
		}
		i = at + size
		c.To = i
	}
	if c.To == from {
		return false
	}
	c.digits = false
	if !st.units {
		if asFigures {
			c.figures = true
			c.loose = loose(figures.String())
			c.value, st.overflow = digitsOfHan(figures.String())
		}
	} else {
		c.figures = false
		value, fits := st.close(r.l)
		c.value, st.overflow = Whole(value), !fits
	}
	c.bad = st.overflow
	r.hanFraction(c)
	return true
}

func digitsOfHan(s string) (Exact, bool) {
	e, fits := digitsOf(s, "")
	return e, !fits
}

// loose reports whether two figures may mean "three or four".
func loose(s string) bool { return len(s) == 2 && s[1] == s[0]+1 && s[0] > '0' }

// hanDigits takes ASCII digits after a unit, fewer than the unit has zeros:
// 3万4000, 1千零20. They are no tenth of the unit, but for a single one: 3万5.
func (r *reading) hanDigits(i int, st *hanState) (end int, ok bool) {
	value, end, fits := r.decimal(i)
	n, isWhole := value.Int()
	if !fits || !isWhole || n >= st.unit {
		return i, false
	}
	st.digit, st.run, st.last = n, 2, n
	if n < 10 {
		st.run = 1
	}
	return end, true
}

// take takes one numeral, and reports whether it can stand here.
func (st *hanState) take(n numeral) bool {
	switch {
	case n.big > 0:
		return st.takeBig(n.big)
	case n.unit > 0:
		return st.takeUnit(n.unit)
	case n.tens > 0:
		if st.digit >= 0 || st.unit == 10 {
			return false
		}
		st.section += n.tens
		st.unit, st.units = 10, true
		return true
	case n.digit == 0 && st.units && st.digit < 0:
		st.zero = true
		return true
	case st.digit < 0:
		st.digit, st.run, st.last = n.digit, 1, n.digit
		return true
	case st.units && (st.run > 1 || n.digit != st.digit+1):
		return false // but 十五六 is 15 or 16
	}
	if st.digit > 1e15 {
		st.overflow = true
		st.digit = 0
	}
	st.digit, st.last = st.digit*10+n.digit, n.digit
	st.run++
	return true
}

// takeUnit takes 十, 百 or 千.
func (st *hanState) takeUnit(unit int64) bool {
	d := st.digit
	switch {
	case d <= 0:
		d = 1 // 千五百, 零十
	case st.run == 2 && d < 100:
		d = st.last // 二三十: two or three tens; the larger
	case d >= 10 && st.section > 0:
		return false
	}
	if st.section > 0 && st.unit <= unit && st.unit < 1e4 {
		return false // 五百千
	}
	st.section += d * unit
	st.digit, st.run, st.unit, st.units, st.zero = -1, 0, unit, true, false
	return true
}

// takeBig takes 万, 亿 or 兆.
func (st *hanState) takeBig(big int64) bool {
	below := st.section + max(st.digit, 0)
	switch {
	case st.smallest != 0 && big >= st.smallest: // 万亿, 10万万: a unit of units
		if st.digit >= 0 || st.section > 0 {
			// 四千万八千亿 is one number, the whole of it before 亿.
			below += st.whole
		} else {
			below = st.whole
		}
		st.whole = 0
	case below == 0:
		return false
	}
	if below > limit/big {
		st.overflow = true
		below = 0
	}
	st.whole += below * big
	st.section, st.digit, st.run = 0, -1, 0
	st.unit, st.units, st.zero = big, true, false
	st.smallest = big
	if st.whole > limit {
		st.overflow = true
		st.whole = 0
	}
	return true
}

// close ends the number. In Chinese a digit at its end counts a tenth of the
// last unit unless 零 stands before it: 两千五 is 2500, but Japanese 二千五 is 2005.
func (st *hanState) close(l Language) (value int64, fits bool) {
	d := max(st.digit, 0)
	if st.run == 2 {
		d = st.last
	}
	if l == Chinese && st.run == 1 && !st.zero && st.unit >= 100 && st.unit <= 1e8 && d < 10 {
		d *= st.unit / 10
	}
	value = st.whole + st.section + d
	return value, !st.overflow && value <= limit
}

// hanFraction reads what follows a point: 十五点七, 五・五, 一点五万.
func (r *reading) hanFraction(c *cardinal) {
	i := space(r.s, c.To)
	next, size := runeAt(r.s, i)
	if next != '点' && (next != '・' || r.l != Japanese) && next != '·' {
		return
	}
	var digits strings.Builder
	end := i + size
	for {
		next, size := runeAt(r.s, end)
		n, ok := numerals[next]
		switch {
		case ok && n.digit >= 0 && n.unit == 0 && n.big == 0:
			digits.WriteByte(byte('0' + n.digit))
		case digitAt(r.s, end):
			digits.WriteByte(r.s[end])
		default:
			size = 0
		}
		if size == 0 {
			break
		}
		end += size
	}
	if after, _ := runeAt(r.s, end); digits.Len() == 0 || after == '十' || after == '分' || after == '刻' {
		return // 三点半, 八点五十分: a time of day
	}
	part, fits1 := digitsOf("", digits.String())
	value, fits2 := c.value.plus(part)
	c.To, c.value, c.bad = end, value, c.bad || !fits1 || !fits2
	c.figures, c.loose = false, false
	if !c.bad {
		r.hanScale(c)
	}
}

// dataUnit reports whether the numeral at i is the Chinese megabyte: 500兆, but
// not the million millions of 五兆六十二億 and 三兆日元.
func (r *reading) dataUnit(i int) bool {
	if r.l != Chinese || !strings.HasPrefix(r.s[i:], "兆") {
		return false
	}
	after := i + len("兆")
	next, _ := runeAt(r.s, after)
	if _, ok := numerals[next]; ok || isDigit(byte(min(next, 0x7f))) {
		return false
	}
	_, _, money := currencies.at(r.s, after)
	return !money
}
