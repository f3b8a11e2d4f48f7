package wechatpaysim

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Where the pages are: what the phone shows after scanning or opening a sheet,
// and where an h5_url leads.
const (
	payPath = "/pay/"
	h5Path  = "/cgi-bin/mmpayweb-bin/checkmweb"
)

// Pages serves the customer's pages alone, for a server on which the API has no
// business. Mount it where PageBase points, with the prefix stripped.
func (s *Sim) Pages() http.Handler { return http.HandlerFunc(s.servePage) }

// phonePage is everything the page may use.
type phonePage struct {
	Title  string
	Amount string
	Tools  []pageTool
	Alert  string
	Note   string
	Open   bool // it can be paid
}

type pageTool struct{ Name, Label string }

var phoneTemplate = template.Must(template.New("phone").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}} (simulated)</title>
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
<p class="sim">This is a simulated WeChat Pay. No money moves.</p>
<h1>{{.Title}}</h1>
{{with .Amount}}<p class="amount">{{.}}</p>
{{end}}{{with .Alert}}<p role="alert">{{.}}</p>
{{end}}{{with .Note}}<p role="status">{{.}}</p>
{{end}}{{if .Open}}<form method="post">
<label for="tool">Pay with</label>
<select id="tool" name="tool">{{range .Tools}}
<option value="{{.Name}}">{{.Label}}</option>{{end}}
</select>
<button id="pay" name="do" value="pay">Pay {{.Amount}}</button>
<button id="decline" name="do" value="decline" class="no">Let it be refused</button>
<button id="giveup" name="do" value="giveup" class="no">Close without paying</button>
</form>
{{end}}</main>
`))

func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) {
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
	page, redirect, status := s.visit(r, do, tool)
	if redirect != "" {
		http.Redirect(w, r, redirect, http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := phoneTemplate.Execute(&b, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the customer has left; that is their affair
}

// visit lets the customer act and says what they see then: a page, or the shop
// again.
func (s *Sim) visit(r *http.Request, do, chosen string) (page phonePage, redirect string, status int) {
	s.enter()
	defer s.mu.Unlock()
	ticket, scanned := strings.CutPrefix(r.URL.Path, payPath)
	if !scanned && r.URL.Path == h5Path {
		ticket = r.URL.Query().Get("prepay_id")
	}
	o := s.byTicket[ticket]
	if o == nil || scanned == (o.kind == mweb) {
		return phonePage{Title: "No such page"}, "", http.StatusNotFound
	}
	page = phonePage{Title: o.description, Amount: "CNY " + fen(o.total).Decimal()}
	for _, t := range offered {
		page.Tools = append(page.Tools, pageTool{t.name, t.label})
	}
	back := ""
	if o.kind == mweb {
		var wrong string
		if back, wrong = s.way(r); wrong != "" {
			page.Alert = wrong
			return page, "", http.StatusOK
		}
	}
	if page.Alert = s.obstacle(o, ticket); page.Alert != "" {
		if state := o.stateAt(s.now); state == success || state == inRefund {
			page.Alert, page.Note = "", "This order is paid."
		}
		return page, "", http.StatusOK
	}
	page.Open = true
	i := slices.IndexFunc(offered, func(t tool) bool { return t.name == chosen })
	switch {
	case do == "pay" && i >= 0:
		page.Alert = s.try(o, offered[i])
	case do == "decline":
		page.Alert = s.try(o, offered[2])
	case do == "giveup" && back != "":
		return page, back, 0
	case do == "giveup":
		page.Note = "You did not pay."
		return page, "", http.StatusOK
	case do != "":
		page.Alert = "Choose how to pay."
		return page, "", http.StatusBadRequest
	default:
		return page, "", http.StatusOK
	}
	if page.Alert != "" {
		return page, "", http.StatusOK
	}
	if back != "" {
		return page, back, 0
	}
	page.Open, page.Note = false, "Paid. Go back to the shop."
	return page, "", http.StatusOK
}

// way checks how the customer came to an h5_url, and where they go afterwards:
// redirect_url with nothing added, "" without one.
func (s *Sim) way(r *http.Request) (back, wrong string) {
	registered := func(u *url.URL, err error) bool {
		return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && (s.cfg.H5Domain == "" || u.Hostname() == s.cfg.H5Domain)
	}
	back = r.URL.Query().Get("redirect_url")
	if back != "" && !registered(url.Parse(back)) {
		return "", "The shop has parameters that are not configured. Ask the shop."
	}
	if referer := r.Referer(); r.Method != http.MethodPost && (referer != "" || !s.cfg.Local) && !registered(url.Parse(referer)) {
		return "", "The shop's parameters are wrong. Ask the shop."
	}
	return back, ""
}
