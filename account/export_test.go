package account

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
)

// AskIn is [Door.AskCode] within a transaction of the caller's.
func (d *Door) AskIn(ctx context.Context, tx db.Tx, email string) (string, error) {
	return d.ask(ctx, tx, d.prepareAsk(email, "en", "192.0.2.1"))
}

var (
	Describe = describe
	Network  = network
)
