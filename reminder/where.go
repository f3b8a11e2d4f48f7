package reminder

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/phone"
	"github.com/tsuzuku/tsuzuku/stock"
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
	if m.Kind == message.ClaimCode {
		return toCard(ctx, tx, m)
	}
	if m.To.Channel == message.SMS && m.To.Value != "" && m.Kind.Theme() != message.AboutAccount {
		return f.onNumber(ctx, tx, m)
	}
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
	all, err := account.Addresses(ctx, tx, m.Account)
	if err != nil {
		return m, false, err
	}
	primary, number := f.reached(all)
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
	return f.asWished(ctx, tx, m, wish, ways{primary, number, devices})
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

// ways are how an account is reached: at the address that it is written to, by SMS
// beside that, and on browsers. Zero: not so.
type ways struct {
	primary, number message.Address
	devices         []account.Device
}

// reached finds the address that an account is written to, and a telephone beside it.
// Where the shop sends no SMS, there are no telephones.
func (f *Filler) reached(all []account.Address) (primary, number message.Address) {
	for _, a := range all {
		at := message.Address{Channel: a.Channel, Value: a.Value}
		switch {
		case a.Channel == message.SMS && f.Door.SMS == nil:
		case primary == (message.Address{}):
			primary = at
		case a.Channel == message.SMS && primary.Channel != message.SMS && number == (message.Address{}):
			number = at
		}
	}
	return primary, number
}

// asWished sends a message by the channels that its customer wishes: to the address
// that they are written to, with copies by SMS and to the browsers that show
// notifications; or by these alone and, if the first of them fails, to that address.
func (f *Filler) asWished(ctx context.Context, tx db.Tx, m message.Message, wish account.Wish, w ways) (message.Message, bool, error) {
	if !wish.Push || f.Door.Push == nil {
		wish.Push, w.devices = false, nil
	}
	if !wish.SMS {
		w.number = message.Address{}
	}
	mail, sms := w.primary != (message.Address{}), w.number != (message.Address{})
	switch {
	case !wish.Mail && !wish.Push && !sms:
		return m, false, nil
	case mail && (wish.Mail || len(w.devices) == 0 && !sms):
		m.To = w.primary
	case sms:
		m.To, m.Otherwise, w.number = w.number, w.primary, message.Address{}
	case len(w.devices) > 0:
		m.To = message.Address{Channel: message.Push, Value: w.devices[0].ID}
		m.Reach = message.Address{Channel: message.Push, Value: w.devices[0].Reach.String()}
		m.Otherwise, w.devices = w.primary, w.devices[1:]
	default:
		return m, false, message.ErrNotNeeded // there is nobody to tell
	}
	return m, true, f.copies(ctx, tx, m, w)
}

// copies queues a message for the other ways that its customer wishes.
func (f *Filler) copies(ctx context.Context, tx db.Tx, m message.Message, w ways) error {
	var others []message.Address
	if w.number != (message.Address{}) {
		others = append(others, w.number)
	}
	for _, d := range w.devices {
		others = append(others, message.Address{Channel: message.Push, Value: d.ID})
	}
	for _, to := range others {
		if err := message.QueueCopy(ctx, tx, f.Door.IDs.Under("msg", m.Account), m, to); err != nil {
			return err
		}
	}
	return nil
}

// onNumber finds the telephone that a message has been on its way to before. Where it
// is the account's no more, a copy is not needed, and a message goes where the account
// is written to now.
func (f *Filler) onNumber(ctx context.Context, tx db.Tx, m message.Message) (message.Message, bool, error) {
	a, err := account.Get(ctx, tx, m.Account)
	if err != nil {
		return m, false, err
	}
	if m.Language = cmp.Or(m.Language, a.Language); a.State == account.Closed {
		return m, false, message.ErrNotNeeded
	}
	all, err := account.Addresses(ctx, tx, m.Account)
	if err != nil {
		return m, false, err
	}
	primary, _ := f.reached(all)
	known := slices.ContainsFunc(all, func(a account.Address) bool { return a.Channel == message.SMS && a.Value == m.To.Value })
	switch {
	case known && f.Door.SMS != nil:
		if m.CopyOf == "" && primary != m.To {
			m.Otherwise = primary
		}
		return m, true, nil
	case m.CopyOf != "" || primary == (message.Address{}):
		return m, false, message.ErrNotNeeded
	}
	m.To = primary
	return m, true, nil
}

// toCard finds the number of the card that a claim code is about; see
// account.Door.AskClaimCode.
func toCard(ctx context.Context, tx db.Tx, m message.Message) (message.Message, bool, error) {
	i, found, err := stock.Find(ctx, tx, m.To.Value)
	if err != nil {
		return m, false, err
	}
	n, err := phone.ReadWhole(i.MSISDN)
	if err != nil || !found {
		return m, false, message.ErrNotNeeded
	}
	m.Reach = message.Address{Channel: message.SMS, Value: string(n)}
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
