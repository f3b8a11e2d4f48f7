package linepaysim

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"
)

// Where the pages are, below PageBase. The app's page stands for what opens on
// the customer's phone; both are the same page.
const (
	webPage      = "/web/payment/wait"
	reserveParam = "transactionReserveId"
	appPage      = "/app/payment/"
)

// page is everything the template may use.
type page struct {
	Title   string
	Amount  string
	Tools   []pageTool
	Message string
	Back    string // where the way back leads, "" if there is none
}

type pageTool struct{ Name, Label string }

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>LINE Pay (simulated)</title>
<style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff;overflow-wrap:anywhere}
.sim{background:#fff3c4;border:1px solid #8a6d00;padding:.5rem}
.amount{font-size:1.75rem;font-weight:bold;margin:.5rem 0}
label{display:block;margin:1rem 0 .25rem}
select,button{font:inherit;width:100%;min-height:2.75rem;margin:.25rem 0}
button{background:#0b5;border:0;color:#000;font-weight:bold}
button.no{background:#eee}
[role=alert]{border-left:.25rem solid #b00020;padding:.25rem .75rem}
</style>
<main>
<p class="sim">This is a simulated LINE Pay. No money moves; type no real password here.</p>
<h1>{{.Title}}</h1>
{{with .Amount}}<p class="amount">{{.}}</p>{{end}}
{{with .Message}}<p role="alert">{{.}}</p>
{{end}}{{if .Tools}}<form method="post">
<label for="tool">Pay with</label>
<select id="tool" name="tool">{{range .Tools}}
<option value="{{.Name}}">{{.Label}}</option>{{end}}
</select>
<button id="pay" name="do" value="pay">Pay {{.Amount}}</button>
<button id="decline" name="do" value="decline" class="no">Pay with a card that its bank refuses</button>
<button id="giveup" name="do" value="giveup" class="no">Cancel</button>
</form>
{{end}}{{with .Back}}<p><a id="back" href="{{.}}">Back to the shop</a></p>
{{end}}</main>
`))

// Pages serves the customer's page. Mount it where PageBase points, with the
// prefix stripped.
func (s *Sim) Pages() http.Handler { return http.HandlerFunc(s.servePage) }

func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) {
	reserve, inApp := strings.CutPrefix(r.URL.Path, appPage)
	if r.URL.Path == webPage {
		reserve = r.URL.Query().Get(reserveParam)
	} else if !inApp {
		http.NotFound(w, r)
		return
	}
	do, tool := "", ""
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
		do, tool = r.PostFormValue("do"), r.PostFormValue("tool")
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	v, redirect, status := s.visit(reserve, do, tool)
	if redirect != "" {
		http.Redirect(w, r, redirect, http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the customer has left; that is their affair
}

// visit lets the customer act and says what they see then: the page, or another
// place.
func (s *Sim) visit(reserve, do, tool string) (v page, redirect string, status int) {
	s.enter()
	defer s.mu.Unlock()
	p := s.byReserve[reserve]
	if p == nil {
		return page{Title: "No such page"}, "", http.StatusNotFound
	}
	if s.phase(p) == waiting {
		switch do {
		case "pay", "decline":
			if do == "decline" {
				tool = "declined"
			}
			if err := s.agree(p, tool); err != nil {
				v.Message = "This cannot be used here. Choose something else; you have not paid."
				break
			}
			return page{}, p.back(p.confirmURL), 0
		case "giveup":
			p.cancelledAt = s.now
			return page{}, p.back(p.cancelURL), 0
		}
	}
	v.Title, v.Amount = p.title(), string(s.cfg.Currency)+" "+s.number(p.amount).String()
	s.furnish(p, &v)
	return v, "", http.StatusOK
}

// furnish puts on the page what the payment's phase allows.
func (s *Sim) furnish(p *payment, v *page) {
	switch s.phase(p) {
	case waiting:
		for _, name := range offered {
			v.Tools = append(v.Tools, pageTool{name, tools[name].label})
		}
	case approved, authorised, captured:
		v.Message, v.Back = "You have agreed to this payment.", p.back(p.confirmURL)
	case lapsed:
		v.Message, v.Back = "This page has expired. You have not paid.", p.back(p.cancelURL)
	case cancelled:
		v.Message, v.Back = "You have cancelled. You have not paid.", p.back(p.cancelURL)
	case failed:
		v.Message, v.Back = "Your bank has refused. You have not paid.", p.back(p.confirmURL)
	case unheard, voided, released:
		v.Message = "There is nothing to pay any more."
	}
}
