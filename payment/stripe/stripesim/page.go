package stripesim

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

// Pages serves the hosted pages alone, for a server on which the API has no
// business. Mount it where PageBase points, with the prefix stripped.
func (s *Sim) Pages() http.Handler { return http.HandlerFunc(s.servePage) }

// cardPage is everything the page may use.
type cardPage struct {
	Title   string
	Amount  string
	Items   []string
	Tools   []pageTool
	Save    bool   // the box for saving the card
	Notice  string // what is agreed by paying
	Message string
	Asks    bool   // the step at the customer's bank
	Back    string // where the way back leads, "" if there is none
	Done    bool   // nothing can be done here any more
}

type pageTool struct{ Name, Label string }

// offered is what the page lets the customer choose, in this order.
var offered = []pageTool{
	{"pm_card_visa", "4242 4242 4242 4242, accepted"},
	{"pm_card_authenticationRequired", "4000 0027 6000 3184, asks for 3-D Secure"},
	{"pm_card_chargeDeclined", "4000 0000 0000 0002, declined"},
	{"pm_card_chargeDeclinedInsufficientFunds", "4000 0000 0000 9995, insufficient funds"},
	{"alipay", "Alipay"},
	{"wechat_pay", "WeChat Pay"},
	{"paypay", "PayPay"},
	{"paypal", "PayPal"},
	{"konbini", "Convenience store slip"},
}

var cardTemplate = template.Must(template.New("card").Parse(`<!doctype html>
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
<p class="sim">This is a simulated card page. No card is charged; type no real card here.</p>
<h1>{{.Title}}</h1>
{{with .Amount}}<p class="amount">{{.}}</p>{{end}}
{{range .Items}}<p class="item">{{.}}</p>
{{end}}{{with .Message}}<p role="alert">{{.}}</p>
{{end}}{{if .Asks}}<form method="post">
<button id="approve" name="do" value="approve">Yes, it is me</button>
<button id="fail" name="do" value="fail" class="no">No</button>
</form>
{{else if not .Done}}<form method="post">
<label for="tool">Card</label>
<select id="tool" name="tool">{{range .Tools}}
<option value="{{.Name}}">{{.Label}}</option>{{end}}
</select>
{{if .Save}}<label><input type="checkbox" id="save" name="save" value="yes"> Save my card for the next time</label>
{{end}}{{with .Notice}}<p class="notice">{{.}}</p>
{{end}}<button id="pay" name="do" value="pay">Pay {{.Amount}}</button>
</form>
{{end}}{{with .Back}}<p><a id="cancel" href="{{.}}">Back to the shop</a></p>
{{end}}</main>
`))

// servePage shows /pay/{id} and takes what the customer does there: id is a
// session's, or that of an intent whose customer must authenticate.
func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/pay/")
	do, tool, save := "", "", false
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
		do, tool, save = r.PostFormValue("do"), r.PostFormValue("tool"), r.PostFormValue("save") == "yes"
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	page, redirect, status := s.visit(id, do, tool, save)
	if redirect != "" {
		http.Redirect(w, r, redirect, http.StatusSeeOther)
		return
	}
	var b bytes.Buffer
	if err := cardTemplate.Execute(&b, page); err != nil {
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
func (s *Sim) visit(id, do, tool string, save bool) (page cardPage, redirect string, status int) {
	s.enter()
	defer s.mu.Unlock()
	cs := s.session(id)
	p := s.intent(id)
	if cs != nil {
		p = cs.intent
	}
	if cs == nil && (p == nil || p.session != nil) {
		return cardPage{Title: "No such page", Done: true}, "", http.StatusNotFound
	}
	var shown Shown
	var err error
	switch {
	case do == "pay" && cs != nil && !p.asks():
		shown, err = s.submit(cs, tool, save)
	case (do == "approve" || do == "fail") && p.asks():
		shown = s.authenticated(p, do == "approve")
	case cs != nil:
		shown = s.shown(cs)
	default:
		shown = s.shownFor(p)
	}
	if err != nil {
		shown.Message = "Choose one of the cards."
	}
	if cs == nil {
		page = cardPage{Title: p.description, Amount: priceTag(p.amount, p.currency), Done: true}
	} else {
		page = s.pageOf(cs)
	}
	if cs != nil {
		p = cs.intent // made by the first try
	}
	page.Message, page.Asks = shown.Message, p.asks()
	if page.Title == "" {
		page.Title = "Payment"
	}
	return page, shown.Redirect, http.StatusOK
}

func (s *Sim) pageOf(cs *session) cardPage {
	v := cardPage{Title: cs.items[0].name, Amount: priceTag(cs.amount, cs.currency), Back: cs.cancelURL, Done: cs.status != "open"}
	if len(cs.items) > 1 {
		for _, it := range cs.items {
			v.Items = append(v.Items, digits(it.quantity)+" × "+it.name+", "+priceTag(it.unit, it.currency))
		}
	}
	for _, m := range s.offeredTo(cs) {
		v.Tools = append(v.Tools, pageTool{m.id, "Saved " + m.tool.brand + " •••• " + m.tool.last4})
	}
	v.Save = cs.asksToSave()
	if cs.forIntent.futureUse == "off_session" {
		v.Notice = "By paying, you allow the shop to charge this card for future payments."
	}
	for _, t := range offered {
		if slices.Contains(cs.methods, tools[t.Name].kind) {
			v.Tools = append(v.Tools, t)
		}
	}
	return v
}

func priceTag(amount int64, currency string) string {
	return upper(currency) + " " + decimal(amount, currency)
}
