package account

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/phone"
)

// CardAsk is a customer's wish to show by a code to the line itself that they hold a
// card.
type CardAsk struct {
	Account string
	ICCID   string
	Number  string // of the line; empty: there is no such card, or its number is not known
	From    Browser
}

// guessClaim is what the tries at a card are counted under, whatever they are tried with.
const guessClaim = "claim"

// AskClaimCode sends a code to the number of a card's line, and returns the challenge
// that [Door.EnterClaimCode] takes with it. What is returned is the same for a card
// whose number nobody knows. The try is counted as one with a claim code is. It fails
// with [fault.TooMany].
func (d *Door) AskClaimCode(ctx context.Context, a CardAsk) (challenge string, err error) {
	code, nonce := d.code(), d.IDs.Bytes(nonceLen)
	challenge, err = db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		digits, err := d.allowCode(ctx, tx, asked{a.Account, "card", a.ICCID, a.From})
		if err != nil {
			return "", err
		}
		if err := d.Guess(ctx, tx, guessClaim, a.ICCID, a.Account, a.From.Client); err != nil {
			return "", err
		}
		code := code[:digits]
		challenge, expires := d.IDs.Under("ch", a.Account), tx.Now().Add(codeValid)
		_, err = tx.Exec(ctx, `
			INSERT INTO challenges (account_id, id, purpose, address_id, address, code_hash, created_at, expires_at)
			VALUES ($1, $2, 'claim', '', $3, $4, $5, $6)`,
			a.Account, challenge, a.ICCID, d.hash("code", challenge, code), db.At(tx.Now()), db.At(expires))
		if err != nil {
			return "", err
		}
		owner, err := Get(ctx, tx, a.Account)
		if err != nil {
			return "", err
		}
		n, err := phone.ReadWhole(a.Number)
		if err != nil { // also of no card at all
			return challenge, nil
		}
		if may, err := d.mayText(ctx, tx, string(n), a.From.Client); err != nil || !may {
			return challenge, err
		}
		// The row names the card: whoever asks may not read in their data which number
		// it has.
		return challenge, message.Queue(ctx, tx, d.IDs.Under("msg", a.Account), message.Draft{
			Account: a.Account, Key: "claim_code/" + challenge, Kind: message.ClaimCode,
			To: message.Address{Channel: message.SMS, Value: a.ICCID}, Language: owner.Language,
			Facts: message.Facts{Code: code, CodeValidFor: codeValid}, ExpiresAt: expires,
		})
	})
	if err != nil {
		return "", err
	}
	return d.seal(challenge, nonce), nil
}

// EnterClaimCode says which card's line got the code, in the transaction that then
// gives the line to the account. Why it opens nothing is no error, so that the try is
// kept.
func (d *Door) EnterClaimCode(ctx context.Context, tx db.Tx, account, sealed, code string) (iccid string, refused *fault.Error, err error) {
	code, ok := digits(code)
	if !ok {
		return "", because(fault.Invalid, "code_format", nil), nil
	}
	challenge, owner, ok := d.unseal(sealed)
	if !ok || owner != account {
		return "", because(fault.Denied, "code_expired", nil), nil
	}
	_, _, refused, err = d.try(ctx, tx, "claim", account, challenge, code, Browser{})
	if err != nil || refused != nil {
		return "", refused, err
	}
	err = tx.QueryRow(ctx, `
		UPDATE challenges SET used_at = $3 WHERE account_id = $1 AND id = $2
		RETURNING address`, account, challenge, db.At(tx.Now())).Scan(&iccid)
	return iccid, nil, err
}
