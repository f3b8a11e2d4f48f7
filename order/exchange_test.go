package order_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/exchange"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

var wonPrices = regexp.MustCompile(`(prices: \{[^}\n]*), KRW: [0-9]+`)

// withoutWon is the demo's catalogue, in which one plan has no prices in won.
func withoutWon(plan string) []byte {
	file := catalogue.DemoFile()
	from := bytes.Index(file, []byte("- id: "+plan+"\n"))
	to := from + 1 + bytes.Index(file[from+1:], []byte("\n  - id: "))
	return slices.Concat(file[:from], wonPrices.ReplaceAll(file[from:to], []byte("$1")), file[to:])
}

// A price that was converted is fixed with its rate: a worse rate that comes
// before the order is placed changes nothing, a rate that is too old offers
// nothing, and nobody can change what was fixed.
func TestConvertedPriceIsFixed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		day := env.Clock.Now().UTC().Format(time.DateOnly)
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			_, _, err := catalogue.Apply(ctx, tx, withoutWon("machi-5gb"), "test")
			return err
		})
		publish := func(won int64) {
			s.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := exchange.Import(ctx, tx, exchange.Sheet{Source: exchange.ECB, Base: "EUR", Day: day, Units: map[money.Currency]exchange.Units{
					"JPY": {Numerator: 18675, Denominator: 100}, "KRW": {Numerator: won, Denominator: 100},
				}}, "test", false)
				return err
			})
		}
		account, ln := s.customer(t, "machi-5gb", 50*time.Hour, 0)
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
				{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(100_000, "KRW")},
			}})
		})
		plan, _ := demo().Plan("machi-5gb")
		item := renewal.Item{Kind: renewal.Term, Plan: plan.ID, ID: plan.Terms[0].ID}
		if _, err := s.Desk.Quote(t.Context(), account, ln, item, "KRW"); !refusedFor(err, renewal.NoPrice) {
			t.Fatalf("without rates: %v", err)
		}
		publish(174086)
		q, err := s.Desk.Quote(t.Context(), account, ln, item, "KRW")
		if err != nil {
			t.Fatal(err)
		}
		yen := plan.Terms[0].Prices[0].Minor
		want := (yen*174086*1025/(18675*1000) + 100) / 100 * 100 // 2.5 % more, rounded up to a hundred won
		if q.Price != money.Of(want, "KRW") || q.Exchange.List != money.Of(yen, "JPY") || q.Exchange.Rate.Date != day {
			t.Fatalf("%d yen became %s from %+v, want %d", yen, q.Price, q.Exchange, want)
		}
		publish(200000)
		o, err := s.place(t, q)
		if err != nil || o.State != order.Completed || o.Price != q.Price || o.Exchange != q.Exchange {
			t.Fatalf("%s for %s from %+v, %v", o.State, o.Price, o.Exchange, err)
		}
		dearer, err := s.Desk.Quote(t.Context(), account, ln, item, "KRW")
		if err != nil || dearer.Price.Minor <= q.Price.Minor {
			t.Fatalf("after a worse rate: %s, %v", dearer.Price, err)
		}
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE quotes SET exchange = '1 JPY KRW 1/1 2026-01-01 ECB' WHERE account_id = $1 AND id = $2`, account, dearer.ID)
			return err
		})
		if _, err := s.place(t, dearer); fault.KindOf(err) != fault.Internal {
			t.Errorf("a quote with another rate was taken: %v", err)
		}
		env.Clock.Add(7 * 24 * time.Hour)
		account, ln = s.customer(t, "machi-5gb", 50*time.Hour, 0)
		if _, err := s.Desk.Quote(t.Context(), account, ln, item, "KRW"); !refusedFor(err, renewal.NoPrice) {
			t.Errorf("with rates that are a week old: %v", err)
		}
	})
}

func refusedFor(err error, rule renewal.Rule) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Reason == "renewal."+string(rule)
}
