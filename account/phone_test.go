package account_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/phone"
)

const mobile = "+819012345678"

// texting is a house that sends SMS, too.
func texting(t *testing.T, env dbtest.Env) (h *house, sms *inboxsim.Inbox) {
	t.Helper()
	h, sms = newHouse(t, env), &inboxsim.Inbox{Takes: message.SMS}
	h.mail.Deliverers[message.SMS] = sms
	h.door.SMS = &account.SMS{Countries: []string{"JP", "US"}}
	return h, sms
}

var codeDigits = regexp.MustCompile(`\d{8}(\d{4})?`)

// text is the newest code that a number has got.
func (h *house) text(sms *inboxsim.Inbox, number string) (code string) {
	h.Helper()
	h.letters("")
	all := sms.To(number)
	if len(all) == 0 {
		h.Fatalf("%s has got nothing", number)
	}
	return codeDigits.FindString(all[len(all)-1].Text)
}

// signInByPhone signs in from another network each time.
func (h *house) signInByPhone(sms *inboxsim.Inbox, typed, number string) account.Session {
	h.Helper()
	h.Clock.Add(time.Second)
	challenge, _, err := h.door.AskCodeBySMS(h.Context(), typed, "JP", "en", account.Browser{Client: fmt.Sprint("192.0.2.", h.Clock.Now().Second())})
	if err != nil {
		h.Fatal(err)
	}
	token, _, err := h.door.EnterCode(h.Context(), challenge, h.text(sms, number), account.Browser{})
	if err != nil {
		h.Fatal(err)
	}
	s, _, err := h.door.Who(h.Context(), token)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

// A number opens an account, however it is typed; it is told by SMS, has a password,
// gets a mail address that it is then written to, and gives the number up.
func TestAccountOfATelephone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h, sms := texting(t, env)
		s := h.signInByPhone(sms, "090-1234-5678", mobile)
		if again := h.signInByPhone(sms, "+81 90 1234 5678", mobile); again.Account != s.Account {
			t.Errorf("the same number opens %s and %s", s.Account, again.Account)
		}
		if primary := h.primary(s.Account); primary.Channel != message.SMS || primary.Value != mobile {
			t.Errorf("written to at %+v", primary)
		}
		h.door.Cheaply(1)
		want(t, h.door.SetPassword(t.Context(), s, "", "xyz 819012345678 xy"), fault.Invalid, "password_guessable")
		if err := h.door.SetPassword(t.Context(), s, "", "tall orange lanterns at dusk"); err != nil {
			t.Fatal(err)
		}
		if _, a, err := h.door.EnterPasswordByPhone(t.Context(), "09012345678", "JP", "tall orange lanterns at dusk", account.Browser{}); err != nil || a.ID != s.Account {
			t.Errorf("the password opens %s, %v", a.ID, err)
		}
		_, _, err := h.door.EnterPasswordByPhone(t.Context(), "09012345678", "JP", "another password that is long", account.Browser{})
		want(t, err, fault.Denied, "password_wrong")
		_, _, err = h.door.EnterPasswordByPhone(t.Context(), "08012345678", "JP", "another password that is long", account.Browser{})
		want(t, err, fault.Denied, "password_wrong")

		s = h.signInByPhone(sms, mobile, mobile)
		all := h.addresses(s.Account)
		want(t, h.door.RemoveAddress(t.Context(), s, all[0].ID), fault.Conflict, "last_address")
		challenge, code := h.askAddress(s, ann)
		if err := h.door.EnterAddress(t.Context(), s, challenge, code); err != nil {
			t.Fatal(err)
		}
		if primary := h.primary(s.Account); primary.Value != ann {
			t.Errorf("with a mail address, written to at %+v", primary)
		}
		challenge, _, err = h.door.AskNumber(t.Context(), s, "(415) 555-2671", "US", account.Browser{Client: "192.0.2.99"})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.door.EnterAddress(t.Context(), s, challenge, h.text(sms, "+14155552671")); err != nil {
			t.Fatal(err)
		}
		all = h.addresses(s.Account)
		if len(all) != 3 || all[0].Value != ann || all[1].Value != mobile || all[2].Said() != "+1 415-555-2671" || all[1].Primary {
			t.Fatalf("%+v", all)
		}
		if err := h.door.RemoveAddress(t.Context(), s, all[1].ID); err != nil {
			t.Fatal(err)
		}
		h.letters("")
		if got := sms.To(mobile); !strings.Contains(got[len(got)-1].Text, "removed") {
			t.Errorf("the removed number was told %q", got[len(got)-1].Text)
		}
		if other := h.signInByPhone(sms, mobile, mobile); other.Account == s.Account {
			t.Error("a removed number opens the account")
		}
	})
}

func (h *house) primary(of string) (to message.Address) {
	h.Helper()
	to, err := db.Seen(h.Context(), h.DB, func(ctx context.Context, tx db.Tx) (message.Address, error) {
		return account.PrimaryAddress(ctx, tx, of)
	})
	if err != nil {
		h.Fatal(err)
	}
	return to
}

func (h *house) addresses(of string) []account.Address {
	h.Helper()
	all, err := h.door.Addresses(h.Context(), of)
	if err != nil {
		h.Fatal(err)
	}
	return all
}

// A number that nobody has costs the same statements as one that somebody has, and a
// number that was typed and never entered is free after a day.
func TestNumbersTellNothing(t *testing.T) {
	h, sms := texting(t, dbtest.SQLite(t))
	h.signInByPhone(sms, mobile, mobile)
	h.Clock.Add(time.Hour)
	statements := func(number string) []string {
		said, err := db.Written(t.Context(), h.DB, func(ctx context.Context, tx db.Tx) ([]string, error) {
			var said []string
			_, err := h.door.AskIn(ctx, counting{tx, &said}, number)
			return said, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	if diff := cmp.Diff(statements(mobile), statements("+818012345678")); diff != "" {
		t.Errorf("statements for a known number (-) and an unknown one (+):\n%s", diff)
	}
	h.Clock.Add(25 * time.Hour)
	for worked := true; worked; {
		var err error
		if worked, err = h.door.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(h, `SELECT count(*) FROM directory WHERE kind = 'phone'`); n != 1 {
		t.Errorf("%d numbers are known, want that of the one who entered a code", n)
	}
	if n := count(h, `SELECT count(*) FROM addresses`); n != 1 {
		t.Errorf("%d addresses", n)
	}
}

// What is no number, no mobile, or of a country that gets no SMS is refused, and
// without SMS everything is.
func TestNumbersThatGetNothing(t *testing.T) {
	h, _ := texting(t, dbtest.SQLite(t))
	for typed, why := range map[string]string{
		"": "bad_number", "12": "bad_number", ann: "bad_number", "03-1234-5678": "number_not_mobile", "0990-123-456": "number_not_mobile",
		"+18762101234": "number_country", "+447400123456": "number_country",
	} {
		_, _, err := h.door.AskCodeBySMS(t.Context(), typed, "JP", "ja", account.Browser{})
		want(t, err, fault.Invalid, why)
	}
	h.door.SMS = nil
	_, _, err := h.door.AskCodeBySMS(t.Context(), mobile, "JP", "ja", account.Browser{})
	want(t, err, fault.Invalid, "no_sms")
	if n := count(h, `SELECT count(*) FROM messages`); n != 0 {
		t.Errorf("%d messages were queued", n)
	}
	for _, wrong := range []account.SMS{{}, {Countries: []string{"81"}}, {Countries: []string{"JP"}, PerHour: -1}} {
		if wrong.Check() == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
}

// Somebody who has codes sent to numbers of theirs is stopped by the number, the
// network, the range, the country, and in all.
func TestPumpingEnds(t *testing.T) {
	for name, c := range map[string]struct {
		number, client func(i int) string
		most           int
	}{
		"one number":  {func(int) string { return mobile }, func(i int) string { return fmt.Sprint("198.51.100.", i) }, 5},
		"one network": {func(i int) string { return fmt.Sprintf("+8190%04d5678", i*37+1000) }, func(int) string { return "198.51.100.1" }, 8},
		"a range":     {func(i int) string { return fmt.Sprintf("+819012345%03d", i) }, func(i int) string { return fmt.Sprint("198.51.100.", i) }, 20},
		"a country":   {func(i int) string { return fmt.Sprintf("+8190%04d5678", i*37+1000) }, func(i int) string { return fmt.Sprint("198.51.100.", i) }, 25},
		"everybody":   {func(i int) string { return fmt.Sprintf([]string{"+8190%04d5678", "+1415%04d267"}[i%2], i*37+2000) }, func(i int) string { return fmt.Sprint("198.51.100.", i) }, 40},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := texting(t, dbtest.SQLite(t))
			h.door.SMS.PerHour, h.door.SMS.PerCountry = 40, 25
			sent := 0
			for i := range 60 {
				_, _, err := h.door.AskCodeBySMS(t.Context(), c.number(i), "JP", "ja", account.Browser{Client: c.client(i)})
				switch {
				case err == nil:
					sent++
				case fault.KindOf(err) != fault.TooMany || reason(err) != "too_many_codes":
					t.Fatalf("%s: %v", c.number(i), err)
				}
			}
			if sent != c.most {
				t.Errorf("%d SMS were sent, want %d", sent, c.most)
			}
		})
	}
	t.Run("one number, all day", func(t *testing.T) {
		h, _ := texting(t, dbtest.SQLite(t))
		sent := 0
		for i := range 100 {
			h.Clock.Add(13 * time.Minute)
			if _, _, err := h.door.AskCodeBySMS(t.Context(), mobile, "JP", "ja", account.Browser{Client: fmt.Sprint("198.51.100.", i)}); err == nil {
				sent++
			}
		}
		if sent != 10 {
			t.Errorf("%d SMS were sent within a day, want 10", sent)
		}
	})
}

// The code to a card's line shows who holds it: to its number, which the row does not
// name; for a card whose number nobody knows everything looks the same.
func TestClaimCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h, sms := texting(t, env)
		s := h.owner(ann)
		const card, other = "8981100000000000010", "8981100000000000028"
		ask := func(iccid, number string) string {
			h.Clock.Add(time.Second)
			challenge, err := h.door.AskClaimCode(t.Context(), account.CardAsk{Account: s.Account, ICCID: iccid, Number: number, From: account.Browser{Client: "192.0.2.7"}})
			if err != nil {
				t.Fatal(err)
			}
			return challenge
		}
		enter := func(of, challenge, code string) (string, string) {
			type answer struct{ iccid, why string }
			a, err := db.Written(t.Context(), h.DB, func(ctx context.Context, tx db.Tx) (answer, error) {
				iccid, refused, err := h.door.EnterClaimCode(ctx, tx, of, challenge, code)
				if refused != nil {
					return answer{why: refused.Reason}, err
				}
				return answer{iccid: iccid}, err
			})
			if err != nil {
				t.Fatal(err)
			}
			return a.iccid, a.why
		}
		challenge := ask(card, "81 90-1234-5678")
		code := h.text(sms, card) // who completes messages finds the number
		if n := count(h, `SELECT count(*) FROM messages WHERE address LIKE '%9012345678%' OR facts LIKE '%9012345678%'`); n != 0 {
			t.Error("a row names the number of a card that is nobody's yet")
		}
		if _, why := enter(s.Account, challenge, wrong(code)); why != "code_wrong" {
			t.Errorf("a wrong code: %s", why)
		}
		if _, why := enter(h.owner(bob).Account, challenge, code); why != "code_expired" {
			t.Errorf("somebody else's challenge: %s", why)
		}
		if iccid, why := enter(s.Account, challenge, code); iccid != card {
			t.Errorf("the right code: %q, %s", iccid, why)
		}
		if _, why := enter(s.Account, challenge, code); why != "code_expired" {
			t.Errorf("the right code again: %s", why)
		}
		before := count(h, `SELECT count(*) FROM messages`)
		for _, number := range []string{"", "080-1234-5678", "+18762101234"} { // none, no whole one, a country without SMS
			if _, why := enter(s.Account, ask(other, number), "00000000"); why != "code_wrong" {
				t.Errorf("a card with number %q: %s", number, why)
			}
		}
		if n := count(h, `SELECT count(*) FROM messages`); n != before {
			t.Errorf("%d messages to nobody", n-before)
		}
		for range 10 {
			_, err := h.door.AskClaimCode(t.Context(), account.CardAsk{Account: s.Account, ICCID: other, From: account.Browser{Client: "192.0.2.7"}})
			if err != nil {
				want(t, err, fault.TooMany, "too_many_codes") // from one network
				return
			}
		}
		t.Error("one card can be asked about for ever")
	})
}

// The code that renews a line goes to a telephone only where messages about lines go,
// and never says that it could not be sent.
func TestLineCodeByTelephone(t *testing.T) {
	h, sms := texting(t, dbtest.SQLite(t))
	only := h.signInByPhone(sms, mobile, mobile)
	ask := func(of string) int {
		h.Clock.Add(time.Second)
		before := len(sms.Letters())
		if _, err := h.door.AskLineCode(t.Context(), account.LineAsk{Number: of, Account: of, Line: "ln_1", LastFour: "0010", From: account.Browser{Client: "192.0.2.9"}}); err != nil {
			t.Fatal(err)
		}
		h.letters("")
		return len(sms.Letters()) - before
	}
	if n := ask(only.Account); n != 1 {
		t.Errorf("%d SMS to who has a telephone alone", n)
	}
	both := h.owner(ann)
	challenge, n, err := h.door.AskNumber(t.Context(), both, "08012345678", "JP", account.Browser{Client: "192.0.2.10"})
	if err != nil || n != phone.Number("+818012345678") {
		t.Fatal(n, err)
	}
	if err := h.door.EnterAddress(t.Context(), both, challenge, h.text(sms, string(n))); err != nil {
		t.Fatal(err)
	}
	if n := ask(both.Account); n != 0 {
		t.Errorf("%d SMS to who is told by mail", n)
	}
	err = h.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return account.SetTelling(ctx, tx, both.Account, account.Telling{Wishes: map[message.Theme]account.Wish{message.AboutLines: {SMS: true}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := ask(both.Account); n != 1 {
		t.Errorf("%d SMS to who wishes them", n)
	}
	h.door.SMS.PerHour = 1
	if n := ask(both.Account); n != 0 {
		t.Errorf("%d SMS beyond the limit", n)
	}
}
