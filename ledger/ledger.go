// Package ledger is the seller's books: double entry, append-only. A row is a
// transfer from one book to another, so every row balances by itself and so
// does every posting, in each currency.
//
// Only the customer's wallet and points have balance rows, because only they
// are spent from; they can never become negative. The seller's own books are
// sums over their transfers.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
)

// Book is one account of the ledger. The values are stored; do not rename.
type Book string

// The books. Those of the customer have a balance row; the others belong to
// the seller and are kept beside the customer whom the transfer concerns.
const (
	Wallet Book = "wallet" // the customer's stored value: we owe it
	Points Book = "points" // the customer's loyalty points

	Due          Book = "due"           // paid and not yet served: we owe service or the money
	Revenue      Book = "revenue"       // net of tax
	Tax          Book = "tax"           // owed to the state
	PointsIssued Book = "points_issued" // the other side of every point
	Granted      Book = "granted"       // given by staff without payment
	Loss         Book = "loss"          // served and not paid for
	Opening      Book = "opening"       // balances that came from elsewhere
	Receivable   Book = "receivable"    // the customer owes us
	Aside        Book = "aside"         // set aside from wallet and points for orders that wait for their rest: still the customer's
	Expired      Book = "expired"       // value that was in wallets for too long

	Fees       Book = "fees"       // what payment providers kept
	Withheld   Book = "withheld"   // what they hold back because of disputes
	Bank       Book = "bank"       // what they paid out
	Exchange   Book = "exchange"   // the other side of what they converted
	Adjustment Book = "adjustment" // what staff accepted of their reports, and vouchers of the seller's
)

// Provider is the book of what a payment provider owes us.
func Provider(name string) Book { return Book("provider:" + name) }

func (b Book) hasBalance() bool { return b == Wallet || b == Points }

// Transfer moves an amount from one book to another. The amount is positive.
type Transfer struct {
	From, To Book
	Amount   money.Money
}

// Posting is a group of transfers with one cause. Account, Subject and Step
// together are unique: the same thing is never posted twice.
type Posting struct {
	Account   string
	Subject   string // the order, refund or payment that caused it
	Step      string // what happened to it: "paid", "completed" …
	Transfers []Transfer
}

// AddTo appends the posting to b. The batch fails with [db.ErrGuard] when a
// wallet or points would become negative, and violates a unique key when the
// posting was already made. Transfers of nothing are left out; a posting of
// nothing leaves no trace, and can be made again.
//
// It panics for what is a bug: a negative amount (the other direction has its
// own transfer), one in no currency or beyond [money.MaxMinor], a book paid
// from itself, points in a wallet or money among points.
func (p Posting) AddTo(b *db.Batch, now time.Time) {
	n := 0 // counts what is written, so that every posting has a first row and the key makes it once
	for _, t := range p.Transfers {
		if !t.possible() {
			panic("ledger: not a transfer: " + string(t.From) + " to " + string(t.To) + " " + t.Amount.String())
		}
		if t.Amount.IsZero() {
			continue
		}
		b.Row(`INSERT INTO transfers (account_id, subject, step, n, from_book, to_book, minor, currency, at)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			p.Account, p.Subject, p.Step, n, t.From, t.To, t.Amount.Minor, t.Amount.Currency, db.At(now))
		if t.From.hasBalance() {
			b.GuardRow(`UPDATE balances SET minor = minor - column4
				FROM (VALUES ($1,$2,$3,CAST($4 AS bigint))) AS v
				WHERE account_id = column1 AND book = column2 AND currency = column3 AND minor >= column4`,
				p.Account, t.From, t.Amount.Currency, t.Amount.Minor)
		}
		if t.To.hasBalance() {
			b.Row(`INSERT INTO balances (account_id, book, currency, minor) VALUES ($1,$2,$3,$4)
				ON CONFLICT (account_id, book, currency) DO UPDATE SET minor = balances.minor + excluded.minor`,
				p.Account, t.To, t.Amount.Currency, t.Amount.Minor)
		}
		if t.To == Wallet {
			addAge(b, p, t.Amount.Currency, now)
		}
		n++
	}
}

// possible reports whether t is a transfer, perhaps of nothing.
func (t Transfer) possible() bool {
	m := t.Amount
	if m.Minor < 0 || m.Minor > money.MaxMinor || t.From == t.To || t.From == "" || t.To == "" {
		return false
	}
	if m.IsZero() {
		return true
	}
	points := m.Currency == money.Points
	ofPoints := t.From == Points || t.To == Points
	ofMoney := t.From == Wallet || t.To == Wallet
	return m.Currency != "" && (!ofPoints || points) && (!ofMoney || !points)
}

// Post makes the posting by itself. It fails with [fault.Invalid] when a wallet
// or points do not suffice, with [fault.Conflict] when it was already made.
func Post(ctx context.Context, tx db.Tx, p Posting) error {
	var b db.Batch
	p.AddTo(&b, tx.Now())
	err := tx.Batch(ctx, &b)
	switch {
	case errors.Is(err, db.ErrGuard):
		return fault.Because(fault.Invalid, "balance_short", "There is not enough in the wallet for this.", nil)
	case db.IsUnique(err):
		return fault.Wrap(fault.Conflict, err, "This was booked already.")
	}
	return err
}

// Balance reads what a customer has in a wallet or in points.
func Balance(ctx context.Context, tx db.Tx, account string, book Book, c money.Currency) (money.Money, error) {
	m := money.Money{Currency: c}
	err := tx.QueryRow(ctx, `SELECT minor FROM balances WHERE account_id = $1 AND book = $2 AND currency = $3`,
		account, book, c).Scan(&m.Minor)
	if errors.Is(err, db.ErrNoRows) {
		return m, nil
	}
	return m, err
}

// Balances reads everything a customer has in wallet and points, most first.
func Balances(ctx context.Context, tx db.Tx, account string, book Book) (all []money.Money, err error) {
	rows, err := tx.Query(ctx, `SELECT minor, currency FROM balances
		WHERE account_id = $1 AND book = $2 ORDER BY minor DESC, currency LIMIT 20`, account, book)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m money.Money
		if err := rows.Scan(&m.Minor, &m.Currency); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// Entry is one transfer as it stands in the books.
type Entry struct {
	Subject  string
	Step     string
	N        int
	From, To Book
	Amount   money.Money
	At       time.Time
}

// Entries reads the newest transfers that touch one book of a customer.
func Entries(ctx context.Context, tx db.Tx, account string, book Book, limit int) (all []Entry, err error) {
	rows, err := tx.Query(ctx, `SELECT subject, step, n, from_book, to_book, minor, currency, at FROM transfers
		WHERE account_id = $1 AND (from_book = $2 OR to_book = $2) ORDER BY at DESC, subject, step, n LIMIT $3`,
		account, book, limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e Entry
		var at db.Instant
		if err := rows.Scan(&e.Subject, &e.Step, &e.N, &e.From, &e.To, &e.Amount.Minor, &e.Amount.Currency, &at); err != nil {
			return nil, err
		}
		e.At = at.Time
		all = append(all, e)
	}
	return all, rows.Err()
}

// Moved is how much one posting brought into a book; nothing where it was not made.
func Moved(ctx context.Context, tx db.Tx, account, subject, step string, to Book, c money.Currency) (money.Money, error) {
	m := money.Money{Currency: c}
	err := tx.QueryRow(ctx, `SELECT COALESCE(SUM(minor), 0) FROM transfers
		WHERE account_id = $1 AND subject = $2 AND step = $3 AND to_book = $4 AND currency = $5`, account, subject, step, to, c).Scan(&m.Minor)
	return m, err
}
