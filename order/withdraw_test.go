package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// unwanted is a customer with an eSIM that nobody has installed.
func (c *cashier) unwanted(t *testing.T, tool catalogue.Tool) order.Order {
	t.Helper()
	o := c.buysNew(t, c.visitor(t, 6_000), usedLater, tool)
	c.pass(t, time.Minute)
	return c.want(t, o, order.Completed, "")
}

// follow lets time pass, and finds out what became of what was asked.
func (c *cashier) follow(t *testing.T, d time.Duration) {
	t.Helper()
	for end := c.Clock.Now().Add(d); c.Clock.Now().Before(end); c.Clock.Add(5 * time.Minute) {
		for worked := true; worked; {
			var err error
			if worked, err = c.Desk.WithdrawStep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		c.work(t)
	}
}

// Whatever the operator does when an unwanted eSIM is given back: it is gone there and
// the money is back, or it is the customer's and paid for. Never both, never neither; it
// is asked no more often than it must be, and who did not see the answer gets a letter.
func TestUnwantedLines(t *testing.T) {
	const lost, silent = carriersim.LoseRequest, carriersim.LoseAnswer
	installs := func(c *cashier, l line.Line) { c.Sim.Use(l.ProfileID, time.Time{}, 0) }
	for name, f := range map[string]struct {
		faults []carriersim.Fault
		before func(*cashier, line.Line)
		after  func(*cashier, line.Line)
		at     order.WithdrawState // at once
		why    string
		gone   bool // in the end
		letter int
		mute   bool // it does not say for a while what became of it
	}{
		"taken back":                       {at: order.WithdrawDone, gone: true},
		"taken back, and silent":           {faults: []carriersim.Fault{silent}, at: order.WithdrawDone, gone: true},
		"it hears nothing":                 {faults: []carriersim.Fault{lost}, at: order.WithdrawAsked, gone: true},
		"it hears nothing twice":           {faults: []carriersim.Fault{lost, lost}, at: order.WithdrawAsked, gone: true},
		"nobody is there":                  {faults: []carriersim.Fault{carriersim.NotSent}, at: order.WithdrawRefused, why: "cancel_away"},
		"it refuses":                       {faults: []carriersim.Fault{carriersim.Refuse}, at: order.WithdrawRefused, why: "cancel_refused"},
		"installed meanwhile":              {before: installs, at: order.WithdrawRefused, why: "cancel_installed"},
		"it hears nothing, then installed": {faults: []carriersim.Fault{lost}, after: installs, at: order.WithdrawAsked, letter: 1},
		"away for an hour after it acted":  {faults: []carriersim.Fault{silent}, mute: true, at: order.WithdrawAsked, gone: true},
	} {
		for _, tool := range []catalogue.Tool{order.ToolWallet, catalogue.Tool(payment.Card)} {
			t.Run(name+"/"+string(tool), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
					if env.DB.Engine() == db.PostgreSQL && (name != "it hears nothing" || tool == order.ToolWallet) {
						t.Skip("one story is told on both engines")
					}
					c := newCashier(t, env)
					o := c.unwanted(t, tool)
					l := c.line(t, o.Account, o.Line)
					if f.before != nil {
						f.before(c, l)
					}
					faults := f.faults
					c.Sim.ChooseIssue = func(carrier.Purchase) (now carriersim.Fault) {
						if len(faults) > 0 {
							now, faults = faults[0], faults[1:]
						}
						return now
					}
					reads := &unreadable{Sim: c.Sim, silent: f.mute}
					c.Desk.Carriers["simple"] = reads
					state, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{})
					if state != f.at || reasonOf(err) != f.why {
						t.Fatalf("%s, %v; want %s, %q", state, err, f.at, f.why)
					}
					if f.at == order.WithdrawAsked {
						if again, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{}); again != order.WithdrawAsked || err != nil {
							t.Errorf("asked again: %s, %v", again, err)
						}
					}
					if f.after != nil {
						f.after(c, l)
					}
					c.follow(t, 10*time.Minute)
					reads.silent = false
					c.follow(t, time.Hour)
					c.unwantedEnds(t, o, l, f.gone, f.letter)
				})
			})
		}
	}
}

func (c *cashier) unwantedEnds(t *testing.T, o order.Order, l line.Line, gone bool, letters int) {
	t.Helper()
	if n := c.Sim.Withdrawn(l.ProfileID); gone != (n == 1) || n > 1 {
		t.Errorf("the operator took it back %d times, want %t", n, gone)
	}
	spent := 6_000 - c.wallet(t, o.Account)
	if o.Tool != order.ToolWallet {
		spent = c.kept(t, o.Account)
	}
	if want := o.Price.Minor; gone && spent != 0 || !gone && spent != want {
		t.Errorf("%d is kept of %d, and it is gone: %t", spent, want, gone)
	}
	now := c.line(t, o.Account, o.Line)
	if (now.State == line.Terminal) != gone || now.Extending != "" {
		t.Errorf("the line is %s, reserved for %q", now.State, now.Extending)
	}
	notes := c.count(t, `SELECT COUNT(*) FROM bills WHERE account_id = $1 AND kind = 'credit_note'`, o.Account)
	told := c.told(t, o.Account, message.OrderRefunded) + c.told(t, o.Account, message.OrderRefundDue)
	if gone != (notes == 1) || gone != (told > 0) {
		t.Errorf("%d credit notes, %d letters about money", notes, told)
	}
	if n := c.count(t, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND kind = 'order_refund_due' AND facts NOT LIKE '%"credited":true%'`, o.Account); n != 0 {
		t.Errorf("%d letters that it could not be completed", n)
	}
	if n := c.told(t, o.Account, message.LineStays); n != letters {
		t.Errorf("%d letters that it stays, want %d", n, letters)
	}
	c.clean(t, o.Account)
	c.wants(t, o.Account)
}

// unreadable is an operator that does not say what became of what it was asked.
type unreadable struct {
	*carriersim.Sim
	silent bool
}

func (u *unreadable) Withdrawal(ctx context.Context, p carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	if u.silent {
		return carrier.Withdrawal{}, carrier.ErrNotSent
	}
	return u.Sim.Withdrawal(ctx, p, profile)
}

// What cannot be given back says why, and nobody is asked for it.
func TestNotGivenBack(t *testing.T) {
	for why, arrange := range map[string]func(*cashier, order.Order){
		"cancel_installed": func(c *cashier, o order.Order) {
			c.Sim.Use(c.line(t, o.Account, o.Line).ProfileID, time.Time{}, 0)
			c.lookAtLines(t)
		},
		"cancel_over": func(c *cashier, o order.Order) {
			c.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE lines SET state = 'terminal' WHERE account_id = $1`, o.Account)
				return err
			})
		},
		"cancel_money": func(c *cashier, o order.Order) {
			if _, err := c.Desk.RefundCompleted(t.Context(), o.Ref(), money.Of(100, "JPY"), order.Act{Staff: "mika", Reason: "slow"}); err != nil {
				t.Fatal(err)
			}
		},
		"cancel_operator": func(c *cashier, _ order.Order) { c.Desk.Carriers["simple"] = onlyIssues{c.Sim} },
	} {
		c := newCashier(t, dbtest.SQLite(t))
		o := c.unwanted(t, order.ToolWallet)
		arrange(c, o)
		_, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{})
		if reasonOf(err) != why || fault.KindOf(err) != fault.Conflict {
			t.Errorf("%v, want %s", err, why)
		}
		if n := c.Sim.Withdrawn(c.line(t, o.Account, o.Line).ProfileID); n != 0 {
			t.Errorf("%s: taken back %d times", why, n)
		}
	}
}

// An operator that takes nothing back any more, when nobody knows yet whether it did, is
// not asked for ever: a person is called.
func TestGivenBackToNobody(t *testing.T) {
	c := newCashier(t, dbtest.SQLite(t))
	o := c.unwanted(t, order.ToolWallet)
	c.Sim.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.LoseRequest }
	if state, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{}); state != order.WithdrawAsked || err != nil {
		t.Fatal(state, err)
	}
	c.Desk.Carriers["simple"] = onlyIssues{c.Sim}
	c.follow(t, time.Hour)
	if n := c.cases(t, o.Account, "cancel_unclear"); n != 1 {
		t.Errorf("%d cases", n)
	}
	c.clean(t, o.Account)
}

// onlyIssues sells new lines and takes none back.
type onlyIssues struct{ carrier.Issuer }

// Staff who ask again, where nobody knew, do not end it by an answer that says nothing of
// the first time: what was done then is seen once it can be.
func TestGivenBackAgainAfterNobodyKnew(t *testing.T) {
	for _, f := range []carriersim.Fault{carriersim.NotSent, carriersim.Refuse} {
		c := newCashier(t, dbtest.SQLite(t))
		o := c.unwanted(t, order.ToolWallet)
		reads := &unreadable{Sim: c.Sim, silent: true}
		c.Desk.Carriers["simple"] = reads
		c.Sim.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.LoseAnswer }
		if state, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{}); state != order.WithdrawAsked || err != nil {
			t.Fatal(state, err)
		}
		c.write(t, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE withdrawals SET state = 'unclear', due_at = NULL WHERE account_id = $1`, o.Account)
			return err
		})
		c.Sim.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return f }
		if state, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{Staff: "mika", Reason: "once more"}); state != order.WithdrawAsked || err != nil {
			t.Errorf("%s: %s, %v; want asked", f, state, err)
		}
		reads.silent = false
		c.follow(t, time.Hour)
		c.unwantedEnds(t, o, c.line(t, o.Account, o.Line), true, 0)
	}
}

// An operator that never says what became of it is a person's, and the money with it.
func TestGivenBackUnclear(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		o := c.unwanted(t, order.ToolWallet)
		c.Desk.Carriers["simple"] = &unreadable{Sim: c.Sim, silent: true}
		c.Sim.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.LoseAnswer }
		if state, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{Staff: "mika", Reason: "they asked"}); state != order.WithdrawAsked || err != nil {
			t.Fatal(state, err)
		}
		for range 70 {
			c.Clock.Add(20 * time.Minute)
			if _, err := c.Desk.WithdrawStep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := c.cases(t, o.Account, "cancel_unclear"); n != 1 {
			t.Errorf("%d cases", n)
		}
		if spent := 6_000 - c.wallet(t, o.Account); spent != o.Price.Minor {
			t.Errorf("%d is kept", spent)
		}
		c.clean(t, o.Account)
		c.Desk.Carriers["simple"] = c.Sim
		if state, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{}); state != order.WithdrawUnclear || err != nil {
			t.Errorf("the customer again: %s, %v", state, err)
		}
		if state, err := c.Desk.Withdraw(t.Context(), o.Ref(), order.Act{Staff: "mika", Reason: "it speaks again"}); state != order.WithdrawDone || err != nil {
			t.Errorf("staff again: %s, %v", state, err)
		}
		c.follow(t, 10*time.Minute)
		c.unwantedEnds(t, o, c.line(t, o.Account, o.Line), true, 0)
	})
}
