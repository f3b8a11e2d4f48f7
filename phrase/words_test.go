package phrase

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

func TestNumbers(t *testing.T) {
	for l, all := range map[Language][]spoke{
		Chinese: {
			{"四", "4"},
			{"十", "10"},
			{"十四", "14"},
			{"四十", "40"},
			{"四十四", "44"},
			{"一", "1"},
			{"七", "7"},
			{"两", "2"},
			{"二", "2"},
			{"兩百", "200"},
			{"二百五", "250"},
			{"两千五", "2500"},
			{"两千零五", "2005"},
			{"一万二", "12000"},
			{"一万零二", "10002"},
			{"三万五千", "35000"},
			{"3万", "30000"},
			{"3.5万", "35000"},
			{"1万2千", "12000"},
			{"十万", "100000"},
			{"一千二百三十四万五千六百七十八", "12345678"},
			{"三亿", "300000000"},
			{"壹仟贰佰", "1200"},
			{"贰拾伍", "25"},
			{"廿五", "25"},
			{"〇", "0"},
			{"二零二六", "2026"},
			{"三点五", "3.5"},
			{"零点五", "0.5"},
			{"负三", "-3"},
			{"二分之一", "0.5"},
			{"三分之二", "2/3"},
			{"1,234", "1234"},
			{"１２３", "123"},
			{"3个", "3"},
			{"一共3个", "3"},
			{"第三个", "#3"},
			{"第十五", "#15"},
			{"最后一个", "#-1"},
			{"我要2张", "2"},
			{"15还是50", "15 50"},
			{"一样", ""},
			{"一起", ""},
			{"万一", ""},
			{"星期三", ""},
			{"四川", ""},
			{"A4", ""},
			{"89811000000000000000123456", ""},
		},
		Japanese: {
			{"四", "4"},
			{"十", "10"},
			{"十四", "14"},
			{"二百五", "205"},
			{"二千五", "2005"},
			{"千五百", "1500"},
			{"百", "100"},
			{"1万5千", "15000"},
			{"一万五千", "15000"},
			{"三億", "300000000"},
			{"二〇二六", "2026"},
			{"三・五", "3.5"},
			{"3.5", "3.5"},
			{"三分の一", "1/3"},
			{"マイナス三", "-3"},
			{"壱万", "10000"},
			{"じゅうご", "15"},
			{"にじゅういち", "21"},
			{"さんびゃく", "300"},
			{"ろっぴゃくはちじゅう", "680"},
			{"いちまんごせん", "15000"},
			{"3つ", "3"},
			{"三番目", "#3"},
			{"3つ目", "#3"},
			{"三つ目", "#3"},
			{"第二", "#2"},
			{"最後", "#-1"},
			{"最後から二番目", "#-2"},
			{"１５か５０", "15 50"},
			{"一緒に", ""},
			{"一番安い", ""},
			{"三重県", ""},
			{"千葉", ""},
			{"ごめんなさい", ""},
		},
		English: {
			{"four", "4"},
			{"fourteen", "14"},
			{"forty", "40"},
			{"forty-four", "44"},
			{"fifteen", "15"},
			{"fifty", "50"},
			{"one hundred and five", "105"},
			{"a hundred", "100"},
			{"two thousand five hundred", "2500"},
			{"twenty-five thousand", "25000"},
			{"1,234", "1234"},
			{"1,234.5", "1234.5"},
			{"2.5 million", "2500000"},
			{"3k", "3000"},
			{"a dozen", "12"},
			{"two point five", "2.5"},
			{"one and a half", "1.5"},
			{"three quarters", "0.75"},
			{"minus three", "-3"},
			{"-3", "-3"},
			{"third", "#3"},
			{"21st", "#21"},
			{"twenty-first", "#21"},
			{"last", "#-1"},
			{"second to last", "#-2"},
			{"15 or 50", "15 50"},
			{"10-20", "10 20"},
			{"the one I want", ""},
			{"no one", ""},
			{"often", ""},
			{"A4", ""},
			{"89811000000000000000123456", ""},
			{"weight", ""},
		},
	} {
		for _, c := range all {
			var got []string
			for _, n := range Numbers(c.said, l) {
				s := n.Value.String()
				if n.Ordinal {
					s = "#" + s
				}
				got = append(got, s)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%s: %q has %q, want %q", l, c.said, s, c.want)
			}
		}
	}
}

func TestAmounts(t *testing.T) {
	for l, all := range map[Language][]spoke{
		Chinese: {
			{"3000日元", "3000 JPY"},
			{"三千日元", "3000 JPY"},
			{"三千日圓", "3000 JPY"},
			{"一万二日元", "12000 JPY"},
			{"1万5千日元", "15000 JPY"},
			{"100人民币", "100 CNY"},
			{"一百块人民币", "100 CNY"},
			{"两百块钱", "200 CNY/TWD/HKD/JPY"},
			{"15元", "15 CNY/TWD/HKD/JPY"},
			{"三块五", "3.5 CNY/TWD/HKD/JPY"},
			{"五元三角", "5.3 CNY/TWD/HKD/JPY"},
			{"500台币", "500 TWD"},
			{"500新台幣", "500 TWD"},
			{"港幣200", "200 HKD"},
			{"20美元", "20 USD"},
			{"二十美金", "20 USD"},
			{"$20", "20 USD/HKD/TWD/SGD/AUD/CAD/NZD"},
			{"¥3000", "3000 JPY/CNY"},
			{"3000円", "3000 JPY"},
			{"四十块", "40 CNY/TWD/HKD/JPY"},
			{"十四块", "14 CNY/TWD/HKD/JPY"},
			{"万元", ""},
			{"五角大楼", ""},
			{"元旦", ""},
			{"三天", ""},
		},
		Japanese: {
			{"3000円", "3000 JPY"}, {"三千円", "3000 JPY"}, {"3千円", "3000 JPY"}, {"１万５千円", "15000 JPY"}, {"一万円", "10000 JPY"}, {"¥3,000", "3000 JPY/CNY"}, {"3,000円", "3000 JPY"}, {"20ドル", "20 USD"}, {"20ドル50セント", "20.5 USD"}, {"100元", "100 CNY"}, {"100人民元", "100 CNY"}, {"500台湾ドル", "500 TWD"}, {"200香港ドル", "200 HKD"}, {"5ユーロ", "5 EUR"}, {"1万ウォン", "10000 KRW"}, {"さんぜんえん", "3000 JPY"}, {"ろくどる", "6 USD"}, {"3日", ""}, {"円安", ""}, {"百円ショップ", ""},
		},
		English: {
			{"3000 yen", "3000 JPY"},
			{"3,000 yen", "3000 JPY"},
			{"three thousand yen", "3000 JPY"},
			{"JPY 3000", "3000 JPY"},
			{"¥3000", "3000 JPY/CNY"},
			{"$15.50", "15.5 USD/HKD/TWD/SGD/AUD/CAD/NZD"},
			{"US$15", "15 USD"},
			{"15 dollars and 50 cents", "15.5 USD/HKD/TWD/SGD/AUD/CAD/NZD"},
			{"15 dollars 50", "15.5 USD/HKD/TWD/SGD/AUD/CAD/NZD"},
			{"fifteen US dollars", "15 USD"},
			{"NT$500", "500 TWD"},
			{"HK$200", "200 HKD"},
			{"12,50 €", "12.5 EUR"},
			{"€12.50", "12.5 EUR"},
			{"£5", "5 GBP"},
			{"100 yuan", "100 CNY"},
			{"100 rmb", "100 CNY"},
			{"10000 won", "10000 KRW"},
			{"10 Canadian dollars", "10 CAD"},
			{"fifty dollars", "50 USD/HKD/TWD/SGD/AUD/CAD/NZD"},
			{"two for $20 or $30", "20 USD/HKD/TWD/SGD/AUD/CAD/NZD 30 USD/HKD/TWD/SGD/AUD/CAD/NZD"},
			{"10 of us", ""},
			{"we won 3", ""},
			{"3 days", ""},
		},
	} {
		for _, c := range all {
			var got []string
			for _, a := range Amounts(c.said, l) {
				got = append(got, a.Value.String()+" "+string(a.Currency)+joined(a.Maybe))
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%s: %q costs %q, want %q", l, c.said, s, c.want)
			}
		}
	}
}

func joined(list []money.Currency) string {
	var s []string
	for _, c := range list {
		s = append(s, string(c))
	}
	return strings.Join(s, "/")
}

// Whatever a word of money may mean is a currency.
func TestCurrenciesAreKnown(t *testing.T) {
	for _, words := range []*table[monies]{currencies, currencySigns} {
		for word, all := range words.means {
			for _, c := range all {
				if err := c.Validate(); err != nil {
					t.Errorf("%s: %v", word, err)
				}
			}
		}
	}
}

func TestData(t *testing.T) {
	for l, all := range map[Language][]spoke{
		Chinese: {
			{"3GB", "3GB"},
			{"3gb流量", "3GB"},
			{"三个G", "3GB"},
			{"3G流量", "3GB"},
			{"10G", "10GB"},
			{"500兆", "500MB"},
			{"五百兆", "500MB"},
			{"500M", "500MB"},
			{"500MB", "500MB"},
			{"1.5G流量", "1.5GB"},
			{"五十兆字节", "50MB"},
			{"每天3G", "3GB/day"},
			{"一天1GB", "1GB/day"},
			{"1GB每天", "1GB/day"},
			{"1T", ""},
			{"无限量", "∞"},
			{"無限流量", "∞"},
			{"不限流量", "∞"},
			{"不限量的套餐", "∞"},
			{"流量不限", "∞"},
			{"不是无限流量", ""},
			{"不要无限流量", ""},
			{"5G", ""},
			{"4G网络", ""},
			{"支持5G吗", ""},
			{"三兆日元", ""},
			{"3天", ""},
		},
		Japanese: {
			{"3GB", "3GB"}, {"3ギガ", "3GB"}, {"三ギガ", "3GB"}, {"３ギガバイト", "3GB"}, {"500メガ", "500MB"}, {"500MB", "500MB"}, {"1日1GB", "1GB/day"}, {"1日3ギガ", "3GB/day"}, {"毎日2GB", "2GB/day"}, {"3GB/日", "3GB/day"}, {"使い放題", "∞"}, {"データ無制限", "∞"}, {"無制限プラン", "∞"}, {"ギガ放題", "∞"}, {"無制限ではない", ""}, {"無制限じゃなくて", ""}, {"無制限はいりません", ""}, {"5G", ""}, {"5Gは使えますか", ""}, {"20ギガ", "20GB"},
		},
		English: {
			{"3GB", "3GB"}, {"3 GB", "3GB"}, {"three gigs", "3GB"}, {"3 gigabytes", "3GB"}, {"500 MB", "500MB"}, {"1.5 gb", "1.5GB"}, {"3GB a day", "3GB/day"}, {"3 GB per day", "3GB/day"}, {"3GB/day", "3GB/day"}, {"daily 2GB", "2GB/day"}, {"10g", "10GB"}, {"3g of data", "3GB"}, {"unlimited", "∞"}, {"unlimited data", "∞"}, {"no data limit", "∞"}, {"not unlimited", ""}, {"isn't unlimited", ""}, {"5G", ""}, {"is 5G supported", ""}, {"4g network", ""}, {"3 days", ""}, {"10 kg", ""},
		},
	} {
		for _, c := range all {
			var got []string
			for _, d := range Data(c.said, l) {
				s := d.Value.String() + string(d.Unit)
				if d.Unlimited {
					s = "∞"
				}
				if d.Daily {
					s += "/day"
				}
				got = append(got, s)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("%s: %q is %q, want %q", l, c.said, s, c.want)
			}
		}
	}
}

func TestChoices(t *testing.T) {
	for l, all := range map[Language][]spoke{
		Chinese: {
			{"第二个", "2"},
			{"第二個", "2"},
			{"二", "2"},
			{"2", "2"},
			{"②", "2"},
			{"选2号", "2"},
			{"2号套餐", "2"},
			{"2号", ""},
			{"选2", "2"},
			{"選第二個", "2"},
			{"我要第三个", "3"},
			{"第一个吧", "1"},
			{"就要第一个", "1"},
			{"第二种", "2"},
			{"第二个方案，谢谢", "2"},
			{"最后一个", "-1"},
			{"倒数第二个", "-2"},
			{"第四个", "4"},
			{"第十个", "10"},
			{"那就第二个吧", "2"},
			{"第二天", ""},
			{"两天", ""},
			{"2天", ""},
			{"来一个", ""},
			{"两个", ""},
			{"第一个和第二个", ""},
			{"不要第二个", ""},
			{"第二个多少钱", ""},
			{"12月2号", ""},
			{"2GB", ""},
			{"好的", ""},
			{"", ""},
			{"0", ""},
			{"第二个还是第三个", ""},
			{"2.5", ""},
			{"12/3", ""},
		},
		Japanese: {
			{"2番目", "2"},
			{"二番目", "2"},
			{"2", "2"},
			{"２", "2"},
			{"②", "2"},
			{"2番", "2"},
			{"2番で", "2"},
			{"二つ目", "2"},
			{"二つ目のやつ", "2"},
			{"2つ目でお願いします", "2"},
			{"最初の", "1"},
			{"最初のプランで", "1"},
			{"最後の", "-1"},
			{"最後から2番目", "-2"},
			{"3番目がいいです", "3"},
			{"一番上", "1"},
			{"第二", "2"},
			{"ふたつめ", "2"},
			{"じゃあ2番でお願いします", "2"},
			{"2日", ""},
			{"2日間", ""},
			{"2つ", ""},
			{"2個", ""},
			{"2番目はいくら", ""},
			{"1番と2番", ""},
			{"12月2日", ""},
			{"2ギガ", ""},
			{"はい", ""},
			{"一番安いの", ""},
			{"2番じゃない", ""},
		},
		English: {
			{"the second one", "2"},
			{"second", "2"},
			{"2", "2"},
			{"②", "2"},
			{"2.", "2"},
			{"(2)", "2"},
			{"#2", "2"},
			{"number two", "2"},
			{"option 2", "2"},
			{"no. 2", "2"},
			{"plan 3 please", "3"},
			{"I'll take the first one", "1"},
			{"the first", "1"},
			{"the last one", "-1"},
			{"last", "-1"},
			{"second to last", "-2"},
			{"let's go with the third", "3"},
			{"one", "1"},
			{"two please", "2"},
			{"the 2nd one, thanks", "2"},
			{"2 days", ""},
			{"2GB", ""},
			{"first and second", ""},
			{"not the first", ""},
			{"how much is the second one", ""},
			{"wait a second", ""},
			{"the one", ""},
			{"December 2", ""},
			{"yes", ""},
			{"either", ""},
			{"2 or 3", ""},
			{"$2", ""},
			{"12/3", ""},
			{"2.5", ""},
		},
	} {
		for _, c := range all {
			got := ""
			if n, ok := Choice(c.said, l); ok {
				got = fmt.Sprint(n)
			}
			if got != c.want {
				t.Errorf("%s: %q chooses %q, want %q", l, c.said, got, c.want)
			}
		}
	}
}

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		said      string
		otherwise Language
		want      Language
	}{
		{"あと三日", English, Japanese}, {"三天", English, Chinese}, {"三天", Japanese, Japanese}, {"延長", Japanese, Japanese}, {"three days", Chinese, English}, {"3GB", Chinese, Chinese}, {"OK", Japanese, Japanese}, {"12/3", Japanese, Japanese}, {"", English, English}, {"ｷﾞｶﾞ", English, Japanese}, {"3GB流量", English, Chinese}, {"续费10天 please", Japanese, Japanese}, {"👍", Chinese, Chinese}, {"eSIM", Chinese, Chinese}, {"my eSIM", Chinese, English},
	} {
		if got := Guess(c.said, c.otherwise); got != c.want {
			t.Errorf("%q is %q, want %q", c.said, got, c.want)
		}
	}
}

func TestFold(t *testing.T) {
	for said, want := range map[string]string{"３ＧＢ": "3gb", "三個月後": "三个月后", "ｷﾞｶﾞ": "ギガ", "①": "1", "1½": "1 1/2", "  a \t\n b  ": "a b", "“Yes”—no": `"yes"-no`, "10〜12": "10~12", "1ヶ月": "1ケ月", "👌🏾": "👌", "İ": "i"} {
		if got := Fold(said); got != want {
			t.Errorf("%q folds to %q, want %q", said, got, want)
		}
	}
}

// On a Sunday night the weekend is nearly over, and may be the next one.
func TestTheDayItIsSaid(t *testing.T) {
	for _, c := range []struct {
		today, said string
		l           Language
		want        string
	}{
		{"2026-12-06", "周末", Chinese, "12-05..12-06?12-13"},
		{"2026-12-06", "到周日", Chinese, "<12-06?12-13"},
		{"2026-12-06", "下周一", Chinese, "12-07"},
		{"2026-12-06", "明天", Chinese, "12-07"},
		{"2026-12-06", "週末まで", Japanese, "<12-05..12-06?12-13"},
		{"2026-12-06", "来週の月曜日", Japanese, "12-07"},
		{"2026-12-06", "this weekend", English, "12-05..12-06?12-13"},
		{"2026-12-06", "next Monday", English, "12-07"},
		{"2026-12-31", "明天", Chinese, "2027-01-01"},
		{"2026-12-31", "月底", Chinese, "12-22..12-31"},
		{"2026-12-31", "1月3号", Chinese, "2027-01-03"},
		{"2026-12-31", "来月", Japanese, "01-01..2027-01-31"},
		{"2026-12-31", "12/31", Japanese, "12-31"},
		{"2026-12-30", "12/29まで", Japanese, "<2027-12-29"},
		{"2026-12-04", "until Friday", English, "<12-04?12-11"},
		{"2026-12-04", "next Friday", English, "12-11"},
		{"2026-12-05", "next Friday", English, "12-11"},
		{"2026-01-31", "in a month", English, "02-28"},
		{"2026-01-31", "1か月後", Japanese, "02-28"},
		{"2028-02-29", "一年后", Chinese, "2029-02-28"},
		{"2026-12-02", "这周一", Chinese, "11-30"},
		{"2026-10-24", "10月1日から11月7日まで", Japanese, ">10-01 <11-07"},
	} {
		today, err := time.Parse(time.DateOnly, c.today)
		if err != nil {
			t.Fatal(err)
		}
		if got := daysSaid(c.said, c.l, today); got != c.want {
			t.Errorf("%s on %s: %q is %q, want %q", c.l, c.today, c.said, got, c.want)
		}
	}
}
