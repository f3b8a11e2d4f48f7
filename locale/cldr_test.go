package locale

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// askIntl is what Node's Intl, which has a CLDR of its own, says about each
// language. Dates are in UTC.
const askIntl = `
const counts = JSON.parse(process.argv[1]);
const out = {};
for (const l of ['en', 'zh-Hans', 'zh-Hant', 'ja', 'ko']) {
  const plural = new Intl.PluralRules(l), number = new Intl.NumberFormat(l);
  const date = o => d => new Intl.DateTimeFormat(l, {timeZone: 'UTC', ...o}).format(new Date(Date.UTC(2026, 0, 4 + d)));
  const days = [...Array(365).keys()];
  const money = {};
  for (const c of ['JPY', 'USD', 'CNY', 'TWD', 'HKD', 'KRW']) {
    const f = new Intl.NumberFormat(l, {style: 'currency', currency: c});
    const parts = f.formatToParts(1234567);
    money[c] = {
      whole: f.format(1234567),
      digits: parts.filter(p => ['integer', 'group', 'decimal', 'fraction'].includes(p.type)).map(p => p.value).join(''),
      named: new Intl.NumberFormat(l, {style: 'currency', currency: c, currencyDisplay: 'name'}).format(1234567),
      decimals: f.resolvedOptions().maximumFractionDigits,
    };
  }
  const unit = (u, d) => n => new Intl.NumberFormat(l, {style: 'unit', unit: u, unitDisplay: d}).format(n);
  out[l] = {
    plurals: counts.map(n => plural.select(n)),
    numbers: counts.map(n => number.format(n)),
    weekdays: days.map(date({weekday: 'short'})),
    months: days.map(date({month: 'short'})),
    dates: days.map(date({year: 'numeric', month: 'long', day: 'numeric'})),
    money,
    days: [1, 2].map(unit('day', 'long')), hours: [1, 2].map(unit('hour', 'long')), minutes: [1, 2].map(unit('minute', 'long')),
    gb: unit('gigabyte', 'short')(1.5), mb: unit('megabyte', 'short')(350),
    tokyo: new Intl.DateTimeFormat(l, {timeZone: 'Asia/Tokyo', timeZoneName: 'shortGeneric'})
      .formatToParts(new Date(0)).find(p => p.type === 'timeZoneName').value,
  };
}
console.log(JSON.stringify(out));
`

type intl struct {
	Plurals, Numbers, Weekdays, Months, Dates []string
	Money                                     map[money.Currency]struct {
		Whole, Digits, Named string
		Decimals             int
	}
	Days, Hours, Minutes []string
	GB, MB, Tokyo        string
}

// counts are numbers at which plurals and groups could differ.
func counts() []int64 {
	all := []int64{-1, -2, -1000, 999, 1000, 1001, 9999, 10_000, 100_001, 1_000_000, 1_000_001, 10_000_001, 1e12}
	for n := range int64(120) {
		all = append(all, n)
	}
	return all
}

func askNode(t *testing.T) map[Language]intl {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("NOT TESTED: there is no node on this machine to compare our languages with CLDR")
	}
	numbers, err := json.Marshal(counts())
	if err != nil {
		t.Fatal(err)
	}
	answer, err := exec.CommandContext(t.Context(), node, "-e", askIntl, string(numbers)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var out map[Language]intl
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	if len(out) != len(All) || out[Ja].Weekdays[1] == "Mon" {
		t.Skip("NOT TESTED: this node knows no languages but English")
	}
	return out
}

// Where we claim CLDR, another reader of CLDR says the same.
func TestCLDR(t *testing.T) {
	node := askNode(t)
	for _, l := range All {
		t.Run(string(l), func(t *testing.T) {
			says := node[l]
			same := func(what, ours, theirs string) {
				t.Helper()
				if ours != theirs {
					t.Errorf("%s: ours is %q, Intl's %q", what, ours, theirs)
				}
			}
			for i, n := range counts() {
				category := "other"
				if plural(l, n) == one {
					category = "one"
				}
				same("plural", category, says.Plurals[i])
				same("number", Number(l, n), strings.ReplaceAll(says.Numbers[i], "-", minus))
			}
			for i := range says.Dates {
				at := time.Date(2026, 1, 4+i, 12, 0, 0, 0, time.UTC)
				same("date", Day(l, at, time.UTC), dateOf(l, at, says.Weekdays[i], says.Months[i], says.Dates[i]))
			}
			plain := strings.NewReplacer(" ", "", " ", "")
			for i := range int64(2) {
				same("days", plain.Replace(counted(l, i+1, days)), plain.Replace(says.Days[i]))
				same("hours", plain.Replace(counted(l, i+1, hours)), plain.Replace(says.Hours[i]))
				same("minutes", plain.Replace(counted(l, i+1, minutes)), plain.Replace(says.Minutes[i]))
			}
			same("GB", Data(l, 1_500_000_000, 1e9), strings.ReplaceAll(says.GB, " ", " "))
			same("MB", Data(l, 350_000_000, 1e9), strings.ReplaceAll(says.MB, " ", " "))
			if l != En && l != Ja { // whose CLDR answers JST or spells it out
				same("Tokyo's zone", zoneNames["Asia/Tokyo"].in(l), says.Tokyo)
			}
		})
	}
}

// dateOf puts Intl's pieces together in our order.
func dateOf(l Language, t time.Time, weekday, month, date string) string {
	switch l {
	case ZhHans, ZhHant:
		return date + "（" + weekday + "）"
	case Ja:
		return date + "(" + weekday + ")"
	case Ko:
		return date + " (" + weekday + ")"
	case En:
	}
	return weekday + " " + t.Format("2 ") + month + t.Format(" 2006")
}

// Decimals and groups of money are CLDR's for every currency, and so is its
// sign or name wherever that is unmistakable.
func TestMoneyIsCLDRs(t *testing.T) {
	node := askNode(t)
	// Where CLDR's text would be mistaken in this shop, or is not what people say.
	ours := map[Language]string{
		En:     "USD",     // $
		ZhHans: "CNY",     // ¥, named 人民币
		ZhHant: "TWD KRW", // $, and ￦ in full width
		Ja:     "CNY USD", // 元 before the digits, $
		Ko:     "JPY KRW", // JP¥; and 원 is what people write
	}
	for _, l := range All {
		for c, says := range node[l].Money {
			if got := money.Decimals(c); got != says.Decimals {
				t.Errorf("%s has %d decimals, Intl says %d", c, got, says.Decimals)
			}
			minor := int64(1234567)
			for range says.Decimals {
				minor *= 10
			}
			m := money.Of(minor, c)
			got := Money(l, m)
			if digits := grouped(l, m.Decimal()); digits != says.Digits {
				t.Errorf("%s in %s: digits %s, Intl says %s", c, l, digits, says.Digits)
			}
			known := got == says.Whole || got == strings.ReplaceAll(says.Named, " ", "")
			if excepted := strings.Contains(ours[l], string(c)); known == excepted {
				t.Errorf("%s in %s: ours is %s, Intl's %s or %s; listed as different: %t", c, l, got, says.Whole, says.Named, excepted)
			}
		}
	}
}
