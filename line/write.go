package line

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Add stores a new line and lets it be found by its ICCID and its operator's
// identifier. It fails with [fault.Conflict] if another line has either.
// CreatedAt and UpdatedAt are the transaction's.
func Add(ctx context.Context, tx db.Tx, l Line) error {
	for _, c := range []struct{ kind, value string }{{ICCIDKind, l.ICCID}, {ProfileKind(l.Operator), l.ProfileID}} {
		if c.value == "" {
			continue
		}
		if err := db.Claim(ctx, tx, c.kind, c.value, l.Account, l.ID); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, insertLine, l.row(tx.Now())...)
	return err
}

const insertLine = `INSERT INTO lines (` + lineColumns + `)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23)`

func (l Line) row(now time.Time) []any {
	return []any{
		l.Account, l.ID, l.Operator, l.Plan, l.ProfileID, l.ICCID, l.MSISDN, l.Name, l.State, l.Anchor,
		db.At(l.StartedAt), db.At(l.EndsAt), db.At(l.GraceEnds), l.Periods, l.Extending, l.Identity,
		l.Usage.Unlimited, l.Usage.Total, l.Usage.Used, l.Usage.Throttled, db.At(l.Usage.AsOf),
		db.At(now), db.At(now),
	}
}

// ProfileKind is how the directory calls an operator's own identifiers of lines.
func ProfileKind(operator string) string { return "profile:" + operator }

// ICCIDKind is how the directory calls ICCIDs.
const ICCIDKind = "iccid"

// AddKnown appends what [Add] writes. A line that has either number already
// violates a unique key.
func AddKnown(b *db.Batch, l Line, now time.Time) {
	if l.ICCID != "" {
		db.AddClaim(b, ICCIDKind, l.ICCID, l.Account, l.ID)
	}
	if l.ProfileID != "" {
		db.AddClaim(b, ProfileKind(l.Operator), l.ProfileID, l.Account, l.ID)
	}
	b.Row(insertLine, l.row(now)...)
}

// AddPeriod appends the insertion of a period to b. A second period of the
// same order, or a second one with the same number, violates a unique key.
func AddPeriod(b *db.Batch, p Period, now time.Time) {
	b.Row(`INSERT INTO periods (account_id, line_id, number, plan_id, term_id, order_id, effect, starts_at, ends_at,
			allowance_bytes, state, operator_ref, operator_ends_at, created_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		p.Account, p.Line, p.Number, p.Plan, p.Term, db.Text(p.Order), p.Effect, db.At(p.StartsAt), db.At(p.EndsAt),
		p.Allowance, p.State, p.OperatorRef, db.At(p.OperatorEndsAt), db.At(now))
}

// Take appends the guarded update that reserves a line for one order's request
// to the operator. The guard fails while another order holds the line, and when
// it has other periods than the caller saw.
func Take(b *db.Batch, account, line, order string, periods int) {
	b.GuardRow(`UPDATE lines SET extending = column3
		FROM (VALUES ($1,$2,$3,CAST($4 AS bigint))) AS v
		WHERE account_id = column1 AND id = column2 AND extending = '' AND periods = column4`,
		account, line, order, periods)
}

// Free appends the update that ends a reservation made by [Take].
func Free(b *db.Batch, account, line, order string) {
	b.Add(`UPDATE lines SET extending = '' WHERE account_id = $1 AND id = $2 AND extending = $3`, account, line, order)
}

// Allowance is what a purchase does to the figures of usage until the operator
// reports again.
type Allowance string

// What a purchase does to the figures.
const (
	KeepFigures  Allowance = "keep"  // the current period goes on as it was
	AddFigures   Allowance = "add"   // its data is added to the current one; unknown figures stay unknown
	FreshFigures Allowance = "fresh" // nothing of it is used yet
)

// Renewed is what a completed order changes of its line.
type Renewed struct {
	Plan      string
	Anchor    int
	StartsAt  time.Time
	EndsAt    time.Time // of the new period; the line ends at the later of it and its end so far
	GraceEnds time.Time // belongs to EndsAt: the line takes both or neither
	Cuts      bool      // the new period ends the old ones: the line ends at EndsAt, even if that is earlier
	Allowance Allowance
	Unlimited bool
	Bytes     int64
}

// Renew appends the guarded update that ends the reservation and records the
// new period, number was+1. The guard fails if the line is not reserved for
// the order, or has other periods than the caller saw. It reads nothing first:
// a renewal costs one statement on its line.
//
// A line that its operator or staff stopped meanwhile stays stopped: having
// sold it more time does not make it work.
func Renew(b *db.Batch, account, line, order string, was int, r Renewed, now time.Time) {
	b.GuardRow(`UPDATE lines
		SET extending = '', periods = periods + 1, plan_id = column5, anchor = column6,
		    state         = CASE WHEN state IN ('terminal', 'suspended', 'recycled') THEN state ELSE 'active' END,
		    started_at    = COALESCE(started_at, column7),
		    ends_at       = CASE WHEN column8 OR ends_at IS NULL OR ends_at < column9 THEN column9 ELSE ends_at END,
		    grace_ends_at = CASE WHEN column8 OR ends_at IS NULL OR ends_at <= column9 THEN column10 ELSE grace_ends_at END,
		    unlimited     = CASE WHEN column11 = 'keep' THEN unlimited ELSE column12 END,
		    total_bytes   = CASE column11 WHEN 'keep' THEN total_bytes WHEN 'add' THEN total_bytes + column13 ELSE column13 END,
		    used_bytes    = CASE WHEN column11 = 'fresh' THEN 0 ELSE used_bytes END,
		    throttled     = CASE WHEN column11 = 'keep' THEN throttled ELSE false END,
		    as_of         = CASE WHEN column11 = 'keep' OR column11 = 'add' AND as_of IS NULL THEN as_of ELSE column14 END,
		    updated_at    = column14
		FROM (VALUES ($1,$2,$3,CAST($4 AS bigint),$5,CAST($6 AS bigint),CAST($7 AS bigint),CAST($8 AS boolean),CAST($9 AS bigint),
		              CAST($10 AS bigint),$11,CAST($12 AS boolean),CAST($13 AS bigint),CAST($14 AS bigint))) AS v
		WHERE account_id = column1 AND id = column2 AND extending = column3 AND periods = column4`,
		account, line, order, was, r.Plan, r.Anchor, db.At(r.StartsAt), r.Cuts, db.At(r.EndsAt), db.At(r.GraceEnds),
		r.Allowance, r.Unlimited, r.Bytes, db.At(now))
}

// Enlarge appends the guarded updates that end the reservation and add a
// pack's data to a period and to the figures. bytes 0 means full speed until
// the reset. What is unlimited or not known, a 0, is so afterwards, too: it must
// not look as if the pack were all there is.
func Enlarge(b *db.Batch, account, line, order string, number int, bytes int64, now time.Time) {
	b.Guard(`UPDATE lines
		SET extending = '', total_bytes = CASE WHEN total_bytes = 0 THEN 0 ELSE total_bytes + $4 END, throttled = false, updated_at = $5
		WHERE account_id = $1 AND id = $2 AND extending = $3`, account, line, order, bytes, db.At(now))
	b.Guard(`UPDATE periods SET allowance_bytes = CASE WHEN allowance_bytes = 0 THEN 0 ELSE allowance_bytes + $4 END
		WHERE account_id = $1 AND line_id = $2 AND number = $3`, account, line, number, bytes)
}

// Cancelled is what a line falls back to when a period that has not begun is
// taken off it.
type Cancelled struct {
	Plan      string
	EndsAt    time.Time
	GraceEnds time.Time
	Bytes     int64     // data to be taken out of the figures again
	AsOf      time.Time // only if nothing newer than this is known of them
}

// Cancel appends the guarded updates that end the reservation and take an
// order's period off the line. The period keeps its number. The guard fails if
// the line is not reserved for the order, or has other periods than the caller
// saw.
func Cancel(b *db.Batch, account, line, order string, periods int, c Cancelled, now time.Time) {
	b.Guard(`UPDATE periods SET state = 'cancelled' WHERE account_id = $1 AND line_id = $2 AND order_id = $3 AND state <> 'cancelled'`,
		account, line, order)
	b.Guard(`UPDATE lines
		SET extending = '', plan_id = $5, ends_at = $6, grace_ends_at = $7, updated_at = $8,
		    total_bytes = CASE WHEN as_of = $9 AND total_bytes >= $10 THEN total_bytes - $10 ELSE total_bytes END
		WHERE account_id = $1 AND id = $2 AND extending = $3 AND periods = $4`,
		account, line, order, periods, c.Plan, db.At(c.EndsAt), db.At(c.GraceEnds), db.At(now), db.At(c.AsOf), c.Bytes)
}

// EndCurrent appends the update that ends every running period at now: for a
// purchase that restarts the line. One that begins at that very instant gave no
// service and is cancelled, since a period of no length cannot be stored.
func EndCurrent(b *db.Batch, account, line string, now time.Time) {
	b.Add(`UPDATE periods
		SET state   = CASE WHEN starts_at < $4 THEN $3 ELSE $5 END,
		    ends_at = CASE WHEN starts_at < $4 THEN $4 ELSE ends_at END
		WHERE account_id = $1 AND line_id = $2 AND starts_at <= $4 AND ends_at > $4 AND state <> $5`,
		account, line, PeriodEnded, db.At(now), PeriodCancelled)
}

// Report records what the operator says about usage, unless something newer is
// known: late, repeated and reordered reports never make a figure wrong, only
// older. It reports whether the figure was taken. It fails with [fault.Invalid]
// for a report without a time or from the future, which would shut out every
// later one, and for negative figures.
func Report(ctx context.Context, tx db.Tx, account, id string, u Usage) (taken bool, err error) {
	if u.AsOf.IsZero() || u.AsOf.After(tx.Now()) {
		return false, fault.New(fault.Invalid, "A usage report must carry a time that is not in the future.")
	}
	if u.Total < 0 || u.Used < 0 {
		return false, fault.New(fault.Invalid, "A usage report must not be negative.")
	}
	n, err := tx.Exec(ctx, `UPDATE lines
		SET unlimited = $3, total_bytes = $4, used_bytes = $5, throttled = $6, as_of = $7, updated_at = $8
		WHERE account_id = $1 AND id = $2 AND (as_of IS NULL OR as_of < $7)`,
		account, id, u.Unlimited, u.Total, u.Used, u.Throttled, db.At(u.AsOf), db.At(tx.Now()))
	return n == 1, err
}

// SetState records what the operator or staff say about the line itself.
func SetState(ctx context.Context, tx db.Tx, account, id string, s State) error {
	var b db.Batch
	AddState(&b, account, id, s, tx.Now())
	return tx.Batch(ctx, &b)
}

// AddState appends what [SetState] writes.
func AddState(b *db.Batch, account, id string, s State, now time.Time) {
	b.Add(`UPDATE lines SET state = $3, updated_at = $4 WHERE account_id = $1 AND id = $2`, account, id, s, db.At(now))
}

// NoteEnd keeps until when the operator says that the period runs which was running
// as of that instant; what was bought later it cannot have meant. It changes no end of
// ours. Of periods that run side by side an operator names one, and nobody knows which.
func NoteEnd(ctx context.Context, tx db.Tx, account, id string, ends, asOf time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE periods SET operator_ends_at = $3
		WHERE account_id = $1 AND line_id = $2 AND state IN ('queued','active') AND effect <> 'parallel'
		  AND starts_at <= $4 AND ends_at > $4 AND (operator_ends_at IS NULL OR operator_ends_at <> $3)`,
		account, id, db.At(ends), db.At(asOf))
	return err
}

// Identify notes that an identity check was passed by the owner of an account's lines.
func Identify(ctx context.Context, tx db.Tx, account string) error {
	_, err := tx.Exec(ctx, `UPDATE lines SET identity = TRUE, updated_at = $2 WHERE account_id = $1 AND NOT identity`, account, db.At(tx.Now()))
	return err
}
