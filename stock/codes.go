package stock

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/seal"
)

// Code is what a code to redeem brings, without the code, which is not kept.
type Code struct {
	Mark      string
	Plan      string
	Term      string
	Batch     string
	ExpiresAt time.Time // exclusive; zero: never
	State     CodeState
	Account   string // who redeemed it
	Order     string // what came of it
}

// CodeState is what a code is. The values are stored; do not rename.
type CodeState string

// The states of a code.
const (
	CodeFree      CodeState = "free"
	CodeRedeemed  CodeState = "redeemed"
	CodeWithdrawn CodeState = "withdrawn"
)

// redeemPlace is where codes to redeem are marked.
const redeemPlace = "redeem_codes"

// letters are those of a code: Crockford's, without I, L, O and U.
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLetters is how many a code has: 80 bits, which nobody guesses.
const codeLetters = 16

// NewCode makes a code from random bytes, at least 16: 7KQ4-22MD-….
func NewCode(random []byte) string {
	var b strings.Builder
	for i := range codeLetters {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(letters[random[i]&31])
	}
	return b.String()
}

// AddCode appends a code that can be redeemed once. One that is there already
// violates a unique key.
func AddCode(b *db.Batch, box *seal.Box, code string, c Code, now time.Time) {
	b.Row(`INSERT INTO redeem_codes (mark, plan_id, term_id, batch, expires_at, state, created_at, updated_at) VALUES ($1,$2,$3,$4,$5,'free',$6,$7)`,
		box.Mark(Typed(code), redeemPlace), c.Plan, c.Term, c.Batch, db.At(c.ExpiresAt), db.At(now), db.At(now))
}

// FindCode reads what a code brings. found is false where there is no such code.
func FindCode(ctx context.Context, tx db.Tx, box *seal.Box, code string) (c Code, found bool, err error) {
	for _, mark := range box.Marks(Typed(code), redeemPlace) {
		var expires db.Instant
		err := tx.QueryRow(ctx, `SELECT mark, plan_id, term_id, batch, expires_at, state, account_id, order_id FROM redeem_codes WHERE mark = $1`, mark).
			Scan(&c.Mark, &c.Plan, &c.Term, &c.Batch, &expires, &c.State, &c.Account, &c.Order)
		if errors.Is(err, db.ErrNoRows) {
			continue
		}
		c.ExpiresAt = expires.Time
		return c, err == nil, err
	}
	return Code{}, false, nil
}

// AddRedeemed appends the guarded update by which a free code becomes an order.
func AddRedeemed(b *db.Batch, mark, account, order string, now time.Time) {
	b.Guard(`UPDATE redeem_codes SET state = 'redeemed', account_id = $2, order_id = $3, updated_at = $4 WHERE mark = $1 AND state = 'free'`,
		mark, account, order, db.At(now))
}

// AddUnredeemed appends that an order brought nothing: its code can be redeemed again.
func AddUnredeemed(b *db.Batch, order string, now time.Time) {
	b.Add(`UPDATE redeem_codes SET state = 'free', account_id = '', order_id = '', updated_at = $2 WHERE order_id = $1 AND order_id <> ''`,
		order, db.At(now))
}

// CodeCount is how many codes of a batch there are.
type CodeCount struct {
	Batch, Plan, Term         string
	Free, Redeemed, Withdrawn int64
}

// CodeCounts reads them all, by batch. It is for staff: it reads all codes.
func CodeCounts(ctx context.Context, tx db.Tx) (all []CodeCount, err error) {
	rows, err := tx.Query(ctx, `SELECT batch, plan_id, term_id, SUM(CASE WHEN state = 'free' THEN 1 ELSE 0 END),
		       SUM(CASE WHEN state = 'redeemed' THEN 1 ELSE 0 END), SUM(CASE WHEN state = 'withdrawn' THEN 1 ELSE 0 END)
		  FROM redeem_codes GROUP BY batch, plan_id, term_id ORDER BY batch, plan_id, term_id`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c CodeCount
		if err := rows.Scan(&c.Batch, &c.Plan, &c.Term, &c.Free, &c.Redeemed, &c.Withdrawn); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}
