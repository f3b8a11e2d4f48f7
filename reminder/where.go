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

// addressed finds where a message goes that was queued without an address, and in
// which language. told is false for what its customer does not wish to be told.
func (f *Filler) addressed(ctx context.Context, tx db.Tx, m message.Message) (_ message.Message, told bool, err error) {
	if m.To.Value != "" && m.Language != "" && m.To.Channel != message.Push {
		return m, true, nil
	}
	a, err := account.Get(ctx, tx, m.Account)
	if err != nil {
		return m, false, err
	}
	m.Language = cmp.Or(m.Language, a.Language)
	if m.To.Value != "" && m.To.Channel != message.Push {
		return m, true, nil
	}
	if a.State == account.Closed {
		return m, false, message.ErrNotNeeded
	}
	primary, err := account.PrimaryAddress(ctx, tx, m.Account)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return m, false, err
	}
	devices, err := f.Door.Devices(ctx, tx, m.Account)
	if err != nil {
		return m, false, err
	}
	if m.To.Channel == message.Push {
		return onDevice(m, primary, devices)
	}
	wish, err := account.WishOf(ctx, tx, m.Account, m.Kind.Theme())
	if err != nil {
		return m, false, err
	}
	return f.asWished(ctx, tx, m, wish, primary, devices)
}

// onDevice finds the browser that a message has been on its way to before. Where it
// is gone, a copy is not needed, and a message goes by mail.
func onDevice(m message.Message, primary message.Address, devices []account.Device) (message.Message, bool, error) {
	for _, d := range devices {
		if d.ID != m.To.Value {
			continue
		}
		if m.CopyOf == "" {
			m.Otherwise = primary
		}
		m.Reach = message.Address{Channel: message.Push, Value: d.Reach.String()}
		return m, true, nil
	}
	if m.CopyOf != "" || primary == (message.Address{}) {
		return m, false, message.ErrNotNeeded
	}
	m.To = primary
	return m, true, nil
}

// asWished sends a message by the channels that its customer wishes: by mail, with
// copies to the browsers that show notifications; or to these alone and, if that
// fails, by mail.
func (f *Filler) asWished(ctx context.Context, tx db.Tx, m message.Message, wish account.Wish, primary message.Address, devices []account.Device) (message.Message, bool, error) {
	if !wish.Push || f.Door.Push == nil {
		wish.Push, devices = false, nil
	}
	mail := primary != (message.Address{})
	switch {
	case !wish.Mail && !wish.Push:
		return m, false, nil
	case mail && (wish.Mail || len(devices) == 0):
		m.To = primary
	case len(devices) > 0:
		m.To = message.Address{Channel: message.Push, Value: devices[0].ID}
		m.Reach = message.Address{Channel: message.Push, Value: devices[0].Reach.String()}
		m.Otherwise = primary
		devices = devices[1:]
	default:
		return m, false, message.ErrNotNeeded // there is nobody to tell
	}
	for _, d := range devices {
		to := message.Address{Channel: message.Push, Value: d.ID}
		if err := message.QueueCopy(ctx, tx, f.Door.IDs.Under("msg", m.Account), m, to); err != nil {
			return m, true, err
		}
	}
	return m, true, nil
}

// Gone forgets a browser of which its push service says that it is gone. It is
// message.Sender's Gone.
func (f *Filler) Gone(ctx context.Context, tx db.Tx, m message.Message) error {
	if m.To.Channel != message.Push {
		return nil
	}
	return account.RemoveDevice(ctx, tx, m.Account, m.To.Value)
}
