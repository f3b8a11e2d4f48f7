package device

import (
	_ "embed" // the words
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
)

//go:embed texts.yaml
var textsFile []byte

// texts never changes.
var texts = locale.MustBook(textsFile)

// Places are where a form lets people say that they bought their phone: places
// that a list has anything about, and large ones.
var Places = []string{"CN", "HK", "MO", "TW", "JP", "KR", "US", "CA", "AU", "SG", "MY", "TH", "VN", "ID", "PH", "GB", "DE", "FR", Elsewhere}

// Place is a place in words.
func Place(l locale.Language, country string) string {
	if key := "place." + country; texts.Has(key) {
		return texts.Say(l, key, nil)
	}
	region, err := language.ParseRegion(country)
	names := display.Regions(language.MustParse(string(l)))
	if err != nil || names == nil {
		return country
	}
	return names.Name(region)
}

// Word is an answer in a few words.
func (a Answer) Word(l locale.Language) string { return texts.Say(l, "answer."+string(a), nil) }

// About is the sentence that explains an exception.
func About(l locale.Language, c Code) string { return texts.Say(l, "exception."+string(c), nil) }

// Line is an area in words: its kind, what to expect, and why that is not all.
type Line struct {
	Kind, Level, Missing string
}

// Words is a verdict in sentences.
type Words struct {
	Answer string
	Lead   string // what it means and what to do
	Why    string // the exception that decided; "" if none
	Form   string
	Areas  []Line
	FiveG  string
	Unless []string // whom the answer is another one for
	Lock   string   // a warning about carriers; "" where it is said already
}

// In is the verdict in sentences. network is the plan's, for the bands to look
// for in a specification.
func (v Verdict) In(l locale.Language, network catalogue.Network) Words {
	w := Words{Answer: v.Answer.Word(l), Lead: texts.Say(l, "lead."+string(v.Answer), nil)}
	if v.Answer == Fits {
		w.Lead = lookFor(l, network)
	}
	if v.Why != "" {
		w.Why = About(l, v.Why)
	}
	if v.Form != "" {
		w.Form = texts.Say(l, "form."+string(v.Form), nil)
		w.FiveG = texts.Say(l, "five_g."+string(v.FiveG), nil)
	}
	if v.Answer == Works || v.Answer == Limited || v.Answer == LockRisk {
		for _, a := range v.Areas {
			w.Areas = append(w.Areas, a.in(l))
		}
	}
	for _, u := range v.Unless {
		w.Unless = append(w.Unless, About(l, u.Exception))
	}
	if v.Carrier {
		w.Lock = texts.Say(l, "carrier", nil)
	}
	return w
}

// lookFor says which bands to look for where the phone's are not known.
func lookFor(l locale.Language, n catalogue.Network) string {
	if len(n.Layers.Main) == 0 {
		return texts.Say(l, "lead.fits.plain", nil)
	}
	need := bands(l, n.Layers.Main, "list.or") + texts.Say(l, "list.both", nil) + bands(l, n.Layers.Reach, "list.or")
	return texts.Say(l, "lead.fits", locale.Args{"bands": need})
}

func (a Area) in(l locale.Language) Line {
	out := Line{Kind: texts.Say(l, "area."+string(a.Kind), nil), Level: texts.Say(l, "level."+string(a.Level), nil)}
	if len(a.Missing) > 0 {
		key := "missing"
		if a.Varies {
			key += ".varies"
		}
		out.Missing = texts.Say(l, key, locale.Args{"bands": bands(l, a.Missing, "list.or")})
	}
	return out
}

// bands are bands in words.
func bands(l locale.Language, list []string, between string) string {
	var out []string
	for _, b := range list {
		if n, five := strings.CutPrefix(b, "n"); five {
			out = append(out, texts.Say(l, "band.5g", locale.Args{"n": n}))
			continue
		}
		out = append(out, texts.Say(l, "band.4g", locale.Args{"n": strings.TrimPrefix(b, "B")}))
	}
	return strings.Join(out, texts.Say(l, between, nil))
}

// CoverageIn says in sentences what a network carries by kind of area, whatever
// the phone.
func CoverageIn(l locale.Language, n catalogue.Network, fiveG bool) []string {
	if len(n.Layers.Main) == 0 || len(n.Layers.Reach) == 0 {
		return []string{texts.Say(l, "coverage.unknown", nil)}
	}
	var out []string
	for _, part := range []struct {
		key, between string
		bands        []string
	}{
		{"main", "list.or", n.Layers.Main},
		{"city", "list.and", n.Layers.City},
		{"reach", "list.or", n.Layers.Reach},
		{"reach_more", "list.and", n.Layers.ReachMore},
		{"five_g", "list.and", slices.Clone(n.Layers.FiveG)},
	} {
		if len(part.bands) == 0 || part.key == "five_g" && !fiveG {
			continue
		}
		out = append(out, texts.Say(l, "coverage."+part.key, locale.Args{"bands": bands(l, part.bands, part.between)}))
	}
	return out
}
