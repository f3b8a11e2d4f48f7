package account

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/seal"
)

// Device is a browser that shows notifications.
type Device struct {
	ID        string
	Agent     string // what it is, in words of ours
	CreatedAt time.Time
	Reach     message.Subscription // where its push service reaches it, secret
}

const (
	// maxDevices is how many browsers of an account show notifications.
	maxDevices = 10

	// pushKind is how the directory calls them: a browser shows those of one account.
	pushKind = "push"
)

// devicePlace is where a device's secrets are kept.
func devicePlace(account, id string) string { return "push_devices/" + account + "/" + id }

// AddDevice lets the browser of a session show notifications, and returns its
// identifier. One that showed those of another account does not any more; one that
// is known is known anew. It fails with [fault.Invalid] for what is no browser's
// subscription, and with [fault.Conflict] for one browser too many.
func (d *Door) AddDevice(ctx context.Context, s Session, reach message.Subscription) (id string, err error) {
	if _, err := message.ParseSubscription(reach.String()); err != nil || d.Push == nil {
		return "", because(fault.Invalid, "push_unusable", nil)
	}
	fresh := d.IDs.Under("pd", s.Account)
	mark := d.Push.Mark(reach.Endpoint, pushKind)
	sealed, err := d.Push.Seal(reach.String(), devicePlace(s.Account, fresh))
	if err != nil {
		return "", err
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		owner, known, err := db.Locate(ctx, tx, pushKind, mark)
		switch {
		case fault.KindOf(err) == fault.NotFound:
		case err != nil:
			return "", err
		default:
			if err := dropDevices(ctx, tx, owner, `DELETE FROM push_devices WHERE account_id = $1 AND id = $2 RETURNING mark`, known); err != nil {
				return "", err
			}
		}
		if _, err := lockedAddresses(ctx, tx, s.Account); err != nil { // one after the other
			return "", err
		}
		var there int64
		err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM push_devices WHERE account_id = $1`, s.Account).Scan(&there)
		if err == nil && there >= maxDevices {
			err = because(fault.Conflict, "too_many_devices", nil)
		}
		if err != nil {
			return "", err
		}
		if err := db.Claim(ctx, tx, pushKind, mark, s.Account, fresh); err != nil {
			return "", err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO push_devices (account_id, id, session_id, mark, sealed, agent, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.Account, fresh, s.ID, mark, sealed, s.Agent, db.At(tx.Now()))
		return fresh, err
	})
}

// Devices lists the browsers of an account that show notifications, the oldest
// first; none where the shop sends none. One whose secrets cannot be opened any more
// is left out.
func (d *Door) Devices(ctx context.Context, tx db.Tx, account string) ([]Device, error) {
	if d.Push == nil {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `
		SELECT id, agent, created_at, sealed
		  FROM push_devices
		 WHERE account_id = $1
		 ORDER BY created_at, id`, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	var all []Device
	for rows.Next() {
		var one Device
		var made db.Instant
		var sealed string
		if err := rows.Scan(&one.ID, &one.Agent, &made, &sealed); err != nil {
			return nil, err
		}
		one.CreatedAt = made.Time
		text, _, err := d.Push.Open(sealed, devicePlace(account, one.ID))
		if err != nil {
			continue
		}
		if one.Reach, err = message.ParseSubscription(text); err == nil {
			all = append(all, one)
		}
	}
	return all, rows.Err()
}

// RemoveDevice lets a browser show no more notifications of the account. One that
// is not the account's is left.
func (d *Door) RemoveDevice(ctx context.Context, account, id string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return RemoveDevice(ctx, tx, account, id) })
}

// RemoveDevice is [Door.RemoveDevice] within a transaction: its push service says
// that the browser is gone.
func RemoveDevice(ctx context.Context, tx db.Tx, account, id string) error {
	return dropDevices(ctx, tx, account, `DELETE FROM push_devices WHERE account_id = $1 AND id = $2 RETURNING mark`, id)
}

// KeepDevice lets a browser whose owner has just signed in again go on with the
// session of that token: it goes with that session's end. One that is not the
// account's is left.
func (d *Door) KeepDevice(ctx context.Context, token, id string) error {
	session, account, _, ok := splitToken("ss", token)
	if !ok {
		return nil
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE push_devices SET session_id = $3 WHERE account_id = $1 AND id = $2`, account, id, session)
		return err
	})
}

// dropDevices removes those that a statement deletes, and gives their marks up.
func dropDevices(ctx context.Context, tx db.Tx, account, statement string, args ...any) error {
	marks, err := deleted(ctx, tx, statement, append([]any{account}, args...)...)
	if err != nil {
		return err
	}
	for _, mark := range marks {
		if err := db.Release(ctx, tx, pushKind, mark, account); err != nil {
			return err
		}
	}
	return nil
}

func deleted(ctx context.Context, tx db.Tx, statement string, args ...any) (marks []string, err error) {
	rows, err := tx.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	for rows.Next() {
		var mark string
		if err := rows.Scan(&mark); err != nil {
			return nil, err
		}
		marks = append(marks, mark)
	}
	return marks, rows.Err()
}

// pushKeyPlace is where the shop's key is kept.
const pushKeyPlace = "push_keys/1"

// PushKey is the key by which push services know the shop. The first time, and when
// it cannot be opened any more, it is the one that fresh makes, and browsers must
// subscribe anew: their services take messages from the key that they know alone.
func (d *Door) PushKey(ctx context.Context, fresh func() (string, error)) (string, error) {
	draft, err := fresh()
	if err != nil {
		return "", err
	}
	sealed, err := d.Push.Seal(draft, pushKeyPlace)
	if err != nil {
		return "", err
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		_, err := tx.Exec(ctx, `INSERT INTO push_keys (id, sealed, created_at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING`, sealed, db.At(tx.Now()))
		if err != nil {
			return "", err
		}
		var stored string
		if err := tx.QueryRow(ctx, `SELECT sealed FROM push_keys WHERE id = 1`).Scan(&stored); err != nil {
			return "", err
		}
		text, stale, err := d.Push.Open(stored, pushKeyPlace)
		switch {
		case errors.Is(err, seal.ErrOpen):
			return draft, d.replaceKey(ctx, tx, sealed)
		case err == nil && stale:
			return text, d.reseal(ctx, tx, text)
		}
		return text, err
	})
}

func (d *Door) replaceKey(ctx context.Context, tx db.Tx, sealed string) error {
	for _, statement := range []string{`DELETE FROM push_devices`, `DELETE FROM directory WHERE kind = 'push'`} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE push_keys SET sealed = $1, created_at = $2 WHERE id = 1`, sealed, db.At(tx.Now()))
	return err
}

// reseal keeps the key when the shop's former secret is forgotten.
func (d *Door) reseal(ctx context.Context, tx db.Tx, text string) error {
	sealed, err := d.Push.Seal(text, pushKeyPlace)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE push_keys SET sealed = $1 WHERE id = 1`, sealed)
	return err
}
