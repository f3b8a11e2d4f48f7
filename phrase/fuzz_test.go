package phrase

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seeds are what people say, and what they do not.
var seeds = []string{
	"", " ", "三天", "半个月", "十二月三号", "下周五之前", "三百五", "十五六天", "一两天", "3-5天", "大后天", "月底", "从3号到10号", "五角大楼", "¥3000", "500兆", "第二个", "倒数第二个", "好吧等一下", "不是不要",
	"10日間", "来週の金曜日まで", "あと五日", "2、3日", "一千万円", "三つ目", "令和8年12月3日(木)", "9月3日から12日まで", "みっかかん", "きゅうじゅうなな", "1日1GB", "無制限ではない", "はい、でも…", "ううん", "明日から3日間",
	"until next Friday", "in three days", "one and a half months", "twenty-fifth of december twenty twenty six", "3 days after 3 days after tomorrow", "$15.50", "12,50 €", "two million and one half", "1 3/5", "1,234,567.89", "2e5", "24/7", "2/29/2019", "99999999999999999999999", "yes, but 10 days", "3GB a day", "the last but one", "192.168.1.1",
	"一一一一一一一一一一一一一一一一一一一一一一", "万亿兆万亿", "零点零零零", "\xff\xfe", "\u0301\u200d", "½½½", "①②③", "👌🏾 OK", "1.1.1.1.1", "1/1/1/1/1", "-----5", "and a half", "分之", "ーーー",
}

func fuzz(f *testing.F, try func(t *testing.T, text string, l Language)) {
	for _, s := range seeds {
		for l := range languages {
			f.Add(s, string(l))
		}
	}
	f.Fuzz(func(t *testing.T, text, l string) { try(t, text, Language(l)) })
}

// spans checks that what was found lies in the folded text, in its order and
// apart from each other, and on whole characters.
func spans(t *testing.T, text string, found []Span) {
	t.Helper()
	s, at := Fold(text), 0
	for _, f := range found {
		if f.From < at || f.To <= f.From || f.To > len(s) || !utf8.ValidString(s[f.From:f.To]) {
			t.Fatalf("%v of %q after %d", f, s, at)
		}
		at = f.To
	}
}

func FuzzFold(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, _ Language) {
		once := Fold(text)
		if twice := Fold(once); twice != once {
			t.Errorf("%q folds to %q and that to %q", text, once, twice)
		}
		if !utf8.ValidString(once) || strings.Contains(once, "  ") || strings.TrimSpace(once) != once {
			t.Errorf("%q folds to %q", text, once)
		}
	})
}

func FuzzGuess(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		switch got := Guess(text, l); got {
		case Chinese, Japanese, English, l:
		default:
			t.Errorf("%q is %q", text, got)
		}
	})
}

func FuzzNumbers(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		var found []Span
		for _, n := range Numbers(text, l) {
			found = append(found, n.Span)
			if v := n.Value; v.Den < 1 || gcd(v.Num, v.Den) != 1 && v.Num != 0 || v.String() == "" {
				t.Errorf("%q has %+v", text, n)
			}
		}
		spans(t, text, found)
	})
}

func FuzzChoice(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		if n, ok := Choice(text, l); ok == (n == 0) || n > 99 || n < -99 {
			t.Errorf("%q chooses %d, %t", text, n, ok)
		}
	})
}

func FuzzDurations(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		var found []Span
		for _, d := range Durations(text, l) {
			found = append(found, d.Span)
			for _, n := range []int{d.Years, d.Months, d.Days, d.Hours, d.Minutes, d.Seconds, d.Nights} {
				if n < 0 {
					t.Errorf("%q lasts %+v", text, d)
				}
			}
		}
		spans(t, text, found)
	})
}

func FuzzDays(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		for _, today := range []string{"2026-11-30", "2028-02-29", "2026-12-31"} {
			at, _ := time.Parse(time.DateOnly, today)
			var found []Span
			for _, d := range Days(text, l, at.Add(15*time.Hour)) {
				found = append(found, d.Span)
				if d.Date.Hour() != 0 || d.First.After(d.Date) || d.Date.IsZero() {
					t.Errorf("%q has %+v", text, d)
				}
			}
			spans(t, text, found)
		}
	})
}

func FuzzAmounts(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		var found []Span
		for _, a := range Amounts(text, l) {
			found = append(found, a.Span)
			if a.Value.Den < 1 || (a.Currency == "") == (len(a.Maybe) < 2) {
				t.Errorf("%q has %+v", text, a)
			}
		}
		spans(t, text, found)
	})
}

func FuzzData(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		var found []Span
		for _, d := range Data(text, l) {
			found = append(found, d.Span)
			if d.Unlimited != (d.Unit == "") || d.Value.Num < 0 {
				t.Errorf("%q has %+v", text, d)
			}
		}
		spans(t, text, found)
	})
}

// A yes is nothing but a yes: with a word that nobody knows in it, or with a
// question mark, it is none.
func FuzzAnswer(f *testing.F) {
	fuzz(f, func(t *testing.T, text string, l Language) {
		switch got := Answer(text, l); got {
		case Yes:
			for _, more := range []string{"?", " zebra", " но"} {
				if Answer(text+more, l) == Yes {
					t.Errorf("%q is a yes, and with %q too", text, more)
				}
			}
		case No, Unsure, None:
		default:
			t.Errorf("%q is %q", text, got)
		}
	})
}
