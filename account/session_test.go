package account_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

func signedOut(h *house, token string) bool {
	h.Helper()
	_, _, err := h.door.Who(h.Context(), token)
	if err != nil && (fault.KindOf(err) != fault.Denied || reason(err) != "signed_out") {
		h.Errorf("Who: %v", err)
	}
	return err != nil
}

// A session lasts while it is used, and thirty days longer; it ends after a
// year in any case.
func TestSessionLasts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		used, a := h.signIn(ann)
		began := env.Clock.Now()
		env.Clock.Add(time.Minute)
		idle, _ := h.signIn(ann)

		for range 12 {
			env.Clock.Add(29 * 24 * time.Hour)
			if signedOut(h, used) {
				t.Fatalf("signed out after %v of use", env.Clock.Now().Sub(began))
			}
		}
		if !signedOut(h, idle) {
			t.Error("an idle session is still open")
		}
		sessions, err := h.door.Sessions(t.Context(), a.ID)
		if err != nil || len(sessions) != 1 || !sessions[0].ExpiresAt.Equal(began.Add(365*24*time.Hour)) {
			t.Errorf("sessions %+v, %v; want one that ends a year after it began", sessions, err)
		}
		env.Clock.Set(began.Add(365*24*time.Hour - time.Microsecond))
		if signedOut(h, used) {
			t.Error("signed out within the year")
		}
		env.Clock.Add(time.Microsecond)
		if !signedOut(h, used) {
			t.Error("still signed in after a year")
		}
	})
}

// Being seen is written down once an hour, not with every request.
func TestSeenIsSeldomWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		token, _ := h.signIn(ann)
		began := env.Clock.Now()
		seen := func() time.Time {
			s, _, err := h.door.Who(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			return s.SeenAt
		}
		env.Clock.Add(59 * time.Minute)
		seen()
		if got := seen(); !got.Equal(began) {
			t.Errorf("seen at %v, written within the hour", got)
		}
		env.Clock.Add(time.Minute)
		seen()
		if got := seen(); !got.Equal(env.Clock.Now()) {
			t.Errorf("seen at %v, want %v", got, env.Clock.Now())
		}
	})
}

// A session is ended by itself, from another one, or with all others; never by
// another account.
func TestRevoke(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		first, a := h.signIn(ann)
		second, _ := h.signIn(ann)
		third, _ := h.signIn(ann)
		others, b := h.signIn(bob)
		s, _, err := h.door.Who(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(h.door.Revoke(t.Context(), b.ID, s.ID))
		if signedOut(h, first) {
			t.Error("another account ended the session")
		}
		must(h.door.Revoke(t.Context(), a.ID, s.ID))
		must(h.door.SignOut(t.Context(), second))
		must(h.door.SignOut(t.Context(), second))
		must(h.door.SignOut(t.Context(), "no token"))
		if !signedOut(h, first) || !signedOut(h, second) || signedOut(h, third) || signedOut(h, others) {
			t.Error("the wrong sessions have ended")
		}
		fourth, _ := h.signIn(ann)
		keep, _, err := h.door.Who(t.Context(), third)
		must(err)
		must(h.door.SignOutOthers(t.Context(), a.ID, keep.ID))
		if !signedOut(h, fourth) || signedOut(h, third) || signedOut(h, others) {
			t.Error("signing out the others ended the wrong sessions")
		}
		if all, err := h.door.Sessions(t.Context(), a.ID); err != nil || len(all) != 1 || all[0].ID != keep.ID {
			t.Errorf("sessions %+v, %v; want the one that was kept", all, err)
		}
	})
}

// A token opens its own session. Any other byte, another account's secret, or a
// link's token opens nothing; nor does any token of a closed account.
func TestTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		a, owner := h.signIn(ann)
		b, _ := h.signIn(bob)
		idOfA, _, _ := strings.Cut(a, ".")
		_, secretOfB, _ := strings.Cut(b, ".")
		link := makeLink(h, owner.ID, env.Clock.Now().Add(time.Hour))
		bad := []string{"", ".", idOfA, idOfA + ".", idOfA + "." + secretOfB, a + "A", a[1:], link, strings.Repeat("a.", 500)}
		for i := range a {
			other := byte('0')
			if a[i] == other {
				other = '1'
			}
			bad = append(bad, a[:i]+string(other)+a[i+1:])
		}
		for _, token := range bad {
			if !signedOut(h, token) {
				t.Errorf("token %q opens a session", token)
			}
		}
		closeAccount(h, owner.ID)
		if !signedOut(h, a) {
			t.Error("a closed account is signed in")
		}
		challenge, code := h.ask(ann)
		_, _, err := h.door.EnterCode(t.Context(), challenge, code, account.Browser{})
		want(t, err, fault.Denied, "account_closed")
	})
}

func closeAccount(h *house, account string) {
	h.Helper()
	err := h.DB.Write(h.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET state = 'closed' WHERE account_id = $1`, account)
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
}

// makeLink makes a link to the line ln_1.
func makeLink(h *house, account string, expires time.Time) string {
	h.Helper()
	token, err := db.Written(h.Context(), h.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		return h.door.MakeLink(ctx, tx, account, "ln_1", expires)
	})
	if err != nil {
		h.Fatal(err)
	}
	return token
}

// A link opens its line, again and again, until it expires, and nothing else.
func TestLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		session, a := h.signIn(ann)
		_, b := h.signIn(bob)
		expires := env.Clock.Now().Add(72 * time.Hour)
		first := makeLink(h, a.ID, expires)
		var batch db.Batch
		second := h.door.AddLinkTo(&batch, env.Clock.Now(), b.ID, "ln_2", expires)
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.Batch(ctx, &batch) })
		if err != nil {
			t.Fatal(err)
		}
		opens := func(token, account, line string) {
			t.Helper()
			gotAccount, gotLine, err := h.door.OpenLink(t.Context(), token)
			if err != nil || gotAccount != account || gotLine != line {
				t.Errorf("opened %s %s, %v; want %s %s", gotAccount, gotLine, err, account, line)
			}
		}
		refused := func(token string, k fault.Kind, why string) {
			t.Helper()
			account, line, err := h.door.OpenLink(t.Context(), token)
			want(t, err, k, why)
			if account != "" || line != "" {
				t.Errorf("a refused link names %s %s", account, line)
			}
		}
		opens(first, a.ID, "ln_1")
		opens(first, a.ID, "ln_1")
		opens(second, b.ID, "ln_2")
		idOfFirst, secretOfFirst, _ := strings.Cut(first, ".")
		_, secretOfSecond, _ := strings.Cut(second, ".")
		for _, token := range []string{
			"", idOfFirst, idOfFirst + "." + secretOfSecond, idOfFirst + "." + secretOfFirst[1:], session, first + "x",
		} {
			refused(token, fault.NotFound, "link_unknown")
		}
		env.Clock.Set(expires.Add(-time.Microsecond))
		opens(first, a.ID, "ln_1")
		closeAccount(h, b.ID)
		refused(second, fault.Denied, "account_closed")
		env.Clock.Set(expires)
		refused(first, fault.Denied, "link_expired")
		refused(idOfFirst+"."+secretOfSecond, fault.NotFound, "link_unknown") // not even that it existed
	})
}

// What a browser says of itself reaches nobody in its own words.
func TestAgent(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0": "Edge (Windows)",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1":     "Safari (iPhone)",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36":         "Chrome (Android)",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.60":               "WeChat (iPhone)",
		"Your account is blocked! Go to https://evil.example":                                                                           "",
		"curl/8.5.0": "",
		"":           "",
	} {
		if got := account.Describe(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
