package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/tsuzuku/tsuzuku/fault"
)

// ErrOtherEngine is returned by what only the other engine can do.
var ErrOtherEngine = errors.New("db: the other engine does that")

// Needs is the version of the schema that this program needs on an engine.
func Needs(e Engine) (version int64, err error) {
	names, err := fs.Glob(migrations, "migrations/"+string(e)+"/*.sql")
	if err != nil || len(names) == 0 {
		return 0, errors.Join(err, ErrOtherEngine)
	}
	_, err = fmt.Sscanf(path.Base(names[len(names)-1]), "%d_", &version) // in order of their names
	return version, err
}

// Version is the version of the schema as tx sees it, 0 if there is none.
func (d *DB) Version(ctx context.Context, tx Tx) (version int64, err error) {
	tables, err := d.Tables(ctx, tx)
	if err != nil || !slices.Contains(tables, "goose_db_version") {
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	return version, err
}

// Newer says what to do about a schema that this program does not know yet.
func Newer(got, want int64) error { return newer(got, want) }

// Tables are the names of all tables, sorted, as tx sees them.
func (d *DB) Tables(ctx context.Context, tx Tx) (names []string, err error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name`
	if d.Engine() == PostgreSQL {
		query = `SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`
	}
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names) // engines sort by different rules
	return names, rows.Err()
}

// CountRows is how many rows a table has. The name is one of [DB.Tables].
func CountRows(ctx context.Context, tx Tx, table string) (n int64, err error) {
	query := []string{"SELECT", "count(*)", "FROM", quoted(table)} // no text of its own: the name is not known here
	err = tx.QueryRow(ctx, strings.Join(query, " ")).Scan(&n)
	return n, err
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// CopyTo makes a file, which must not exist, of what look sees: the database as
// it is at one instant, while others go on writing. Until it is done their log
// grows. The file is complete in itself, and not yet synchronised. Only SQLite
// does that; else it is [ErrOtherEngine].
func (d *DB) CopyTo(ctx context.Context, file string, look func(context.Context, Tx) error) error {
	s, ok := d.engine.(*sqliteEngine)
	if !ok {
		return ErrOtherEngine
	}
	j, err := d.job(ctx, look)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the engineer chooses the file
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := s.copyTo(ctx, j, file); err != nil {
		return errors.Join(s.copying(err), os.Remove(file))
	}
	return nil
}

// copying says what to do about a copy that could not be made.
func (s *sqliteEngine) copying(err error) error {
	switch sqliteCode(err) & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR:
		return fault.Wrap(fault.Unavailable, err, "The disk for the copy of %s is full or broken. Make room, then try again.", s.path)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return damaged(s.path, err)
	}
	return err
}

// damaged says what to do about a file that SQLite cannot read.
func damaged(file string, err error) error {
	return fault.Wrap(fault.Invalid, err, "The database file %s is damaged. Keep it, with its -wal file, and restore a backup into another file: "+
		"tsuzuku restore BACKUP --database NEW-FILE", file)
}

// pagesAtOnce are copied before somebody looks whether to go on.
const pagesAtOnce = 2000

// copyTo copies the snapshot of one reader, page by page. The pages come from
// the transaction that look read in, so nothing that is written meanwhile is in
// the copy, and nothing makes it begin anew.
func (s *sqliteEngine) copyTo(ctx context.Context, j job, file string) (err error) {
	c, err := s.borrow(ctx)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	defer func() {
		if c.command(context.WithoutCancel(ctx), "ROLLBACK") != nil {
			_ = c.close() // as in read
			c = nil
		}
	}()
	if err := c.command(ctx, "BEGIN"); err != nil {
		return err
	}
	t := &tx{session: &sqliteSession{conn: c}, now: j.now(), readOnly: true, texts: j.texts}
	if err := t.run(inside(ctx), j.fn); err != nil {
		return err
	}
	source, ok := c.Conn.(interface {
		NewBackup(to string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("db: this SQLite driver makes no copies")
	}
	b, err := source.NewBackup("file:" + (&url.URL{Path: file}).EscapedPath() + "?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		if err = ctx.Err(); err == nil {
			more, err = b.Step(pagesAtOnce)
		}
	}
	if err := errors.Join(err, b.Finish()); err != nil {
		return err
	}
	return alone(ctx, file)
}

// alone makes a copied file one that needs no log beside it.
func alone(ctx context.Context, file string) (err error) {
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_pragma=journal_mode(DELETE)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var mode string
	if err := pool.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "delete" {
		return fmt.Errorf("db: the copy's journal is %s", mode)
	}
	return nil
}

// Exported runs use in a read-only transaction whose snapshot other connections
// can take by its name, as long as use runs. Only PostgreSQL does that; else it
// is [ErrOtherEngine].
func (d *DB) Exported(ctx context.Context, use func(ctx context.Context, tx Tx, snapshot string) error) error {
	if d.Engine() != PostgreSQL {
		return ErrOtherEngine
	}
	return d.Read(ctx, func(ctx context.Context, tx Tx) error {
		var snapshot string
		if err := tx.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot); err != nil {
			return err
		}
		return use(ctx, tx, snapshot)
	})
}

// Examine reads the whole file, as deeply as SQLite can, and fails with
// [fault.Invalid] if it is damaged. On PostgreSQL, which keeps checksums of its
// own, it does nothing.
func (d *DB) Examine(ctx context.Context) error {
	s, ok := d.engine.(*sqliteEngine)
	if !ok {
		return nil
	}
	return s.check(ctx, "PRAGMA integrity_check(1)")
}

// Glance looks for damage, but no longer than limit: a file that is too long for
// that is not seen whole. It fails with [fault.Invalid] if what it saw is
// damaged. On PostgreSQL, and on a database that no file is left of, it sees nothing and says
// that it saw all.
func (d *DB) Glance(ctx context.Context, limit time.Duration) (whole bool, err error) {
	s, ok := d.engine.(*sqliteEngine)
	if !ok || !s.lasts {
		return true, nil
	}
	short, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = s.check(short, "PRAGMA quick_check(1)")
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

func (s *sqliteEngine) check(ctx context.Context, pragma string) error {
	pool, err := sql.Open("sqlite", s.dsn)
	if err != nil {
		return err
	}
	defer pool.Close() //nolint:errcheck // it only read
	var found string
	err = pool.QueryRowContext(ctx, pragma).Scan(&found)
	switch code := sqliteCode(err) & 0xff; {
	case code == lib.SQLITE_CORRUPT || code == lib.SQLITE_NOTADB:
		return damaged(s.path, err)
	case err != nil:
		return err
	case found != "ok":
		return damaged(s.path, errors.New(found))
	}
	return nil
}
