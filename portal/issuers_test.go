package portal

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/account/openid"
	"github.com/tsuzuku/tsuzuku/account/openid/openidsim"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const kaisha = "https://login.kaisha.example"

// employ gives the town a company at which its people sign in.
func (w *town) employ() *openidsim.Sim {
	sim := openidsim.New(openidsim.Config{
		Issuer: kaisha, Title: "Kaisha", Client: "shop", Secret: "a secret of a client", Now: w.env.Clock.Now, Random: rand.Reader,
		Redirects: []string{"https://shop.example/sign-in/with/kaisha/back"},
		People: []openidsim.Person{
			{Subject: "new", Name: "Nao", Email: "nao@kaisha.example", Verified: true},
			{Subject: "aiko", Name: "Aiko", Email: "Aiko@example.com", Verified: true},
			{Subject: "liar", Name: "Not Aiko", Email: "aiko@example.com"},
			{Subject: "silent", Name: "Silent"},
		},
	})
	wire := &outboundsim.Wire{Stranger: sim, Choose: func(r *http.Request) outboundsim.Fault {
		if sim.Loses(r) {
			return outboundsim.LoseAnswer
		}
		return outboundsim.None
	}}
	w.server.Issuers = []account.Issuer{openid.New(openid.Config{
		Name: "kaisha", Title: "Kaisha", Address: kaisha, ClientID: "shop", ClientSecret: "a secret of a client", Now: w.env.Clock.Now,
	}, outbound.New(outbound.Options{Transport: wire}))}
	return sim
}

// chosen is the browser at the company, where somebody chooses who they are; it returns
// where it is sent back to.
func (b *browser) chosen(sim *openidsim.Sim, from, person string) string {
	b.t.Helper()
	u, err := url.Parse(b.get(from).to)
	if err != nil || u.Scheme+"://"+u.Host != kaisha {
		b.t.Fatalf("%s leads to %s, %v", from, u, err)
	}
	form := u.Query()
	form.Set("person", person)
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, u.Path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	sim.ServeHTTP(rec, r)
	back, ok := strings.CutPrefix(rec.Header().Get("Location"), "https://shop.example")
	if !ok {
		b.t.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	return back
}

// A new customer whose mail the company knows has an account, and comes in again; what
// they are called there is not asked for twice.
func TestNewCustomerComesInByAnIssuer(t *testing.T) {
	w := newTown(t)
	sim := w.employ()
	b := w.browser(locale.Ja)
	has(t, b.see("/sign-in?next=%2Fwallet").html, "Kaishaでログイン", `href="/sign-in/with/kaisha?next=%2Fwallet"`)
	if p := b.get(b.chosen(sim, "/sign-in/with/kaisha?next=%2Fwallet", "new")); p.to != "/wallet" {
		t.Fatalf("%d to %q: %s", p.status, p.to, clean(p.html))
	}
	has(t, b.see("/account").html, "nao@kaisha.example")
	has(t, b.see("/account/security").html, "Kaisha", "nao@kaisha.example", "/account/security/issuers")
	again := w.browser(locale.En)
	if p := again.get(again.chosen(sim, "/sign-in/with/kaisha", "new")); p.to != "/" {
		t.Fatalf("%d to %q", p.status, p.to)
	}
	has(t, again.see("/account").html, "nao@kaisha.example")
}

// Whoever the company knows by the address of a customer, checked or not, gets nothing
// of theirs until they have shown that they are the customer; then the company lets
// them in, the owner is told, and it can be ended.
func TestAnAddressAloneOpensNoAccount(t *testing.T) {
	w := newTown(t)
	sim := w.employ()
	for person, says := range map[string]string{"aiko": "There already is an account with this address", "liar": "gave us no e-mail address that it has checked", "silent": "gave us no e-mail address"} {
		b := w.browser(locale.En)
		if p := b.get(b.chosen(sim, "/sign-in/with/kaisha?next=%2Fwallet", person)); p.to != "/sign-in/who" {
			t.Fatalf("%s: %d to %q", person, p.status, p.to)
		}
		has(t, b.see("/sign-in/who").html, says)
		if p := b.get("/account"); p.status != http.StatusSeeOther {
			t.Errorf("%s is in: %d", person, p.status)
		}
		b.post("/sign-in/who", url.Values{"email": {"aiko@example.com"}})
		if p := b.do("POST", "/sign-in/who/code", url.Values{"code": {"00000000"}}); p.status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong code: %d", p.status)
		}
		if p := b.get(b.chosen(sim, "/sign-in/with/kaisha", person)); p.to != "/sign-in/who" {
			t.Errorf("%s after a wrong code: %q", person, p.to)
		}
	}
	b := w.browser(locale.En)
	b.get(b.chosen(sim, "/sign-in/with/kaisha?next=%2Fwallet", "aiko"))
	w.env.Clock.Add(time.Minute)
	b.post("/sign-in/who", url.Values{"email": {"aiko@example.com"}})
	has(t, b.see("/sign-in/who/code").html, "Once you have entered the code, you can sign in to this account with Kaisha")
	if to := b.post("/sign-in/who/code", url.Values{"code": {w.lastCode()}}); to != "/wallet" {
		t.Errorf("led to %q", to)
	}
	w.deliver()
	has(t, b.see("/inbox").html, "Another way to sign in was connected")
	other := w.browser(locale.En)
	if p := other.get(other.chosen(sim, "/sign-in/with/kaisha?next=%2Fwallet", "aiko")); p.to != "/wallet" {
		t.Errorf("connected, and led to %q", p.to)
	}
	page := other.see("/account/security").html
	_, after, _ := strings.Cut(page, `action="/account/security/issuers"><button class="link" name="remove" value="`)
	id, _, _ := strings.Cut(after, `"`)
	if to := other.post("/account/security/issuers", url.Values{"remove": {id}}); !strings.HasPrefix(to, "/sign-in?again=1") {
		t.Errorf("a session that the company opened may change how one signs in: %q", to)
	}
	if to := b.post("/account/security/issuers", url.Values{"remove": {id}}); to != "/account/security?done=disconnected" {
		t.Errorf("the owner disconnects: %q", to)
	}
	if p := other.get(other.chosen(sim, "/sign-in/with/kaisha", "aiko")); p.to != "/sign-in/who" {
		t.Errorf("disconnected, and led to %q", p.to)
	}
}

// Who has signed in connects by a button, with a session that is fresh; what opens one
// account opens no second.
func TestConnectingFromTheSecurityPage(t *testing.T) {
	w := newTown(t)
	sim := w.employ()
	b := w.browser(locale.En).signIn("aiko@example.com")
	has(t, b.see("/account/security").html, "Nothing is connected", `href="/sign-in/with/kaisha?connect=1&amp;next=%2Faccount%2Fsecurity"`)
	const there = "/sign-in/with/kaisha?connect=1&next=%2Faccount%2Fsecurity"
	b.get(b.chosen(sim, there, "silent"))
	has(t, b.see("/sign-in/who").html, "signed in at Kaisha as Silent", "aiko@example.com")
	w.env.Clock.Add(16 * time.Minute)
	b.get(b.chosen(sim, there, "silent"))
	if to := b.post("/sign-in/who", nil); to != "/sign-in?again=1&next=%2Fsign-in%2Fwho" {
		t.Errorf("an old session: %q", to)
	}
	lacks(t, b.see("/sign-in?again=1").html, "/sign-in/with/")
	b.post("/sign-in", url.Values{"email": {"aiko@example.com"}})
	b.post("/sign-in/code", url.Values{"code": {w.lastCode()}})
	if to := b.post("/sign-in/who", nil); to != "/account/security?done=connected" {
		t.Errorf("connecting led to %q", to)
	}
	other := w.browser(locale.En).signIn("other@example.com")
	other.get(other.chosen(sim, there, "silent"))
	if p := other.do("POST", "/sign-in/who", url.Values{}); p.status != http.StatusConflict {
		t.Errorf("connected with a second account: %d", p.status)
	}
	other.post("/sign-in/who", url.Values{"forget": {"1"}})
	if p := other.get("/sign-in/who"); p.to != "/sign-in" {
		t.Errorf("not forgotten: %q", p.to)
	}
}

// Every lie of the company ends on a page that says what to do, and in no session.
func TestLiesOfAnIssuerOpenNothing(t *testing.T) {
	w := newTown(t)
	sim := w.employ()
	for _, lie := range openidsim.Lies {
		b := w.browser(locale.En)
		sim.Misbehave(lie)
		p := b.get(b.chosen(sim, "/sign-in/with/kaisha", "new"))
		want, says := http.StatusForbidden, "could not be verified"
		if lie == openidsim.NoAnswer || lie == openidsim.Broken {
			want, says = http.StatusServiceUnavailable, "Kaisha does not answer at the moment"
		}
		if p.status != want {
			t.Errorf("%s: %d to %q", lie, p.status, p.to)
		}
		has(t, p.html, says, "sign in with a code by e-mail", `href="/sign-in"`)
		if p := b.get("/account"); p.status != http.StatusSeeOther {
			t.Errorf("%s: in", lie)
		}
		w.env.Clock.Add(2 * time.Minute) // some limits are by the hour
	}
	lacks(t, w.log.String(), "eyJ", "a secret of a client")
	b := w.browser(locale.En)
	sim.Away(true)
	fresh := openid.New(openid.Config{Name: "kaisha", Title: "Kaisha", Address: kaisha, Now: w.env.Clock.Now}, outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: sim}}))
	w.server.Issuers = []account.Issuer{fresh}
	if p := b.get("/sign-in/with/kaisha"); p.status != http.StatusServiceUnavailable {
		t.Errorf("away: %d", p.status)
	} else {
		has(t, p.html, "Kaisha does not answer at the moment")
	}
}

// What another browser brings back, a second time, too late, from another issuer or from
// nowhere opens nothing; and another site begins nothing.
func TestErrandsAreOneBrowsersOnce(t *testing.T) {
	w := newTown(t)
	sim := w.employ()
	b, thief := w.browser(locale.En), w.browser(locale.En)
	back := b.chosen(sim, "/sign-in/with/kaisha", "new")
	thief.chosen(sim, "/sign-in/with/kaisha", "new")
	for who, c := range map[string]*browser{"another browser's errand": thief, "no errand": w.browser(locale.En)} {
		if p := c.get(back); p.status != http.StatusForbidden {
			t.Errorf("%s: %d to %q", who, p.status, p.to)
		}
	}
	if p := b.get(back); p.to != "/" {
		t.Errorf("its own: %d to %q", p.status, p.to)
	}
	if p := b.get(back); p.status != http.StatusForbidden {
		t.Errorf("twice: %d", p.status)
	}
	late := w.browser(locale.En)
	back = late.chosen(sim, "/sign-in/with/kaisha", "new")
	w.env.Clock.Add(10 * time.Minute)
	if p := late.get(back); p.status != http.StatusForbidden {
		t.Errorf("late: %d to %q", p.status, p.to)
	}
	cross := w.browser(locale.En)
	cross.header.Set("Sec-Fetch-Site", "cross-site")
	if p := cross.get("/sign-in/with/kaisha?next=%2Fwallet"); p.to != "/sign-in?next=%2Fwallet" {
		t.Errorf("begun by another site: %q", p.to)
	}
	if p := b.get("/sign-in/with/nobody"); p.status != http.StatusNotFound {
		t.Errorf("an issuer that is none: %d", p.status)
	}
}
