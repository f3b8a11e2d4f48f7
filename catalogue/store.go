package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Apply makes file the current version of the catalogue and returns it. A file
// that is the current version already changes nothing. by is who did it, for
// the trail.
//
// It fails with [Mistakes] for a file that is wrong, and with [fault.Conflict]
// when someone else applied a file at the same time.
func Apply(ctx context.Context, tx db.Tx, file []byte, by string) (applied *Catalogue, changed bool, err error) {
	c, err := Read("catalogue", file)
	if err != nil {
		return nil, false, err
	}
	digest := digestOf(file)
	last, err := currentKey(ctx, tx)
	switch {
	case errors.Is(err, db.ErrNoRows): // the first
	case err != nil:
		return nil, false, err
	case last.digest == digest:
		c.Version, c.AppliedAt = last.version, last.at.Time
		return c, false, nil
	}
	c.Version, c.AppliedAt = last.version+1, tx.Now()
	n, err := tx.Exec(ctx, `
		INSERT INTO catalogue_versions (version, file, digest, applied_at, applied_by)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (version) DO NOTHING`,
		c.Version, string(file), digest, db.At(c.AppliedAt), by)
	if err != nil {
		return nil, false, fmt.Errorf("catalogue: apply: %w", err)
	}
	if n == 0 {
		return nil, false, fault.Because(fault.Conflict, "catalogue_changed",
			"Somebody else has just changed the catalogue. Compare again.", nil)
	}
	return c, true, nil
}

// Current returns the version that is on sale. It fails with [fault.NotFound]
// while no file has been applied.
//
// It reads the whole file; whoever asks often asks a [Shelf].
func Current(ctx context.Context, tx db.Tx) (*Catalogue, error) {
	k, err := currentKey(ctx, tx)
	if err != nil {
		return nil, nothing(err)
	}
	return load(ctx, tx, k)
}

// At returns a version that was applied at some time, for what was sold under
// it. It fails with [fault.NotFound] when there is no such version.
func At(ctx context.Context, tx db.Tx, version int64) (*Catalogue, error) {
	k, err := keyOf(ctx, tx, version)
	if err != nil {
		return nil, nothing(err)
	}
	return load(ctx, tx, k)
}

// shelfRoom is how many versions a shelf keeps. Orders refer to recent ones.
const shelfRoom = 64

// Shelf keeps the versions that were read lately. Versions never change, so
// what is on the shelf is right as long as it is the version that the database
// names; that is asked each time, by one indexed query, until a read-only
// transaction has seen the version: it is committed then, and its number is
// enough. The zero value is an empty shelf. It is safe for concurrent use.
type Shelf struct {
	mu      sync.Mutex
	kept    map[key]*Catalogue
	settled map[int64]*Catalogue // those that are certainly committed, by number
}

// key is all that distinguishes one version from another. A number is not
// enough while the version is new: a transaction that applied version 7 may be
// rolled back, and another file become version 7.
type key struct {
	version int64
	digest  string
	at      db.Instant
}

// Current is [Current] from the shelf.
func (s *Shelf) Current(ctx context.Context, tx db.Tx) (*Catalogue, error) {
	k, err := currentKey(ctx, tx)
	if err != nil {
		return nil, nothing(err)
	}
	return s.get(ctx, tx, k)
}

// At is [At] from the shelf.
func (s *Shelf) At(ctx context.Context, tx db.Tx, version int64) (*Catalogue, error) {
	if c, ok := s.Settled(version); ok {
		return c, nil
	}
	k, err := keyOf(ctx, tx, version)
	if err != nil {
		return nil, nothing(err)
	}
	return s.get(ctx, tx, k)
}

// Settled is the version with this number if it has been seen committed: it
// needs no transaction.
func (s *Shelf) Settled(version int64) (*Catalogue, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.settled[version]
	return c, ok
}

// Anew is a shelf for another process on the same database: what this one has read it
// need not read again, but has still to see that it is there.
func (s *Shelf) Anew() *Shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Shelf{kept: maps.Clone(s.kept), settled: map[int64]*Catalogue{}}
}

// get reads outside the lock: two readers of a new version may both parse it.
func (s *Shelf) get(ctx context.Context, tx db.Tx, k key) (c *Catalogue, err error) {
	s.mu.Lock()
	c, ok := s.kept[k]
	s.mu.Unlock()
	if !ok {
		if c, err = load(ctx, tx, k); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept) >= shelfRoom {
		s.kept, s.settled = map[key]*Catalogue{}, map[int64]*Catalogue{} // rare, and cheaper than remembering who was read when
	}
	s.kept[k] = c
	if tx.ReadOnly() { // in a write it might be this one's own work, or a neighbour's in its group
		s.settled[k.version] = c
	}
	return c, nil
}

func currentKey(ctx context.Context, tx db.Tx) (k key, err error) {
	err = tx.QueryRow(ctx, `
		SELECT version, digest, applied_at
		  FROM catalogue_versions
		 ORDER BY version DESC
		 LIMIT 1`).Scan(&k.version, &k.digest, &k.at)
	return k, err
}

func keyOf(ctx context.Context, tx db.Tx, version int64) (k key, err error) {
	err = tx.QueryRow(ctx, `
		SELECT version, digest, applied_at
		  FROM catalogue_versions
		 WHERE version = $1`, version).Scan(&k.version, &k.digest, &k.at)
	return k, err
}

func nothing(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fault.Because(fault.NotFound, "no_catalogue", "There is no such version of the catalogue.", nil)
	}
	return err
}

// load reads a version's file. A later program may have learned rules that the
// file breaks; what was sold under it stands, so only a file that cannot be
// read at all is an error.
func load(ctx context.Context, tx db.Tx, k key) (*Catalogue, error) {
	var file string
	err := tx.QueryRow(ctx, `SELECT file FROM catalogue_versions WHERE version = $1`, k.version).Scan(&file)
	if err != nil {
		return nil, nothing(err)
	}
	if digestOf([]byte(file)) != k.digest {
		return nil, fault.New(fault.Internal, "catalogue: the file of version %d is not the one that was applied", k.version)
	}
	c, mistakes, _ := read(fmt.Sprintf("version %d", k.version), []byte(file))
	if bad := mistakes.unreadable(); len(bad) > 0 {
		return nil, fmt.Errorf("catalogue: version %d cannot be read: %w", k.version, bad)
	}
	c.Version, c.AppliedAt = k.version, k.at.Time
	return c, nil
}

func digestOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// Applied is one version in the list of versions, for staff.
type Applied struct {
	Version int64
	At      time.Time
	By      string
}

// History lists the newest versions, at most limit, the newest first.
func History(ctx context.Context, tx db.Tx, limit int64) ([]Applied, error) {
	rows, err := tx.Query(ctx, `
		SELECT version, applied_at, applied_by
		  FROM catalogue_versions
		 ORDER BY version DESC
		 LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	var out []Applied
	for rows.Next() {
		var a Applied
		var at db.Instant
		if err := rows.Scan(&a.Version, &at, &a.By); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		a.At = at.Time
		out = append(out, a)
	}
	return out, errors.Join(rows.Err(), rows.Close())
}
