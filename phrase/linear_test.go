package phrase

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// everything reads text in every way.
func everything(text string, l Language) {
	today := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	Guess(text, l)
	Numbers(text, l)
	Choice(text, l)
	Durations(text, l)
	Days(text, l, today)
	Amounts(text, l)
	Data(text, l)
	Answer(text, l)
}

// long are texts that a careless grammar would read again and again.
var long = []string{
	"1", "一", "十", "万", "1,", "1,234,567,", "1 ", "1/", "1.", "-", "三点", "百", "零", "分之", "三分之", "日", "3日", "から", "3日から", "12月", "2026年", "来週の", "農歴", "农历", "下周", "初", "第", "だい", "最后から",
	"one ", "one hundred ", "and ", "point ", "point one ", "a ", "half ", "million ", "1 million ", "twenty-", "first ", "december ", "december 3 to ", "from ", "3 days from ", "3 days after ", "in 3 days ", "the ", "of ", "next ", "next week on ", "end of ", "friday, ", "week of ", "rest of ",
	"1天2小时", "1日と2時間", "1 day 2 hours ", "三天又", "三天到", "3~", "$", "$1", "$ 1 ", "元", "1元2角", "3GB", "3g ", "不", "好", "はい", "いいえ、", "yes ", "no ", "いち", "ななな", "せん", "に", "半", "个半", "1个半", "(", "é", "\xff", "\u0301",
}

// All of these end at once. A rule that read the rest of the text again at every
// place would keep this test busy for minutes.

func TestLongTextsEnd(t *testing.T) {
	for _, piece := range long {
		text := strings.Repeat(piece, 8_000/len(piece))
		for l := range languages {
			everything(text, l)
		}
	}
}

func BenchmarkSaid(b *testing.B) {
	for name, text := range map[string]string{
		"zh": "我想续到下周五，大概十五天，预算三千日元左右，要每天3GB的", "ja": "来週の金曜日まで、あと15日間くらい延長したいです。予算は三千円、1日3ギガで", "en": "I'd like to extend until next Friday, about fifteen days, for 3,000 yen or less, with 3GB a day",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				everything(text, Language(name))
			}
		})
	}
}

// BenchmarkLong has the same time per byte for every size.
func BenchmarkLong(b *testing.B) {
	for _, piece := range []string{"1", "一", "one ", "3日から", "1天2小时"} {
		for _, size := range []int{1_000, 10_000, 100_000} {
			text := strings.Repeat(piece, size/len(piece))
			b.Run(fmt.Sprintf("%s/%dB", strings.TrimSpace(piece), size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					for l := range languages {
						everything(text, l)
					}
				}
			})
		}
	}
}
