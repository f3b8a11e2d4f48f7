package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/seal"
)

// What a customer may do, at most, in all checks that they began within
// [limitsWithin].
const (
	MostSends    = 5  // to staff
	MostUploads  = 30 // photos
	mostBegun    = 10 // checks
	limitsWithin = 30 * 24 * time.Hour
)

// Unfinished is how long a check that was begun and not given is kept after the
// customer last did something.
const Unfinished = 14 * 24 * time.Hour

// PhotoKind is what a photo shows. The values are stored; do not rename.
type PhotoKind string

// Photos are all that are needed, in the order in which they are asked for.
var Photos = []PhotoKind{"document", "face"}

// Write keeps what a customer wrote about themselves, for a plan that asks for it: in
// their check that is open, or in a new one. It fails with [fault.Invalid] and the
// fields that cannot be right, with [fault.Conflict] while staff look at it and once
// they have approved, and with [fault.TooMany].
//
// That the plan asks for a check is for the caller to see to.
func Write(ctx context.Context, tx db.Tx, box *seal.Box, ids *id.Source, account, plan string, p Papers) (Check, error) {
	p, err := p.checked(tx.Now())
	if err != nil {
		return Check{}, err
	}
	c, found, err := Current(ctx, tx, account)
	if err != nil {
		return c, err
	}
	if !found {
		if c, err = begin(ctx, tx, ids, account, plan); err != nil {
			return c, err
		}
	}
	text, err := p.sealed(box, c.Key())
	if err != nil {
		return c, err
	}
	return edit(ctx, tx, c, func(c *Check) { c.Plan, c.papers = plan, text })
}

func begin(ctx context.Context, tx db.Tx, ids *id.Source, account, plan string) (Check, error) {
	c := Check{Account: account, ID: ids.Under("idc", account), State: Wanted, Plan: plan, CreatedAt: tx.Now(), UpdatedAt: tx.Now(), DueAt: tx.Now().Add(Unfinished)}
	past, err := usedUp(ctx, tx, account)
	if err == nil && past.begun >= mostBegun {
		err = errTooMany()
	}
	if err != nil {
		return c, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_checks (account_id, id, state, plan_id, papers, sends, uploads, reason, staff, created_at, updated_at, due_at)
		VALUES ($1,$2,$3,$4,'',0,0,'','',$5,$5,$6)`, c.Account, c.ID, c.State, c.Plan, db.At(c.CreatedAt), db.At(c.DueAt))
	return c, err
}

// edit changes what is in an open check. One that was begun is kept for longer.
func edit(ctx context.Context, tx db.Tx, c Check, change func(*Check)) (Check, error) {
	return move(ctx, tx, c, c.State, func(c *Check) {
		change(c)
		if c.State == Wanted {
			c.DueAt = tx.Now().Add(Unfinished)
		}
	})
}

func errTooMany() error {
	return fault.Because(fault.TooMany, "identity_too_many", "You have tried this very often. Please write to us; we find another way.", nil)
}

// used is what a customer has done lately.
type used struct{ begun, sends, uploads int64 }

func usedUp(ctx context.Context, tx db.Tx, account string) (u used, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(sends), 0) AS bigint), CAST(COALESCE(SUM(uploads), 0) AS bigint)
		FROM identity_checks WHERE account_id = $1 AND created_at > $2`, account, db.At(tx.Now().Add(-limitsWithin))).
		Scan(&u.begun, &u.sends, &u.uploads)
	return u, err
}

// MayUpload fails where a photo would not be kept: ask before reading it. It fails
// as [AddPhoto] does.
func MayUpload(ctx context.Context, tx db.Tx, k Key) (Check, error) {
	c, err := Get(ctx, tx, k)
	if err != nil {
		return c, err
	}
	if !c.Open() {
		return c, errNotNow(c)
	}
	past, err := usedUp(ctx, tx, k.Account)
	if err == nil && past.uploads >= MostUploads {
		err = errTooMany()
	}
	return c, err
}

// AddPhoto keeps a photo, in place of one that shows the same. It fails with
// [fault.NotFound], with [fault.Invalid] for a kind that there is not, with
// [fault.Conflict] while the check is not open, and with [fault.TooMany].
func AddPhoto(ctx context.Context, tx db.Tx, box *seal.Box, k Key, kind PhotoKind, p Picture) (Check, error) {
	if !slices.Contains(Photos, kind) {
		return Check{}, fault.Because(fault.Invalid, "identity_form", "This form cannot be used any more. Please open the page again.", nil)
	}
	c, err := MayUpload(ctx, tx, k)
	if err != nil {
		return c, err
	}
	if c, err = edit(ctx, tx, c, func(c *Check) { c.Uploads++ }); err != nil {
		return c, err
	}
	content, err := box.Seal(base64.StdEncoding.EncodeToString(p), k.place(string(kind)))
	if err != nil {
		return c, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO identity_photos (account_id, check_id, kind, content, bytes, at) VALUES ($1,$2,$3,$4,$5,$6)
		ON CONFLICT (account_id, check_id, kind) DO UPDATE SET content = excluded.content, bytes = excluded.bytes, at = excluded.at`,
		k.Account, k.ID, kind, content, len(p), db.At(tx.Now()))
	return c, err
}

// Photo is a photo without its content.
type Photo struct {
	Kind  PhotoKind
	Bytes int
	At    time.Time
}

// PhotosOf lists the photos of a check.
func PhotosOf(ctx context.Context, tx db.Tx, k Key) (all []Photo, err error) {
	rows, err := tx.Query(ctx, `SELECT kind, bytes, at FROM identity_photos WHERE account_id = $1 AND check_id = $2 ORDER BY kind`, k.Account, k.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var p Photo
		var at db.Instant
		if err := rows.Scan(&p.Kind, &p.Bytes, &at); err != nil {
			return nil, err
		}
		p.At = at.Time
		all = append(all, p)
	}
	return all, rows.Err()
}

// GetPhoto opens a photo. It fails with [fault.NotFound], and with [seal.ErrOpen]
// where the box has not the secret.
func GetPhoto(ctx context.Context, tx db.Tx, box *seal.Box, k Key, kind PhotoKind) (Picture, error) {
	var sealed string
	err := tx.QueryRow(ctx, `SELECT content FROM identity_photos WHERE account_id = $1 AND check_id = $2 AND kind = $3`, k.Account, k.ID, kind).Scan(&sealed)
	if errors.Is(err, db.ErrNoRows) {
		return nil, fault.Because(fault.NotFound, "no_such_photo", "There is no such photo.", nil)
	}
	if err != nil {
		return nil, err
	}
	text, _, err := box.Open(sealed, k.place(string(kind)))
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// Send gives a check to staff. Sent twice it changes nothing. It fails with
// [fault.NotFound], with [fault.Invalid] while something is missing or the document
// has expired meanwhile, with [fault.Conflict] and with [fault.TooMany].
func Send(ctx context.Context, tx db.Tx, box *seal.Box, k Key) (Check, error) {
	c, err := Get(ctx, tx, k)
	if err != nil || c.State == Given {
		return c, err
	}
	if !c.Open() {
		return c, errNotNow(c)
	}
	p, found, err := c.Papers(box)
	if err != nil {
		return c, err
	}
	photos, err := PhotosOf(ctx, tx, k)
	if err != nil {
		return c, err
	}
	if !found || len(photos) < len(Photos) {
		return c, fault.Because(fault.Invalid, "identity_missing_part", "Something is still missing. The page says what.", nil)
	}
	if _, err := p.checked(tx.Now()); err != nil {
		return c, err
	}
	past, err := usedUp(ctx, tx, k.Account)
	if err == nil && past.sends >= MostSends {
		err = errTooMany()
	}
	if err != nil {
		return c, err
	}
	return move(ctx, tx, c, Given, func(c *Check) {
		c.Sends++
		c.GivenAt, c.DecidedAt, c.DueAt, c.Reason, c.Staff = tx.Now(), time.Time{}, time.Time{}, "", ""
	})
}

// TakeBack erases what a customer gave, at their wish, as long as staff have not
// approved it. It fails with [fault.NotFound] and [fault.Conflict].
func TakeBack(ctx context.Context, tx db.Tx, k Key) (Check, error) {
	c, err := Get(ctx, tx, k)
	if err != nil {
		return c, err
	}
	if c.State == Approved {
		return c, errNotNow(c)
	}
	return Erase(ctx, tx, c)
}
