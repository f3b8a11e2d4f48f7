package locale

import (
	"strconv"
	"strings"
	"time"
)

// Moment writes the date and time of t in loc, and which zone's time it is:
//
//	en       Mon 2 Mar 2026, 23:59 JST
//	zh-Hans  2026年3月2日（周一）23:59（日本时间）
//	zh-Hant  2026年3月2日（週一）23:59（日本時間）
//	ja       2026年3月2日(月) 23:59 (日本時間)
//	ko       2026년 3월 2일 (월) 23:59 (일본 시간)
//
// Zones whose name not everybody takes for the same have their offset: UTC+7.
// Seconds are cut off.
func Moment(l Language, t time.Time, loc *time.Location) string {
	day, clock, zone := Day(l, t, loc), Clock(l, t, loc), zoneName(l, t.In(loc))
	switch l {
	case ZhHans, ZhHant:
		return day + clock + "（" + zone + "）"
	case Ja, Ko:
		return day + " " + clock + " (" + zone + ")"
	case En:
	}
	return day + ", " + clock + " " + zone
}

var weekdays = [7]words{
	time.Sunday:    {"Sun", "周日", "週日", "日", "일"},
	time.Monday:    {"Mon", "周一", "週一", "月", "월"},
	time.Tuesday:   {"Tue", "周二", "週二", "火", "화"},
	time.Wednesday: {"Wed", "周三", "週三", "水", "수"},
	time.Thursday:  {"Thu", "周四", "週四", "木", "목"},
	time.Friday:    {"Fri", "周五", "週五", "金", "금"},
	time.Saturday:  {"Sat", "周六", "週六", "土", "토"},
}

// Day writes the date of t in loc as [Moment] does, without time and zone.
func Day(l Language, t time.Time, loc *time.Location) string {
	t = t.In(loc)
	weekday := weekdays[t.Weekday()].in(l)
	switch l {
	case ZhHans, ZhHant:
		return t.Format("2006年1月2日") + "（" + weekday + "）"
	case Ja:
		return t.Format("2006年1月2日") + "(" + weekday + ")"
	case Ko:
		return t.Format("2006년 1월 2일") + " (" + weekday + ")"
	case En:
	}
	return weekday + " " + t.Format("2 Jan 2006")
}

// NearDay writes a date of which nobody asks the year: "Thu 10 Dec".
func NearDay(l Language, t time.Time, loc *time.Location) string {
	t = t.In(loc)
	weekday := weekdays[t.Weekday()].in(l)
	switch l {
	case ZhHans, ZhHant:
		return MonthDay(l, t, loc) + "（" + weekday + "）"
	case Ja:
		return MonthDay(l, t, loc) + "(" + weekday + ")"
	case Ko:
		return MonthDay(l, t, loc) + " (" + weekday + ")"
	case En:
	}
	return weekday + " " + MonthDay(l, t, loc)
}

// MonthDay writes a date as short as it can be: "10 Dec".
func MonthDay(l Language, t time.Time, loc *time.Location) string {
	switch t = t.In(loc); l {
	case ZhHans, ZhHant, Ja:
		return t.Format("1月2日")
	case Ko:
		return t.Format("1월 2일")
	case En:
	}
	return t.Format("2 Jan")
}

// Clock writes the time of day of t in loc, "23:59", in every language.
func Clock(_ Language, t time.Time, loc *time.Location) string { return t.In(loc).Format("15:04") }

// zoneNames are the zones that travellers and operators of the first market
// live in. English has the abbreviation where it means nothing else.
var zoneNames = map[string]words{
	"Asia/Tokyo":     {"JST", "日本时间", "日本時間", "日本時間", "일본 시간"},
	"Asia/Seoul":     {"KST", "韩国时间", "韓國時間", "韓国時間", "한국 시간"},
	"Asia/Shanghai":  {"China time", "北京时间", "北京時間", "中国時間", "중국 시간"},
	"Asia/Taipei":    {"Taiwan time", "台北时间", "台北時間", "台湾時間", "대만 시간"},
	"Asia/Hong_Kong": {"HKT", "香港时间", "香港時間", "香港時間", "홍콩 시간"},
	"Asia/Singapore": {"Singapore time", "新加坡时间", "新加坡時間", "シンガポール時間", "싱가포르 시간"},
}

// zoneName names t's zone, or says how far its clock is from UTC at t.
func zoneName(l Language, t time.Time) string {
	if name := zoneNames[t.Location().String()].in(l); name != "" {
		return name
	}
	_, offset := t.Zone()
	sign := "+"
	if offset < 0 {
		sign, offset = minus, -offset
	}
	hours, minutes := offset/3600, offset%3600/60
	switch {
	case hours == 0 && minutes == 0:
		return "UTC"
	case minutes == 0:
		return "UTC" + sign + strconv.Itoa(hours)
	}
	return "UTC" + sign + strconv.Itoa(hours) + ":" + strconv.Itoa(minutes/10) + strconv.Itoa(minutes%10)
}

// spans are the units of [Span]; English has a second form for all but 1.
var (
	days    = words{"# days", "#天", "#天", "#日", "#일"}
	hours   = words{"# hours", "#小时", "#小時", "#時間", "#시간"}
	minutes = words{"# minutes", "#分钟", "#分鐘", "#分", "#분"}
	instant = words{"less than a minute", "不到1分钟", "不到1分鐘", "1分未満", "1분 미만"}
)

// Span writes how long d is: "2 days 3 hours", "3 hours 5 minutes", "2 days".
// It has at most two units, neighbours, and is rounded down. Below a minute, or
// below zero, it is "less than a minute". A day is 24 hours.
func Span(l Language, d time.Duration) string {
	n := int64(d / time.Minute)
	switch {
	case n >= 24*60:
		return joinSpan(l, counted(l, n/(24*60), days), counted(l, n/60%24, hours))
	case n >= 60:
		return joinSpan(l, counted(l, n/60, hours), counted(l, n%60, minutes))
	case n >= 1:
		return counted(l, n, minutes)
	}
	return instant.in(l)
}

// counted is n of what w names, nothing if n is 0.
func counted(l Language, n int64, w words) string {
	if n == 0 {
		return ""
	}
	pattern := w.in(l)
	if plural(l, n) == one {
		pattern = strings.TrimSuffix(pattern, "s")
	}
	return strings.Replace(pattern, "#", Number(l, n), 1)
}

// joinSpan joins two parts, of which the second may be missing.
func joinSpan(l Language, large, small string) string {
	if small == "" {
		return large
	}
	switch l {
	case ZhHans, ZhHant, Ja:
		return large + small
	case En, Ko:
	}
	return large + " " + small
}
