package settlement_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/settlement"
)

// bank is a provider of which only the reports matter: it pages, is late, and
// says what it is told to.
type bank struct {
	payment.Provider
	now     func() time.Time
	moved   []payment.Movement
	perPage int
	err     error
	asked   []string
}

func (b *bank) ReportFacts() payment.ReportFacts {
	return payment.ReportFacts{Zone: shanghai, ReadyAfter: 9 * time.Hour}
}

func (b *bank) Report(_ context.Context, day payment.Day, page string) (payment.ReportPage, error) {
	b.asked = append(b.asked, string(day)+page)
	if b.err != nil {
		return payment.ReportPage{}, b.err
	}
	var of []payment.Movement
	for _, m := range b.moved {
		if day.Holds(m.At, shanghai) {
			of = append(of, m)
		}
	}
	var from int
	if page != "" {
		_, _ = fmt.Sscanf(page, "/%d", &from)
	}
	p := payment.ReportPage{Movements: of[from:]}
	if b.perPage > 0 && len(p.Movements) > b.perPage {
		p.Movements, p.Next = p.Movements[:b.perPage], fmt.Sprintf("/%d", from+b.perPage)
	} else {
		p.Whole = !b.now().Before(b.ReportFacts().ReadyAt(day))
	}
	return p, nil
}

// office is a room over a bank and a database in which payments are made by hand.
type office struct {
	dbtest.Env
	*settlement.Room
	bank *bank
	ids  *id.Source
}

const theBank = "bank"

// The clock stands at 11:00 in Shanghai on 2 March.
const today, yesterday = payment.Day("2026-03-02"), payment.Day("2026-03-01")

func newOffice(env dbtest.Env) *office {
	b := &bank{now: env.Clock.Now}
	ids := id.NewSource(env.Clock.Now, rand.Reader)
	return &office{env, &settlement.Room{
		DB: env.DB, IDs: ids, Log: slog.New(slog.DiscardHandler), Providers: map[string]payment.Provider{theBank: b, "silent": struct{ payment.Provider }{}},
	}, b, ids}
}

func (o *office) write(t *testing.T, fn func(context.Context, db.Tx) error) {
	t.Helper()
	if err := o.Env.DB.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// noon is an instant of yesterday at the bank.
func noon(minutes int) time.Time {
	return yesterday.Start(shanghai).Add(12 * time.Hour).Add(time.Duration(minutes) * time.Minute)
}

// sale is a payment that we asked for, with its order.
type sale struct{ account, order, payment, ref string }

// sell makes a sale; state is that of the payment here.
func (o *office) sell(t *testing.T, amount money.Money, state payment.State, at time.Time) sale {
	t.Helper()
	account := o.ids.Account()
	s := sale{account, o.ids.Under("ord", account), o.ids.Under("py", account), strings.ToLower(rand.Text())}
	o.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO orders (account_id, id, state, customer_key, input_digest, kind, line_id, plan_id, item_id, catalogue_version,
			minor, currency, tool, effect, bytes, periods, anchor, expires_at, placed_at, updated_at)
			VALUES ($1,$2,'completed',$2,'','topup','','','',1,$3,$4,'card','',0,0,0,1,1,1)`, s.account, s.order, amount.Minor, amount.Currency)
		if err != nil {
			return err
		}
		paid := db.Instant{}
		if state == payment.Paid {
			paid = db.At(at)
			if err := ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: s.payment, Step: "paid", Transfers: []ledger.Transfer{
				{From: ledger.Provider(theBank), To: ledger.Revenue, Amount: amount},
			}}); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO payments (account_id, id, order_id, ref, rail, provider, minor, currency, state, live, expires_at, created_at, paid_at, updated_at)
			VALUES ($1,$2,$3,$4,'card',$5,$6,$7,$8,false,1,$9,$10,1)`,
			s.account, s.payment, s.order, s.ref, theBank, amount.Minor, amount.Currency, state, db.At(at.Add(-time.Minute)), paid)
		if err != nil {
			return err
		}
		return db.Claim(ctx, tx, "payment", s.ref, s.account, s.payment)
	})
	return s
}

// charged is the bank's movement of a sale.
func charged(s sale, amount money.Money, at time.Time) payment.Movement {
	return payment.Movement{
		ID: "ch_" + s.ref, Kind: payment.MovedCharge, Code: "charge", Ref: s.ref, MoneyID: "pi_" + s.ref, Amount: amount, Settled: amount,
		Fee: money.Of(amount.Minor/28, amount.Currency), FeeTold: true, At: at,
	}
}

// reconcile compares yesterday.
func (o *office) reconcile(t *testing.T) settlement.Report {
	t.Helper()
	r, err := o.Reconcile(t.Context(), theBank, yesterday, yesterday)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kinds(r settlement.Report) (all []settlement.Kind) {
	for _, d := range r.Differences {
		all = append(all, d.Kind)
	}
	return all
}

// owes is what the bank owes us by our books.
func (o *office) owes(t *testing.T, c money.Currency) int64 {
	t.Helper()
	n, err := db.Seen(t.Context(), o.Env.DB, func(ctx context.Context, tx db.Tx) (n int64, err error) {
		return n, tx.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN from_book = $1 THEN minor ELSE -minor END), 0) FROM transfers
			WHERE (from_book = $1 OR to_book = $1) AND currency = $2`, ledger.Provider(theBank), c).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rows is everything that settlement wrote, but for when and how often it read.
func (o *office) rows(t *testing.T) (all []string) {
	t.Helper()
	err := o.Env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		all = nil
		for _, q := range []string{
			`SELECT account_id || provider || id || day || kind || payment_id || restated || CAST(minor AS text) || CAST(fee_minor AS text) || CAST(stated AS text) FROM movements ORDER BY 1`,
			`SELECT subject || step || from_book || to_book || currency || CAST(minor AS text) FROM transfers ORDER BY 1`,
			`SELECT account_id || day || kind || subject || accepted FROM differences ORDER BY 1`,
			`SELECT order_id || title || evidence FROM cases ORDER BY 1`,
		} {
			rows, err := tx.Query(ctx, q)
			if err != nil {
				return err
			}
			for rows.Next() {
				var s string
				if err := rows.Scan(&s); err != nil {
					return err
				}
				all = append(all, s)
			}
			if err := rows.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A day on which all is well agrees; fees and payouts are booked once however
// often it is read, and then the bank's book is what the bank owes.
func TestAGoodDayAgrees(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		o.bank.perPage = 2
		var net int64
		for i := range 5 {
			s := o.sell(t, yen(2800), payment.Paid, noon(i))
			o.bank.moved = append(o.bank.moved, charged(s, yen(2800), noon(i)))
			net += 2700
		}
		o.bank.moved[0].Settled, net = yen(2790), net-10 // of which ten were a voucher of the seller's
		o.bank.moved = append(o.bank.moved,
			payment.Movement{ID: "po_1", Kind: payment.MovedPayout, Amount: yen(-9000), Settled: yen(-9000), FeeTold: true, At: noon(60)},
			payment.Movement{ID: "fee_1", Kind: payment.MovedFee, Amount: yen(-30), Settled: yen(-30), FeeTold: true, At: noon(61)})
		r := o.reconcile(t)
		if !r.Agrees() {
			t.Fatalf("%+v", r)
		}
		if got := o.owes(t, "JPY"); got != net-9030 {
			t.Errorf("by our books the bank owes %d, by its report %d", got, net-9030)
		}
		if len(r.Totals) != 3 || r.Totals[0] != (settlement.Total{Kind: payment.MovedCharge, Count: 5, Gross: yen(13990), Fee: yen(500)}) {
			t.Errorf("totals: %+v", r.Totals)
		}
		before := o.rows(t)
		if !o.reconcile(t).Agrees() {
			t.Error("it agrees no more")
		}
		if diff := cmp.Diff(before, o.rows(t)); diff != "" {
			t.Errorf("reading again changed something:\n%s", diff)
		}
		found, err := audit.Run(t.Context(), env.DB)
		for _, v := range found {
			if v.Promise == audit.BooksBalance {
				t.Error(v)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What another currency settles is booked in both, and what is withheld leaves
// the bank's book.
func TestConversionsAndDisputesAreBooked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		dollars := money.Of(2000, "USD")
		s := o.sell(t, dollars, payment.Paid, noon(0))
		m := charged(s, dollars, noon(0))
		m.Settled, m.Fee = yen(3100), yen(110)
		d := payment.Movement{ID: "dp_1", Kind: payment.MovedDispute, Ref: s.ref, Amount: money.Of(-2000, "USD"), Settled: yen(-3080), Fee: yen(1500), FeeTold: true, At: noon(30)}
		o.bank.moved = []payment.Movement{m, d}
		r := o.reconcile(t)
		if got := kinds(r); !slices.Equal(got, []settlement.Kind{settlement.DisputeNotHere}) {
			t.Fatalf("%v", got)
		}
		if usd, jpy := o.owes(t, "USD"), o.owes(t, "JPY"); usd != 0 || jpy != 3100-110-3080-1500 {
			t.Errorf("owes %d USD and %d JPY", usd, jpy)
		}
		if got := kinds(o.reconcile(t)); got != nil {
			t.Errorf("the case that the report opened is not known: %v", got)
		}
	})
}

// Each difference that concerns a payment makes us ask; those that need a person
// open a case, once; the customer's books are not touched.
func TestDifferencesAreSetGoing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		dead := o.sell(t, yen(100), payment.Dead, noon(0))
		gone := o.sell(t, yen(200), payment.Paid, noon(1))
		twice := o.sell(t, yen(300), payment.Paid, noon(2))
		second := charged(twice, yen(300), noon(3))
		second.ID, second.MoneyID = "ch_again", "pi_again"
		hand := payment.Movement{ID: "re_hand", Kind: payment.MovedRefund, Ref: twice.ref, RefundID: "re_hand", Amount: yen(-50), Settled: yen(-50), FeeTold: true, At: noon(9)}
		o.bank.moved = []payment.Movement{charged(dead, yen(100), noon(0)), charged(twice, yen(300), noon(2)), second, hand}
		r := o.reconcile(t)
		want := []settlement.Kind{settlement.ChargedTwice, settlement.NotPaidHere, settlement.NotThere, settlement.RefundNotHere}
		if got := kinds(r); !slices.Equal(got, want) || r.Agrees() {
			t.Fatalf("%v", got)
		}
		for _, s := range []sale{dead, gone, twice} {
			if n := o.count(t, `SELECT COUNT(*) FROM payments WHERE account_id = $1 AND due_at IS NOT NULL`, s.account); n != 1 {
				t.Errorf("%s is not asked about", s.payment)
			}
		}
		for s, cases := range map[sale]int{dead: 0, gone: 1, twice: 2} {
			if n := o.count(t, `SELECT COUNT(*) FROM cases WHERE account_id = $1`, s.account); n != cases {
				t.Errorf("%d cases of %s, want %d", n, s.order, cases)
			}
		}
		if n := o.count(t, `SELECT COUNT(*) FROM transfers WHERE account_id = $1 AND step <> 'settled'`, dead.account); n != 0 {
			t.Error("a report moved money")
		}
		before := o.rows(t)
		o.reconcile(t)
		if diff := cmp.Diff(before, o.rows(t)); diff != "" {
			t.Errorf("finding it again changed something:\n%s", diff)
		}
		env.Clock.Add(25 * time.Hour)
		if !slices.ContainsFunc(o.audit(t), func(v audit.Violation) bool { return v.Check == "provider_differs" }) {
			t.Error("the audit does not say so")
		}
	})
}

func (o *office) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	err := o.Env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (o *office) audit(t *testing.T) []audit.Violation {
	t.Helper()
	found, err := audit.Run(t.Context(), o.Env.DB)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A refund of which nothing clear was heard for long, and which waits for a person,
// is looked at again when a report shows that it was made.
func TestAnUnclearRefundIsLookedAtAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		s := o.sell(t, yen(300), payment.Paid, noon(0))
		for _, state := range []string{"unknown", "failed"} {
			o.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO refunds (account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why, created_at)
					VALUES ($1,$2,$3,$4,$2,$5,50,'JPY',$2,$2,1)`, s.account, state, s.order, s.payment, theBank)
				return err
			})
		}
		o.bank.moved = []payment.Movement{charged(s, yen(300), noon(0))}
		for i, state := range []string{"unknown", "failed"} {
			o.bank.moved = append(o.bank.moved, payment.Movement{
				ID: state, Kind: payment.MovedRefund, Ref: s.ref, RefundRef: state, Amount: yen(-50), Settled: yen(-50), FeeTold: true, At: noon(10 + i),
			})
		}
		if got := kinds(o.reconcile(t)); !slices.Equal(got, []settlement.Kind{settlement.RefundNotDoneHere, settlement.RefundNotDoneHere}) {
			t.Fatalf("%v", got)
		}
		if n := o.count(t, `SELECT COUNT(*) FROM refunds WHERE due_at IS NOT NULL AND state = 'unknown'`); n != 1 {
			t.Error("the unclear one is not asked about")
		}
		if n := o.count(t, `SELECT COUNT(*) FROM refunds WHERE due_at IS NOT NULL AND state = 'failed'`); n != 0 {
			t.Error("one that failed would be sent again by a report")
		}
	})
}

// A refund that its provider refused, and that went into the wallet, is not looked for
// in the provider's report; one that it says it has made is.
func TestARefundIntoTheWalletIsNotMissed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for provider, want := range map[string][]settlement.Kind{"wallet": {}, theBank: {settlement.RefundNotThere}} {
			o := newOffice(env)
			s := o.sell(t, yen(300), payment.Paid, noon(0))
			o.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO refunds (account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why, created_at, asked_at, done_at)
					VALUES ($1,$2,$3,$4,$2,$5,50,'JPY','done','staff',$6,$6,$6)`, s.account, o.ids.Under("rf", s.account), s.order, s.payment, provider, db.At(noon(10)))
				return err
			})
			o.bank.moved = []payment.Movement{charged(s, yen(300), noon(0))}
			var about []settlement.Kind
			for _, d := range o.reconcile(t).Differences {
				if d.Account == s.account {
					about = append(about, d.Kind)
				}
			}
			if !slices.Equal(about, want) {
				t.Errorf("at %s: %v, want %v", provider, about, want)
			}
		}
	})
}

// Of a report that is not good nothing is kept, and the day says why.
func TestNothingOfABadReportIsKept(t *testing.T) {
	s := sale{ref: "r"}
	fine := charged(s, yen(100), noon(0))
	other := fine
	other.Amount, other.Settled = yen(101), yen(101)
	odd := fine
	odd.ID = "a\x00b"
	for name, spoil := range map[string]func(*bank){
		"one movement in two versions": func(b *bank) { b.moved = []payment.Movement{fine, other} },
		"an identifier that is none":   func(b *bank) { b.moved = []payment.Movement{fine, odd} },
		"cut":                          func(b *bank) { b.err = fmt.Errorf("bank: %w: half of it", payment.ErrBadReport) },
		"not there":                    func(b *bank) { b.err = fmt.Errorf("bank: %w", payment.ErrNotReady) },
		"silent":                       func(b *bank) { b.err = fmt.Errorf("bank: %w", payment.ErrNotSent) },
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
				o := newOffice(env)
				o.sell(t, yen(200), payment.Paid, noon(1))
				spoil(o.bank)
				r := o.reconcile(t)
				if r.Agrees() || len(r.Differences) != 0 || r.Days[0].Trouble == "" || r.Days[0].Whole {
					t.Errorf("%+v", r)
				}
				if n := o.count(t, `SELECT COUNT(*) FROM movements`); n != 0 {
					t.Errorf("%d movements kept", n)
				}
				o.bank.err, o.bank.moved = nil, nil
				if r = o.reconcile(t); !slices.Equal(kinds(r), []settlement.Kind{settlement.NotThere}) || r.Days[0].Trouble != "" {
					t.Errorf("once it could be read: %+v", r)
				}
			})
		})
	}
}

// A movement that stands twice is booked once and listed; one that reads
// otherwise later is listed and booked as it was.
func TestTwiceAndOtherwise(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		s := o.sell(t, yen(2800), payment.Paid, noon(0))
		m := charged(s, yen(2800), noon(0))
		o.bank.moved = []payment.Movement{m, m}
		if got := kinds(o.reconcile(t)); !slices.Equal(got, []settlement.Kind{settlement.StatedTwice}) || o.owes(t, "JPY") != 2700 {
			t.Errorf("%v, owes %d", got, o.owes(t, "JPY"))
		}
		m.Fee = yen(120)
		o.bank.moved = []payment.Movement{m}
		if got := kinds(o.reconcile(t)); !slices.Equal(got, []settlement.Kind{settlement.Restated}) || o.owes(t, "JPY") != 2700 {
			t.Errorf("%v, owes %d", got, o.owes(t, "JPY"))
		}
		m.Fee = yen(100)
		o.bank.moved = []payment.Movement{m}
		if got := kinds(o.reconcile(t)); got != nil {
			t.Errorf("said as at first: %v", got)
		}
		o.bank.moved = nil
		if got := kinds(o.reconcile(t)); !slices.Equal(got, []settlement.Kind{settlement.Restated}) || o.owes(t, "JPY") != 2700 {
			t.Errorf("not told any more: %v, owes %d", got, o.owes(t, "JPY"))
		}
		m.Amount, m.Settled = yen(2801), yen(2801)
		o.bank.moved = []payment.Movement{m}
		if got := kinds(o.reconcile(t)); !slices.Equal(got, []settlement.Kind{settlement.OtherAmount}) {
			t.Errorf("what is not booked by the report is taken as it is said now: %v", got)
		}
	})
}

// Whose money it was may become known later; it is booked once all the same.
func TestKnownLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		m := charged(sale{ref: "nobodysyet"}, yen(2800), noon(0))
		m.Ref = ""
		o.bank.moved = []payment.Movement{m}
		if got := kinds(o.reconcile(t)); !slices.Equal(got, []settlement.Kind{settlement.NotHere}) {
			t.Fatalf("%v", got)
		}
		s := o.sell(t, yen(2800), payment.Paid, noon(0))
		o.write(t, func(ctx context.Context, tx db.Tx) error {
			return db.Claim(ctx, tx, "money", theBank+":"+m.MoneyID, s.account, s.payment)
		})
		if got := kinds(o.reconcile(t)); got != nil || o.owes(t, "JPY") != 2700 || o.count(t, `SELECT COUNT(*) FROM movements WHERE account_id = $1`, s.account) != 1 {
			t.Errorf("%v, owes %d", got, o.owes(t, "JPY"))
		}
	})
}

var mika = order.Act{Staff: "mika", Reason: "the old shop's till"}

// What a person accepts counts no more, and the bank's book is what it owes.
func TestAcceptedDifferences(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		stray := charged(sale{ref: "till"}, yen(2800), noon(0))
		gone := o.sell(t, yen(500), payment.Paid, noon(1))
		o.bank.moved = []payment.Movement{stray, {ID: "x", Kind: payment.MovedOther, Amount: yen(-7), Settled: yen(-7), FeeTold: true, At: noon(2)}}
		accept := func(k settlement.Kind, subject string) error {
			_, err := o.Accept(t.Context(), theBank, yesterday, k, subject, mika)
			return err
		}
		o.reconcile(t)
		for k, subject := range map[settlement.Kind]string{settlement.NotHere: stray.ID, settlement.NotThere: gone.payment, settlement.OtherMovement: "x"} {
			if err := accept(k, subject); err != nil {
				t.Error(err)
			}
			if err := accept(k, subject); fault.KindOf(err) != fault.Conflict {
				t.Errorf("accepted again: %v", err)
			}
		}
		if err := accept(settlement.NotHere, "nothing"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("nothing accepted: %v", err)
		}
		if r := o.reconcile(t); !r.Agrees() || len(r.Differences) != 3 {
			t.Errorf("%+v", r)
		}
		if got := o.owes(t, "JPY"); got != 2700-7 {
			t.Errorf("owes %d", got)
		}
		if n := o.count(t, `SELECT COUNT(*) FROM trail`); n != 3 {
			t.Errorf("%d lines in the trail", n)
		}
	})
}

// What is asked about cannot be accepted: it would be booked twice.
func TestWhatIsAskedAboutIsNotAccepted(t *testing.T) {
	o := newOffice(dbtest.SQLite(t))
	s := o.sell(t, yen(100), payment.Dead, noon(0))
	o.bank.moved = []payment.Movement{charged(s, yen(100), noon(0))}
	o.reconcile(t)
	if _, err := o.Accept(t.Context(), theBank, yesterday, settlement.NotPaidHere, "ch_"+s.ref, mika); fault.KindOf(err) != fault.Conflict {
		t.Error(err)
	}
}

// run lets the step work until nothing is due.
func (o *office) run(t *testing.T) {
	t.Helper()
	for range 200 {
		worked, err := o.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
	t.Fatal("the work never ends")
}

// The step reads every day when its report should be there, again until it can
// be read, once more some days later, and none is left out after a rest.
func TestStepReadsDayAfterDay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		o.run(t)
		if len(o.bank.asked) != 0 {
			t.Fatalf("asked before a day was over: %v", o.bank.asked)
		}
		env.Clock.Set(o.bank.ReportFacts().ReadyAt(today).Add(-time.Second))
		o.run(t)
		o.bank.err = fmt.Errorf("bank: %w", payment.ErrNotReady)
		env.Clock.Add(time.Second)
		o.run(t)
		o.run(t)
		o.bank.err = nil
		env.Clock.Add(time.Hour)
		o.run(t)
		o.run(t)
		if want := []string{"2026-03-02", "2026-03-02"}; !slices.Equal(o.bank.asked, want) {
			t.Fatalf("asked %v, want %v", o.bank.asked, want)
		}
		o.bank.asked = nil
		env.Clock.Add(4 * 24 * time.Hour)
		o.run(t)
		slices.Sort(o.bank.asked)
		if want := []string{"2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"}; !slices.Equal(o.bank.asked, want) {
			t.Fatalf("asked %v, want %v", o.bank.asked, want)
		}
		again := &settlement.Room{DB: o.Room.DB, IDs: o.IDs, Providers: o.Providers, Log: o.Log}
		if worked, err := again.Step(t.Context()); worked || err != nil {
			t.Errorf("another process reads what was read: %v", err)
		}
	})
}

// A difference that heals is seen to have healed; one that stays is looked at
// for some days, then no more.
func TestStepLooksAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(env)
		at := today.Start(shanghai).Add(20 * time.Hour)
		s := o.sell(t, yen(100), payment.Paid, at)
		o.run(t)
		env.Clock.Set(o.bank.ReportFacts().ReadyAt(today))
		o.run(t)
		if n := o.count(t, `SELECT COUNT(*) FROM differences`); n != 1 {
			t.Fatalf("%d differences", n)
		}
		o.bank.moved = []payment.Movement{charged(s, yen(100), at)}
		env.Clock.Add(time.Hour)
		o.run(t)
		if n := o.count(t, `SELECT COUNT(*) FROM differences`); n != 0 {
			t.Fatalf("%d differences after it came", n)
		}
		o.bank.moved = append(o.bank.moved, charged(sale{ref: "stray"}, yen(1), at))
		for range 40 {
			env.Clock.Add(24 * time.Hour)
			o.run(t)
		}
		if n := len(slices.DeleteFunc(slices.Clone(o.bank.asked), func(s string) bool { return s != string(today) })); n > 10 {
			t.Errorf("a day was read %d times", n)
		}
		if n := o.count(t, `SELECT COUNT(*) FROM differences`); n != 1 {
			t.Errorf("%d differences in the end", n)
		}
	})
}

func TestReconcileRefusesWhatItCannotDo(t *testing.T) {
	o := newOffice(dbtest.SQLite(t))
	for name, ask := range map[string]struct {
		provider string
		from, to payment.Day
	}{
		"unknown":     {"nobody", yesterday, yesterday},
		"no reports":  {"silent", yesterday, yesterday},
		"backwards":   {theBank, today, yesterday},
		"tomorrow":    {theBank, today, today.Next()},
		"a long time": {theBank, "2025-01-01", yesterday},
	} {
		if _, err := o.Reconcile(t.Context(), ask.provider, ask.from, ask.to); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
