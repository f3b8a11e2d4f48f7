package account

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/message"
)

// Strangers are braked by what they can change least: the network that they come from,
// and the account that they are after. The owner of an account is not braked by them in
// a browser in which they have signed in before: it is known by its mark, and counted
// alone. What an attacker can win within a day is in ADR 28.
const (
	codesPerNetwork = 5  // an hour, for one address or number
	codesPerPlace   = 15 // an hour, for one address or number, from all networks
	codesPerBrowser = 5  // an hour, in one that is known

	triesPerNetwork = 10 // an hour, with a password, for one address
	triesPerPlace   = 60 // an hour, with a password, for one address, from all networks
	triesPerBrowser = 10 // an hour, with a password, in one that is known

	shortDigits = 8  // of a code
	longDigits  = 12 // of a code, once somebody seems to be guessing

	// After so many a code is long: codes for one account or address within an hour, wrong
	// ones within a day, and this part of the codes that all may have.
	shortPerHour  = 4
	wrongPerDay   = 5
	shortShare    = 4
	wrongWindow   = 24 * time.Hour
	refusedCodes  = "too_many_codes"
	refusedTries  = "too_many_entries"
	wrongAccounts = "account"
	wrongPlaces   = "address"
)

// marked reports whether a browser's mark says that the account's owner has signed in
// with it, since sessions were last ended.
func (d *Door) marked(ctx context.Context, tx db.Tx, account, mark string) (bool, error) {
	at, hash, _ := strings.Cut(mark, ".")
	micro, err := strconv.ParseInt(at, 10, 64)
	if err != nil || account == "" || !same(hash, d.hash("browser", account, at)) {
		return false, nil
	}
	var since int64
	err = tx.QueryRow(ctx, `SELECT browsers_since FROM accounts WHERE account_id = $1`, account).Scan(&since)
	return err == nil && micro >= since, err
}

// asked is a code that somebody wants.
type asked struct {
	account string // whose it would be
	kind    string // of place: address or line
	place   string // what was typed
	from    Browser
}

// allowCode counts one more code, and says how long it is to be. It fails with
// [fault.TooMany].
func (d *Door) allowCode(ctx context.Context, tx db.Tx, a asked) (digits int, err error) {
	known, err := d.marked(ctx, tx, a.account, a.from.Mark)
	if err != nil {
		return 0, err
	}
	limits := []limit{{bucket: d.hash("limit", "codes", "browser", a.from.Mark), most: codesPerBrowser, reason: refusedCodes}}
	long := false
	if !known {
		all := d.CodesPerHour
		if all == 0 {
			all = codesForAll
		}
		n, err := limit{bucket: d.hash("limit", "codes", "all"), most: all, reason: refusedCodes}.count(ctx, tx)
		if err != nil {
			return 0, err
		}
		long = n > all/shortShare
		from := network(a.from.Client)
		limits = []limit{
			{bucket: d.hash("limit", "codes", "client", from), most: codesPerClient, reason: refusedCodes},
			{bucket: d.hash("limit", "codes", a.kind, a.place, from), most: codesPerNetwork, reason: refusedCodes},
			{bucket: d.hash("limit", "codes", a.kind, a.place), most: codesPerPlace, reason: refusedCodes},
		}
	}
	for _, l := range limits {
		if err := l.take(ctx, tx); err != nil {
			return 0, err
		}
	}
	suspect, err := d.suspect(ctx, tx, a)
	if err != nil {
		return 0, err
	}
	if long || suspect {
		return longDigits, nil
	}
	return shortDigits, nil
}

// allowCodeTo is allowCode for a code to an address, which may cost something.
func (d *Door) allowCodeTo(ctx context.Context, tx db.Tx, a asked, to message.Address) (digits int, err error) {
	if to.Channel == message.SMS {
		if err := d.limitSMS(ctx, tx, to.Value, a.from.Client); err != nil {
			return 0, err
		}
	}
	return d.allowCode(ctx, tx, a)
}

// suspect reports whether somebody seems to be guessing codes of an account or for an
// address, by how many were asked for, whoever did, and how many were wrong.
func (d *Door) suspect(ctx context.Context, tx db.Tx, a asked) (bool, error) {
	suspect := false
	for _, of := range []struct{ kind, name string }{{wrongAccounts, a.account}, {wrongPlaces, a.place}} {
		asked, err := limit{bucket: d.hash("asked", of.kind, of.name), most: never}.count(ctx, tx)
		if err != nil {
			return false, err
		}
		wrong, err := d.wrong(of.kind, of.name).seen(ctx, tx)
		if err != nil {
			return false, err
		}
		suspect = suspect || asked > shortPerHour || wrong >= wrongPerDay
	}
	return suspect, nil
}

// wrong counts codes that were wrong.
func (d *Door) wrong(kind, name string) limit {
	return limit{bucket: d.hash("wrong", kind, name), most: never, window: wrongWindow}
}

// wrongCode counts one that was.
func (d *Door) wrongCode(ctx context.Context, tx db.Tx, account, address string) error {
	if _, err := d.wrong(wrongAccounts, account).count(ctx, tx); err != nil || address == "" {
		return err
	}
	_, err := d.wrong(wrongPlaces, address).count(ctx, tx)
	return err
}

// limitTries counts one more try to guess a password.
func (d *Door) limitTries(ctx context.Context, tx db.Tx, to message.Address, from Browser) error {
	account, err := locateAt(ctx, tx, to)
	if err != nil {
		return err
	}
	known, err := d.marked(ctx, tx, account, from.Mark)
	if err != nil {
		return err
	}
	if known {
		return limit{bucket: d.hash("limit", "passwords", "browser", from.Mark), most: triesPerBrowser, reason: refusedTries}.take(ctx, tx)
	}
	at := network(from.Client)
	for _, l := range []limit{
		{bucket: d.hash("limit", "passwords", "client", at), most: triesPerClient, reason: refusedTries},
		{bucket: d.hash("limit", "passwords", "address", to.Value, at), most: triesPerNetwork, reason: refusedTries},
		{bucket: d.hash("limit", "passwords", "address", to.Value), most: triesPerPlace, reason: refusedTries},
	} {
		if err := l.take(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
