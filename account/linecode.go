package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

// codeLinkLife is how long the link is good that a code opens.
const codeLinkLife = 24 * time.Hour

// LineAsk is what somebody typed who wants to renew a line without signing in.
type LineAsk struct {
	Number   string // of the card, for the limit
	Account  string // whose line it is; empty: nobody's
	Line     string
	LastFour string // of the number
	Name     string // that its owner gave it
	From     Browser
}

// AskLineCode sends a code to the confirmed addresses of the line's owner, and
// returns the challenge that [Door.EnterLineCode] takes with it. What is returned
// is the same for a number that nobody has. It fails with [fault.TooMany].
func (d *Door) AskLineCode(ctx context.Context, a LineAsk) (challenge string, err error) {
	account, code, nonce := a.Account, d.code(), d.IDs.Bytes(nonceLen)
	if nobody := d.IDs.Account(); account == "" {
		account = nobody // its challenge opens nothing, and is swept away
	}
	challenge, err = db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		digits, err := d.allowCode(ctx, tx, asked{account, "line", a.Number, a.From})
		if err != nil {
			return "", err
		}
		code := code[:digits]
		challenge, expires := d.IDs.Under("ch", account), tx.Now().Add(codeValid)
		_, err = tx.Exec(ctx, `
			INSERT INTO challenges (account_id, id, purpose, address_id, line_id, code_hash, created_at, expires_at)
			VALUES ($1, $2, 'line', '', $3, $4, $5, $6)`,
			account, challenge, a.Line, d.hash("code", challenge, code), db.At(tx.Now()), db.At(expires))
		if err != nil {
			return "", err
		}
		return challenge, d.sendLineCode(ctx, tx, a, challenge, code, expires)
	})
	if err != nil {
		return "", err
	}
	return d.seal(challenge, nonce), nil
}

func (d *Door) sendLineCode(ctx context.Context, tx db.Tx, a LineAsk, challenge, code string, expires time.Time) error {
	to, err := Addresses(ctx, tx, a.Account)
	if err != nil || len(to) == 0 {
		return err
	}
	owner, err := Get(ctx, tx, a.Account)
	if err != nil || owner.State == Closed {
		return err
	}
	for _, one := range to {
		err := message.Queue(ctx, tx, d.IDs.Under("msg", a.Account), message.Draft{
			Account: a.Account, Key: "line_code/" + challenge + "/" + one.ID, Kind: message.LineCode,
			To: message.Address{Channel: one.Channel, Value: one.Value}, Language: owner.Language,
			Facts:     message.Facts{Code: code, CodeValidFor: codeValid, LineName: a.Name, LineLastFour: a.LastFour},
			ExpiresAt: expires,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// EnterLineCode returns the token of a link to the line whose code was right. It
// is a link like those of [Door.MakeLink], for a day. It fails as
// [Door.EnterCode] does.
func (d *Door) EnterLineCode(ctx context.Context, sealed, code string, from Browser) (token string, err error) {
	code, ok := digits(code)
	if !ok {
		return "", because(fault.Invalid, "code_format", nil)
	}
	challenge, account, ok := d.unseal(sealed)
	if !ok {
		return "", because(fault.Denied, "code_expired", nil)
	}
	type opened struct {
		token   string
		refused *fault.Error
	}
	o, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (opened, error) {
		_, line, refused, err := d.try(ctx, tx, "line", account, challenge, code, from)
		if err != nil || refused != nil {
			return opened{refused: refused}, err
		}
		_, err = tx.Exec(ctx, `
			UPDATE challenges SET used_at = $3 WHERE account_id = $1 AND purpose = 'line' AND line_id = $2 AND used_at IS NULL`,
			account, line, db.At(tx.Now()))
		if err != nil {
			return opened{}, err
		}
		token, err := d.MakeLink(ctx, tx, account, line, tx.Now().Add(codeLinkLife))
		return opened{token: token}, err
	})
	if err == nil && o.refused != nil {
		err = o.refused
	}
	return o.token, err
}

// try counts one try at a challenge. refused says why the code opens nothing;
// the try counts all the same, and is written down where it would have opened something.
func (d *Door) try(ctx context.Context, tx db.Tx, purpose, account, challenge, code string, from Browser) (address, line string, refused *fault.Error, err error) {
	var hash, adds string
	var attempts int64
	err = tx.QueryRow(ctx, `
		UPDATE challenges
		   SET attempts = attempts + 1
		 WHERE account_id = $1 AND id = $2 AND purpose = $5
		   AND used_at IS NULL AND expires_at > $3 AND attempts < $4
		RETURNING code_hash, address_id, line_id, address, attempts`,
		account, challenge, db.At(tx.Now()), int64(codeTries), purpose).Scan(&hash, &address, &line, &adds, &attempts)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return "", "", because(fault.Denied, "code_expired", nil), nil
	case err != nil:
		return "", "", nil, err
	case same(hash, d.hash("code", challenge, code)):
		return address, line, nil, nil
	case attempts == codeTries:
		refused = because(fault.Denied, "code_expired", nil)
	default:
		refused = because(fault.Denied, "code_wrong", map[string]string{"left": fmt.Sprint(codeTries - attempts)})
	}
	if err := d.wrongCode(ctx, tx, account, adds); err != nil {
		return "", "", nil, err
	}
	if purpose == "address" {
		return "", "", refused, nil
	}
	return "", "", refused, d.noteRefused(ctx, tx, account, purposes[purpose], "code_wrong", from)
}

// purposes are what a code would have opened, as sign-ins are written down.
var purposes = map[string]Way{"sign_in": byCode, "line": byLine}
