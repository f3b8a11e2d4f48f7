package phonesim

import (
	"bytes"
	"html/template"
	"net/http"
	"regexp"
	"slices"
)

// page is all telephones, each with what it has received.
var page = template.Must(template.New("phones").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Telephones</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:2rem auto;padding:0 1rem;background:#1d2733;color:#fff}a{color:#9ecbff}h2{font-size:1.05rem;margin:1.5rem 0 .5rem}article{background:#fff;color:#17202b;border-radius:1rem;padding:.75rem 1rem;margin:.5rem 0;overflow-wrap:anywhere}article a{color:#1d4f91}p{margin:.25rem 0;white-space:pre-line}small{color:#5a6472}</style>
<h1>Telephones</h1>
<p>The SMS that the shop’s gateway has delivered, by number, the newest first. Nothing has left this machine. {{if .Only}}<a href="/sim/phone">All numbers</a> · {{end}}<a href="/sim/notifications">A locked screen with notifications</a> · <a href="/sim/">To the panel</a></p>
{{range .Phones}}<h2><a href="/sim/phone?number={{.Number}}">{{.Number}}</a></h2>
{{range .SMS}}<article id="{{.ID}}" lang="{{.Language}}"><p>{{range .Text}}{{if .Link}}<a href="{{.Text}}" rel="noreferrer">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</p><small>{{.At}}, {{.Parts}} × {{.Alphabet}}{{if gt .Times 1}}, handed over {{.Times}} times{{end}}</small></article>
{{end}}{{else}}<p>Nothing yet.</p>{{end}}
</html>
`))

type pageView struct {
	Only   string
	Phones []telephone
}

type telephone struct {
	Number string
	SMS    []shown
}

type shown struct {
	ID, Language, At, Alphabet string
	Text                       []span
	Parts, Times               int
}

// span is a piece of text, or an address in it.
type span struct {
	Text string
	Link bool
}

// Handler shows the telephones; the query ?number=+81… shows one.
func (b *Bridge) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var buf bytes.Buffer
		if err := page.Execute(&buf, b.view(r.URL.Query().Get("number"))); err != nil {
			http.Error(w, "The simulated telephones cannot be shown.", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer") // links hold tokens
		h.Set("Cache-Control", "no-store")
		_, _ = buf.WriteTo(w) // whoever asked has left; nothing to do about it
	})
}

func (b *Bridge) view(only string) pageView {
	v := pageView{Only: only}
	all := b.All()
	slices.Reverse(all)
	for _, m := range all {
		if only != "" && m.To != only {
			continue
		}
		i := slices.IndexFunc(v.Phones, func(t telephone) bool { return t.Number == m.To })
		if i < 0 {
			i, v.Phones = len(v.Phones), append(v.Phones, telephone{Number: m.To})
		}
		v.Phones[i].SMS = append(v.Phones[i].SMS, shown{
			ID: m.ID, Language: m.Language, At: m.At.UTC().Format("2 Jan 15:04:05 MST"), Alphabet: m.Alphabet, Text: spans(m.Text), Parts: m.Parts, Times: m.Times,
		})
	}
	return v
}

var address = regexp.MustCompile(`https?://[^\s<>"'()。、，！？]+`)

func spans(text string) (out []span) {
	at := 0
	for _, found := range address.FindAllStringIndex(text, -1) {
		out = append(out, span{Text: text[at:found[0]]}, span{Text: text[found[0]:found[1]], Link: true})
		at = found[1]
	}
	return append(out, span{Text: text[at:]})
}
