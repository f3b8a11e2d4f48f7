package line

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/seal"
)

// ESIM is what a line that came from here is installed with, and the service
// that begins with its first use. Until then the line is [New] and has no period.
// A card that was claimed has the service and nothing to install.
type ESIM struct {
	Account     string
	Line        string
	Order       string // empty: it was claimed
	Catalogue   int64  // version whose rules were accepted
	Plan        string
	Term        string
	Code        string // for the phone: LPA:1$address$matching identifier, sealed as long as it is not opened; empty for a card
	Allowance   int64  // bytes of the first period; 0: unlimited
	OperatorRef string
	InstallBy   time.Time // the last moment to begin, exclusive; zero: none is known
	CreatedAt   time.Time
}

// codeScheme begins every activation code, and nothing that is sealed.
const codeScheme = "LPA:"

func (e ESIM) place() string { return "esims/" + e.Account + "/" + e.Line }

// Sealed is e with its code hidden for the database. Without a box it stays as it
// is: a test, or a command that has no secret and makes no line.
func (e ESIM) Sealed(box *seal.Box) (ESIM, error) {
	if box == nil || !strings.HasPrefix(e.Code, codeScheme) {
		return e, nil
	}
	var err error
	e.Code, err = box.Seal(e.Code, e.place())
	return e, err
}

// Opened is e with a code that a phone can read. One that was stored before codes
// were sealed is so already. It fails where the box has not the secret.
func (e ESIM) Opened(box *seal.Box) (ESIM, error) {
	if e.Code == "" || strings.HasPrefix(e.Code, codeScheme) {
		return e, nil
	}
	if box == nil {
		return e, seal.ErrOpen
	}
	var err error
	e.Code, _, err = box.Open(e.Code, e.place())
	return e, err
}

// Installs reports whether a line's code is still worth showing: it has one, and
// the line has not been renewed, which shows that it is installed, and is not dead.
func (e ESIM) Installs(l Line) bool {
	return e.Code != "" && l.Periods <= 1 && l.State != Terminal && l.State != Recycled
}

// AddBought appends the insertion of a line that was just bought, with what it is
// installed with. A profile that another line has violates a unique key; the
// ICCID, which operators use again, means this line from now on.
func AddBought(b *db.Batch, l Line, e ESIM, now time.Time) {
	if l.ProfileID != "" {
		b.Add(`INSERT INTO directory (kind, value, account_id, id) VALUES ($1,$2,$3,$4)`,
			ProfileKind(l.Operator), l.ProfileID, l.Account, l.ID)
	}
	if l.ICCID != "" {
		b.Add(`INSERT INTO directory (kind, value, account_id, id) VALUES ('iccid',$1,$2,$3)
			ON CONFLICT (kind, value) DO UPDATE SET account_id = excluded.account_id, id = excluded.id`, l.ICCID, l.Account, l.ID)
	}
	b.Add(`INSERT INTO lines (`+lineColumns+`, look_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24)`,
		l.Account, l.ID, l.Operator, l.Plan, l.ProfileID, l.ICCID, l.MSISDN, l.Name, l.State, l.Anchor,
		db.At(l.StartedAt), db.At(l.EndsAt), db.At(l.GraceEnds), l.Periods, l.Extending, l.Identity,
		l.Usage.Unlimited, l.Usage.Total, l.Usage.Used, l.Usage.Throttled, db.At(l.Usage.AsOf),
		db.At(now), db.At(now), db.At(now.Add(FirstLook)))
	b.Add(`INSERT INTO esims (`+esimColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`,
		e.Account, e.Line, db.Text(e.Order), e.Catalogue, e.Plan, e.Term, e.Code, e.Allowance, e.OperatorRef, db.At(e.InstallBy), db.At(now))
}

// FirstLook is how long after a line was bought its operator is first asked
// whether it is in use, and how often from then on until it is.
const FirstLook = 15 * time.Minute

const esimColumns = `account_id, line_id, order_id, catalogue_version, plan_id, term_id, code, allowance_bytes, operator_ref, install_by, created_at`

// GetESIM reads what a line is installed with, sealed, see [ESIM.Opened]. found is
// false for a line that did not come from here.
func GetESIM(ctx context.Context, tx db.Tx, account, line string) (e ESIM, found bool, err error) {
	var by, created db.Instant
	var order db.Text
	err = tx.QueryRow(ctx, `SELECT `+esimColumns+` FROM esims WHERE account_id = $1 AND line_id = $2`, account, line).
		Scan(&e.Account, &e.Line, &order, &e.Catalogue, &e.Plan, &e.Term, &e.Code, &e.Allowance, &e.OperatorRef, &by, &created)
	if errors.Is(err, db.ErrNoRows) {
		return ESIM{}, false, nil
	}
	e.Order, e.InstallBy, e.CreatedAt = string(order), by.Time, created.Time
	return e, err == nil, err
}

// Begin appends the guarded updates that let the first period p of a bought line
// begin. The guard fails when it has begun already. A line that its operator or
// staff stopped stays stopped.
func Begin(b *db.Batch, p Period, anchor int, graceEnds time.Time, unlimited bool, now time.Time) {
	b.Guard(`UPDATE lines
		SET state       = CASE WHEN state = 'new' THEN 'active' ELSE state END,
		    started_at  = $3, ends_at = $4, grace_ends_at = $5, anchor = $6, periods = 1, updated_at = $7,
		    unlimited   = CASE WHEN as_of IS NULL THEN $8 ELSE unlimited END,
		    total_bytes = CASE WHEN as_of IS NULL THEN $9 ELSE total_bytes END,
		    as_of       = COALESCE(as_of, $7)
		WHERE account_id = $1 AND id = $2 AND started_at IS NULL AND periods = 0`,
		p.Account, p.Line, db.At(p.StartsAt), db.At(p.EndsAt), db.At(graceEnds), anchor, db.At(now), unlimited, p.Allowance)
	AddPeriod(b, p, now)
}
