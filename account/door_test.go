package account_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
)

const ann, bob = "ann@example.com", "bob@example.com"

// house is a door with a mailbox for everybody who knocks.
type house struct {
	*testing.T
	dbtest.Env
	door  *account.Door
	inbox *inboxsim.Inbox
	mail  *message.Sender
}

func newHouse(t *testing.T, env dbtest.Env) *house {
	t.Helper()
	h := &house{T: t, Env: env, inbox: &inboxsim.Inbox{}}
	h.door = &account.Door{
		DB: env.DB, IDs: id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{7})), Secret: []byte("pepper pepper pepper"),
	}
	h.mail = &message.Sender{
		DB: env.DB, From: message.From{Seller: "Kumo", URL: "https://shop.example"}, AtOnce: 1,
		Deliverers: map[message.Channel]message.Deliverer{message.Email: h.inbox},
	}
	return h
}

// letters are those that were sent to an address, oldest first.
func (h *house) letters(email string) []inboxsim.Kept {
	h.Helper()
	for {
		worked, err := h.mail.Step(h.Context())
		if err != nil {
			h.Fatal(err)
		}
		if !worked {
			return h.inbox.To(email)
		}
	}
}

// ask asks for a code and reads it in the mailbox.
func (h *house) ask(email string) (challenge, code string) {
	h.Helper()
	challenge, err := h.door.AskCode(h.Context(), email, "en", account.Browser{Client: "192.0.2.1"})
	if err != nil {
		h.Fatal(err)
	}
	for _, l := range h.letters(strings.ToLower(email)) {
		if digits, ok := strings.CutSuffix(l.Subject, " is your sign-in code"); ok {
			code = digits
		}
	}
	return challenge, code
}

func (h *house) signIn(email string) (token string, a account.Account) {
	h.Helper()
	challenge, code := h.ask(email)
	token, a, err := h.door.EnterCode(h.Context(), challenge, code, account.Browser{})
	if err != nil {
		h.Fatal(err)
	}
	return token, a
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := err.(*fault.Error); ok { //nolint:errorlint // what the customer would see, unwrapped
		return e.Reason
	}
	return err.Error()
}

func want(t *testing.T, err error, k fault.Kind, why string) {
	t.Helper()
	if fault.KindOf(err) != k || reason(err) != why {
		t.Errorf("error %v (%s, %s), want %s, %s", err, fault.KindOf(err), reason(err), k, why)
	}
}

func wrong(code string) string {
	if strings.Trim(code, "0") == "" {
		return strings.Repeat("1", len(code))
	}
	return strings.Repeat("0", len(code))
}

// The code from the mailbox opens a session, once, and confirms the address;
// the next time it is the same account, and its owner is told.
func TestSignIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		challenge, code := h.ask(ann)
		pasted := " " + code[:3] + " " + code[3:] + "\n"
		token, a, err := h.door.EnterCode(t.Context(), challenge, pasted, account.Browser{Agent: "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0"})
		if err != nil {
			t.Fatal(err)
		}
		if a.State != account.Active || a.Language != "en" {
			t.Errorf("account %+v, want an active English one", a)
		}
		s, who, err := h.door.Who(t.Context(), token)
		if diff := cmp.Diff(a, who); err != nil || diff != "" || s.Account != a.ID || s.Agent != "Firefox (Android)" {
			t.Errorf("Who: %+v, %v, account (-want +got):\n%s", s, err, diff)
		}
		_, _, err = h.door.EnterCode(t.Context(), challenge, code, account.Browser{})
		want(t, err, fault.Denied, "code_expired")

		to, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (message.Address, error) {
			return account.PrimaryAddress(ctx, tx, a.ID)
		})
		if err != nil || to.Value != ann {
			t.Errorf("primary address %v, %v", to, err)
		}

		if n := len(h.letters(ann)); n != 1 {
			t.Errorf("%d letters after the first sign-in, want the code alone", n)
		}
		_, again := h.signIn(strings.ToUpper(ann))
		if again.ID != a.ID {
			t.Errorf("the second sign-in opened %s, want %s", again.ID, a.ID)
		}
		letters := h.letters(ann)
		if last := letters[len(letters)-1]; len(letters) != 3 || last.Subject != "New sign-in to your account" {
			t.Errorf("%d letters, the last about %q; want a word about the new sign-in", len(letters), last.Subject)
		}
	})
}

// Five wrong codes and a challenge is worthless, even with the right one.
func TestGuessing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		challenge, code := h.ask(ann)
		for i := range 5 {
			_, _, err := h.door.EnterCode(t.Context(), challenge, wrong(code), account.Browser{})
			if i < 4 {
				want(t, err, fault.Denied, "code_wrong")
			} else {
				want(t, err, fault.Denied, "code_expired")
			}
		}
		_, _, err := h.door.EnterCode(t.Context(), challenge, code, account.Browser{})
		want(t, err, fault.Denied, "code_expired")

		for _, bad := range []string{"", "12345", "1234567", "12345a", "١٢٣٤٥٦", strings.Repeat("1", 1000)} {
			_, _, err := h.door.EnterCode(t.Context(), challenge, bad, account.Browser{})
			want(t, err, fault.Invalid, "code_format")
		}
	})
}

// Tries side by side are counted one by one.
func TestGuessingSideBySide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		challenge, code := h.ask(ann)
		var lock sync.Mutex
		reasons := map[string]int{}
		var guesses sync.WaitGroup
		for range 20 {
			guesses.Go(func() {
				_, _, err := h.door.EnterCode(t.Context(), challenge, wrong(code), account.Browser{})
				lock.Lock()
				defer lock.Unlock()
				reasons[reason(err)]++
			})
		}
		guesses.Wait()
		if reasons["code_wrong"] != 4 || reasons["code_expired"] != 16 {
			t.Errorf("answers %v, want 4 tries that counted and no more", reasons)
		}
	})
}

// However many enter the right code at once, it opens one session.
func TestOneSessionPerCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		challenge, code := h.ask(ann)
		var lock sync.Mutex
		var tokens []string
		var entries sync.WaitGroup
		for range 5 {
			entries.Go(func() {
				token, _, err := h.door.EnterCode(t.Context(), challenge, code, account.Browser{})
				lock.Lock()
				defer lock.Unlock()
				if err == nil {
					tokens = append(tokens, token)
				} else {
					want(t, err, fault.Denied, "code_expired")
				}
			})
		}
		entries.Wait()
		if len(tokens) != 1 {
			t.Fatalf("%d sessions, want 1", len(tokens))
		}
		_, a, err := h.door.Who(t.Context(), tokens[0])
		if err != nil {
			t.Fatal(err)
		}
		if all, err := h.door.Sessions(t.Context(), a.ID); err != nil || len(all) != 1 {
			t.Errorf("%d sessions, %v; want 1", len(all), err)
		}
	})
}

// A challenge is good for ten minutes, for its own code, at this door.
func TestChallenge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		first, code := h.ask(ann)
		second, otherCode := h.ask(ann)
		foreign, foreignCode := h.ask(bob)
		enter := func(challenge, code string) error {
			_, _, err := h.door.EnterCode(t.Context(), challenge, code, account.Browser{})
			return err
		}
		want(t, enter(first, otherCode), fault.Denied, "code_wrong")
		want(t, enter(first, foreignCode), fault.Denied, "code_wrong")
		for _, none := range []string{"", "x", first[1:], first + "A", strings.Repeat("A", 83), strings.Repeat("A", 1000)} {
			want(t, enter(none, code), fault.Denied, "code_expired")
		}
		other := *h.door
		other.Secret = []byte("another pepper than it was")
		_, _, err := other.EnterCode(t.Context(), first, code, account.Browser{})
		want(t, err, fault.Denied, "code_expired")

		env.Clock.Add(10*time.Minute - time.Microsecond)
		if err := enter(second, otherCode); err != nil {
			t.Errorf("within ten minutes: %v", err)
		}
		want(t, enter(first, code), fault.Denied, "code_expired") // the mailbox's owner has come in
		env.Clock.Add(time.Microsecond)
		want(t, enter(foreign, foreignCode), fault.Denied, "code_expired")
	})
}

// counting is a transaction that notes which statements it executes.
type counting struct {
	db.Tx
	said *[]string
}

func (c counting) note(query string) {
	*c.said = append(*c.said, strings.Join(strings.Fields(query), " "))
}

func (c counting) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	c.note(query)
	return c.Tx.Exec(ctx, query, args...)
}

func (c counting) Query(ctx context.Context, query string, args ...any) (db.Rows, error) {
	c.note(query)
	return c.Tx.Query(ctx, query, args...)
}

func (c counting) QueryRow(ctx context.Context, query string, args ...any) db.Row {
	c.note(query)
	return c.Tx.QueryRow(ctx, query, args...)
}

// Whether an address is registered cannot be told from outside: the same
// statements are executed, the same message is sent, and the challenge is as
// long and says nothing about the account.
func TestUniform(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		_, known := h.signIn(ann)
		env.Clock.Add(24 * time.Hour)
		statements := func(email string) []string {
			said, err := db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]string, error) {
				var said []string
				_, err := h.door.AskIn(ctx, counting{tx, &said}, email)
				return said, err
			})
			if err != nil {
				t.Fatal(err)
			}
			return said
		}
		if diff := cmp.Diff(statements(ann), statements("new@example.com")); diff != "" {
			t.Errorf("statements for a known address (-) and an unknown one (+):\n%s", diff)
		}

		toKnown, _ := h.ask(ann)
		toUnknown, _ := h.ask(bob)
		if len(toKnown) != len(toUnknown) || strings.Contains(toKnown, strings.TrimPrefix(known.ID, "ac_")) {
			t.Errorf("challenges %q and %q", toKnown, toUnknown)
		}
		letter := func(email string) string {
			all := h.letters(email)
			l := all[len(all)-1]
			return strings.ReplaceAll(l.Subject+l.Text, strings.Fields(l.Subject)[0], "CODE")
		}
		if diff := cmp.Diff(letter(ann), letter(bob)); diff != "" {
			t.Errorf("letters (-known +unknown):\n%s", diff)
		}
	})
}

// Codes are limited by address, by client and in all, and the limit ends.
func TestLimits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		ask := func(email, client string) error {
			_, err := h.door.AskCode(t.Context(), email, "ja", account.Browser{Client: client})
			return err
		}
		for i := range 15 { // five from each of three networks
			if err := ask(ann, fmt.Sprint("192.0.2.", i/5)); err != nil {
				t.Fatal(err)
			}
			if i == 4 {
				want(t, ask(ann, "192.0.2.0"), fault.TooMany, "too_many_codes")
			}
		}
		err := ask("ANN@example.com ", "192.0.2.99")
		want(t, err, fault.TooMany, "too_many_codes")
		if n := len(h.letters(ann)); n != 15 {
			t.Errorf("%d letters, want 15", n)
		}
		env.Clock.Add(59*time.Minute + 59*time.Second)
		want(t, ask(ann, "192.0.2.99"), fault.TooMany, "too_many_codes")
		env.Clock.Add(time.Second)
		if err := ask(ann, "192.0.2.99"); err != nil {
			t.Errorf("an hour later: %v", err)
		}

		for i := range 20 {
			if err := ask(fmt.Sprintf("c%d@example.com", i), fmt.Sprintf("2001:db8:0:1::%x", i)); err != nil {
				t.Fatal(err)
			}
		}
		want(t, ask("c20@example.com", "2001:db8:0:1:ffff::1"), fault.TooMany, "too_many_codes")
		if err := ask("c20@example.com", "2001:db8:0:2::1"); err != nil {
			t.Errorf("another client: %v", err)
		}

		h.door.CodesPerHour = 22 // just reached
		want(t, ask("c21@example.com", "203.0.113.1"), fault.TooMany, "too_many_codes")
		want(t, ask("no address", "203.0.113.1"), fault.Invalid, "bad_email")
	})
}

// Two people who sign up with one address at the same time get one account.
func TestSignUpSideBySide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		var asks sync.WaitGroup
		for range 4 {
			asks.Go(func() {
				if _, err := h.door.AskCode(t.Context(), ann, "en", account.Browser{Client: "192.0.2.1"}); err != nil {
					t.Error(err)
				}
			})
		}
		asks.Wait()
		var accounts []string
		for range 2 {
			env.Clock.Add(time.Hour)
			_, a := h.signIn(ann)
			accounts = append(accounts, a.ID)
		}
		if n := count(h, `SELECT count(*) FROM accounts`); n != 1 || len(slices.Compact(accounts)) != 1 {
			t.Errorf("%d accounts, signed in to %v; want one", n, accounts)
		}
	})
}

func count(h *house, query string) int64 {
	h.Helper()
	n, err := db.Seen(h.Context(), h.DB, func(ctx context.Context, tx db.Tx) (int64, error) {
		var n int64
		err := tx.QueryRow(ctx, query).Scan(&n)
		return n, err
	})
	if err != nil {
		h.Fatal(err)
	}
	return n
}

// Nothing that opens a door can be read in the database.
func TestNothingIsStoredInClear(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		_, code := h.ask(bob)
		token, a := h.signIn(ann)
		link := makeLink(h, a.ID, env.Clock.Now().Add(time.Hour))
		for _, secret := range []string{code, token[strings.IndexByte(token, '.')+1:], link[strings.IndexByte(link, '.')+1:], "192.0.2.1"} {
			for _, column := range []string{
				"code_hash FROM challenges", "token_hash FROM sessions", "token_hash FROM links", "bucket FROM limits", "facts FROM messages",
			} {
				name, table, _ := strings.Cut(column, " ")
				if n := count(h, `SELECT count(*) `+table+` WHERE `+name+` LIKE '%`+secret+`%'`); n != 0 {
					t.Errorf("%s holds a secret", column)
				}
			}
		}
	})
}

// A day later nothing is left of codes nobody entered, nor of accounts nobody
// showed to be theirs; those who came in stay.
func TestSweep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		h.ask(bob)
		token, a := h.signIn(ann)
		makeLink(h, a.ID, env.Clock.Now().Add(time.Hour))
		sweep := func() {
			for range 10 {
				worked, err := h.door.Step(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !worked {
					return
				}
			}
			t.Error("the sweeper does not come to an end")
		}
		sweep()
		if n := count(h, `SELECT count(*) FROM challenges`); n != 2 {
			t.Errorf("%d challenges kept within the day, want 2", n)
		}
		env.Clock.Add(time.Hour)
		h.ask("dave@example.com")
		env.Clock.Add(24 * time.Hour)
		h.ask("carol@example.com")
		h.ask("dave@example.com") // not abandoned: still trying
		env.Clock.Add(30 * time.Minute)
		sweep()
		for table, n := range map[string]int64{
			"challenges": 2, "limits": 10, "accounts": 3, "addresses": 3, "directory": 3, "sessions": 1, "links": 1,
		} {
			if got := count(h, `SELECT count(*) FROM `+table); got != n {
				t.Errorf("a day later: %d %s, want %d", got, table, n)
			}
		}
		if _, _, err := h.door.Who(t.Context(), token); err != nil {
			t.Errorf("signed out by the sweeper: %v", err)
		}
		h.signIn(bob) // can begin anew
		env.Clock.Add(100 * 24 * time.Hour)
		sweep()
		if n := count(h, `SELECT count(*) FROM sessions`) + count(h, `SELECT count(*) FROM links`); n != 0 {
			t.Errorf("%d sessions and links kept for ever", n)
		}
	})
}
