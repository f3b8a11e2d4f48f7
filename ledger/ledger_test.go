package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
)

func post(ctx context.Context, d *db.DB, p ledger.Posting) error {
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error { return ledger.Post(ctx, tx, p) })
}

func balance(t testing.TB, d *db.DB, account string, book ledger.Book, c money.Currency) int64 {
	t.Helper()
	m, err := db.Seen(context.Background(), d, func(ctx context.Context, tx db.Tx) (money.Money, error) {
		return ledger.Balance(ctx, tx, account, book, c)
	})
	if err != nil || m.Currency != c {
		t.Fatalf("Balance: %v, %v", m, err)
	}
	return m.Minor
}

func entries(t testing.TB, d *db.DB, account string, book ledger.Book) []ledger.Entry {
	t.Helper()
	all, err := db.Seen(context.Background(), d, func(ctx context.Context, tx db.Tx) ([]ledger.Entry, error) {
		return ledger.Entries(ctx, tx, account, book, 1000)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func rowsOf(t testing.TB, d *db.DB, account string) (n int64) {
	t.Helper()
	err := d.Read(context.Background(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM transfers WHERE account_id = $1`, account).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func topUp(t testing.TB, d *db.DB, account string, yen int64) {
	t.Helper()
	err := post(context.Background(), d, ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
		{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(yen, "JPY")},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func spend(account, subject string, yen int64) ledger.Posting {
	return ledger.Posting{Account: account, Subject: subject, Step: "paid", Transfers: []ledger.Transfer{
		{From: ledger.Wallet, To: ledger.Due, Amount: money.Of(yen, "JPY")},
	}}
}

// model is the ledger as one would keep it on paper.
type model struct {
	made     map[string]bool // postings, by subject and step
	balances map[string]int64
	in, out  map[string]int64 // of every book in every currency
	rows     int64
}

func key(b ledger.Book, c money.Currency) string { return string(b) + " " + string(c) }

func hasBalance(b ledger.Book) bool { return b == ledger.Wallet || b == ledger.Points }

// post is what [ledger.Post] should do: the kind of its error.
func (m *model) post(p ledger.Posting) fault.Kind {
	after := map[string]int64{}
	moved := false
	change := func(b ledger.Book, c money.Currency, by int64) bool {
		k := key(b, c)
		if _, ok := after[k]; !ok {
			after[k] = m.balances[k]
		}
		after[k] += by
		return after[k] >= 0 || !hasBalance(b)
	}
	short := false
	for _, t := range p.Transfers {
		if t.Amount.Minor == 0 {
			continue
		}
		moved = true
		short = short || !change(t.From, t.Amount.Currency, -t.Amount.Minor)
		change(t.To, t.Amount.Currency, t.Amount.Minor)
	}
	name := p.Subject + "/" + p.Step
	switch {
	case moved && m.made[name]:
		return fault.Conflict
	case short:
		return fault.Invalid
	}
	m.made[name] = m.made[name] || moved
	for k, v := range after {
		m.balances[k] = v
	}
	for _, t := range p.Transfers {
		if t.Amount.Minor > 0 {
			m.rows++
			m.out[key(t.From, t.Amount.Currency)] += t.Amount.Minor
			m.in[key(t.To, t.Amount.Currency)] += t.Amount.Minor
		}
	}
	return ""
}

func anyPosting(account string) *rapid.Generator[ledger.Posting] {
	books := map[money.Currency][]ledger.Book{
		"JPY":        {ledger.Wallet, ledger.Due, ledger.Revenue, ledger.Tax, ledger.Provider("stripe")},
		"USD":        {ledger.Wallet, ledger.Due, ledger.Revenue},
		money.Points: {ledger.Points, ledger.PointsIssued, ledger.Granted},
	}
	return rapid.Custom(func(t *rapid.T) ledger.Posting {
		p := ledger.Posting{
			Account: account,
			Subject: rapid.SampledFrom([]string{"ord_1", "ord_2", "ord_3"}).Draw(t, "subject"),
			Step:    rapid.SampledFrom([]string{"paid", "completed"}).Draw(t, "step"),
		}
		for range rapid.IntRange(1, 4).Draw(t, "transfers") {
			c := rapid.SampledFrom([]money.Currency{"JPY", "USD", money.Points}).Draw(t, "currency")
			from := rapid.SampledFrom(books[c]).Draw(t, "from")
			to := rapid.SampledFrom(books[c]).Filter(func(b ledger.Book) bool { return b != from }).Draw(t, "to")
			p.Transfers = append(p.Transfers, ledger.Transfer{
				From: from, To: to, Amount: money.Of(rapid.Int64Range(0, 9).Draw(t, "minor"), c),
			})
		}
		return p
	})
}

// Whatever is posted, in whatever order: each posting happens once and whole or
// not at all; wallets and points are what their transfers sum to and never
// negative; and every currency sums to zero over all books.
func TestAnyPostings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			account := fmt.Sprintf("ac_%d", run)
			m := &model{made: map[string]bool{}, balances: map[string]int64{}, in: map[string]int64{}, out: map[string]int64{}}
			for i, p := range rapid.SliceOfN(anyPosting(account), 1, 6).Draw(rt, "postings") {
				want := m.post(p)
				if got := fault.KindOf(post(t.Context(), env.DB, p)); got != want {
					rt.Fatalf("posting %d %+v: %q, want %q", i, p, got, want)
				}
			}
			m.compare(rt, t, env.DB, account)
		})
	})
}

func (m *model) compare(rt *rapid.T, t *testing.T, d *db.DB, account string) {
	for _, b := range []struct {
		book ledger.Book
		in   money.Currency
	}{{ledger.Wallet, "JPY"}, {ledger.Wallet, "USD"}, {ledger.Points, money.Points}} {
		got := balance(t, d, account, b.book, b.in)
		if k := key(b.book, b.in); got != m.balances[k] || got != m.in[k]-m.out[k] || got < 0 {
			rt.Fatalf("%s holds %d, want %d = %d - %d", k, got, m.balances[k], m.in[k], m.out[k])
		}
	}
	if got := rowsOf(t, d, account); got != m.rows {
		rt.Fatalf("%d rows of transfers, want %d", got, m.rows)
	}
	sums, total := map[string]int64{}, map[money.Currency]int64{}
	for _, book := range []ledger.Book{ledger.Wallet, ledger.Points, ledger.Due, ledger.Revenue, ledger.Tax, ledger.Provider("stripe"), ledger.PointsIssued, ledger.Granted} {
		for _, e := range entries(t, d, account, book) {
			by := e.Amount.Minor
			if e.From == book {
				by = -by
			} else if e.To != book {
				rt.Fatalf("an entry of another book than %s: %+v", book, e)
			}
			sums[key(book, e.Amount.Currency)] += by
			total[e.Amount.Currency] += by
		}
	}
	for k := range sums {
		if sums[k] != m.in[k]-m.out[k] {
			rt.Fatalf("entries of %s sum to %d, want %d", k, sums[k], m.in[k]-m.out[k])
		}
	}
	for c, n := range total {
		if n != 0 {
			rt.Fatalf("%s sums to %d over all books, want 0", c, n)
		}
	}
}

// A second posting under the same name changes nothing, even when it moves
// something else, and even when the first began with nothing.
func TestSameNameIsPostedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		first := ledger.Posting{Account: "ac_1", Subject: "ord_1", Step: "completed", Transfers: []ledger.Transfer{
			{From: ledger.Due, To: ledger.Revenue, Amount: money.Of(0, "JPY")},
			{From: ledger.PointsIssued, To: ledger.Points, Amount: money.Of(12, money.Points)},
		}}
		if err := post(t.Context(), env.DB, first); err != nil {
			t.Fatal(err)
		}
		second := first
		second.Transfers = []ledger.Transfer{{From: ledger.Granted, To: ledger.Wallet, Amount: money.Of(500, "JPY")}}
		for _, p := range []ledger.Posting{first, second} {
			if err := post(t.Context(), env.DB, p); fault.KindOf(err) != fault.Conflict || !db.IsUnique(err) {
				t.Errorf("posted again: %v, want a conflict", err)
			}
		}
		if w, p := balance(t, env.DB, "ac_1", ledger.Wallet, "JPY"), balance(t, env.DB, "ac_1", ledger.Points, money.Points); w != 0 || p != 12 {
			t.Errorf("wallet %d, points %d; want 0, 12", w, p)
		}
		second.Account = "ac_2"
		if err := post(t.Context(), env.DB, second); err != nil {
			t.Errorf("the same of another account: %v", err)
		}
	})
}

// The posting that a wallet cannot pay leaves no trace of its other transfers,
// and says why in words that have a translation.
func TestShortWalletChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		topUp(t, env.DB, "ac_1", 99)
		p := spend("ac_1", "ord_1", 100)
		p.Transfers = append([]ledger.Transfer{{From: ledger.PointsIssued, To: ledger.Points, Amount: money.Of(1, money.Points)}}, p.Transfers...)
		err := post(t.Context(), env.DB, p)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid || f.Reason != "balance_short" {
			t.Fatalf("err %v, want balance_short", err)
		}
		if w, n := balance(t, env.DB, "ac_1", ledger.Wallet, "JPY"), rowsOf(t, env.DB, "ac_1"); w != 99 || n != 1 {
			t.Errorf("wallet %d, %d transfers; want 99, 1", w, n)
		}
		if got := balance(t, env.DB, "ac_1", ledger.Points, money.Points); got != 0 {
			t.Errorf("%d points of a posting that failed", got)
		}
		if err := post(t.Context(), env.DB, spend("ac_1", "ord_1", 99)); err != nil {
			t.Errorf("the whole wallet: %v", err)
		}
	})
}

// Yen do not pay what costs dollars, nor one customer's what another bought.
func TestMoneyIsTheAccountsAndTheCurrencys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		topUp(t, env.DB, "ac_1", 1000)
		dollars := spend("ac_1", "ord_1", 1)
		dollars.Transfers[0].Amount.Currency = "USD"
		for _, p := range []ledger.Posting{dollars, spend("ac_2", "ord_2", 1)} {
			if err := post(t.Context(), env.DB, p); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%+v: %v, want balance_short", p, err)
			}
		}
	})
}

// Sixteen tabs spend one wallet at once: as many orders are paid as it can pay,
// and not one more.
func TestManySpendersNeverOverdraw(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		const spenders, each, price, has = 16, 4, 7, 150
		topUp(t, env.DB, "ac_1", has)
		var wg sync.WaitGroup
		var mu sync.Mutex
		paid := int64(0)
		for i := range spenders {
			wg.Go(func() {
				for j := range each {
					err := post(t.Context(), env.DB, spend("ac_1", fmt.Sprintf("ord_%d_%d", i, j), price))
					if k := fault.KindOf(err); k != "" && k != fault.Invalid {
						t.Errorf("spend: %v", err)
					}
					if err == nil {
						mu.Lock()
						paid++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		if paid != has/price {
			t.Errorf("%d paid, want %d", paid, has/price)
		}
		if got := balance(t, env.DB, "ac_1", ledger.Wallet, "JPY"); got != has-paid*price {
			t.Errorf("wallet holds %d, want %d", got, has-paid*price)
		}
		if got := rowsOf(t, env.DB, "ac_1"); got != paid+1 {
			t.Errorf("%d transfers, want %d", got, paid+1)
		}
	})
}

// The same posting from many sides is made by one of them.
func TestSamePostingFromManySidesIsMadeOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		topUp(t, env.DB, "ac_1", 1000)
		errs := make([]error, 16)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = post(t.Context(), env.DB, spend("ac_1", "ord_1", 100)) })
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			switch fault.KindOf(err) {
			case "":
				made++
			case fault.Conflict:
			case fault.Invalid, fault.Denied, fault.NotFound, fault.TooMany, fault.Unavailable, fault.Internal:
				t.Errorf("%v, want a conflict", err)
			}
		}
		if got := balance(t, env.DB, "ac_1", ledger.Wallet, "JPY"); made != 1 || got != 900 {
			t.Errorf("made %d times, wallet holds %d; want once, 900", made, got)
		}
	})
}

// Nobody rewrites the books, whatever SQL they find.
func TestTransfersAreAppendOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		topUp(t, env.DB, "ac_1", 1000)
		before := entries(t, env.DB, "ac_1", ledger.Wallet)
		for _, sql := range []string{
			`UPDATE transfers SET minor = 1`,
			`UPDATE transfers SET subject = subject`,
			`DELETE FROM transfers`,
		} {
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v, want it refused", sql, err)
			}
		}
		if diff := cmp.Diff(before, entries(t, env.DB, "ac_1", ledger.Wallet)); diff != "" || len(before) != 1 {
			t.Errorf("%d entries before; changed: %s", len(before), diff)
		}
	})
}

func TestEntriesAndBalancesShowWhatWasPosted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		opened := env.Clock.Now()
		topUp(t, env.DB, "ac_1", 1000)
		env.Clock.Add(time.Hour)
		dollars := ledger.Posting{Account: "ac_1", Subject: "ord_0", Step: "completed", Transfers: []ledger.Transfer{
			{From: ledger.Provider("stripe"), To: ledger.Wallet, Amount: money.Of(2500, "USD")},
		}}
		for _, p := range []ledger.Posting{dollars, spend("ac_1", "ord_1", 300)} {
			if err := post(t.Context(), env.DB, p); err != nil {
				t.Fatal(err)
			}
		}
		want := []ledger.Entry{
			{Subject: "ord_0", Step: "completed", From: "provider:stripe", To: ledger.Wallet, Amount: money.Of(2500, "USD"), At: env.Clock.Now()},
			{Subject: "ord_1", Step: "paid", From: ledger.Wallet, To: ledger.Due, Amount: money.Of(300, "JPY"), At: env.Clock.Now()},
			{Subject: "opening", Step: "opening", From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(1000, "JPY"), At: opened},
		}
		if diff := cmp.Diff(want, entries(t, env.DB, "ac_1", ledger.Wallet)); diff != "" {
			t.Error(diff)
		}
		got, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]money.Money, error) {
			return ledger.Balances(ctx, tx, "ac_1", ledger.Wallet)
		})
		if diff := cmp.Diff([]money.Money{money.Of(2500, "USD"), money.Of(700, "JPY")}, got); diff != "" || err != nil {
			t.Errorf("Balances: %v %s", err, diff)
		}
	})
}

func TestWhatIsNoTransferPanics(t *testing.T) {
	for name, tr := range map[string]ledger.Transfer{
		"backwards":          {From: ledger.Due, To: ledger.Wallet, Amount: money.Of(-1, "JPY")},
		"to itself":          {From: ledger.Due, To: ledger.Due, Amount: money.Of(1, "JPY")},
		"to itself, nothing": {From: ledger.Due, To: ledger.Due, Amount: money.Of(0, "JPY")},
		"from nowhere":       {To: ledger.Due, Amount: money.Of(1, "JPY")},
		"to nowhere":         {From: ledger.Due, Amount: money.Of(1, "JPY")},
		"in no currency":     {From: ledger.Due, To: ledger.Revenue, Amount: money.Of(1, "")},
		"too much":           {From: ledger.Due, To: ledger.Revenue, Amount: money.Of(money.MaxMinor+1, "JPY")},
		"points in a wallet": {From: ledger.Granted, To: ledger.Wallet, Amount: money.Of(1, money.Points)},
		"money from points":  {From: ledger.Points, To: ledger.Due, Amount: money.Of(1, "JPY")},
	} {
		t.Run(name, func(t *testing.T) {
			var b db.Batch
			defer func() {
				if p := recover(); p == nil || b.Len() != 0 {
					t.Errorf("panic %v after %d statements, want one at once", p, b.Len())
				}
			}()
			ledger.Posting{Account: "ac_1", Subject: "s", Step: "t", Transfers: []ledger.Transfer{tr}}.AddTo(&b, time.Unix(1, 0))
		})
	}
}

// A decision about the age of a wallet's value holds only while it holds what was
// read.
func TestUnchanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		write := func(fn func(context.Context, db.Tx) error) error { return env.DB.Write(t.Context(), fn) }
		if err := write(func(ctx context.Context, tx db.Tx) error {
			return ledger.Post(ctx, tx, ledger.Posting{Account: "ac_unchanged", Subject: "s", Step: "opening", Transfers: []ledger.Transfer{
				{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(500, "JPY")},
			}})
		}); err != nil {
			t.Fatal(err)
		}
		for has, want := range map[money.Money]bool{money.Of(500, "JPY"): true, money.Of(499, "JPY"): false, money.Of(500, "USD"): false} {
			err := write(func(ctx context.Context, tx db.Tx) error {
				var b db.Batch
				ledger.AddUnchanged(&b, "ac_unchanged", has)
				return tx.Batch(ctx, &b)
			})
			if (err == nil) != want {
				t.Errorf("with %v: %v", has, err)
			}
		}
	})
}
