package phrase

import (
	"strings"

	"github.com/tsuzuku/tsuzuku/money"
)

// monies are the currencies that a word may mean. Of several, the first is no
// likelier than the others: whoever charges asks.
type monies []money.Currency

var (
	dollars   = monies{"USD", "HKD", "TWD", "SGD", "AUD", "CAD", "NZD"}
	yuanOrYen = monies{"CNY", "TWD", "HKD", "JPY"} // 元
	yenSign   = monies{"JPY", "CNY"}
	pesos     = monies{"MXN", "PHP", "ARS", "CLP", "COP"}
	francs    = monies{"CHF"}
	rupees    = monies{"INR", "PKR", "LKR", "NPR", "IDR"}
	crowns    = monies{"SEK", "NOK", "DKK", "CZK", "ISK"}
)

// currencies are the names that follow a number.
var currencies = tabulate(entries[monies]{
	{"円 えん 日元 日圆 日円 日币 日幣 日本円 日本元 yen yens jpy 圓", monies{"JPY"}},
	{"人民币 人民元 rmb cny yuan 中国元 中国人民币 renminbi kuai 元人民币 块人民币", monies{"CNY"}},
	{"元 块 块钱 圓钱 元钱", yuanOrYen},
	{"美元 美金 美刀 usd us_dollar us_dollars u.s._dollars u.s._dollar american_dollars 米ドル 米国ドル us$ アメリカドル united_states_dollars bucks", monies{"USD"}},
	{"ドル どる", monies{"USD"}},
	{"刀 $ dollar dollars", dollars},
	{"台币 新台币 台幣 台湾元 台湾ドル twd ntd nt$ nt nt_dollars new_taiwan_dollars taiwan_dollars 元台币 块台币", monies{"TWD"}},
	{"港元 港币 港幣 港纸 香港元 香港ドル hkd hk$ hk_dollars hong_kong_dollars 蚊", monies{"HKD"}},
	{"欧元 ユーロ eur euro euros €", monies{"EUR"}},
	{"英镑 ポンド £ pound pounds gbp sterling pounds_sterling 英ポンド quid", monies{"GBP"}},
	{"韩元 韩币 韩圆 ウォン won krw ₩ korean_won", monies{"KRW"}},
	{"新加坡元 新币 シンガポールドル sgd s$ singapore_dollars", monies{"SGD"}},
	{"澳元 澳币 豪ドル オーストラリアドル aud a$ australian_dollars", monies{"AUD"}},
	{"加元 加币 カナダドル cad c$ canadian_dollars", monies{"CAD"}},
	{"瑞士法郎 スイスフラン スイス・フラン chf swiss_francs swiss_franc", monies{"CHF"}},
	{"法郎 フラン francs franc", francs},
	{"泰铢 バーツ thb baht ฿", monies{"THB"}},
	{"林吉特 马币 リンギット myr ringgit", monies{"MYR"}},
	{"越南盾 ドン vnd dong ₫", monies{"VND"}},
	{"印尼盾 ルピア idr rupiah", monies{"IDR"}},
	{"菲律宾比索 フィリピンペソ php philippine_pesos ₱", monies{"PHP"}},
	{"墨西哥比索 メキシコペソ mxn mexican_pesos", monies{"MXN"}},
	{"比索 ペソ pesos peso", pesos},
	{"印度卢比 印度卢布 インドルピー inr indian_rupees indian_rupee ₹", monies{"INR"}},
	{"卢比 ルピー rupees rupee", rupees},
	{"卢布 ルーブル rub roubles rubles ruble rouble ₽", monies{"RUB"}},
	{"里拉 トルコリラ try turkish_lira turkish_liras ₺", monies{"TRY"}},
	{"瑞典克朗 スウェーデンクローナ sek swedish_krona swedish_kronor", monies{"SEK"}},
	{"挪威克朗 ノルウェークローネ nok norwegian_krone norwegian_kroner", monies{"NOK"}},
	{"丹麦克朗 デンマーククローネ dkk danish_krone danish_kroner", monies{"DKK"}},
	{"捷克克朗 チェココルナ czk", monies{"CZK"}},
	{"クローナ クローネ 克朗 kronor krona kroner krone", crowns},
	{"新西兰元 纽币 ニュージーランドドル nzd nz$ new_zealand_dollars", monies{"NZD"}},
	{"迪拉姆 ディルハム aed dirhams dirham", monies{"AED"}},
	{"谢克尔 シェケル ils shekels shekel ₪", monies{"ILS"}},
	{"兹罗提 ズウォティ pln zloty zlotys zł", monies{"PLN"}},
	{"澳门元 澳门币 パタカ mop patacas mop$", monies{"MOP"}},
	{"雷亚尔 レアル brl reais real r$", monies{"BRL"}},
	{"奈拉 ナイラ ngn naira ₦", monies{"NGN"}},
	{"兰特 ランド zar rand", monies{"ZAR"}},
	{"拉里 ラリ gel lari ₾", monies{"GEL"}},
	{"基普 キープ lak kip ₭", monies{"LAK"}},
	{"图格里克 トゥグルグ mnt tugrik ₮", monies{"MNT"}},
})

// currencySigns stand before a number.
var currencySigns = tabulate(entries[monies]{
	{"¥ \\", yenSign},
	{"jp¥ jpy jpy¥ 日元 日币 円", monies{"JPY"}},
	{"cn¥ cny cny¥ rmb 人民币 人民元", monies{"CNY"}},
	{"$", dollars},
	{"us$ us_$ usd usd$ u.s_$ u.s._$ 美元 美金", monies{"USD"}},
	{"nt$ nt_$ twd ntd 台币 新台币", monies{"TWD"}},
	{"hk$ hk_$ hkd 港币 港元", monies{"HKD"}},
	{"€ eur", monies{"EUR"}},
	{"£ gbp", monies{"GBP"}},
	{"₩ krw", monies{"KRW"}},
	{"s$ sgd sg$", monies{"SGD"}},
	{"a$ aud aud$ au$", monies{"AUD"}},
	{"c$ c_$ cad ca$ cad$", monies{"CAD"}},
	{"chf", monies{"CHF"}},
	{"฿ thb", monies{"THB"}},
	{"rm myr", monies{"MYR"}},
	{"₫ vnd", monies{"VND"}},
	{"₱ php", monies{"PHP"}},
	{"mxn mxn$ mx$", monies{"MXN"}},
	{"₹ inr", monies{"INR"}},
	{"₺ try", monies{"TRY"}},
	{"nz$ nzd", monies{"NZD"}},
	{"₽ rub", monies{"RUB"}},
	{"₪ ils", monies{"ILS"}},
	{"r$ brl", monies{"BRL"}},
})

// smallMoney are the parts of a major unit: how many make one, and of which.
var smallMoney = tabulate(entries[smallCoin]{
	{"cent cents セント 美分 ¢", smallCoin{100, dollars}},
	{"pence p penny ペンス 便士", smallCoin{100, monies{"GBP"}}},
	{"角 毛 mao jiao", smallCoin{10, yuanOrYen}},
	{"銭 钱 日本銭", smallCoin{100, monies{"JPY"}}},
	{"分 分钱", smallCoin{100, yuanOrYen}},
})

type smallCoin struct {
	parts int64
	of    monies
}

// Amounts returns the sums of money of text. A word that names the money of
// several countries (元, $, ¥) does not say which; the text around it is left
// to whoever knows the shop.
func Amounts(text string, l Language) []Amount {
	r := read(text, l)
	var found []Amount
	scan(r.s, func(i int) int {
		if a, ok := r.amount(i); ok {
			found = append(found, a)
			return a.To
		}
		return r.afterNumber(i)
	})
	return found
}

// amount reads the sum at i.
func (r *reading) amount(i int) (Amount, bool) {
	if m, end, ok := currencySigns.at(r.s, i); ok {
		if a, ok := r.afterSign(m, space(r.s, end)); ok {
			a.From = i
			return a, true
		}
	}
	sign, at := r.sign(i)
	value, end, ok := r.quantity(at)
	if !ok {
		return Amount{}, false
	}
	if _, stop, ok := measureWords.at(r.s, end); ok {
		end = stop
	}
	next := joint(r.s, end)
	if next > end && r.s[next-1] == '-' && r.l != English {
		return Amount{}, false
	}
	m, stop, ok := currencies.at(r.s, next)
	if !ok {
		return r.smallOnly(i, next, value)
	}
	if named, after, ok := currencies.at(r.s, stop); ok && len(m) > 1 && len(named) == 1 && sharing(named, m) { // 三千块日币
		m, stop = named, after
	}
	if r.l == Japanese && r.s[next:stop] == "元" {
		m = monies{"CNY"} // Japanese write their own money otherwise
	}
	if r.notMoney(stop) || r.signFollows(next, stop) {
		return Amount{}, false
	}
	value, stop = r.withSmall(value, stop)
	value.Num *= int64(sign)
	return m.amount(Span{i, stop}, value), true
}

// amount is a sum in one of the currencies.
func (m monies) amount(at Span, value Exact) Amount {
	a := Amount{Span: at, Value: value}
	if len(m) == 1 {
		a.Currency = m[0]
	} else {
		a.Maybe = append([]money.Currency(nil), m...)
	}
	return a
}

var measureWords = tabulate(entries[bool]{{"个 多 几", true}})

// signFollows reports whether a sign from i to end belongs to the number behind
// it: the $ of "1 $10", but not of "10 $ 30 $".
func (r *reading) signFollows(i, end int) bool {
	return (r.s[i:end] == "$" || r.s[i:end] == "£" || r.s[i:end] == "€") && digitAt(r.s, end) && i > 0 && r.s[i-1] == ' '
}

// notMoney reports whether 元 and 块 before i are parts of other words.
func (r *reading) notMoney(i int) bool {
	next, _ := runeAt(r.s, i)
	return next != 0 && strings.ContainsRune("旦年素宵气件", next)
}

// afterSign reads the number behind a sign: $15.50, ¥3,000, US$1.5万.
func (r *reading) afterSign(m monies, i int) (Amount, bool) {
	value, end, ok := r.quantity(i)
	if c, isCard := r.card(i); !ok && isCard && c.glued { // USD115
		value, end, ok = c.value, c.To, !c.ordinal
	}
	if !ok {
		return Amount{}, false
	}
	value, end = r.ofScale(value, end)
	if named, stop, ok := currencies.at(r.s, space(r.s, end)); ok && sharing(named, m) && !digitAt(r.s, space(r.s, stop)) {
		end = stop // ¥3000円, $10 USD
		if len(named) < len(m) {
			m = named
		}
	}
	return m.amount(Span{i, end}, value), true
}

// sharing reports whether two words may mean the same money.
func sharing(a, b monies) bool {
	for _, c := range a {
		for _, d := range b {
			if c == d {
				return true
			}
		}
	}
	return false
}

// withSmall adds the small coins behind a sum: 五元三角, 2ドル3セント, thirteen
// dollars and forty-five cents, 三块五.
func (r *reading) withSmall(value Exact, i int) (Exact, int) {
	for range 2 { // 角 and 分
		at := space(r.s, i)
		if end, ok := past(r.s, i, "and "); ok && r.l == English {
			at = end
		}
		c, ok := r.card(at)
		n, isWhole := c.value.Int()
		if !ok || !isWhole || c.ordinal || n > 99 || value.Den > 100 {
			return value, i
		}
		coin, end, ok := smallMoney.at(r.s, space(r.s, c.To))
		if !ok {
			return r.bareSmall(value, c, i)
		}
		part, fits1 := ratio(n, coin.parts)
		sum, fits2 := value.plus(part)
		if !fits1 || !fits2 {
			return value, i
		}
		value, i = sum, end
	}
	return value, i
}

// bareSmall adds a number without a coin, as in 三块五 and "15 dollars 50".
func (r *reading) bareSmall(value Exact, c cardinal, i int) (Exact, int) {
	n, _ := c.value.Int()
	parts := int64(100)
	ends := c.To == len(r.s) || strings.ContainsRune(".,;!?", rune(r.s[c.To])) && !digitAt(r.s, c.To+1)
	switch {
	case value.Den != 1:
		return value, i
	case r.l == Chinese && (strings.HasSuffix(r.s[:i], "块") || strings.HasSuffix(r.s[:i], "kuai")) && c.From == i:
		if n < 10 {
			parts = 10
		}
	case r.l == English && ends && n < 100 && isLatin(r.s[i-1]):
	default:
		return value, i
	}
	part, _ := ratio(n, parts)
	sum, fits := value.plus(part)
	if !fits {
		return value, i
	}
	return sum, c.To
}

// smallOnly reads a sum of nothing but small coins: 50 cents, 五毛.
func (r *reading) smallOnly(from, i int, value Exact) (Amount, bool) {
	coin, end, ok := smallMoney.at(r.s, i)
	if !ok {
		return Amount{}, false
	}
	word := r.s[i:end]
	if next, _ := runeAt(r.s, end); word == "分" || word == "p" || word == "角" && next == '大' || word == "角" && r.l == Japanese || word == "钱" {
		return Amount{}, false
	}
	value, fits := value.times(Exact{1, coin.parts})
	return coin.of.amount(Span{from, end}, value), fits
}
