package alipaysim

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// cashierPage is everything a page may use.
type cashierPage struct {
	Title  string
	Amount string
	ID     string // "" where nothing can be done
	Login  bool   // there is no trade yet
	Alert  string
	Done   string
	Leave  bool
}

var cashierTemplate = template.Must(template.New("cashier").Parse(`<!doctype html>
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
<p class="sim">This is a simulated Alipay page. No money moves; type no real password here.</p>
<h1>{{.Title}}</h1>
{{with .Amount}}<p class="amount">{{.}}</p>
{{end}}{{with .Alert}}<p role="alert">{{.}}</p>
{{end}}{{with .Done}}<p role="status">{{.}}</p>
{{end}}{{if .ID}}<form method="post">
<button id="pay" name="do" value="pay">Pay {{.Amount}}</button>
<button id="decline" name="do" value="decline">Pay with a card that is declined</button>
{{if .Login}}<button id="login" name="do" value="login">Log in only</button>
{{end}}{{if .Leave}}<button id="giveup" name="do" value="giveup">Give up, back to the shop</button>
{{end}}</form>
{{end}}</main>
`))

// Pages is what a browser or a phone opens: /gateway.do for links only,
// /cashier/{id}, and /qr/{id}, which is what the phone shows after scanning.
func (s *Sim) Pages() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == gatewayPath {
			params, alien, err := readForm(w, r)
			if err != nil || !isLink(params) {
				http.NotFound(w, r)
				return
			}
			s.enter()
			defer s.mu.Unlock()
			s.serveLink(w, r, params, alien)
			return
		}
		s.servePage(w, r)
	})
}

// isLink reports whether a request is for a browser.
func isLink(params url.Values) bool {
	m := product(params.Get("method"))
	return m == pagePay || m == wapPay
}

// follow is a browser that opens a signed link.
func (s *Sim) follow(params url.Values, alien bool) (*offer, *failure) {
	m, bad := findMethod(params)
	if bad != nil {
		return nil, bad
	}
	c, bad := s.check(m, params, alien)
	if bad != nil {
		return nil, bad
	}
	o, bad := s.order(c)
	if bad != nil {
		return nil, bad
	}
	s.show(o)
	return o, nil
}

func (s *Sim) serveLink(w http.ResponseWriter, r *http.Request, params url.Values, alien bool) {
	o, bad := s.follow(params, alien)
	if bad == nil {
		http.Redirect(w, r, s.cfg.PageBase+"/cashier/"+o.id, http.StatusFound)
		return
	}
	code := bad.sub
	if _, rest, ok := strings.Cut(code, "isv."); ok {
		code = rest
	}
	write(w, cashierPage{Title: "Alipay", Alert: "Something is wrong with this link. Go back to the shop and try again. Code " + code + ": " + bad.detail})
}

func write(w http.ResponseWriter, p cashierPage) {
	var b bytes.Buffer
	if err := cashierTemplate.Execute(&b, p); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = b.WriteTo(w) // the customer has left; that is their affair
}

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
	id, isCashier := strings.CutPrefix(r.URL.Path, "/cashier/")
	code, isCode := strings.CutPrefix(r.URL.Path, "/qr/")
	s.enter()
	defer s.mu.Unlock()
	o := s.offers[id]
	if isCode {
		o = s.offers[code]
	}
	if o == nil || isCode != (o.product == precreate) || isCashier == isCode {
		http.NotFound(w, r)
		return
	}
	page, to := s.visit(o, do)
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	write(w, page)
}

// visit lets the customer act and says what they see then: a page, or another
// place.
func (s *Sim) visit(o *offer, do string) (p cashierPage, to string) {
	p = cashierPage{Title: o.subject, Amount: "CNY " + yuan(o.total), ID: o.id, Leave: o.leaveURL != ""}
	s.newest[o.ref] = o
	if do == "giveup" && p.Leave {
		return p, o.leaveURL
	}
	t, err := s.trades[o.ref], error(nil)
	if t == nil && !o.open(s.now) {
		err = ErrNotPayable
	}
	switch {
	case t != nil && !t.paidAt.IsZero() && t.agrees(o):
		return s.thanks(p, o, t)
	case do == "pay":
		if t, err = s.pay(o); err == nil {
			return s.thanks(p, o, t)
		}
	case do == "decline":
		if _, err = s.login(o); err == nil {
			err = ErrDeclined
		}
	case do == "login" || o.product == precreate || t != nil:
		_, err = s.login(o)
	}
	p.Login = s.trades[o.ref] == nil
	switch {
	case err == nil:
	case errors.Is(err, ErrDeclined):
		p.Alert = "Your bank declined the payment. You were not charged. Try again or choose another way to pay."
	default:
		p.ID, p.Alert = "", "This order is closed or has changed. You were not charged."
	}
	return p, ""
}

// thanks is where a customer ends who has paid.
func (s *Sim) thanks(p cashierPage, o *offer, t *trade) (cashierPage, string) {
	p.ID, p.Done = "", "Paid. You can go back to the shop."
	u, err := url.Parse(o.returnURL)
	if err != nil || o.returnURL == "" || o.product == precreate {
		return p, ""
	}
	q := s.returned(o, t).Encode()
	if u.RawQuery != "" {
		q = u.RawQuery + "&" + q
	}
	u.RawQuery = q
	return p, u.String()
}
