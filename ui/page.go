package ui

import (
	"crypto/sha256"
	_ "embed" // style and layout
	"encoding/base64"
	"html/template"
	"io/fs"
	"regexp"
	"strings"

	"github.com/tsuzuku/tsuzuku/locale"
)

//go:embed style.css
var styleFile string

//go:embed layout.html
var layoutFile string

// Made once from the files beside this one, and only read after that.
var (
	style  = compact(styleFile)
	layout = template.Must(template.New("layout").Parse(layoutFile))
)

// StyleSource is the style sheet's hash as a Content-Security-Policy names it:
// the sheet stands in every page, and no other is allowed.
func StyleSource() string { return styleSource }

// styleSource is made once: every answer names it.
var styleSource = sourceOf(style)

func sourceOf(sheet string) string {
	sum := sha256.Sum256([]byte(sheet))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssSpace   = regexp.MustCompile(`\s*\n\s*`)
)

// Compact is a script as it is sent: without its comments and indentation.
// Comments are lines of their own.
func Compact(script []byte) []byte {
	return scriptSpace.ReplaceAll(scriptComment.ReplaceAll(script, nil), []byte("\n"))
}

var (
	scriptComment = regexp.MustCompile(`(?m)^\s*//.*$`)
	scriptSpace   = regexp.MustCompile(`\s*\n\s*`)
)

// compact leaves comments and line breaks out: every byte is sent with every
// page.
func compact(css string) string {
	return strings.TrimSpace(cssSpace.ReplaceAllString(cssComment.ReplaceAllString(css, ""), "\n"))
}

// Pages parses a door's page templates together with the layout and the
// components of this package: "top" and "bottom" with a [Frame], "badge" with a
// [Badge], "meter" with a [*Meter], "moment" with a [Moment], "notice" with a
// [Notice], "steps" with a list of [Step].
//
// Pages panics when a template does not parse: they are part of the program.
func Pages(files fs.FS, patterns ...string) *template.Template {
	return template.Must(template.Must(layout.Clone()).ParseFS(files, patterns...))
}

// Frame is what every page has around its contents.
type Frame struct {
	Voice
	Title     string
	About     string // what the page is, for who finds it elsewhere; "" of pages that only a customer sees
	Shop      string // the seller's name
	Contact   string // a mail address, or a page
	Languages []Choice
	SignedIn  bool
	Refresh   int // seconds after which the page is asked for again; 0: never
	Notice    Notice
	Offline   string // what the page says first where it is shown without a connection; "": it never is
	Script    string // the address of the script that improves pages; "": none
	Icon      string // the address of the picture on a phone's home screen
	Sheet     Sheet  // another style sheet than the page's own; "": that one
}

// Notice is one thing that the page says first. The zero Notice is nothing.
type Notice struct {
	Tone Tone
	Text string
}

// Choice is one of several values of a form's field.
type Choice struct {
	Value  string
	Name   string
	Lang   string // of Name; "" as the page
	Chosen bool
}

// Style is the style sheet.
func (f Frame) Style() template.CSS {
	if f.Sheet != "" {
		return template.CSS(f.Sheet) //nolint:gosec // made from our own files, see [Look.Sheet]
	}
	return template.CSS(style) //nolint:gosec // our own file
}

// ContactLink is where questions go: an address that a browser can open.
func (f Frame) ContactLink() template.URL {
	switch {
	case strings.HasPrefix(f.Contact, "https://"), strings.HasPrefix(f.Contact, "http://"):
		return template.URL(f.Contact) //nolint:gosec // the seller's own configuration
	case strings.Contains(f.Contact, "@"):
		return template.URL("mailto:" + f.Contact) //nolint:gosec // as above
	}
	return ""
}

// LanguageChoices are the languages that pages are written in.
func LanguageChoices(current locale.Language) []Choice {
	all := make([]Choice, len(locale.All))
	for i, l := range locale.All {
		all[i] = Choice{Value: string(l), Name: l.Name(), Lang: string(l), Chosen: l == current}
	}
	return all
}
