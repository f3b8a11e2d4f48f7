package account

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

// Wish is by which channels a customer wishes to be told of something.
//
// Mail is the address that the account is written to, which is a telephone where there
// is no mail address; SMS is a telephone beside that.
type Wish struct{ Mail, Push, SMS bool }

// everyChannel is the wish of those who have not said any: all that costs nobody
// anything.
var everyChannel = Wish{Mail: true, Push: true}

// kept is w as far as a customer can wish: what is always told goes by mail, and
// what is about the account by nothing else, since whoever holds a device is not
// always its owner.
func (w Wish) kept(t message.Theme) Wish {
	w.Mail = w.Mail || t.Always()
	w.Push = w.Push && t != message.AboutAccount
	w.SMS = w.SMS && t != message.AboutAccount
	return w
}

// Telling is how a customer wishes to be told what we have to say.
type Telling struct {
	Quiet  calendar.Quiet
	Wishes map[message.Theme]Wish // those that are missing: by all channels
}

// Of is the wish about a theme.
func (t Telling) Of(theme message.Theme) Wish {
	w, ok := t.Wishes[theme]
	if !ok {
		w = everyChannel
	}
	return w.kept(theme)
}

// TellingOf reads how an account wishes to be told. It fails with
// [fault.NotFound].
func TellingOf(ctx context.Context, tx db.Tx, account string) (Telling, error) {
	t := Telling{Wishes: map[message.Theme]Wish{}}
	quiet, _, err := quietOf(ctx, tx, account)
	if err != nil {
		return t, err
	}
	t.Quiet = quiet
	rows, err := tx.Query(ctx, `SELECT theme, mail, push, sms FROM wishes WHERE account_id = $1`, account)
	if err != nil {
		return t, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	for rows.Next() {
		var theme message.Theme
		var w Wish
		if err := rows.Scan(&theme, &w.Mail, &w.Push, &w.SMS); err != nil {
			return t, err
		}
		t.Wishes[theme] = w
	}
	return t, rows.Err()
}

// WishOf reads by which channels an account wishes to be told of one theme.
func WishOf(ctx context.Context, tx db.Tx, account string, theme message.Theme) (Wish, error) {
	w := everyChannel
	err := tx.QueryRow(ctx, `SELECT mail, push, sms FROM wishes WHERE account_id = $1 AND theme = $2`, account, string(theme)).Scan(&w.Mail, &w.Push, &w.SMS)
	if errors.Is(err, db.ErrNoRows) {
		w, err = everyChannel, nil
	}
	return w.kept(theme), err
}

func quietOf(ctx context.Context, tx db.Tx, account string) (q calendar.Quiet, z calendar.Zone, err error) {
	err = tx.QueryRow(ctx, `SELECT quiet_from, quiet_to, zone FROM accounts WHERE account_id = $1`, account).Scan(&q.From, &q.To, &z)
	if errors.Is(err, db.ErrNoRows) {
		err = because(fault.NotFound, "no_such_account", nil)
	}
	return q, z, err
}

// QuietUntil is when the account's quiet hours that lie at an instant are over: the
// instant itself where it is in none. Their clocks are those of the zone that the
// customer has chosen, else of the one that is given; empty: UTC.
func QuietUntil(ctx context.Context, tx db.Tx, account string, at time.Time, otherwise calendar.Zone) (time.Time, error) {
	q, z, err := quietOf(ctx, tx, account)
	if err != nil {
		return at, err
	}
	for _, zone := range []calendar.Zone{z, otherwise, calendar.UTC} {
		if loc, err := zone.Location(); err == nil {
			return q.Over(at, loc), nil
		}
	}
	return at, nil
}

// SetTelling changes how an account wishes to be told, all of it. It fails with
// [fault.Invalid] and [fault.NotFound].
func SetTelling(ctx context.Context, tx db.Tx, account string, t Telling) error {
	if !t.Quiet.Valid() {
		return fault.Because(fault.Invalid, "quiet_hours", "Quiet hours begin and end at a time of the day.", nil)
	}
	n, err := tx.Exec(ctx, `
		UPDATE accounts SET quiet_from = $2, quiet_to = $3, updated_at = $4
		 WHERE account_id = $1 AND state <> 'closed'`, account, int64(t.Quiet.From), int64(t.Quiet.To), db.At(tx.Now()))
	if err == nil && n == 0 {
		err = because(fault.NotFound, "no_such_account", nil)
	}
	if err != nil {
		return err
	}
	for _, theme := range message.Themes() {
		w := t.Of(theme)
		_, err := tx.Exec(ctx, `
			INSERT INTO wishes (account_id, theme, mail, push, sms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (account_id, theme) DO UPDATE SET mail = excluded.mail, push = excluded.push, sms = excluded.sms`,
			account, string(theme), w.Mail, w.Push, w.SMS)
		if err != nil {
			return err
		}
	}
	return nil
}
