package device

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func find(t rapid.TB, text string) Found {
	t.Helper()
	q, err := ParseQuery(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return Builtin().Search(q)
}

// shared opens one of the tables that only tests may read.
func shared(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", name))
	if err != nil {
		t.Skipf("THE SHARED DATA IS NOT HERE, so %s is not checked: %v", name, err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Every model of the compiled facts is found by the name that stands there, and
// the list says of it what the facts say.
func TestEveryModelOfTheFactsIsFound(t *testing.T) {
	rows, err := csv.NewReader(shared(t, "facts/esim_devices_facts.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		called, codes, _ := strings.Cut(r[1], " (SCG")
		f := find(t, r[0]+" "+called)
		if f.Phone.Model == nil {
			t.Errorf("%s %s is not found: %+v", r[0], r[1], f)
			continue
		}
		m := f.Phone.Model
		if m.Brand != r[0] || m.Name != called && !slices.Contains(m.Aka, called) || m.ESIM != ESIM(r[3]) || m.TwoESIMs != (r[4] == "1") {
			t.Errorf("%s %s: found %s, %+v", r[0], r[1], m.FullName(), m)
		}
		for _, e := range split(r[5]) {
			if !slices.Contains(m.Exceptions, Code(e)) {
				t.Errorf("%s lacks the exception %s", m.FullName(), e)
			}
		}
		if codes != "" {
			for c := range strings.SplitSeq(strings.Trim("SCG"+codes, ")"), ", ") {
				if g := find(t, c); g.Phone.Model != m || !g.Phone.Exact {
					t.Errorf("%s: %+v", c, g)
				}
			}
		}
	}
}

// elsewhere is what a brand and its line are called in a language.
var elsewhere = map[string]map[string]string{
	"zh-Hans": {
		"Apple": "苹果", "Samsung": "三星", "Google": "谷歌", "Sony": "索尼", "Huawei": "华为", "Xiaomi": "小米", "OnePlus": "一加",
		"Motorola": "摩托罗拉", "Nokia": "诺基亚", "Oppo": "欧珀", "Vivo": "维沃", "Galaxy": "盖乐世", "iPhone": "", "Ultra": "至尊版", "Mini": "迷你",
	},
	"zh-Hant": {"Apple": "蘋果", "Huawei": "華為", "Motorola": "摩托羅拉", "Nokia": "諾基亞", "Vivo": "維沃", "Samsung": "三星", "Google": "谷歌", "Sony": "索尼", "Xiaomi": "小米", "OnePlus": "一加"},
	"ja": {
		"Apple": "", "Samsung": "サムスン", "Google": "グーグル", "Sony": "ソニー", "Huawei": "ファーウェイ", "Xiaomi": "シャオミ", "OnePlus": "ワンプラス",
		"Motorola": "モトローラ", "Nokia": "ノキア", "Oppo": "オッポ", "Vivo": "ビボ", "Galaxy": "ギャラクシー", "iPhone": "アイフォーン", "Pixel": "ピクセル",
		"Xperia": "エクスペリア", "Pro": "プロ", "Max": "マックス", "Plus": "プラス", "Ultra": "ウルトラ", "Mini": "ミニ", "Note": "ノート", "Edge": "エッジ",
		"Fold": "フォールド", "Flip": "フリップ", "Air": "エアー", "Lite": "ライト", "Find": "ファインド", "SE": "エスイー",
	},
	"ko": {
		"Apple": "애플", "Samsung": "삼성", "Google": "구글", "Sony": "소니", "Huawei": "화웨이", "Xiaomi": "샤오미", "OnePlus": "원플러스", "Motorola": "모토로라",
		"Nokia": "노키아", "Oppo": "오포", "Vivo": "비보", "Galaxy": "갤럭시", "iPhone": "아이폰", "Pixel": "픽셀", "Xperia": "엑스페리아", "Pro": "프로", "Max": "맥스", "Ultra": "울트라",
	},
}

// spell writes a model's full name as people elsewhere write it.
func spell(m *Model, words map[string]string) string {
	var out []string
	for f := range strings.FieldsSeq(m.FullName()) {
		if w, ok := words[f]; ok {
			f = w
		}
		out = append(out, f)
	}
	return strings.Join(out, "")
}

// Every model is found from its name, its codes, its name in Chinese, Japanese
// and Korean, in full-width letters, and with a letter lost from its longest word.
func TestEveryModelIsFoundFromManySpellings(t *testing.T) {
	for _, m := range Builtin().Models {
		spellings := []string{
			m.FullName(), strings.ToUpper(m.FullName()), strings.ReplaceAll(m.FullName(), " ", ""), strings.ReplaceAll(m.FullName(), " ", "-"),
			"  " + m.FullName() + " 128GB ", wide(m.FullName()), m.FullName() + " 手机", lose(m.FullName()),
		}
		for _, words := range elsewhere {
			spellings = append(spellings, spell(m, words))
		}
		for _, s := range spellings {
			if f := find(t, s); f.Phone.Model != m {
				t.Errorf("%s from %q: found %s, candidates %v", m.FullName(), s, f.Phone.Called(), called(f.Candidates))
			}
		}
		if len(m.Versions) == 0 {
			t.Errorf("%s has no code", m.FullName())
		}
		for _, v := range m.Versions {
			for _, s := range []string{v.Code, strings.ToLower(v.Code), strings.ReplaceAll(v.Code, "-", ""), strings.ReplaceAll(v.Code, "-", " "), v.Code + "/DS"} {
				f := find(t, s)
				if f.Phone.Model != m || !f.Phone.Exact || f.Phone.Possible[0].Code != v.Code {
					t.Errorf("%s %s from %q: %s %v", m.FullName(), v.Code, s, f.Phone.Called(), called(f.Candidates))
				}
			}
		}
	}
}

// wide is text in full-width letters.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r + 0xfee0
		}
		return r
	}, s)
}

// lose drops the third letter of the longest word.
func lose(s string) string {
	longest := slices.MaxFunc(strings.Fields(s), func(a, b string) int { return len(a) - len(b) })
	return strings.Replace(s, longest, longest[:2]+longest[3:], 1)
}

func called(list []*Model) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.FullName())
	}
	return out
}

// One letter wrong anywhere, and the model is found, or is among the candidates;
// unless what was typed is another's name.
func TestOneEditLeadsToTheModelOrAsks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(Builtin().Models).Draw(t, "model")
		spelling := rapid.SampledFrom([]string{m.FullName(), m.Name, rapid.SampledFrom(m.Versions).Draw(t, "version").Code}).Draw(t, "spelling")
		if len(strings.Join(tokens(spelling), "")) < 5 {
			t.Skip("too short to be told from others")
		}
		typed := edit(t, spelling)
		q, err := ParseQuery(typed)
		if err != nil || q.Kind != ByName {
			t.Skip("a number")
		}
		f := Builtin().Search(q)
		switch {
		case f.Phone.Model == m, slices.Contains(f.Candidates, m):
		case f.Phone.Model != nil && !f.Typo: // exactly another's
		case len(Builtin().exactly(strings.Join(tokens(typed), ""))) > 0: // exactly that of several others
		default:
			t.Fatalf("%q for %q: found %q, typo %v, candidates %v", typed, spelling, f.Phone.Called(), f.Typo, called(f.Candidates))
		}
	})
}

// edit changes, drops, adds a letter or digit, or exchanges two.
func edit(t *rapid.T, s string) string {
	at := rapid.IntRange(0, len(s)-1).Draw(t, "at")
	for s[at] == ' ' || s[at] == '(' || s[at] == ')' || s[at] == '-' || s[at] == '+' {
		at = (at + 1) % len(s)
	}
	letter := string(rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz0123456789")).Draw(t, "letter"))
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return s[:at] + letter + s[at+1:]
	case 1:
		return s[:at] + s[at+1:]
	case 2:
		return s[:at] + letter + s[at:]
	}
	if at+1 >= len(s) || strings.ContainsAny(s[at+1:at+2], " ()-+") {
		return s
	}
	return s[:at] + s[at+1:at+2] + s[at:at+1] + s[at+2:]
}

// What could be several, or is not in the list, is never taken for one.
func TestNeverGuesses(t *testing.T) {
	for text, want := range map[string]string{ // one of the candidates
		"13": "Xiaomi 13", "13 pro": "Apple iPhone 13 Pro", "iphone": "Apple iPhone 13", "Galaxy S25": "Samsung Galaxy S25 Ultra",
		"pixel 9a": "Google Pixel 9", "iphone 18": "Apple iPhone 17", "iphone se": "Apple iPhone SE 2 (2020)", "S23 F": "Samsung Galaxy S23 FE",
		"Xperia 1 VII": "Sony Xperia 1 VI", "A2635x": "Apple iPhone 13", "pixel 9 prox": "Google Pixel 9 Pro", "galaxy s35": "Samsung Galaxy A35",
	} {
		f := find(t, text)
		if f.Phone.Model != nil || !slices.Contains(called(f.Candidates), want) {
			t.Errorf("%q: %s, %v; want candidates with %s", text, f.Phone.Called(), called(f.Candidates), want)
		}
	}
	for _, text := range []string{"Fairphone 5", "toaster", "漢字", "nokia 3310", "GT-I9305", "💡", "%s", "x"} {
		if f := find(t, text); f.Phone.Model != nil {
			t.Errorf("%q is taken for %s", text, f.Phone.Called())
		} else if f.Phone.Name == "" {
			t.Errorf("%q: the name is lost", text)
		}
	}
	for text, want := range map[string]string{"s23 ultra": "Samsung Galaxy S23 Ultra", "fold4": "Samsung Galaxy Z Fold4", "苹果13": "Apple iPhone 13", "iPhone13 5G": "Apple iPhone 13", "galxys23": "Samsung Galaxy S23", "あいふぉん13": "Apple iPhone 13"} {
		if f := find(t, text); f.Phone.Called() != want {
			t.Errorf("%q: %s, %v", text, f.Phone.Called(), called(f.Candidates))
		}
	}
}

// Two names that are one letter off are both asked back, even within a word.
func TestATypoBetweenTwoIsAskedBack(t *testing.T) {
	l, err := Builtin().With([]OwnVersion{
		{Brand: "Kite", Model: "Ultra One", Version: Version{Code: "K1"}}, {Brand: "Kite", Model: "Ultro One", Version: Version{Code: "K2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := l.Search(Query{Text: "Kite Ultrx One"}); f.Phone.Model != nil || len(f.Candidates) != 2 {
		t.Errorf("%s, %v", f.Phone.Called(), called(f.Candidates))
	}
}

// A word for the version says where the phone is from.
func TestNamesSayWhereTheyAreFrom(t *testing.T) {
	for text, want := range map[string]string{"iPhone 13 国行": "CN", "iphone13（港版）": "HK", "日版 Pixel 3": "JP", "아이폰 13 미국판": "US", "iPhone 13": ""} {
		f := find(t, text)
		if f.Phone.Model == nil || f.Phone.SoldIn != want {
			t.Errorf("%q: %s from %q, want %q", text, f.Phone.Called(), f.Phone.SoldIn, want)
		}
	}
}

// Models have addresses of their own.
func TestModelsHaveAddresses(t *testing.T) {
	for _, m := range Builtin().Models {
		if got, ok := Builtin().Model(m.ID()); !ok || got != m || strings.Trim(m.ID(), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%s: %q", m.FullName(), m.ID())
		}
	}
}
