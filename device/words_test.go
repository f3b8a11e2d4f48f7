package device

import (
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
)

func TestTextsAreComplete(t *testing.T) {
	if err := texts.Check(); err != nil {
		t.Error(err)
	}
}

// Whatever can be said is said whole in every language.
func TestVerdictsAreSaidWhole(t *testing.T) {
	whole := func(l locale.Language, about, text string) {
		t.Helper()
		if strings.TrimSpace(text) == "" || strings.ContainsAny(text, "[]{}") {
			t.Errorf("%s: %s: %q", l, about, text)
		}
	}
	for _, l := range locale.All {
		for code := range Builtin().exceptions {
			whole(l, string(code), About(l, code))
		}
		for _, p := range Places {
			whole(l, p, Place(l, p))
		}
		for _, n := range append(demo.Networks, catalogue.Network{}) {
			for _, five := range []bool{true, false} {
				for _, s := range CoverageIn(l, n, five) {
					whole(l, n.ID, s)
				}
			}
			for _, a := range []Answer{Works, Limited, Fits, LockRisk, Unknown, NoESIM, NoTray, NoBand} {
				for _, f := range []Form{FormESIM, FormCard, FormEither} {
					for _, g := range []Presence{Has, Lacks, Varies, NotKnown, NotOffered} {
						v := Verdict{Answer: a, Form: f, FiveG: g, Carrier: true, Areas: Coverage(n, with("B3")), Unless: []Condition{{Exception: "CN-NO"}}, Why: "KR-CHECK"}
						w := v.In(l, n)
						for _, s := range append(append([]string{}, w.Unless...), w.Answer, w.Lead, w.Why, w.Form, w.FiveG, w.Lock) {
							whole(l, string(a), s)
						}
						for _, line := range w.Areas {
							whole(l, string(a), line.Kind+line.Level)
						}
					}
				}
			}
		}
	}
}

// The sentence that a traveller to the mountains has to read.
func TestBand19InTheMountains(t *testing.T) {
	n, _ := demo.Network("docomo")
	v := Verdict{Answer: Limited, Form: FormESIM, Areas: Coverage(n, with("B1", "B3"))}
	for l, want := range map[locale.Language]string{
		locale.En: "Mountains and islands|with gaps|the phone lacks band 19", locale.Ja: "山間部と離島|圏外になる場所あり|バンド19に非対応",
		locale.ZhHans: "山区和离岛|部分无信号|手机缺少频段 B19",
	} {
		line := v.In(l, n).Areas[2]
		if got := line.Kind + "|" + line.Level + "|" + line.Missing; got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
}
