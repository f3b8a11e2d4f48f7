package e2e

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
	"github.com/tsuzuku/tsuzuku/settlement"
	"github.com/tsuzuku/tsuzuku/world"
)

// ledgerDay is a day of trade at one provider, over the real wire protocols: a
// sale that is kept and one that is refunded. Its report is ready.
type ledgerDay struct {
	*branch
	bank     *world.Bank
	rail     payment.Rail
	currency money.Currency
	zone     *time.Location // of the provider's days
	day      payment.Day
	kept     *purchase
}

func openLedger(t *testing.T, env dbtest.Env, provider string, rail payment.Rail, currency money.Currency) *ledgerDay {
	t.Helper()
	b := openBranch(t, env, nil)
	at := slices.IndexFunc(b.town.Banks, func(bank *world.Bank) bool { return bank.Name == provider })
	zone, err := b.Settlement.Zone(provider)
	if err != nil {
		t.Fatal(err)
	}
	return &ledgerDay{branch: b, bank: b.town.Banks[at], rail: rail, currency: currency, zone: zone}
}

// trade is another day of trade.
func (l *ledgerDay) trade(t *testing.T) {
	t.Helper()
	l.day = payment.DayOf(l.DB.Now(), l.zone)
	l.kept = l.sell(t)
	l.town.Simple.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.Refuse }
	l.sell(t)
	l.town.Simple.Choose = nil
	l.clock.Set(l.day.Next().Start(l.zone).Add(11 * time.Hour)) // every provider has made its report by then
}

func (l *ledgerDay) sell(t *testing.T) *purchase {
	t.Helper()
	p := l.buy(t, l.bank, l.rail, l.currency)
	p.start(t)
	p.pays(t)
	p.pass(t, 5*time.Minute)
	return p
}

// reconcile compares the day, and returns the differences without repetitions.
func (l *ledgerDay) reconcile(t *testing.T) (settlement.Report, string) {
	t.Helper()
	r, err := l.Settlement.Reconcile(t.Context(), l.bank.Name, l.day, l.day)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range r.Differences {
		found = append(found, string(d.Kind))
	}
	slices.Sort(found)
	return r, strings.Join(found, " ")
}

// balance is what the provider owes by our books, and by its reports.
func (l *ledgerDay) balance(t *testing.T) (ours, theirs int64) {
	t.Helper()
	err := l.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		err := tx.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN from_book = $1 THEN minor ELSE -minor END), 0) FROM transfers
			WHERE (from_book = $1 OR to_book = $1) AND currency = $2`, ledger.Provider(l.bank.Name), l.currency).Scan(&ours)
		return errors.Join(err, tx.QueryRow(ctx, `SELECT COALESCE(SUM(settled_minor - fee_minor), 0) FROM movements
			WHERE provider = $1 AND settled_currency = $2`, l.bank.Name, l.currency).Scan(&theirs))
	})
	if err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// misreport is one way in which a provider's report is not what happened.
type misreport struct {
	name    string
	spoil   func(t *testing.T, l *ledgerDay)
	mend    func(t *testing.T, l *ledgerDay)
	found   string // the kinds of difference, sorted
	trouble string // or what the day says
	partly  bool   // or it only says that there may be more
}

func stripeMisreports() []misreport {
	sim := func(l *ledgerDay) *stripesim.Sim { return l.bank.Sim.(*stripesim.Sim) }
	flaw := func(kind string, f stripesim.Flaw) func(*testing.T, *ledgerDay) {
		return func(t *testing.T, l *ledgerDay) {
			for _, tx := range sim(l).Transactions() {
				if tx.Type == kind && l.day.Holds(tx.At, time.UTC) {
					if err := sim(l).Misreport(tx.ID, f); err != nil {
						t.Fatal(err)
					}
					return
				}
			}
			t.Fatalf("no %s", kind)
		}
	}
	right := func(t *testing.T, l *ledgerDay) {
		for _, tx := range sim(l).Transactions() {
			if err := sim(l).Misreport(tx.ID, stripesim.NoFlaw); err != nil {
				t.Fatal(err)
			}
		}
	}
	return []misreport{
		{"a charge is missing", flaw("charge", stripesim.RowLost), right, "not_there", "", false},
		{"a charge stands twice", flaw("charge", stripesim.RowTwice), right, "stated_twice", "", false},
		{"a charge has another amount", flaw("charge", stripesim.RowOther), right, "other_amount", "", false},
		{"a refund is missing", flaw("refund", stripesim.RowLost), right, "refund_not_there", "", false},
		{"a refund has another amount", flaw("refund", stripesim.RowOther), right, "refund_other_amount", "", false},
		{
			"an empty page", func(_ *testing.T, l *ledgerDay) { sim(l).LosePages(2) }, func(*testing.T, *ledgerDay) {},
			"not_there not_there refund_not_there", "", false,
		},
		{
			"rows come late", func(_ *testing.T, l *ledgerDay) { sim(l).DelayReports(72 * time.Hour) }, func(_ *testing.T, l *ledgerDay) { sim(l).DelayReports(0) },
			"not_there not_there refund_not_there", "", false,
		},
		{
			"silence", func(_ *testing.T, l *ledgerDay) { sim(l).UpsetReports(stripesim.Troubles...) }, func(*testing.T, *ledgerDay) {},
			"", "stripe: report", false,
		},
	}
}

func paypalMisreports() []misreport {
	sim := func(l *ledgerDay) *paypalsim.Sim { return l.bank.Sim.(*paypalsim.Sim) }
	flaw := func(refund bool, f paypalsim.Flaw) func(*testing.T, *ledgerDay) {
		return func(t *testing.T, l *ledgerDay) {
			for _, tx := range sim(l).Transactions() {
				if l.day.Holds(tx.At, time.UTC) && (tx.Amount.Minor < 0) == refund {
					if err := sim(l).Misreport(tx.ID, f); err != nil {
						t.Fatal(err)
					}
					return
				}
			}
			t.Fatal("nothing to be wrong about")
		}
	}
	right := func(t *testing.T, l *ledgerDay) {
		for _, tx := range sim(l).Transactions() {
			if err := sim(l).Misreport(tx.ID, paypalsim.NoFlaw); err != nil {
				t.Fatal(err)
			}
		}
	}
	nothing := func(*testing.T, *ledgerDay) {}
	return []misreport{
		{"a charge is missing", flaw(false, paypalsim.RowLost), right, "not_there", "", false},
		{"a charge stands twice", flaw(false, paypalsim.RowTwice), right, "stated_twice", "", false},
		{"a charge has another amount", flaw(false, paypalsim.RowOther), right, "other_amount", "", false},
		{"a refund is missing", flaw(true, paypalsim.RowLost), right, "refund_not_there", "", false},
		{"a refund has another amount", flaw(true, paypalsim.RowOther), right, "refund_other_amount", "", false},
		{"an empty page", func(_ *testing.T, l *ledgerDay) { sim(l).LosePages(1) }, nothing, "", "should list", false},
		{
			"a list that is old", func(_ *testing.T, l *ledgerDay) { sim(l).DelayReports(12 * time.Hour) },
			func(_ *testing.T, l *ledgerDay) { sim(l).DelayReports(3 * time.Hour) }, "", "", true,
		},
		{
			"a list that does not reach the day", func(_ *testing.T, l *ledgerDay) { sim(l).DelayReports(36 * time.Hour) },
			func(_ *testing.T, l *ledgerDay) { sim(l).DelayReports(3 * time.Hour) }, "", "not there yet", false,
		},
		{"silence", func(_ *testing.T, l *ledgerDay) { sim(l).UpsetReports(paypalsim.Troubles...) }, nothing, "", "paypal: report", false},
	}
}

func alipayMisreports() []misreport {
	spoil := func(trouble alipaysim.BillTrouble) func(*testing.T, *ledgerDay) {
		return func(_ *testing.T, l *ledgerDay) { l.bank.Sim.(*alipaysim.Sim).SpoilBill(trouble) }
	}
	nothing := func(*testing.T, *ledgerDay) {}
	return []misreport{
		{"a row is missing", spoil(alipaysim.RowMissing), nothing, "not_there", "", false},
		{"a row stands twice", spoil(alipaysim.RowTwice), nothing, "stated_twice", "", false},
		{"a row has another amount", spoil(alipaysim.WrongAmount), nothing, "other_amount", "", false},
		{"wrong totals", spoil(alipaysim.WrongTotal), nothing, "", "does not add up", false},
		{"truncated", spoil(alipaysim.Truncated), nothing, "", "half of one", false},
		{"another hash", spoil(alipaysim.WrongHash), nothing, "", "damaged", false},
		{"not there yet", spoil(alipaysim.NotYet), nothing, "", "not there yet", false},
		{"in the other order", spoil(alipaysim.SummaryFirst), nothing, "", "", false},
	}
}

func wechatMisreports() []misreport {
	spoil := func(trouble wechatpaysim.BillTrouble) func(*testing.T, *ledgerDay) {
		return func(_ *testing.T, l *ledgerDay) { l.bank.Sim.(*wechatpaysim.Sim).SpoilBill(trouble) }
	}
	nothing := func(*testing.T, *ledgerDay) {}
	return []misreport{
		{"a row is missing", spoil(wechatpaysim.RowMissing), nothing, "not_there", "", false},
		{"a row stands twice", spoil(wechatpaysim.RowTwice), nothing, "stated_twice", "", false},
		{"a row has another amount", spoil(wechatpaysim.WrongAmount), nothing, "other_amount", "", false},
		{"wrong totals", spoil(wechatpaysim.WrongTotal), nothing, "", "does not add up", false},
		{"truncated", spoil(wechatpaysim.Truncated), nothing, "", "not a whole report", false},
		{"another hash", spoil(wechatpaysim.WrongHash), nothing, "", "digest", false},
		{"not there yet", spoil(wechatpaysim.NotYet), nothing, "", "not there yet", false},
		{"with marks", spoil(wechatpaysim.Marked), nothing, "", "", false},
	}
}

// An honest report agrees, and then the provider's book is what it owes by its own
// word. Whatever a report says wrongly is found or refused, and once it says it
// rightly everything agrees again; the customers' books are never touched by it.
func TestReportsAndBooksAgree(t *testing.T) {
	for _, c := range []struct {
		provider string
		rail     payment.Rail
		currency money.Currency
		wrong    []misreport
	}{
		{"stripe", payment.Card, "USD", stripeMisreports()},
		{"paypal", payment.PayPal, "JPY", paypalMisreports()},
		{"alipay", payment.Alipay, "CNY", alipayMisreports()},
		{"wechatpay", payment.WeChatPay, "CNY", wechatMisreports()},
	} {
		t.Run(c.provider, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
				l := openLedger(t, env, c.provider, c.rail, c.currency)
				for _, m := range c.wrong {
					l.trade(t)
					before := l.customers(t)
					m.spoil(t, l)
					r, found := l.reconcile(t)
					if found != m.found || !strings.Contains(r.Days[0].Trouble, m.trouble) || m.trouble == "" && r.Days[0].Trouble != "" || (m.found+m.trouble == "" && !m.partly) != r.Agrees() {
						t.Errorf("%s: found %q, trouble %q", m.name, found, r.Days[0].Trouble)
					}
					m.mend(t, l)
					for range len(stripesim.Troubles) + 1 {
						if r, found = l.reconcile(t); r.Agrees() {
							break
						}
					}
					if !r.Agrees() {
						t.Errorf("after %s: %q, trouble %q", m.name, found, r.Days[0].Trouble)
					}
					if diff := cmp.Diff(before, l.customers(t)); diff != "" {
						t.Errorf("%s moved a customer's money: %s", m.name, diff)
					}
				}
				if ours, theirs := l.balance(t); ours != theirs || ours == 0 {
					t.Errorf("the provider owes %d by our books and %d by its reports", ours, theirs)
				}
				l.clean(t)
			})
		})
	}
}

// customers is everything in the books but what reports are booked as.
func (l *ledgerDay) customers(t *testing.T) (all []string) {
	t.Helper()
	err := l.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT subject || step || from_book || to_book || CAST(minor AS text) FROM transfers WHERE step <> 'settled' ORDER BY 1`)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // a read
		for all = nil; rows.Next(); {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			all = append(all, s)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// book is what one of the seller's books holds in the day's currency.
func (l *ledgerDay) book(t *testing.T, b ledger.Book) int64 {
	t.Helper()
	n, err := db.Seen(t.Context(), l.DB, func(ctx context.Context, tx db.Tx) (n int64, err error) {
		err = tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(CASE WHEN to_book = $1 THEN minor ELSE -minor END), 0) AS bigint) FROM transfers
			WHERE (to_book = $1 OR from_book = $1) AND currency = $2`, b, l.currency).Scan(&n)
		return n, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// clean wants no promise broken.
func (l *ledgerDay) clean(t *testing.T) {
	t.Helper()
	l.work(t)
	found, err := audit.Run(t.Context(), l.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("audit: %s", v)
	}
}

// What happens at Stripe's own desk and is told by nobody is found by its report:
// a refund by hand, a dispute, fees and payouts. What a case must be opened for
// has one, and the rest is booked.
func TestReportTellsWhatNobodyTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		l := openLedger(t, env, "stripe", payment.Card, "USD")
		l.trade(t)
		sim := l.bank.Sim.(*stripesim.Sim)
		l.clock.Set(l.day.Start(time.UTC).Add(20 * time.Hour))
		l.town.Tell("never")
		if err := sim.Dispute(l.kept.refs[0]); err != nil {
			t.Fatal(err)
		}
		sim.BillFee(200, "usd", "radar")
		l.clock.Set(l.day.Next().Start(time.UTC).Add(11 * time.Hour))
		if _, found := l.reconcile(t); found != "dispute_not_here" {
			t.Errorf("found %q", found)
		}
		l.work(t)
		if r, found := l.reconcile(t); !r.Agrees() {
			t.Errorf("once there is a case: %q", found)
		}
		if ours, theirs := l.balance(t); ours != theirs {
			t.Errorf("the provider owes %d by our books and %d by its reports", ours, theirs)
		}
		if left := l.book(t, ledger.Withheld); left != 0 {
			t.Errorf("%d are in the book of what is withheld, and both sides have been seen", left)
		}
		if owed := -l.book(t, ledger.Receivable); owed != l.kept.order.Price.Minor {
			t.Errorf("the customer owes %d, want %v", owed, l.kept.order.Price)
		}
	})
}

// A payment of which every word was lost is found by the report, and then served:
// the report moves no money, it makes us ask.
func TestReportWakesALostPayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		l := openLedger(t, env, "stripe", payment.Card, "USD")
		l.trade(t)
		l.clock.Set(l.day.Start(time.UTC).Add(20 * time.Hour))
		p := l.buy(t, l.bank, payment.Card, "USD")
		p.start(t)
		if _, err := l.bank.Pay(p.refs[0]); err != nil {
			t.Fatal(err)
		}
		// Somebody's hand in the database: the attempt is given up and forgotten.
		err := l.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE payments SET state = 'dead', live = false, due_at = NULL WHERE account_id = $1 AND order_id = $2`, p.order.Account, p.order.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		sim := l.bank.Sim.(*stripesim.Sim)
		_ = sim.Notifications() // told, and heard by nobody
		l.clock.Set(l.day.Next().Start(time.UTC).Add(11 * time.Hour))
		before := l.customers(t)
		if _, found := l.reconcile(t); found != "not_paid_here" {
			t.Errorf("found %q", found)
		}
		if diff := cmp.Diff(before, l.customers(t)); diff != "" {
			t.Errorf("the report moved money: %s", diff)
		}
		p.pass(t, 10*time.Minute)
		if r, found := l.reconcile(t); !r.Agrees() {
			t.Errorf("once it was asked about: %q", found)
		}
		p.judge(t)
	})
}
