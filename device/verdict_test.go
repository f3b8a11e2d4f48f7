package device

import (
	"encoding/csv"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/catalogue"
)

// demo is read once: it is large.
var demo = catalogue.Demo()

// planOf is a plan on a network of the demo that comes as one or both forms.
func planOf(network string, esim, card bool) catalogue.Plan {
	return catalogue.Plan{ID: "p", Network: network, Facts: catalogue.Facts{ESIM: esim, PhysicalSIM: card, FiveG: true}}
}

// judge asks about a phone by what somebody types.
func judge(t testing.TB, text, soldIn string, plan catalogue.Plan) Verdict {
	t.Helper()
	q, err := ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	f := Builtin().Search(q)
	if f.Phone.Model == nil && q.Kind == ByName {
		t.Fatalf("%q is not found", text)
	}
	return Builtin().Judge(f.Phone.In(soldIn), demo, plan)
}

// Each exception, for the phone that it is about, where it was sold, and for the
// same phone elsewhere: the answers to an eSIM plan and to a card.
func TestEveryExceptionDecides(t *testing.T) {
	type asked struct{ esim, card Answer }
	fits := func(a Answer) bool { return a == Works || a == Limited || a == Fits }
	for _, c := range []struct {
		code             Code
		phone, in        string
		there, elsewhere asked // "fits" stands for every answer that lets the line in
		otherwise        string
	}{
		{"CN-NO", "iPhone 12 mini", "CN", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "JP"},
		{"CN-NO", "A2629", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "JP"},
		{"CN-NO", "Galaxy Z Flip", "CN", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "HK"},
		{"HKMO-NO", "iPhone 15", "MO", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "JP"},
		{"HKMO-NO", "A2634", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "HK"},
		{"HKMO-YES", "iPhone SE 3", "HK", asked{"fits", "fits"}, asked{NoESIM, "fits"}, "CN"},
		{"ESIMONLY-US", "iPhone 14 Pro", "US", asked{"fits", NoTray}, asked{"fits", "fits"}, "JP"},
		{"ESIMONLY-US", "A3081", "", asked{"fits", NoTray}, asked{"fits", NoTray}, "US"},
		{"ESIMONLY-JP-US", "iPhone 17", "JP", asked{"fits", NoTray}, asked{"fits", "fits"}, "FR"},
		{"ESIMONLY-JP-US", "iPhone 17e", "SA", asked{"fits", NoTray}, asked{"fits", "fits"}, Elsewhere},
		{"ESIMONLY-ALL", "iPhone Air", "FR", asked{"fits", NoTray}, asked{"fits", NoTray}, "JP"},
		{"CN-CARRIER", "iPhone Air", "CN", asked{Unknown, NoTray}, asked{"fits", NoTray}, "US"},
		{"CN-CARRIER", "A3518", "", asked{Unknown, NoTray}, asked{Unknown, NoTray}, "CN"},
		{"CNHK-NO", "Galaxy S23", "HK", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "JP"},
		{"CNHK-NO", "SM-S9110", "CN", asked{NoESIM, "fits"}, asked{Unknown, "fits"}, "TW"},
		{"US-NO", "Galaxy S21", "US", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "FR"},
		{"US-NO", "SM-G991U1", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "US"},
		{"US-NO", "Galaxy Z Flip 5G", "US", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "FR"},
		{"KR-CHECK", "Galaxy Z Fold3", "KR", asked{Unknown, "fits"}, asked{"fits", "fits"}, "FR"},
		{"S20FE-NO", "Galaxy S20 FE", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "JP"},
		{"S20FE-NO", "Galaxy S20 FE 5G", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "GB"},
		{"HK-NO", "Pixel 8", "HK", asked{Unknown, "fits"}, asked{"fits", "fits"}, "JP"},
		{"JP-NO", "Pixel 3", "JP", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "GB"},
		{"JP-NO", "G020H", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "JP"},
		{"AU-NO", "Pixel 3 XL", "AU", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "GB"},
		{"TW-NO", "Pixel 3", "TW", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "GB"},
		{"SEA-NO", "Pixel 3a", "SG", asked{NoESIM, "fits"}, asked{"fits", "fits"}, "GB"},
		{"VZW-NO", "G020E", "", asked{NoESIM, LockRisk}, asked{NoESIM, LockRisk}, "US"},
		{"FI-ONLY", "Pixel 2 XL", "US", asked{LockRisk, LockRisk}, asked{LockRisk, LockRisk}, "GB"},
		{"HUAWEI-NO", "Huawei P40 Pro+", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "FR"},
		{"HUAWEI-NO", "P50 Pro", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "FR"},
		{"OPPO-LITE-NO", "Find X5 Lite", "", asked{NoESIM, "fits"}, asked{NoESIM, "fits"}, "FR"},
		{"VIVO-EU", "V29 Lite", "DE", asked{"fits", "fits"}, asked{NoESIM, "fits"}, "TH"},
		{"LOCKED", "SM-S911U", "", asked{LockRisk, LockRisk}, asked{LockRisk, LockRisk}, "US"},
		{"EID", "89049032123451234512345678901235", "", asked{"fits", "fits"}, asked{"fits", "fits"}, "JP"},
	} {
		check := func(in string, want asked) {
			t.Helper()
			for _, form := range []struct {
				esim bool
				want Answer
			}{{true, want.esim}, {false, want.card}} {
				v := judgeAny(t, c.phone, in, planOf("softbank", form.esim, !form.esim))
				if v.Answer != form.want && (form.want != "fits" || !fits(v.Answer)) {
					t.Errorf("%s: %s from %q, eSIM plan %v: %s, want %s (%+v)", c.code, c.phone, in, form.esim, v.Answer, form.want, v)
				}
			}
		}
		check(c.in, c.there)
		check(c.otherwise, c.elsewhere)
	}
}

// judgeAny is judge for numbers too.
func judgeAny(t testing.TB, text, soldIn string, plan catalogue.Plan) Verdict {
	t.Helper()
	q, err := ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	if q.Kind == ByEID {
		return Builtin().Judge(Phone{EID: true}.In(soldIn), demo, plan)
	}
	return judge(t, text, soldIn, plan)
}

// The exceptions of the compiled facts are the ones that the program knows, each
// is on a model or is said of any phone, and those of carriers are told as such.
func TestEveryExceptionOfTheFactsIsKnown(t *testing.T) {
	rows, err := csv.NewReader(shared(t, "facts/esim_region_exceptions.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		e, ok := Builtin().Exception(Code(r[0]))
		if !ok || e.Confidence != r[5] {
			t.Errorf("%s: %+v, %v; want confidence %s", r[0], e, ok, r[5])
		}
		used := slices.ContainsFunc(Builtin().Models, func(m *Model) bool {
			return slices.Contains(m.Exceptions, e.Code) && (m.Brand == r[1] || e.Code == "CN-NO")
		})
		if used == (r[1] == "any") {
			t.Errorf("%s of %s: on a model %v", r[0], r[1], used)
		}
	}
	if len(Builtin().exceptions) != len(rows)-1 {
		t.Errorf("%d exceptions, the facts have %d", len(Builtin().exceptions), len(rows)-1)
	}
}

// Who does not say where a phone is from learns for whom the answer differs.
func TestUnknownOriginsAreSaid(t *testing.T) {
	for _, c := range []struct {
		phone string
		plan  catalogue.Plan
		want  map[Code]Answer
	}{
		{"iPhone 13", planOf("softbank", true, false), map[Code]Answer{"CN-NO": NoESIM, "HKMO-NO": NoESIM}},
		{"iPhone 13", planOf("softbank", false, true), nil},
		{"iPhone 14", planOf("softbank", false, true), map[Code]Answer{"ESIMONLY-US": NoTray}},
		{"iPhone 14", planOf("softbank", true, true), nil},
		{"iPhone 12 mini", planOf("softbank", true, false), map[Code]Answer{"CN-NO": NoESIM}},
		{"A2633", planOf("softbank", true, false), nil},
		{"Pixel 3a", planOf("softbank", true, false), map[Code]Answer{"HK-NO": Unknown, "JP-NO": NoESIM, "SEA-NO": NoESIM, "VZW-NO": NoESIM}},
		{"G013A", planOf("softbank", true, false), map[Code]Answer{"HK-NO": Unknown, "AU-NO": NoESIM, "TW-NO": NoESIM, "USCA-CARRIER": Unknown}},
		{"Galaxy S21", planOf("softbank", true, false), map[Code]Answer{"CNHK-NO": NoESIM, "US-NO": NoESIM, "KR-CHECK": Unknown}},
		{"SM-S911B", planOf("softbank", true, false), nil},
		{"SM-S9110", planOf("softbank", true, false), map[Code]Answer{"CNHK-NO": NoESIM}},
		{"V29 Lite", planOf("softbank", true, false), map[Code]Answer{"VIVO-EU": Fits}},
		{"iPhone Air", planOf("softbank", true, false), map[Code]Answer{"CN-CARRIER": Unknown}},
	} {
		var got map[Code]Answer
		for _, u := range judge(t, c.phone, "", c.plan).Unless {
			if got == nil {
				got = map[Code]Answer{}
			}
			got[u.Exception] = u.Answer
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.phone, diff)
		}
	}
}

// levels is the areas in short.
func levels(areas []Area) map[AreaKind]Level {
	out := map[AreaKind]Level{}
	for _, a := range areas {
		out[a.Kind] = a.Level
	}
	return out
}

// with is a phone that has only these bands.
func with(bands ...string) func(string) Presence {
	return func(b string) Presence {
		if slices.Contains(bands, b) {
			return Has
		}
		return Lacks
	}
}

// What a band more or less means, by kind of area: 19 is the mountains, 26 serves
// where 18 does, and SoftBank fits nearly every phone.
func TestMissingBandsByKindOfArea(t *testing.T) {
	all := func(l Level) map[AreaKind]Level { return map[AreaKind]Level{City: l, Suburb: l, Remote: l, Indoors: l} }
	gaps := map[AreaKind]Level{City: Full, Suburb: Full, Remote: Gaps, Indoors: Gaps}
	for _, c := range []struct {
		network string
		has     func(string) Presence
		want    map[AreaKind]Level
		missing []string // in the mountains
		answer  Answer
	}{
		{"docomo", with("B1", "B3", "B19"), all(Full), nil, Works},
		{"docomo", with("B1", "B3"), gaps, []string{"B19"}, Limited},
		{"docomo", with("B1", "B26", "B18"), gaps, []string{"B19"}, Limited},
		{"docomo", with("B28"), all(Gaps), []string{"B19"}, Limited},
		{"docomo", with("B3"), map[AreaKind]Level{City: Gaps, Suburb: None, Remote: None, Indoors: None}, []string{"B19"}, Limited},
		{"docomo", with("B19"), map[AreaKind]Level{City: Gaps, Suburb: Gaps, Remote: Full, Indoors: Full}, nil, Limited},
		{"docomo", with("B2", "B66"), all(None), []string{"B19"}, NoBand},
		{"docomo", func(string) Presence { return NotKnown }, all(LevelUnknown), nil, Fits},
		{"kddi", with("B1", "B26"), all(Full), nil, Works},
		{"kddi", with("B1", "B18"), all(Full), nil, Works},
		{"kddi", with("B1", "B19"), gaps, []string{"B18", "B26"}, Limited},
		{"softbank", with("B1", "B8"), all(Full), nil, Works},
		{"rakuten", with("B1", "B3"), gaps, []string{"B18", "B26"}, Limited},
	} {
		n, _ := demo.Network(c.network)
		areas := Coverage(n, c.has)
		if diff := cmp.Diff(c.want, levels(areas)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.network, diff)
		}
		if got := areas[2].Missing; !slices.Equal(got, c.missing) {
			t.Errorf("%s: missing %v, want %v", c.network, got, c.missing)
		}
		if got := radio(areas); got != c.answer {
			t.Errorf("%s: %s, want %s", c.network, got, c.answer)
		}
	}
	n, _ := demo.Network("docomo")
	some := Coverage(n, func(b string) Presence {
		if b == "B19" {
			return Varies
		}
		return Lacks
	})
	if some[2].Level != Gaps || !some[2].Varies {
		t.Errorf("a band that some versions have: %+v", some[2])
	}
	if Coverage(catalogue.Network{Bands: []string{"B1"}}, Everything) != nil {
		t.Error("a network without layers has areas")
	}
}

// The bands of phones whose specifications were seen; what was not is unknown,
// and 5G apart from 4G.
func TestBandsOfPhones(t *testing.T) {
	for _, c := range []struct {
		phone, in, network string
		answer             Answer
		fiveG              Presence
	}{
		{"iPhone 15", "", "docomo", Works, Has},
		{"iPhone 11", "", "docomo", Works, Lacks},
		{"iPhone 11", "", "kddi", Works, Lacks},
		{"iPhone 12", "", "docomo", Fits, NotKnown},
		{"A2172", "", "docomo", Works, NotKnown},
		{"iPhone 12", "US", "docomo", Works, NotKnown},
		{"Pixel 9 Pro XL", "", "docomo", Works, Has},
		{"SM-S928B", "", "docomo", Works, Has},
		{"Galaxy S24 Ultra", "", "docomo", Fits, NotKnown},
		{"Xperia 1 V", "", "docomo", Fits, NotKnown},
	} {
		v := judge(t, c.phone, c.in, planOf(c.network, true, true))
		if v.Answer != c.answer || v.FiveG != c.fiveG {
			t.Errorf("%s from %q on %s: %s, 5G %s; want %s, %s", c.phone, c.in, c.network, v.Answer, v.FiveG, c.answer, c.fiveG)
		}
	}
	l, err := Builtin().With([]OwnVersion{
		{Brand: "Kite", Model: "One", Version: Version{Code: "K1-A", ESIM: ESIMYes, Bands: parseBands("1 3 n78")}},
		{Brand: "Kite", Model: "One", Version: Version{Code: "K1-B", ESIM: ESIMYes, Bands: parseBands("1 3 19 n78")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, ok := l.Model("kite-one")
	if !ok {
		t.Fatal("the seller's model is not there")
	}
	v := l.Judge(l.Phone(m), demo, planOf("docomo", true, false))
	if v.Answer != Limited || !v.Areas[2].Varies || v.Areas[2].Level != Gaps {
		t.Errorf("versions that differ: %+v", v)
	}
}

// A phone that nobody knows is unknown for an eSIM, an EID says that there is one,
// and no verdict contradicts itself.
func TestVerdictsAreConsistent(t *testing.T) {
	if v := Builtin().Judge(Phone{Name: "Fairphone 5"}, demo, planOf("docomo", true, false)); v.Answer != Unknown || v.ESIM != ESIMCheck {
		t.Errorf("%+v", v)
	}
	if v := Builtin().Judge(Phone{Name: "Fairphone 5"}, demo, planOf("docomo", false, true)); v.Answer != Unknown {
		t.Errorf("a card: %+v", v)
	}
	if v := Builtin().Judge(Phone{EID: true}, demo, planOf("docomo", true, false)); v.Answer != Fits || v.Form != FormESIM {
		t.Errorf("%+v", v)
	}
	places := []string{"", "CN", "HK", "MO", "TW", "JP", "KR", "US", "CA", "AU", "SG", "DE", Elsewhere}
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(Builtin().Models).Draw(t, "model")
		p := Builtin().Phone(m)
		if rapid.Bool().Draw(t, "by code") {
			p, _ = Builtin().WithCode(m, rapid.SampledFrom(m.Versions).Draw(t, "version").Code)
		}
		p = p.In(rapid.SampledFrom(places).Draw(t, "place"))
		f := catalogue.Facts{ESIM: rapid.Bool().Draw(t, "esim"), PhysicalSIM: rapid.Bool().Draw(t, "card"), FiveG: true}
		if !f.ESIM && !f.PhysicalSIM {
			f.ESIM = true
		}
		plan := catalogue.Plan{Network: rapid.SampledFrom([]string{"docomo", "kddi", "softbank", "rakuten", "none"}).Draw(t, "network"), Facts: f}
		v := Builtin().Judge(p, demo, plan)
		switch refused := v.Answer == NoESIM || v.Answer == NoTray || v.Answer == Unknown; {
		case refused != (v.Form == ""):
			t.Fatalf("%s as %q", v.Answer, v.Form)
		case v.Form == FormESIM && !f.ESIM, v.Form == FormCard && !f.PhysicalSIM:
			t.Fatalf("the plan does not come as %s", v.Form)
		case v.Answer == NoESIM && f.PhysicalSIM, v.Answer == NoTray && f.ESIM, v.Answer == NoESIM && v.ESIM != ESIMNo:
			t.Fatalf("%s for %+v with eSIM %s", v.Answer, f, v.ESIM)
		}
		for _, u := range v.Unless {
			if u.Answer == v.Answer || u.Exception == "" || p.SoldIn != "" && len(u.SoldIn) > 0 && !slices.Contains(u.SoldIn, p.SoldIn) {
				t.Fatalf("%s unless %+v from %q", v.Answer, u, p.SoldIn)
			}
		}
	})
}
