package support

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
)

// Erase takes out of an account's cases what its owner said and was told, and
// the files, and closes the cases that the owner opened. What the system found,
// with its evidence, stays.
func Erase(ctx context.Context, tx db.Tx, account string) error {
	for _, statement := range []string{
		`UPDATE case_messages SET body = '' WHERE account_id = $1`,
		`DELETE FROM case_files WHERE account_id = $1`,
		`UPDATE cases SET subject = '' WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(ctx, statement, account); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `
		UPDATE cases SET state = 'closed', closed_at = $2, updated_at = $2
		 WHERE account_id = $1 AND state = 'open' AND opened_by = 'customer'`, account, db.At(tx.Now()))
	return err
}
