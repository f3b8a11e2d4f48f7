package prose_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/portal/prose"
)

// Every topic and legal page is there in every language, with the same form in each.
func TestEveryPageInEveryLanguage(t *testing.T) {
	shape := func(p prose.Page) (kinds []prose.Kind) {
		for _, b := range p.Blocks {
			kinds = append(kinds, b.Kind)
		}
		return kinds
	}
	full := prose.Facts{Name: "n", Address: "a", Representative: "r", Phone: "p", Hours: "h", Mail: "m@example.com", Number: "T1", URL: "u"}
	for dir, ids := range map[string][]string{"help": prose.Topics, "legal": prose.LegalPages} {
		names, err := prose.Names(dir)
		if err != nil || len(names) != len(ids)*len(locale.All) {
			t.Errorf("%s: %d files for %d pages, %v", dir, len(names), len(ids), err)
		}
		for _, id := range ids {
			var first prose.Page
			for _, l := range locale.All {
				page, ok := prose.Help(l, id)
				if dir == "legal" {
					page, ok = prose.Legal{}.Page(l, id, full)
				}
				if !ok || page.Title == "" {
					t.Errorf("there is no %s/%s/%s", dir, l, id)
					continue
				}
				if strings.ContainsAny(page.Text(), "{}#|") && id != "compatibility" {
					t.Errorf("%s/%s/%s shows its form: %s", dir, l, id, page.Text())
				}
				if l == locale.En {
					first = page
				} else if id != "commerce" && !slices.Equal(shape(page), shape(first)) { // the Japanese disclosure needs no introduction
					t.Errorf("%s/%s/%s has the form %v, in English %v", dir, l, id, shape(page), shape(first))
				}
			}
		}
	}
}

// What a traveller types finds the topic, in every language and writing.
func TestSearchFinds(t *testing.T) {
	for _, c := range []struct {
		l    locale.Language
		ask  string
		best string
	}{
		{locale.En, "how do I install the esim on my iPhone?", "install"},
		{locale.En, "money back", "refund"},
		{locale.En, "refunded", "refund"},
		{locale.En, "forgot password", "account"},
		{locale.En, "slow connection", "slow"},
		{locale.En, "RENEWING", "renew"},
		{locale.Ja, "返金", "refund"},
		{locale.Ja, "通信が遅い", "slow"},
		{locale.Ja, "パスワードを忘れた", "account"},
		{locale.Ja, "iPhone インストール", "install"},
		{locale.ZhHans, "退款多久到账", "refund"},
		{locale.ZhHans, "怎么续费", "renew"},
		{locale.ZhHans, "网速慢", "slow"},
		{locale.ZhHans, "装不上", "install"},
		{locale.ZhHant, "裝不了", "install"},
		{locale.ZhHant, "手機是否相容", "compatibility"},
		{locale.ZhHant, "忘記密碼", "account"},
		{locale.Ko, "환불", "refund"},
		{locale.Ko, "느려요 연결", "slow"},
		{locale.Ko, "휴대폰 잠김", "compatibility"},
		{locale.Ja, "ＡＰＮ 遅い", "slow"},
	} {
		found := prose.Search(c.l, c.ask)
		if len(found) == 0 || found[0].ID != c.best {
			var ids []string
			for _, p := range found {
				ids = append(ids, p.ID)
			}
			t.Errorf("%s %q finds %v, want %s first", c.l, c.ask, ids, c.best)
		}
	}
	for _, ask := range []string{"", "  ", "xyzzy", "🙂", strings.Repeat("長い", 5000)} {
		if found := prose.Search(locale.Ja, ask); len(found) > 0 && ask != strings.Repeat("長い", 5000) {
			t.Errorf("%q finds %d topics", ask, len(found))
		}
	}
}

// What the seller has not told is left out with its line, and named; nothing of the
// form is left.
func TestLegalPagesInventNothing(t *testing.T) {
	none := prose.Facts{Name: "Kumo | [Mobile]"}
	if got := none.Missing(); !slices.Equal(got, []string{"address", "mail", "phone", "representative", "url"}) {
		t.Errorf("missing: %v", got)
	}
	for _, l := range locale.All {
		for _, id := range prose.LegalPages {
			page, ok := prose.Legal{}.Page(l, id, none)
			if !ok || strings.ContainsAny(page.Text(), "{}") {
				t.Errorf("%s %s: %v %s", l, id, ok, page.Text())
			}
		}
	}
	page, _ := prose.Legal{}.Page(locale.Ja, "commerce", none)
	if rows := page.Blocks[0].Rows(); rows[0].Value[0].Text != "Kumo / (Mobile)" || rows[1].Label[0].Text != "販売価格" {
		t.Errorf("%v", rows)
	}
	if got := none.Or(prose.Facts{Name: "other", Mail: "m@example.com"}); got.Name != none.Name || got.Mail != "m@example.com" {
		t.Errorf("%+v", got)
	}
}

// The seller's own pages take the place of ours, one by one; what cannot be read is
// said at once.
func TestOwnPages(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("terms.ja.md", "# 規約\n{name} の規約です。\n")
	put("README.txt", "not read")
	g, err := prose.ReadLegal(dir)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := g.Page(locale.Ja, "terms", prose.Facts{Name: "Kumo"}); !ok || p.Text() != "Kumo の規約です。\n" {
		t.Errorf("%v", p)
	}
	if p, ok := g.Page(locale.En, "terms", prose.Facts{}); !ok || p.Title != "Terms of use" {
		t.Errorf("%v", p)
	}
	if _, ok := g.Page(locale.En, "../help/en/pay", prose.Facts{}); ok {
		t.Error("a page of another name is shown")
	}
	for name, text := range map[string]string{
		"terms.md": "# T\n", "imprint.en.md": "# T\n", "terms.fr.md": "# T\n", "terms.en.md": "no title", "privacy.en.md": "# T\n[x](javascript:alert)\n",
		"refunds.en.md": "# T\n[x](//evil.example)\n", "commerce.en.md": "# T\n| a row\n",
	} {
		put(name, text)
		if _, err := prose.ReadLegal(dir); err == nil {
			t.Errorf("%s is read: %q", name, text)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := prose.ReadLegal(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is none is read")
	}
}

// Whatever a file holds, reading it ends, and no link leads out of https.
func FuzzParse(f *testing.F) {
	f.Add("# T\n\n- a\n1. b\n| c | d |\n[e](/f)\n")
	f.Add("# T\n[x](javascript:alert(1))")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := prose.Parse("x", text)
		if err != nil {
			return
		}
		for _, b := range p.Blocks {
			for _, item := range b.Items {
				for _, s := range item {
					if s.Link != "" && !strings.HasPrefix(s.Link, "/") && !strings.HasPrefix(s.Link, "https://") || strings.HasPrefix(s.Link, "//") {
						t.Errorf("link %q", s.Link)
					}
				}
			}
			_ = b.Rows()
		}
	})
}
