package message

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Listed is one message of the account's inbox. It fails with [fault.NotFound] for
// one that [List] does not list.
func Listed(ctx context.Context, tx db.Tx, account, id string) (Message, error) {
	found, err := List(ctx, tx, account, 1, id+"0") // identifiers are of one length: nothing lies between
	if err != nil {
		return Message{}, err
	}
	if len(found) == 0 || found[0].ID != id {
		return Message{}, fault.Because(fault.NotFound, "no_such_message", "There is no such message.", nil)
	}
	return found[0], nil
}

// Read writes a message of the inbox again as it was sent, in the language in
// which it was sent, without what opened doors: codes and links with tokens. One
// that is still on its way is read without them, too.
func (f From) Read(m Message) (Letter, error) {
	m.Facts = m.Facts.scrubbed()
	return f.letter(m)
}
