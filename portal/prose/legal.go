package prose

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/locale"
)

// LegalPages are the pages that the law asks for: terms of use, privacy, the
// disclosure of Japan's act on specified commercial transactions, refund rules.
var LegalPages = []string{"terms", "privacy", "commerce", "refunds"}

// Facts are what legal pages say of the seller. What is empty is left out, with its
// line: nothing is invented.
type Facts struct {
	Name           string // the company's, or the person's
	Address        string
	Representative string
	Phone          string
	Hours          string // when the phone is answered
	Mail           string
	Number         string // of the registration for tax
	URL            string // the shop's
}

// values are the facts by the names that texts use: {name}.
func (f Facts) values() map[string]string {
	return map[string]string{
		"name": f.Name, "address": f.Address, "representative": f.Representative, "phone": f.Phone, "hours": f.Hours,
		"mail": f.Mail, "number": f.Number, "url": f.URL,
	}
}

// Or is f, with what it lacks from other.
func (f Facts) Or(other Facts) Facts {
	for _, one := range []struct{ mine, other *string }{
		{&f.Name, &other.Name},
		{&f.Address, &other.Address},
		{&f.Representative, &other.Representative},
		{&f.Phone, &other.Phone},
		{&f.Hours, &other.Hours},
		{&f.Mail, &other.Mail},
		{&f.Number, &other.Number},
		{&f.URL, &other.URL},
	} {
		if *one.mine == "" {
			*one.mine = *one.other
		}
	}
	return f
}

// optional is what a seller may really not have.
var optional = []string{"number", "hours"}

// Missing names what the legal pages need and f has not.
func (f Facts) Missing() (names []string) {
	for name, value := range f.values() {
		if value == "" && !slices.Contains(optional, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Legal are the legal pages: ours, or the seller's own in their place. The zero
// value has ours.
type Legal struct{ own map[string]string }

// ReadLegal reads a seller's own pages: files page.language.md, such as
// terms.zh-Hant.md, in a folder. A page in a language that has no file is ours. It
// fails for a file of another name, and for one that cannot be read as a page.
func ReadLegal(dir string) (Legal, error) {
	if dir == "" {
		return Legal{}, nil
	}
	own := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return Legal{}, err
	}
	for _, e := range entries {
		page, l, ok := strings.Cut(strings.TrimSuffix(e.Name(), ".md"), ".")
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".md") {
			continue
		}
		if !ok || !slices.Contains(LegalPages, page) || !slices.Contains(locale.All, locale.Language(l)) {
			return Legal{}, fmt.Errorf("legal pages: %s is not of the form page.language.md, with a page of %v and a language of %v", e.Name(), LegalPages, locale.All)
		}
		text, err := fs.ReadFile(os.DirFS(dir), e.Name())
		if err == nil {
			_, err = Parse(page, string(text))
		}
		if err != nil {
			return Legal{}, fmt.Errorf("legal pages: %s: %w", e.Name(), err)
		}
		own[page+"."+l] = string(text)
	}
	return Legal{own}, nil
}

// Page is one legal page in a language; false where there is no such page.
func (g Legal) Page(l locale.Language, page string, f Facts) (Page, bool) {
	if !slices.Contains(LegalPages, page) {
		return Page{}, false
	}
	text, ok := g.own[page+"."+string(l)]
	if !ok {
		ours, err := files.ReadFile("legal/" + string(l) + "/" + page + ".md")
		if err != nil {
			return Page{}, false
		}
		text = string(ours)
	}
	p, err := Parse(page, fill(text, f.values()))
	return p, err == nil
}

var fact = regexp.MustCompile(`\{([a-z]+)\}`)

// fill puts the facts into a text. A line that lacks one is left out.
func fill(text string, values map[string]string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		lacks := false
		line = fact.ReplaceAllStringFunc(line, func(name string) string {
			value := tidy(values[name[1:len(name)-1]])
			if value == "" {
				lacks = true
			}
			return value
		})
		if !lacks {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// tidy makes a value stay one line of text that has no form of its own.
func tidy(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("|", "/", "[", "(", "]", ")").Replace(s)), " ")
}
