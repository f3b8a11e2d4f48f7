// Package exchange keeps the rates of exchange that others publish: imported
// from their files, dated, and never used when they are older than the seller
// allows. It converts nothing by itself: package renewal prices with a rate, and
// the quote fixes it.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package exchange

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
)

// Sheet is what one source published for one day: how many units of each
// currency one unit of the base is worth.
type Sheet struct {
	Source string         // for the customer and the books: "ECB"
	Base   money.Currency // what the units are of one of
	Day    string         // 2006-01-02
	Units  map[money.Currency]Units
}

// Units is a positive decimal number as it was published: 18675/100 yen.
type Units struct{ Numerator, Denominator int64 }

// String is the decimal number.
func (u Units) String() string {
	return new(big.Rat).SetFrac64(u.Numerator, u.Denominator).FloatString(len(strconv.FormatInt(u.Denominator, 10)) - 1)
}

// maxJump is how far a rate may be from the one before, in percent, without a
// person having said so. No currency of ours has moved by as much from one
// import to the next; a file with a shifted column has.
const maxJump = 25

// Import makes a sheet the one in force. A sheet that is in force already changes
// nothing. It fails with [fault.Invalid] for a sheet of the future, of a day
// before the one in force, and, unless jumps are allowed, for one in which a
// rate has moved by more than 25 percent.
func Import(ctx context.Context, tx db.Tx, s Sheet, by string, jumps bool) (changed bool, err error) {
	day, err := time.Parse(time.DateOnly, s.Day)
	if err != nil || len(s.Units) == 0 {
		return false, fault.New(fault.Invalid, "These rates have no day, or there are none.")
	}
	if day.After(tx.Now()) {
		return false, fault.New(fault.Invalid, "These rates are of %s, which is still to come. Compare the file with its source.", s.Day)
	}
	old, err := Current(ctx, tx, s.Source)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return false, err
	}
	switch {
	case s.Day < old.Day:
		return false, fault.New(fault.Invalid, "These rates are of %s; those of %s are in force. Fetch a newer file.", s.Day, old.Day)
	case s.Day == old.Day && same(s, old):
		return false, nil
	}
	if c, far := jump(old, s); far && !jumps {
		return false, fault.New(fault.Invalid,
			"The rate of %s has moved by more than %d percent since %s. Compare the file with its source; if it is right, import it with --allow-jumps.", c, maxJump, old.Day)
	}
	return true, store(ctx, tx, s, by)
}

func same(a, b Sheet) bool {
	if len(a.Units) != len(b.Units) {
		return false
	}
	for c, u := range a.Units {
		if b.Units[c] != u {
			return false
		}
	}
	return true
}

// jump finds a currency that is further from its old rate than maxJump.
func jump(old, s Sheet) (money.Currency, bool) {
	for c, was := range old.Units {
		is, ok := s.Units[c]
		if !ok {
			continue
		}
		before, now := ratio(was), ratio(is)
		moved := now.Sub(now, before)
		moved.Quo(moved, before).Abs(moved)
		if moved.Cmp(big.NewRat(maxJump, 100)) > 0 {
			return c, true
		}
	}
	return "", false
}

func ratio(u Units) *big.Rat { return big.NewRat(u.Numerator, u.Denominator) }

func store(ctx context.Context, tx db.Tx, s Sheet, by string) error {
	var b db.Batch
	b.Add(`DELETE FROM exchange_rates WHERE source = $1`, s.Source)
	for c, u := range s.Units {
		b.Row(`INSERT INTO exchange_rates (source, currency, base, day, numerator, denominator, imported_at, imported_by)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`, s.Source, c, s.Base, s.Day, u.Numerator, u.Denominator, db.At(tx.Now()), by)
	}
	return tx.Batch(ctx, &b)
}

// Current reads the sheet of a source that is in force. It fails with
// [fault.NotFound] while none was imported.
func Current(ctx context.Context, tx db.Tx, source string) (s Sheet, err error) {
	rows, err := tx.Query(ctx, `SELECT currency, base, day, numerator, denominator FROM exchange_rates WHERE source = $1`, source)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	s = Sheet{Source: source, Units: map[money.Currency]Units{}}
	for rows.Next() {
		var c money.Currency
		var u Units
		if err := rows.Scan(&c, &s.Base, &s.Day, &u.Numerator, &u.Denominator); err != nil {
			return s, err
		}
		s.Units[c] = u
	}
	if err := rows.Err(); err != nil {
		return s, err
	}
	if len(s.Units) == 0 {
		return s, fault.New(fault.NotFound, "No rates of exchange were imported yet.")
	}
	return s, nil
}

// Fresh reports whether the sheet may still be used: its day is at most days
// before the day of now, in UTC.
func (s Sheet) Fresh(now time.Time, days int) bool {
	day, err := time.Parse(time.DateOnly, s.Day)
	return err == nil && !now.UTC().Before(day) && now.UTC().Before(day.AddDate(0, 0, days+1))
}

// Rate is the rate from one currency to another, through the sheet's base. It is
// false where the source does not publish both.
func (s Sheet) Rate(from, to money.Currency) (money.Rate, bool) {
	a, ok := s.units(from)
	b, ok2 := s.units(to)
	if !ok || !ok2 || from == to {
		return money.Rate{}, false
	}
	// One base is a.Numerator/a.Denominator of from, so one of from is its inverse.
	cross := new(big.Rat).Quo(ratio(b), ratio(a))
	if !cross.Num().IsInt64() || !cross.Denom().IsInt64() {
		return money.Rate{}, false // no currency is worth that little
	}
	return money.Rate{
		From: from, To: to, Numerator: cross.Num().Int64(), Denominator: cross.Denom().Int64(), Source: s.Source, Date: s.Day,
	}, true
}

func (s Sheet) units(c money.Currency) (Units, bool) {
	if c == s.Base {
		return Units{1, 1}, true
	}
	u, ok := s.Units[c]
	return u, ok
}

// String is for staff: "ECB 2026-11-27, 31 currencies".
func (s Sheet) String() string {
	return fmt.Sprintf("%s %s, %d currencies", s.Source, s.Day, len(s.Units))
}
