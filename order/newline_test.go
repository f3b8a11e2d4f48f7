package order_test

import (
	"context"
	"strings"
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
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// The plans that new lines are bought of: one whose clock starts with its first
// use, and one whose clock starts with the purchase.
const (
	usedLater = "machi-5gb"
	usedNow   = "tsubame-free"
)

// visitor is a customer without a line.
func (c *cashier) visitor(t tester, yen int64) string {
	t.Helper()
	account := c.Desk.IDs.Account()
	if yen > 0 {
		c.grantYen(t, account, yen)
	}
	return account
}

// fresh fixes the first term of a plan with a new line in yen.
func (c *cashier) fresh(t tester, account, plan string) order.Quote {
	t.Helper()
	p, _ := demo().Plan(plan)
	q, err := c.Desk.QuoteNew(t.Context(), account, plan, p.Sold()[0].ID, "JPY")
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// buysNew buys a new line: from the wallet at once, or with a card.
func (c *cashier) buysNew(t *testing.T, account, plan string, tool catalogue.Tool) order.Order {
	t.Helper()
	q := c.fresh(t, account, plan)
	if tool == order.ToolWallet {
		o, err := c.place(t, q)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o, p := c.checkout(t, q, payment.Rail(tool))
	must(t)(c.card.Pay(p.Ref))
	c.come(t, o)
	return o
}

func (c *cashier) esim(t *testing.T, o order.Order) (e line.ESIM, found bool) {
	t.Helper()
	err := c.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		e, found, err = line.GetESIM(ctx, tx, o.Account, o.Line)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, found
}

// Whatever the operator does and however it is paid, a new line is charged and
// there, once at the operator and once here, or the money is back and neither is.
func TestNewLineIsThereOrRefunded(t *testing.T) {
	fates := map[string]struct {
		fault  carriersim.Fault
		making time.Duration
		ends   order.State
		reason string
	}{
		"at once":                  {carriersim.None, 0, order.Completed, ""},
		"half a minute later":      {carriersim.None, 30 * time.Second, order.Completed, ""},
		"an hour later":            {carriersim.None, time.Hour, order.Completed, ""},
		"refused":                  {carriersim.Refuse, 0, order.Refunded, "operator_refuses"},
		"the request is lost":      {carriersim.LoseRequest, 0, order.Refunded, "operator_silent"},
		"the answer is lost":       {carriersim.LoseAnswer, 0, order.Completed, ""},
		"the answer is lost, slow": {carriersim.LoseAnswer, 30 * time.Second, order.Completed, ""},
		"it acts late":             {carriersim.ActLater, 0, order.Completed, ""},
		"nobody is there at first": {carriersim.NotSent, 0, order.Completed, ""},
	}
	for name, f := range fates {
		for _, tool := range []catalogue.Tool{order.ToolWallet, catalogue.Tool(payment.Card)} {
			t.Run(name+"/"+string(tool), func(t *testing.T) {
				c := newCashier(t, dbtest.SQLite(t)) // the other tests here are told on both engines
				c.Sim.Making = f.making
				left := 1
				c.Sim.ChooseIssue = func(carrier.Purchase) carriersim.Fault {
					if left--; left < 0 {
						return carriersim.None
					}
					return f.fault
				}
				account := c.visitor(t, 6_000)
				o := c.buysNew(t, account, usedLater, tool)
				c.pass(t, rest)
				o = c.want(t, o, f.ends, f.reason)
				e, found := c.esim(t, o)
				if found != (f.ends == order.Completed) || c.Sim.Issues(o.ID) > 1 {
					t.Errorf("order is %s, its line is here: %t, and the operator made %d", o.State, found, c.Sim.Issues(o.ID))
				}
				if asked := c.Sim.Asked(o.ID); asked != 1 && f.fault != carriersim.NotSent {
					t.Errorf("the operator was asked %d times", asked)
				}
				if found {
					c.isInstallable(t, o, e)
				}
				told := c.told(t, account, message.OrderCompleted) + c.told(t, account, message.OrderRefunded)
				if told != 1 || f.making == time.Hour && c.told(t, account, message.OrderStillWorking) != 1 {
					t.Errorf("the customer was told %d times how it ended, and %d times that it takes longer", told, c.told(t, account, message.OrderStillWorking))
				}
				c.fair(t, account, 6_000)
			})
		}
	}
}

// isInstallable checks a line that was just bought and that nobody has used.
func (c *cashier) isInstallable(t *testing.T, o order.Order, e line.ESIM) {
	t.Helper()
	l := c.line(t, o.Account, o.Line)
	if l.At(c.Clock.Now()) != line.New || l.Periods != 0 || l.ProfileID == "" || len(l.ICCID) != 19 || l.Plan != o.Plan {
		t.Errorf("the line: %+v", l)
	}
	if !strings.HasPrefix(e.Code, "LPA:1$") || e.Order != o.ID || e.OperatorRef != o.OperatorRef {
		t.Errorf("what it is installed with: %+v", e)
	}
	// The plan says 90 days, the operator 180.
	if days := e.InstallBy.Sub(o.CompletedAt) / (24 * time.Hour); days < 89 || days > 90 {
		t.Errorf("it must be installed within %d days", days)
	}
	for kind, value := range map[string]string{"iccid": l.ICCID, "profile:" + l.Operator: l.ProfileID} {
		err := c.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, id, err := db.Locate(ctx, tx, kind, value)
			if err == nil && id != l.ID {
				t.Errorf("%s leads to %s", kind, id)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// The first use begins the period that was bought, and from then on the line is
// renewed as any other.
func TestNewLineBeginsWithItsFirstUse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account := c.visitor(t, 6_000)
		o := c.buysNew(t, account, usedLater, order.ToolWallet)
		c.lookAtLines(t)
		if l := c.line(t, account, o.Line); l.At(c.Clock.Now()) != line.New {
			t.Fatalf("it began by itself: %+v", l)
		}
		if _, err := c.Desk.Quote(t.Context(), account, o.Line, renewal.Item{Kind: renewal.Term, Plan: usedLater, ID: "3d"}, "JPY"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("renewed before it began: %v", err)
		}
		c.Clock.Add(40 * 24 * time.Hour)
		c.Sim.Use(c.line(t, account, o.Line).ProfileID, time.Time{}, 0)
		began := c.Clock.Now()
		c.Clock.Add(25 * time.Hour) // it has not been looked at for a day at the most
		c.lookAtLines(t)
		l := c.line(t, account, o.Line)
		if l.At(c.Clock.Now()) != line.Active || !l.StartedAt.Equal(began) || l.Periods != 1 {
			t.Fatalf("in use since %v: %+v", began, l)
		}
		c.quote(t, account, o.Line, usedLater)
		q := c.quote(t, account, o.Line, usedLater)
		if _, err := c.place(t, q); err != nil {
			t.Fatal(err)
		}
		if got := c.line(t, account, o.Line); got.Periods != 2 || !got.EndsAt.After(l.EndsAt) {
			t.Errorf("renewed: %+v", got)
		}
		if n := c.count(t, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND kind = 'reminder_1d'`, account); n != 2 {
			t.Errorf("%d reminders of its two ends", n)
		}
		c.pass(t, time.Hour)
		c.fair(t, account, 6_000)
	})
}

// An operator that does not say when a line began, and when it ends, has told both: the
// customer is not shown an end that is not there. One that gives less time than was
// sold is not believed about that: it would be hidden.
func TestNewLineWhoseStartIsNotSaid(t *testing.T) {
	for less, counts := range map[time.Duration]bool{0: true, 24 * time.Hour: false} {
		c := newCashier(t, dbtest.SQLite(t))
		account := c.visitor(t, 6_000)
		o := c.buysNew(t, account, "ichiba-rolling", order.ToolWallet) // 3 times 24 hours
		c.lookAtLines(t)
		ends := c.Clock.Now().Add(72*time.Hour - less)
		c.Clock.Add(time.Hour)
		c.Sim.Set(c.line(t, account, o.Line).ProfileID, carrier.Status{State: carrier.LineActive, EndsAt: ends, AsOf: c.Clock.Now()})
		c.lookAtLines(t)
		if l := c.line(t, account, o.Line); l.At(c.Clock.Now()) != line.Active || l.EndsAt.Equal(ends) != counts {
			t.Errorf("%v less: ends %v, and at the operator %v", less, l.EndsAt, ends)
		}
	}
}

// lookAtLines asks the operators about every line that is due to be looked at.
func (c *cashier) lookAtLines(t *testing.T) {
	t.Helper()
	c.Clock.Add(time.Hour)
	for range 10 {
		worked, err := c.Desk.LookStep(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

// Where the clock starts with the purchase, the first period begins with it, and
// the line can be renewed at once.
func TestNewLineThatBeginsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account := c.visitor(t, 9_000)
		q := c.fresh(t, account, usedNow)
		o, err := c.place(t, q)
		if err != nil {
			t.Fatal(err)
		}
		l := c.line(t, account, o.Line)
		if o.State != order.Completed || l.At(c.Clock.Now()) != line.Active || l.Periods != 1 || !l.EndsAt.Equal(q.EndsAt) {
			t.Fatalf("order %s, line %+v; want it to end at %v", o.State, l, q.EndsAt)
		}
		if _, err := c.place(t, c.quote(t, account, o.Line, usedNow)); err != nil {
			t.Fatal(err)
		}
		c.pass(t, time.Hour)
		c.fair(t, account, 9_000)
	})
}

// What nobody used until the deadline is dead, and nobody is sold more of it.
func TestNewLineThatNobodyUsed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account := c.visitor(t, 6_000)
		o := c.buysNew(t, account, usedLater, order.ToolWallet)
		c.pass(t, 84*24*time.Hour)
		if c.told(t, account, message.ReminderInstall) != 1 {
			t.Error("nobody was reminded to install it")
		}
		c.Sim.Set(c.line(t, account, o.Line).ProfileID, carrier.Status{State: carrier.LineIsOver, AsOf: c.Clock.Now()})
		c.lookAtLines(t)
		if l := c.line(t, account, o.Line); l.At(c.Clock.Now()) != line.Terminal {
			t.Errorf("the line is %s", l.At(c.Clock.Now()))
		}
		c.fair(t, account, 6_000)
	})
}

// The operator's bell shortens the wait for a line that it has accepted.
func TestBellOfANewLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.Sim.Making = 31 * time.Second
		account := c.visitor(t, 6_000)
		o := c.buysNew(t, account, usedLater, order.ToolWallet)
		c.pass(t, 32*time.Second) // looked at after 2, 6, 14, 30 seconds: next after 62
		if o = c.want(t, o, order.Fulfilling, ""); o.OperatorRef == "" {
			t.Error("the operator's number is not kept")
		}
		for _, ref := range []string{"somebody_elses", o.ID} {
			if err := c.Desk.Ring(t.Context(), "simple", carrier.Doorbell{EventID: "e-" + ref, Kind: "made", Ref: ref}, nil); err != nil {
				t.Fatal(err)
			}
		}
		c.work(t)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 6_000)
	})
}

// An operator that sells the profile of somebody else's line: a person looks, and
// says which one it made.
func TestNewLineThatIsTaken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, other := c.visitor(t, 6_000), c.visitor(t, 0)
		q := c.fresh(t, account, usedLater)
		taken := "simple-000001" // which the operator gives to the first
		c.write(t, func(ctx context.Context, tx db.Tx) error {
			return db.Claim(ctx, tx, "profile:kazemachi", taken, other, "ln_other")
		})
		o, err := c.place(t, q)
		if err != nil {
			t.Fatal(err)
		}
		c.want(t, o, order.Held, "profile_taken")
		if _, err := c.Desk.Confirm(t.Context(), o.Ref(), "op", mika); !isConflict(err) {
			t.Errorf("confirmed without a line: %v", err)
		}
		made := carrier.Issued{Ref: "op-7", Profile: carrier.Profile{ID: taken, ICCID: "8981000000000000017"}, Code: "LPA:1$smdp.example$A"}
		if _, err := c.Desk.ConfirmLine(t.Context(), o.Ref(), made, mika); !isConflict(err) {
			t.Errorf("confirmed with another's: %v", err)
		}
		made.Profile.ID = "simple-000007"
		if _, err := c.Desk.ConfirmLine(t.Context(), o.Ref(), made, mika); err != nil {
			t.Fatal(err)
		}
		c.pass(t, time.Hour)
		c.want(t, o, order.Completed, "profile_taken")
		if e, found := c.esim(t, o); !found || e.Code != made.Code {
			t.Errorf("the line: %+v", e)
		}
		c.fair(t, account, 6_000)
	})
}

// What cannot be bought is refused before anything is placed.
func TestNewLineRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account := c.visitor(t, 0)
		for name, want := range map[[2]string]fault.Kind{
			{"no-such-plan", "3d"}:          fault.Unavailable,
			{usedLater, "no-such-term"}:     fault.Invalid,
			{"sumire-voice", "15d"}:         fault.Invalid,     // needs an identity check
			{"hinode-visitor-5", "5gb-21d"}: fault.Unavailable, // comes as a card
			{"aurora-sum", "5gb-30x24h"}:    fault.Unavailable, // nobody talks to its operator here
		} {
			if _, err := c.Desk.QuoteNew(t.Context(), account, name[0], name[1], "JPY"); fault.KindOf(err) != want {
				t.Errorf("%v: %v, want %v", name, err, want)
			}
		}
		q := c.fresh(t, account, usedLater)
		if _, err := c.place(t, q); fault.KindOf(err) != fault.Invalid {
			t.Errorf("paid from an empty wallet: %v", err)
		}
		if n := len(c.orders(t, account)); n > 0 {
			t.Errorf("%d orders", n)
		}
	})
}

// All of the money of a new line goes back: one that nobody has used is over, and
// staff are asked to cancel it; one that is in use is left to the customer.
func TestRefundOfANewLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for plan, over := range map[string]bool{usedLater: true, usedNow: false} {
			c := newCashier(t, env)
			account := c.visitor(t, 20_000)
			o := c.want(t, c.buysNew(t, account, plan, order.ToolWallet), order.Completed, "")
			done(t, c.refundCompleted(t, o, o.Price, mika))
			l, err := db.Seen(t.Context(), c.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) { return line.Get(ctx, tx, account, o.Line) })
			if err != nil {
				t.Fatal(err)
			}
			if (l.State == line.Terminal) != over || (c.cases(t, account, order.CaseCancelESIM) == 1) != over {
				t.Errorf("%s: the line is %s, and %d cases ask for its end; over: %t", plan, l.State, c.cases(t, account, order.CaseCancelESIM), over)
			}
			if got := c.wallet(t, account); got != 20_000 {
				t.Errorf("%s: the wallet has %d", plan, got)
			}
			c.clean(t, account)
		}
	})
}
