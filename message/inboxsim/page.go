package inboxsim

import (
	"bytes"
	_ "embed" // the page
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// maxShown is how many letters the page shows, newest first.
const maxShown = 50

//go:embed inbox.html
var inboxHTML string

// inboxPage is everything inbox.html may use.
type inboxPage struct {
	Channel string
	To      string // only letters to this address; empty: all
	Letters []shownLetter
	More    int // letters that are kept and not shown
}

type shownLetter struct {
	ID      string
	To      string
	At      string
	Subject string
	Text    []span
	Frame   template.HTML // a sandboxed frame with the letter's HTML; empty without
	Link    string
	Times   int
}

// span is a piece of plain text, or an address in it.
type span struct {
	Text string
	Link bool
}

// policy lets the page and the frames in it show text and their own styles and
// do nothing else: no script, no image, no form, no request.
const policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

// Handler shows the inbox, newest letters first. The query ?to=address shows
// one person's letters. What a letter says is shown as text, and its HTML in a
// frame that can do nothing but open links.
func (in *Inbox) Handler() http.Handler {
	page := template.Must(template.New("inbox").Parse(inboxHTML))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var buf bytes.Buffer
		if err := page.Execute(&buf, in.page(r.URL.Query().Get("to"))); err != nil {
			http.Error(w, "The simulated inbox cannot be shown.", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer") // links hold tokens
		h.Set("Cache-Control", "no-store")
		_, _ = buf.WriteTo(w) // the reader has left; nothing to do about it
	})
}

func (in *Inbox) page(to string) inboxPage {
	p := inboxPage{Channel: string(in.Channel()), To: to}
	kept := in.Letters()
	if to != "" {
		kept = in.To(to)
	}
	slices.Reverse(kept)
	if len(kept) > maxShown {
		p.More = len(kept) - maxShown
		kept = kept[:maxShown]
	}
	for _, k := range kept {
		l := shownLetter{
			ID: k.ID, To: k.To.Value, Subject: k.Subject, Text: spans(k.Text), Link: k.Link, Times: k.Times,
		}
		if k.HTML != "" {
			l.Frame = frame(k.HTML)
		}
		if !k.At.IsZero() {
			l.At = k.At.UTC().Format(time.RFC3339)
		}
		p.Letters = append(p.Letters, l)
	}
	return p
}

// frame shows a letter's HTML where it can do nothing. The templates cannot
// write the attribute srcdoc: they take the tags out of what is HTML, and
// escape twice what is not.
func frame(html string) template.HTML {
	const open = `<iframe sandbox="allow-top-navigation-by-user-activation allow-popups" title="The letter" srcdoc="`
	return template.HTML(open + template.HTMLEscapeString(`<base target="_top">`+html) + `"></iframe>`)
}

var address = regexp.MustCompile(`https?://[^\s<>"'()。、，！？]+`)

// spans finds the addresses in a plain text.
func spans(text string) []span {
	var out []span
	for {
		at := address.FindStringIndex(text)
		if at == nil {
			return append(out, span{Text: text})
		}
		out = append(out, span{Text: text[:at[0]]}, span{Text: text[at[0]:at[1]], Link: true})
		text = text[at[1]:]
	}
}
