package line

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
)

// Erase takes out of an account's lines what is personal: what their owner
// called them, their telephone numbers, codes, use by day and session, how long the owner
// stays, and what their phone did with an eSIM. The ICCID stays, by which operator and bank name a line in a dispute.
func Erase(ctx context.Context, tx db.Tx, account string) error {
	for _, statement := range []string{
		`UPDATE lines SET name = '', msisdn = '' WHERE account_id = $1`,
		`UPDATE esims SET code = '' WHERE account_id = $1`,
		`DELETE FROM usage_days WHERE account_id = $1`,
		`DELETE FROM stays WHERE account_id = $1`,
		`DELETE FROM line_profiles WHERE account_id = $1`,
		`DELETE FROM line_sessions WHERE account_id = $1`,
		`DELETE FROM session_stretches WHERE account_id = $1`,
		`DELETE FROM meter_bases WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(ctx, statement, account); err != nil {
			return err
		}
	}
	return nil
}
