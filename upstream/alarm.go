package upstream

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// LowBalance is the kind of alarm of a balance below its floor; the others are the
// kinds of findings.
const LowBalance Kind = "low_balance"

// Alarm is what staff were told of an operator.
type Alarm struct {
	Carrier  string    `json:"carrier"`
	Kind     Kind      `json:"kind"`
	Subject  string    `json:"subject,omitempty"` // what it is about; of a balance nothing
	Told     string    `json:"told"`              // a sentence
	OpenedAt time.Time `json:"opened_at"`
}

// Alarms are those that are not over, the newest first.
func Alarms(ctx context.Context, tx db.Tx) ([]Alarm, error) {
	return alarms(ctx, tx, `SELECT carrier, kind, subject, told, opened_at FROM operator_alarms WHERE ended_at IS NULL
		ORDER BY opened_at DESC, carrier, kind, subject LIMIT $1`, mostAlarms)
}

// mostAlarms bounds a list; a catalogue has no more items that are on sale.
const mostAlarms = 10_000

func alarms(ctx context.Context, tx db.Tx, query string, args ...any) (out []Alarm, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a Alarm
		var opened db.Instant
		if err := rows.Scan(&a.Carrier, &a.Kind, &a.Subject, &a.Told, &opened); err != nil {
			return nil, err
		}
		a.OpenedAt = opened.Time
		out = append(out, a)
	}
	return out, rows.Err()
}

// news is what changed about alarms, to be told when it is stored.
type news struct{ opened, ended []Alarm }

// open opens an alarm that is not open, or says something else now; what is so already
// is no news.
func (n *news) open(ctx context.Context, tx db.Tx, a Alarm) error {
	changed, err := tx.Exec(ctx, `INSERT INTO operator_alarms (carrier, kind, subject, told, opened_at) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (carrier, kind, subject) DO UPDATE SET told = excluded.told, opened_at = excluded.opened_at, ended_at = NULL
		WHERE operator_alarms.ended_at IS NOT NULL OR operator_alarms.told <> excluded.told`, a.Carrier, a.Kind, a.Subject, a.Told, db.At(tx.Now()))
	if changed > 0 {
		n.opened = append(n.opened, a)
	}
	return err
}

// end ends an alarm that is open.
func (n *news) end(ctx context.Context, tx db.Tx, a Alarm) error {
	changed, err := tx.Exec(ctx, `UPDATE operator_alarms SET ended_at = $4 WHERE carrier = $1 AND kind = $2 AND subject = $3 AND ended_at IS NULL`,
		a.Carrier, a.Kind, a.Subject, db.At(tx.Now()))
	if changed > 0 {
		n.ended = append(n.ended, a)
	}
	return err
}

// tell says the news to staff, in the log.
func (n news) tell(ctx context.Context, log *slog.Logger) {
	for _, a := range n.opened {
		log.ErrorContext(ctx, "operator alarm", "carrier", a.Carrier, "kind", a.Kind, "what", a.Told)
	}
	for _, a := range n.ended {
		log.InfoContext(ctx, "operator alarm is over", "carrier", a.Carrier, "kind", a.Kind, "what", a.Told)
	}
}
