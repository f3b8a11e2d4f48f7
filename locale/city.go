package locale

import "strings"

// cities are those that time zones are called after, as travellers choose them.
var cities = map[string]words{
	"Asia/Tokyo":          {"Tokyo", "东京", "東京", "東京", "도쿄"},
	"Asia/Seoul":          {"Seoul", "首尔", "首爾", "ソウル", "서울"},
	"Asia/Shanghai":       {"Shanghai", "上海", "上海", "上海", "상하이"},
	"Asia/Taipei":         {"Taipei", "台北", "台北", "台北", "타이베이"},
	"Asia/Hong_Kong":      {"Hong Kong", "香港", "香港", "香港", "홍콩"},
	"Asia/Singapore":      {"Singapore", "新加坡", "新加坡", "シンガポール", "싱가포르"},
	"Asia/Bangkok":        {"Bangkok", "曼谷", "曼谷", "バンコク", "방콕"},
	"Asia/Kolkata":        {"Kolkata", "加尔各答", "加爾各答", "コルカタ", "콜카타"},
	"Asia/Dubai":          {"Dubai", "迪拜", "杜拜", "ドバイ", "두바이"},
	"Europe/London":       {"London", "伦敦", "倫敦", "ロンドン", "런던"},
	"Europe/Paris":        {"Paris", "巴黎", "巴黎", "パリ", "파리"},
	"America/New_York":    {"New York", "纽约", "紐約", "ニューヨーク", "뉴욕"},
	"America/Chicago":     {"Chicago", "芝加哥", "芝加哥", "シカゴ", "시카고"},
	"America/Denver":      {"Denver", "丹佛", "丹佛", "デンバー", "덴버"},
	"America/Los_Angeles": {"Los Angeles", "洛杉矶", "洛杉磯", "ロサンゼルス", "로스앤젤레스"},
	"Pacific/Honolulu":    {"Honolulu", "檀香山", "檀香山", "ホノルル", "호놀룰루"},
	"Australia/Sydney":    {"Sydney", "悉尼", "雪梨", "シドニー", "시드니"},
	"Pacific/Auckland":    {"Auckland", "奥克兰", "奧克蘭", "オークランド", "오클랜드"},
}

// City names the city that a zone of the IANA database is called after; one that
// has no name here keeps the database's.
func City(l Language, zone string) string {
	if name := cities[zone].in(l); name != "" {
		return name
	}
	return strings.ReplaceAll(zone, "_", " ")
}
