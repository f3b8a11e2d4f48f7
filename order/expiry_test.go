package order_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	lives = 180 * 24 * time.Hour
	day   = 24 * time.Hour
)

// topsUp puts yen into the wallet by card.
func (c *cashier) topsUp(t tester, account string, yen int64) order.Order {
	t.Helper()
	q, err := c.Desk.QuoteTopUp(t.Context(), account, money.Of(yen, "JPY"))
	if err != nil {
		t.Fatal(err)
	}
	o, p := c.checkout(t, q, payment.Card)
	must(t)(c.card.Pay(p.Ref))
	c.come(t, o)
	c.pass(t, time.Minute)
	return c.want(t, o, order.Completed, "")
}

func (c *cashier) expires(t tester, account string) []order.Expiring {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]order.Expiring, error) {
		return c.Desk.Expires(ctx, tx, account, "JPY")
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Value that nobody spends expires, the oldest first, after its owner was told;
// what is newer stays.
func TestValueExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.Desk.WalletExpiry = lives
		account, _ := c.customer(t, extendable, 48*time.Hour, 0)
		first := c.topsUp(t, account, 5000)
		c.pass(t, 10*day)
		c.topsUp(t, account, 3000)
		ln := c.another(t, account, extendable, 48*time.Hour)
		c.buys(t, account, ln, order.ToolWallet) // 1,680 of the oldest
		want := []order.Expiring{
			{Amount: money.Of(3320, "JPY"), At: first.CompletedAt.Add(lives)},
			{Amount: money.Of(3000, "JPY"), At: c.expires(t, account)[1].At},
		}
		if got := c.expires(t, account); !slices.Equal(got, want) {
			t.Errorf("it expires %v, want %v", got, want)
		}
		at := first.CompletedAt.Add(lives)
		c.pass(t, at.Add(-7*day-time.Second).Sub(c.Clock.Now()))
		if n := c.told(t, account, message.WalletExpiring); n != 0 {
			t.Errorf("told %d times before it is time", n)
		}
		c.pass(t, 2*time.Second)
		if n := c.told(t, account, message.WalletExpiring); n != 1 || c.wallet(t, account) != 6320 {
			t.Errorf("seven days before: told %d times, the wallet holds %d", n, c.wallet(t, account))
		}
		if letter := c.letter(t, account); !strings.Contains(letter, "¥3,320 in your wallet expires on") {
			t.Errorf("the letter says\n%s", letter)
		}
		c.pass(t, 7*day-2*time.Second)
		if got := c.wallet(t, account); got != 6320 {
			t.Errorf("a second before its time the wallet holds %d", got)
		}
		c.pass(t, time.Second)
		if got := c.wallet(t, account); got != 3000 || c.book(t, account, ledger.Expired) != 3320 {
			t.Errorf("then it holds %d, and %d expired", got, c.book(t, account, ledger.Expired))
		}
		if n := c.told(t, account, message.WalletExpired); n != 1 {
			t.Errorf("told %d times that it expired", n)
		}
		c.clean(t, account)
		c.pass(t, 30*day)
		if got := c.wallet(t, account); got != 0 || c.told(t, account, message.WalletExpiring) != 2 || c.told(t, account, message.WalletExpired) != 2 {
			t.Errorf("in the end it holds %d", got)
		}
		c.clean(t, account)
	})
}

// A shop that begins to let value expire, and workers that stood still for long,
// take nothing of which nobody was told.
func TestNothingExpiresUntold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, begins := range []bool{true, false} {
			c := newCashier(t, env)
			account, _ := c.customer(t, extendable, 48*time.Hour, 4000)
			if !begins {
				c.Desk.WalletExpiry = lives
				c.work(t)
			}
			c.Clock.Add(2 * lives)
			c.Desk.WalletExpiry = lives
			c.work(t)
			if n := c.told(t, account, message.WalletExpiring); n != 1 || c.wallet(t, account) != 4000 {
				t.Errorf("begins %t: told %d times, the wallet holds %d", begins, n, c.wallet(t, account))
			}
			c.pass(t, 7*day-time.Second)
			if got := c.wallet(t, account); got != 4000 {
				t.Errorf("begins %t: within seven days the wallet holds %d", begins, got)
			}
			c.pass(t, time.Second)
			if got := c.wallet(t, account); got != 0 {
				t.Errorf("begins %t: after seven days the wallet holds %d", begins, got)
			}
			c.clean(t, account)
		}
	})
}

// Value that comes back is as old as it was. Its owner is told again, and has
// seven days, even if its time is over.
func TestRestoredValueKeepsItsAge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, late := range []bool{false, true} {
			c := newCashier(t, env)
			c.Desk.WalletExpiry = lives
			account, _ := c.customer(t, extendable, 48*time.Hour, 1680)
			c.pass(t, time.Minute)
			filled := c.Clock.Now().Add(-time.Minute)
			c.pass(t, lives-20*day)
			o := c.buys(t, account, c.another(t, account, extendable, 40*time.Minute), order.ToolWallet)
			c.pass(t, 5*day)
			if late {
				c.pass(t, 30*day)
			}
			if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); err != nil {
				t.Fatal(err)
			}
			c.pass(t, time.Minute)
			at := filled.Add(lives)
			if late {
				at = c.Clock.Now().Add(7*day - time.Minute)
			}
			if got := c.expires(t, account); len(got) != 1 || !got[0].At.Equal(at) || got[0].Amount.Minor != 1680 {
				t.Errorf("late %t: it expires %v, want %v", late, got, at)
			}
			c.pass(t, at.Sub(c.Clock.Now())-time.Second)
			if got := c.wallet(t, account); got != 1680 {
				t.Errorf("late %t: the wallet holds %d", late, got)
			}
			c.pass(t, time.Second)
			if got := c.wallet(t, account); got != 0 || c.told(t, account, message.WalletExpiring) != 1 {
				t.Errorf("late %t: the wallet holds %d, told %d times", late, got, c.told(t, account, message.WalletExpiring))
			}
			c.clean(t, account)
		}
	})
}

// What is set aside when its time is over does not expire under the order; it
// does when the order ends unpaid.
func TestValueThatIsSetAsideWhenItExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, paid := range []bool{true, false} {
			c := newCashier(t, env)
			c.Desk.WalletExpiry = lives
			account, _ := c.customer(t, extendable, 48*time.Hour, 700)
			c.pass(t, lives-10*time.Minute)
			ln := c.another(t, account, extendable, 40*time.Hour)
			o, err := c.parted(t, c.quote(t, account, ln, extendable), "card", order.Parts{Wallet: 500, Rest: 1180})
			if err != nil {
				t.Fatal(err)
			}
			p := c.pay(t, o, payment.Card)
			c.pass(t, 11*time.Minute)
			if got := c.wallet(t, account); got != 0 || c.book(t, account, ledger.Expired) != 200 {
				t.Errorf("the wallet holds %d, and %d expired", got, c.book(t, account, ledger.Expired))
			}
			if paid {
				must(t)(c.card.Pay(p.Ref))
				c.come(t, o)
			}
			c.pass(t, 2*time.Hour)
			want := order.Cancelled
			expired := int64(700)
			if paid {
				want, expired = order.Completed, 200
			}
			if got := c.get(t, o.Ref()); got.State != want || c.book(t, account, ledger.Expired) != expired || c.wallet(t, account) != 0 {
				t.Errorf("order is %s, %d expired, the wallet holds %d", got.State, c.book(t, account, ledger.Expired), c.wallet(t, account))
			}
			c.clean(t, account)
		}
	})
}

// A wallet that takes only refunds takes them, and lets them be spent; it is not
// topped up. One that is off gives back what came from it before.
func TestWalletModes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		bought := c.buys(t, account, ln, "card")
		c.Desk.Wallet = order.WalletRefundsOnly
		if _, err := c.Desk.QuoteTopUp(t.Context(), account, money.Of(5000, "JPY")); fault.KindOf(err) != fault.Denied {
			t.Errorf("topping up: %v", err)
		}
		if _, err := c.Desk.RefundToWallet(t.Context(), bought.Ref(), money.Money{}, mika); err != nil {
			t.Fatal(err)
		}
		o := c.buys(t, account, ln, order.ToolWallet)
		c.Desk.Wallet = order.WalletOff
		if _, err := c.place(t, c.quote(t, account, ln, extendable)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("spending from a wallet that is off: %v", err)
		}
		if _, err := c.Desk.RefundToWallet(t.Context(), o.Ref(), money.Money{}, mika); fault.KindOf(err) != fault.Invalid {
			t.Errorf("refunding into a wallet that is off: %v", err)
		}
		if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, mika); err != nil {
			t.Fatal(err)
		}
		if got := c.wallet(t, account); got != bought.Price.Minor {
			t.Errorf("the wallet holds %d", got)
		}
		c.pass(t, time.Hour)
		c.clean(t, account)
	})
}

// move is one thing that happened to a wallet, for the model.
type move struct {
	at     time.Time
	minor  int64 // put in, or spent if negative
	undone bool  // spent, and came back
}

// model is what a wallet holds by age if moves that were undone never were.
func model(moves []move) (lots []ledger.Lot) {
	for _, m := range moves {
		switch {
		case m.undone:
		case m.minor > 0:
			lots = append(lots, ledger.Lot{Since: m.at, Minor: m.minor})
		default:
			for left := -m.minor; left > 0; {
				n := min(left, lots[0].Minor)
				left, lots[0].Minor = left-n, lots[0].Minor-n
				if lots[0].Minor == 0 {
					lots = lots[1:]
				}
			}
		}
	}
	return lots
}

// However value is put in, spent, set aside, returned and restored: what there is
// has the age that a list of everything that happened gives it; nothing expires
// before its time or untold, and nothing stays long after it.
func TestAgeOfValue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		start, told := env.Clock.Now(), 0
		rapid.Check(t, func(t *rapid.T) {
			if told++; told > stories(t) {
				return
			}
			env.Clock.Set(start)
			tellOfAge(t, env)
		})
	})
}

func tellOfAge(t *rapid.T, env dbtest.Env) {
	c := newCashier(t, env)
	c.Desk.WalletExpiry = lives
	account := c.Desk.IDs.Account()
	var moves []move
	aside := map[int]string{} // by the index of their move: the subject
	var restored time.Time    // when value last came back
	n := 0
	post := func(step, subject string, from, to ledger.Book, minor int64) {
		c.write(t, func(ctx context.Context, tx db.Tx) error {
			return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: subject, Step: step, Transfers: []ledger.Transfer{
				{From: from, To: to, Amount: money.Of(minor, "JPY")},
			}})
		})
	}
	for range rapid.IntRange(5, 25).Draw(t, "length") {
		n++
		subject := fmt.Sprintf("s%d", n)
		switch rapid.IntRange(0, 6).Draw(t, "act") {
		case 0, 1:
			minor := rapid.Int64Range(1, 1000).Draw(t, "filled")
			post("completed", subject, ledger.Granted, ledger.Wallet, minor)
			moves = append(moves, move{at: c.Clock.Now(), minor: minor})
		case 2, 3:
			has := c.wallet(t, account)
			if has == 0 {
				continue
			}
			minor := rapid.Int64Range(1, has).Draw(t, "spent")
			if rapid.Bool().Draw(t, "aside") {
				aside[len(moves)] = subject
				post("set_aside", subject, ledger.Wallet, ledger.Aside, minor)
			} else {
				post("paid", subject, ledger.Wallet, ledger.Granted, minor)
			}
			moves = append(moves, move{at: c.Clock.Now(), minor: -minor})
		case 4:
			i := rapid.IntRange(0, max(0, len(moves)-1)).Draw(t, "undone")
			if i >= len(moves) || moves[i].minor > 0 || moves[i].undone || moves[i].at.IsZero() {
				continue
			}
			if s, ok := aside[i]; ok {
				post("returned", s, ledger.Aside, ledger.Wallet, -moves[i].minor)
				delete(aside, i)
			} else {
				post("refunded", subject, ledger.Granted, ledger.Wallet, -moves[i].minor)
			}
			moves[i].undone, restored = true, c.Clock.Now()
		case 5, 6:
			// An order does not wait for days; let what is set aside go first.
			for i, s := range aside {
				post("paid", s, ledger.Aside, ledger.Granted, -moves[i].minor)
				delete(aside, i)
			}
			moves = c.passWithExpiry(t, account, moves, rapid.SampledFrom([]time.Duration{time.Hour, 6 * day, 40 * day, 170 * day}).Draw(t, "time"))
		}
		c.compareAge(t, account, moves, aside)
	}
	for i, s := range aside {
		post("paid", s, ledger.Aside, ledger.Granted, -moves[i].minor)
	}
	moves = c.passWithExpiry(t, account, moves, 8*day)
	for _, l := range model(moves) {
		if over := c.Clock.Now().Sub(l.Since.Add(lives)); over > 0 && c.Clock.Now().Sub(restored) > 8*day {
			t.Errorf("%d are there, %v after their time", l.Minor, over)
		}
	}
	c.clean(t, account)
}

// passWithExpiry lets time pass and adds what expired meanwhile to the moves.
func (c *cashier) passWithExpiry(t tester, account string, moves []move, d time.Duration) []move {
	t.Helper()
	c.pass(t, d)
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]ledger.Entry, error) {
		return ledger.Entries(ctx, tx, account, ledger.Expired, 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	known := 0
	for _, m := range moves {
		if m.minor < 0 && m.at.IsZero() {
			known++
		}
	}
	for _, e := range all[known:] {
		if oldest := model(moves); c.since(oldest, e.Amount.Minor).Add(lives).After(e.At) {
			t.Errorf("%v expired at %v before its time: %v", e.Amount, e.At, oldest)
		}
		told := c.count(t, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND kind = 'wallet_expiring' AND created_at <= $2`,
			account, db.At(e.At.Add(-6*day)))
		if told == 0 {
			t.Errorf("%v expired at %v, and nobody was told six days before", e.Amount, e.At)
		}
		moves = append(moves, move{minor: -e.Amount.Minor}) // without a time: it cannot be undone
	}
	return moves
}

// since is when the youngest of the oldest minor units was put in.
func (c *cashier) since(lots []ledger.Lot, minor int64) (at time.Time) {
	for _, l := range lots {
		if at = l.Since; l.Minor >= minor {
			return at
		}
		minor -= l.Minor
	}
	return at
}

func (c *cashier) compareAge(t tester, account string, moves []move, aside map[int]string) {
	t.Helper()
	want := make([]move, 0, len(moves))
	held := int64(0)
	for i, m := range moves {
		if _, ok := aside[i]; ok {
			held -= m.minor
			continue // it is the customer's still
		}
		want = append(want, m)
	}
	var lots []ledger.Lot
	var set int64
	err := c.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		lots, set, err = ledger.Lots(ctx, tx, account, "JPY")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if model := model(want); set != held || !slices.Equal(sums(lots), sums(model)) {
		t.Fatalf("the wallet holds %v with %d set aside, want %v with %d", lots, set, model, held)
	}
}

// sums joins lots of one time.
func sums(lots []ledger.Lot) (out []ledger.Lot) {
	for _, l := range lots {
		if n := len(out); n > 0 && out[n-1].Since.Equal(l.Since) {
			out[n-1].Minor += l.Minor
		} else {
			out = append(out, l)
		}
	}
	return out
}
