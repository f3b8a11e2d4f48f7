package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/portal/prose"
	"github.com/tsuzuku/tsuzuku/ui"
)

// structs are the pages and what each may use.
var structs = map[string]any{
	"welcome.html": welcomePage{}, "signin.html": signInForm{}, "who.html": whoForm{}, "code.html": codeForm{}, "lines.html": linesPage{},
	"line.html": linePage{}, "renew.html": renewPage{}, "review.html": reviewPage{}, "order.html": orderPage{},
	"bill.html": billPage{}, "wallet.html": walletPage{}, "account.html": accountPage{}, "sessions.html": sessionsPage{}, "security.html": securityPage{}, "card.html": cardPage{}, "close.html": closePage{}, "cancel.html": cancelPage{},
	"rules.html": rulesPage{}, "error.html": errorPage{}, "together.html": togetherPage{},
	"together_review.html": basketReviewPage{}, "basket.html": basketPage{}, "devices.html": devicesPage{},
	"plan_devices.html": planDevicesPage{}, "plans.html": plansPage{}, "roaming.html": roamingPage{}, "plan.html": planPage{}, "offline.html": offlinePage{}, "storybook.html": storybookPage{},
	"claim.html": claimPage{}, "redeem.html": redeemPage{},
	"cases.html": casesPage{}, "case_new.html": newCasePage{}, "case.html": casePage{}, "status.html": statusPage{}, "help.html": helpPage{}, "prose.html": prosePage{},
	"chat.html": chatPage{}, "inbox.html": inboxPage{}, "letter.html": letterPage{}, "telling.html": tellingPage{},
	"identity.html": identityPage{},
}

func TestTemplatesFitTheirPages(t *testing.T) {
	for _, one := range pages.Templates() {
		if page, ok := structs[one.Name()]; ok {
			if err := templatecheck.CheckHTML(one, page); err != nil {
				t.Errorf("%s: %v", one.Name(), err)
			}
		} else if strings.HasSuffix(one.Name(), ".html") {
			t.Errorf("%s has no page struct", one.Name())
		}
	}
}

// Every text that a template asks for exists.
func TestTextsOfTemplatesExist(t *testing.T) {
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`\.T "([^"]+)"`)
	n := 0
	for _, f := range files {
		text, err := pageFiles.ReadFile("pages/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range asked.FindAllStringSubmatch(string(text), -1) {
			n++
			if !ui.Texts().Has(m[1]) {
				t.Errorf("%s asks for %s, which nobody wrote", f.Name(), m[1])
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d texts found in templates", n)
	}
}

// stops are the addresses of every page, with realistic data behind them.
func (w *town) stops(b *browser) map[string]string {
	w.t.Helper()
	ended := b.quote("fresh", "term/machi-5gb/30d")
	done := b.post("/quotes/"+ended, b.confirm(ended, "wallet"))
	w.operator.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.LoseRequest }
	moving := b.quote("throttled", "term/machi-5gb/3d")
	waiting := b.post("/quotes/"+moving, b.confirm(moving, "wallet"))
	card := b.quote("volume", "term/machi-10gb/10gb-30d")
	b.post("/quotes/"+card, b.confirm(card, "card"))
	var bill, placed string
	w.number()
	_, after, _ := strings.Cut(b.see(done).html, `<a href="/bills/`)
	bill, _, _ = strings.Cut(after, `"`)
	for _, o := range w.orders() {
		if o.Tool == "card" {
			placed = "/orders/" + o.ID
		}
	}
	review := b.several(map[string]string{"fresh": "term/machi-5gb/10d", "packs": "term/yokocho-base/1gb-30d"})
	b.post("/together/review", b.confirmTogether(review, "card"))
	basket := ""
	for _, o := range w.orders() {
		if o.Basket != "" {
			basket = o.Basket
		}
	}
	fresh := b.newLine("machi-5gb", "3d")
	bought := b.post("/quotes/"+fresh, b.confirm(fresh, "wallet"))
	several := b.several(map[string]string{"fresh": "term/machi-5gb/3d", "packs": "term/yokocho-base/1gb-30d"})
	w.deliver()
	_, after, _ = strings.Cut(b.see("/inbox").html, `href="/inbox/`)
	letter, _, _ := strings.Cut(after, `"`)
	stops := map[string]string{
		"lines": "/", "review": "/quotes/" + b.quote("packs", "term/yokocho-base/1gb-30d"),
		"pack review":     "/quotes/" + b.quote("packs", "pack/yokocho-base/500mb"),
		"review in parts": "/quotes/" + b.quote("throttled", "term/machi-5gb/30d") + "?use_points=1&use_wallet=1",
		"order done":      done, "order moving": waiting, "order placed": placed, "bill": "/bills/" + bill, "wallet": "/wallet", "account": "/account",
		"together": "/together", "together review": several, "basket": "/together/" + basket,
		"sessions": "/account/sessions", "security": securityPath, "telling": tellingPath, "close": securityPath + "/close", "until": "/lines/" + w.lines["throttled"] + "/renew?until=2026-03-20",
	}
	for key, id := range w.lines {
		if key != "other" {
			stops["line "+key] = "/lines/" + id
			stops["renew "+key] = "/lines/" + id + "/renew"
		}
	}
	stops["offline"] = "/offline"
	stops["roaming"], stops["roaming compared"], stops["roaming unknown"] = "/roaming", "/roaming?home=AT%26T&days=5", "/roaming?home=China+Mobile"
	asked, _, _ := strings.Cut(b.post("/cases/new", url.Values{"key": {"k"}, "topic": {"slow"}, "text": {"Slow.\nSince noon."}, "line": {w.lines["fresh"]}}), "?")
	for _, text := range []string{"compare", "what should I buy?", "what is left?", "how long will it last?", "compare", "compare"} {
		b.post("/chat", url.Values{"text": {text}, "line": {w.lines["fresh"]}})
	}
	stops["chat"] = "/chat?line=" + w.lines["volume"]
	stops["inbox"], stops["letter"] = "/inbox", "/inbox/"+letter
	stops["status"], stops["help"], stops["help found"], stops["help nothing"] = "/status", "/help", "/help?q=eSIM", "/help?q=xyzzy"
	for _, topic := range prose.Topics {
		stops["help "+topic] = "/help/" + topic
	}
	for _, page := range prose.LegalPages {
		stops["legal "+page] = "/legal/" + page
	}
	stops["cases"], stops["case"], stops["case new"] = "/cases", asked, "/cases/new?order="+strings.TrimPrefix(done, "/orders/")
	stops["plans"], stops["new line done"] = "/plans", bought
	stops["new line review"], stops["new line"] = "/quotes/"+b.newLine("tsubame-free", "3x24h"), b.installing(bought)
	for _, id := range []string{"machi-5gb", "aurora-sum", "sumire-voice", "hinode-visitor-5"} {
		stops["plan "+id] = "/plans/" + id
	}
	for _, p := range catalogue.Demo().Plans {
		stops["rules "+p.ID] = "/plans/" + p.ID + "/rules"
	}
	for name, query := range map[string]string{
		"": "", "known": "?q=iPhone+13", "code": "?phone=apple-iphone-13&code=A2634&sold_in=CN", "eid": "?phone=eid", "candidates": "?q=pixel", "unknown": "?q=Fairphone+5",
		"imei": "?tac=99999999", "full": "?q=iPhone+15", "locked": "?q=SM-S911U", "typo": "?q=galxy+s23",
	} {
		stops["devices "+name] = "/devices" + query
	}
	for _, id := range []string{"hinode-visitor-5", "machi-5gb", "koyomi-3gb", "yokocho-base"} {
		stops["phones "+id] = "/plans/" + id + "/devices"
	}
	return stops
}

// deliver sends what waits to be sent, so that the inbox has something in it.
func (w *town) deliver() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE messages SET attempts = 1, state = 'sent', due_at = NULL WHERE due_at <= $1`, db.At(tx.Now()))
		return err
	})
}

// maxPage is how much a page may weigh with its headers, compressed.
const maxPage = 14_000

func TestEveryPageIsWellFormedAndLightInEveryLanguage(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	stops := w.stops(b)
	w.advise(b)
	heaviest, most := "", 0
	look := func(l locale.Language, who *browser, name, path string, status int) {
		p := who.get(path)
		if p.status != status {
			t.Errorf("%s: %s: status %d, to %q", l, name, p.status, p.to)
			return
		}
		for _, trouble := range check(p.html, l) {
			t.Errorf("%s: %s: %s", l, name, trouble)
		}
		if p.bytes > maxPage {
			t.Errorf("%s: %s: %d bytes", l, name, p.bytes)
		}
		if p.bytes > most {
			heaviest, most = fmt.Sprint(l, " ", name), p.bytes
		}
		if dir := os.Getenv("PORTAL_PAGES"); dir != "" {
			_ = os.WriteFile(dir+"/"+strings.ReplaceAll(fmt.Sprint(l, "-", name), " ", "-")+".html", []byte(p.html), 0o600)
		}
	}
	for _, l := range locale.All {
		b.get("/?lang=" + string(l))
		for name, path := range stops {
			look(l, b, name, path, http.StatusOK)
		}
		look(l, b, "no such page", "/nowhere", http.StatusNotFound)
		stranger := w.browser(l)
		for _, path := range []string{"/", "/sign-in", "/renew", "/r/none"} {
			status := http.StatusOK
			if path == "/r/none" {
				status = http.StatusNotFound
			}
			look(l, stranger, "stranger "+strings.ReplaceAll(path, "/", "_"), path, status)
		}
		stranger.post("/sign-in", url.Values{"email": {"someone@example.com"}})
		look(l, stranger, "code", "/sign-in/code", http.StatusOK)
	}
	t.Logf("the heaviest page is %s with %d bytes", heaviest, most)
	if w.log.Len() > 0 {
		t.Errorf("something was logged: %s", w.log)
	}
}

var (
	tags        = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:"[^"]*"|[^>"])*)>`)
	attribute   = regexp.MustCompile(`([a-zA-Z-]+)(?:="([^"]*)")?`)
	missing     = regexp.MustCompile(`\[[a-z_]+(\.[a-z0-9_A-Z]+)*\]`)
	doubled     = regexp.MustCompile(`.{0,20}[。、，！？：；] `)
	void        = []string{"meta", "link", "input", "br", "rect", "path"}
	untold      = regexp.MustCompile(`%!|<nil>|ZgotmplZ|0001-01-01`)
	interactive = []string{"a", "button"}
	ownScript   = regexp.MustCompile(`<script src="/static/shop-[A-Za-z0-9_-]{8}\.js" defer></script>`)
)

// check lists what is wrong with a page: tags that do not match, ids twice,
// fields without labels, controls without names, scripts, inline styles, texts
// that nobody wrote.
func check(html string, l locale.Language) (troubles []string) {
	bad := func(format string, args ...any) { troubles = append(troubles, fmt.Sprintf(format, args...)) }
	if !strings.HasPrefix(html, "<!doctype html>\n<html lang=\""+string(l)+"\">") {
		bad("does not begin as HTML in %s", l)
	}
	body := regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(html, "")
	body = ownScript.ReplaceAllString(body, "") // the only one, and nothing in it
	if gap := doubled.FindString(body); gap != "" {
		bad("a space after a stop that has its own: %q", gap)
	}
	for _, m := range append(missing.FindAllString(body, -1), untold.FindAllString(body, -1)...) {
		bad("says %s", m)
	}
	var open, ids, labelled []string
	headings, fields := 0, map[string]bool{}
	for _, m := range tags.FindAllStringSubmatchIndex(body, -1) {
		closing, name, rest := m[2] < m[3], strings.ToLower(body[m[4]:m[5]]), body[m[6]:m[7]]
		has := map[string]string{}
		for _, a := range attribute.FindAllStringSubmatch(rest, -1) {
			has[a[1]] = a[2]
		}
		_, active := has["style"]
		for attribute := range has { // a word that begins so may stand in a value
			active = active || strings.HasPrefix(attribute, "on")
		}
		switch {
		case name == "script" && (rest == ` type="module" src="`+passkeyPath+`"` || rest == ` type="module" src="`+pushPath+`"` || rest == ` type="module" src="`+passwordPath+`"`) && strings.HasPrefix(body[m[1]:], "</script>"): // ours, a file of its own
			open = append(open, name)
		case name == "script" && !closing || active:
			bad("has a script or an inline style: <%s%s>", name, rest)
		case closing:
			if len(open) == 0 || open[len(open)-1] != name {
				bad("</%s> closes %v", name, open)
				return troubles
			}
			open = open[:len(open)-1]
			continue
		case !slices.Contains(void, name):
			open = append(open, name)
		}
		if id := has["id"]; id != "" {
			if slices.Contains(ids, id) {
				bad("id %s twice", id)
			}
			ids = append(ids, id)
		}
		switch {
		case name == "h1":
			headings++
		case name == "label" && has["for"] != "":
			labelled = append(labelled, has["for"])
		case (name == "input" || name == "select") && has["type"] != "hidden" && has["type"] != "radio":
			fields[has["id"]] = true
		case name == "svg" && has["aria-label"] == "" && has["aria-hidden"] != "true":
			bad("a picture without words")
		case slices.Contains(interactive, name):
			end := strings.Index(body[m[1]:], "</"+name)
			if strings.TrimSpace(tags.ReplaceAllString(body[m[1]:m[1]+max(end, 0)], "")) == "" {
				bad("a <%s> without words", name)
			}
		}
	}
	for id := range fields {
		if !slices.Contains(labelled, id) {
			bad("the field %q has no label", id)
		}
	}
	if len(open) > 0 || headings != 1 {
		bad("leaves %v open and has %d headings", open, headings)
	}
	return troubles
}

// The inbox says the messages again in the language of the page.
func TestInboxHasWords(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	w.deliver()
	letter, err := message.Write(message.OrderCompleted, locale.Ja, message.From{}, message.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	subject, _, _ := strings.Cut(letter.Subject, "：")
	b.get("/?lang=ja")
	has(t, b.see("/account").html, subject)
}
