package antomsim

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"strings"
)

// walletPage is everything a page may use.
type walletPage struct {
	Title   string
	Amount  string
	Method  string
	Alert   string
	Done    string
	Payable bool
	Back    string // the shop
}

var walletTemplate = template.Must(template.New("wallet").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{.Title}} (simulated)</title>
<style>
body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff;overflow-wrap:anywhere}
.sim{background:#fff3c4;border:1px solid #8a6d00;padding:.5rem}
.amount{font-size:1.75rem;font-weight:bold;margin:.5rem 0}
button{font:inherit;width:100%;min-height:2.75rem;margin:.25rem 0;background:#eee;border:0;color:#000}
#pay{background:#69b1ff;font-weight:bold}
[role=alert]{border-left:.25rem solid #b00020;padding:.25rem .75rem}
</style>
<main>
<p class="sim">This is a simulated page of {{.Method}} through Antom. No money moves; type no real password here.</p>
<h1>{{.Title}}</h1>
<p class="amount">{{.Amount}}</p>
{{with .Alert}}<p role="alert">{{.}}</p>
{{end}}{{with .Done}}<p role="status">{{.}}</p>
{{end}}{{if .Payable}}<form method="post">
<button id="pay" name="do" value="pay">Pay {{.Amount}}</button>
<button id="later" name="do" value="later">Pay with money that comes later</button>
<button id="decline" name="do" value="decline">Be declined</button>
<button id="stumble" name="do" value="stumble">Try a card that is refused</button>
<button id="giveup" name="do" value="giveup">Give up, back to the shop</button>
</form>
{{else if .Back}}<p><a href="{{.Back}}">Back to the shop</a></p>
{{end}}</main>
`))

// Pages is what a browser or a phone opens: /cashier/{page}, /applink/{page},
// and /code/{page}, which is what the phone shows after scanning. Mount it
// where PageBase points, with the prefix stripped.
func (s *Sim) Pages() http.Handler { return http.HandlerFunc(s.servePage) }

func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) {
	do := ""
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
		do = r.PostFormValue("do")
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	kind, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.enter()
	defer s.mu.Unlock()
	p := s.byPage[id]
	if p == nil || kind != "cashier" && kind != "applink" && kind != "code" {
		http.NotFound(w, r)
		return
	}
	page, leave := s.visit(p, do)
	if leave && kind != "code" { // who scanned has the shop on another screen
		http.Redirect(w, r, p.backURL, http.StatusSeeOther)
		return
	}
	if kind == "code" {
		page.Back = ""
	}
	var b bytes.Buffer
	if err := walletTemplate.Execute(&b, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = b.WriteTo(w) // the customer has left; that is their affair
}

var errStumbled = errors.New("antomsim: the card is refused")

// visit lets the customer act and says what they see then, and whether they
// leave for the shop.
func (s *Sim) visit(p *payment, do string) (page walletPage, leave bool) {
	_, err := s.payable(p)
	if err == nil {
		switch do {
		case "pay":
			err = s.approve(p)
			leave = err == nil
		case "later":
			s.promise(p)
			leave = true
		case "decline":
			s.fail(p, "USER_BALANCE_NOT_ENOUGH", s.now)
			err = ErrDeclined
		case "stumble":
			err = errStumbled
		case "giveup":
			leave = true
		}
	}
	page = walletPage{Title: p.title, Amount: string(p.amount.Currency) + " " + p.amount.Decimal(), Method: p.method, Back: p.backURL}
	page.Payable = p.status(s.now) == processing
	switch {
	case errors.Is(err, ErrDeclined):
		page.Alert = "Your balance is too low. You were not charged. Go back to the shop and choose another way to pay."
	case errors.Is(err, errStumbled):
		page.Alert = "This card was refused. You were not charged. Try again or choose another card."
	case p.status(s.now) == succeeded:
		page.Done = "Paid. You can go back to the shop."
	case p.status(s.now) == pending:
		page.Done = "Your payment is on its way. You can go back to the shop."
	case err != nil:
		page.Alert = "This payment is closed. You were not charged. Go back to the shop and try again."
	}
	return page, leave
}
