package phrase

// unitsJa are Japanese counters after which a spelt number is one.
var unitsJa = tabulate(entries[bool]{{"日 日間 円 えん 人 つ 個 番 番目 か月 ヶ月 時間 分 年 週間 ギガ メガ ドル どる", true}})

// currencies is filled in amount.go
var currencies = tabulate(entries[bool]{})
var dataUnits = tabulate(entries[bool]{})
var weekdaysHan = tabulate(entries[bool]{{"周一 周二 周三 周四 周五 周六 周日", true}})
var eras = tabulate(entries[int]{{"令和", 2018}, {"平成", 1988}, {"昭和", 1925}, {"大正", 1911}, {"明治", 1867}})
