package openid

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/account/openid/openidsim"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const (
	at       = "https://login.example/tenant"
	redirect = "https://shop.example/sign-in/with/kaisha/back"
)

// pair is an issuer of ours and the provider that it asks.
func pair(change func(*Config, *openidsim.Config)) (*Issuer, *openidsim.Sim) {
	now := func() time.Time { return noon }
	c := Config{Name: "kaisha", Title: "Kaisha", Address: at, ClientID: "a client:of ours", ClientSecret: "a secret/ +% of thirty-two characters", Now: now}
	s := openidsim.Config{
		Issuer: at, Title: "Kaisha", Client: c.ClientID, Secret: c.ClientSecret, Redirects: []string{redirect}, Now: now, Random: rand.Reader,
		People: []openidsim.Person{{Subject: "1", Name: "Ann", Email: "Ann@Kaisha.example", Verified: true}, {Subject: "2", Name: "Bob", Email: "bob@elsewhere.example", Verified: true}},
	}
	if change != nil {
		change(&c, &s)
	}
	sim := openidsim.New(s)
	wire := &outboundsim.Wire{Stranger: sim, Choose: func(r *http.Request) outboundsim.Fault {
		if sim.Loses(r) {
			return outboundsim.LoseAnswer
		}
		return outboundsim.None
	}}
	return New(c, outbound.New(outbound.Options{Transport: wire})), sim
}

var question = account.Question{State: "a state", Nonce: "a nonce", Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Redirect: redirect}

// signIn is somebody's browser at the provider; it returns what it comes back with.
func signIn(t *testing.T, sim *openidsim.Sim, to, person string) url.Values {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	form := u.Query()
	form.Set("person", person)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, u.Path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || !strings.HasPrefix(w.Header().Get("Location"), redirect+"?") {
		t.Fatalf("%d: %s, %v", w.Code, w.Body, err)
	}
	return back.Query()
}

func hear(t *testing.T, i *Issuer, sim *openidsim.Sim, q account.Question, person string) (account.Identity, error) {
	t.Helper()
	to, err := i.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return i.Hear(t.Context(), q, signIn(t, sim, to, person))
}

// Every algorithm and way to show the secret that we take, against a provider that
// checks them; RFC 7636's own example of a verifier and its challenge.
func TestHears(t *testing.T) {
	for name, change := range map[string]func(*Config, *openidsim.Config){
		"ES256": nil,
		"RS256": func(_ *Config, s *openidsim.Config) { s.Algorithm = "RS256" },
		"HS256": func(c *Config, s *openidsim.Config) { c.BySecret, s.Algorithm = true, "HS256" },
		"form":  func(_ *Config, s *openidsim.Config) { s.FormOnly = true },
	} {
		i, sim := pair(change)
		to, err := i.Ask(t.Context(), question)
		if err != nil {
			t.Fatal(name, err)
		}
		u, _ := url.Parse(to)
		if got := u.Query().Get("code_challenge"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" || u.Query().Get("code_challenge_method") != "S256" {
			t.Errorf("%s: challenge %q", name, got)
		}
		who, err := hear(t, i, sim, question, "1")
		if want := (account.Identity{Issuer: "kaisha", Address: at, Subject: "1", Email: "Ann@Kaisha.example", Verified: true, Name: "Ann"}); err != nil || who != want {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
}

// Each lie of the provider lets nobody in, and the log says why without a token.
func TestLies(t *testing.T) {
	silent := map[openidsim.Lie]bool{openidsim.NoAnswer: true, openidsim.Broken: true}
	for _, algorithm := range []string{"ES256", "HS256"} {
		i, sim := pair(func(c *Config, s *openidsim.Config) { c.BySecret, s.Algorithm = algorithm == "HS256", algorithm })
		for _, lie := range openidsim.Lies {
			sim.Misbehave(lie)
			who, err := hear(t, i, sim, question, "1")
			kind := fault.Denied
			if silent[lie] {
				kind = fault.Unavailable
			}
			if fault.KindOf(err) != kind || who != (account.Identity{}) || strings.Contains(err.Error(), "eyJ") || strings.Contains(err.Error(), "a secret") {
				t.Errorf("%s, %s: %+v, %v", algorithm, lie, who, err)
			}
		}
		if _, err := hear(t, i, sim, question, "1"); err != nil {
			t.Errorf("%s: the truth after all lies: %v", algorithm, err)
		}
	}
}

// What a browser brings back is taken if it is ours, once, and whole; a token is taken
// by the algorithm that was agreed on and no other.
func TestRefuses(t *testing.T) {
	i, sim := pair(nil)
	to, err := i.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	back := signIn(t, sim, to, "1")
	for name, change := range map[string]func(url.Values, *account.Question){
		"another state":    func(b url.Values, _ *account.Question) { b.Set("state", "x") },
		"no state at all":  func(b url.Values, q *account.Question) { b.Del("state"); q.State = "" },
		"state twice":      func(b url.Values, _ *account.Question) { b.Add("state", "a state") },
		"code twice":       func(b url.Values, _ *account.Question) { b.Add("code", "x") },
		"no code":          func(b url.Values, _ *account.Question) { b.Del("code") },
		"a code of nobody": func(b url.Values, _ *account.Question) { b.Set("code", "x") },
		"an endless code":  func(b url.Values, _ *account.Question) { b.Set("code", strings.Repeat("x", 5000)) },
	} {
		b, q := url.Values{}, question
		for k, v := range back {
			b[k] = append([]string(nil), v...)
		}
		change(b, &q)
		if _, err := i.Hear(t.Context(), q, b); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, q := range map[string]account.Question{
		"another verifier": {State: "a state", Nonce: "a nonce", Verifier: strings.Repeat("x", 43), Redirect: redirect},
		"another redirect": {State: "a state", Nonce: "a nonce", Verifier: question.Verifier, Redirect: redirect + "/"},
	} {
		if _, err := i.Hear(t.Context(), q, signIn(t, sim, to, "1")); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	back = signIn(t, sim, to, "1")
	if _, err := i.Hear(t.Context(), question, back); err != nil {
		t.Error(err)
	}
	if _, err := i.Hear(t.Context(), question, back); fault.KindOf(err) != fault.Denied {
		t.Errorf("a code twice: %v", err)
	}
	if _, err := i.Hear(t.Context(), question, signIn(t, sim, to, "")); fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "did not agree") {
		t.Errorf("a person who said no: %v", err)
	}
	bySecret, keys := pair(func(_ *Config, s *openidsim.Config) { s.Algorithm = "HS256" })
	if _, err := hear(t, bySecret, keys, question, "1"); fault.KindOf(err) != fault.Denied {
		t.Errorf("signed with the secret where a key was agreed on: %v", err)
	}
	byKey, keys := pair(func(c *Config, _ *openidsim.Config) { c.BySecret = true })
	if _, err := hear(t, byKey, keys, question, "1"); fault.KindOf(err) != fault.Denied {
		t.Errorf("signed with a key where the secret was agreed on: %v", err)
	}
}

// An issuer that does not answer is unavailable, until it does; one that calls itself
// something else, or leads to where nothing is encrypted, is never asked.
func TestSilence(t *testing.T) {
	i, sim := pair(nil)
	sim.Away(true)
	if _, err := i.Ask(t.Context(), question); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("away: %v", err)
	}
	sim.Away(false)
	to, err := i.Ask(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	back := signIn(t, sim, to, "1")
	sim.Away(true)
	if _, err := i.Hear(t.Context(), question, back); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("away while the code is shown: %v", err)
	}
	other, _ := pair(func(_ *Config, s *openidsim.Config) { s.Issuer = at + "/" })
	if to, err := other.Ask(t.Context(), question); err == nil {
		t.Errorf("another issuer's description was believed: %s", to)
	}
	if i.mayLead("http://login.example/token") || i.mayLead("https://u:p@login.example/") || i.mayLead("/token") || !i.mayLead("https://api.example/token") {
		t.Error("an address that is not encrypted, or none, was taken")
	}
}

// The issuer is believed of the domains that were named, and of no others.
func TestDomains(t *testing.T) {
	i, sim := pair(func(c *Config, _ *openidsim.Config) { c.Domains = []string{"KAISHA.example"} })
	for person, verified := range map[string]bool{"1": true, "2": false} {
		who, err := hear(t, i, sim, question, person)
		if err != nil || who.Verified != verified {
			t.Errorf("%+v, %v", who, err)
		}
	}
}

// RFC 7515, appendix A.1; and that no secret verifies nothing.
func TestTheExampleOfTheStandard(t *testing.T) {
	const token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	key, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := secretKey(key).VerifySignature(context.Background(), token)
	if err != nil || !strings.Contains(string(payload), `"iss":"joe"`) {
		t.Errorf("%s, %v", payload, err)
	}
	for _, wrong := range []secretKey{"", "another secret of thirty-two byte"} {
		if _, err := wrong.VerifySignature(context.Background(), token); err == nil {
			t.Errorf("verified with %q", string(wrong))
		}
	}
}
