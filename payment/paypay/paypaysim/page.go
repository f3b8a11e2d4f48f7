package paypaysim

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

// Pages serves the customer's pages, /pay/{codeId}: what the phone shows after
// scanning. Mount it where PageBase points, with the prefix stripped.
func (s *Sim) Pages() http.Handler { return http.HandlerFunc(s.servePage) }

// codePage is everything the page may use.
type codePage struct {
	Title   string
	Yen     int64
	Tools   []pageTool
	Message string
	Payable bool
}

type pageTool struct{ Name, Label string }

// offered is what the customer may pay with, by the names in paymentMethods.
var offered = []pageTool{
	{"WALLET", "Balance"},
	{"POINT", "Points"},
	{"CREDIT_CARD", "Credit card"},
	{"PAY_LATER_CC", "Pay later"},
}

// What the page says when the customer cannot go on.
const (
	saysRefused = "Your balance is too low. Choose another way to pay, or top up."
	saysGone    = "This code cannot be used any more. Ask the shop for a new one."
	saysPaid    = "You have said yes to this payment."
	saysChoose  = "Choose one of the ways to pay."
)

var codeTemplate = template.Must(template.New("code").Parse(`<!doctype html>
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
button{background:#fc3;border:0;color:#000;font-weight:bold}
button.no{background:#eee}
[role=alert]{border-left:.25rem solid #b00020;padding:.25rem .75rem}
</style>
<main>
<p class="sim">This is a simulated PayPay screen. Nobody is charged.</p>
<h1>{{.Title}}</h1>
{{with .Yen}}<p class="amount">JPY {{.}}</p>
{{end}}{{with .Message}}<p role="alert">{{.}}</p>
{{end}}{{if .Payable}}<form method="post">
<label for="tool">Pay with</label>
<select id="tool" name="tool">{{range .Tools}}
<option value="{{.Name}}">{{.Label}}</option>{{end}}
</select>
<button id="pay" name="do" value="pay">Pay JPY {{.Yen}}</button>
<button id="decline" name="do" value="decline" class="no">Pay with too low a balance</button>
<button id="giveup" name="do" value="giveup" class="no">Back to the shop</button>
</form>
{{end}}</main>
`))

func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) {
	codeID, ok := strings.CutPrefix(r.URL.Path, "/pay/")
	if !ok {
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
	page, redirect, status := s.visit(codeID, do, tool)
	if redirect != "" {
		http.Redirect(w, r, redirect, http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := codeTemplate.Execute(&b, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the customer has left; that is their affair
}

// visit lets the customer act and says what they see then: a page, or another
// place.
func (s *Sim) visit(codeID, do, tool string) (page codePage, redirect string, status int) {
	s.enter()
	defer s.mu.Unlock()
	p := s.byCode[codeID]
	if p == nil {
		return codePage{Title: "No such code"}, "", http.StatusNotFound
	}
	page = codePage{Title: p.description, Yen: p.yen, Tools: offered, Payable: p.payable(s.now)}
	if page.Title == "" {
		page.Title = "Payment"
	}
	switch {
	case !p.startedAt.IsZero():
		page.Message = saysPaid
		if do != "" { // pressed twice: they go where the first press led
			redirect = p.redirectURL
		}
	case do == "giveup":
		redirect = p.redirectURL
	case !page.Payable:
		page.Message = saysGone
		return page, "", http.StatusGone
	case do == "decline":
		page.Message = saysRefused
	case do == "pay" && !slices.ContainsFunc(offered, func(t pageTool) bool { return t.Name == tool }):
		page.Message = saysChoose
	case do == "pay":
		if errors.Is(s.pay(p, tool), errRefused) {
			page.Message = saysRefused
			break
		}
		page.Message, page.Payable = saysPaid, false
		redirect = p.redirectURL
	}
	return page, redirect, http.StatusOK
}
