package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/money"
)

// Lot is value in a wallet that was put in at one time. What was restored by a
// refund is as old as it was when it was spent.
type Lot struct {
	Since time.Time
	Minor int64
}

// restores reports whether a posting of that step gives a wallet value back that
// was spent from it.
func restores(step string) bool { return step == "refunded" || step == "credited" }

// Told is how much of what expires its owner knows about.
const (
	toldNothing = -1 // older value has come back: everything is told again
	toldKeep    = -2 // as far as before
)

// addAge appends that somebody looks how old the value in a wallet is, since some
// was put in.
func addAge(b *db.Batch, p Posting, c money.Currency, now time.Time) {
	told := int64(toldKeep)
	if restores(p.Step) {
		told = toldNothing
	}
	b.Row(`INSERT INTO wallet_ages (account_id, currency, told_to, due_at) VALUES ($1,$2,$3,$4)
		ON CONFLICT (account_id, currency) DO UPDATE
		   SET told_to = CASE WHEN excluded.told_to = -1 THEN -1 ELSE wallet_ages.told_to END, due_at = excluded.due_at`,
		p.Account, c, told, db.At(now))
}

// Lots reads the value of a wallet by age, oldest first, with what is set aside
// from it, and how much that is. The oldest is spent first, and what is set aside
// is spent. Its length is bounded by how often the wallet was filled.
//
// No row is kept for this: value that was spent and came back is as if it had
// never been spent, so that what there is now is what was put in last.
func Lots(ctx context.Context, tx db.Tx, account string, c money.Currency) (lots []Lot, aside int64, err error) {
	has, err := Balance(ctx, tx, account, Wallet, c)
	if err != nil {
		return nil, 0, err
	}
	err = tx.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN to_book = 'aside' THEN minor ELSE -minor END), 0) FROM transfers
		WHERE account_id = $1 AND currency = $2 AND (to_book = 'aside' OR from_book = 'aside')`, account, c).Scan(&aside)
	if err != nil {
		return nil, 0, err
	}
	lots, err = newest(ctx, tx, account, c, has.Minor+aside)
	return lots, aside, err
}

// SetAside reads what is set aside from an account's wallet and points for orders
// that wait for their rest.
func SetAside(ctx context.Context, tx db.Tx, account string) (all []money.Money, err error) {
	rows, err := tx.Query(ctx, `SELECT currency, SUM(CASE WHEN to_book = 'aside' THEN minor ELSE -minor END) AS held FROM transfers
		WHERE account_id = $1 AND (to_book = 'aside' OR from_book = 'aside') GROUP BY currency ORDER BY currency`, account)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m money.Money
		if err := rows.Scan(&m.Currency, &m.Minor); err != nil {
			return nil, err
		}
		if !m.IsZero() {
			all = append(all, m)
		}
	}
	return all, rows.Err()
}

// newest reads what was put into a wallet last, until it is so much.
func newest(ctx context.Context, tx db.Tx, account string, c money.Currency, held int64) (lots []Lot, err error) {
	rows, err := tx.Query(ctx, `SELECT minor, at FROM transfers
		WHERE account_id = $1 AND to_book = 'wallet' AND currency = $2 AND from_book <> 'aside' AND step NOT IN ('refunded', 'credited')
		ORDER BY at DESC, subject DESC, step DESC, n DESC`, account, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for held > 0 && rows.Next() {
		var l Lot
		var at db.Instant
		if err := rows.Scan(&l.Minor, &at); err != nil {
			return nil, err
		}
		l.Since, l.Minor = at.Time, min(l.Minor, held)
		held -= l.Minor
		lots = append([]Lot{l}, lots...)
	}
	return lots, rows.Err()
}

// Age is a wallet at whose age somebody must look.
type Age struct {
	Account  string
	Currency money.Currency
	ToldTo   time.Time // its owner knows what expires until then; zero: of nothing
	KeptTo   time.Time // nothing expires before; zero: always may
}

// TakeAges claims up to limit wallets that are due, for the length of a lease.
func TakeAges(ctx context.Context, tx db.Tx, lease time.Duration, limit int) (all []Age, err error) {
	rows, err := tx.Query(ctx, `WITH due AS MATERIALIZED (
			SELECT account_id AS account, currency AS kept FROM wallet_ages WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
		UPDATE wallet_ages SET due_at = $2 FROM due WHERE account_id = account AND currency = kept
		RETURNING account_id, currency, told_to, kept_to`, db.At(tx.Now()), db.At(tx.Now().Add(lease)), limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		a, err := scanAge(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// AgeOf reads how far the owner of a wallet was told what expires.
func AgeOf(ctx context.Context, tx db.Tx, account string, c money.Currency) (Age, error) {
	a, err := scanAge(tx.QueryRow(ctx, `SELECT account_id, currency, told_to, kept_to FROM wallet_ages
		WHERE account_id = $1 AND currency = $2`, account, c))
	if errors.Is(err, db.ErrNoRows) {
		return Age{Account: account, Currency: c}, nil
	}
	return a, err
}

func scanAge(row db.Row) (Age, error) {
	var a Age
	var told, kept int64
	err := row.Scan(&a.Account, &a.Currency, &told, &kept)
	if told > 0 {
		a.ToldTo = time.UnixMicro(told).UTC()
	}
	if kept > 0 {
		a.KeptTo = time.UnixMicro(kept).UTC()
	}
	return a, err
}

// AddAged appends what was found out about a wallet's age, and when somebody
// looks again; zero: when some is put in.
func AddAged(b *db.Batch, a Age, due time.Time) {
	told, kept := int64(toldNothing), int64(0)
	if !a.ToldTo.IsZero() {
		told = a.ToldTo.UnixMicro()
	}
	if !a.KeptTo.IsZero() {
		kept = a.KeptTo.UnixMicro()
	}
	b.Guard(`UPDATE wallet_ages SET told_to = $3, kept_to = $4, due_at = $5 WHERE account_id = $1 AND currency = $2`,
		a.Account, a.Currency, told, kept, db.At(due))
}

// AddUnchanged appends the guard that a wallet holds what it held when it was
// read: a decision about the age of its value is one about all of it.
func AddUnchanged(b *db.Batch, account string, has money.Money) {
	b.Guard(`UPDATE balances SET minor = minor WHERE account_id = $1 AND book = 'wallet' AND currency = $2 AND minor = $3`,
		account, has.Currency, has.Minor)
}
