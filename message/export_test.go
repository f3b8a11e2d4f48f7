package message

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
)

// What the tests of this package look at from outside.
var Sheet = sheet

type Page = page

// ClaimAndDie is a worker that claims what is due and is never seen again.
func (s *Sender) ClaimAndDie(ctx context.Context) error {
	due, err := db.Seen(ctx, s.DB, dueMessages)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := s.claim(ctx, tx, due)
		return err
	})
}

// Notification is what a device shows of a message.
func (f From) Notification(m Message) (Letter, error) { return f.notification(m) }

// Short is a message as an SMS.
func (f From) Short(m Message) (Letter, error) { return f.short(m) }

// Thrifty is a text in the plainest characters.
var Thrifty = thrifty
