package order_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// repairers are two processes that look for what must not be, on one database.
type repairers struct {
	*cashier
	both [2]*audit.Repairer
}

func newRepairers(t *testing.T, env dbtest.Env) *repairers {
	t.Helper()
	r := &repairers{cashier: newCashier(t, env)}
	for i := range r.both {
		r.both[i] = r.repairer()
	}
	return r
}

func (c *cashier) repairer() *audit.Repairer {
	return &audit.Repairer{DB: c.DB, Desk: c.Desk, Log: slog.New(slog.DiscardHandler)}
}

// turn is one turn of whoever of the two comes first, and everything else that is due.
func (r *repairers) turn(t *testing.T) {
	t.Helper()
	r.Clock.Add(11 * time.Second)
	for _, one := range r.both {
		if _, err := one.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.work(t)
}

// findings are those of an account, as "kind/sign", the open ones or all.
func (r *repairers) findings(t *testing.T, account string, open bool) (all []audit.Finding) {
	t.Helper()
	err := r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		all = nil
		read, err := audit.OpenFindings(ctx, tx, 1000)
		if err == nil && !open {
			var closed []audit.Finding
			closed, err = audit.ClosedFindings(ctx, tx, time.UnixMicro(1), 1000)
			read = append(read, closed...)
		}
		for _, f := range read {
			if f.Account == account {
				all = append(all, f)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// one is the only open finding of an account.
func (r *repairers) one(t *testing.T, account string, kind audit.Kind, sign string) audit.Finding {
	t.Helper()
	all := r.findings(t, account, true)
	if len(all) != 1 || all[0].Kind != kind || all[0].Sign != sign {
		t.Fatalf("found %+v, want %s by %s", all, kind, sign)
	}
	return all[0]
}

// none fails the test unless what was found is closed.
func (r *repairers) none(t *testing.T, account string, repairedBy string) {
	t.Helper()
	for _, f := range r.findings(t, account, false) {
		if f.Open() || f.RepairedBy != repairedBy || f.Times != 1 {
			t.Errorf("want closed, once, and repaired by %q: %+v", repairedBy, f)
		}
	}
	if len(r.findings(t, account, false)) == 0 {
		t.Error("nothing was found")
	}
}

// damage changes rows behind the back of everybody.
func (c *cashier) damage(t *testing.T, statement string, args ...any) {
	t.Helper()
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		n, err := tx.Exec(ctx, statement, args...)
		if err == nil && n != 1 {
			t.Errorf("%d rows damaged, want one: %s", n, statement)
		}
		return err
	})
}

// served is a customer whose renewal by card is completed and billed.
func (c *cashier) served(t *testing.T) (account string, o order.Order) {
	t.Helper()
	account, _, o = c.paid(t)
	c.pass(t, time.Minute)
	return account, c.want(t, o, order.Completed, "")
}

// wants fails the test for what the repairer finds although every promise is kept.
func (c *cashier) wants(t tester, account string) {
	t.Helper()
	var ids []string
	for _, o := range c.orders(t, account) {
		ids = append(ids, o.ID)
	}
	found, err := c.repairer().Examine(t.Context(), account, ids...)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Sign != "held_long" && f.Sign != "unnumbered" {
			t.Errorf("the repairer finds %s of %s by %s, and all is well: %s", f.Kind, f.Subject, f.Sign, f.Evidence)
		}
	}
}

// told counts what a customer was told about an order that a person looks at.
func (c *cashier) held(t *testing.T, account string) int {
	t.Helper()
	return c.count(t, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND kind = $2`, account, string(message.OrderHeld))
}

// some are all stories on SQLite, and on PostgreSQL the last: what differs between the
// engines is in the statements, which package arch prepares on both.
func some[S any](env dbtest.Env, stories []S) []S {
	if env.DB.Engine() == db.PostgreSQL {
		return stories[len(stories)-1:]
	}
	return stories
}

// repairStory is damage that a rule can repair.
type repairStory struct {
	name   string
	kind   audit.Kind
	sign   string
	did    string
	damage func(*testing.T, *repairers) (account string, o order.Order)
	want   order.State
}

// callStory is damage that only a person can repair.
type callStory struct {
	name   string
	kind   audit.Kind
	sign   string
	letter int
	damage func(*testing.T, *repairers) (account string, o order.Order)
}

// What a rule can decide is found within a turn, put right without a person and
// without a word, once, and closes itself.
func TestRepairs(t *testing.T) {
	stories := []repairStory{
		{
			"charged, and nobody would ask the operator", audit.ChargedNotExtended, "forgotten", "made the order due",
			func(t *testing.T, r *repairers) (string, order.Order) {
				account, _, o := r.paid(t)
				r.damage(t, `UPDATE orders SET due_at = NULL WHERE account_id = $1 AND id = $2`, account, o.ID)
				return account, o
			}, order.Completed,
		},
		{
			"charged, and nobody would look what became of it", audit.ChargedNotExtended, "forgotten", "made the order due",
			func(t *testing.T, r *repairers) (string, order.Order) {
				r.Sim.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.LoseAnswer }
				account, _, o := r.paid(t)
				if _, err := r.Desk.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.damage(t, `UPDATE orders SET due_at = NULL WHERE account_id = $1 AND id = $2`, account, o.ID)
				return account, o
			}, order.Completed,
		},
		{
			"a refund that nobody wrote", audit.ChargedNotExtended, "forgotten", "made the order due",
			func(t *testing.T, r *repairers) (string, order.Order) {
				r.refuse()
				account, _, o := r.paid(t)
				if _, err := r.Desk.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.damage(t, `DELETE FROM refunds WHERE account_id = $1`, account)
				r.damage(t, `UPDATE orders SET due_at = NULL WHERE account_id = $1 AND id = $2`, account, o.ID)
				return account, o
			}, order.Refunded,
		},
		{
			"a sale without a bill", audit.NoBill, "no_document", "wrote the document",
			func(t *testing.T, r *repairers) (string, order.Order) {
				account, o := r.served(t)
				r.damage(t, `DELETE FROM bills WHERE account_id = $1`, account)
				return account, o
			}, order.Completed,
		},
		{
			"paid twice, and the second payment was forgotten", audit.ChargedTwice, "paid_twice", "gave the money back",
			func(t *testing.T, r *repairers) (string, order.Order) {
				account, o := r.paidTwice(t)
				r.damage(t, `DELETE FROM refunds WHERE account_id = $1`, account)
				return account, o
			}, order.Completed,
		},
		{
			"a refund that nobody sends", audit.RefundNotArrived, "refund_forgotten", "made the refund due",
			func(t *testing.T, r *repairers) (string, order.Order) {
				account, o := r.paidTwice(t)
				r.damage(t, `UPDATE refunds SET due_at = NULL WHERE account_id = $1`, account)
				return account, o
			}, order.Completed,
		},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, s := range some(env, stories) {
			t.Run(s.name, func(t *testing.T) {
				r := newRepairers(t, env)
				account, o := s.damage(t, r)
				r.turn(t)
				f := r.findings(t, account, false)
				if len(f) != 1 || f[0].Kind != s.kind || f[0].Sign != s.sign {
					t.Fatalf("found %+v, want %s by %s", f, s.kind, s.sign)
				}
				for range 4 {
					r.turn(t)
				}
				r.pass(t, time.Hour)
				r.none(t, account, s.did)
				r.want(t, o, s.want, r.get(t, o.Ref()).Reason)
				r.fair(t, account, 0)
				if n := r.held(t, account) + r.count(t, `SELECT COUNT(*) FROM cases WHERE account_id = $1`, account); n > 0 {
					t.Errorf("%d cases and letters about what mended itself", n)
				}
			})
		}
	})
}

// paidTwice is an order that was paid with two tools, and is served; what came second
// is on its way back.
func (c *cashier) paidTwice(t *testing.T) (account string, o order.Order) {
	t.Helper()
	account, ln := c.customer(t, extendable, 48*time.Hour, 0)
	o, first := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
	c.card.always("POST", outboundsim.Refuse)
	second := c.pay(t, o, payment.LINEPay)
	must(t)(c.card.Pay(first.Ref))
	must(t)(c.linePay.Pay(second.Ref))
	c.card.works()
	c.come(t, o)
	c.card.mute, c.linePay.mute = true, true
	c.Clock.Add(10 * time.Second)
	for range 5 {
		if _, err := c.Desk.PaymentStep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Desk.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if back := c.refunds(t, o); len(back) != 1 || back[0].Why != "double" {
		t.Fatalf("refunds: %+v", back)
	}
	return account, o
}

// What no rule can decide is found within a turn, and a person is called with the
// evidence, once. The customer hears of it once, where it is theirs to hear. Nothing
// else is touched.
func TestPersonsAreCalled(t *testing.T) {
	stories := []callStory{
		{"completed, and the period is gone", audit.ChargedNotExtended, "served_nowhere", 1, func(t *testing.T, r *repairers) (string, order.Order) {
			account, o := r.served(t)
			r.damage(t, `DELETE FROM periods WHERE account_id = $1 AND order_id = $2`, account, o.ID)
			return account, o
		}},
		{"served, and it was not paid in full", audit.ExtendedNotCharged, "served_unpaid", 0, func(t *testing.T, r *repairers) (string, order.Order) {
			account, o := r.served(t)
			r.damage(t, `UPDATE orders SET minor = minor + 7 WHERE account_id = $1 AND id = $2`, account, o.ID)
			r.damage(t, `UPDATE bills SET minor = minor + 7 WHERE account_id = $1`, account)
			return account, o
		}},
		{"served, and the money went back", audit.ExtendedNotCharged, "served_unfinished", 0, func(t *testing.T, r *repairers) (string, order.Order) {
			account, o := r.served(t)
			r.damage(t, `UPDATE orders SET state = 'refunded' WHERE account_id = $1 AND id = $2`, account, o.ID)
			return account, o
		}},
		{"billed with another amount", audit.NoBill, "document_differs", 0, func(t *testing.T, r *repairers) (string, order.Order) {
			account, o := r.served(t)
			r.damage(t, `UPDATE bills SET minor = minor + 1 WHERE account_id = $1`, account)
			return account, o
		}},
		{"given more money than it costs", audit.ChargedTwice, "given_twice", 1, func(t *testing.T, r *repairers) (string, order.Order) {
			account, o := r.served(t)
			r.damage(t, `UPDATE allocations SET minor = minor * 2 WHERE account_id = $1`, account)
			return account, o
		}},
		{"a refund failed, and nobody was called", audit.RefundNotArrived, "refund_failed_unseen", 1, func(t *testing.T, r *repairers) (string, order.Order) {
			account, o := r.paidTwice(t)
			r.pass(t, time.Minute)
			r.damage(t, `UPDATE refunds SET state = 'failed', due_at = NULL WHERE account_id = $1`, account)
			return account, o
		}},
		{"a payment that is not in the books as it came", audit.LedgerDiffers, "payment_unbooked", 0, func(t *testing.T, r *repairers) (string, order.Order) {
			account, o := r.served(t)
			r.damage(t, `UPDATE payments SET minor = minor + 1 WHERE account_id = $1`, account)
			return account, o
		}},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, s := range some(env, stories) {
			t.Run(s.name, func(t *testing.T) {
				r := newRepairers(t, env)
				account, o := s.damage(t, r)
				was := r.get(t, o.Ref())
				for range 5 {
					r.turn(t)
				}
				f := r.one(t, account, s.kind, s.sign)
				if f.CaseAt.IsZero() || f.CaseAt.Sub(f.FirstSeen) > time.Minute {
					t.Errorf("found at %v, and a person was called at %v", f.FirstSeen, f.CaseAt)
				}
				if f.Deadline.Sub(f.FirstSeen) != order.DecideWithin {
					t.Errorf("found at %v, and the deadline is %v", f.FirstSeen, f.Deadline)
				}
				if n := r.cases(t, account, string(s.kind)); n != 1 {
					t.Errorf("%d open cases", n)
				}
				r.evidence(t, account, string(s.kind), s.sign, o.ID, was.PaidAt.Format(time.RFC3339))
				if n := r.held(t, account); n != s.letter {
					t.Errorf("%d letters, want %d", n, s.letter)
				}
				if now := r.get(t, o.Ref()); now.State != was.State || !now.UpdatedAt.Equal(was.UpdatedAt) {
					t.Errorf("the repairer moved an order from %s to %s", was.State, now.State)
				}
			})
		}
	})
}

// An order that is held, and of which nobody has heard, is put before a person; when
// staff close the case and not the order, again.
func TestHeldIsSeen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		account, _, o := r.neverAsked(t)
		r.turn(t)
		if all := r.findings(t, account, false); len(all) > 0 {
			t.Fatalf("staff hold it, and know: %+v", all)
		}
		r.damage(t, `UPDATE orders SET reason = 'unclear_reading' WHERE account_id = $1 AND id = $2`, account, o.ID)
		for n := 1; n <= 2; n++ {
			for range 3 {
				r.turn(t)
			}
			all := r.findings(t, account, false)
			if len(all) != 1 || all[0].Open() || all[0].Sign != "held_without_case" || all[0].RepairedBy != "called a person" || all[0].Times != n {
				t.Fatalf("found %+v", all)
			}
			if r.cases(t, account, "charged_not_extended") != 1 || r.held(t, account) != 1 {
				t.Errorf("%d cases, %d letters", r.cases(t, account, "charged_not_extended"), r.held(t, account))
			}
			r.damage(t, `UPDATE cases SET state = 'closed' WHERE account_id = $1`, account)
		}
	})
}

// evidence demands that a case was opened once, and that it says all of some words.
func (r *repairers) evidence(t *testing.T, account, title string, words ...string) {
	t.Helper()
	var evidence string
	err := r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT evidence FROM cases WHERE account_id = $1 AND title = $2`, account, title).Scan(&evidence)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range words {
		if !strings.Contains(evidence, w) {
			t.Errorf("the evidence does not say %q:\n%s", w, evidence)
		}
	}
	if strings.Contains(evidence, " / ") {
		t.Errorf("the case was opened twice:\n%s", evidence)
	}
}

// Signs that have no story above, in the rows alone.
func TestSigns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for sign, damages := range map[string][]string{
			"money_of_nobody": {`DELETE FROM allocations WHERE account_id = $1`, `UPDATE orders SET state = 'cancelled' WHERE account_id = $1`},
			"unnumbered":      {`UPDATE bills SET number = NULL WHERE account_id = $1`},
			"sale_unbooked":   {`UPDATE orders SET id = id || 'x' WHERE account_id = $1`},
			"refund_unbooked": {`UPDATE refunds SET id = id || 'x' WHERE account_id = $1`},
		} {
			r := newRepairers(t, env)
			account, o := r.served(t)
			if sign == "refund_unbooked" {
				account, o = r.paidTwice(t)
				r.pass(t, time.Hour)
			}
			for _, d := range damages {
				r.damage(t, d, account)
			}
			r.Clock.Add(2 * time.Minute)
			found, err := r.both[0].Examine(t.Context(), account, o.ID, o.ID+"x")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Sign == sign }) {
				t.Errorf("found %+v, not %s", found, sign)
			}
		}
	})
}

// An operator that is silent for longer than it may be does not let anybody wait in
// the dark: before the deadline the customer hears that it takes longer, at the
// deadline a person is called with what was asked and answered, and the customer hears
// that. The shop goes on asking, and when the answer comes all of that closes itself.
func TestSilenceBeyondTheDeadline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		r.Sim.Settles = 15 * time.Minute
		r.Sim.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.LoseAnswer }
		account, _, o := r.paid(t)
		if _, err := r.Desk.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Sim.Silence(true)
		r.until(t, o.PaidAt.Add(16*time.Minute))
		if all := r.findings(t, account, false); len(all) > 0 {
			t.Fatalf("found before its deadline: %+v", all)
		}
		if n := r.told(t, account, message.OrderStillWorking); n != 1 || r.held(t, account) != 0 {
			t.Errorf("the customer heard %d times that it takes longer, and %d times of a person", n, r.held(t, account))
		}
		r.until(t, o.PaidAt.Add(19*time.Minute))
		f := r.one(t, account, audit.ChargedNotExtended, "late")
		if want := r.get(t, o.Ref()).AskedAt.Add(15*time.Minute + 100*time.Second); !f.Deadline.Equal(want) {
			t.Errorf("the deadline is %v, want %v", f.Deadline, want)
		}
		if d := f.FirstSeen.Sub(f.Deadline); d < 0 || d > time.Minute {
			t.Errorf("found %v after its deadline", d)
		}
		r.evidence(t, account, "charged_not_extended", "operator first asked", "silent", "late by", "waits for its operator's answer")
		if n := r.held(t, account); n != 1 {
			t.Errorf("%d letters about a person", n)
		}
		r.Sim.Silence(false)
		r.until(t, o.PaidAt.Add(time.Hour))
		r.want(t, o, order.Completed, "")
		r.none(t, account, f.RepairedBy)
		if n := r.cases(t, account, "charged_not_extended"); n != 0 {
			t.Error("the case is still open")
		}
		r.fair(t, account, 0)
	})
}

// An operator that carries out a request when the money has gone back already: it is
// looked for, found, and shown to staff, once. Nobody is charged for it and nothing
// else moves. Where there is nothing it is looked for twice.
func TestServiceAfterARefund(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, serves := range []bool{true, false} {
			r := newRepairers(t, env)
			r.Sim.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.ActLater }
			account, _, o := r.paid(t)
			if _, err := r.Desk.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.until(t, o.PaidAt.Add(3*time.Minute))
			r.want(t, o, order.Refunded, "operator_silent")
			if serves && r.Sim.Deliver() != 1 {
				t.Fatal("the operator did not act")
			}
			for _, wait := range []time.Duration{55 * time.Minute, 6 * time.Minute, 24 * time.Hour, 48 * time.Hour} {
				r.Clock.Add(wait)
				if worked, err := r.Desk.AfterStep(t.Context()); err != nil || worked != (wait == 6*time.Minute || wait == 24*time.Hour && !serves) {
					t.Errorf("after %v: worked=%t, %v", wait, worked, err)
				}
				r.turn(t)
				r.turn(t)
			}
			r.want(t, o, order.Refunded, "operator_silent")
			if kept := r.kept(t, account); kept != 0 || r.held(t, account) != 0 {
				t.Errorf("%d kept, %d letters", kept, r.held(t, account))
			}
			if !serves {
				if all := r.findings(t, account, false); len(all) > 0 {
					t.Errorf("found %+v", all)
				}
				continue
			}
			r.one(t, account, audit.ExtendedNotCharged, "served_after_refund")
			r.evidence(t, account, "extended_not_charged", "op-"+o.ID, "operator first asked")
			r.damage(t, `UPDATE cases SET state = 'closed' WHERE account_id = $1`, account) // staff have seen to it
			r.Clock.Add(time.Minute)
			r.turn(t)
			r.none(t, account, "")
		}
	})
}

// An operator that is silent after the money went back is asked less and less often,
// and at last a person is called, once. One that speaks meanwhile is asked on as if it
// had never been silent.
func TestSilenceAfterARefund(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		r.Sim.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.ActLater }
		account, _, o := r.paid(t)
		if _, err := r.Desk.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.until(t, o.PaidAt.Add(3*time.Minute))
		r.want(t, o, order.Refunded, "operator_silent")
		looks := func(within, every time.Duration) (at []time.Time) {
			t.Helper()
			for end := r.Clock.Now().Add(within); r.Clock.Now().Before(end); r.Clock.Add(every) {
				worked, err := r.Desk.AfterStep(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if worked {
					at = append(at, r.Clock.Now())
				}
			}
			return at
		}
		r.Sim.Silence(true)
		if n := len(looks(3*time.Hour, time.Minute)); n < 5 || n > 7 {
			t.Errorf("asked %d times in the first two hours of silence", n)
		}
		r.Sim.Silence(false)
		if n := len(looks(24*time.Hour, 10*time.Minute)); n != 1 {
			t.Errorf("asked %d times on the day after it spoke", n)
		}
		r.Sim.Silence(true)
		at := looks(7*24*time.Hour, 30*time.Minute)
		if len(at) != 12 {
			t.Fatalf("asked %d times in a week of silence", len(at))
		}
		for i := 2; i < len(at); i++ {
			if before, now := at[i-1].Sub(at[i-2]), at[i].Sub(at[i-1]); now < before || now > 6*time.Hour {
				t.Errorf("asked after %v, and then after %v", before, now)
			}
		}
		r.damage(t, `UPDATE late_looks SET gave_up_at = $2 WHERE account_id = $1`, account, db.At(r.Clock.Now())) // the repairer was there then
		for range 3 {
			r.turn(t)
		}
		r.one(t, account, audit.ExtendedNotCharged, "silent_after_refund")
		r.evidence(t, account, "extended_not_charged", "has not said since", "is silent")
		if r.cases(t, account, "extended_not_charged") != 1 || r.held(t, account) != 0 {
			t.Errorf("%d cases, %d letters", r.cases(t, account, "extended_not_charged"), r.held(t, account))
		}
		r.damage(t, `UPDATE cases SET state = 'closed' WHERE account_id = $1`, account) // staff have seen to it
		r.Clock.Add(time.Minute)
		r.turn(t)
		r.none(t, account, "")
	})
}

// until lets turns and everything else happen, up to an instant.
func (r *repairers) until(t *testing.T, end time.Time) {
	t.Helper()
	for r.Clock.Now().Before(end) {
		r.Clock.Add(19 * time.Second)
		r.turn(t)
	}
}

// A provider that says nothing of a refund for longer than it may: a person is called
// and the customer hears that the money is late, once. When it is done all closes.
func TestRefundBeyondTheDeadline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		r.refuse()
		account, _, o := r.paid(t)
		r.card.wire.Choose = func(*http.Request) outboundsim.Fault { return outboundsim.LoseRequest }
		r.until(t, r.Clock.Now().Add(4*time.Minute))
		if all := r.findings(t, account, false); len(all) > 0 {
			t.Fatalf("found before its deadline: %+v", all)
		}
		r.until(t, r.Clock.Now().Add(5*time.Minute))
		r.one(t, account, audit.RefundNotArrived, "refund_late")
		r.evidence(t, account, "refund_not_arrived", "refund rf_", "waits for its provider", "late by")
		if n := r.held(t, account); n != 1 {
			t.Errorf("%d letters", n)
		}
		r.card.works()
		r.until(t, r.Clock.Now().Add(30*time.Minute))
		r.want(t, o, order.Refunded, "operator_refuses")
		r.none(t, account, r.findings(t, account, false)[0].RepairedBy)
		if n := r.cases(t, account, "refund_not_arrived"); n != 0 {
			t.Error("the case is still open")
		}
		r.fair(t, account, 0)
	})
}

// The operator ends a line before we do: found when it is read, a person is called and
// the customer hears why; when the operator has put it right it closes. Readings that
// are older than what was bought, or end later, say nothing.
func TestOperatorEndsSooner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		account, o := r.served(t)
		period := r.get(t, o.Ref())
		shows := func(ends, asOf time.Time) {
			t.Helper()
			r.Sim.Set("pf_"+o.Line, carrier.Status{State: carrier.LineActive, EndsAt: ends, Total: 3 << 30, Used: 1 << 30, AsOf: asOf})
			r.damage(t, `UPDATE lines SET look_at = 1 WHERE account_id = $1`, account)
			if _, err := r.Desk.LookStep(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.turn(t)
		}
		soon := period.EndsAt.Add(-26 * time.Hour)
		r.Clock.Set(period.StartsAt.Add(time.Minute)) // the first period is over
		shows(soon, period.StartsAt.Add(-time.Minute))
		shows(period.EndsAt.Add(time.Hour), r.Clock.Now())
		shows(period.EndsAt.Add(-30*time.Minute), r.Clock.Now())
		if all := r.findings(t, account, false); len(all) > 0 {
			t.Fatalf("found %+v", all)
		}
		shows(soon, r.Clock.Now())
		r.one(t, account, audit.PeriodDiffers, "operator_ends_sooner")
		r.evidence(t, account, "period_differs", "1560", "operator's reference")
		if n := r.held(t, account); n != 1 {
			t.Errorf("%d letters", n)
		}
		shows(period.EndsAt, r.Clock.Now())
		r.turn(t)
		r.none(t, account, "")
		if n := r.cases(t, account, "period_differs"); n != 1 {
			t.Error("the case is a person's to close")
		}
	})
}

// What a provider's report says otherwise is a finding until somebody accepts it, and
// has the time in which those who were asked have answered.
func TestReportsAreFindings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		account, o := r.served(t)
		p := r.payments(t, o)[0]
		for kind, owner := range map[string]string{"other_amount": account, "charged_twice": account, "not_here": ""} {
			r.damage(t, `INSERT INTO differences (account_id, provider, day, kind, subject, order_id, payment_id, ours_minor, ours_currency, theirs_minor, theirs_currency, detail, found_at)
				VALUES ($1, 'stripe', '2026-03-02', $2, 'txn_1', $3, $4, 1, 'JPY', 2, 'JPY', 'charge ch_1', $5)`, owner, kind, o.ID, p.ID, db.At(r.Clock.Now()))
		}
		found := r.Clock.Now()
		r.turn(t)
		kinds := map[audit.Kind]int{}
		for _, f := range append(r.findings(t, account, true), r.findings(t, "", true)...) {
			kinds[f.Kind]++
			if f.Sign != "report_differs" || !f.Deadline.Equal(found.Add(audit.DifferLate)) {
				t.Errorf("found %+v", f)
			}
		}
		if kinds[audit.LedgerDiffers] != 2 || kinds[audit.ChargedTwice] != 1 {
			t.Errorf("found %v", kinds)
		}
		r.write(t, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE differences SET accepted = 'mika: it is right' WHERE provider = 'stripe'`)
			return err
		})
		r.turn(t)
		r.none(t, account, "")
	})
}

// A finding that is true again is the same one, opened once more, and is answered anew.
func TestFindingsOpenAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		account, _ := r.served(t)
		for n := 1; n <= 2; n++ {
			r.damage(t, `DELETE FROM bills WHERE account_id = $1`, account)
			for range 5 {
				r.turn(t)
			}
			all := r.findings(t, account, false)
			if len(all) != 1 || all[0].Open() || all[0].Times != n || all[0].RepairedBy == "" {
				t.Fatalf("%+v, want it closed for the %d. time", all, n)
			}
		}
		r.Clock.Add(500 * 24 * time.Hour)
		r.turn(t)
		if all := r.findings(t, account, false); len(all) > 0 {
			t.Errorf("kept for ever: %+v", all)
		}
	})
}

// However many there are, every order is passed, a slice a turn.
func TestTheSweepPassesEverything(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		for _, one := range r.both {
			one.Slice = 2
		}
		var accounts []string
		for range 5 {
			account, _ := r.served(t)
			accounts = append(accounts, account)
		}
		for range 4 {
			r.turn(t) // the first round, and what was billed
		}
		r.Clock.Add(time.Hour)
		for _, account := range accounts {
			r.damage(t, `DELETE FROM periods WHERE account_id = $1 AND order_id IS NOT NULL`, account)
		}
		for range 4 {
			r.turn(t)
		}
		for _, account := range accounts {
			r.one(t, account, audit.ChargedNotExtended, "served_nowhere")
		}
	})
}

// Two processes that find and answer the same at the same instant do it once.
func TestTwoRepairersAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRepairers(t, env)
		account, _ := r.served(t)
		r.damage(t, `DELETE FROM bills WHERE account_id = $1`, account)
		broken, lost := r.served(t)
		r.damage(t, `DELETE FROM periods WHERE account_id = $1 AND order_id = $2`, broken, lost.ID)
		for range 12 {
			r.Clock.Add(6 * time.Second)
			r.write(t, func(ctx context.Context, tx db.Tx) error { // a process that lost its turn goes on all the same
				_, err := tx.Exec(ctx, `DELETE FROM audit_turns`)
				return err
			})
			atOnce(2, func(i int) {
				if _, err := r.both[i].Step(t.Context()); err != nil {
					t.Error(err)
				}
			})
			r.work(t)
		}
		r.none(t, account, "wrote the document")
		if n := r.count(t, `SELECT COUNT(*) FROM bills WHERE account_id = $1`, account); n != 1 {
			t.Errorf("%d bills", n)
		}
		r.one(t, broken, audit.ChargedNotExtended, "served_nowhere")
		r.evidence(t, broken, "charged_not_extended", lost.ID)
		if n := r.held(t, broken); n != 1 {
			t.Errorf("%d letters", n)
		}
		r.clean(t, account)
	})
}
