package device

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// ImportTACs makes a table the one in force of its source: what an earlier one
// said is gone. The same table again changes nothing. by is who did it.
func ImportTACs(ctx context.Context, tx db.Tx, source Source, rows []TAC, by string) (changed bool, err error) {
	changed, err = begin(ctx, tx, source, digest(rows), len(rows), by)
	if err != nil || !changed {
		return false, err
	}
	var b db.Batch
	b.Add(`DELETE FROM device_tacs WHERE source = $1`, source)
	for _, t := range rows {
		b.Row(`INSERT INTO device_tacs (tac, source, brand, model, codes) VALUES ($1,$2,$3,$4,$5)`,
			t.TAC, source, t.Brand, t.Model, strings.Join(t.Codes, "|"))
	}
	return true, tx.Batch(ctx, &b)
}

// ImportOwn makes a list of versions the seller's own, in place of an earlier
// one. It fails with [fault.Invalid] for a list that does not go together with
// ours.
func ImportOwn(ctx context.Context, tx db.Tx, rows []OwnVersion, by string) (changed bool, err error) {
	if _, err := builtin.With(rows); err != nil {
		return false, fault.Wrap(fault.Invalid, err, "This list does not go together with the program's own.")
	}
	changed, err = begin(ctx, tx, Own, digest(rows), len(rows), by)
	if err != nil || !changed {
		return false, err
	}
	var b db.Batch
	b.Add(`DELETE FROM device_versions`)
	for _, r := range rows {
		b.Row(`INSERT INTO device_versions (brand, model, code, aka, sold_in, esim, locked, bands, origin) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			r.Brand, r.Model, r.Version.Code, strings.Join(r.Aka, "|"), strings.Join(r.Version.SoldIn, "|"), r.Version.ESIM,
			r.Version.LockRisk, r.Version.Bands.String(), r.Origin)
	}
	return true, tx.Batch(ctx, &b)
}

// begin notes an import, unless the very same table is in force.
func begin(ctx context.Context, tx db.Tx, source Source, digest string, rows int, by string) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO device_imports (source, digest, entries, imported_at, imported_by) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (source) DO UPDATE SET digest = excluded.digest, entries = excluded.entries,
			imported_at = excluded.imported_at, imported_by = excluded.imported_by
		WHERE device_imports.digest <> excluded.digest`, source, digest, rows, db.At(tx.Now()), by)
	return n > 0, err
}

func digest(rows any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", rows))
	return hex.EncodeToString(sum[:])
}

// LookUp is what the imported tables say about a TAC: the maker's own codes
// before names. It fails with [fault.NotFound] for one that none of them has.
func LookUp(ctx context.Context, tx db.Tx, tac string) (t TAC, err error) {
	var codes string
	err = tx.QueryRow(ctx, `
		SELECT tac, brand, model, codes FROM device_tacs
		 WHERE tac = $1
		 ORDER BY CASE source WHEN 'samsung' THEN 0 ELSE 1 END, source
		 LIMIT 1`, tac).Scan(&t.TAC, &t.Brand, &t.Model, &codes)
	if errors.Is(err, db.ErrNoRows) {
		return TAC{}, fault.New(fault.NotFound, "No table has this IMEI's model.")
	}
	t.Codes = split(codes)
	return t, err
}

// Named is the phone that a table's row means: a version where a code says so,
// else a model of exactly that name, else a phone that only has a name.
func (l *List) Named(t TAC) Found {
	var hits []name
	for _, c := range append([]string{t.Model}, t.Codes...) {
		for _, n := range l.byKey[strings.Join(tokens(c), "")] {
			if n.code != "" && n.rank == 0 {
				hits = append(hits, n)
			}
		}
	}
	if len(hits) > 0 {
		return l.either(hits, t)
	}
	for _, called := range append([]string{t.Model}, t.Codes...) {
		full := t.Brand + " " + called
		if called == "" {
			continue
		}
		for _, key := range []string{strings.Join(tokens(full), ""), strings.Join(tokens(called), "")} {
			if found := l.exactly(key); len(found) > 0 && found[0].code == "" {
				return l.found(found, Query{Text: full}, false)
			}
		}
	}
	return Found{Phone: Phone{Name: t.called()}}
}

// either is the phone whose version is one of several.
func (l *List) either(hits []name, t TAC) Found {
	f := l.found(hits, Query{Text: t.called()}, false)
	if f.Phone.Model == nil {
		return f
	}
	p := Phone{Model: f.Phone.Model}
	for _, v := range p.Model.Versions {
		for _, h := range hits {
			if h.code == v.Code && len(p.Possible) < len(hits) {
				p.Possible = append(p.Possible, v)
				break
			}
		}
	}
	p.Exact = len(p.Possible) == 1
	return Found{Phone: p}
}

// called is the name of a phone that no list knows.
func (t TAC) called() string {
	if t.Model != "" {
		return strings.TrimSpace(t.Brand + " " + t.Model)
	}
	return strings.TrimSpace(t.Brand + " " + strings.Join(t.Codes, ", "))
}

// Shelf keeps the list with the seller's own versions; whether they have changed
// is asked each time, by one row. The zero value is an empty shelf. It is safe
// for concurrent use.
type Shelf struct {
	mu     sync.Mutex
	digest string
	list   *List
}

// Current is the list that is in force.
func (s *Shelf) Current(ctx context.Context, tx db.Tx) (*List, error) {
	var now string
	err := tx.QueryRow(ctx, `SELECT digest FROM device_imports WHERE source = $1`, Own).Scan(&now)
	if errors.Is(err, db.ErrNoRows) {
		return builtin, nil
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	kept := s.list
	if s.digest != now {
		kept = nil
	}
	s.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	rows, err := ownRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	list, err := builtin.With(rows)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.digest, s.list = now, list
	return list, nil
}

func ownRows(ctx context.Context, tx db.Tx) (out []OwnVersion, err error) {
	rows, err := tx.Query(ctx, `SELECT brand, model, code, aka, sold_in, esim, locked, bands, origin FROM device_versions ORDER BY brand, model, code`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r OwnVersion
		var aka, sold, bands string
		if err := rows.Scan(&r.Brand, &r.Model, &r.Version.Code, &aka, &sold, &r.Version.ESIM, &r.Version.LockRisk, &bands, &r.Origin); err != nil {
			return nil, err
		}
		r.Aka, r.Version.SoldIn, r.Version.Bands = split(aka), split(sold), parseBands(bands)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Resolve is the phone that a query means, with what was imported. An IMEI that
// no table has is a phone without a name.
func (l *List) Resolve(ctx context.Context, tx db.Tx, q Query) (Found, error) {
	switch q.Kind {
	case ByEID:
		return Found{Phone: Phone{EID: true}}, nil
	case ByIMEI:
		t, err := LookUp(ctx, tx, q.TAC)
		if fault.KindOf(err) == fault.NotFound {
			return Found{}, nil
		}
		if err != nil {
			return Found{}, err
		}
		return l.Named(t), nil
	case ByName:
	}
	return l.Search(q), nil
}
