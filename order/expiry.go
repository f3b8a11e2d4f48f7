package order

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
)

const (
	// ExpiryNotice is how long before value in a wallet expires its owner is told.
	ExpiryNotice = 7 * 24 * time.Hour

	// noticeSlack is how late a notice may be. Value of which its owner was told
	// later than that is kept for the length of a notice from then on: after a
	// standstill, when the shop begins to let value expire, and when value comes
	// back whose time is over.
	noticeSlack = 24 * time.Hour
)

// Expiring is value in a wallet and when it expires, unless it is spent before.
type Expiring struct {
	Amount money.Money
	At     time.Time
}

// WalletStep looks at wallets whose value may be getting too old: it tells their
// owners before value expires, and takes what has expired out of them.
func (d *Desk) WalletStep(ctx context.Context) (worked bool, err error) {
	if d.WalletExpiry <= 0 {
		return false, nil
	}
	if any, err := d.DB.Finds(ctx, `SELECT 1 FROM wallet_ages WHERE due_at <= $1 LIMIT 1`, db.At(d.DB.Now())); err != nil || !any {
		return false, err
	}
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]ledger.Age, error) {
		return ledger.TakeAges(ctx, tx, lease, d.set())
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	var errs []error
	for _, a := range due {
		errs = append(errs, quiet(d.age(ctx, a)))
	}
	return true, errors.Join(errs...)
}

// age takes the next step of one wallet. Where somebody spends from it meanwhile
// nothing is done, and it is due again when the lease ends.
func (d *Desk) age(ctx context.Context, a ledger.Age) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		cat, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		a, err := ledger.AgeOf(ctx, tx, a.Account, a.Currency)
		if err != nil {
			return err
		}
		has, err := ledger.Balance(ctx, tx, a.Account, ledger.Wallet, a.Currency)
		if err != nil {
			return err
		}
		lots, aside, err := ledger.Lots(ctx, tx, a.Account, a.Currency)
		if err != nil {
			return err
		}
		next := aged(a, lots, aside, tx.Now(), d.WalletExpiry)
		var b db.Batch
		if len(next.notices) > 0 || next.expires > 0 {
			ledger.AddUnchanged(&b, a.Account, has) // also when a worker outlived its lease: nothing expires twice
		}
		if err := d.addExpiry(&b, tx, next, cat.Seller.Zone); err != nil {
			return err
		}
		ledger.AddAged(&b, next.Age, next.due)
		return conflict(tx.Batch(ctx, &b), a.Account)
	})
}

// ageing is what follows from a wallet's age.
type ageing struct {
	ledger.Age
	notices []Expiring
	expires int64 // minor units that are too old now
	due     time.Time
}

// aged decides: which lots their owner is told of now, how much has expired, and
// when to look again. Value expires lives after it was put in, the oldest first;
// what is set aside is the oldest, and is spent or comes back.
func aged(a ledger.Age, lots []ledger.Lot, aside int64, now time.Time, lives time.Duration) ageing {
	out := ageing{Age: a}
	horizon := now.Add(ExpiryNotice)
	for _, l := range lots {
		ends := l.Since.Add(lives)
		if ends.After(a.ToldTo) && ends.Before(horizon.Add(-noticeSlack)) {
			out.KeptTo = horizon
		}
	}
	if out.ToldTo = horizon; horizon.Before(a.ToldTo) {
		out.ToldTo = a.ToldTo
	}
	look := func(at time.Time) {
		if out.due.IsZero() || at.Before(out.due) {
			out.due = at
		}
	}
	for _, l := range lots {
		ends := later(l.Since.Add(lives), out.KeptTo)
		told := l.Since.Add(lives)
		switch {
		case told.After(horizon):
			look(told.Add(-ExpiryNotice))
		case ends.After(now):
			look(ends)
		default:
			out.expires += l.Minor
		}
		if told.After(a.ToldTo) && !told.After(horizon) {
			out.notices = addNotice(out.notices, Expiring{money.Of(l.Minor, a.Currency), ends})
		}
	}
	out.expires = max(0, out.expires-aside)
	return out
}

// addNotice adds value to what expires at the same time.
func addNotice(all []Expiring, e Expiring) []Expiring {
	if last := len(all) - 1; last >= 0 && all[last].At.Equal(e.At) {
		all[last].Amount.Minor += e.Amount.Minor
		return all
	}
	return append(all, e)
}

// addExpiry appends the letters and the transfer of what expired.
func (d *Desk) addExpiry(b *db.Batch, tx db.Tx, a ageing, zone calendar.Zone) error {
	tell := func(kind message.Kind, key string, e Expiring) error {
		return message.AddTo(b, tx.Now(), d.IDs.Under("msg", a.Account), message.Draft{
			Account: a.Account, Key: string(kind) + "/" + key, Kind: kind,
			Facts: message.Facts{Amount: e.Amount, EndsAt: e.At, Zone: zone},
		})
	}
	for _, n := range a.notices {
		key := string(a.Currency) + "/" + strconv.FormatInt(n.At.UnixMicro(), 10)
		if err := tell(message.WalletExpiring, key, n); err != nil {
			return err
		}
	}
	if a.expires == 0 {
		return nil
	}
	id, gone := d.IDs.Under("we", a.Account), money.Of(a.expires, a.Currency)
	ledger.Posting{Account: a.Account, Subject: id, Step: "expired", Transfers: []ledger.Transfer{
		{From: ledger.Wallet, To: ledger.Expired, Amount: gone},
	}}.AddTo(b, tx.Now())
	return tell(message.WalletExpired, id, Expiring{gone, tx.Now()})
}

// Expires reads what of a wallet expires next, and when; nothing in a shop in
// which value does not expire. The first to expire is the first.
func (d *Desk) Expires(ctx context.Context, tx db.Tx, account string, c money.Currency) (all []Expiring, err error) {
	if d.WalletExpiry <= 0 {
		return nil, nil
	}
	a, err := ledger.AgeOf(ctx, tx, account, c)
	if err != nil {
		return nil, err
	}
	lots, aside, err := ledger.Lots(ctx, tx, account, c)
	if err != nil {
		return nil, err
	}
	a = aged(a, lots, aside, tx.Now(), d.WalletExpiry).Age
	for _, l := range lots {
		gone := min(aside, l.Minor)
		aside -= gone
		if l.Minor > gone {
			all = addNotice(all, Expiring{money.Of(l.Minor-gone, c), later(later(l.Since.Add(d.WalletExpiry), a.KeptTo), tx.Now())})
		}
	}
	return all, nil
}
