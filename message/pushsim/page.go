package pushsim

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
)

// page is a telephone whose screen is locked.
var page = template.Must(template.New("phone").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The telephone</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:2rem auto;padding:0 1rem;background:#1d2733;color:#fff}a{color:#9ecbff}article{background:#fff;color:#17202b;border-radius:1rem;padding:.75rem 1rem;margin:.75rem 0}article a{color:#1d4f91}p{margin:.25rem 0;white-space:pre-line}</style>
<h1>The telephone, locked</h1>
<p>What a locked screen shows of the shop’s notifications, the newest first. <a href="/sim/">To the panel</a></p>
{{range .}}<article lang="{{.Lang}}"><b>{{.Title}}</b><p>{{.Text}}</p>{{if .Link}}<a href="{{.Link}}">Tap</a>{{end}}</article>
{{else}}<p>Nothing yet.</p>{{end}}
</html>
`))

// Handler shows what the browsers show.
func (s *Service) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		all := s.All()
		slices.Reverse(all)
		var buf bytes.Buffer
		if err := page.Execute(&buf, all); err != nil {
			http.Error(w, "The simulated telephone cannot be shown.", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
		_, _ = buf.WriteTo(w) // whoever asked has left; nothing to do about it
	})
}
