package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/chromedp/cdproto/emulation"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// seen is what a page looks like.
type seen struct {
	Path  string
	Lang  string   // that it says it is in
	Words string   // everything on it but what says that it is in another language
	Wide  []string // what is broader than the screen, or than its box
	Kinds []string // of its elements
}

// look says what a page looks like. What is scrolled in a box of its own, and what is
// only there for screen readers, may be broad; the bar with the main button goes from
// one side of the screen to the other. Where scripts are switched off, it is
// the tool that runs this and not the page. Chromium lets the blank half of a bracket
// at the end of a line stand over the edge, which nobody sees; here it may not.
const look = `(() => {
	document.documentElement.style.textSpacingTrim = "space-all";
	const own = document.body.cloneNode(true);
	own.querySelectorAll("[lang], script").forEach(e => e.remove());
	const said = ["aria-label", "title", "placeholder"].flatMap(a => [...own.querySelectorAll("[" + a + "]")].map(e => e.getAttribute(a)));
	const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.getAttribute("class") ? "." + e.getAttribute("class") : "") + " " + e.textContent.trim().slice(0, 40);
	const wide = document.scrollingElement.scrollWidth > innerWidth ? ["the page"] : [];
	for (const e of document.querySelectorAll("body *")) {
		if (e.closest(".skip, .scroll, svg, option")) continue;
		const box = e.getBoundingClientRect();
		if (box.width === 0) continue;
		if (box.right > innerWidth + 1 || box.left < -1) wide.push(name(e) + " leaves the screen");
		else if (e.clientWidth > 0 && !e.querySelector(".stick") && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === "visible") wide.push(name(e) + " leaves its box");
	}
	const kind = e => e.tagName + "." + (e.getAttribute("class") ?? "") + "." + (e.getAttribute("type") ?? "");
	return {
		Path: location.pathname, Lang: document.documentElement.lang, Words: [document.title, own.textContent, ...said].join("\n"), Wide: wide.slice(0, 5),
		Kinds: [...new Set([...document.querySelectorAll("*")].map(e => kind(e.parentElement ?? e) + ">" + kind(e)))],
	};
})()`

// inspect looks for what no page of ours may have: another language, a text
// without translation, something broader than its place, a complaint of the
// browser, and what axe-core complains of.
func (b *tab) inspect() {
	b.t.Helper()
	if strings.HasPrefix(b.path(), "/sim/") {
		return // strangers' pages
	}
	p := eval[seen](b, look)
	if p.Lang != b.lang {
		b.t.Errorf("%s is in %q, want %q", p.Path, p.Lang, b.lang)
	}
	for _, trouble := range troubleIn(p.Words, locale.Language(b.lang)) {
		b.t.Errorf("%s in %s %s", p.Path, b.lang, trouble)
	}
	for _, wide := range p.Wide {
		b.t.Errorf("%s, %d pixels, in %s: %s", p.Path, b.size[0], b.lang, wide)
	}
	b.mu.Lock()
	for _, c := range b.complaints {
		b.t.Errorf("%s: the browser says %s", p.Path, c)
	}
	b.complaints = nil
	b.mu.Unlock()
	if b.survey != nil && b.survey.finds(p) {
		b.judged(p.Path)
	}
}

var (
	keyLike = regexp.MustCompile(`[a-z_]+(\.[a-z0-9_]+)+`)
	gap     = regexp.MustCompile(`\[[a-z0-9_]+\]`)
)

// troubleIn says what is wrong with a page's words: keys, letters that the language
// has not, and sentences of another one.
func troubleIn(words string, l locale.Language) (troubles []string) {
	for _, k := range keyLike.FindAllString(words, -1) {
		if ui.Texts().Has(k) {
			troubles = append(troubles, "shows the key "+k)
		}
	}
	for name, letters := range map[string]*unicode.RangeTable{"kana": kana, "hangul": unicode.Hangul, "hanzi": unicode.Han} {
		if i := strings.IndexFunc(words, func(r rune) bool { return unicode.Is(letters, r) }); i >= 0 && !writtenWith[l][name] {
			troubles = append(troubles, fmt.Sprintf("has %s: %q", name, around(words, i)))
		}
	}
	for said, other := range foreign(l) {
		if strings.Contains(words, said) {
			troubles = append(troubles, fmt.Sprintf("says %q, which is %s", said, other))
		}
	}
	return troubles
}

// kana are the letters that only Japanese has. The middle dot and the long mark are
// written elsewhere, too.
var kana = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x3041, Hi: 0x309f, Stride: 1}, {Lo: 0x30a1, Hi: 0x30fa, Stride: 1}}}

// writtenWith are the letters of each language.
var writtenWith = map[locale.Language]map[string]bool{
	locale.En: {}, locale.ZhHans: {"hanzi": true}, locale.ZhHant: {"hanzi": true}, locale.Ja: {"hanzi": true, "kana": true}, locale.Ko: {"hangul": true},
}

func around(words string, i int) string {
	end := min(len(words), i+60)
	for end < len(words) && !utf8.RuneStart(words[end]) {
		end++
	}
	return words[i:end]
}

// foreign are sentences and parts of them that the texts of a language have nowhere,
// and those of another one have. Made once for each.
func foreign(l locale.Language) map[string]locale.Language {
	made, _ := foreigners.LoadOrStore(l, sync.OnceValue(func() map[string]locale.Language {
		var own strings.Builder
		for _, key := range ui.Texts().Keys() {
			own.WriteString(ui.Texts().Say(l, key, nil) + "\n")
		}
		all := map[string]locale.Language{}
		for _, other := range locale.All {
			for _, key := range ui.Texts().Keys() {
				for _, part := range gap.Split(ui.Texts().Say(other, key, nil), -1) {
					part = strings.TrimSpace(part)
					if long := len(part) >= 18 && utf8.RuneCountInString(part) >= 6; long && !strings.Contains(own.String(), part) {
						all[part] = other
					}
				}
			}
		}
		return all
	}))
	return made.(func() map[string]locale.Language)()
}

var foreigners sync.Map

// The pages' words are told from those of other languages.
func TestOtherLanguagesAreSeen(t *testing.T) {
	for _, l := range locale.All {
		for _, other := range locale.All {
			words := ui.Texts().Say(other, "review.promise", nil)
			if got := troubleIn(words, l); (len(got) > 0) != (l != other) {
				t.Errorf("%q on a page in %s: %q", words, l, got)
			}
		}
		if got := troubleIn("a nav.lines b", l); len(got) != 1 {
			t.Errorf("a key on a page in %s: %q", l, got)
		}
	}
}

// survey has axe-core look over pages as they are met. A page whose every element
// stands, with its class and its parent, on a page before it is left out.
type survey struct {
	axe    string
	kinds  map[string]bool
	looked int
}

func newSurvey(t *testing.T) *survey {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return &survey{axe: string(axe), kinds: map[string]bool{}}
}

// finds reports whether there is something new on a page.
func (s *survey) finds(p seen) bool {
	before := len(s.kinds)
	for _, k := range p.Kinds {
		s.kinds[k] = true
	}
	return len(s.kinds) > before
}

// judged reports what axe-core finds on the page as it is. The test's own script
// runs where the page's may not.
func (b *tab) judged(path string) {
	b.t.Helper()
	b.survey.looked++
	b.do(emulation.SetScriptExecutionDisabled(false))
	b.violations(path, eval2[string](b, b.survey.axe+";(async () => {"+runAxe+"})()"))
	b.do(emulation.SetScriptExecutionDisabled(!b.scripts))
}

// runAxe gives what axe-core finds wrong: WCAG 2.2 A and AA, and its own best
// practices, but for what is deliberate: without scripts the page of an order that
// goes on asks for itself again, as it must to show what happens. A page that has just
// done so may be half there.
const runAxe = `
	if (document.readyState !== "complete") await new Promise(done => addEventListener("load", done));
	const r = await axe.run(document, {resultTypes: ["violations"], preload: false, iframes: false, elementRef: false, rules: {"meta-refresh": {enabled: false}}});
	return JSON.stringify(r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " " + n.any.map(a => a.message).join(" ")).slice(0, 3)})));`

// violations reports what runAxe has given.
func (b *tab) violations(path, found string) {
	b.t.Helper()
	var all []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(found), &all); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range all {
		b.t.Errorf("%s: %s: %s\n  %s", path, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
	}
}
