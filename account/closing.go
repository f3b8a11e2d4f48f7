package account

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

// BeginClosing makes an active account one that will be closed, and tells the
// owner. It fails with [fault.Denied] and reason sign_in_again for a session that
// is not fresh, and with [fault.Conflict] for an account in another state.
func (d *Door) BeginClosing(ctx context.Context, tx db.Tx, s Session, at time.Time) error {
	if err := d.MustBeFresh(s); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `
		UPDATE accounts SET state = 'closing', closes_at = $3, updated_at = $2
		 WHERE account_id = $1 AND state = 'active'`, s.Account, db.At(tx.Now()), db.At(at))
	if err == nil && n == 0 {
		err = because(fault.Conflict, "changed_meanwhile", nil)
	}
	if err != nil {
		return err
	}
	return d.tell(ctx, tx, s.Account, message.AccountClosing, "account_closing/"+d.IDs.Under("cl", s.Account),
		message.Facts{Agent: s.Agent, ClosesAt: at, Link: securityPath})
}

// KeepOpen calls the closing off, and tells the owner. An account that is not
// closing stays as it is.
func (d *Door) KeepOpen(ctx context.Context, s Session) error {
	change := d.IDs.Under("cl", s.Account)
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		n, err := tx.Exec(ctx, `
			UPDATE accounts SET state = 'active', closes_at = NULL, updated_at = $2
			 WHERE account_id = $1 AND state = 'closing'`, s.Account, db.At(tx.Now()))
		if err != nil || n == 0 {
			return err
		}
		return d.tell(ctx, tx, s.Account, message.AccountKept, "account_kept/"+change, message.Facts{Agent: s.Agent, Link: securityPath})
	})
}

// ClosesAt is when an account that is closing will be closed; zero for any other.
func ClosesAt(ctx context.Context, tx db.Tx, account string) (time.Time, error) {
	var at db.Instant
	err := tx.QueryRow(ctx, `SELECT CASE WHEN state = 'closing' THEN closes_at END FROM accounts WHERE account_id = $1`, account).Scan(&at)
	if errors.Is(err, db.ErrNoRows) {
		err = because(fault.NotFound, "no_such_account", nil)
	}
	return at.Time, err
}

// DueToClose is the account that has waited longest to be closed, or to be forgotten; "":
// none.
func DueToClose(ctx context.Context, tx db.Tx) (account string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT account_id FROM accounts
		 WHERE closes_at IS NOT NULL AND closes_at <= $1
		 ORDER BY closes_at
		 LIMIT 1`, db.At(tx.Now())).Scan(&account)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return account, err
}

// PutOffClosing closes an account later.
func PutOffClosing(ctx context.Context, tx db.Tx, account string, until time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE accounts SET closes_at = $2 WHERE account_id = $1 AND state = 'closing'`, account, db.At(until))
	return err
}

// EraseClosed closes an account whose time has come: nobody signs in, its
// addresses are free for others, and nothing is left here that names its owner. At
// forgotten it is due once more, see [ForgetClosed]. closed is false for an account that
// is not closing any more.
func EraseClosed(ctx context.Context, tx db.Tx, account string, forgotten time.Time) (closed bool, err error) {
	n, err := tx.Exec(ctx, `
		UPDATE accounts
		   SET state = 'closed', closes_at = $3, name = '', zone = '', home_operator = '', attitude = 'balanced',
		       quiet_from = 1320, quiet_to = 480, updated_at = $2
		 WHERE account_id = $1 AND state = 'closing' AND closes_at <= $2`, account, db.At(tx.Now()), db.At(forgotten))
	if err != nil || n == 0 {
		return false, err
	}
	all, err := Addresses(ctx, tx, account)
	if err != nil {
		return false, err
	}
	for _, a := range all {
		if err := db.Release(ctx, tx, kindOf(a.Channel), a.Value, account); err != nil {
			return false, err
		}
	}
	if err := dropDevices(ctx, tx, account, `DELETE FROM push_devices WHERE account_id = $1 RETURNING mark`); err != nil {
		return false, err
	}
	if err := dropConnections(ctx, tx, account); err != nil {
		return false, err
	}
	for _, statement := range []string{
		`DELETE FROM sign_ins WHERE account_id = $1`,
		`DELETE FROM addresses WHERE account_id = $1`,
		`DELETE FROM sessions WHERE account_id = $1`,
		`DELETE FROM challenges WHERE account_id = $1`,
		`DELETE FROM links WHERE account_id = $1`,
		`DELETE FROM passwords WHERE account_id = $1`,
		`DELETE FROM passkeys WHERE account_id = $1`,
		`DELETE FROM passkey_answers WHERE account_id = $1`,
		`DELETE FROM wishes WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(ctx, statement, account); err != nil {
			return false, err
		}
	}
	return true, nil
}

// ForgetClosed ends the time in which a closed account's owner was written to for the last
// time. forgotten is false for an account that is not closed.
func ForgetClosed(ctx context.Context, tx db.Tx, account string) (forgotten bool, err error) {
	n, err := tx.Exec(ctx, `UPDATE accounts SET closes_at = NULL WHERE account_id = $1 AND state = 'closed' AND closes_at <= $2`, account, db.At(tx.Now()))
	return n > 0, err
}

// LastLetter is what the owner of an account is told when it is closed: made before it is,
// queued after. It fails with [fault.NotFound] for an account without an address.
func LastLetter(ctx context.Context, tx db.Tx, account string, points int64) (message.Draft, error) {
	to, err := PrimaryAddress(ctx, tx, account)
	if err != nil {
		return message.Draft{}, err
	}
	a, err := Get(ctx, tx, account)
	return message.Draft{
		Account: account, Key: "account_closed", Kind: message.AccountClosed, To: to, Language: a.Language,
		Facts: message.Facts{At: tx.Now(), Zone: a.Zone, PointsLost: points},
	}, err
}
