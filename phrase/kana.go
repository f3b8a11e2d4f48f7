package phrase

// kanaNumerals are what spelt syllables do in a Japanese number.
var kanaNumerals = tabulate(entries[numeral]{
	{"ゼロ れい まる", numeral{digit: 0}},
	{"いち いっ イチ", numeral{digit: 1}},
	{"に ニ", numeral{digit: 2}},
	{"さん サン", numeral{digit: 3}},
	{"よん し ヨン", numeral{digit: 4}},
	{"ご ゴ", numeral{digit: 5}},
	{"ろく ろっ ロク", numeral{digit: 6}},
	{"なな しち ナナ", numeral{digit: 7}},
	{"はち はっ ハチ", numeral{digit: 8}},
	{"きゅう く キュウ", numeral{digit: 9}},
	{"じゅう じゅっ ジュウ", numeral{digit: -1, unit: 10}},
	{"ひゃく びゃく ぴゃく ひゃっ ヒャク", numeral{digit: -1, unit: 100}},
	{"せん ぜん セン", numeral{digit: -1, unit: 1000}},
	{"まん マン", numeral{digit: -1, big: 1e4}},
	{"おく オク", numeral{digit: -1, big: 1e8}},
	{"ちょう チョウ", numeral{digit: -1, big: 1e12}},
})

// alone are the numerals that mean a number also where no other stands beside
// them. に, し, ご and さん are mostly something else.
var alone = tabulate(entries[bool]{{"ゼロ いち よん ろく なな はち きゅう じゅう ひゃく", true}})

// kana reads a number in kana: きゅうじゅうなな. One that might be a part of a
// word is marked, and counts only before a unit.
func (r *reading) kana(c *cardinal) bool {
	st := hanState{digit: -1}
	parts := 0
	for i := c.From; ; {
		n, end, ok := kanaNumerals.at(r.s, i)
		if !ok || n.digit >= 0 && st.digit >= 0 && st.units || n.big > 0 && parts == 0 || !st.take(n) {
			break
		}
		i, c.To = end, end
		parts++
	}
	if parts == 0 {
		return false
	}
	if _, end, ok := alone.at(r.s, c.From); parts == 1 && (!ok || end != c.To) {
		return false
	}
	value, fits := st.close(Japanese)
	c.value, c.bad = Whole(value), !fits
	c.kana = parts == 1 || !st.units
	if !st.units && parts > 1 && parts < 4 {
		return false // いちに; but a number that is read out figure by figure is one
	}
	return true
}

// unitsJa are counters after which a spelt number is one.
var unitsJa = tabulate(entries[bool]{{"日 日間 円 えん 人 つ 個 番 番目 か月 ヶ月 時間 分 年 週間 ギガ メガ ドル どる", true}})
