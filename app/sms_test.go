package app

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// visitor is somebody with a browser and a telephone.
type visitor struct {
	*testing.T
	demo   *Demo
	url    string
	client *http.Client
}

func (v *visitor) do(method, path string, form url.Values) (to, page string) {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.Fatal(err)
	}
	r.Header.Set("Accept-Language", "ja")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := v.client.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.Fatal(err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		v.Fatalf("%s %s %v: %d\n%s", method, path, form, res.StatusCode, body)
	}
	return res.Header.Get("Location"), html.UnescapeString(string(body))
}

func (v *visitor) post(path string, form url.Values) string {
	v.Helper()
	to, html := v.do("POST", path, form)
	if to == "" {
		v.Fatalf("POST %s leads nowhere:\n%s", path, html)
	}
	return to
}

func (v *visitor) see(path, what string) string {
	v.Helper()
	_, html := v.do("GET", path, nil)
	if !strings.Contains(html, what) {
		v.Fatalf("%s does not say %q:\n%s", path, what, html)
	}
	return html
}

// newest is what the telephone has received last.
func (v *visitor) newest(number string) string {
	v.Helper()
	v.demo.catchUp(v.Context())
	all := v.demo.Strangers.SMS.To(number)
	if len(all) == 0 {
		v.Fatal("the telephone has received nothing")
	}
	return all[len(all)-1].Text
}

var codeDigits = regexp.MustCompile(`\d{8}(\d{4})?`)

// A traveller from Japan signs up with a telephone alone, buys, is told and reminded by
// SMS, renews by the link in it; adds a mail address, wishes SMS all the same, and hears
// by mail when the gateway refuses.
func TestATelephoneIsEnough(t *testing.T) {
	const number, mail = "+819012345678", "kenji@example.com"
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	t.Cleanup(server.Close)
	d, err := OpenDemo(t.Context(), DemoOptions{URL: server.URL, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	server.Config.Handler = d.Handler()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t, d, server.URL, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}

	v.see("/sign-in", `<option value="JP" selected>日本 +81</option>`)
	to := v.post("/sign-in/phone", url.Values{"country": {"JP"}, "number": {"０９０-1234-5678"}, "next": {"/account"}})
	v.see(to, "+81 90-1234-5678に確認コードを送りました")
	said := v.newest(number)
	if !strings.Contains(said, "ログイン用の確認コード") {
		t.Errorf("the telephone got %q", said)
	}
	if to = v.post("/sign-in/code", url.Values{"code": {codeDigits.FindString(said)}, "next": {"/account"}}); to != "/account" {
		t.Errorf("the code leads to %q", to)
	}
	v.see("/account", "<dt>電話</dt><dd>+81 90-1234-5678</dd>")
	v.see("/sim/phone?number=%2B819012345678", "1 × ucs2")

	a := v.fund(number)
	quote := v.post("/plans/machi-5gb", url.Values{"item": {"line/machi-5gb/3d"}, "currency": {"JPY"}})
	v.post(quote, url.Values{"amount": {hidden(v, quote, "amount")}, "currency": {"JPY"}, "tool": {"wallet"}})
	for range 4 { // the operator makes the line
		v.later(15 * time.Second)
	}
	if said = v.newest(number); !strings.HasPrefix(said, "【") || !strings.Contains(said, "eSIM") || strings.Contains(said, "LPA:") {
		t.Errorf("of the new line the telephone got %q", said)
	}

	v.post("/account/security/addresses", url.Values{"email": {mail}})
	d.catchUp(t.Context())
	letters := d.Strangers.Inbox.To(mail)
	v.post("/account/security/code", url.Values{"code": {codeDigits.FindString(letters[len(letters)-1].Subject)}})
	v.see("/account/messages", `name="sms" value="lines">`)
	v.post("/account/messages", url.Values{"sms": {"lines"}, "mail": {"cases"}}) // no quiet hours
	v.see("/account/messages", `name="sms" value="lines" checked`)

	d.Strangers.UseNew()
	v.later(20 * time.Minute)
	ends := v.line(a).EndsAt
	v.until(ends.Add(-23 * time.Hour))
	said = v.newest(number)
	link := regexp.MustCompile(`/r/\S+$`).FindString(said)
	if !strings.Contains(said, "に終了します") || link == "" {
		t.Fatalf("the reminder is %q", said)
	}
	if to, _ = v.do("GET", link, nil); !strings.HasSuffix(to, "/renew") {
		t.Errorf("the link leads to %q", to)
	}
	quote = v.post(to, url.Values{"item": {"term/machi-5gb/3d"}, "currency": {"JPY"}})
	v.post(quote, url.Values{"amount": {hidden(v, quote, "amount")}, "currency": {"JPY"}, "tool": {"wallet"}})
	v.later(time.Minute)
	next := v.line(a).EndsAt
	if !next.After(ends) {
		t.Fatalf("renewed, the line ends %s, and did %s", next, ends)
	}

	before := len(d.Strangers.SMS.To(number))
	v.post("/sim/trouble", url.Values{"name": {"sms-refuse"}})
	v.until(next.Add(-71 * time.Hour))
	v.later(2 * time.Second)
	letters = d.Strangers.Inbox.To(mail)
	if last := letters[len(letters)-1]; !strings.Contains(last.Subject, "あと数日で終了します") || len(d.Strangers.SMS.To(number)) != before {
		t.Errorf("refused by the gateway, the reminder is not by mail: %q, %d SMS more", last.Subject, len(d.Strangers.SMS.To(number))-before)
	}
	v.claimCard()
}

var printedCard = regexp.MustCompile(`Number <code>(\d+)</code>.*telephone \+(\d+)</a>`)

// claimCard claims one of the demo's printed cards by a code to its line.
func (v *visitor) claimCard() {
	v.Helper()
	card := printedCard.FindStringSubmatch(v.see("/sim/phones", "a printed card"))
	if card == nil {
		v.Fatal("no card shows its numbers")
	}
	to := v.post("/claim/sms", url.Values{"iccid": {card[1]}})
	if to = v.post(to, url.Values{"code": {codeDigits.FindString(v.newest("+" + card[2]))}}); !strings.HasPrefix(to, "/lines/") {
		v.Fatalf("the code leads to %q", to)
	}
	v.see(to, "…"+card[1][len(card[1])-4:])
}

// hidden is the value of a hidden field of a page.
func hidden(v *visitor, path, name string) string {
	v.Helper()
	_, after, _ := strings.Cut(v.see(path, name), `type="hidden" name="`+name+`" value="`)
	value, _, _ := strings.Cut(after, `"`)
	return value
}

// fund puts money into the wallet of the account with a number.
func (v *visitor) fund(number string) (id string) {
	v.Helper()
	id, err := db.Written(v.Context(), v.demo.App.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		a, err := account.ByPhone(ctx, tx, number)
		if err != nil {
			return "", err
		}
		return a.ID, ledger.Post(ctx, tx, ledger.Posting{Account: a.ID, Subject: "import", Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(20_000, "JPY")},
		}})
	})
	if err != nil {
		v.Fatal(err)
	}
	return id
}

func (v *visitor) line(of string) line.Line {
	v.Helper()
	all, err := db.Seen(v.Context(), v.demo.App.DB, func(ctx context.Context, tx db.Tx) ([]line.Line, error) { return line.List(ctx, tx, of) })
	if err != nil || len(all) != 1 || all[0].EndsAt.IsZero() {
		v.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

// later lets time pass, and everything happen that is due then.
func (v *visitor) later(by time.Duration) {
	v.demo.Strangers.Clock.Add(by)
	v.demo.catchUp(v.Context())
}

func (v *visitor) until(at time.Time) { v.later(at.Sub(v.demo.Strangers.Clock.Now())) }
