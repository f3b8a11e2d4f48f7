package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/tsuzuku/tsuzuku/fault"
)

//go:embed migrations
var migrations embed.FS

// migrator is an engine as goose sees it.
type migrator struct {
	db      *sql.DB
	dialect goose.Dialect
	options []goose.ProviderOption
	exists  string // a query: is there a table of versions?
}

// Migrate brings the schema to the version this program needs. It returns the
// version found and the version reached. On PostgreSQL only one process at a
// time migrates; the others wait. It fails with [fault.Invalid] if the database
// is from a newer version of this program that took away what this one needs.
func (d *DB) Migrate(ctx context.Context) (from, to int64, err error) {
	m, err := d.engine.migrator(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, m.db.Close()) }()
	p, err := m.provider(d.Engine())
	if err != nil {
		return 0, 0, err
	}
	from, want, err := m.versions(ctx, p)
	if err != nil || from == want {
		return from, from, err
	}
	if from > want {
		return from, from, m.serves(ctx, from, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return from, from, fmt.Errorf("db: migrate: %w", err)
	}
	return from, want, nil
}

// CheckSchema fails with [fault.Invalid] unless this program may work on the schema:
// it is the one that the program was made for, or ahead of it by migrations that took
// nothing away. The message says what to do. It changes nothing.
func (d *DB) CheckSchema(ctx context.Context) (ahead bool, err error) {
	m, err := d.engine.migrator(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, m.db.Close()) }()
	p, err := m.provider(d.Engine())
	if err != nil {
		return false, err
	}
	got, want, err := m.versions(ctx, p)
	switch {
	case err != nil:
		return false, err
	case got > want:
		return true, m.serves(ctx, got, want)
	case got < want:
		return false, fault.New(fault.Invalid, "The database's schema is version %d and this program needs version %d; run: tsuzuku migrate", got, want)
	}
	return false, nil
}

// serves fails with [fault.Invalid] unless a program that was made for the schema want
// may work on the newer one that is there.
func (m *migrator) serves(ctx context.Context, got, want int64) error {
	var oldest int64
	if err := m.db.QueryRowContext(ctx, `SELECT oldest FROM schema_floor WHERE one = 1`).Scan(&oldest); err != nil {
		return fmt.Errorf("db: schema floor: %w", err)
	}
	if oldest > want {
		return newer(got, want)
	}
	return nil
}

// SchemaID identifies the schema that [DB.Migrate] makes on e: it changes when a
// migration is added or edited. Tests share prepared databases by it.
func SchemaID(e Engine) (string, error) {
	names, err := fs.Glob(migrations, "migrations/"+string(e)+"/*.sql")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range names { // in order of their names
		text, err := migrations.ReadFile(name)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%s %d\n%s", name, len(text), text) // a hash does not fail
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func newer(got, want int64) error {
	return fault.New(fault.Invalid, "This database is from a newer version of Tsuzuku: its schema is version %d, "+
		"and this program knows versions up to %d. Install the newer program, or restore the backup made before the upgrade.", got, want)
}

func (m *migrator) provider(e Engine) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+string(e))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(m.dialect, m.db, files, append(m.options, goose.WithDisableGlobalRegistry(true))...)
}

// versions returns the version of the schema, 0 if there is none, and the
// version this program needs. Unlike goose's own it creates no table.
func (m *migrator) versions(ctx context.Context, p *goose.Provider) (got, want int64, err error) {
	sources := p.ListSources()
	want = sources[len(sources)-1].Version
	var exists bool
	if err := m.db.QueryRowContext(ctx, m.exists).Scan(&exists); err != nil || !exists {
		return 0, want, err
	}
	err = m.db.QueryRowContext(ctx,
		`SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&got)
	return got, want, err
}
