package account_test

import (
	"context"
	"net/mail"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// Every refusal can be said in every complete language.
func TestTexts(t *testing.T) {
	if err := account.Texts().Check(); err != nil {
		t.Error(err)
	}
}

// Different ways to type one address are one address; what mail cannot reach is
// turned away.
func TestNormalise(t *testing.T) {
	for typed, want := range map[string]string{
		"ann@example.com":                      "ann@example.com",
		"  Ann.B+jp@Example.COM\n":             "ann.b+jp@example.com",
		"ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ":                      "ann@example.com",
		"ann@example。com":                      "ann@example.com",
		"用户@例え.テスト":                            "用户@例え.テスト",
		"o'neil_{x}@sub.example.co.jp":         "o'neil_{x}@sub.example.co.jp",
		"H\u0331@example.com":                  "\u1e96@example.com", // composed in lower case only
		"bob@xn--r8jz45g.jp":                   "bob@xn--r8jz45g.jp",
		"\u212aim@example.com":                 "kim@example.com", // the sign of Kelvin
		strings.Repeat("a", 64) + "@b.c":       strings.Repeat("a", 64) + "@b.c",
		strings.Repeat("a", 65) + "@b.c":       "",
		"a@" + strings.Repeat("b", 64) + ".c":  "",
		"a@" + strings.Repeat("b.", 130) + "c": "",
		"":                                     "",
		"ann":                                  "",
		"@example.com":                         "",
		"ann@":                                 "",
		"ann@example":                          "",
		"ann@example..com":                     "",
		"ann@.example.com":                     "",
		"ann@example.com.":                     "",
		"ann@-example.com":                     "",
		"ann@192.0.2.1":                        "",
		"ann@[192.0.2.1]":                      "",
		".ann@example.com":                     "",
		"a..b@example.com":                     "",
		"a b@example.com":                      "",
		"a@b@example.com":                      "",
		"a,b@example.com":                      "",
		"Ann <ann@example.com>":                "",
		"\"ann\"@example.com":                  "",
		"ann@example.com\r\nBcc: x@y.z":        "",
		"ann\x00@example.com":                  "",
		"ann\u202e@example.com":                "",
		"ann\u200b@example.com":                "",
		"ann@exa\u00admple.com":                "",
		"ann@exam_ple.com":                     "",
		"\xff@example.com":                     "",
	} {
		got, err := account.Normalise(typed)
		switch {
		case want == "" && (fault.KindOf(err) != fault.Invalid || got != ""):
			t.Errorf("%q: %q, %v; want it refused", typed, got, err)
		case want != "" && (err != nil || got != want):
			t.Errorf("%q: %q, %v; want %q", typed, got, err, want)
		}
	}
}

// What is taken is in its final form, on one line, and an address to others too.
func TestNormaliseIsFinal(t *testing.T) {
	part := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("abAB09.-_+@ \r\n。．İıẞﬁK\u0345\u1e9e")), rapid.Rune()))
	rapid.Check(t, func(t *rapid.T) {
		s, err := account.Normalise(part.Draw(t, "local") + "@" + part.Draw(t, "domain") + rapid.SampledFrom([]string{"", ".com", ".Jp"}).Draw(t, "top"))
		if err != nil {
			return
		}
		if again, err := account.Normalise(s); err != nil || again != s {
			t.Errorf("%q becomes %q, %v", s, again, err)
		}
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			t.Errorf("%q is %v, %v to others", s, a, err)
		}
	})
}

// A household's addresses are one client.
func TestNetwork(t *testing.T) {
	for client, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", " 192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "chat:42": "chat:42",
	} {
		if got := account.Network(client); got != want {
			t.Errorf("%q counts as %q, want %q", client, got, want)
		}
	}
}

// An imported customer signs in to the account that was made for them.
func TestCreate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		create := func(n account.New) (account.Account, error) {
			return db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
				return account.Create(ctx, tx, h.door.IDs, n)
			})
		}
		made, err := create(account.New{Email: "Ann@Example.com", Name: " Ann\r\nBee\u202e ", Language: "ja", Zone: "Asia/Tokyo", HomeOperator: "Orange"})
		if err != nil {
			t.Fatal(err)
		}
		if made.Name != "Ann Bee" || made.Language != "ja" || made.State != account.Active {
			t.Errorf("made %+v", made)
		}
		_, a := h.signIn(ann)
		if diff := cmp.Diff(made, a); diff != "" {
			t.Errorf("signed in to another account (-made +got):\n%s", diff)
		}
		_, err = create(account.New{Email: ann})
		want(t, err, fault.Conflict, "address_taken")
		_, err = create(account.New{Email: "nowhere"})
		want(t, err, fault.Invalid, "bad_email")
		_, err = create(account.New{Email: bob, Zone: "Mars/Olympus"})
		want(t, err, fault.Invalid, "unknown_zone")
		_, err = create(account.New{Email: bob, Name: strings.Repeat("長", 81)})
		want(t, err, fault.Invalid, "name_too_long")

		found, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
			return account.ByEmail(ctx, tx, "ANN@example.com")
		})
		if err != nil || found.ID != made.ID {
			t.Errorf("by address: %+v, %v", found, err)
		}
	})
}

// Preferences are kept for their own account alone; a language that we have not
// is English.
func TestPreferences(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		_, a := h.signIn(ann)
		_, b := h.signIn(bob)
		set := func(id string, p account.Preferences) error {
			return env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return account.SetPreferences(ctx, tx, id, p)
			})
		}
		get := func(id string) account.Account {
			got, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
				return account.Get(ctx, tx, id)
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if err := set(a.ID, account.Preferences{Name: "Ann", Language: "zh-hans", Zone: "Asia/Taipei", HomeOperator: "CHT"}); err != nil {
			t.Fatal(err)
		}
		wanted := a
		wanted.Name, wanted.Language, wanted.Zone, wanted.HomeOperator = "Ann", "zh-Hans", "Asia/Taipei", "CHT"
		if diff := cmp.Diff(wanted, get(a.ID)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(b, get(b.ID)); diff != "" {
			t.Errorf("another account changed (-want +got):\n%s", diff)
		}
		if err := set(a.ID, account.Preferences{Language: "tlh"}); err != nil || get(a.ID).Language != "en" {
			t.Errorf("Klingon became %q, %v", get(a.ID).Language, err)
		}
		want(t, set("ac_0", account.Preferences{}), fault.NotFound, "no_such_account")
		want(t, set(a.ID, account.Preferences{Zone: "Nowhere"}), fault.Invalid, "unknown_zone")
	})
}
