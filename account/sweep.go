package account

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/message"
)

const (
	sweepAtOnce = 200
	keepEnded   = 30 * 24 * time.Hour // how long ended sessions and links are remembered
	keepCodes   = 24 * time.Hour      // how long codes are
)

// leftovers finds something that Step would remove.
const leftovers = `SELECT 1 WHERE EXISTS (SELECT 1 FROM challenges WHERE expires_at < $1)
	OR EXISTS (SELECT 1 FROM limits WHERE window_start < $1)
	OR EXISTS (SELECT 1 FROM passkey_answers WHERE at < $1)
	OR EXISTS (SELECT 1 FROM sign_ins WHERE at < $2)
	OR EXISTS (SELECT 1 FROM sessions WHERE expires_at < $3)
	OR EXISTS (SELECT 1 FROM links WHERE expires_at < $3)`

// Step removes what nobody needs any more: a day after they ended, challenges
// and limits, with the accounts of people who never entered a code; after 30
// days, sessions and links. worked is false when there was nothing to remove. It
// is enough to call it once a minute.
func (d *Door) Step(ctx context.Context) (worked bool, err error) {
	now := d.DB.Now()
	if any, err := d.DB.Finds(ctx, leftovers, db.At(now.Add(-keepCodes)), db.At(now.Add(-KeepSignIns)), db.At(now.Add(-keepEnded))); err != nil || !any {
		return false, err
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (bool, error) {
		abandoned, err := abandonedAccounts(ctx, tx)
		if err != nil {
			return false, err
		}
		for _, a := range abandoned {
			if err := a.remove(ctx, tx); err != nil {
				return false, err
			}
		}
		var removed int64
		for _, old := range []struct {
			statement string
			before    time.Time
		}{
			{`DELETE FROM challenges WHERE (account_id, id) IN (
				SELECT account_id, id FROM challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, tx.Now().Add(-keepCodes)},
			{`DELETE FROM limits WHERE bucket IN (
				SELECT bucket FROM limits WHERE window_start < $1 ORDER BY window_start LIMIT $2)`, tx.Now().Add(-keepCodes)},
			{`DELETE FROM passkey_answers WHERE (account_id, challenge) IN (
				SELECT account_id, challenge FROM passkey_answers WHERE at < $1 ORDER BY at LIMIT $2)`, tx.Now().Add(-keepCodes)},
			{`DELETE FROM sign_ins WHERE (account_id, id) IN (
				SELECT account_id, id FROM sign_ins WHERE at < $1 ORDER BY at LIMIT $2)`, tx.Now().Add(-KeepSignIns)},
			{`DELETE FROM sessions WHERE (account_id, id) IN (
				SELECT account_id, id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, tx.Now().Add(-keepEnded)},
			{`DELETE FROM links WHERE (account_id, id) IN (
				SELECT account_id, id FROM links WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, tx.Now().Add(-keepEnded)},
		} {
			n, err := tx.Exec(ctx, old.statement, db.At(old.before), int64(sweepAtOnce))
			if err != nil {
				return false, err
			}
			removed += n
		}
		return removed > 0, nil
	})
}

// abandoned is an account whose owner never showed that the address is theirs.
type abandoned struct {
	account string
	at      message.Address
}

// abandonedAccounts finds them among the challenges that are about to go.
func abandonedAccounts(ctx context.Context, tx db.Tx) ([]abandoned, error) {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT a.account_id, d.channel, d.value
		  FROM (SELECT account_id FROM challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) c
		  JOIN accounts a ON a.account_id = c.account_id
		  JOIN addresses d ON d.account_id = a.account_id
		 WHERE a.state = 'unverified' AND d.channel IN ('email', 'sms')
		   AND NOT EXISTS (
		       SELECT 1 FROM challenges newer WHERE newer.account_id = a.account_id AND newer.expires_at >= $1)`,
		db.At(tx.Now().Add(-keepCodes)), int64(sweepAtOnce))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	var out []abandoned
	for rows.Next() {
		var a abandoned
		if err := rows.Scan(&a.account, &a.at.Channel, &a.at.Value); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

func (a abandoned) remove(ctx context.Context, tx db.Tx) error {
	n, err := tx.Exec(ctx, `DELETE FROM accounts WHERE account_id = $1 AND state = 'unverified'`, a.account)
	if err != nil || n == 0 { // they have just come in
		return err
	}
	for _, statement := range []string{
		`DELETE FROM addresses WHERE account_id = $1`,
		`DELETE FROM sign_ins WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(ctx, statement, a.account); err != nil {
			return err
		}
	}
	return db.Release(ctx, tx, kindOf(a.at.Channel), a.at.Value, a.account)
}
