package phrase

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sayHan says n in Chinese or Japanese, with the units that both have.
func sayHan(n int, l Language) string {
	if n == 0 {
		return "零"
	}
	var s string
	zero := false // a place was empty since the last digit
	for _, big := range []struct {
		worth int
		word  string
	}{{1e8, "亿"}, {1e4, "万"}, {1, ""}} {
		part := n / big.worth % 10000
		if part == 0 {
			zero = zero || s != ""
			continue
		}
		if s != "" && part < 1000 {
			zero = true
		}
		for _, u := range []struct {
			worth int
			word  string
		}{{1000, "千"}, {100, "百"}, {10, "十"}, {1, ""}} {
			digit := part / u.worth % 10
			if digit == 0 {
				zero = zero || s != "" && part%u.worth != 0 && part/u.worth > 0
				continue
			}
			if zero && l == Chinese {
				s += "零"
			}
			zero = false
			if d := string([]rune("零一二三四五六七八九")[digit]); digit > 1 || u.worth == 1 || l == Chinese && (u.worth != 10 || s != "") || l == Japanese && u.worth == 1000 && big.worth > 1 {
				s += d
			}
			s += u.word
		}
		s += big.word
		zero = false
	}
	return s
}

var (
	kanaDigits    = strings.Fields("_ いち に さん よん ご ろく なな はち きゅう")
	kanaHundreds  = strings.Fields("_ ひゃく にひゃく さんびゃく よんひゃく ごひゃく ろっぴゃく ななひゃく はっぴゃく きゅうひゃく")
	kanaThousands = strings.Fields("_ せん にせん さんぜん よんせん ごせん ろくせん ななせん はっせん きゅうせん")
)

// sayKana spells n, from 11 to 9999, in kana.
func sayKana(n int) string {
	s := ""
	if d := n / 1000; d > 0 {
		s += kanaThousands[d]
	}
	if d := n / 100 % 10; d > 0 {
		s += kanaHundreds[d]
	}
	if d := n / 10 % 10; d > 1 {
		s += kanaDigits[d] + "じゅう"
	} else if d == 1 {
		s += "じゅう"
	}
	if d := n % 10; d > 0 {
		s += kanaDigits[d]
	}
	return s
}

var (
	smallWords = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tensWords  = strings.Fields("_ _ twenty thirty forty fifty sixty seventy eighty ninety")
)

// sayEnglish says n, with a hyphen or a space and with or without "and".
func sayEnglish(n int, hyphen, and string) string {
	switch {
	case n < 20:
		return smallWords[n]
	case n < 100:
		if n%10 == 0 {
			return tensWords[n/10]
		}
		return tensWords[n/10] + hyphen + smallWords[n%10]
	case n < 1000:
		if n%100 == 0 {
			return smallWords[n/100] + " hundred"
		}
		return smallWords[n/100] + " hundred " + and + sayEnglish(n%100, hyphen, and)
	}
	for _, u := range []struct {
		worth int
		word  string
	}{{1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"}} {
		if n >= u.worth {
			s := sayEnglish(n/u.worth, hyphen, and) + " " + u.word
			if rest := n % u.worth; rest > 0 {
				s += " " + sayEnglish(rest, hyphen, and)
			}
			return s
		}
	}
	panic("no such number")
}

// aNumber is a number that people say, of any size.
func aNumber(t *rapid.T) int {
	limit := rapid.SampledFrom([]int{99, 999, 9999, 99_999, 9_999_999, 999_999_999_999}).Draw(t, "limit")
	return rapid.IntRange(1, limit).Draw(t, "n")
}

// only checks that said is the number n and nothing else.
func only(t *rapid.T, said string, l Language, n int) {
	t.Helper()
	got := Numbers(said, l)
	if len(got) != 1 || got[0].Value != Whole(int64(n)) || got[0].Ordinal || got[0].To != len(Fold(said)) {
		t.Fatalf("%q is %v, want %d", said, got, n)
	}
}

func TestNumbersReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := aNumber(t)
		only(t, strconv.Itoa(n), rapid.SampledFrom([]Language{Chinese, Japanese, English}).Draw(t, "l"), n)
		only(t, sayHan(n, Chinese), Chinese, n)
		only(t, strings.NewReplacer("亿", "億", "万", "萬").Replace(sayHan(n, Chinese)), Chinese, n)
		only(t, sayHan(n, Japanese), Japanese, n)
		if n%10000 > 10 {
			only(t, sayKana(n%10000), Japanese, n%10000)
		}
		hyphen := rapid.SampledFrom([]string{"-", " "}).Draw(t, "hyphen")
		and := rapid.SampledFrom([]string{"and ", ""}).Draw(t, "and")
		only(t, sayEnglish(n, hyphen, and), English, n)
	})
}

// What is heard wrong must at least not be read as something third: a number is
// read as the one that is written, however much another sounds like it.
func TestNumbersThatSoundAlike(t *testing.T) {
	for n := 13; n <= 19; n++ {
		teen, ty := sayEnglish(n, " ", ""), sayEnglish((n-10)*10, " ", "")
		rapid.Check(t, func(t *rapid.T) {
			only(t, teen, English, n)
			only(t, ty, English, (n-10)*10)
			only(t, sayHan(n, Chinese), Chinese, n)
			only(t, sayHan((n-10)*10, Chinese), Chinese, (n-10)*10)
		})
	}
}

func TestLengthsReadBack(t *testing.T) {
	units := []struct {
		zh, ja, en string
		want       Duration
	}{
		{"天", "日間", "day", Duration{Days: 1}}, {"周", "週間", "week", Duration{Days: 7}}, {"个月", "か月", "month", Duration{Months: 1}}, {"小时", "時間", "hour", Duration{Hours: 1}},
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 99).Draw(t, "n")
		u := rapid.SampledFrom(units).Draw(t, "unit")
		plural := "s"
		if n == 1 {
			plural = ""
		}
		zh := sayHan(n, Chinese)
		if n == 2 {
			zh = "两"
		}
		for said, l := range map[string]Language{
			zh + u.zh: Chinese, strconv.Itoa(n) + u.zh: Chinese, "我要再续" + zh + u.zh + "，谢谢": Chinese,
			sayHan(n, Japanese) + u.ja: Japanese, strconv.Itoa(n) + u.ja: Japanese, "あと" + sayHan(n, Japanese) + u.ja + "延長したい": Japanese,
			sayEnglish(n, "-", "") + " " + u.en + plural: English, strconv.Itoa(n) + " " + u.en + plural: English, "please add " + sayEnglish(n, " ", "") + " " + u.en + plural + " to it": English,
		} {
			got := Durations(said, l)
			if len(got) != 1 {
				t.Fatalf("%q lasts %v", said, got)
			}
			d := got[0]
			if d.Days != n*u.want.Days || d.Months != n*u.want.Months || d.Hours != n*u.want.Hours {
				t.Fatalf("%q lasts %v, want %d times %v", said, d, n, u.want)
			}
		}
	})
}

// A date is the day that it names, in whichever form, and lies not in the past.
func TestDatesReadBack(t *testing.T) {
	months := strings.Fields("January February March April May June July August September October November December")
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		today := start.AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "today"))
		day := today.AddDate(0, 0, rapid.IntRange(0, 364).Draw(t, "ahead"))
		if day.Month() == time.February && day.Day() == 29 {
			t.Skip()
		}
		m, d := int(day.Month()), day.Day()
		for said, l := range map[string]Language{
			strconv.Itoa(m) + "月" + strconv.Itoa(d) + "号": Chinese, sayHan(m, Chinese) + "月" + sayHan(d, Chinese) + "日": Chinese, "到" + sayHan(m, Chinese) + "月" + sayHan(d, Chinese) + "號": Chinese,
			strconv.Itoa(m) + "/" + strconv.Itoa(d): Chinese, day.Format("2006年1月2日"): Chinese, day.Format("2006/1/2"): Japanese,
			strconv.Itoa(m) + "月" + strconv.Itoa(d) + "日まで": Japanese, sayHan(m, Japanese) + "月" + sayHan(d, Japanese) + "日": Japanese,
			months[m-1] + " " + strconv.Itoa(d): English, "until " + strconv.Itoa(d) + " " + months[m-1][:3]: English, day.Format("2006-01-02"): English, day.Format("January 2, 2006"): English, day.Format("Monday, January 2"): English,
		} {
			got := Days(said, l, today)
			if len(got) != 1 || !got[0].Date.Equal(day) || got[0].Ambiguous {
				t.Fatalf("%q on %s is %v, want %s", said, today.Format(time.DateOnly), got, day.Format(time.DateOnly))
			}
		}
	})
}

// Whatever is not said to be over lies ahead, today included.
func TestDaysLieAhead(t *testing.T) {
	said := map[Language][]string{
		Chinese:  {"3号", "周五", "12月3日", "月底", "到周日", "三天后", "圣诞节", "周末", "下周一", "年底", "2月29日"},
		Japanese: {"3日まで", "金曜日", "12月3日", "月末", "日曜まで", "三日後", "クリスマス", "週末", "来週の月曜日", "年末"},
		English:  {"the 3rd", "Friday", "Dec 3", "end of the month", "until Sunday", "in three days", "Christmas", "the weekend", "next Monday", "this Friday", "12/3"},
	}
	rapid.Check(t, func(t *rapid.T) {
		today := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 3000).Draw(t, "today"))
		for l, all := range said {
			for _, s := range all {
				got := Days(s, l, today)
				if len(got) != 1 || got[0].Date.Before(today) {
					t.Fatalf("%q on %s is %v", s, today.Format(time.DateOnly), got)
				}
			}
		}
	})
}

func TestExact(t *testing.T) {
	for e, want := range map[Exact]string{{}: "0", {5, 2}: "2.5", {-1, 4}: "-0.25", {2, 3}: "2/3", {7, 1}: "7", {1, 1_000_000_000_000_000_000}: "0.000000000000000001", {-limit, 1}: "-1000000000000000000"} {
		if got := e.String(); got != want {
			t.Errorf("%d/%d is %q, want %q", e.Num, e.Den, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Exact{rapid.Int64Range(-1000, 1000).Draw(t, "a"), 1}
		n, d := rapid.Int64Range(-1000, 1000).Draw(t, "n"), rapid.Int64Range(1, 1000).Draw(t, "d")
		b, _ := ratio(n, d)
		sum, ok1 := a.plus(b)
		product, ok2 := a.times(b)
		if !ok1 || !ok2 || sum.Num*d != (a.Num*d+n)*sum.Den || product.Num*d != a.Num*n*product.Den {
			t.Fatalf("%v and %v: %v %v", a, b, sum, product)
		}
	})
	if _, ok := Whole(limit).times(Whole(2)); ok {
		t.Error("what does not fit was multiplied")
	}
	if _, ok := Whole(limit).plus(Whole(1)); ok {
		t.Error("what does not fit was added")
	}
}
