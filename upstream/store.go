package upstream

import (
	"context"
	"errors"
	"math/big"
	"regexp"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Standing is what is known of the seller's money with one operator.
type Standing struct {
	Carrier string
	Balance carrier.Cost // without currency: none was ever told
	AsOf    time.Time    // of the balance
	Trouble string       // why the last question gave none; empty: it did
	Since   time.Time    // since when what was spent is recorded
	Spent   int64        // units of the balance that it fell by in the last seven days
	Low     bool         // staff were told that it is below its floor

	lowAt int64 // the floor then, in units of the balance
	due   time.Time
}

// known reports whether a balance was ever told.
func (s Standing) known() bool { return s.Balance.Currency != "" }

// spendingDays is how far back spending counts.
const spendingDays = 7

// Standings are what is known of all operators, by name; asked of nobody.
func Standings(ctx context.Context, tx db.Tx) (out []Standing, err error) {
	today := tx.Now().UTC()
	rows, err := tx.Query(ctx, `SELECT b.carrier, b.units, scale, currency, as_of, since, low_at, trouble, due_at,
			CAST(COALESCE((SELECT SUM(s.units) FROM operator_spending AS s WHERE s.carrier = b.carrier AND day > $1), 0) AS bigint)
		FROM operator_balances AS b ORDER BY b.carrier`, dayOf(today.AddDate(0, 0, -spendingDays)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s Standing
		var asOf, since, due db.Instant
		var low *int64
		if err := rows.Scan(&s.Carrier, &s.Balance.Units, &s.Balance.Scale, &s.Balance.Currency, &asOf, &since, &low, &s.Trouble, &due, &s.Spent); err != nil {
			return nil, err
		}
		s.AsOf, s.Since, s.due = asOf.Time, since.Time, due.Time
		if low != nil {
			s.Low, s.lowAt = true, *low
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// Left is what is left with one operator, as last heard; false: it was never told.
func Left(ctx context.Context, tx db.Tx, adapter string) (c carrier.Cost, known bool, err error) {
	err = tx.QueryRow(ctx, `SELECT units, scale, currency FROM operator_balances WHERE carrier = $1`, adapter).Scan(&c.Units, &c.Scale, &c.Currency)
	if errors.Is(err, db.ErrNoRows) {
		return c, false, nil
	}
	return c, err == nil && c.Currency != "", err
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Floor is below which balance staff are told.
type Floor struct {
	Units int64 // of the balance
	Set   bool  // by the seller; false: made from what was spent
}

// Floors says how low a balance may be.
type Floors struct {
	Set  map[string]*big.Rat // by adapter, in whole units of the balance's currency
	Days int                 // of spending that a balance must last for where nothing is set
}

// Of is the floor of a balance as of now: what is set for it, else the spending of so
// many days, at the pace of the last seven or of as many as are recorded; at least one
// unit, so that an empty balance is low.
func (f Floors) Of(s Standing, now time.Time) Floor {
	if set := f.Set[s.Carrier]; set != nil {
		return Floor{ceil(new(big.Rat).Mul(set, big.NewRat(s.Balance.Scale, 1))), true}
	}
	const day = 24 * time.Hour
	recorded := min(spendingDays, max(1, int64((now.Sub(s.Since)+day-1)/day)))
	pace := big.NewRat(s.Spent, recorded)
	return Floor{max(1, ceil(pace.Mul(pace, big.NewRat(int64(f.Days), 1)))), false}
}

// SetFloors reads what the seller sets, as decimal numbers by adapter: "200", "150.50".
func SetFloors(set map[string]string, days int) (Floors, error) {
	f := Floors{Set: map[string]*big.Rat{}, Days: days}
	for name, amount := range set {
		n, ok := new(big.Rat).SetString(amount)
		if !ok || !isAmount.MatchString(amount) {
			return f, fault.New(fault.Invalid, "%q is not an amount for %s. Write it like 200 or 150.50, in the currency of its balance.", amount, name)
		}
		f.Set[name] = n
	}
	return f, nil
}

var isAmount = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,6})?$`)

// ceil is the next whole number above.
func ceil(r *big.Rat) int64 { return -floor(new(big.Rat).Neg(r)) }

// Below says whether a balance is low, for one that staff know to be low or not. Whoever was told
// of a fall below a floor that is made from spending hears of its end when money came
// in, not when less was spent.
func (s Standing) Below(f Floor) bool {
	if s.Low && !f.Set {
		return s.Balance.Units < max(f.Units, s.lowAt)
	}
	return s.Balance.Units < f.Units
}

// told takes what the operator answered at an instant into account. Money that came in
// between two answers hides what was spent between them.
func (s Standing) told(balance carrier.Cost, at time.Time) (next Standing, spent int64) {
	next = s
	next.Balance, next.AsOf, next.Trouble = balance, at, ""
	switch {
	case !s.known() || s.Balance.Currency != balance.Currency || s.Balance.Scale != balance.Scale:
		next.Since, next.Spent, next.Low = at, 0, false // nothing of before can be compared
	case balance.Units < s.Balance.Units:
		spent = s.Balance.Units - balance.Units
		next.Spent += spent
	}
	return next, spent
}

// With is what is known with a balance that was just told, and is not stored.
func (s Standing) With(balance carrier.Cost, at time.Time) Standing {
	next, _ := s.told(balance, at)
	return next
}

// keep stores a standing, and what was spent since the one before.
func (s Standing) keep(b *db.Batch, before Standing, spent int64) {
	var low any
	if s.Low {
		low = s.lowAt
	}
	b.Add(`UPDATE operator_balances SET units = $2, scale = $3, currency = $4, as_of = $5, since = $6, low_at = $7, trouble = $8, due_at = $9 WHERE carrier = $1`,
		s.Carrier, s.Balance.Units, max(1, s.Balance.Scale), s.Balance.Currency, db.At(s.AsOf), db.At(s.Since), low, s.Trouble, db.At(s.due))
	if !s.Since.Equal(before.Since) {
		b.Add(`DELETE FROM operator_spending WHERE carrier = $1`, s.Carrier)
	}
	if spent > 0 {
		b.Add(`INSERT INTO operator_spending (carrier, day, units) VALUES ($1,$2,$3)
			ON CONFLICT (carrier, day) DO UPDATE SET units = operator_spending.units + excluded.units`, s.Carrier, dayOf(s.AsOf), spent)
		b.Add(`DELETE FROM operator_spending WHERE carrier = $1 AND day < $2`, s.Carrier, dayOf(s.AsOf.AddDate(0, 0, -2*spendingDays)))
	}
}

// claim takes an operator's balance for the time of one question; false: somebody
// else has.
func claim(ctx context.Context, tx db.Tx, carrier string, until time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO operator_balances (carrier, units, scale, currency, trouble, due_at) VALUES ($1,0,1,'','',$2)
		ON CONFLICT (carrier) DO UPDATE SET due_at = excluded.due_at WHERE operator_balances.due_at <= $3`, carrier, db.At(until), db.At(tx.Now()))
	return n == 1, err
}
