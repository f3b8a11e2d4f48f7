package order_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const within = 12 * time.Hour

// othersPlan is a plan of another operator than that of extendable.
const othersPlan = "aurora-rolling"

// hand is the manual operator, with a hook at the worst moment.
type hand struct {
	*manual.Adapter
	meanwhile func(carrier.Extension) error
}

func (h *hand) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	if h.meanwhile != nil {
		if err := h.meanwhile(e); err != nil {
			return carrier.Receipt{}, err
		}
	}
	return h.Adapter.Extend(ctx, e)
}

// byHand is a shop whose operator has no API.
func byHand(t tester, env dbtest.Env) (*cashier, *hand) {
	t.Helper()
	c := newCashier(t, env)
	m, err := manual.New(within, env.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	h := &hand{Adapter: m}
	c.Desk.Carriers = map[string]carrier.Carrier{"simple": h}
	return c, h
}

func (c *cashier) works(t tester) []order.Work {
	t.Helper()
	all, err := c.Desk.Works(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// mine is the entry of the work list about an order, if there is one.
func (c *cashier) mine(t tester, o order.Order) (order.Work, bool) {
	t.Helper()
	for _, w := range c.works(t) {
		if w.Order.ID == o.ID {
			return w, true
		}
	}
	return order.Work{}, false
}

func (c *cashier) done(t tester, o order.Order) error {
	t.Helper()
	_, err := c.Desk.Done(t.Context(), o.Ref(), order.Proof{Reference: "op-" + o.ID[len(o.ID)-4:]}, mika)
	return err
}

func (c *cashier) notDone(t tester, o order.Order) error {
	t.Helper()
	_, err := c.Desk.NotDone(t.Context(), o.Ref(), mika)
	return err
}

// A person carries an order out: it is on the list from when it was asked for, can
// be exported again and again, and ends with the proof, once.
func TestWorkIsDone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c, _ := byHand(t, env)
		account, ln, o := c.paid(t)
		if _, listed := c.mine(t, o); listed {
			t.Error("on the list before it is begun")
		}
		c.pass(t, time.Minute)
		o = c.want(t, o, order.Fulfilling, "")
		w, _ := c.mine(t, o)
		if w.By != o.AskedAt.Add(within) || w.Package == "" || w.Line.ID != ln || w.Exports != 0 {
			t.Errorf("on the list: %+v", w)
		}
		if got := c.told(t, account, message.OrderByHand); got != 1 {
			t.Errorf("told %d times that a person does it", got)
		}
		for i := range 3 {
			all, err := c.Desk.Export(t.Context(), "mika", false)
			if err != nil || len(all) != 1 || all[0].Exports != i || all[0].Exported.IsZero() != (i == 0) {
				t.Fatalf("export %d: %+v %v", i, all, err)
			}
		}
		if all, err := c.Desk.Export(t.Context(), "mika", true); err != nil || len(all) != 0 {
			t.Errorf("new since: %+v %v", all, err)
		}
		file := order.File{Name: "receipt.pdf", Content: []byte("%PDF\x00 a picture of the operator's page")}
		ends := c.Clock.Now().AddDate(0, 0, 3)
		got, err := c.Desk.Done(t.Context(), o.Ref(), order.Proof{Reference: "R-77", EndsAt: ends, File: file}, mika)
		if err != nil || got.State != order.Completed || got.OperatorRef != "R-77" {
			t.Fatalf("%s %q %v", got.State, got.OperatorRef, err)
		}
		read, err := c.Desk.GetWork(t.Context(), o.Ref())
		a := read.Answer
		if err != nil || a.Said != order.WorkDone || a.Staff != "mika" || a.At != c.Clock.Now() || string(a.File.Content) != string(file.Content) ||
			a.File.SHA256 != fmt.Sprintf("%x", sha256.Sum256(file.Content)) || a.File.Bytes != len(file.Content) {
			t.Errorf("%+v %v", a, err)
		}
		for what, err := range map[string]error{"done": c.done(t, o), "refused": c.notDone(t, o)} {
			if !isConflict(err) {
				t.Errorf("%s after it was done: %v", what, err)
			}
		}
		if len(c.works(t)) != 0 {
			t.Error("still on the list")
		}
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		if got := c.count(t, `SELECT COUNT(*) FROM trail WHERE account_id = $1 AND action = 'work done' AND staff = 'mika'`, account); got != 1 {
			t.Errorf("%d lines in the trail", got)
		}
		c.clean(t, account)
	})
}

// Money goes back when a person says that it was not done, and only then.
func TestWorkIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c, _ := byHand(t, env)
		account, _, o := c.paid(t)
		c.pass(t, time.Minute)
		if err := c.notDone(t, o); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.want(t, o, order.Refunded, string(carrier.OperatorRefuses))
		if got := c.card.Refunds(); len(got) != 1 || got[0].Amount != o.Price {
			t.Errorf("refunds at the provider: %+v", got)
		}
		for what, err := range map[string]error{"done": c.done(t, o), "refused": c.notDone(t, o)} {
			if !isConflict(err) {
				t.Errorf("%s after it was refused: %v", what, err)
			}
		}
		c.clean(t, account)

		account, ln := c.customer(t, extendable, 48*time.Hour, opening)
		o, err := c.place(t, c.quote(t, account, ln, extendable))
		if err != nil || o.State != order.Fulfilling {
			t.Fatalf("from the wallet: %s %v", o.State, err)
		}
		if err := c.notDone(t, o); err != nil || c.wallet(t, account) != opening {
			t.Errorf("the wallet has %d of %d: %v", c.wallet(t, account), opening, err)
		}
		c.pass(t, time.Minute)
		c.clean(t, account)
	})
}

// Nobody answers: staff are reminded at half of the time and the order is held at
// its end. Nothing goes back by itself for weeks, and whoever answers late is heard.
func TestNobodyAnswers(t *testing.T) {
	for _, done := range []bool{true, false} {
		dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
			c, _ := byHand(t, env)
			account, _, o := c.paid(t)
			c.pass(t, within/2-time.Minute)
			if got := c.cases(t, account, order.CaseWorkWaiting); got != 0 {
				t.Errorf("%d cases before half of the time", got)
			}
			c.pass(t, 2*time.Minute)
			if got := c.cases(t, account, order.CaseWorkWaiting); got != 1 {
				t.Errorf("%d cases after half of the time", got)
			}
			c.want(t, o, order.Fulfilling, "")
			c.pass(t, 30*24*time.Hour)
			o = c.want(t, o, order.Held, "work_late")
			if len(c.card.Refunds()) != 0 || c.told(t, account, message.OrderHeld) != 1 || c.told(t, account, message.OrderStillWorking) != 0 {
				t.Errorf("%d refunds, told %d times", len(c.card.Refunds()), c.told(t, account, message.OrderHeld))
			}
			if _, listed := c.mine(t, o); !listed {
				t.Error("no longer on the list")
			}
			if _, err := c.Desk.Confirm(t.Context(), o.Ref(), "op", mika); !isConflict(err) {
				t.Errorf("confirmed without its proof: %v", err)
			}
			if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); !isConflict(err) {
				t.Errorf("given back by another door: %v", err)
			}
			c.clean(t, account)
			answer, want, reason := c.done, order.Completed, "work_late"
			if !done {
				answer, want, reason = c.notDone, order.Refunded, string(carrier.OperatorRefuses)
			}
			if err := answer(t, o); err != nil {
				t.Fatal(err)
			}
			c.pass(t, rest)
			c.want(t, o, want, reason)
			c.clean(t, account)
		})
	}
}

// The program dies, or a worker loses its way, between the intent and what comes
// after it; a person answers at that very moment.
func TestWorkAtTheWorstMoment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c, h := byHand(t, env)
		died := errors.New("died")
		for name, meanwhile := range map[string]func(order.Order) error{
			"dies":    func(order.Order) error { panic(died) },
			"unknown": func(order.Order) error { return errors.New("an error of no kind") },
			"done":    func(o order.Order) error { return c.done(t, o) },
			"refused": func(o order.Order) error { return c.notDone(t, o) },
		} {
			account, _, o := c.paid(t)
			h.meanwhile = func(carrier.Extension) error { return meanwhile(o) }
			func() {
				defer func() {
					if p := recover(); p != nil && p != any(died) {
						panic(p)
					}
				}()
				if _, err := c.Desk.Step(t.Context()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}()
			h.meanwhile = nil
			answered := name == "done" || name == "refused"
			if _, listed := c.mine(t, o); listed == answered {
				t.Errorf("%s: on the list: %t", name, listed)
			}
			c.pass(t, time.Hour)
			if !answered {
				if c.told(t, account, message.OrderByHand) != 1 {
					t.Errorf("%s: not told", name)
				}
				if err := c.done(t, o); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			c.pass(t, rest)
			want := order.Completed
			if name == "refused" {
				want = order.Refunded
			}
			if got := c.get(t, o.Ref()); got.State != want {
				t.Errorf("%s: %s (%s)", name, got.State, got.Reason)
			}
			c.clean(t, account)
		}
	})
}

// Whatever customers and staff do, in whatever order: an order ends as staff said,
// once, and money goes back only if they said so or nobody had been asked.
func TestAnyWork(t *testing.T) {
	env := dbtest.SQLite(t)
	start, told := env.Clock.Now(), 0
	rapid.Check(t, func(t *rapid.T) {
		if told++; told > stories(t) {
			return
		}
		env.Clock.Set(start)
		c, _ := byHand(t, env)
		account, ln := c.customer(t, extendable, 50*time.Hour, opening)
		lines := []string{ln, c.another(t, account, extendable, 40*time.Hour)}
		said := map[string]order.Said{}
		answer := func(o order.Order, s order.Said, err error) {
			if err == nil && said[o.ID] != "" {
				t.Errorf("%s was answered %s and then %s", o.ID, said[o.ID], s)
			}
			if err == nil {
				said[o.ID] = s
			} else if k := fault.KindOf(err); k != fault.Conflict {
				t.Fatal(err)
			}
		}
		some := func(what string) (order.Order, bool) {
			all := c.orders(t, account)
			if len(all) == 0 {
				return order.Order{}, false
			}
			return all[rapid.IntRange(0, len(all)-1).Draw(t, what)], true
		}
		acts := []func(){
			func() {
				q, err := c.Desk.Quote(t.Context(), account, lines[rapid.IntRange(0, 1).Draw(t, "line")], renewal.Item{Kind: renewal.Term, Plan: extendable, ID: "3d"}, "JPY")
				if err == nil {
					_, err = c.place(t, q)
				}
				if err != nil && fault.KindOf(err) == fault.Internal {
					t.Fatal(err)
				}
			},
			func() {
				if o, ok := some("done"); ok {
					answer(o, order.WorkDone, c.done(t, o))
				}
			},
			func() {
				if o, ok := some("refused"); ok {
					answer(o, order.WorkRefused, c.notDone(t, o))
				}
			},
			func() {
				if o, ok := some("held"); ok {
					_, _ = c.Desk.Hold(t.Context(), o.Ref(), mika) // where that can be
				}
			},
			func() {
				if o, ok := some("look"); ok {
					_, _ = c.Desk.LookAgain(t.Context(), o.Ref(), mika) // where that can be
				}
			},
			func() {
				if _, err := c.Desk.Export(t.Context(), "mika", false); err != nil {
					t.Fatal(err)
				}
			},
			func() {
				c.pass(t, []time.Duration{time.Minute, time.Hour, 7 * time.Hour}[rapid.IntRange(0, 2).Draw(t, "time")])
			},
			func() { c.work(t) },
		}
		for range 10 + rapid.IntRange(0, 20).Draw(t, "length") {
			acts[rapid.IntRange(0, len(acts)-1).Draw(t, "act")]()
		}
		c.pass(t, rest)
		for _, o := range c.orders(t, account) {
			switch want := said[o.ID]; {
			case want == order.WorkDone && o.State != order.Completed,
				want == order.WorkRefused && o.State != order.Refunded,
				want == "" && o.State != order.Held && (o.State != order.Refunded || !o.AskedAt.IsZero()):
				t.Errorf("%s is %s (%s), and staff said %q", o.ID, o.State, o.Reason, want)
			}
		}
		c.clean(t, account)
	})
}

// What proves nothing, or is too much, is refused; an adapter's order is nobody's
// work.
func TestProofs(t *testing.T) {
	env := dbtest.SQLite(t)
	c, _ := byHand(t, env)
	_, _, o := c.paid(t)
	c.pass(t, time.Minute)
	for name, p := range map[string]order.Proof{
		"none":        {},
		"a long one":  {Reference: strings.Repeat("r", 201)},
		"an empty":    {Reference: "r", File: order.File{Name: "a"}},
		"a nameless":  {Reference: "r", File: order.File{Content: []byte("a")}},
		"a large one": {Reference: "r", File: order.File{Name: "a", Content: make([]byte, order.MostFile+1)}},
	} {
		if _, err := c.Desk.Done(t.Context(), o.Ref(), p, mika); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Desk.Done(t.Context(), o.Ref(), order.Proof{Reference: "r"}, order.Act{Staff: "mika"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	c.want(t, o, order.Fulfilling, "")

	other := newCashier(t, env)
	account, ln := other.customer(t, extendable, 48*time.Hour, 0)
	bought, p := other.checkout(t, other.quote(t, account, ln, extendable), payment.Card)
	must(t)(other.card.Pay(p.Ref))
	other.come(t, bought)
	for _, w := range other.works(t) {
		if w.Order.ID == bought.ID {
			t.Error("an adapter's order is on the list")
		}
	}
	if err := other.done(t, bought); !isConflict(err) {
		t.Errorf("an adapter's order was answered: %v", err)
	}
}

// However much trouble other operators make: who works by hand sees their own work.
func TestWorkListIsNotFilledByOthers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c, _ := byHand(t, env)
		_, _, o := c.paid(t)
		c.pass(t, time.Minute)
		o = c.want(t, o, order.Fulfilling, "")
		other := c.another(t, o.Account, othersPlan, 48*time.Hour)
		const trouble = 1500
		c.write(t, func(ctx context.Context, tx db.Tx) error {
			n, err := tx.Exec(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
				INSERT INTO orders (account_id, id, state, customer_key, input_digest, kind, line_id, plan_id, item_id, catalogue_version, minor, currency, tool,
					effect, bytes, periods, anchor, asked_at, expires_at, placed_at, paid_at, updated_at)
				SELECT account_id, id || '-' || CAST(i AS text), 'held', id || '-' || CAST(i AS text), input_digest, kind, $3, $4, item_id, catalogue_version, minor, currency, tool,
					effect, bytes, periods, anchor, asked_at - 1 + i / 900, expires_at, placed_at, paid_at, updated_at
				  FROM orders, n WHERE account_id = $1 AND id = $2`, o.Account, o.ID, other, othersPlan)
			if err == nil && n != trouble {
				t.Fatalf("%d rows of trouble", n)
			}
			return err
		})
		if all := c.works(t); len(all) != 1 || all[0].Order.ID != o.ID {
			t.Errorf("the list has %d entries: %+v", len(all), all)
		}
	})
}

// A person orders a new line: it is on the list as one, nobody else says what became
// of it, and with what the operator made the customer has it, once. Its clock starts
// when a person says that it is in use.
func TestNewLineByHand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c, _ := byHand(t, env)
		account := c.visitor(t, opening)
		o := c.buysNew(t, account, usedLater, order.ToolWallet)
		c.pass(t, time.Minute)
		o = c.want(t, o, order.Fulfilling, "")
		w, listed := c.mine(t, o)
		if !listed || w.By != o.AskedAt.Add(within) || !strings.HasPrefix(w.Package, "ESIM-") || w.Operator == "" || w.Line.ICCID != "" {
			t.Errorf("on the list: %t %+v", listed, w)
		}
		if by, ok := c.Desk.HandTime(demo(), line.Line{}, o); !ok || by != w.By || c.told(t, account, message.OrderByHand) != 1 {
			t.Errorf("the customer is told %v, and %d times", by, c.told(t, account, message.OrderByHand))
		}
		made := carrier.Issued{Ref: "R-9", Profile: carrier.Profile{ID: "KZ-9", ICCID: "8981100000000000010"}, Code: "LPA:1$rsp.example$A1B2"}
		for what, p := range map[string]order.Proof{
			"no line":   {Reference: "R-9"},
			"no code":   {Reference: "R-9", Line: carrier.Issued{Ref: "R-9", Profile: made.Profile}},
			"no ICCID":  {Reference: "R-9", Line: carrier.Issued{Ref: "R-9", Profile: carrier.Profile{ID: "KZ-9", ICCID: "8981100000000000011"}, Code: made.Code}},
			"an end":    {Reference: "R-9", Line: made, EndsAt: c.Clock.Now().AddDate(0, 0, 3)},
			"no number": {Line: made},
		} {
			if _, err := c.Desk.Done(t.Context(), o.Ref(), p, mika); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := c.Desk.Done(t.Context(), o.Ref(), order.Proof{Reference: "R-9", Line: made}, mika); err != nil {
			t.Fatal(err)
		}
		c.want(t, o, order.Completed, "")
		if e, found := c.esim(t, o); !found || e.OperatorRef != "R-9" {
			t.Errorf("%t %+v", found, e)
		}
		if err := c.done(t, o); !isConflict(err) || len(c.works(t)) != 0 {
			t.Errorf("done again: %v, and %d are on the list", err, len(c.works(t)))
		}
		c.pass(t, time.Hour)
		err := c.Desk.EnterStatus(t.Context(), o.Line, carrier.Status{State: carrier.LineActive, AsOf: c.Clock.Now()}, mika)
		if l := c.line(t, account, o.Line); err != nil || l.StartedAt != c.Clock.Now() || l.State != line.Active {
			t.Errorf("in use: %v, %s since %v", err, l.State, l.StartedAt)
		}
		second := c.buysNew(t, c.visitor(t, opening), usedLater, order.ToolWallet)
		c.pass(t, time.Minute)
		if _, err := c.Desk.Done(t.Context(), second.Ref(), order.Proof{Reference: "R-9", Line: made}, mika); !isConflict(err) {
			t.Errorf("the same line for somebody else: %v", err)
		}
		if err := c.notDone(t, second); err != nil {
			t.Fatal(err)
		}
		c.pass(t, time.Minute)
		c.want(t, second, order.Refunded, string(carrier.OperatorRefuses))
		c.clean(t, account)
		c.clean(t, second.Account)
	})
}

// Nobody orders the new line: it is held, and no money moves.
func TestNobodyOrdersTheNewLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c, _ := byHand(t, env)
		account := c.visitor(t, opening)
		o := c.buysNew(t, account, usedLater, order.ToolWallet)
		had := c.wallet(t, account)
		c.pass(t, within+time.Hour)
		o = c.want(t, o, order.Held, "work_late")
		made := carrier.Issued{Ref: "R-9", Profile: carrier.Profile{ID: "KZ-9", ICCID: "8981100000000000010"}, Code: "LPA:1$rsp.example$A1B2"}
		if _, err := c.Desk.ConfirmLine(t.Context(), o.Ref(), made, mika); !isConflict(err) {
			t.Errorf("confirmed by another door: %v", err)
		}
		if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); !isConflict(err) || c.wallet(t, account) != had {
			t.Errorf("given back by another door: %v", err)
		}
		if _, err := c.Desk.Done(t.Context(), o.Ref(), order.Proof{Reference: "R-9", Line: made}, mika); err != nil {
			t.Fatal(err)
		}
		c.want(t, o, order.Completed, "work_late")
		c.clean(t, account)
	})
}
