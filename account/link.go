package account

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

const insertLink = `
	INSERT INTO links (account_id, id, line_id, token_hash, created_at, expires_at)
	VALUES ($1, $2, $3, $4, $5, $6)`

// MakeLink makes a link that opens one line of the account without signing in,
// as often as one likes until it expires, and returns its token, which is given
// out once and not stored.
func (d *Door) MakeLink(ctx context.Context, tx db.Tx, account, line string, expires time.Time) (token string, err error) {
	token, args := d.link(tx.Now(), account, line, expires)
	_, err = tx.Exec(ctx, insertLink, args...)
	return token, err
}

// AddLinkTo is [Door.MakeLink] for a transaction that sends its statements
// together. now is the transaction's.
func (d *Door) AddLinkTo(b *db.Batch, now time.Time, account, line string, expires time.Time) (token string) {
	token, args := d.link(now, account, line, expires)
	b.Add(insertLink, args...)
	return token
}

func (d *Door) link(now time.Time, account, line string, expires time.Time) (string, []any) {
	if line == "" || expires.IsZero() {
		panic("account: a link to no line, or for ever")
	}
	identifier, secret := d.newToken("lk", account)
	return joinToken("lk", identifier, secret), []any{
		account, identifier, line, d.hash("link", identifier, secret), db.At(now), db.At(expires),
	}
}

// Link is what a link's token opens.
type Link struct {
	ID      string
	Account string
	Line    string
}

// OpenLink returns the account and the line that a link's token opens; it is
// [Door.Link] in part.
func (d *Door) OpenLink(ctx context.Context, token string) (account, line string, err error) {
	l, err := d.Link(ctx, token)
	return l.Account, l.Line, err
}

// Link returns what a link's token opens. It fails
// with [fault.NotFound] for a token that is none, with [fault.Denied] for one
// that has expired or whose account is closed.
func (d *Door) Link(ctx context.Context, token string) (Link, error) {
	identifier, account, secret, ok := splitToken("lk", token)
	if !ok {
		return Link{}, because(fault.NotFound, "link_unknown", nil)
	}
	line, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		var line, hash string
		var state State
		var expires db.Instant
		err := tx.QueryRow(ctx, `
			SELECT l.line_id, l.token_hash, l.expires_at, a.state
			  FROM links l
			  JOIN accounts a ON a.account_id = l.account_id
			 WHERE l.account_id = $1 AND l.id = $2`, account, identifier).Scan(&line, &hash, &expires, &state)
		switch {
		case errors.Is(err, db.ErrNoRows) || err == nil && !same(hash, d.hash("link", identifier, secret)):
			return "", because(fault.NotFound, "link_unknown", nil)
		case err != nil:
			return "", err
		case !expires.After(tx.Now()):
			return "", because(fault.Denied, "link_expired", nil)
		case state == Closed:
			return "", because(fault.Denied, "account_closed", nil)
		}
		return line, nil
	})
	if err != nil {
		return Link{}, err
	}
	return Link{ID: identifier, Account: account, Line: line}, nil
}
