// Package prose is the shop's longer texts: help, and the pages that the law asks
// for. They are files in every language, in a very small part of Markdown, so that a
// seller can read, correct and replace them.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package prose

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/tsuzuku/tsuzuku/locale"
)

//go:embed help legal
var files embed.FS

// Topics are the topics of help, in the order in which they are listed.
var Topics = []string{"install", "activation", "slow", "renew", "pay", "refund", "compatibility", "account"}

// Page is one text in one language.
type Page struct {
	ID     string
	Title  string
	Blocks []Block
}

// Kind is what a block is.
type Kind string

// The kinds of blocks.
const (
	Paragraph Kind = "paragraph"
	Heading   Kind = "heading"
	Bullets   Kind = "bullets"
	Steps     Kind = "steps" // numbered
	Table     Kind = "table" // two columns; items are label and value in turn
)

// Block is a paragraph, a heading, a list or a table.
type Block struct {
	Kind  Kind
	Items [][]Span // one of a paragraph or heading
}

// Is reports whether b is of that kind, for templates.
func (b Block) Is(kind string) bool { return string(b.Kind) == kind }

// Row is a label and a value.
type Row struct{ Label, Value []Span }

// Rows are the rows of a table.
func (b Block) Rows() (rows []Row) {
	for i := 0; i+1 < len(b.Items); i += 2 {
		rows = append(rows, Row{b.Items[i], b.Items[i+1]})
	}
	return rows
}

// Span is text, or a link with its text.
type Span struct {
	Text string
	Link string // a path of the portal, or an https: address; "" for text
}

// Help is one topic in a language; false where there is no such topic.
func Help(l locale.Language, topic string) (Page, bool) {
	text, err := files.ReadFile("help/" + string(l) + "/" + topic + ".md")
	if err != nil {
		return Page{}, false
	}
	p, err := Parse(topic, string(text))
	return p, err == nil
}

const (
	mostText  = 64 << 10 // bytes of one page
	mostTitle = 200      // bytes
)

var (
	step = regexp.MustCompile(`^[0-9]+\. `)
	link = regexp.MustCompile(`\[([^\]\n]+)\]\(([^)\s]+)\)`)
)

// Parse reads a page: a first line "# Title", then paragraphs with empty lines
// between, headings "## …", lists "- …" and "1. …", rows of a table "| label |
// value |", and links [text](/path) in any of them. It fails where the title is
// missing, or a link leads neither into the portal nor to an https: address.
func Parse(id, text string) (Page, error) {
	if len(text) > mostText {
		return Page{}, fmt.Errorf("prose: %s is longer than %d bytes", id, mostText)
	}
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	first, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	title, ok := strings.CutPrefix(first, "# ")
	if !ok || len(title) > mostTitle {
		return Page{}, fmt.Errorf("prose: %s does not begin with a line \"# Title\"", id)
	}
	p := Page{ID: id, Title: strings.TrimSpace(title)}
	joins := false // the next line of text belongs to the last block
	for line := range strings.SplitSeq(rest, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			joins = false
			continue
		}
		if err := p.add(line, joins); err != nil {
			return Page{}, fmt.Errorf("prose: %s: %w", id, err)
		}
		joins = true
	}
	return p, nil
}

// add reads one line.
func (p *Page) add(line string, joins bool) error {
	kind, texts := Paragraph, []string{line}
	switch {
	case strings.HasPrefix(line, "## "):
		kind, texts = Heading, []string{line[3:]}
	case strings.HasPrefix(line, "- "):
		kind, texts = Bullets, []string{line[2:]}
	case step.MatchString(line):
		kind, texts = Steps, []string{line[len(step.FindString(line)):]}
	case strings.HasPrefix(line, "|"):
		label, value, ok := strings.Cut(strings.Trim(line, "| "), "|")
		if !ok {
			return fmt.Errorf("a row without a value: %q", line)
		}
		kind, texts = Table, []string{strings.TrimSpace(label), strings.TrimSpace(value)}
	}
	last := len(p.Blocks) - 1
	if last < 0 || !joins || p.Blocks[last].Kind != kind || kind == Heading {
		p.Blocks = append(p.Blocks, Block{Kind: kind})
		last++
	}
	b := &p.Blocks[last]
	for _, text := range texts {
		item, err := spans(text)
		if err != nil {
			return err
		}
		if kind == Paragraph && len(b.Items) > 0 { // a paragraph in several lines
			b.Items[0] = append(append(b.Items[0], Span{Text: " "}), item...)
			continue
		}
		b.Items = append(b.Items, item)
	}
	return nil
}

// spans finds the links in a text.
func spans(text string) (out []Span, err error) {
	at := 0
	for _, m := range link.FindAllStringSubmatchIndex(text, -1) {
		if m[0] > at {
			out = append(out, Span{Text: text[at:m[0]]})
		}
		to := text[m[4]:m[5]]
		if !strings.HasPrefix(to, "https://") && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`)) {
			return nil, fmt.Errorf("the link %q leads neither into the shop nor to an https: address", to)
		}
		out = append(out, Span{Text: text[m[2]:m[3]], Link: to})
		at = m[1]
	}
	if at < len(text) {
		out = append(out, Span{Text: text[at:]})
	}
	return out, nil
}

// Text is the page without form, for searching.
func (p Page) Text() string {
	var b strings.Builder
	for _, block := range p.Blocks {
		for _, item := range block.Items {
			for _, s := range item {
				b.WriteString(s.Text)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Begins is how the page begins, for lists: its first paragraph.
func (p Page) Begins() string {
	for _, b := range p.Blocks {
		if b.Kind == Paragraph && len(b.Items) > 0 {
			var out strings.Builder
			for _, s := range b.Items[0] {
				out.WriteString(s.Text)
			}
			return out.String()
		}
	}
	return ""
}

// Names are the files below a folder of this package, for tests.
func Names(dir string) ([]string, error) { return fs.Glob(files, dir+"/*/*.md") }
