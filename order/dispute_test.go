package order_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// disputed reads the disputes of an order's payment.
func (c *cashier) disputed(t tester, o order.Order) []order.Dispute {
	t.Helper()
	all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]order.Dispute, error) { return order.Disputes(ctx, tx, o) })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (c *cashier) owes(t tester, account string) int64 {
	t.Helper()
	m, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) (money.Money, error) { return order.Owes(ctx, tx, account, "JPY") })
	if err != nil {
		t.Fatal(err)
	}
	return m.Minor
}

// look lets time pass in which the provider is asked about everything disputed.
func (c *cashier) look(t tester, o order.Order) {
	t.Helper()
	c.Clock.Add(time.Second)
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET due_at = $2 WHERE account_id = $1`, o.Account, db.At(tx.Now()))
		return err
	})
	c.work(t)
}

// bought is a renewal by card that is completed.
func (c *cashier) bought(t *testing.T) (account, ln string, o order.Order) {
	t.Helper()
	account, ln, o = c.paid(t)
	c.pass(t, time.Hour)
	return account, ln, c.want(t, o, order.Completed, "")
}

// refundsAsked counts the refunds that the card's provider is asked for from now on.
func (c *cashier) refundsAsked() func() int {
	n := 0
	c.card.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/refunds") {
			n++
		}
		return outboundsim.None
	}
	return func() int { return n }
}

func (c *cashier) refusedForDebt(t *testing.T, account, ln string) {
	t.Helper()
	if _, err := c.place(t, c.quote(t, account, ln, extendable)); reasonOf(err) != "owes" {
		t.Errorf("who owes may spend: %v", err)
	}
}

// A dispute that was told is seen, also where the provider gives no reading when it
// is asked: nobody tells it again.
func TestDisputeIsSeenAfterSilence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.bought(t)
		c.card.mute = true // what woke us was told once
		done(t, c.card.DisputeAs(o.ID, stripesim.Claim{}))
		silent := true
		c.card.wire.Choose = func(*http.Request) outboundsim.Fault {
			if silent {
				return outboundsim.LoseAnswer
			}
			return outboundsim.None
		}
		c.look(t, o)
		silent = false
		c.pass(t, 2*time.Hour)
		if got := c.owes(t, account); got != o.Price.Minor {
			t.Errorf("the customer owes %d, want %s", got, o.Price)
		}
	})
}

// A dispute of a renewal makes all that is disputed a debt that blocks spending;
// winning it takes the debt away, losing it leaves it.
func TestDisputeOfARenewal(t *testing.T) {
	for name, claim := range map[string]stripesim.Claim{"all": {}, "part": {Minor: 300}} {
		for _, won := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
					c := newCashier(t, env)
					account, ln, o := c.bought(t)
					c.grantYen(t, account, 50_000)
					want := o.Price.Minor
					if claim.Minor > 0 {
						want = claim.Minor
					}
					done(t, c.card.DisputeAs(o.ID, claim))
					for range 3 { // whoever looks again finds nothing new
						c.look(t, o)
					}
					if got := c.owes(t, account); got != want {
						t.Fatalf("the customer owes %d, want %d", got, want)
					}
					c.refusedForDebt(t, account, ln)
					if d := c.disputed(t, o); len(d) != 1 || d[0].State != payment.DisputeOpen || d[0].AnswerBy.IsZero() || !strings.Contains(d[0].Evidence, "operator's reference") {
						t.Errorf("dispute: %+v", d)
					}
					if n := c.count(t, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND kind = 'payment_disputed'`, account); n != 1 {
						t.Errorf("told %d times", n)
					}
					done(t, c.card.CloseDispute(o.ID, won))
					c.look(t, o)
					c.look(t, o)
					if won {
						want = 0
					}
					if got := c.owes(t, account); got != want || c.wallet(t, account) != 50_000 {
						t.Errorf("after the end the customer owes %d, want %d; wallet %d", got, want, c.wallet(t, account))
					}
					if got := c.book(t, account, ledger.Withheld); got != want {
						t.Errorf("withheld holds %d, want %d", got, want)
					}
					if !won {
						c.refusedForDebt(t, account, ln)
					} else if _, err := c.place(t, c.quote(t, account, ln, extendable)); err != nil {
						t.Error(err)
					}
					c.clean(t, account)
				})
			})
		}
	}
}

func (c *cashier) grantYen(t tester, account string, yen int64) {
	t.Helper()
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(yen, "JPY")},
		}})
	})
}

// Of a disputed top-up the wallet gives back what it holds and the rest is owed;
// the next top-up pays that first; and when the dispute is won, all of it is back.
func TestDisputeOfASpentTopUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		top := c.topsUp(t, account, 5000)
		spent, err := c.place(t, c.quote(t, account, ln, extendable))
		done(t, err)
		price := spent.Price.Minor
		done(t, c.card.Dispute(top.ID))
		c.look(t, top)
		if got, has := c.owes(t, account), c.wallet(t, account); got != price || has != 0 {
			t.Fatalf("owes %d, want %d; the wallet holds %d", got, price, has)
		}
		c.refusedForDebt(t, account, ln)
		c.topsUp(t, account, price+1000)
		if got, has := c.owes(t, account), c.wallet(t, account); got != 0 || has != 1000 {
			t.Fatalf("after paying, owes %d and has %d", got, has)
		}
		c.clean(t, account)
		done(t, c.card.CloseDispute(top.ID, true))
		c.look(t, top)
		if has := c.wallet(t, account); has != 6000 {
			t.Errorf("the wallet holds %d after the dispute was won, want 6000", has)
		}
		c.clean(t, account)
	})
}

// What is owed can be paid exactly, also where wallets are not topped up.
func TestPayingADebtWithoutWallets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.bought(t)
		done(t, c.card.Dispute(o.ID))
		c.look(t, o)
		c.Desk.Wallet = order.WalletOff
		if _, err := c.Desk.QuoteTopUp(t.Context(), account, money.Of(o.Price.Minor+1, "JPY")); reasonOf(err) != "wallet_off" {
			t.Errorf("more than is owed: %v", err)
		}
		c.topsUp(t, account, o.Price.Minor)
		if got := c.owes(t, account); got != 0 || c.wallet(t, account) != 0 {
			t.Errorf("owes %d, wallet %d", got, c.wallet(t, account))
		}
		c.clean(t, account)
	})
}

// A seller who keeps lines going takes other people's money for them, not what the
// customer has with us.
func TestDisputeModes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, mode := range []order.DisputeMode{order.DisputeKeep, order.DisputeEndRenewals, order.DisputeSuspend} {
			c := newCashier(t, env)
			c.Desk.Disputed = mode
			account, ln, o := c.bought(t)
			done(t, c.card.Dispute(o.ID))
			c.look(t, o)
			c.grantYen(t, account, 50_000)
			c.refusedForDebt(t, account, ln)
			q := c.quote(t, account, ln, extendable)
			_, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
			if kept := err == nil; kept != (mode == order.DisputeKeep) {
				t.Errorf("%s: by card: %v", mode, err)
			}
			if got := c.cases(t, account, "suspend_line"); (got == 1) != (mode == order.DisputeSuspend) {
				t.Errorf("%s: %d cases to suspend the line", mode, got)
			}
			if got := c.cases(t, account, "resume_line"); got != 0 {
				t.Errorf("%s: the line is to go on while something is owed", mode)
			}
			c.clean(t, account)
			c.topsUp(t, account, o.Price.Minor-1)
			if got := c.cases(t, account, "resume_line"); got != 0 {
				t.Errorf("%s: the line is to go on while one yen is owed", mode)
			}
			c.topsUp(t, account, 5000)
			if got := c.cases(t, account, "resume_line"); (got == 1) != (mode == order.DisputeSuspend) {
				t.Errorf("%s: paid: %d cases to let the line go on", mode, got)
			}
			c.clean(t, account)
		}
	})
}

// A won dispute lets a line go on, too.
func TestWonDisputeResumesTheLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.Desk.Disputed = order.DisputeSuspend
		account, _, o := c.bought(t)
		done(t, c.card.Dispute(o.ID))
		c.look(t, o)
		done(t, c.card.CloseDispute(o.ID, true))
		c.look(t, o)
		if s, r := c.cases(t, account, "suspend_line"), c.cases(t, account, "resume_line"); s != 1 || r != 1 {
			t.Errorf("%d cases to suspend, %d to go on", s, r)
		}
	})
}

// Staff see what is not decided, what must be answered soonest first, and what is
// owed; not what is over and paid.
func TestOpenDisputes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		mine := map[string]string{}
		open := func() (names []string) {
			all, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) ([]order.Dispute, error) {
				return order.OpenDisputes(ctx, tx, 1000)
			})
			done(t, err)
			for _, d := range all {
				if name := mine[d.Order]; name != "" {
					names = append(names, name)
				}
			}
			return names
		}
		orders := map[string]order.Order{}
		for name, claim := range map[string]stripesim.Claim{
			"late": {Due: 9 * 24 * time.Hour}, "soon": {Due: 48 * time.Hour}, "asked": {Due: 72 * time.Hour, Inquiry: true},
			"lost": {Due: time.Hour}, "won": {Due: time.Hour}, "paid": {Due: time.Hour},
		} {
			account, _, o := c.bought(t)
			orders[name], mine[o.ID] = o, name
			done(t, c.card.DisputeAs(o.ID, claim))
			c.look(t, o)
			switch name {
			case "lost", "won":
				done(t, c.card.CloseDispute(o.ID, name == "won"))
			case "paid":
				done(t, c.card.CloseDispute(o.ID, false))
				c.topsUp(t, account, o.Price.Minor)
			}
			c.look(t, o)
		}
		if got, want := strings.Join(open(), " "), "soon asked late lost"; got != want {
			t.Errorf("listed %q, want %q", got, want)
		}
		done(t, c.card.CloseDispute(orders["late"].ID, true))
		c.look(t, orders["late"])
		if got, want := strings.Join(open(), " "), "soon asked lost"; got != want {
			t.Errorf("listed %q, want %q", got, want)
		}
	})
}

// What a customer disputes and has not got is no debt: of lines that were paid
// together not the one that a person holds. It becomes one when it is served after all.
func TestOnlyWhatWasServedIsOwed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		all := f.together(t, "card")
		p := f.pay(t, all[0], payment.Card)
		must(t)(f.card.Pay(p.Ref))
		f.come(t, all[0])
		_, err := f.Desk.Hold(t.Context(), all[1].Ref(), mika)
		done(t, err)
		f.pass(t, time.Minute)
		f.wantStates(t, all, "completed held completed")
		done(t, f.card.Dispute(p.Ref))
		f.look(t, all[0])
		price := f.quotes[0].Price.Minor
		if got := f.owes(t, f.account); got != 2*price {
			t.Errorf("owes %d, want %d: one of three was not served", got, 2*price)
		}
		if letter := f.letter(t, f.account); price != 1680 || !strings.Contains(letter, "You owe us ¥3,360") {
			t.Errorf("the letter says another sum:\n%s", letter)
		}
		for _, o := range all {
			if got := f.disputed(t, o); len(got) != 1 || got[0].Open().Minor != 2*price {
				t.Errorf("the dispute as seen at %s: %+v", o.ID, got)
			}
		}
		done(t, confirm(t, f.cashier, all[1]))
		if got := f.owes(t, f.account); got != 3*price {
			t.Errorf("owes %d, want %d: all is served", got, 3*price)
		}
		f.clean(t, f.account)
	})
}

// A dispute of late money is found at the order that it served. Where it served none
// because it was disputed before we saw it, nothing is owed.
func TestDisputeOfLateMoney(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, served := range []bool{true, false} {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
			o, p := c.late(t, c.quote(t, account, ln, extendable))
			must(t)(c.card.Pay(p.Ref))
			if served {
				c.pass(t, 10*time.Minute)
			}
			done(t, c.card.Dispute(p.Ref))
			c.look(t, o)
			next, found, err := c.successor(t, o)
			if err != nil || found != served {
				t.Fatalf("served %t: successor %+v, %t, %v", served, next, found, err)
			}
			if !served {
				if all := c.disputed(t, o); len(all) != 1 || all[0].State != payment.DisputeOpen || c.owes(t, account) != 0 {
					t.Errorf("owes %d for what they have not got; %+v", c.owes(t, account), all)
				}
				if _, err := c.place(t, c.quote(t, account, ln, extendable)); err != nil {
					t.Errorf("who owes nothing may not spend: %v", err)
				}
				c.clean(t, account)
				continue
			}
			if all := c.disputed(t, next); len(all) != 1 || c.owes(t, account) != o.Price.Minor {
				t.Errorf("owes %d, want %v; %+v", c.owes(t, account), o.Price, all)
			}
			c.refusedForDebt(t, account, ln)
			c.clean(t, account)
		}
	})
}

// Late money that was disputed before we saw it served nothing. When all is decided
// nobody owes anybody anything: it goes back if the seller has it, once.
func TestDisputedLateMoneyGoesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, won := range []bool{true, false} {
			for _, seenOpen := range []bool{true, false} {
				t.Run(fmt.Sprintf("won=%t,seenOpen=%t", won, seenOpen), func(t *testing.T) {
					c := newCashier(t, env)
					account, ln := c.customer(t, extendable, 48*time.Hour, 0)
					o, p := c.late(t, c.quote(t, account, ln, extendable))
					must(t)(c.card.Pay(p.Ref))
					done(t, c.card.Dispute(p.Ref))
					if seenOpen {
						c.look(t, o)
						c.clean(t, account)
					}
					done(t, c.card.CloseDispute(p.Ref, won))
					c.look(t, o)
					c.pass(t, 72*time.Hour)
					if _, found, err := c.successor(t, o); found || err != nil {
						if won && !seenOpen {
							return // it was never disputed as far as we know: late money like any other
						}
						t.Fatalf("an order was made of it, %v", err)
					}
					if kept, back := c.card.Captured(p.Ref), c.card.Refunded(p.Ref); won && kept != back {
						t.Errorf("the bank took %s and gave back %s", kept, back)
					} else if !won && back.Minor != 0 {
						t.Errorf("%s went back twice", back)
					}
					if owes, due := c.owes(t, account), c.book(t, account, ledger.Due); owes != 0 || due != 0 || c.book(t, account, ledger.Receivable) != 0 {
						t.Errorf("owes %d; due %d, receivable %d", owes, due, c.book(t, account, ledger.Receivable))
					}
					c.clean(t, account)
				})
			}
		}
	})
}

// A bank that asks takes nothing; when it takes the money, that is seen.
func TestBankAsksFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.bought(t)
		done(t, c.card.DisputeAs(o.ID, stripesim.Claim{Inquiry: true}))
		c.look(t, o)
		if c.owes(t, account) != 0 || c.cases(t, account, "dispute_asked") != 1 {
			t.Errorf("owes %d, %d cases", c.owes(t, account), c.cases(t, account, "dispute_asked"))
		}
		done(t, c.card.Escalate(o.ID))
		c.card.mute = true // its notification is lost
		c.pass(t, 25*time.Hour)
		if c.owes(t, account) != o.Price.Minor {
			t.Errorf("owes %d", c.owes(t, account))
		}
		c.clean(t, account)
	})
}

// What was seen earlier and comes later changes nothing.
func TestDisputeSeenOutOfOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.bought(t)
		late := &stale{Provider: c.Desk.Providers["stripe"]}
		c.Desk.Providers["stripe"] = late
		done(t, c.card.Dispute(o.ID))
		c.look(t, o)
		late.keep = true // the answer of this moment …
		c.look(t, o)
		done(t, c.card.CloseDispute(o.ID, true))
		late.keep = false
		c.look(t, o)
		late.again = true // … comes once more
		c.look(t, o)
		if got := c.owes(t, account); got != 0 {
			t.Errorf("owes %d after a stale answer", got)
		}
		c.clean(t, account)
	})
}

// stale is a provider one of whose answers is read again later.
type stale struct {
	payment.Provider
	keep, again bool
	kept        payment.Observation
}

func (s *stale) Query(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	if s.again {
		return s.kept, nil
	}
	seen, err := s.Provider.Query(ctx, a)
	if s.keep {
		s.kept = seen
	}
	return seen, err
}

// A dispute of an order that is not served yet stops it; nothing is owed for what
// the customer has not got.
func TestDisputeOfAHeldOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.neverAsked(t)
		done(t, c.card.Dispute(o.ID))
		c.look(t, o)
		if got := c.get(t, o.Ref()); got.State != order.Held || c.owes(t, account) != 0 || c.cases(t, account, "disputed") != 1 {
			t.Errorf("%s, owes %d, %d cases", got.State, c.owes(t, account), c.cases(t, account, "disputed"))
		}
		c.clean(t, account)
		done(t, confirm(t, c, o))
		if c.owes(t, account) != o.Price.Minor {
			t.Errorf("served after all: owes %d", c.owes(t, account))
		}
	})
}

// Staff end an order that was not served once the bank has given its money back: not
// before, and without sending it a second time.
func TestGivenBackByTheBank(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.neverAsked(t)
		done(t, c.card.Dispute(o.ID))
		c.look(t, o)
		if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); fault.KindOf(err) != fault.Conflict {
			t.Errorf("while the bank decides: %v", err)
		}
		done(t, c.card.CloseDispute(o.ID, false))
		c.look(t, o)
		if got := c.get(t, o.Ref()); got.State != order.Held {
			t.Fatalf("lost, and nobody has decided: %s", got.State)
		}
		if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
			t.Fatal(err)
		}
		c.work(t)
		if got := c.get(t, o.Ref()); got.State != order.Refunded || c.card.Refunded(o.ID).Minor != 0 {
			t.Errorf("%s, and %s was sent as well", got.State, c.card.Refunded(o.ID))
		}
		if c.owes(t, account) != 0 || c.book(t, account, ledger.Due) != 0 || c.book(t, account, ledger.Receivable) != 0 {
			t.Errorf("owes %d, due %d, receivable %d", c.owes(t, account), c.book(t, account, ledger.Due), c.book(t, account, ledger.Receivable))
		}
		c.clean(t, account)
	})
}

// Whoever got their money back by the bank gets none from us: not for a completed
// order, neither to the card nor into the wallet; nor while the bank decides. Won, it
// is refunded like any other.
func TestRefundOfADisputedOrder(t *testing.T) {
	for _, won := range []bool{false, true} {
		t.Run(fmt.Sprintf("won=%t", won), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
				c := newCashier(t, env)
				account, _, o := c.bought(t)
				refund := func() error { return c.refundCompleted(t, o, money.Money{}, mika) }
				toWallet := func() error {
					_, err := c.Desk.RefundToWallet(t.Context(), o.Ref(), money.Money{}, mika)
					return err
				}
				refused := func(when string) {
					for _, err := range []error{refund(), toWallet()} {
						if fault.KindOf(err) != fault.Conflict {
							t.Errorf("%s: %v", when, err)
						}
					}
				}
				done(t, c.card.Dispute(o.ID))
				c.look(t, o)
				refused("while the bank decides")
				done(t, c.card.CloseDispute(o.ID, won))
				c.look(t, o)
				if !won {
					refused("lost")
					c.clean(t, account)
					return
				}
				done(t, refund())
				c.pass(t, time.Hour)
				if got := c.card.Refunded(o.ID); got != o.Price || c.owes(t, account) != 0 {
					t.Errorf("won: %s refunded, owes %d", got, c.owes(t, account))
				}
				c.clean(t, account)
			})
		})
	}
}

// A refund that was decided before the bank took the money is not sent while the bank
// decides; lost, the order is ended without it, and won, it is sent.
func TestRefundOvertakenByADispute(t *testing.T) {
	for _, won := range []bool{false, true} {
		t.Run(fmt.Sprintf("won=%t", won), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
				c := newCashier(t, env)
				account, _, o := c.neverAsked(t)
				done(t, giveBack(t, c, o))
				asked := c.refundsAsked()
				done(t, c.card.Dispute(o.ID))
				c.write(t, func(ctx context.Context, tx db.Tx) error { // it is seen first
					_, err := tx.Exec(ctx, `UPDATE refunds SET due_at = $2 WHERE account_id = $1`, account, db.At(tx.Now().Add(time.Hour)))
					return err
				})
				c.look(t, o)
				c.pass(t, 2*time.Hour)
				if got := c.get(t, o.Ref()); got.State != order.Held || c.card.Refunded(o.ID).Minor != 0 {
					t.Fatalf("while the bank decides: %s (%s), %s refunded", got.State, got.Reason, c.card.Refunded(o.ID))
				}
				if n := asked(); n != 0 {
					t.Errorf("the provider was asked for %d refunds", n)
				}
				done(t, c.card.CloseDispute(o.ID, won))
				c.look(t, o)
				done(t, giveBack(t, c, o))
				c.pass(t, time.Hour)
				want := money.Of(0, "JPY")
				if won {
					want = o.Price
				}
				if got := c.get(t, o.Ref()); got.State != order.Refunded || c.card.Refunded(o.ID).Minor != want.Minor {
					t.Errorf("%s (%s), %s refunded, want %s", got.State, got.Reason, c.card.Refunded(o.ID), want)
				}
				if c.owes(t, account) != 0 || c.book(t, account, ledger.Due) != 0 || c.book(t, account, ledger.Receivable) != 0 {
					t.Errorf("owes %d, due %d, receivable %d", c.owes(t, account), c.book(t, account, ledger.Due), c.book(t, account, ledger.Receivable))
				}
				c.clean(t, account)
			})
		})
	}
}

// Of orders that were paid together and whose payment the bank gave back, those that
// were served are owed, and the others are ended without sending anything.
func TestTogetherGivenBackByTheBank(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		f := newFamily(t, env, 0)
		all := f.together(t, "card")
		p := f.pay(t, all[0], payment.Card)
		must(t)(f.card.Pay(p.Ref))
		f.Sim.Choose = func(e carrier.Extension) carriersim.Fault {
			if !strings.HasSuffix(e.Profile.ID, f.lines[0]) {
				return carriersim.LoseRequest
			}
			return carriersim.None
		}
		f.come(t, all[0])
		f.work(t)
		f.write(t, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE orders SET due_at = NULL WHERE account_id = $1 AND state = 'fulfilling'`, f.account)
			return err
		})
		asked := f.refundsAsked()
		f.Clock.Add(time.Minute)
		for _, o := range all[1:] {
			if _, err := f.Desk.Hold(t.Context(), o.Ref(), mika); err != nil {
				t.Fatal(err)
			}
		}
		f.wantStates(t, all, "completed held held")
		done(t, f.card.Dispute(p.Ref))
		f.look(t, all[0])
		done(t, f.card.CloseDispute(p.Ref, false))
		f.look(t, all[0])
		if err := f.refundCompleted(t, all[0], money.Money{}, mika); fault.KindOf(err) != fault.Conflict {
			t.Errorf("of the served one: %v", err)
		}
		for i, o := range all[1:] {
			if i == 0 {
				f.clean(t, f.account)
			}
			done(t, giveBack(t, f.cashier, o))
			f.pass(t, time.Minute)
			if got := f.owes(t, f.account); got != all[0].Price.Minor {
				t.Errorf("owes %d, want what was served", got)
			}
			if got := f.get(t, o.Ref()); got.Reason != "by_bank" {
				t.Errorf("%s because %q", got.State, got.Reason)
			}
		}
		f.wantStates(t, all, "completed refunded refunded")
		if n := asked(); n != 0 {
			t.Errorf("the provider was asked for %d refunds", n)
		}
		f.clean(t, f.account)
	})
}

// Staff let a debt go once it is decided: then everything works again, and it is a
// loss. There is nothing to let go before, or a second time.
func TestWriteOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln, o := c.bought(t)
		writeOff := func() error {
			_, err := c.Desk.WriteOff(t.Context(), o.Ref(), mika)
			return err
		}
		done(t, c.card.Dispute(o.ID))
		c.look(t, o)
		if err := writeOff(); fault.KindOf(err) != fault.Conflict {
			t.Errorf("before it is decided: %v", err)
		}
		done(t, c.card.CloseDispute(o.ID, false))
		c.look(t, o)
		c.refusedForDebt(t, account, ln)
		done(t, writeOff())
		if c.owes(t, account) != 0 || c.book(t, account, ledger.Loss) != -o.Price.Minor || c.book(t, account, ledger.Receivable) != 0 {
			t.Errorf("owes %d, loss %d, receivable %d", c.owes(t, account), c.book(t, account, ledger.Loss), c.book(t, account, ledger.Receivable))
		}
		if err := writeOff(); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a second time: %v", err)
		}
		c.clean(t, account)
		had := c.book(t, account, ledger.Wallet)
		done(t, c.card.ReopenDispute(o.ID)) // the bank changes its mind
		c.look(t, o)
		if got := c.disputed(t, o)[0]; got.State != payment.DisputeWon || c.book(t, account, ledger.Loss) != 0 || c.book(t, account, ledger.Wallet) != had {
			t.Errorf("%s after all: loss %d, wallet %d, had %d", got.State, c.book(t, account, ledger.Loss), c.book(t, account, ledger.Wallet), had)
		}
		c.clean(t, account)
	})
}

// A dispute after a partial refund takes what is left.
func TestDisputeAfterAPartialRefund(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.bought(t)
		part := money.Of(200, "JPY")
		done(t, c.refundCompleted(t, o, part, order.Act{Staff: "aya", Reason: "slow"}))
		c.pass(t, time.Hour)
		done(t, c.card.Dispute(o.ID))
		c.look(t, o)
		if got := c.owes(t, account); got != o.Price.Minor-200 {
			t.Errorf("owes %d, want %d", got, o.Price.Minor-200)
		}
		c.clean(t, account)
	})
}

// A refund that was decided before the customer's bank took the money ends when that is
// decided: what the bank gave back nobody owes, and what is left and Stripe refuses to
// send goes into the wallet, once, if staff say so.
func TestRefundOfACompletedOrderOvertakenByADispute(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, taken := range []int64{0, 300} { // 0: all of it
			c := newCashier(t, env)
			account, ln, o := c.bought(t)
			toWallet := func() error {
				_, err := c.Desk.RefundAgainToWallet(t.Context(), o.Ref(), mika)
				return err
			}
			done(t, c.refundCompleted(t, o, money.Money{}, mika))
			done(t, c.card.DisputeAs(o.ID, stripesim.Claim{Minor: taken}))
			c.look(t, o)
			if c.cases(t, account, "refund_failed") != 1 {
				t.Error("nobody was called")
			}
			if err := toWallet(); fault.KindOf(err) != fault.Conflict {
				t.Errorf("while the bank decides: %v", err)
			}
			c.clean(t, account)
			done(t, c.card.CloseDispute(o.ID, false))
			c.look(t, o)
			c.pass(t, time.Hour)
			left := int64(0)
			if taken > 0 {
				left = o.Price.Minor - taken
			}
			if owes, due := c.owes(t, account), c.book(t, account, ledger.Due); owes != 0 || due != left || c.book(t, account, ledger.Receivable) != 0 {
				t.Errorf("owes %d; due %d, want %d; receivable %d", owes, due, left, c.book(t, account, ledger.Receivable))
			}
			c.clean(t, account)
			if err := toWallet(); (err == nil) != (left > 0) {
				t.Errorf("%d are left: %v", left, err)
			}
			if err := toWallet(); fault.KindOf(err) != fault.Conflict {
				t.Errorf("once more: %v", err)
			}
			if got := c.wallet(t, account); got != left || c.book(t, account, ledger.Due) != 0 {
				t.Errorf("the wallet holds %d, want %d; %d are due", got, left, c.book(t, account, ledger.Due))
			}
			c.grantYen(t, account, 50_000)
			if _, err := c.place(t, c.quote(t, account, ln, extendable)); err != nil {
				t.Errorf("who owes nothing may not spend: %v", err)
			}
			c.pass(t, rest) // and the provider is not asked about what it has not got
			if got := c.card.Refunded(o.ID); got.Minor != 0 {
				t.Errorf("%s went back as well", got)
			}
			c.clean(t, account)
		}
	})
}

// A notification by itself moves nothing: only what the provider answers does.
func TestDisputeNotificationAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _, o := c.bought(t)
		c.Desk.Providers["stripe"] = &stale{Provider: c.Desk.Providers["stripe"], again: true, kept: payment.Observation{State: payment.Unknown}}
		done(t, c.card.Dispute(o.ID))
		c.pass(t, time.Minute)
		if got, n := c.owes(t, account), len(c.disputed(t, o)); got != 0 || n != 0 {
			t.Errorf("owes %d, %d disputes", got, n)
		}
	})
}

func done(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
