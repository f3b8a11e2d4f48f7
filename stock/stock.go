// Package stock is what the seller has bought or printed and given to nobody yet:
// SIM cards, eSIM codes, and codes that were sold elsewhere and are redeemed here.
// An item is given once. Activation codes are sealed; claim codes and codes to
// redeem are stored as keyed hashes only.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package stock

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/seal"
)

// Kind is what an item is. The values are stored; do not rename.
type Kind string

// The kinds of item.
const (
	SIM  Kind = "sim"  // a card, which its buyer claims
	ESIM Kind = "esim" // a bought activation code
)

// State is where an item is. The values are stored; do not rename.
type State string

// The states of an item.
const (
	Free      State = "free"
	Reserved  State = "reserved"  // for an order that is paid and not completed
	Given     State = "given"     // it is a customer's line
	Withdrawn State = "withdrawn" // by staff: a batch that was sent back, or was wrong
)

// Item is one SIM or eSIM of the seller's.
type Item struct {
	ICCID     string
	Kind      Kind
	Operator  string // catalogue.Operator.ID
	ProfileID string // the operator's own identifier; empty: it knows only the ICCID
	MSISDN    string
	Plan      string // catalogue.Plan.ID
	Term      string // what it comes with
	Batch     string
	Code      string    // of an eSIM: sealed, see [Item.Opened]
	Mark      string    // what the code, or the claim code of a card, is known by
	ExpiresAt time.Time // the last moment to begin using it, exclusive; zero: none is known
	State     State
	Account   string // whose it is; empty while it is free
	Order     string // empty for a card
	Line      string
}

// Sealed is i with an activation code, hidden for the database.
func (i Item) Sealed(box *seal.Box, code string) (Item, error) {
	i.Mark = box.Mark(code, i.place())
	var err error
	i.Code, err = box.Seal(code, i.place())
	return i, err
}

// Claimable is i with a claim code, of which only a mark is kept.
func (i Item) Claimable(box *seal.Box, claim string) Item {
	i.Mark = box.Mark(Typed(claim), i.place())
	return i
}

// Knows reports whether a code is the item's: its activation code, or its claim code.
func (i Item) Knows(box *seal.Box, code string) bool {
	if i.Kind == SIM {
		code = Typed(code)
	}
	return slices.Contains(box.Marks(code, i.place()), i.Mark)
}

// Opened is an eSIM's activation code. It fails where the box has not the secret.
func (i Item) Opened(box *seal.Box) (string, error) {
	code, _, err := box.Open(i.Code, i.place())
	return code, err
}

func (i Item) place() string { return "stock/" + i.ICCID }

// Typed is a code as it is compared: people write small letters, spaces and
// hyphens, and take O for 0 and I or L for 1.
func Typed(code string) string {
	code = strings.ToUpper(norm.NFKC.String(code))
	return strings.NewReplacer(" ", "", "-", "", "\u2010", "", "\u2011", "", "\u2013", "", "\t", "", "O", "0", "I", "1", "L", "1").Replace(code)
}

const columns = `iccid, kind, operator, profile_id, msisdn, plan_id, term_id, batch, code, mark, expires_at, state, account_id, order_id, line_id`

func scan(row db.Row) (Item, error) {
	var i Item
	var expires db.Instant
	err := row.Scan(&i.ICCID, &i.Kind, &i.Operator, &i.ProfileID, &i.MSISDN, &i.Plan, &i.Term, &i.Batch, &i.Code, &i.Mark, &expires,
		&i.State, &i.Account, &i.Order, &i.Line)
	i.ExpiresAt = expires.Time
	return i, err
}

// Add appends the insertion of an item that nobody has. One that was withdrawn
// comes back as it is said to be now; any other that is there already violates a
// unique key.
func Add(b *db.Batch, i Item, now time.Time) {
	b.Row(`DELETE FROM stock WHERE state = 'withdrawn' AND iccid IN (SELECT column1 FROM (VALUES ($1)) AS v)`, i.ICCID)
	b.Row(`INSERT INTO stock (iccid, kind, operator, profile_id, msisdn, plan_id, term_id, batch, code, mark, expires_at, state, created_at, updated_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,'free',$12,$12)`,
		i.ICCID, i.Kind, i.Operator, i.ProfileID, i.MSISDN, i.Plan, i.Term, i.Batch, i.Code, i.Mark, db.At(i.ExpiresAt), db.At(now))
}

// Find reads an item. found is false where there is none.
func Find(ctx context.Context, tx db.Tx, iccid string) (i Item, found bool, err error) {
	return maybe(scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM stock WHERE iccid = $1`, iccid)))
}

// Several reads items by ICCID. Those that do not exist are not in the result.
func Several(ctx context.Context, tx db.Tx, iccids []string) (map[string]Item, error) {
	found := make(map[string]Item, len(iccids))
	rows := make([][]any, len(iccids))
	for i, s := range iccids {
		rows[i] = []any{s}
	}
	err := tx.Several(ctx, `SELECT `+columns+` FROM (VALUES ($1)) AS v JOIN stock ON iccid = column1`, rows, func(row db.Row) error {
		i, err := scan(row)
		found[i.ICCID] = i
		return err
	})
	return found, err
}

// AnyByNumber reports whether there is a card that can be claimed by a code to its
// number.
func AnyByNumber(ctx context.Context, tx db.Tx) (bool, error) {
	var one int64
	err := tx.QueryRow(ctx, `SELECT 1 FROM stock WHERE kind = 'sim' AND state = 'free' AND msisdn <> '' LIMIT 1`).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// NumberToClaim is the number to which a code goes that shows who holds a card; "" for
// what is no card, was withdrawn or is too old, and where nobody knows the number.
func (i Item) NumberToClaim(now time.Time) string {
	if i.Kind != SIM || i.State == Withdrawn || i.State == Free && !i.ExpiresAt.IsZero() && !now.Before(i.ExpiresAt) {
		return ""
	}
	return i.MSISDN
}

func maybe(i Item, err error) (Item, bool, error) {
	if errors.Is(err, db.ErrNoRows) {
		return Item{}, false, nil
	}
	return i, err == nil, err
}

// Reserve gives an order one eSIM of a plan's term, or the one that it has: the
// first to expire. found is false where none is left.
func Reserve(ctx context.Context, tx db.Tx, plan, term, account, order string) (i Item, found bool, err error) {
	if i, found, err = OfOrder(ctx, tx, order); found || err != nil {
		return i, found, err
	}
	return maybe(scan(tx.QueryRow(ctx, `UPDATE stock SET state = 'reserved', account_id = $1, order_id = $2, updated_at = $3
		WHERE iccid = (SELECT iccid FROM stock
		                WHERE state = 'free' AND kind = 'esim' AND plan_id = $4 AND term_id = $5 AND (expires_at IS NULL OR expires_at > $3)
		                ORDER BY expires_at IS NULL, expires_at, iccid LIMIT 1 FOR UPDATE SKIP LOCKED)
		  AND state = 'free'
		RETURNING `+columns, account, order, db.At(tx.Now()), plan, term)))
}

// OfOrder reads the item that an order has.
func OfOrder(ctx context.Context, tx db.Tx, order string) (i Item, found bool, err error) {
	return maybe(scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM stock WHERE order_id = $1 AND order_id <> ''`, order)))
}

// AddGiven appends that an order's item became a line. If staff gave the order
// another profile, the item is free again.
func AddGiven(b *db.Batch, order, iccid, line string, now time.Time) {
	b.Add(`UPDATE stock SET state = CASE WHEN iccid = $2 THEN 'given' ELSE 'free' END, line_id = CASE WHEN iccid = $2 THEN $3 ELSE '' END,
		    account_id = CASE WHEN iccid = $2 THEN account_id ELSE '' END, order_id = CASE WHEN iccid = $2 THEN order_id ELSE '' END, updated_at = $4
		WHERE order_id = $1 AND order_id <> '' AND state = 'reserved'`, order, iccid, line, db.At(now))
}

// AddReleased appends that an order ended without its item, which is free again;
// but one whose profile is a line already cannot be sold at all.
func AddReleased(b *db.Batch, order string, now time.Time) {
	b.Add(`UPDATE stock SET account_id = '', order_id = '', updated_at = $2,
		    state = CASE WHEN EXISTS (SELECT 1 FROM directory WHERE kind = 'profile:' || stock.operator AND value = stock.profile_id) THEN 'withdrawn' ELSE 'free' END
		WHERE order_id = $1 AND order_id <> '' AND state = 'reserved'`, order, db.At(now))
}

// AddClaimed appends the guarded update by which a free card becomes a line.
func AddClaimed(b *db.Batch, iccid, account, line string, now time.Time) {
	b.Guard(`UPDATE stock SET state = 'given', account_id = $2, line_id = $3, updated_at = $4
		WHERE iccid = $1 AND kind = 'sim' AND state = 'free'`, iccid, account, line, db.At(now))
}

// Left is how many eSIMs of a plan's term can be sold now.
func Left(ctx context.Context, tx db.Tx, plan, term string) (n int64, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM stock
		WHERE state = 'free' AND kind = 'esim' AND plan_id = $1 AND term_id = $2 AND (expires_at IS NULL OR expires_at > $3)`,
		plan, term, db.At(tx.Now())).Scan(&n)
	return n, err
}

// Count is how many items there are of one kind, plan and term.
type Count struct {
	Kind                           Kind
	Plan, Term                     string
	Free, Expired, Reserved, Given int64
	NextExpiry                     time.Time // of those that are free; zero: none expires
}

// Counts reads them all. It is for staff: it reads the whole stock.
func Counts(ctx context.Context, tx db.Tx) (all []Count, err error) {
	rows, err := tx.Query(ctx, `SELECT kind, plan_id, term_id,
		       SUM(CASE WHEN state = 'free' AND (expires_at IS NULL OR expires_at > $1) THEN 1 ELSE 0 END),
		       SUM(CASE WHEN state = 'free' AND expires_at <= $1 THEN 1 ELSE 0 END),
		       SUM(CASE WHEN state = 'reserved' THEN 1 ELSE 0 END), SUM(CASE WHEN state = 'given' THEN 1 ELSE 0 END),
		       MIN(CASE WHEN state = 'free' AND expires_at > $1 THEN expires_at END)
		  FROM stock GROUP BY kind, plan_id, term_id ORDER BY kind, plan_id, term_id`, db.At(tx.Now()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c Count
		var next db.Instant
		if err := rows.Scan(&c.Kind, &c.Plan, &c.Term, &c.Free, &c.Expired, &c.Reserved, &c.Given, &next); err != nil {
			return nil, err
		}
		c.NextExpiry = next.Time
		all = append(all, c)
	}
	return all, rows.Err()
}

// Withdraw takes what is free of a batch out of stock, items and codes. It reports
// how many there were.
func Withdraw(ctx context.Context, tx db.Tx, batch string) (items, codes int64, err error) {
	items, err = tx.Exec(ctx, `UPDATE stock SET state = 'withdrawn', updated_at = $2 WHERE batch = $1 AND state = 'free'`, batch, db.At(tx.Now()))
	if err != nil {
		return 0, 0, err
	}
	codes, err = tx.Exec(ctx, `UPDATE redeem_codes SET state = 'withdrawn', updated_at = $2 WHERE batch = $1 AND state = 'free'`, batch, db.At(tx.Now()))
	return items, codes, err
}
