package message

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
)

// Erase takes out of all messages of an account where they went and what they
// said, and sends none any more. That something was said about an order stays.
func Erase(ctx context.Context, tx db.Tx, account string) error {
	_, err := tx.Exec(ctx, `
		UPDATE messages
		   SET address = '', facts = '{}', receipt = '', trouble = '', due_at = NULL,
		       state = CASE WHEN state IN ('due', 'sending', 'unknown') THEN 'withdrawn' ELSE state END
		 WHERE account_id = $1`, account)
	return err
}
