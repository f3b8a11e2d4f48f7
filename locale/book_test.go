package locale

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
)

const goodBook = `
line.left:
  en: "{name} has {days|# day|# days} left."
  zh-Hans: "{name}还剩{days|#天}。"
  zh-Hant: "{name}還剩{days|#天}。"
  ja: "{name}は残り{days|#日}です。"
  ko: "{name}: {days|#일} 남음"
order.paid:
  en: You paid {amount}.
  zh-Hans: 您已支付{amount}。
  zh-Hant: 您已支付{amount}。(繁)
  ja: '{amount}をお支払いいただきました。'
  ko: '{amount}을(를) 결제했습니다.'
help:
  en: "Help & support <24h> | #1"
  zh-Hans: 帮助
  zh-Hant: 幫助
  ja: ヘルプ
  ko: 도움말
`

func TestSay(t *testing.T) {
	b := MustBook([]byte(goodBook))
	if err := b.Check(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		l    Language
		key  string
		args Args
		want string
	}{
		{"one", En, "line.left", Args{"name": "Tokyo", "days": 1}, "Tokyo has 1 day left."},
		{"one of 64 bits", En, "line.left", Args{"name": "Tokyo", "days": int64(1)}, "Tokyo has 1 day left."},
		{"one too few", En, "line.left", Args{"name": "Tokyo", "days": -1}, "Tokyo has −1 day left."},
		{"the least there can be", En, "line.left", Args{"name": "A", "days": math.MinInt64}, "A has −9,223,372,036,854,775,808 days left."},
		{"many", En, "line.left", Args{"name": "Tokyo", "days": 2}, "Tokyo has 2 days left."},
		{"none is many", En, "line.left", Args{"name": "Tokyo", "days": int64(0)}, "Tokyo has 0 days left."},
		{"21 is many in English", En, "line.left", Args{"name": "Tokyo", "days": int64(21)}, "Tokyo has 21 days left."},
		{"a number is grouped", En, "line.left", Args{"name": "Tokyo", "days": 1234}, "Tokyo has 1,234 days left."},
		{"a formatted number is many", En, "line.left", Args{"name": "Tokyo", "days": "1+"}, "Tokyo has 1+ days left."},
		{"Japanese has one form", Ja, "line.left", Args{"name": "東京", "days": 1}, "東京は残り1日です。"},
		{"money in the language of the text", Ja, "order.paid", Args{"amount": money.Of(1980, "JPY")}, "1,980円をお支払いいただきました。"},
		{"traditional has its own", ZhHant, "order.paid", Args{"amount": "X"}, "您已支付X。(繁)"},
		{"Korean has one form", Ko, "line.left", Args{"name": "A", "days": 1}, "A: 1일 남음"},
		{"no language is English", "", "help", nil, "Help & support <24h> | #1"},
		{"a value is not a text: nothing in it is replaced", En, "line.left", Args{"name": "{days} #", "days": 2}, "{days} # has 2 days left."},
		{"a missing value is seen", En, "order.paid", Args{"sum": 1}, "You paid [amount]."},
		{"a missing key is seen", Ja, "no.such", Args{"a": 1}, "[no.such]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := b.Say(tt.l, tt.key, tt.args); got != tt.want {
				t.Errorf("Say(%s, %s) = %q, want %q", tt.l, tt.key, got, tt.want)
			}
		})
	}
	if !b.Has("help") || b.Has("no.such") {
		t.Errorf("Has(help) = %t, Has(no.such) = %t", b.Has("help"), b.Has("no.such"))
	}
	if diff := cmp.Diff([]string{"help", "line.left", "order.paid"}, b.Keys()); diff != "" {
		t.Errorf("Keys (-want +got):\n%s", diff)
	}
}

// What a book says in few languages is said to the others in the one that they fall
// back to, with its plurals.
func TestSayFallsBack(t *testing.T) {
	b := MustBook([]byte(`left: {en: "{days|# day|# days} left", zh-Hans: "还剩{days|#天}"}`))
	for l, want := range map[Language]string{ZhHant: "还剩1天", Ko: "1 day left", Ja: "1 day left", "": "1 day left"} {
		if got := b.Say(l, "left", Args{"days": 1}); got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
}

// Check names every mistake of a book at once, each with its key and language.
func TestCheckFindsMistakes(t *testing.T) {
	b := MustBook([]byte(`
a.missing: {en: x, ja: x}
b.empty: {en: x, zh-Hans: " ", ja: x}
c.other-names: {en: "{a} {b}", zh-Hans: "{a}", ja: "{b} {a} {b}", ko: "{c}"}
d.open: {en: "{a", zh-Hans: x, ja: x}
e.close: {en: "a}", zh-Hans: x, ja: x}
f.nested: {en: "{a|{b}|c}", zh-Hans: x, ja: x}
g.no-name: {en: "{}", zh-Hans: "{|a|b}", ja: "{A b}"}
h.one-form: {en: "{n|# items}", zh-Hans: "{n|#}", ja: "{n}"}
i.three-forms: {en: "{n|a|b|c}", zh-Hans: "{n|#|#}", ja: "{n}"}
j.nothing:
k.fine: {en: "{n|a|b}", zh-Hans: "{n|#}", zh-Hant: "{n|#}", ja: "{n}", ko: "{n|#}"}
`))
	err := b.Check()
	if err == nil {
		t.Fatal("no mistakes found")
	}
	for _, want := range []string{
		"a.missing: zh-Hans: missing",
		"b.empty: zh-Hans: empty",
		"c.other-names: zh-Hans: names [a], but en names [a b]",
		"c.other-names: ko: names [c], but en names [a b]",
		`d.open: en: a stray { before "a"`,
		`e.close: en: a stray } after "a"`,
		`f.nested: en: a stray { before "a|{b}|c}"`,
		"g.no-name: en: {} has no name",
		"g.no-name: zh-Hans: {|a|b} has no name",
		"g.no-name: ja: {A b} has no name",
		"h.one-form: en: {n|# items} needs two forms",
		"i.three-forms: en: {n|a|b|c} has 3 forms",
		"j.nothing: en: missing",
		"j.nothing: ja: missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Check does not say %q", want)
		}
	}
	for _, right := range []string{"k.fine", "a.missing: en", "c.other-names: ja"} {
		if strings.Contains(err.Error(), right) {
			t.Errorf("Check complains of %s", right)
		}
	}
	if t.Failed() {
		t.Logf("Check said:\n%v", err)
	}
	if got := b.Say(En, "d.open", nil); got != "{a" {
		t.Errorf("a broken text is said as %q, want it as it is written", got)
	}
}

func TestBooksThatCannotBeRead(t *testing.T) {
	for name, data := range map[string]string{
		"not YAML":            "a: [",
		"a list":              "- a",
		"a text without key":  "a: text",
		"an unknown language": "a: {en: x, fr: y}",
		"a language in capitals": `
a: {EN: x}`,
		"a key twice": "a: {en: x}\na: {en: y}",
	} {
		if _, err := ParseBook([]byte(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustBook does not panic")
		}
	}()
	MustBook([]byte("a: ["))
}

// Whatever somebody writes into a book, reading, checking and saying it does
// not panic, and a text without braces is said unchanged.
func FuzzParseText(f *testing.F) {
	for _, s := range []string{"", "a", "{a}", "{a|b|c}", "{a|#", "}{", "{{a}}", "{a|b|c|d}", "日本{n|#}語", "\xff{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range All {
			parsed, err := parseText(l, s)
			said := parsed.say(l, Args{"a": 1, "n": int64(2)})
			if (err != nil || !strings.ContainsAny(s, "{}")) && said != s {
				t.Errorf("%q is said as %q, %v", s, said, err)
			}
		}
	})
}
