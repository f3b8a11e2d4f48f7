package advice

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Stored is one version of what was learnt.
type Stored struct {
	Version   int64 // 0: the program's own, from published figures
	From, To  Date  // the days that it learnt from; 0: none
	Trips     int
	Scores    Scores
	MadeAt    time.Time
	Withdrawn string // why it is not used; "" while it is, or would be without a newer one
	InForce   bool
}

// modelsListed is how many versions [Versions] reads: the newest.
const modelsListed = 100

// Keep stores a model as the next version. withdrawn says why it is not to be
// used; "" puts it in force.
func Keep(ctx context.Context, tx db.Tx, m *Model, withdrawn string) (version int64, err error) {
	text, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	scores, err := json.Marshal(m.Scores)
	if err != nil {
		return 0, err
	}
	if err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(version), 0) + 1 FROM advice_models`).Scan(&version); err != nil {
		return 0, err
	}
	var gone time.Time
	if withdrawn != "" {
		gone = tx.Now()
	}
	_, err = tx.Exec(ctx, `INSERT INTO advice_models (version, model, from_day, to_day, trips, scores, made_at, withdrawn_at, withdrawn)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
		version, string(text), int64(m.From), int64(m.To), m.Scores.Trips, string(scores), db.At(tx.Now()), db.At(gone), withdrawn)
	return version, err
}

// Versions lists what was learnt, newest first; the last is version 0.
func Versions(ctx context.Context, tx db.Tx) (all []Stored, err error) {
	rows, err := tx.Query(ctx, `SELECT version, from_day, to_day, trips, scores, made_at, withdrawn
		FROM advice_models ORDER BY version DESC LIMIT $1`, modelsListed)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found := false
	for rows.Next() {
		var s Stored
		var scores string
		var made db.Instant
		if err := rows.Scan(&s.Version, &s.From, &s.To, &s.Trips, &scores, &made, &s.Withdrawn); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(scores), &s.Scores); err != nil {
			return nil, err
		}
		s.MadeAt, s.InForce = made.Time, !found && s.Withdrawn == ""
		found = found || s.InForce
		all = append(all, s)
	}
	return append(all, Stored{InForce: !found}), rows.Err()
}

// InForce is the version that advises: the newest that is not withdrawn; 0 and
// [Prior] where there is none.
func InForce(ctx context.Context, tx db.Tx) (version int64, m *Model, err error) {
	var text string
	err = tx.QueryRow(ctx, `SELECT version, model FROM advice_models WHERE withdrawn_at IS NULL ORDER BY version DESC LIMIT 1`).Scan(&version, &text)
	if errors.Is(err, db.ErrNoRows) {
		return 0, Prior(), nil
	}
	if err != nil {
		return 0, nil, err
	}
	m = &Model{}
	return version, m, m.UnmarshalJSON([]byte(text))
}

func numberInForce(ctx context.Context, tx db.Tx) (version int64, err error) {
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(version), 0) FROM advice_models WHERE withdrawn_at IS NULL`).Scan(&version)
	return version, err
}

// RollBack puts a version in force again: those after it are withdrawn. What is
// learnt later comes into force again. It fails with [fault.NotFound] for a
// version that does not exist.
func RollBack(ctx context.Context, tx db.Tx, version int64, why string) error {
	if version != 0 {
		n, err := tx.Exec(ctx, `UPDATE advice_models SET withdrawn_at = NULL, withdrawn = '' WHERE version = $1`, version)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "There is no version %d of the model. tsuzuku advise models lists them.", version)
		}
	}
	_, err := tx.Exec(ctx, `UPDATE advice_models SET withdrawn_at = $2, withdrawn = $3 WHERE version > $1 AND withdrawn_at IS NULL`,
		version, db.At(tx.Now()), why)
	return err
}
