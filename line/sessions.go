package line

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// CardNumber is a number by which gateways know a card. The values of its kind are
// stored; do not rename.
type CardNumber struct {
	Kind  NumberKind
	Value string // digits
}

// NumberKind is what a number is.
type NumberKind string

// The kinds of numbers.
const (
	IMSI   NumberKind = "imsi"
	MSISDN NumberKind = "msisdn"
	ICCID  NumberKind = "iccid" // needs no list: a line has it
)

// SetCardNumber says which card has a number. A number moves with the last word: cards
// are replaced.
func SetCardNumber(b *db.Batch, n CardNumber, iccid string) {
	b.Add(`INSERT INTO card_numbers (kind, value, iccid) VALUES ($1,$2,$3)
		ON CONFLICT (kind, value) DO UPDATE SET iccid = excluded.iccid`, n.Kind, n.Value, iccid)
}

// ByNumber finds the line whose card has a number. It fails with [fault.NotFound].
func ByNumber(ctx context.Context, tx db.Tx, n CardNumber) (Line, error) {
	iccid := n.Value
	if n.Kind != ICCID {
		err := tx.QueryRow(ctx, `SELECT iccid FROM card_numbers WHERE kind = $1 AND value = $2`, n.Kind, n.Value).Scan(&iccid)
		if errors.Is(err, db.ErrNoRows) {
			return Line{}, NotFound()
		}
		if err != nil {
			return Line{}, err
		}
	}
	l, err := ByICCID(ctx, tx, iccid)
	if fault.KindOf(err) == fault.NotFound {
		err = NotFound()
	}
	return l, err
}

// Restarted notes that a gateway began anew: its sessions from before have ended.
func Restarted(ctx context.Context, tx db.Tx, gateway string, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO gateways (gateway, restarted_at) VALUES ($1,$2)
		ON CONFLICT (gateway) DO UPDATE SET restarted_at = excluded.restarted_at WHERE gateways.restarted_at < excluded.restarted_at`, gateway, db.At(at))
	return err
}

const sessionColumns = `gateway, session, number, begun_at, down_bytes, up_bytes, as_of, seen_at, stopped_at, heard_at`

func scanSession(row db.Row) (s Session, err error) {
	var begun, asOf, seen, stopped, heard db.Instant
	err = row.Scan(&s.Gateway, &s.Name, &s.Number, &begun, &s.Down, &s.Up, &asOf, &seen, &stopped, &heard)
	s.BegunAt, s.AsOf, s.SeenAt, s.StoppedAt, s.HeardAt = begun.Time, asOf.Time, seen.Time, stopped.Time, heard.Time
	return s, err
}

// mostOfName is how often an identifier of a session comes again, at most: the newest
// are read.
const mostOfName = 20

// SessionsOf reads the sessions of a line that a gateway gave one name, oldest first,
// with their stretches.
func SessionsOf(ctx context.Context, tx db.Tx, account, line, gateway, name string) (all []Session, err error) {
	all, err = sessions(ctx, tx, `SELECT `+sessionColumns+` FROM line_sessions
		WHERE account_id = $1 AND line_id = $2 AND gateway = $3 AND session = $4 ORDER BY number DESC LIMIT $5`, account, line, gateway, name, mostOfName)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	slices.Reverse(all)
	rows, err := tx.Query(ctx, `SELECT number, from_at, counted_bytes, as_of, used_bytes FROM session_stretches
		WHERE account_id = $1 AND line_id = $2 AND gateway = $3 AND session = $4 ORDER BY number, from_at`, account, line, gateway, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var number int
		var x Stretch
		var from, asOf db.Instant
		if err := rows.Scan(&number, &from, &x.Counted, &asOf, &x.Used); err != nil {
			return nil, err
		}
		x.From, x.AsOf = from.Time, asOf.Time
		if i := slices.IndexFunc(all, func(s Session) bool { return s.Number == number }); i >= 0 {
			all[i].Stretches = append(all[i].Stretches, x)
		}
	}
	return all, rows.Err()
}

// Sessions reads the newest sessions of a line, the one that was heard of last first,
// without their stretches.
func Sessions(ctx context.Context, tx db.Tx, account, line string, most int) ([]Session, error) {
	return sessions(ctx, tx, `SELECT `+sessionColumns+` FROM line_sessions
		WHERE account_id = $1 AND line_id = $2 ORDER BY heard_at DESC, begun_at DESC LIMIT $3`, account, line, most)
}

func sessions(ctx context.Context, tx db.Tx, query string, args ...any) (all []Session, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		s, err := scanSession(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// PutSession appends what stores a session as [Counted] made it of was; the zero
// Session where it is new.
func PutSession(b *db.Batch, account, line string, was, s Session) {
	b.Add(`INSERT INTO line_sessions (account_id, line_id, `+sessionColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)
		ON CONFLICT (account_id, line_id, gateway, session, number) DO UPDATE SET begun_at = excluded.begun_at, down_bytes = excluded.down_bytes,
			up_bytes = excluded.up_bytes, as_of = excluded.as_of, seen_at = excluded.seen_at, stopped_at = excluded.stopped_at, heard_at = excluded.heard_at`,
		account, line, s.Gateway, s.Name, s.Number, db.At(s.BegunAt), s.Down, s.Up, db.At(s.AsOf), db.At(s.SeenAt), db.At(s.StoppedAt), db.At(s.HeardAt))
	for _, x := range was.Stretches {
		if !slices.ContainsFunc(s.Stretches, func(y Stretch) bool { return y.From.Equal(x.From) }) {
			b.Add(`DELETE FROM session_stretches WHERE account_id = $1 AND line_id = $2 AND from_at = $3 AND gateway = $4 AND session = $5 AND number = $6`,
				account, line, db.At(x.From), s.Gateway, s.Name, s.Number)
		}
	}
	for _, x := range s.Stretches {
		if slices.ContainsFunc(was.Stretches, x.same) {
			continue
		}
		b.Add(`INSERT INTO session_stretches (account_id, line_id, from_at, gateway, session, number, counted_bytes, as_of, used_bytes)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
			ON CONFLICT (account_id, line_id, from_at, gateway, session, number) DO UPDATE SET
				counted_bytes = excluded.counted_bytes, as_of = excluded.as_of, used_bytes = excluded.used_bytes`,
			account, line, db.At(x.From), s.Gateway, s.Name, s.Number, x.Counted, db.At(x.AsOf), x.Used)
	}
}

func (s Stretch) same(o Stretch) bool {
	return s.From.Equal(o.From) && s.AsOf.Equal(o.AsOf) && s.Counted == o.Counted && s.Used == o.Used
}

// SessionsKept is for how long sessions are kept: a line's longest period, and some.
const SessionsKept = MaxDays * 24 * time.Hour

// ForgetSessions appends what removes the sessions of a line that are kept no longer.
func ForgetSessions(b *db.Batch, account, line string, now time.Time) {
	b.Add(`DELETE FROM session_stretches WHERE account_id = $1 AND line_id = $2 AND from_at < $3`, account, line, db.At(now.Add(-2*SessionsKept)))
	b.Add(`DELETE FROM line_sessions WHERE account_id = $1 AND line_id = $2 AND seen_at < $3`, account, line, db.At(now.Add(-SessionsKept)))
}

// Metered is what all sessions of a line say together.
type Metered struct {
	AsOf  time.Time           // everything until then is in the figures
	Since map[time.Time]int64 // bytes, by the beginning of a stretch (UTC)
}

// Used is what was used in the stretches that begin from an instant to another one.
func (m Metered) Used(from, to time.Time) (bytes int64) {
	for at, n := range m.Since {
		if !at.Before(from) && at.Before(to) {
			bytes += n
		}
	}
	return bytes
}

// silent is how long a session may be without a word while it may still run: figures
// are as old as the oldest of those. Gateways report every few minutes; one whose
// end was lost must not make figures old for ever.
const silent = 3 * time.Hour

// Meter reads what was used in all stretches that begin from an instant on.
func Meter(ctx context.Context, tx db.Tx, account, line string, from time.Time) (m Metered, err error) {
	var newest, oldest db.Instant
	err = tx.QueryRow(ctx, `SELECT MAX(s.seen_at),
			MIN(CASE WHEN s.stopped_at IS NULL AND s.seen_at >= $3 AND (g.restarted_at IS NULL OR g.restarted_at < s.seen_at) THEN s.as_of END)
		FROM line_sessions s LEFT JOIN gateways g ON g.gateway = s.gateway
		WHERE s.account_id = $1 AND s.line_id = $2`, account, line, db.At(tx.Now().Add(-silent))).Scan(&newest, &oldest)
	if err != nil {
		return m, err
	}
	if m.AsOf = newest.Time; !oldest.IsZero() {
		m.AsOf = oldest.Time
	}
	m.Since = map[time.Time]int64{}
	rows, err := tx.Query(ctx, `SELECT from_at, CAST(SUM(used_bytes) AS bigint) FROM session_stretches
		WHERE account_id = $1 AND line_id = $2 AND from_at >= $3 GROUP BY from_at`, account, line, db.At(from))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var at db.Instant
		var bytes int64
		if err := rows.Scan(&at, &bytes); err != nil {
			return m, err
		}
		m.Since[at.UTC()] = bytes
	}
	return m, rows.Err()
}

// MeterBase is what was said of a line before its sessions were counted here: they are
// counted from then on. It keeps what the line says now, the first time.
func MeterBase(ctx context.Context, tx db.Tx, l Line) (u Usage, err error) {
	var at db.Instant
	err = tx.QueryRow(ctx, `SELECT at, used_bytes, total_bytes FROM meter_bases WHERE account_id = $1 AND line_id = $2`, l.Account, l.ID).
		Scan(&at, &u.Used, &u.Total)
	if !errors.Is(err, db.ErrNoRows) {
		u.AsOf = at.Time
		return u, err
	}
	if l.Usage.Used > 0 {
		u = Usage{Used: l.Usage.Used, Total: l.Usage.Total, AsOf: l.Usage.AsOf}
	}
	_, err = tx.Exec(ctx, `INSERT INTO meter_bases (account_id, line_id, at, used_bytes, total_bytes) VALUES ($1,$2,$3,$4,$5)`,
		l.Account, l.ID, db.At(u.AsOf), u.Used, u.Total)
	return u, err
}

// SetUsage appends the figures of a line whose sessions we count ourselves. They are
// made of everything that is known, so that they replace what was there, and may be
// older than it.
func SetUsage(b *db.Batch, account, line string, u Usage, now time.Time) {
	b.Add(`UPDATE lines SET unlimited = $3, total_bytes = $4, used_bytes = $5, throttled = $6, as_of = $7, updated_at = $8
		WHERE account_id = $1 AND id = $2`, account, line, u.Unlimited, u.Total, u.Used, u.Throttled, db.At(u.AsOf), db.At(now))
}

// SetDay appends what was used on one day of a line whose sessions we count ourselves.
// Such a figure is of its day alone, whatever the plan.
func SetDay(b *db.Batch, account, line string, d Day, used int64, asOf time.Time, slow bool) {
	b.Add(`INSERT INTO usage_days AS d (account_id, line_id, day, as_of, unlimited, total_bytes, used_bytes, most_bytes, throttled, exhausted)
		VALUES ($1,$2,$3,$4,TRUE,0,$5,$5,$6,$6)
		ON CONFLICT (account_id, line_id, day) DO UPDATE SET as_of = excluded.as_of, unlimited = TRUE, total_bytes = 0,
			used_bytes = excluded.used_bytes, most_bytes = excluded.most_bytes,
			throttled = d.throttled OR excluded.throttled, exhausted = d.exhausted OR excluded.exhausted`,
		account, line, int64(d), db.At(asOf), used, slow)
}
