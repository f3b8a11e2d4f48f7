package reminder

import (
	"cmp"
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

// enough is how long before it is too late somebody must hear of it to be able to
// do something: who wakes up is not at once at the page that renews.
const enough = time.Hour

// NotBefore lets a message that may wait come when its customer's quiet hours are
// over, unless that is so late that a line would go dark, or what is due would be
// lost. It is message.Sender's NotBefore. Who has not chosen a time zone is where
// the line's operator is.
func (f *Filler) NotBefore(ctx context.Context, tx db.Tx, m message.Message) (time.Time, error) {
	over, err := account.QuietUntil(ctx, tx, m.Account, tx.Now(), m.Facts.Zone)
	if fault.KindOf(err) == fault.NotFound {
		return tx.Now(), nil // nobody is there to be disturbed; Fill says what becomes of it
	}
	if err != nil {
		return tx.Now(), err
	}
	if late := m.TooLate(); !late.IsZero() && !over.Add(enough).Before(late) {
		return tx.Now(), nil
	}
	return over, nil
}

// addressed finds the account's address and language for a message that was
// queued without. told is false for what its customer does not wish to be told.
func addressed(ctx context.Context, tx db.Tx, m message.Message) (_ message.Message, told bool, err error) {
	if m.To.Value != "" && m.Language != "" {
		return m, true, nil
	}
	a, err := account.Get(ctx, tx, m.Account)
	if err != nil {
		return m, false, err
	}
	m.Language = cmp.Or(m.Language, a.Language)
	if m.To.Value != "" {
		return m, true, nil
	}
	if a.State == account.Closed {
		return m, false, message.ErrNotNeeded
	}
	wish, err := account.WishOf(ctx, tx, m.Account, m.Kind.Theme())
	if err != nil || !wish.Mail {
		return m, false, err
	}
	m.To, err = account.PrimaryAddress(ctx, tx, m.Account)
	if fault.KindOf(err) == fault.NotFound {
		err = message.ErrNotNeeded // there is nobody to tell, and no second channel yet
	}
	return m, true, err
}
