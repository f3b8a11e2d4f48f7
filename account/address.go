package account

import (
	"context"
	"errors"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

// AskAddress sends a code to a mail address that the session's account is to
// have, too, and returns the challenge that [Door.EnterAddress] takes with it.
// Whether somebody has the address already is told only to who shows that they
// read its mail. It fails with [fault.Denied] and reason sign_in_again, with
// [fault.Invalid] for what is no address, and with [fault.TooMany].
func (d *Door) AskAddress(ctx context.Context, s Session, email string, from Browser) (challenge string, err error) {
	if err := d.MustBeFresh(s); err != nil {
		return "", err
	}
	email, err = Normalise(email)
	if err != nil {
		return "", err
	}
	code, nonce := d.code(), d.IDs.Bytes(nonceLen)
	challenge, err = db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		digits, err := d.allowCode(ctx, tx, asked{s.Account, "address", email, from})
		if err != nil {
			return "", err
		}
		code := code[:digits]
		challenge, expires := d.IDs.Under("ch", s.Account), tx.Now().Add(codeValid)
		_, err = tx.Exec(ctx, `
			INSERT INTO challenges (account_id, id, purpose, address_id, address, code_hash, created_at, expires_at)
			VALUES ($1, $2, 'address', '', $3, $4, $5, $6)`,
			s.Account, challenge, email, d.hash("code", challenge, code), db.At(tx.Now()), db.At(expires))
		if err != nil {
			return "", err
		}
		a, err := Get(ctx, tx, s.Account)
		if err != nil {
			return "", err
		}
		return challenge, message.Queue(ctx, tx, d.IDs.Under("msg", s.Account), message.Draft{
			Account: s.Account, Key: "address_code/" + challenge, Kind: message.AddressCode,
			To: message.Address{Channel: message.Email, Value: email}, Language: a.Language,
			Facts: message.Facts{Code: code, CodeValidFor: codeValid}, ExpiresAt: expires,
		})
	})
	if err != nil {
		return "", err
	}
	return d.seal(challenge, nonce), nil
}

// EnterAddress adds the address whose code is right to the session's account, and
// tells the owner at the others. It fails as [Door.EnterCode] does, and with
// [fault.Conflict] for an address that another account has, or one too many.
func (d *Door) EnterAddress(ctx context.Context, s Session, sealed, code string) error {
	code, ok := digits(code)
	if !ok {
		return because(fault.Invalid, "code_format", nil)
	}
	challenge, account, ok := d.unseal(sealed)
	if !ok || account != s.Account {
		return because(fault.Denied, "code_expired", nil)
	}
	address := d.IDs.Under("ad", s.Account)
	refused, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (*fault.Error, error) {
		_, _, refused, err := d.try(ctx, tx, "address", account, challenge, code, Browser{})
		if err != nil || refused != nil {
			return refused, err
		}
		var email string
		err = tx.QueryRow(ctx, `
			UPDATE challenges SET used_at = $3 WHERE account_id = $1 AND id = $2
			RETURNING address`, account, challenge, db.At(tx.Now())).Scan(&email)
		if err != nil {
			return nil, err
		}
		return d.addAddress(ctx, tx, s, address, email)
	})
	if err == nil && refused != nil {
		err = refused
	}
	return err
}

func (d *Door) addAddress(ctx context.Context, tx db.Tx, s Session, address, email string) (*fault.Error, error) {
	others, err := lockedAddresses(ctx, tx, s.Account)
	if err != nil {
		return nil, err
	}
	if len(others) >= maxAddresses {
		return because(fault.Conflict, "too_many_addresses", nil), nil
	}
	if refused, err := claimProven(ctx, tx, email, s.Account, address); err != nil || refused != nil {
		return refused, err
	}
	if err := insertAddress(ctx, tx, s.Account, address, email, tx.Now()); err != nil {
		return nil, err
	}
	for _, o := range others {
		err := d.tellAt(ctx, tx, s.Account, message.Address{Channel: o.Channel, Value: o.Value}, message.AddressAdded,
			"address_added/"+address+"/"+o.ID, message.Facts{Address: email, Agent: s.Agent, Link: securityPath})
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// claimProven makes an address the account's. Who reads its mail may take it from
// an account that nobody has ever entered.
func claimProven(ctx context.Context, tx db.Tx, email, account, address string) (*fault.Error, error) {
	other, _, err := db.Locate(ctx, tx, emailKind, email)
	switch {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		return nil, err
	default:
		if err := (abandoned{other, email}).remove(ctx, tx); err != nil { // removes none but unverified ones
			return nil, err
		}
	}
	err = db.Claim(ctx, tx, emailKind, email, account, address)
	if fault.KindOf(err) == fault.Conflict {
		return because(fault.Conflict, "address_taken", nil), nil
	}
	return nil, err
}

// lockedAddresses lists the addresses while no other transaction changes them: to
// write the account's row makes it wait.
func lockedAddresses(ctx context.Context, tx db.Tx, account string) ([]Address, error) {
	_, err := tx.Exec(ctx, `UPDATE accounts SET updated_at = $2 WHERE account_id = $1`, account, db.At(tx.Now()))
	if err != nil {
		return nil, err
	}
	return Addresses(ctx, tx, account)
}

// RemoveAddress takes an address from the session's account, and tells the owner
// there and at the others. One that is not the account's is left. It fails with
// [fault.Denied] and reason sign_in_again, and with [fault.Conflict] for the last.
func (d *Door) RemoveAddress(ctx context.Context, s Session, address string) error {
	if err := d.MustBeFresh(s); err != nil {
		return err
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		all, err := lockedAddresses(ctx, tx, s.Account)
		if err != nil {
			return err
		}
		var email string
		err = tx.QueryRow(ctx, `
			DELETE FROM addresses WHERE account_id = $1 AND id = $2 AND verified_at IS NOT NULL
			RETURNING value`, s.Account, address).Scan(&email)
		switch {
		case errors.Is(err, db.ErrNoRows):
			return nil
		case err != nil:
			return err
		case len(all) == 1:
			return because(fault.Conflict, "last_address", nil)
		}
		if err := db.Release(ctx, tx, emailKind, email, s.Account); err != nil {
			return err
		}
		// A code that is on its way there opens nothing any more.
		_, err = tx.Exec(ctx, `
			UPDATE challenges SET used_at = $3 WHERE account_id = $1 AND address_id = $2 AND used_at IS NULL`,
			s.Account, address, db.At(tx.Now()))
		if err != nil {
			return err
		}
		for _, a := range all {
			err := d.tellAt(ctx, tx, s.Account, message.Address{Channel: a.Channel, Value: a.Value}, message.AddressRemoved,
				"address_removed/"+address+"/"+a.ID, message.Facts{Address: email, Agent: s.Agent, Link: securityPath})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
