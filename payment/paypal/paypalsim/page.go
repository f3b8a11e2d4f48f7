package paypalsim

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
)

const pagePath = "/checkoutnow"

// payPage is everything the page may use.
type payPage struct {
	Title, Amount, Alert string
	Tools                []pageTool
	Notice               string // what is agreed by paying
	Cancel               string // where giving up leads, "" if nowhere
}

type pageTool struct {
	Name  Tool
	Label string
}

// offered is what the page lets the customer choose, in this order.
var offered = []pageTool{
	{Balance, "PayPal balance"},
	{ECheck, "Bank account, arrives in some days"},
	{CardRefused, "Card, refused here"},
	{DeclinedLater, "Card, refused when the shop takes the money"},
	{Denied, "Card, denied for good"},
}

var payTemplate = template.Must(template.New("pay").Parse(`<!doctype html>
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
button{background:#ffc439;border:0;color:#000;font-weight:bold}
button.no{background:#eee}
[role=alert]{border-left:.25rem solid #b00020;padding:.25rem .75rem}
</style>
<main>
<p class="sim">This is a simulated PayPal page. Nothing is charged; sign in nowhere here.</p>
<h1>{{.Title}}</h1>
{{with .Amount}}<p class="amount">{{.}}</p>
{{end}}{{with .Alert}}<p role="alert">{{.}}</p>
{{end}}{{with .Tools}}<form method="post">
<label for="tool">Pay with</label>
<select id="tool" name="tool">{{range .}}
<option value="{{.Name}}">{{.Label}}</option>{{end}}
</select>
{{with $.Notice}}<p class="notice">{{.}}</p>
{{end}}<button id="pay" name="do" value="pay">Pay</button>
<button id="decline" name="do" value="decline" class="no">Pay with what will be refused</button>
</form>
{{end}}{{with .Cancel}}<p><a id="cancel" href="{{.}}">Cancel and return to the shop</a></p>
{{end}}</main>
`))

// Pages serves the page on which the customer approves. Mount it where
// Config.PageBase points, with the prefix stripped.
func (s *Sim) Pages() http.Handler { return http.HandlerFunc(s.servePage) }

func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) {
	do, tool := "", Tool("")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
		do, tool = r.PostFormValue("do"), Tool(r.PostFormValue("tool"))
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path != pagePath {
		http.NotFound(w, r)
		return
	}
	page, back, status := s.visit(r.URL.Query().Get("token"), do, tool)
	if back != "" {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := payTemplate.Execute(&b, page); err != nil {
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
func (s *Sim) visit(id, do string, tool Tool) (page payPage, back string, status int) {
	s.enter()
	defer s.mu.Unlock()
	o := s.orders[id]
	if o == nil {
		return payPage{Title: "No such payment"}, "", http.StatusNotFound
	}
	shop := o.wish("brand_name")
	if shop == "" {
		shop = "Payment"
	}
	amount := amountOf(o.units, o.currency)
	page = payPage{Title: shop, Amount: o.currency + " " + amount["value"].(string)}
	if !o.waits() {
		page.Alert = "Things don't appear to be working: this payment is finished, or its time is over."
		return page, "", http.StatusOK
	}
	s.open(o)
	page.Tools, page.Cancel = offered, with(o.wish("cancel_url"), url.Values{"token": {o.id}})
	if o.wantsSaving() {
		page.Notice = "You allow the shop to charge your PayPal account later, too."
	}
	if o.declined {
		page.Alert = "What you chose was refused. Choose something else."
	}
	if do == "decline" {
		tool = DeclinedLater
	}
	if do == "pay" || do == "decline" {
		added, err := s.approve(o, tool)
		if err == nil && o.wish("return_url") != "" {
			return page, with(o.wish("return_url"), added), http.StatusSeeOther
		}
		if err == nil {
			page.Alert, page.Tools = "You approved this payment. Return to the shop.", nil
		}
		if errors.Is(err, ErrRefused) {
			page.Alert = "That was refused. Choose something else."
		}
	}
	return page, "", http.StatusOK
}

// with adds parameters to an address that may have some already.
func with(address string, added url.Values) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return address // it was parsed when the order was made
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += added.Encode()
	return u.String()
}
