package order_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

const (
	shelved = "machi-5gb" // sold from stock in a stockroom, with the term 3d
	carded  = "hinode-visitor-5"
)

// stockroom is a shop that sells machi-5gb from stock.
func stockroom(t *testing.T, env dbtest.Env) *cashier {
	t.Helper()
	c := newCashier(t, env)
	c.Desk.Codes = seal.New("codes", "the secret of these tests", nil, nil)
	c.Desk.Shelf = &catalogue.Shelf{}
	file := catalogue.DemoFile()
	at := bytes.Index(file, []byte("id: "+shelved))
	packaged := at + bytes.Index(file[at:], []byte("new_package: "))
	end := packaged + bytes.IndexAny(file[packaged:], ",\n}")
	file = bytes.Join([][]byte{file[:packaged], []byte("from_stock: true"), file[end:]}, nil)
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, file, "test")
		return err
	})
	return c
}

// shelve puts n eSIMs into stock.
func (c *cashier) shelve(t *testing.T, n int) {
	t.Helper()
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		for i := range n {
			iccid := fmt.Sprintf("8981100000000001%03d", i)
			item, err := stock.Item{ICCID: iccid, Kind: stock.ESIM, Operator: "kazemachi", ProfileID: "ES-" + iccid, Plan: shelved, Term: "3d", Batch: "b"}.
				Sealed(c.Desk.Codes, "LPA:1$smdp.example$"+iccid)
			if err != nil {
				return err
			}
			stock.Add(&b, item, tx.Now())
		}
		return tx.Batch(ctx, &b)
	})
}

func (c *cashier) audited(t *testing.T) {
	t.Helper()
	found, err := audit.Run(t.Context(), c.DB)
	if err != nil {
		t.Error(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

func (c *cashier) items(t *testing.T, state stock.State) int {
	t.Helper()
	return c.count(t, `SELECT COUNT(*) FROM stock WHERE state = $1`, string(state))
}

// The last item of stock is sold once, whoever comes together; the others' money is
// back. What was sold is installed with its own code, which the database does not show,
// and is renewed at its operator.
func TestStockIsSoldOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := stockroom(t, env)
		c.shelve(t, 1)
		var quotes []order.Quote
		for range 3 {
			q, err := c.Desk.QuoteNew(t.Context(), c.visitor(t, 6_000), shelved, "3d", "JPY")
			if err != nil {
				t.Fatal(err)
			}
			quotes = append(quotes, q)
		}
		ends := map[order.State]int{}
		var sold order.Order
		for _, q := range quotes {
			o, err := c.place(t, q)
			if err != nil {
				t.Fatal(err)
			}
			c.pass(t, time.Minute)
			o = c.get(t, o.Ref())
			ends[o.State]++
			if o.State == order.Completed {
				sold = o
			} else if o.Reason != "out_of_stock" || c.wallet(t, o.Account) != 6_000 {
				t.Errorf("%s because of %q, and %d in the wallet", o.State, o.Reason, c.wallet(t, o.Account))
			}
		}
		if ends[order.Completed] != 1 || ends[order.Refunded] != 2 || c.items(t, stock.Given) != 1 {
			t.Fatalf("%v, %d given", ends, c.items(t, stock.Given))
		}
		if _, err := c.Desk.QuoteNew(t.Context(), sold.Account, shelved, "3d", "JPY"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("sold out, and offered: %v", err)
		}
		e, _ := c.esim(t, sold)
		if strings.Contains(e.Code, "smdp") {
			t.Errorf("the code can be read in the database: %s", e.Code)
		}
		if e, err := e.Opened(c.Desk.Codes); err != nil || e.Code != "LPA:1$smdp.example$8981100000000001000" {
			t.Errorf("%v %v", e.Code, err)
		}
		c.audited(t)
	})
}

// A crash after an item was reserved and before it was written down loses nothing: it is
// looked up. An order that is given up leaves its item to the next.
func TestReservedStockIsFoundAgainOrReleased(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := stockroom(t, env)
		c.shelve(t, 2)
		for _, released := range []bool{false, true} {
			q, err := c.Desk.QuoteNew(t.Context(), c.visitor(t, 6_000), shelved, "3d", "JPY")
			if err != nil {
				t.Fatal(err)
			}
			// The item's profile is somebody's line: the books fail, as in a crash.
			c.write(t, func(ctx context.Context, tx db.Tx) error {
				return db.Claim(ctx, tx, "profile:kazemachi", "ES-8981100000000001000", "ac_x", "ln_x")
			})
			o, err := c.place(t, q)
			if err != nil || o.State != order.Held || c.items(t, stock.Reserved) != 1 {
				t.Fatalf("%s %s %v, %d reserved", o.State, o.Reason, err, c.items(t, stock.Reserved))
			}
			if !released {
				c.write(t, func(ctx context.Context, tx db.Tx) error {
					return db.Release(ctx, tx, "profile:kazemachi", "ES-8981100000000001000", "ac_x")
				})
				if _, err := c.Desk.LookAgain(t.Context(), o.Ref(), mika); err != nil {
					t.Fatal(err)
				}
				c.pass(t, time.Minute)
				c.want(t, o, order.Completed, "profile_taken")
				c.write(t, func(ctx context.Context, tx db.Tx) error { // to be in the next one's way
					return db.Claim(ctx, tx, "profile:kazemachi", "ES-8981100000000001001", "ac_x", "ln_x")
				})
				c.write(t, func(ctx context.Context, tx db.Tx) error {
					return db.Release(ctx, tx, "profile:kazemachi", "ES-8981100000000001000", o.Account)
				})
				continue
			}
			c.write(t, func(ctx context.Context, tx db.Tx) error {
				return db.Release(ctx, tx, "profile:kazemachi", "ES-8981100000000001001", "ac_x")
			})
			if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
				t.Fatal(err)
			}
			c.pass(t, time.Minute)
			if c.items(t, stock.Free) != 1 || c.items(t, stock.Reserved) != 0 {
				t.Errorf("%d free, %d reserved", c.items(t, stock.Free), c.items(t, stock.Reserved))
			}
		}
		c.audited(t)
	})
}

func free(context.Context, db.Tx) error { return nil }

// A code to redeem brings one new line, from stock or made by the operator, once.
func TestRedeemOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := stockroom(t, env)
		c.shelve(t, 1)
		for _, s := range []stock.Code{{Plan: shelved, Term: "3d", Batch: "shelf"}, {Plan: usedNow, Term: firstSold(usedNow), Batch: "made"}} {
			codes, err := c.Desk.MakeCodes(t.Context(), s, 2, mika)
			if err != nil {
				t.Fatal(err)
			}
			account, other := c.visitor(t, 0), c.visitor(t, 0)
			o, err := c.Desk.Redeem(t.Context(), account, strings.ToLower(strings.ReplaceAll(codes[0], "-", " ")), free)
			if err != nil || o.State != order.Paid {
				t.Fatalf("%s %v", o.State, err)
			}
			c.pass(t, time.Minute)
			c.want(t, o, order.Completed, "")
			if again, err := c.Desk.Redeem(t.Context(), account, codes[0], free); err != nil || again.ID != o.ID {
				t.Errorf("again: %s %v", again.ID, err)
			}
			for name, wrong := range map[string]string{"somebody else's": codes[0], "none": "0000-0000-0000-0000", "empty": ""} {
				if _, err := c.Desk.Redeem(t.Context(), other, wrong, free); fault.KindOf(err) != fault.Denied {
					t.Errorf("%s: %v", name, err)
				}
			}
			if e, found := c.esim(t, o); !found || e.Order != o.ID || c.line(t, account, o.Line).ICCID == "" {
				t.Errorf("its line: %+v", e)
			}
			if text := c.count(t, `SELECT COUNT(*) FROM redeem_codes WHERE mark LIKE $1`, "%"+codes[1][:4]+"%"); text != 0 {
				t.Error("a code can be read in the database")
			}
		}
		c.audited(t)
	})
}

func firstSold(plan string) string {
	p, _ := demo().Plan(plan)
	return p.Sold()[0].ID
}

// What was paid for elsewhere is not given back in money of nobody: a person decides,
// and if they give up the code is good again.
func TestRedeemThatFailsIsHeld(t *testing.T) {
	c := stockroom(t, dbtest.SQLite(t))
	c.Sim.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.Refuse }
	codes, err := c.Desk.MakeCodes(t.Context(), stock.Code{Plan: usedNow, Term: firstSold(usedNow), Batch: "made"}, 1, mika)
	if err != nil {
		t.Fatal(err)
	}
	account := c.visitor(t, 0)
	o, err := c.Desk.Redeem(t.Context(), account, codes[0], free)
	if err != nil {
		t.Fatal(err)
	}
	c.pass(t, time.Minute)
	c.want(t, o, order.Held, "operator_refuses")
	if c.cases(t, account, "operator_refuses") != 1 {
		t.Error("no case")
	}
	if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), mika); err != nil {
		t.Fatal(err)
	}
	c.Sim.ChooseIssue = nil
	next, err := c.Desk.Redeem(t.Context(), c.visitor(t, 0), codes[0], free)
	if err != nil || next.ID == o.ID {
		t.Fatalf("%s %v", next.ID, err)
	}
	c.pass(t, time.Minute)
	c.want(t, next, order.Completed, "")
	c.audited(t)
}

// shelveCard puts a card into stock.
func (c *cashier) shelveCard(t *testing.T, iccid, claim string) {
	t.Helper()
	c.write(t, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		stock.Add(&b, stock.Item{
			ICCID: iccid, Kind: stock.SIM, Operator: "kazemachi", ProfileID: "PF-" + iccid, Plan: carded, Term: "5gb-21d", Batch: "cards",
		}.Claimable(c.Desk.Codes, claim), tx.Now())
		return tx.Batch(ctx, &b)
	})
}

// A card is its first claimer's who has the code; its period begins as the operator
// says, and it is renewed as any line. Whoever claims it after that learns nothing, and
// a person looks.
func TestClaimACard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := stockroom(t, env)
		const iccid, other = "8981100000000000010", "8981100000000000028"
		c.shelveCard(t, iccid, "7KQ4-22MD")
		c.shelveCard(t, other, "9999-AAAA")
		owner, thief := c.visitor(t, 9_000), c.visitor(t, 0)
		refused := map[string]string{}
		for name, try := range map[string][2]string{
			"another card's code": {iccid, "9999AAAA"}, "no such card": {"8981100000000000036", "7KQ4-22MD"}, "no code": {iccid, ""},
		} {
			_, err := c.Desk.Claim(t.Context(), thief, try[0], try[1], free)
			refused[name] = fault.Message(err)
		}
		id, err := c.Desk.Claim(t.Context(), owner, iccid, "7kq4 22md", free)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := c.Desk.Claim(t.Context(), owner, iccid, "7KQ422MD", free); err != nil || again != id {
			t.Errorf("again: %s %v", again, err)
		}
		_, err = c.Desk.Claim(t.Context(), thief, iccid, "7KQ4-22MD", free)
		refused["somebody else's"] = fault.Message(err)
		for name, text := range refused {
			if text != refused["no such card"] || text == "" {
				t.Errorf("%s is told %q", name, text)
			}
		}
		if n := c.cases(t, owner, order.CaseClaimTwice); n != 1 {
			t.Errorf("%d cases", n)
		}
		if n := c.count(t, `SELECT COUNT(*) FROM cases WHERE account_id = $1`, thief); n != 0 {
			t.Error("a case tells that the code was right")
		}
		began := c.Clock.Now().Add(-time.Hour)
		c.Sim.Set("PF-"+iccid, carrier.Status{State: carrier.LineActive, StartsAt: began})
		c.lookAtLines(t)
		l := c.line(t, owner, id)
		if l.At(c.Clock.Now()) != line.Active || l.Periods != 1 || !l.StartedAt.Equal(began) {
			t.Fatalf("in use for an hour: %+v", l)
		}
		if _, err := c.Desk.GiveCard(t.Context(), thief, iccid, mika); fault.KindOf(err) != fault.Conflict {
			t.Errorf("given twice: %v", err)
		}
		if err := c.Desk.AskClaim(t.Context(), thief, other, "I lost the paper", free); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Desk.GiveCard(t.Context(), thief, other, mika); err != nil {
			t.Fatal(err)
		}
		if n := c.count(t, `SELECT COUNT(*) FROM cases WHERE account_id = $1 AND state = 'open'`, thief); n != 0 {
			t.Errorf("%d cases are still open", n)
		}
		limit := errors.New("too many")
		if _, err := c.Desk.Claim(t.Context(), thief, other, "x", func(context.Context, db.Tx) error { return limit }); !errors.Is(err, limit) {
			t.Errorf("not limited: %v", err)
		}
		if _, err := c.Desk.Quote(t.Context(), owner, id, renewal.Item{Kind: renewal.Term, Plan: carded, ID: "5gb-21d"}, "JPY"); err != nil {
			t.Errorf("renewed: %v", err)
		}
		c.audited(t)
	})
}
