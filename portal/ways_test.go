package portal

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
)

const phrase, other = "umbrella over kyoto", "three quiet herons"

// letters counts the messages of a kind that were said to aiko.
func (w *town) letters(kind string) (n int) {
	w.t.Helper()
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM messages WHERE account_id = $1 AND kind = $2`, w.aiko.ID, kind).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// A customer sets a password, signs in with it, changes it, forgets it, replaces
// it after a code, and removes it, all in the browser.
func TestPasswordInTheBrowser(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	has(t, b.see("/account").html, `href="/account/security"`)
	has(t, b.see(securityPath).html, "You have no password", `value="aiko@example.com"`)
	p := b.do("POST", securityPath+"/password", url.Values{"password": {"password1234567"}})
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("a common password: %d", p.status)
	}
	has(t, p.html, "among the first that others would guess", `id="new-error"`)
	to := b.post(securityPath+"/password", url.Values{"password": {phrase}})
	has(t, b.see(to).html, "Your new password is set", "Your password was set on")
	if n := w.letters("password_set"); n != 1 {
		t.Errorf("the owner was told %d times", n)
	}
	b.post("/sign-out", nil)

	sessions := w.letters("new_sign_in")
	for _, wrong := range []url.Values{
		{"email": {"aiko@example.com"}, "password": {other}}, {"email": {"nobody@example.com"}, "password": {phrase}},
	} {
		p := b.do("POST", "/sign-in/password", wrong)
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", wrong, p.status)
		}
		has(t, p.html, "This address and password do not match", "<details class=\"card\" open>")
	}
	if to := b.post("/sign-in/password", url.Values{"email": {"Aiko@example.com"}, "password": {phrase}, "next": {"/wallet"}}); to != "/wallet" {
		t.Errorf("signing in leads to %q", to)
	}
	b.see("/wallet")
	if w.letters("new_sign_in") != sessions {
		t.Error("the owner was told of their own browser")
	}
	p = b.do("POST", securityPath+"/password", url.Values{"current": {other}, "password": {other}})
	has(t, p.html, "This is not your current password", `id="current-error"`)
	b.post(securityPath+"/password", url.Values{"current": {phrase}, "password": {other}})

	again := "/sign-in?again=1&next=%2Faccount%2Fsecurity"
	has(t, b.see(securityPath).html, strings.ReplaceAll(again, "&", "&amp;"))
	has(t, b.see(again).html, "please sign in again", `value="aiko@example.com"`)
	w.env.Clock.Add(time.Minute)
	b.post("/sign-in", url.Values{"email": {"aiko@example.com"}, "next": {securityPath}})
	if to := b.post("/sign-in/code", url.Values{"code": {w.lastCode()}, "next": {securityPath}}); to != securityPath {
		t.Errorf("signing in again leads to %q", to)
	}
	if n := strings.Count(b.see("/account/sessions").html, "<li class"); n != 1 {
		t.Errorf("%d sessions after signing in again, want 1", n)
	}
	lacks(t, b.see(securityPath).html, `id="current"`)
	b.post(securityPath+"/password", url.Values{"password": {phrase}})
	b.post(securityPath+"/password", url.Values{"remove": {"1"}})
	has(t, b.see(securityPath).html, "You have no password")
	if p := b.do("POST", "/sign-in/password", url.Values{"email": {"aiko@example.com"}, "password": {phrase}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a removed password: %d", p.status)
	}
}

// In a browser that was left open nobody changes how one signs in.
func TestSecurityNeedsAFreshSession(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	w.env.Clock.Add(time.Hour)
	if to := b.post(securityPath+"/password", url.Values{"password": {phrase}}); to != "/sign-in?again=1&next=%2Faccount%2Fsecurity" {
		t.Errorf("leads to %q", to)
	}
}

func lacks(t *testing.T, html string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(html, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

// Who comes in with a password that has become easy to guess is led to where they choose
// another, and is signed in.
func TestPasswordThatIsGuessedFirst(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	b.post(securityPath+"/password", url.Values{"password": {"kenji.tanaka@mail.example"}}) // nobody's address yet
	b.post("/sign-out", nil)
	come := url.Values{"email": {"aiko@example.com"}, "password": {"kenji.tanaka@mail.example"}, "next": {"/wallet"}}
	if to := b.post("/sign-in/password", come); to != "/wallet" {
		t.Errorf("with a good one: %q", to)
	}
	err := w.env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, statement := range []string{
			`UPDATE addresses SET value = 'kenji.tanaka@mail.example' WHERE account_id = $1`,
			`UPDATE directory SET value = 'kenji.tanaka@mail.example' WHERE account_id = $1 AND value = 'aiko@example.com'`,
		} {
			if _, err := tx.Exec(ctx, statement, w.aiko.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	come.Set("email", "kenji.tanaka@mail.example")
	to := b.post("/sign-in/password", come)
	if to != securityPath+"?done=guessable&next=%2Fwallet" {
		t.Fatalf("with their own address: %q", to)
	}
	has(t, b.see(to).html, "one of those that are guessed first", `class="notice warn"`, `id="new"`, `<a href="/wallet">Change it later`, `name="next" value="/wallet"`)
	b.see("/wallet")

	another := url.Values{"current": {"kenji.tanaka@mail.example"}, "password": {"short"}, "next": {"/wallet"}}
	if p := b.do("POST", securityPath+"/password", another); !strings.Contains(p.html, `name="next" value="/wallet"`) {
		t.Errorf("where they were going is lost by one that is too short: %d", p.status)
	}
	another.Set("password", "tall orange lanterns at dusk")
	if to := b.post(securityPath+"/password", another); to != "/wallet" {
		t.Errorf("after another was chosen: to %q", to)
	}

	b.post("/sign-out", nil)
	for _, elsewhere := range []string{"//evil.example/x", "https://evil.example", "/", securityPath} {
		html := b.signIn("kenji.tanaka@mail.example").see(securityPath + "?done=guessable&next=" + url.QueryEscape(elsewhere)).html
		if strings.Contains(html, "evil") || strings.Contains(html, `name="next"`) {
			t.Errorf("%q leads on", elsewhere)
		}
	}
}
