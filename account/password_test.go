package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

const good, better = "umbrella over kyoto", "three quiet herons"

// The reference implementation's own test of Argon2id, from its src/test.c.
func TestPHC(t *testing.T) {
	const known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	got, err := account.PHC(t.Context(), 65536, 2, 1, "password", "somesalt")
	if err != nil || got != known {
		t.Errorf("%s, %v", got, err)
	}
	if fits, readable := account.Fits(t.Context(), known, "password"); !fits || !readable {
		t.Errorf("the right password: %v, %v", fits, readable)
	}
	if fits, readable := account.Fits(t.Context(), known, "differentpassword"); fits || !readable {
		t.Errorf("a wrong password: %v, %v", fits, readable)
	}
	for _, bad := range []string{
		"", "$", "x" + known, strings.Replace(known, "argon2id", "argon2i", 1), strings.Replace(known, "v=19", "v=16", 1),
		strings.Replace(known, "t=2", "t=0", 1), strings.Replace(known, "p=1", "p=0", 1), strings.Replace(known, "m=65536", "m=4294967295", 1),
		strings.Replace(known, "p=1", "p=1,x=1", 1), strings.Replace(known, "m=65536", "m=065536", 1), known + "$", known + "=",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=65536,t=2,p=1$$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	} {
		if _, readable := account.Fits(t.Context(), bad, "password"); readable {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestGoodPassword(t *testing.T) {
	for password, why := range map[string]string{
		good: "", better: "", "correct horse battery": "", "雨の日は京都の古い喫茶店で本を読む": "", "ｕmbrella over kyoto": "",
		"x7$Kq2!mVb9#Lp0z": "", "hovnoz-Wegwy6-rusbak": "",
		"short": "password_too_short", "fourteen chars": "password_too_short", strings.Repeat("äöü€", 33): "password_too_long",
		strings.Repeat("x", 2000): "password_too_long", "not utf\xff-8 at all....": "password_too_long",
		"aaaaaaaaaaaaaaaa": "password_guessable", "abababababababab": "password_guessable", "passwordpassword": "password_guessable",
		"password1234567": "password_guessable", "Password!!!!!!!!": "password_guessable", "PasswordPassword1": "password_guessable",
		"1234567890123456": "password_guessable", "qwertyuiopasdfghjkl": "password_guessable", "zyxwvutsrqponmlkji": "password_guessable",
		"abcdefghijklmnopqrstuvwxyz": "password_guessable", "1qaz2wsx3edc4rfv": "password_guessable", "iloveyouiloveyou": "password_guessable",
		"ann.smith@example.com": "password_guessable", "Ann.Smith1234567": "password_guessable", "ann.smithann.smith2024": "password_guessable",
		"example example": "password_guessable", "ann.smith and the umbrella": "",
		"1qazxsw23edcvfr4": "password_guessable", "zqjphsyf6ctifgu": "password_guessable", "Qwertyuiop12345": "password_guessable",
		"Sparhawk12345678": "password_guessable", "firehawkfirehawk": "password_guessable", "sparhawk firehawk": "",
	} {
		_, err := account.GoodPassword(password, []string{"ann.smith@example.com"})
		if reason(err) != why {
			t.Errorf("%q: %q, want %q", password, reason(err), why)
		}
	}
}

// What is good is good in every way of typing it, and comes out the same.
func TestPasswordsAreNormal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(0, 200, -1).Draw(t, "password")
		once, err := account.GoodPassword(s, nil)
		if err != nil {
			return
		}
		if again, err := account.GoodPassword(once, nil); err != nil || again != once {
			t.Errorf("%q, then %q, %v", once, again, err)
		}
	})
}

// member is somebody who has just signed in with a code and set a password.
func (h *house) member(email, password string) (account.Session, string) {
	h.Helper()
	h.door.Cheaply(1)
	token, _ := h.signIn(email)
	s, _, err := h.door.Who(h.Context(), token)
	if err != nil {
		h.Fatal(err)
	}
	h.Clock.Add(time.Second) // letters of one instant are in no order
	if err := h.door.SetPassword(h.Context(), s, "", password); err != nil {
		h.Fatal(err)
	}
	return s, token
}

func (h *house) enter(email, password string) (string, error) {
	token, _, err := h.door.EnterPassword(h.Context(), email, password, account.Browser{Client: "192.0.2.1"})
	return token, err
}

// last is the subject of the newest letter.
func (h *house) last(email string) string {
	all := h.letters(email)
	return all[len(all)-1].Subject
}

// A password opens the account, until it is changed or removed; whatever does not
// fit is answered alike; setting it ends what others have opened, and is told.
func TestPassword(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		elsewhere, _ := h.signIn(ann)
		s, _ := h.member(ann, good)
		if got := h.last(ann); got != "Your password was set" {
			t.Errorf("the owner was told %q", got)
		}
		if _, _, err := h.door.Who(t.Context(), elsewhere); reason(err) != "signed_out" {
			t.Errorf("signed in elsewhere: %v", err)
		}
		token, err := h.enter(" ANN@example.com", "ｕmbrella over kyoto")
		if err != nil {
			t.Fatal(err)
		}
		in, _, err := h.door.Who(t.Context(), token)
		if err != nil || in.Account != s.Account || in.Way != "password" {
			t.Errorf("in: %+v, %v", in, err)
		}
		if got := h.last(ann); got != "New sign-in to your account" {
			t.Errorf("the owner was told %q", got)
		}
		for _, wrong := range [][2]string{{ann, better}, {ann, ""}, {bob, good}, {ann, "umbrella over Kyoto"}, {ann, strings.Repeat("x", 5000)}, {ann, "\xff"}} {
			_, err := h.enter(wrong[0], wrong[1])
			want(t, err, fault.Denied, "password_wrong")
		}

		want(t, h.door.SetPassword(t.Context(), in, better, better), fault.Denied, "current_password_wrong")
		want(t, h.door.SetPassword(t.Context(), in, good, "short"), fault.Invalid, "password_too_short")
		if err := h.door.SetPassword(t.Context(), in, good, better); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.door.Who(t.Context(), token); err != nil {
			t.Errorf("signed out by one's own change: %v", err)
		}
		_, err = h.enter(ann, good)
		want(t, err, fault.Denied, "password_wrong")

		want(t, h.door.RemovePassword(t.Context(), in, good), fault.Denied, "current_password_wrong")
		env.Clock.Add(time.Second)
		if err := h.door.RemovePassword(t.Context(), in, better); err != nil {
			t.Fatal(err)
		}
		if got := h.last(ann); got != "Your password was removed" {
			t.Errorf("the owner was told %q", got)
		}
		_, err = h.enter(ann, better)
		want(t, err, fault.Denied, "password_wrong")
	})
}

// Who has forgotten the password comes in with a code and sets another, but not
// long after, when somebody else may hold the browser.
func TestForgottenPassword(t *testing.T) {
	env := dbtest.SQLite(t)
	h := newHouse(t, env)
	s, _ := h.member(ann, good)
	env.Clock.Add(16 * time.Minute)
	want(t, h.door.SetPassword(t.Context(), s, "", better), fault.Denied, "current_password_wrong")
	thief, err := h.enter(ann, good)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := h.signIn(ann)
	again, _, err := h.door.Who(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.door.SetPassword(t.Context(), again, "", better); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.door.Who(t.Context(), thief); reason(err) != "signed_out" {
		t.Errorf("the other session: %v", err)
	}

	young, _ := h.signIn(bob)
	b, _, err := h.door.Who(t.Context(), young)
	if err != nil {
		t.Fatal(err)
	}
	env.Clock.Add(16 * time.Minute)
	want(t, h.door.SetPassword(t.Context(), b, "", good), fault.Denied, "sign_in_again")
}

// Guessing is limited by address and by client, whether or not the address is
// anybody's, and a code still opens the account.
func TestPasswordTriesAreLimited(t *testing.T) {
	env := dbtest.SQLite(t)
	h := newHouse(t, env)
	h.member(ann, good)
	for _, email := range []string{ann, bob} {
		for range 10 {
			_, err := h.enter(email, better)
			want(t, err, fault.Denied, "password_wrong")
		}
		_, err := h.enter(email, good)
		want(t, err, fault.TooMany, "too_many_entries")
	}
	h.signIn(ann)
	for i := range 40 {
		_, err := h.enter(fmt.Sprintf("c%d@example.com", i), good)
		want(t, err, fault.Denied, "password_wrong")
	}
	_, err := h.enter("carol@example.com", good)
	want(t, err, fault.TooMany, "too_many_entries")
	env.Clock.Add(time.Hour)
	if _, err := h.enter(ann, good); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// For an address that nobody has, and for an account without a password, a
// password is hashed as well: the answer takes as long.
func TestHashingIsUniform(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.member(ann, good)
	h.signIn(bob)
	defer account.Occupy()()
	for _, email := range []string{ann, bob, "nobody@example.com"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, _, err := h.door.EnterPassword(ctx, email, good, account.Browser{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s was answered without hashing: %v", email, err)
		}
	}
}

// What was hashed with less work is hashed anew when it is entered; a hash fits
// no other account and no other door.
func TestHashesAreRenewedAndBound(t *testing.T) {
	env := dbtest.SQLite(t)
	h := newHouse(t, env)
	a, _ := h.member(ann, good)
	b, _ := h.member(bob, better)
	read := func(of string) (phc string) {
		err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return tx.QueryRow(ctx, `SELECT hash FROM passwords WHERE account_id = $1`, of).Scan(&phc)
		})
		if err != nil {
			t.Fatal(err)
		}
		return phc
	}
	h.door.Cheaply(2)
	if _, err := h.enter(ann, good); err != nil || !strings.HasPrefix(read(a.Account), "$argon2id$v=19$m=64,t=2,p=1$") {
		t.Errorf("%s, %v", read(a.Account), err)
	}
	if _, err := h.enter(ann, good); err != nil {
		t.Errorf("with the new hash: %v", err)
	}
	err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE passwords SET hash = $2 WHERE account_id = $1`, b.Account, read(a.Account))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.enter(bob, good)
	want(t, err, fault.Denied, "password_wrong")
	h.door.Secret = []byte("another pepper than it was")
	_, err = h.enter(ann, good)
	want(t, err, fault.Denied, "password_wrong")
}

// A browser that was marked is known, until other sessions are ended.
func TestKnownBrowsers(t *testing.T) {
	env := dbtest.SQLite(t)
	h := newHouse(t, env)
	s, _ := h.member(ann, good)
	mark := h.door.Mark(s.Account)
	other, _ := h.member(bob, better)
	told := func(mark string) bool {
		t.Helper()
		env.Clock.Add(time.Second)
		n := len(h.letters(ann))
		if _, _, err := h.door.EnterPassword(t.Context(), ann, good, account.Browser{Mark: mark}); err != nil {
			t.Fatal(err)
		}
		return len(h.letters(ann)) > n
	}
	if told(mark) {
		t.Error("the owner was told of a known browser")
	}
	for _, none := range []string{"", "x", "1.x", h.door.Mark(other.Account), "9" + mark} {
		if !told(none) {
			t.Errorf("the owner was not told of a browser marked %q", none)
		}
	}
	if err := h.door.SignOutOthers(t.Context(), s.Account, ""); err != nil {
		t.Fatal(err)
	}
	if !told(mark) {
		t.Error("a mark outlives the end of all sessions")
	}
}
