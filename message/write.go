package message

import (
	"bytes"
	_ "embed" // the words
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

//go:embed texts.yaml
var texts []byte

//go:embed letter.html
var letterHTML string

// Written once, when the program starts, and only read after that.
var (
	book  = locale.MustBook(texts)
	sheet = template.Must(template.New("letter").Parse(letterHTML))
)

// Texts are the words of this package, for those who check them.
func Texts() *locale.Book { return book }

// From is who writes.
type From struct {
	Seller  string // the seller's name; empty: "Tsuzuku"
	URL     string // the seller's public address, which paths in facts are relative to
	Contact string // a mail address, phone number or page for questions; may be empty
}

// maxName is how many characters of a name, which somebody typed, are written;
// maxSentence how many of a sentence that another package wrote.
const (
	maxName     = 60
	maxSentence = 600
	mostSaid    = 4000 // of a paragraph that staff wrote
)

// Write says facts in words. The letter lacks only its ID and its receiver. It
// fails for what would make a letter useless: a kind without words, a sign-in
// code without the code, an address that is none.
func Write(k Kind, l locale.Language, from From, f Facts) (Letter, error) {
	w, err := write(k, l, from, f)
	if err != nil {
		return Letter{}, err
	}
	return w.letter()
}

// write outlines a letter.
func write(k Kind, l locale.Language, from From, f Facts) (*writer, error) {
	w := &writer{l: written(l), f: f, from: from, zone: zoneOf(f.Zone)}
	w.from.Seller = tidy(from.Seller)
	if w.from.Seller == "" {
		w.from.Seller = "Tsuzuku"
	}
	var err error
	if w.link, err = from.absolute(f.Link); err != nil {
		return nil, err
	}
	if w.stop, err = from.absolute(f.StopLink); err != nil {
		return nil, err
	}
	w.line = w.lineName()
	return w, w.outline(k)
}

// written is the language in which a reader of l gets letters. A letter is in
// one language throughout, numbers and all, so it is chosen for the whole.
func written(l locale.Language) locale.Language {
	if slices.Contains(locale.All, l) {
		return l
	}
	return locale.En
}

// letter writes a stored message.
func (f From) letter(m Message) (Letter, error) {
	if m.broken != nil {
		return Letter{}, m.broken
	}
	l, err := Write(m.Kind, m.Language, f, m.Facts)
	l.ID, l.To = m.ID, m.To
	return l, err
}

// write is a stored message as its channel carries it.
func (f From) write(m Message) (Letter, error) {
	l, err := f.letter(m)
	switch {
	case err != nil:
	case m.To.Channel == Push:
		l, err = f.notification(m)
	case m.To.Channel == SMS:
		l, err = f.short(m)
	}
	if m.Reach != (Address{}) {
		l.To = m.Reach
	}
	return l, err
}

// absolute makes a link out of what facts hold: a path, or a whole address.
func (f From) absolute(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	if strings.HasPrefix(link, "/") {
		link = strings.TrimSuffix(f.URL, "/") + link
	}
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", fmt.Errorf("message: a link of %d characters is no web address", len(link)) // not shown: it may hold a token
	}
	return u.String(), nil
}

// page is a letter before it is text or HTML; it is everything letter.html may
// use.
type page struct {
	Language  locale.Language
	Subject   string
	Lead      string
	Code      string
	Scan      [][]run // a code to scan
	Taps      []tap
	Rows      []row
	Notes     []string
	Button    string // what Link is called
	Link      string
	Foot      []string
	StopLabel string
	Stop      string
}

type row struct{ Label, Value string }

// writer puts one letter together.
type writer struct {
	l    locale.Language
	f    Facts
	from From
	zone *time.Location
	line string
	link string
	stop string
	page page
}

func (w *writer) say(key string, args locale.Args) string { return book.Say(w.l, key, args) }

func (w *writer) subject(key string, args locale.Args) { w.page.Subject = w.say(key, args) }

func (w *writer) lead(key string, args locale.Args) { w.page.Lead = w.say(key, args) }

func (w *writer) note(key string, args locale.Args) {
	w.page.Notes = append(w.page.Notes, w.say(key, args))
}

// reason adds the sentence for a word that another package chose, if there is one.
func (w *writer) reason(under, word string) {
	if word != "" && book.Has(under+word) {
		w.note(under+word, nil)
	}
}

func (w *writer) button(key string) {
	if w.link != "" {
		w.page.Button, w.page.Link = w.say(key, nil), w.link
	}
}

// row adds a line of the table, unless its value is unknown.
func (w *writer) row(key, value string) {
	if value != "" {
		w.page.Rows = append(w.page.Rows, row{w.say(key, nil), value})
	}
}

func (w *writer) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return locale.Moment(w.l, t, w.zone)
}

// end says until when something lasts that ends at t, exclusive. What ends with a day
// ends at 23:59 of it, as pages say: at 00:00 people read the day after.
func (w *writer) end(t time.Time) string {
	if local := t.In(w.zone); !t.IsZero() && local.Hour() == 0 && local.Minute() == 0 && local.Second() == 0 {
		t = calendar.LastSecond(t)
	}
	return w.moment(t)
}

func (w *writer) money(m money.Money) string {
	if m.Currency == "" {
		return ""
	}
	return locale.Money(w.l, m)
}

// tool names a way to pay; empty for one that has no name.
func (w *writer) tool(rail string) string {
	if rail == "" || !book.Has("tool."+rail) {
		return ""
	}
	return w.say("tool."+rail, nil)
}

// lineName says which line is meant, in words that fit any sentence.
func (w *writer) lineName() string {
	name, four := tidy(w.f.LineName), tidy(w.f.LineLastFour)
	switch {
	case name != "" && four != "":
		return w.say("line.named", locale.Args{"name": name, "four": four})
	case name != "":
		return name
	case four != "":
		return w.say("line.number", locale.Args{"four": four})
	}
	return w.say("line.unnamed", nil)
}

// left is what is left of the allowance, never more than there is.
func (w *writer) left() string {
	if w.f.Left == nil {
		return ""
	}
	gb := w.f.GB
	if gb != 1<<30 {
		gb = 1e9
	}
	left := locale.DataLeft(w.l, *w.f.Left, gb)
	if w.f.AsOf.IsZero() {
		return left
	}
	return w.say("row.left_as_of", locale.Args{"left": left, "time": w.moment(w.f.AsOf)})
}

func (w *writer) offer() string {
	offer, price := tidy(w.f.OfferName), w.money(w.f.OfferPrice)
	if offer == "" || price == "" {
		return offer
	}
	return w.say("row.offer_priced", locale.Args{"offer": offer, "price": price})
}

// letter writes the page in both forms.
func (w *writer) letter() (Letter, error) {
	p := &w.page
	p.Language = w.l
	p.Foot = append(p.Foot, w.say("foot.automatic", locale.Args{"seller": w.from.Seller}))
	if contact := tidy(w.from.Contact); contact != "" {
		p.Foot = append(p.Foot, w.say("foot.contact", locale.Args{"contact": contact}))
	}
	headers := map[string]string{}
	if w.stop != "" {
		p.StopLabel, p.Stop = w.say("foot.stop", nil), w.stop
		headers["List-Unsubscribe"] = "<" + w.stop + ">"
		headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click" // RFC 8058
	}
	var html bytes.Buffer
	if err := sheet.Execute(&html, p); err != nil {
		return Letter{}, fmt.Errorf("message: write: %w", err)
	}
	return Letter{
		Language: w.l, Subject: p.Subject, Text: w.text(), HTML: html.String(), Link: p.Link, Headers: headers,
	}, nil
}

// text writes the page as plain text: paragraphs with an empty line between.
func (w *writer) text() string {
	p := w.page
	parts := []string{p.Lead}
	if p.Code != "" {
		parts = append(parts, p.Code)
	}
	var rows []string
	for _, r := range p.Rows {
		rows = append(rows, w.say("row", locale.Args{"label": r.Label, "value": r.Value}))
	}
	if len(rows) > 0 {
		parts = append(parts, strings.Join(rows, "\n"))
	}
	for _, t := range p.Taps {
		parts = append(parts, strings.TrimSpace(w.say("row", locale.Args{"label": t.Name, "value": ""}))+"\n"+t.To)
	}
	parts = append(parts, p.Notes...)
	if p.Link != "" {
		parts = append(parts, strings.TrimSpace(w.say("row", locale.Args{"label": p.Button, "value": ""}))+"\n"+p.Link)
	}
	foot := append([]string{"--"}, p.Foot...)
	if p.Stop != "" {
		foot = append(foot, w.say("row", locale.Args{"label": p.StopLabel, "value": p.Stop}))
	}
	return strings.Join(append(parts, strings.Join(foot, "\n")), "\n\n") + "\n"
}

// zoneOf is where z's clocks are. A message in UTC is better than none.
func zoneOf(z calendar.Zone) *time.Location {
	if z == "" {
		return time.UTC
	}
	loc, err := z.Location()
	if err != nil {
		return time.UTC
	}
	return loc
}

// tidy makes a name that somebody typed fit a sentence and a header: one line,
// nothing invisible that changes what is read, and not too long.
func tidy(s string) string { return tidyTo(s, maxName) }

func tidyTo(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == '\ufeff', r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > most {
		s = strings.TrimSpace(string(runes[:most-1])) + "…"
	}
	return s
}
