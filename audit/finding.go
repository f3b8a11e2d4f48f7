package audit

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// Kind is one of the seven wrongs that cannot persist. The values are stored, are
// titles of cases, and are labels of metrics; do not rename.
type Kind string

// The kinds of finding.
const (
	ChargedNotExtended Kind = "charged_not_extended" // money is here, and what it paid for is not
	ExtendedNotCharged Kind = "extended_not_charged" // service is there that nobody paid for
	NoBill             Kind = "no_bill"              // a sale without its document, or a document without its number
	ChargedTwice       Kind = "charged_twice"        // two payments for one thing
	RefundNotArrived   Kind = "refund_not_arrived"   // money that should go back and does not
	PeriodDiffers      Kind = "period_differs"       // the operator ends a period before we do
	LedgerDiffers      Kind = "ledger_differs"       // our books and the provider's, or what was booked and what is
)

// Kinds are all of them.
var Kinds = []Kind{ChargedNotExtended, ExtendedNotCharged, NoBill, ChargedTwice, RefundNotArrived, PeriodDiffers, LedgerDiffers}

// Finding is one kind of wrong about one thing. There is one of a kind for a thing:
// it closes itself when it is no longer true, and opens again when it is.
type Finding struct {
	Account    string    `json:"account,omitempty"` // "" where it is nobody's
	Kind       Kind      `json:"kind"`
	Subject    string    `json:"subject"`         // the order, payment, refund or difference
	Order      string    `json:"order,omitempty"` // "" where it is about none
	Sign       string    `json:"sign"`            // by which it was found
	Evidence   string    `json:"evidence,omitempty"`
	FirstSeen  time.Time `json:"first_seen"` // since it opened last
	LastSeen   time.Time `json:"last_seen"`
	Deadline   time.Time `json:"deadline"` // when it must be settled
	Times      int       `json:"times"`    // how often it opened
	RepairedBy string    `json:"repaired_by,omitempty"`
	RepairedAt time.Time `json:"repaired_at,omitzero"` // when the repairer tried
	CaseAt     time.Time `json:"case_at,omitzero"`     // when a person was called
	ClosedAt   time.Time `json:"closed_at,omitzero"`
	LookAt     time.Time `json:"-"` // when it is looked at next; zero: it is closed

	since time.Time // of one that was just seen: from when it has been true, as the rows say
}

// Open reports whether f is still true, as far as is known.
func (f Finding) Open() bool { return f.ClosedAt.IsZero() }

// Late is for how long an open finding has been older than its deadline; 0 before.
func (f Finding) Late(now time.Time) time.Duration {
	if !f.Open() || !now.After(f.Deadline) {
		return 0
	}
	return now.Sub(f.Deadline)
}

// by is f as a sign found it, alone in a list.
func (f Finding) by(s sign, now time.Time) []Finding {
	f.Kind, f.Sign = s.kind, s.name
	if s.within > 0 {
		f.Deadline = now.Add(s.within)
	}
	return []Finding{f}
}

// name is what makes a finding the same one when it is found again.
type name struct {
	account string
	kind    Kind
	subject string
}

func (f Finding) name() name { return name{f.Account, f.Kind, f.Subject} }

const findingColumns = `account_id, kind, subject, order_id, sign, evidence, first_seen, last_seen, deadline, times,
	look_at, repaired_by, repaired_at, case_at, closed_at`

func scanFinding(row db.Row) (f Finding, err error) {
	var first, last, deadline, look, repaired, opened, closed db.Instant
	err = row.Scan(&f.Account, &f.Kind, &f.Subject, &f.Order, &f.Sign, &f.Evidence, &first, &last, &deadline, &f.Times,
		&look, &f.RepairedBy, &repaired, &opened, &closed)
	f.FirstSeen, f.LastSeen, f.Deadline, f.LookAt = first.Time, last.Time, deadline.Time, look.Time
	f.RepairedAt, f.CaseAt, f.ClosedAt = repaired.Time, opened.Time, closed.Time
	return f, err
}

func findings(ctx context.Context, tx db.Tx, query string, args ...any) (all []Finding, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		f, err := scanFinding(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, rows.Err()
}

const (
	openFindings = `SELECT ` + findingColumns + ` FROM findings WHERE look_at IS NOT NULL ORDER BY look_at, account_id, kind, subject LIMIT $1`

	closedFindings = `SELECT ` + findingColumns + ` FROM findings WHERE closed_at IS NOT NULL AND closed_at >= $1
		ORDER BY closed_at, account_id, kind, subject LIMIT $2`
)

// OpenFindings reads what is wrong now, at most so many, those that are looked at
// next first.
func OpenFindings(ctx context.Context, tx db.Tx, most int) ([]Finding, error) {
	return findings(ctx, tx, openFindings, most)
}

// ClosedFindings reads what was closed at an instant or later, the oldest first.
func ClosedFindings(ctx context.Context, tx db.Tx, since time.Time, most int) ([]Finding, error) {
	return findings(ctx, tx, closedFindings, db.At(since), most)
}

// of reads the findings of some orders, open or closed.
func of(ctx context.Context, tx db.Tx, accounts []string) (map[name]Finding, error) {
	all := map[name]Finding{}
	rows := make([][]any, len(accounts))
	for i, a := range accounts {
		rows[i] = []any{a}
	}
	err := tx.Several(ctx, `SELECT `+findingColumns+` FROM (VALUES ($1)) AS v JOIN findings ON account_id = column1`, rows, func(row db.Row) error {
		f, err := scanFinding(row)
		all[f.name()] = f
		return err
	})
	return all, err
}

// addOpened appends a finding that is new, or true again. What somebody else has
// opened meanwhile stays as it is.
func addOpened(b *db.Batch, f Finding, now time.Time) {
	b.Add(`INSERT INTO findings (account_id, kind, subject, order_id, sign, evidence, first_seen, last_seen, deadline, look_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$7,$8,$7)
		ON CONFLICT (account_id, kind, subject) DO UPDATE SET order_id = excluded.order_id, sign = excluded.sign, evidence = excluded.evidence,
			first_seen = excluded.first_seen, last_seen = excluded.last_seen, deadline = excluded.deadline, look_at = excluded.look_at,
			times = findings.times + 1, repaired_by = '', repaired_at = NULL, case_at = NULL, closed_at = NULL
		WHERE findings.closed_at IS NOT NULL`,
		f.Account, f.Kind, f.Subject, f.Order, f.Sign, f.Evidence, db.At(now), db.At(f.Deadline))
}

// addSeen appends that a finding is still true, and when it is looked at next. By
// another sign than before it has another deadline, and has to be answered anew.
func addSeen(b *db.Batch, f Finding, now, next time.Time) {
	b.Add(`UPDATE findings SET last_seen = $4, look_at = $5, evidence = $6, deadline = $8,
			repaired_at = CASE WHEN sign = $7 THEN repaired_at END, case_at = CASE WHEN sign = $7 THEN case_at END, sign = $7
		WHERE account_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL`,
		f.Account, f.Kind, f.Subject, db.At(now), db.At(next), f.Evidence, f.Sign, db.At(f.Deadline))
}

// addClosed appends that a finding is no longer true.
func addClosed(b *db.Batch, f Finding, now time.Time) {
	b.Add(`UPDATE findings SET closed_at = $4, look_at = NULL WHERE account_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL`,
		f.Account, f.Kind, f.Subject, db.At(now))
}

// addTried appends what the repairer did about a finding, and when it is seen whether
// that was enough.
func addTried(b *db.Batch, f Finding, by string, now, next time.Time) {
	b.Add(`UPDATE findings SET repaired_by = $4, repaired_at = $5, look_at = $6 WHERE account_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL`,
		f.Account, f.Kind, f.Subject, by, db.At(now), db.At(next))
}

// addCalled appends that a person was called; the guard fails where somebody else
// has called one.
func addCalled(b *db.Batch, f Finding, now, next time.Time) {
	b.Guard(`UPDATE findings SET case_at = $4, look_at = $5 WHERE account_id = $1 AND kind = $2 AND subject = $3 AND closed_at IS NULL AND case_at IS NULL`,
		f.Account, f.Kind, f.Subject, db.At(now), db.At(next))
}

const (
	// keptFor is how long a finding is kept that is closed.
	keptFor = 400 * 24 * time.Hour

	// forgottenAtOnce is how many old ones are deleted in a turn.
	forgottenAtOnce = 200
)

func addForgotten(b *db.Batch, now time.Time) {
	b.Add(`DELETE FROM findings WHERE (account_id, kind, subject) IN
		(SELECT account_id, kind, subject FROM findings WHERE closed_at IS NOT NULL AND closed_at <= $1 ORDER BY closed_at LIMIT $2)`,
		db.At(now.Add(-keptFor)), forgottenAtOnce)
}
