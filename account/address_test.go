package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// askAddress asks for an address to be added and reads the code in its mailbox.
func (h *house) askAddress(s account.Session, email string) (challenge, code string) {
	h.Helper()
	h.Clock.Add(time.Second)
	challenge, err := h.door.AskAddress(h.Context(), s, email, account.Browser{Client: "192.0.2.1"})
	if err != nil {
		h.Fatal(err)
	}
	code, ok := strings.CutSuffix(h.last(strings.ToLower(email)), " confirms your address")
	if !ok {
		h.Fatalf("%s got %q", email, h.last(email))
	}
	return challenge, code
}

// A second address is added by who reads its mail, signs in, becomes the first
// when that is removed, and is the last that stays; the owner hears of each change
// at the other addresses.
func TestAddresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		const second = "ann@example.net"
		s := h.owner(ann)
		challenge, code := h.askAddress(s, "Ann@Example.net")
		want(t, h.door.EnterAddress(t.Context(), s, challenge, wrong(code)), fault.Denied, "code_wrong")
		want(t, h.door.EnterAddress(t.Context(), h.owner(bob), challenge, code), fault.Denied, "code_expired")
		if _, _, err := h.door.EnterCode(t.Context(), challenge, code, account.Browser{}); reason(err) != "code_expired" {
			t.Errorf("it signs in: %v", err)
		}
		if err := h.door.EnterAddress(t.Context(), s, challenge, code); err != nil {
			t.Fatal(err)
		}
		want(t, h.door.EnterAddress(t.Context(), s, challenge, code), fault.Denied, "code_expired")
		if got := h.last(ann); got != "An address was added to your account" {
			t.Errorf("the first address was told %q", got)
		}
		env.Clock.Add(time.Second)
		if _, a := h.signIn(second); a.ID != s.Account {
			t.Errorf("the second address opens %s", a.ID)
		}
		all, err := h.door.Addresses(t.Context(), s.Account)
		if err != nil || len(all) != 2 || all[0].Value != ann || !all[0].Primary || all[1].Primary {
			t.Fatalf("%+v, %v", all, err)
		}

		env.Clock.Add(time.Second)
		pending, pendingCode := h.ask(ann)
		if err := h.door.RemoveAddress(t.Context(), h.owner(bob), all[0].ID); err != nil {
			t.Fatal(err)
		}
		env.Clock.Add(time.Second)
		if err := h.door.RemoveAddress(t.Context(), s, all[0].ID); err != nil {
			t.Fatal(err)
		}
		for _, at := range []string{ann, second} {
			if got := h.last(at); got != "An address was removed from your account" {
				t.Errorf("%s was told %q", at, got)
			}
		}
		_, _, err = h.door.EnterCode(t.Context(), pending, pendingCode, account.Browser{})
		want(t, err, fault.Denied, "code_expired")
		want(t, h.door.RemoveAddress(t.Context(), s, all[1].ID), fault.Conflict, "last_address")
		if left, err := h.door.Addresses(t.Context(), s.Account); err != nil || len(left) != 1 || !left[0].Primary {
			t.Errorf("%+v, %v", left, err)
		}
		if _, a := h.signIn(ann); a.ID == s.Account {
			t.Error("a removed address opens the account")
		}
		env.Clock.Add(16 * time.Minute)
		want(t, h.door.RemoveAddress(t.Context(), s, all[1].ID), fault.Denied, "sign_in_again")
		_, err = h.door.AskAddress(t.Context(), s, second, account.Browser{})
		want(t, err, fault.Denied, "sign_in_again")
	})
}

// An address of another account is not taken away, and that is told only to who
// reads its mail; one that was typed and never entered is.
func TestAddressesOfOthers(t *testing.T) {
	env := dbtest.SQLite(t)
	h := newHouse(t, env)
	h.signIn(bob)
	h.ask("carol@example.com") // and never enters the code
	s := h.owner(ann)
	challenge, code := h.askAddress(s, bob)
	want(t, h.door.EnterAddress(t.Context(), s, challenge, code), fault.Conflict, "address_taken")
	challenge, code = h.askAddress(s, "carol@example.com")
	if err := h.door.EnterAddress(t.Context(), s, challenge, code); err != nil {
		t.Fatal(err)
	}
	if n := count(h, `SELECT count(*) FROM accounts`); n != 2 {
		t.Errorf("%d accounts, want 2", n)
	}
}
