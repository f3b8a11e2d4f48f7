package portal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
)

// Every route, walked by nobody, by another customer, by somebody who holds a
// link to another line of the same customer, and by those who once were somebody:
// with a link to the line that is over, with the owner's session after it has
// ended by itself, and after it was ended. Nothing leaks, nothing changes.
func TestNobodySeesOrChangesWhatIsNotTheirs(t *testing.T) {
	w := newTown(t)
	owner := w.browser(locale.En).signIn("aiko@example.com")
	quote := owner.quote("fresh", "term/machi-5gb/10d")
	form := owner.confirm(quote, "wallet")
	used := owner.quote("volume", "term/machi-10gb/10gb-15d")
	bought := owner.post("/quotes/"+used, owner.confirm(used, "wallet"))
	_, after, _ := strings.Cut(owner.see(bought).html, `<a href="/bills/`)
	bill, _, _ := strings.Cut(after, `"`)
	several := owner.several(map[string]string{"volume": "term/machi-10gb/10gb-15d", "throttled": "term/machi-5gb/3d"})
	owner.post("/together/review", owner.confirmTogether(several, "card"))
	basket := ""
	for _, o := range w.orders() {
		if o.Basket != "" {
			basket = o.Basket
		}
	}
	expired, ended := w.browser(locale.En).signIn("aiko@example.com").copied(), w.browser(locale.En).signIn("aiko@example.com").copied()
	over := w.browser(locale.En).linkFor("fresh", time.Hour).copied()
	ended.post("/sign-out", nil)
	w.expireSession(expired)
	w.env.Clock.Add(time.Hour)
	asked := owner.post("/cases/new", url.Values{"key": {"k"}, "topic": {"slow"}, "text": {"Aiko's secret"}, "line": {w.lines["fresh"]}})
	of, _, _ := strings.Cut(strings.TrimPrefix(asked, "/cases/"), "?")
	w.deliver()
	_, after, _ = strings.Cut(owner.see("/inbox").html, `href="/inbox/`)
	letter, _, _ := strings.Cut(after, `"`)
	check := owner.papers(t)
	orders, balance := len(w.orders()), w.balance()

	things := map[string][]string{ // by the route, what {id} may be
		"GET /lines/{id}": {w.lines["fresh"]}, "GET /lines/{id}/renew": {w.lines["fresh"]}, "POST /lines/{id}/renew": {w.lines["fresh"]},
		"POST /lines/{id}/stay": {w.lines["fresh"]}, "GET /lines/{id}/cancel": {w.lines["fresh"]}, "POST /lines/{id}/cancel": {w.lines["fresh"]},
		"GET /quotes/{id}": {quote, used}, "POST /quotes/{id}": {quote, used},
		"GET /orders/{id}": {strings.TrimPrefix(bought, "/orders/")}, "GET /orders/{id}/live": {strings.TrimPrefix(bought, "/orders/")}, "POST /orders/{id}/pay": {strings.TrimPrefix(bought, "/orders/")}, "POST /orders/{id}/cancel": {strings.TrimPrefix(bought, "/orders/"), basket},
		"POST /orders/{id}/anew":         {strings.TrimPrefix(bought, "/orders/")},
		"GET /orders/{id}/cancel-period": {strings.TrimPrefix(bought, "/orders/")}, "POST /orders/{id}/cancel-period": {strings.TrimPrefix(bought, "/orders/")},
		"GET /bills/{id}": {bill}, "GET /together/{id}": {basket}, "POST /together/{id}/pay": {basket},
		"GET /inbox/{id}":            {letter},
		"POST /identity/{id}/photos": {check}, "GET /identity/{id}/photos/{kind}": {check}, "POST /identity/{id}/send": {check}, "POST /identity/{id}/take-back": {check},
		"GET /cases/{id}": {of}, "POST /cases/{id}": {of}, "GET /cases/{id}/files/{n}": {of},
	}
	everybodys := map[string]string{"POST /plans/{id}": "machi-5gb"} // what {id} may be, and is nobody's
	people := map[string]*browser{
		"nobody":              w.browser(locale.En),
		"another customer":    w.browser(locale.En).signIn("other@example.com"),
		"a link":              w.browser(locale.En).link("grace"),
		"a link that is over": over, "a session that is over": expired, "a session that was ended": ended,
	}
	visits := 0
	for _, route := range w.server.routes() {
		method, path, _ := strings.Cut(route.pattern, " ")
		ids, of := things[route.pattern]
		if strings.Contains(path, "{id}") && !of && everybodys[route.pattern] == "" && route.access != anyone {
			t.Errorf("the matrix does not know %s", route.pattern)
		}
		if !of {
			ids = []string{everybodys[route.pattern]}
		}
		for _, id := range ids {
			at := strings.NewReplacer("{id}", id, "{token}", "none", "{n}", "1", "{kind}", "face", "{$}", "").Replace(path)
			if method == "POST" && !of && route.access == anyone {
				continue // signing in and out is everybody's
			}
			for who, b := range people {
				visits++
				send := url.Values(nil)
				if method == "POST" {
					send = url.Values{"item": {"term/machi-5gb/10d"}, "currency": {"JPY"}, "amount": form["amount"], "tool": {"card"}, "session": {"others"}, "key": {"x"}, "text": {"not mine"}}
				}
				w.log.Reset()
				p := b.do(method, at, send)
				if route.access != anyone && (of || who != "another customer") {
					w.notedOnce(route.pattern, id)
				}
				for _, secret := range []string{"Aiko", "…4711", "…4712", "12,000", "8,020", "10,020", "aiko@"} {
					if strings.Contains(p.html, secret) || strings.Contains(p.to, secret) {
						t.Errorf("%s %s shows %s %q", method, at, who, secret)
					}
				}
				switch {
				case !of && who == "another customer", route.access == anyone: // their own page, or everybody's
				case who == "another customer" && p.status != http.StatusNotFound:
					t.Errorf("%s %s for another customer: %d to %q", method, at, p.status, p.to)
				case who != "another customer" && (p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/sign-in")):
					t.Errorf("%s %s for %s: %d to %q", method, at, who, p.status, p.to)
				}
			}
		}
	}
	if least := 2 * len(w.server.routes()); visits < least {
		t.Errorf("only %d visits were made, want at least %d", visits, least)
	}
	if len(w.orders()) != orders || w.balance() != balance {
		t.Errorf("%d orders and %d in the wallet, had %d and %d", len(w.orders()), w.balance(), orders, balance)
	}
	if p := owner.get("/account"); p.status != http.StatusOK {
		t.Errorf("the owner was signed out by somebody else: %d", p.status)
	}
}

// notedOnce fails unless the log says once that this route refused, and nothing of whom
// and what it was about.
func (w *town) notedOnce(route string, secret string) {
	w.t.Helper()
	said := w.log.String()
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, `msg=refused door=portal`) || !strings.Contains(said, `path=`+strconv.Quote(route)) {
		w.t.Errorf("%s: logged %q", route, said)
	}
	if secret != "" && strings.Contains(said, secret) || strings.Contains(said, "127.0.0.1") || strings.Contains(said, "@") {
		w.t.Errorf("%s: the log tells of people: %s", route, said)
	}
}

// The session of another customer's cannot be ended by its id.
func TestSessionsOfOthersStay(t *testing.T) {
	w := newTown(t)
	owner := w.browser(locale.En).signIn("aiko@example.com")
	second := w.browser(locale.En).signIn("aiko@example.com")
	stranger := w.browser(locale.En).signIn("other@example.com")
	_, after, _ := strings.Cut(owner.see("/account/sessions").html, `name="session" value="`)
	id, _, _ := strings.Cut(after, `"`)
	if !strings.HasPrefix(id, "ss_") {
		t.Fatalf("no session listed: %q", id)
	}
	stranger.post("/account/sessions", url.Values{"session": {id}})
	second.see("/account")
	owner.post("/account/sessions", url.Values{"session": {id}})
	if p := second.get("/account"); p.status != http.StatusSeeOther {
		t.Errorf("an ended session still works: %d", p.status)
	}
	owner.see("/account")
	owner.post("/sign-out", nil)
	if p := owner.get("/account"); p.status != http.StatusSeeOther {
		t.Errorf("signed out and still in: %d", p.status)
	}
}

func TestHeadersProtectEveryPage(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	for _, path := range []string{"/", "/sign-in", "/nowhere", "/lines/x", "/r/none"} {
		p := b.get(path)
		csp := p.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "form-action 'self' https://pay.example", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: %q is not in %q", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %q", path, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "private, no-store",
			"Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := p.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	form := b.confirm(quote, "wallet")
	b.header.Set("Sec-Fetch-Site", "cross-site")
	p := b.do("POST", "/quotes/"+quote, form)
	if p.status != http.StatusForbidden || len(w.orders()) != 0 {
		t.Errorf("a form from another site: %d, %d orders", p.status, len(w.orders()))
	}
	has(t, p.html, "came from another site")
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.post("/quotes/"+quote, form)
}

func TestCookiesAreForThisHostOnly(t *testing.T) {
	w := newTown(t)
	w.server.Secure = true
	b := w.browser(locale.En)
	p := b.do("POST", "/sign-in", url.Values{"email": {"aiko@example.com"}})
	cookies := p.header.Values("Set-Cookie")
	if len(cookies) == 0 {
		t.Fatal("no cookie")
	}
	for _, c := range cookies {
		for _, want := range []string{"__Host-", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
			if !strings.Contains(c, want) {
				t.Errorf("%s: no %s", c, want)
			}
		}
	}
	if p.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
}

func TestSigningInLeadsNowhereElse(t *testing.T) {
	for next, want := range map[string]string{
		"/lines/ln_1": "/lines/ln_1", "/lines/x/renew?until=2026-03-05": "/lines/x/renew?until=2026-03-05",
		"": "/", "https://evil.example/": "/", "//evil.example": "/", "/\\evil.example": "/", "javascript:alert(1)": "/", "lines": "/",
		"/a\r\nSet-Cookie: x=1": "/", "/" + strings.Repeat("a", 400): "/", "/\t/evil.example": "/",
	} {
		if got := safeNext(next); got != want {
			t.Errorf("safeNext(%q) = %q", next, got)
		}
	}
	w := newTown(t)
	b := w.browser(locale.En)
	b.post("/sign-in", url.Values{"email": {"aiko@example.com"}, "next": {"https://evil.example/"}})
	if to := b.post("/sign-in/code", url.Values{"code": {w.lastCode()}, "next": {"//evil.example/x"}}); to != "/" {
		t.Errorf("signing in leads to %q", to)
	}
}

func TestSigningInTellsNothingAboutWhoIsRegistered(t *testing.T) {
	w := newTown(t)
	var pages []string
	for _, email := range []string{"aiko@example.com", "nope@example.com"} {
		b := w.browser(locale.En)
		to := b.post("/sign-in", url.Values{"email": {email}})
		pages = append(pages, strings.ReplaceAll(to+b.see(to).html, email, ""))
	}
	if pages[0] != pages[1] {
		t.Errorf("a registered address:\n%s\nanother:\n%s", pages[0], pages[1])
	}
	b := w.browser(locale.En)
	if p := b.do("POST", "/sign-in", url.Values{"email": {"<b>nobody"}}); p.status != http.StatusUnprocessableEntity || strings.Contains(p.html, "<b>nobody") {
		t.Errorf("no address: %d", p.status)
	}
}

func TestBadRequestsGetClearPages(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	for _, c := range []struct {
		method, path string
		form         url.Values
		status       int
		says         string
	}{
		{"GET", "/nowhere", nil, 404, "There is no such page"},
		{"DELETE", "/account", nil, 405, "cannot be used like that"},
		{"POST", "/plans/machi-5gb/rules", url.Values{}, 405, "cannot be used like that"},
		{"GET", "/lines/..%2f..%2fetc", nil, 404, "There is no such thing"},
		{"GET", "/lines/ln_01k9x2m4t7h8j9k2m301k9x2m4t7h8j9k2", nil, 404, "There is no such"},
		{"GET", "/plans/none/rules", nil, 404, "There is no such plan"},
		{"POST", "/wallet", url.Values{"amount": {strings.Repeat("9", 40_000)}}, 422, "too large"},
		{"POST", "/lines/" + w.lines["fresh"] + "/renew", url.Values{"item": {"term/../x"}}, 422, "cannot be renewed like that"},
		{"POST", "/lines/" + w.lines["fresh"] + "/renew", url.Values{"item": {"nonsense"}}, 422, "This offer does not exist"},
		{"POST", "/lines/" + w.lines["fresh"] + "/renew", url.Values{"item": {"term/machi-5gb/10d"}, "currency": {"XXX"}}, 422, "cannot be renewed like that"},
		{"POST", "/account", url.Values{"zone": {"Mars/Olympus"}}, 422, "There is no time zone"},
	} {
		p := b.do(c.method, c.path, c.form)
		if p.status != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, p.status, c.status)
		}
		has(t, p.html, c.says, "</html>")
	}
	for line := range strings.Lines(w.log.String()) {
		if !strings.Contains(line, "msg=refused ") {
			t.Errorf("something was logged: %s", line)
		}
	}
	if got := strings.Count(w.log.String(), "reason=method"); got != 2 {
		t.Errorf("%d methods that nothing is for were logged: %s", got, w.log)
	}
}

// What goes wrong inside is logged and not shown.
func TestInternalErrorsAreNotShown(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.Ja)
	w.server.Door.Secret = nil
	b.header.Set("Cookie", "session=ss_x")
	if err := w.env.DB.Close(); err != nil {
		t.Fatal(err)
	}
	p := b.get("/")
	if p.status != http.StatusInternalServerError || strings.Contains(p.html, "sql") || strings.Contains(p.html, "database") {
		t.Errorf("%d: %s", p.status, p.html)
	}
	has(t, p.html, "システムで問題が発生しました")
	if w.log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

func TestRestrictedAccountLooksAndDoesNotBuy(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	form := b.confirm(quote, "wallet")
	w.restrict()
	b.see("/lines/" + w.lines["fresh"])
	for path, f := range map[string]url.Values{
		"/quotes/" + quote: form, "/lines/" + w.lines["fresh"] + "/renew": {"item": {"term/machi-5gb/10d"}, "currency": {"JPY"}},
		"/wallet": {"amount": {"3000"}, "currency": {"JPY"}},
	} {
		if p := b.do("POST", path, f); p.status != http.StatusForbidden {
			t.Errorf("POST %s: %d", path, p.status)
		} else {
			has(t, p.html, "Buying is stopped for this account")
		}
	}
	if len(w.orders()) != 0 {
		t.Error("an order was placed")
	}
}

func TestLanguage(t *testing.T) {
	w := newTown(t)
	for accept, want := range map[string]string{"": "en", "zh-TW,zh;q=0.9": "zh-Hant", "ko": "ko", "ja-JP": "ja", "fr": "en", "zh-CN": "zh-Hans"} {
		b := w.browser(locale.Language(accept))
		has(t, b.see("/").html, `<html lang="`+want+`">`)
	}
	b := w.browser(locale.En)
	if p := b.get("/sign-in?next=%2Fwallet&lang=ja"); p.to != "/sign-in?next=%2Fwallet" {
		t.Errorf("choosing a language leads to %q", p.to)
	}
	has(t, b.see("/sign-in").html, `<html lang="ja">`)
	b.signIn("aiko@example.com").post("/account", url.Values{"language": {"zh-Hans"}, "zone": {"America/New_York"}})
	has(t, b.see("/account?saved=1").html, `<html lang="zh-Hans">`, "已保存", "纽约")
}

// What a browser sends comes back in no header: not as another header, and not
// as an address on another site.
func TestNothingSentBecomesAHeader(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	const evil = "x\r\nX-Evil: 1\r\n\r\n<b>"
	q := url.QueryEscape(evil)
	for _, path := range []string{
		"/sign-in?next=" + q, "/sign-in?lang=ja&next=" + q, "/plans?lang=" + q, "/devices?q=" + q + "&lang=ja", "/sign-in?next=%2F%2Fevil.example&lang=en",
		"/sign-in?next=%2F%5Cevil.example&lang=en", "//evil.example/?lang=ja", "/%5Cevil.example/?lang=ja", "/" + q + "?lang=ja", "/plans/" + q + "?lang=ja", "/r/" + q,
	} {
		p := b.get(path)
		if p.header.Get("X-Evil") != "" || strings.Contains(p.html, "<b>") {
			t.Errorf("%s: %v", path, p.header)
		}
		if u, err := url.Parse(p.to); err != nil || u.Host != "" || strings.HasPrefix(p.to, "//") || strings.HasPrefix(p.to, "/\\") {
			t.Errorf("%s leads to %q", path, p.to)
		}
	}
	b.post("/sign-in", url.Values{"email": {"aiko@example.com"}, "next": {evil}})
	p := b.do("POST", "/sign-in/code", url.Values{"code": {w.lastCode()}, "next": {"/" + evil}})
	if p.header.Get("X-Evil") != "" || p.to != "/" {
		t.Errorf("signing in leads to %q", p.to)
	}
}

// linkFor opens a link to one of aiko's lines that is good for so long.
func (b *browser) linkFor(key string, life time.Duration) *browser {
	b.t.Helper()
	w := b.town
	token, err := db.Written(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		return w.server.Door.MakeLink(ctx, tx, w.aiko.ID, w.lines[key], tx.Now().Add(life))
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.get("/r/" + token)
	b.see("/lines/" + w.lines[key] + "/renew")
	return b
}

// cookies are what the browser sends, as its header says it.
func (b *browser) cookies() string {
	b.t.Helper()
	u, err := url.Parse(b.town.web.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, c := range b.client.Jar.Cookies(u) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// copied is the browser with a copy of its cookies that nobody can take away.
func (b *browser) copied() *browser {
	b.header.Set("Cookie", b.cookies())
	return b
}

// expireSession lets a browser's session end by itself.
func (w *town) expireSession(b *browser) {
	w.t.Helper()
	_, token, _ := strings.Cut(b.cookies(), sessionCookie+"=")
	session, _, _ := strings.Cut(token, ".")
	w.write(func(ctx context.Context, tx db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE sessions SET expires_at = $1 WHERE account_id = $2 AND id = $3`, db.At(tx.Now()), w.aiko.ID, "ss_"+session)
		if err == nil && n != 1 {
			w.t.Errorf("%d sessions are called %s", n, session)
		}
		return err
	})
}
