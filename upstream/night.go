package upstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

const (
	// Prices are compared between these hours of the operator's day, when few people
	// renew; a list may take a hundred requests.
	nightFrom, nightTo = 3, 6

	// againAfter is when a night's comparison is tried again that did not succeed.
	againAfter = 30 * time.Minute
)

// nightly are the kinds of finding that staff are told of.
var nightly = []Kind{Withdrawn, Dearer, Cheaper, OtherMoney}

// PriceStep compares, once in the night of each operator, what it sells with the plans
// that are on sale, and tells staff what was withdrawn or changed its price; and once
// it is as the catalogue says again.
func (w *Watch) PriceStep(ctx context.Context) (worked bool, err error) {
	type seen struct {
		cat *catalogue.Catalogue
		was map[string]compared
	}
	got, err := db.Seen(ctx, w.DB, func(ctx context.Context, tx db.Tx) (got seen, err error) {
		if got.cat, err = w.Shelf.Current(ctx, tx); err == nil {
			got.was, err = comparedSoFar(ctx, tx)
		}
		return got, err
	})
	if fault.KindOf(err) == fault.NotFound {
		return false, nil // nothing is sold yet
	}
	if err != nil {
		return false, err
	}
	name, day, ok := w.night(got.cat, got.was, w.DB.Now())
	if !ok {
		return false, nil
	}
	ours, err := db.Written(ctx, w.DB, func(ctx context.Context, tx db.Tx) (bool, error) { return claimNight(ctx, tx, name) })
	if err != nil || !ours {
		return false, err
	}
	return true, w.compare(ctx, got.cat, name, day)
}

// compared is when an operator's prices were compared last.
type compared struct {
	day string // whose night that was
	due time.Time
}

func comparedSoFar(ctx context.Context, tx db.Tx) (out map[string]compared, err error) {
	rows, err := tx.Query(ctx, `SELECT carrier, day, due_at FROM operator_prices`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	out = map[string]compared{}
	for rows.Next() {
		var name string
		var c compared
		var due db.Instant
		if err := rows.Scan(&name, &c.day, &due); err != nil {
			return nil, err
		}
		c.due = due.Time
		out[name] = c
	}
	return out, rows.Err()
}

// night finds an operator whose night it is and that was not compared in it.
func (w *Watch) night(cat *catalogue.Catalogue, was map[string]compared, now time.Time) (name, day string, ok bool) {
	for _, name := range slices.Sorted(maps.Keys(w.Carriers)) {
		at := slices.IndexFunc(cat.Operators, func(o catalogue.Operator) bool { return o.Carrier == name })
		if at < 0 || w.Carriers[name].Abilities().ByHand {
			continue
		}
		zone, err := cat.Operators[at].Zone.Location()
		if err != nil {
			continue // the catalogue was read with it
		}
		local := now.In(zone)
		today := local.Format(time.DateOnly)
		if c := was[name]; local.Hour() >= nightFrom && local.Hour() < nightTo && c.day != today && !c.due.After(now) {
			return name, today, true
		}
	}
	return "", "", false
}

func claimNight(ctx context.Context, tx db.Tx, name string) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO operator_prices (carrier, day, trouble, due_at) VALUES ($1,'','',$2)
		ON CONFLICT (carrier) DO UPDATE SET due_at = excluded.due_at WHERE operator_prices.due_at <= $3`, name, db.At(tx.Now().Add(againAfter)), db.At(tx.Now()))
	return n == 1, err
}

// compare asks one operator and stores what came of it.
func (w *Watch) compare(ctx context.Context, cat *catalogue.Catalogue, name, day string) error {
	answers := all(ctx, map[string]carrier.Carrier{name: w.Carriers[name]}, w.DB.Now, func(ctx context.Context, c carrier.Carrier) ([]carrier.Package, error) {
		return look(ctx, c, func(ctx context.Context) ([]carrier.Package, error) { return listing(ctx, c) })
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a := answers[0]
	if a.Err != nil {
		return w.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return notCompared(ctx, tx, a, day) })
	}
	var now []Alarm
	for _, f := range Check(cat, answers, Rates{}).Findings {
		if f.Carrier == name && f.Item != nil && f.Item.OnSale && slices.Contains(nightly, f.Kind) {
			now = append(now, Alarm{Carrier: name, Kind: f.Kind, Subject: f.Item.subject(), Told: f.Text})
		}
	}
	heard, err := db.Written(ctx, w.DB, func(ctx context.Context, tx db.Tx) (news, error) { return keepNight(ctx, tx, name, day, now) })
	if err == nil {
		heard.tell(ctx, w.Log)
	}
	return err
}

// subject names an item in stored rows.
func (i Item) subject() string {
	return fmt.Sprintf("%s/%s/%s/%s", i.Plan, i.ID, i.For, i.Package)
}

// notCompared stores why nothing could be compared. What staff were told stands. Of an
// operator that has no list the night is over.
func notCompared(ctx context.Context, tx db.Tx, a Answer[[]carrier.Package], day string) error {
	if !a.Untold() {
		day = ""
	}
	_, err := tx.Exec(ctx, `UPDATE operator_prices SET trouble = $2, day = CASE WHEN $3 = '' THEN day ELSE $3 END WHERE carrier = $1`, a.Carrier, a.Said(), day)
	return err
}

// keepNight stores what was found in a night, and what is news of it.
func keepNight(ctx context.Context, tx db.Tx, name, day string, now []Alarm) (heard news, err error) {
	before, err := alarms(ctx, tx, `SELECT carrier, kind, subject, told, opened_at FROM operator_alarms
		WHERE carrier = $1 AND kind <> $2 AND ended_at IS NULL ORDER BY kind, subject LIMIT $3`, name, LowBalance, mostAlarms)
	if err != nil {
		return heard, err
	}
	for _, a := range now {
		if err := heard.open(ctx, tx, a); err != nil {
			return heard, err
		}
	}
	for _, a := range before {
		if slices.ContainsFunc(now, func(b Alarm) bool { return a.Kind == b.Kind && a.Subject == b.Subject }) {
			continue
		}
		if err := heard.end(ctx, tx, a); err != nil {
			return heard, err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE operator_prices SET day = $2, checked_at = $3, trouble = '' WHERE carrier = $1`, name, day, db.At(tx.Now()))
	return heard, err
}
