package locale

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
)

func TestMoment(t *testing.T) {
	last := time.Date(2026, 3, 2, 14, 59, 59, 0, time.UTC)
	for _, tt := range []struct {
		zone calendar.Zone
		want each
	}{
		{"Asia/Tokyo", each{
			"Mon 2 Mar 2026, 23:59 JST", "2026年3月2日（周一）23:59（日本时间）", "2026年3月2日（週一）23:59（日本時間）",
			"2026年3月2日(月) 23:59 (日本時間)", "2026년 3월 2일 (월) 23:59 (일본 시간)",
		}},
		{"Asia/Shanghai", each{
			"Mon 2 Mar 2026, 22:59 China time", "2026年3月2日（周一）22:59（北京时间）", "2026年3月2日（週一）22:59（北京時間）",
			"2026年3月2日(月) 22:59 (中国時間)", "2026년 3월 2일 (월) 22:59 (중국 시간)",
		}},
		{"UTC", each{
			"Mon 2 Mar 2026, 14:59 UTC", "2026年3月2日（周一）14:59（UTC）", "2026年3月2日（週一）14:59（UTC）",
			"2026年3月2日(月) 14:59 (UTC)", "2026년 3월 2일 (월) 14:59 (UTC)",
		}},
		{"America/Chicago", each{ // whose abbreviation CST is China's, too
			"Mon 2 Mar 2026, 08:59 UTC−6", "2026年3月2日（周一）08:59（UTC−6）", "2026年3月2日（週一）08:59（UTC−6）",
			"2026年3月2日(月) 08:59 (UTC−6)", "2026년 3월 2일 (월) 08:59 (UTC−6)",
		}},
		{"Asia/Kathmandu", each{
			"Mon 2 Mar 2026, 20:44 UTC+5:45", "2026年3月2日（周一）20:44（UTC+5:45）", "2026年3月2日（週一）20:44（UTC+5:45）",
			"2026年3月2日(月) 20:44 (UTC+5:45)", "2026년 3월 2일 (월) 20:44 (UTC+5:45)",
		}},
	} {
		loc, err := tt.zone.Location()
		if err != nil {
			t.Fatal(err)
		}
		tt.want.check(t, string(tt.zone), func(l Language) string { return Moment(l, last, loc) })
	}
}

// The offset is the one at that moment, not today's.
func TestMomentKnowsSummerTime(t *testing.T) {
	loc, err := calendar.Zone("America/St_Johns").Location()
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"2026-01-09T12:00:00Z": "Fri 9 Jan 2026, 08:30 UTC−3:30",
		"2026-07-09T12:00:00Z": "Thu 9 Jul 2026, 09:30 UTC−2:30",
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := Moment(En, instant, loc); got != want {
			t.Errorf("Moment(%s) = %q, want %q", at, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		d    time.Duration
		want each
	}{
		{2*day + 3*time.Hour + 59*time.Minute, each{"2 days 3 hours", "2天3小时", "2天3小時", "2日3時間", "2일 3시간"}},
		{day + time.Hour, each{"1 day 1 hour", "1天1小时", "1天1小時", "1日1時間", "1일 1시간"}},
		{2*day + 59*time.Minute, each{"2 days", "2天", "2天", "2日", "2일"}},
		{day - 1, each{"23 hours 59 minutes", "23小时59分钟", "23小時59分鐘", "23時間59分", "23시간 59분"}},
		{time.Hour, each{"1 hour", "1小时", "1小時", "1時間", "1시간"}},
		{time.Minute, each{"1 minute", "1分钟", "1分鐘", "1分", "1분"}},
		{59 * time.Second, each{"less than a minute", "不到1分钟", "不到1分鐘", "1分未満", "1분 미만"}},
		{-5 * time.Hour, each{"less than a minute", "不到1分钟", "不到1分鐘", "1分未満", "1분 미만"}},
		{3660 * day, each{"3,660 days", "3,660天", "3,660天", "3,660日", "3,660일"}},
	} {
		tt.want.check(t, tt.d.String(), func(l Language) string { return Span(l, tt.d) })
	}
}

// A near day is the same date without its year.
func TestNearDay(t *testing.T) {
	at := time.Date(2026, 12, 10, 23, 0, 0, 0, time.UTC)
	for l, want := range map[Language][2]string{
		En: {"Thu 10 Dec", "10 Dec"}, ZhHans: {"12月10日（周四）", "12月10日"}, ZhHant: {"12月10日（週四）", "12月10日"},
		Ja: {"12月10日(木)", "12月10日"}, Ko: {"12월 10일 (목)", "12월 10일"},
	} {
		if day, short := NearDay(l, at, time.UTC), MonthDay(l, at, time.UTC); day != want[0] || short != want[1] {
			t.Errorf("%s: %q and %q, want %q", l, day, short, want)
		}
		if near := NearDay(l, at.Add(2*time.Hour), time.UTC); near == want[0] {
			t.Errorf("%s: two days are one", l)
		}
	}
}
