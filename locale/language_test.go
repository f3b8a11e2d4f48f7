package locale

import (
	"testing"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		name        string
		preferences []string
		want        Language
	}{
		{"nothing is English", nil, En},
		{"an empty header is English", []string{""}, En},
		{"a language that we have not is English", []string{"de-DE,de;q=0.9"}, En},
		{"anything is English", []string{"*"}, En},
		{"British", []string{"en-GB"}, En},
		{"Chinese without more is simplified", []string{"zh"}, ZhHans},
		{"mainland", []string{"zh-CN,zh;q=0.9,en;q=0.8"}, ZhHans},
		{"Singapore", []string{"zh-SG"}, ZhHans},
		{"Taiwan", []string{"zh-TW,zh;q=0.9,en-US;q=0.8"}, ZhHant},
		{"Hong Kong", []string{"zh-HK"}, ZhHant},
		{"Macau", []string{"zh-MO"}, ZhHant},
		{"the script decides over the region", []string{"zh-Hant-CN"}, ZhHant},
		{"the other script too", []string{"zh-Hans-TW"}, ZhHans},
		{"Cantonese", []string{"yue-HK,en;q=0.5"}, ZhHant},
		{"underscore and case", []string{"ZH_tw"}, ZhHant},
		{"Japan", []string{"ja-JP"}, Ja},
		{"Korea", []string{"ko-KR"}, Ko},
		{"the second choice, when we have not the first", []string{"fr, ja;q=0.5"}, Ja},
		{"quality decides, not order", []string{"en;q=0.2, ko;q=0.9"}, Ko},
		{"what is refused is not given", []string{"zh-CN;q=0, ja"}, Ja},
		{"the stored choice comes before the header", []string{"ja", "zh-CN,en"}, Ja},
		{"a stored choice that is none is passed over", []string{"", "zh-TW"}, ZhHant},
		{"an unreadable header is passed over", []string{"!!;q=x", "ko"}, Ko},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Match(tt.preferences...); got != tt.want {
				t.Errorf("Match(%q) = %s, want %s", tt.preferences, got, tt.want)
			}
		})
	}
}

func TestLanguagesReadBack(t *testing.T) {
	for _, l := range All {
		if got, ok := Parse(string(l)); !ok || got != l {
			t.Errorf("Parse(%q) = %s, %t", l, got, ok)
		}
		if got := Match(string(l)); got != l {
			t.Errorf("Match(%q) = %s", l, got)
		}
		if l.Name() == "" || l.Name() == string(l) {
			t.Errorf("%s has the name %q", l, l.Name())
		}
	}
	if got, ok := Parse("ZH-HANT"); !ok || got != ZhHant {
		t.Errorf("Parse in capitals = %s, %t", got, ok)
	}
	for _, s := range []string{"", "zh", "en-GB", "xx", "en "} {
		if got, ok := Parse(s); ok {
			t.Errorf("Parse(%q) = %s, want none", s, got)
		}
	}
}

// Whatever language has no text of its own finds one that has: every chain of
// fallbacks ends in English.
func TestFallbacksEndInEnglish(t *testing.T) {
	for _, l := range append([]Language{"", "fr"}, All...) {
		for steps := 0; l != En; steps++ {
			next, ok := l.fallback()
			if !ok || steps > len(All) {
				t.Fatalf("%q leads nowhere", l)
			}
			l = next
		}
	}
}
