package account_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// known is a browser in which the owner of an account has signed in.
func (h *house) known(a account.Account, client string) account.Browser {
	return account.Browser{Mark: h.door.Mark(a.ID), Client: client}
}

// Whatever strangers do, from as many networks as they like, the owner comes in with a
// code and with the password in a browser that is known; only there, and a mark opens
// no room at another account.
func TestStrangersDoNotShutTheOwnerOut(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.door.Cheaply(1)
	h.member(ann, good)
	_, a := h.signIn(ann)
	_, b := h.signIn(bob)
	h.door.CodesPerHour = 20 // used up, too
	for network := range 6 {
		from := account.Browser{Client: fmt.Sprintf("203.0.113.%d", network)}
		for range 10 {
			_, _, _ = h.door.EnterPassword(t.Context(), ann, better, from)
		}
		for i := range 5 {
			_, _ = h.door.AskCode(t.Context(), ann, "en", from)
			_, _ = h.door.AskCode(t.Context(), fmt.Sprintf("c%d-%d@example.com", network, i), "en", from)
		}
	}
	for _, stranger := range []account.Browser{{Client: "198.51.100.1"}, h.known(b, "198.51.100.1"), {Client: "198.51.100.1", Mark: "1.x"}} {
		_, _, err := h.door.EnterPassword(t.Context(), ann, good, stranger)
		want(t, err, fault.TooMany, "too_many_entries")
		_, err = h.door.AskCode(t.Context(), ann, "en", stranger)
		want(t, err, fault.TooMany, "too_many_codes")
	}
	h.Clock.Add(time.Second)
	owner := h.known(a, "203.0.113.1")
	if _, _, err := h.door.EnterPassword(t.Context(), ann, good, owner); err != nil {
		t.Errorf("the owner's password: %v", err)
	}
	challenge, err := h.door.AskCode(t.Context(), ann, "en", owner)
	if err != nil {
		t.Fatal(err)
	}
	code, _, _ := strings.Cut(h.last(ann), " ")
	if _, _, err := h.door.EnterCode(t.Context(), challenge, code, owner); err != nil || len(code) != 12 {
		t.Errorf("the owner's code %s: %v", code, err)
	}
	for range 4 {
		_, _ = h.door.AskCode(t.Context(), ann, "en", owner)
	}
	_, err = h.door.AskCode(t.Context(), ann, "en", owner) // a stolen mark is worth five an hour
	want(t, err, fault.TooMany, "too_many_codes")
}

// Somebody guesses codes of one account for a day and a bit, as fast as limits allow,
// from as many networks as they like and in a browser whose mark they stole. What they
// can win is at most one in a million.
func TestOddsOfGuessingACode(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	_, a := h.signIn(ann)
	h.letters(ann)
	short, long := 0, 0
	for range 50 {
		h.Clock.Add(30 * time.Minute)
		var open []string
		for i := range 15 {
			if c, err := h.door.AskCode(t.Context(), ann, "en", account.Browser{Client: fmt.Sprintf("203.0.113.%d", i/5)}); err == nil {
				open = append(open, c)
			}
		}
		for range 5 {
			if c, err := h.door.AskCode(t.Context(), ann, "en", h.known(a, "198.51.100.1")); err == nil {
				open = append(open, c)
			}
		}
		for i, digits := range h.lengths(len(open)) {
			if digits == 12 {
				long += 5 // each takes as many
				continue
			}
			for range 5 {
				short++
				_, _, err := h.door.EnterCode(t.Context(), open[i], "00000000", account.Browser{})
				if reason(err) != "code_wrong" && reason(err) != "code_expired" {
					t.Fatal(err)
				}
			}
		}
	}
	if short > 100 || long > 1_000_000 || short+long < 1000 {
		t.Errorf("%d tries at eight digits and %d at twelve, want at most 100 and 1,000,000, and a thousand in all", short, long)
	}
}

// lengths are those of the codes of the newest letters, in the order of their challenges.
func (h *house) lengths(n int) (all []int) {
	h.Helper()
	err := h.DB.Read(h.Context(), func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT facts FROM messages WHERE kind = 'sign_in_code' ORDER BY created_at DESC, id LIMIT $1`, int64(n))
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // a test
		for rows.Next() {
			var facts string
			if err := rows.Scan(&facts); err != nil {
				return err
			}
			_, after, _ := strings.Cut(facts, `"code":"`)
			code, _, _ := strings.Cut(after, `"`)
			all = append(all, len(code))
		}
		return rows.Err()
	})
	if err != nil || len(all) != n {
		h.Fatal(len(all), n, err)
	}
	return all
}

// Codes grow long for everybody unknown while many are asked for, and short again.
func TestManyCodesGrowLong(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.door.CodesPerHour = 40
	for i := range 10 {
		if _, err := h.door.AskCode(t.Context(), fmt.Sprintf("c%d@example.com", i), "en", account.Browser{Client: fmt.Sprint("192.0.2.", i)}); err != nil {
			t.Fatal(err)
		}
	}
	challenge, code := h.ask(ann)
	if len(code) != 12 {
		t.Errorf("the eleventh of forty has %d digits", len(code))
	}
	if _, _, err := h.door.EnterCode(t.Context(), challenge, code[:4]+" "+code[4:8]+"-"+code[8:], account.Browser{}); err != nil {
		t.Errorf("a long code: %v", err)
	}
	h.Clock.Add(time.Hour)
	if _, code := h.ask(bob); len(code) != 8 {
		t.Errorf("an hour later: %d digits", len(code))
	}
}
