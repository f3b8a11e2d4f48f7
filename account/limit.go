package account

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// limit is how often something may happen in an hour. The hour begins when it
// first happens.
type limit struct {
	bucket string // a hash: the table of limits names nobody
	most   int64
	reason string // of the error; empty: too_many_codes
}

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
		{d.hash("limit", what, "client", network(client)), guessesPerClient, "too_many_tries"},
		{d.hash("limit", what, "account", account), guessesPerAccount, "too_many_tries"},
	}
	if thing != "" {
		limits = append(limits, limit{d.hash("limit", what, "thing", thing), guessesPerThing, "too_many_tries"})
	}
	for _, l := range limits {
		if err := l.take(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// take counts one more, or fails with [fault.TooMany]; the failed transaction
// then counts nothing.
func (l limit) take(ctx context.Context, tx db.Tx) error { return l.takeIn(ctx, tx, limitWindow) }

// smsDay is the longest window: leftovers are swept after as long.
const smsDay = keepCodes

// takeIn is take within another time than an hour.
func (l limit) takeIn(ctx context.Context, tx db.Tx, window time.Duration) error {
	now := tx.Now()
	var count int64
	var began db.Instant
	err := tx.QueryRow(ctx, `
		INSERT INTO limits (bucket, window_start, count)
		VALUES ($1, $2, 1)
		ON CONFLICT (bucket) DO UPDATE
		   SET window_start = CASE WHEN limits.window_start <= $3 THEN excluded.window_start ELSE limits.window_start END,
		       count        = CASE WHEN limits.window_start <= $3 THEN 1 ELSE limits.count + 1 END
		RETURNING count, window_start`,
		l.bucket, db.At(now), db.At(now.Add(-window))).Scan(&count, &began)
	if err != nil {
		return err
	}
	if count <= l.most {
		return nil
	}
	wait := began.Add(window).Sub(now)
	minutes := int64((wait + time.Minute - 1) / time.Minute)
	return because(fault.TooMany, cmp.Or(l.reason, "too_many_codes"), map[string]string{"minutes": fmt.Sprint(max(minutes, 1))})
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
