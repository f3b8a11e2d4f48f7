package order

import (
	"context"
	"errors"

	"github.com/tsuzuku/tsuzuku/db"
)

// Unfinished reads an account's orders that are not at their end, oldest first.
func Unfinished(ctx context.Context, tx db.Tx, account string, limit int) ([]Order, error) {
	return all(ctx, tx, `SELECT `+columns+` FROM orders
		WHERE account_id = $1 AND state NOT IN ('completed','cancelled','refunded') ORDER BY id LIMIT $2`, account, limit)
}

// ToolsRemembered reports whether a provider still keeps a tool of the account.
func ToolsRemembered(ctx context.Context, tx db.Tx, account string) (bool, error) {
	var one int
	err := tx.QueryRow(ctx, `SELECT 1 FROM saved_tools WHERE account_id = $1 AND token <> '' LIMIT 1`, account).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Erase takes out of an account's payments what is personal and no document: the
// names of cards that are no longer kept, and from which network address was
// paid. Orders, payments, refunds and disputes stay, as the law of books demands.
func Erase(ctx context.Context, tx db.Tx, account string) error {
	for _, statement := range []string{
		`UPDATE saved_tools SET label = '', holder = '', mark = id WHERE account_id = $1`,
		`UPDATE payments SET client_ip = '' WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(ctx, statement, account); err != nil {
			return err
		}
	}
	return nil
}
