package advice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const (
	learnEvery = 24 * time.Hour
	learnLooks = time.Hour // how often it is asked whether it is time

	leastTrips   = 300    // finished, to learn from at all
	learnTrips   = 20_000 // at most: the newest
	learnAtOnce  = 100    // lines in one reading
	checkedShare = 0.3    // of them, the latest, check what the others teach
	worse        = 1.02   // how many times the loss of the model in force a new one may have
)

// LearnStep learns from finished trips once a day, when there are enough: it
// fits the earlier ones, checks and calibrates with the later ones, and stores
// the model with its scores. One that would have been worse than the model in
// force, on the same trips, is stored and not used.
func (a *Adviser) LearnStep(ctx context.Context) (worked bool, err error) {
	now := a.DB.Now()
	if now.Sub(a.learnt) < learnLooks {
		return false, nil
	}
	a.learnt = now
	versions, err := db.Seen(ctx, a.DB, Versions)
	if err != nil || len(versions) > 1 && now.Sub(versions[0].MadeAt) < learnEvery {
		return false, err
	}
	_, err = a.Learn(ctx)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// Learn makes a new version now. It fails with [fault.NotFound] when there are
// too few finished trips.
func (a *Adviser) Learn(ctx context.Context) (version int64, err error) {
	trips, err := a.finishedTrips(ctx)
	if err != nil {
		return 0, err
	}
	if len(trips) < leastTrips {
		return 0, fault.New(fault.NotFound, "There are %d finished trips; %d are needed to learn from.", len(trips), leastTrips)
	}
	split := len(trips) - int(checkedShare*float64(len(trips)))
	m, err := Fit(trips[:split], Options{})
	if err != nil {
		return 0, err
	}
	if m, err = m.Calibrate(trips[split:]...); err != nil {
		return 0, err
	}
	if err := a.Load(ctx, true); err != nil {
		return 0, err
	}
	former, err := a.Model().Calibrate(trips[split:]...)
	if err != nil {
		return 0, err
	}
	withdrawn := ""
	if m.Scores.Pinball > worse*former.Scores.Pinball {
		withdrawn = fmt.Sprintf("loss %.3f on %d moments; the version in force had %.3f", m.Scores.Pinball, m.Scores.Checked, former.Scores.Pinball)
	}
	version, err = db.Written(ctx, a.DB, func(ctx context.Context, tx db.Tx) (int64, error) { return Keep(ctx, tx, m, withdrawn) })
	if err != nil {
		return 0, err
	}
	a.Log.InfoContext(ctx, "learnt from trips", "version", version, "trips", len(trips), "loss", m.Scores.Pinball, "withdrawn", withdrawn)
	return version, a.Load(ctx, true)
}

// finishedTrips reads the stays of lines whose last period has ended, oldest
// first. Those of today may not be over.
func (a *Adviser) finishedTrips(ctx context.Context) (trips []Trip, err error) {
	var refs []line.Ref
	var cat *catalogue.Catalogue
	err = a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if cat, err = a.Shelf.Current(ctx, tx); err != nil {
			return err
		}
		refs, err = endedLines(ctx, tx, tx.Now().Add(-sameStay))
		return err
	})
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(refs, learnAtOnce) {
		err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			known, err := line.Several(ctx, tx, some)
			if err != nil {
				return err
			}
			for _, ref := range some {
				f, err := FactsOf(ctx, tx, ref.Account, ref.ID)
				if fault.KindOf(err) == fault.NotFound {
					continue
				}
				if err != nil {
					return err
				}
				k := known[ref]
				if t, ok := finished(renewal.Situation{Line: k.Line, Periods: k.Periods, Catalogue: cat}, f); ok && t.Validate() == nil {
					trips = append(trips, t)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(trips, func(a, b Trip) int { return cmp.Compare(a.Arrival, b.Arrival) })
	return trips, nil
}

func endedLines(ctx context.Context, tx db.Tx, before time.Time) (refs []line.Ref, err error) {
	rows, err := tx.Query(ctx, `SELECT account_id, id FROM advice_lines WHERE ends_at < $1 ORDER BY ends_at DESC LIMIT $2`, db.At(before), learnTrips)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r line.Ref
		if err := rows.Scan(&r.Account, &r.ID); err != nil {
			return nil, err
		}
		refs = append(refs, r)
	}
	return refs, rows.Err()
}
