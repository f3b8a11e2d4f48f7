package phrase

// unitsJa are Japanese counters after which a spelt number is one.
var unitsJa = tabulate(entries[bool]{{"日 日間 円 えん 人 つ 個 番 番目 か月 ヶ月 時間 分 年 週間 ギガ メガ ドル どる", true}})

// currencies is filled in amount.go
var currencies = tabulate(entries[bool]{})
var dataUnits = tabulate(entries[bool]{})
