package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// limit is how often something may happen in an hour, or in another window, which
// begins when it first happens.
type limit struct {
	bucket string // a hash: the table of limits names nobody
	most   int64
	reason string        // of the error; empty: too_many_codes
	window time.Duration // at most a day, see [Door.Step]; 0: an hour
}

// never is a limit that is only counted.
const never = int64(1) << 62

// How often somebody may guess in an hour.
const (
	guessesPerThing   = 10
	guessesPerAccount = 20
	guessesPerClient  = 40
)

// Guess counts one try at something that could be guessed: what names it, thing is
// what was tried (an ICCID; empty where there is nothing but the secret), account is
// who tried and client where from. It fails with [fault.TooMany]. It is counted in the
// transaction, which must be committed whatever came of the try.
func (d *Door) Guess(ctx context.Context, tx db.Tx, what, thing, account, client string) error {
	limits := []limit{
		{bucket: d.hash("limit", what, "client", network(client)), most: guessesPerClient, reason: "too_many_tries"},
		{bucket: d.hash("limit", what, "account", account), most: guessesPerAccount, reason: "too_many_tries"},
	}
	if thing != "" {
		limits = append(limits, limit{bucket: d.hash("limit", what, "thing", thing), most: guessesPerThing, reason: "too_many_tries"})
	}
	for _, l := range limits {
		if err := l.take(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// Room counts so much more of what everybody together may take in a day. It fails with
// [fault.TooMany], and then counts nothing.
func (d *Door) Room(ctx context.Context, tx db.Tx, what string, amount, most int64) error {
	_, err := limit{bucket: d.hash("limit", "room", what), most: most, reason: "uploads_full", window: wrongWindow}.add(ctx, tx, amount)
	return err
}

// take counts one more, or fails with [fault.TooMany]; the failed transaction
// then counts nothing.
func (l limit) take(ctx context.Context, tx db.Tx) error {
	_, err := l.count(ctx, tx)
	return err
}

// count is take that says how often it has happened.
func (l limit) count(ctx context.Context, tx db.Tx) (count int64, err error) {
	return l.add(ctx, tx, 1)
}

// add is count by more than one.
func (l limit) add(ctx context.Context, tx db.Tx, amount int64) (count int64, err error) {
	now := tx.Now()
	var began db.Instant
	err = tx.QueryRow(ctx, `
		INSERT INTO limits (bucket, window_start, count)
		VALUES ($1, $2, $4)
		ON CONFLICT (bucket) DO UPDATE
		   SET window_start = CASE WHEN limits.window_start <= $3 THEN excluded.window_start ELSE limits.window_start END,
		       count        = CASE WHEN limits.window_start <= $3 THEN excluded.count ELSE limits.count + excluded.count END
		RETURNING count, window_start`,
		l.bucket, db.At(now), db.At(now.Add(-l.span())), amount).Scan(&count, &began)
	if err != nil || count <= l.most {
		return count, err
	}
	wait := began.Add(l.span()).Sub(now)
	minutes := int64((wait + time.Minute - 1) / time.Minute)
	return count, because(fault.TooMany, cmp.Or(l.reason, "too_many_codes"), map[string]string{"minutes": fmt.Sprint(max(minutes, 1))})
}

func (l limit) span() time.Duration { return cmp.Or(l.window, limitWindow) }

// seen says how often it has happened, and counts nothing.
func (l limit) seen(ctx context.Context, tx db.Tx) (count int64, err error) {
	err = tx.QueryRow(ctx, `SELECT count FROM limits WHERE bucket = $1 AND window_start > $2`,
		l.bucket, db.At(tx.Now().Add(-l.span()))).Scan(&count)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return count, err
}

// network is what counts as one client: an IPv4 address, or the /64 that an
// IPv6 address lies in, since a household has all of that.
func network(client string) string {
	a, err := netip.ParseAddr(strings.TrimSpace(client))
	if err != nil {
		return client
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
