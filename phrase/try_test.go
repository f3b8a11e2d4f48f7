package phrase

import "testing"

func TestTry(t *testing.T) {
	for _, c := range []struct {
		l Language
		s string
	}{
		{Chinese, "三天"}, {Chinese, "半个月"}, {Chinese, "两周"}, {Chinese, "三四天"}, {Chinese, "我还要住3到5天"}, {Chinese, "一个半月"}, {Chinese, "三天两夜"}, {Chinese, "一天3GB"}, {Chinese, "每天1G"}, {Chinese, "十日游"}, {Chinese, "周三天气"}, {Chinese, "三个礼拜左右"}, {Chinese, "再续十五天"}, {Chinese, "第三天"}, {Chinese, "三天前"}, {Chinese, "十五六天"},
		{Japanese, "3日間"}, {Japanese, "一週間"}, {Japanese, "1ヶ月"}, {Japanese, "10日"}, {Japanese, "あと10日"}, {Japanese, "10日ほど"}, {Japanese, "2泊3日"}, {Japanese, "1日1GB"}, {Japanese, "みっかかん"}, {Japanese, "12月10日まで"}, {Japanese, "2、3日間"}, {Japanese, "１週間半"}, {Japanese, "三日分"}, {Japanese, "十日間くらい"}, {Japanese, "ひと月"}, {Japanese, "3日目"},
		{English, "a fortnight"}, {English, "two weeks"}, {English, "10-day"}, {English, "10 more days"}, {English, "3GB a day"}, {English, "three or four days"}, {English, "a week and a half"}, {English, "one and a half months"}, {English, "5 nights"}, {English, "a couple of days"}, {English, "3 days ago"}, {English, "half a month"}, {English, "ten days and 3 hours"}, {English, "an hour"}, {English, "7d"},
	} {
		t.Log(c.s, Durations(c.s, c.l))
	}
}
