package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/tsuzuku/tsuzuku/fault"
)

// readersMax is how many read-only transactions run at the same time.
const readersMax = 8

// sqliteEngine has one writer, see sqlite_writer.go, and several readers on the
// same file.
type sqliteEngine struct {
	path    string
	scratch string // a directory to remove on close; may be empty
	lasts   bool   // there is a file, and it is left when the database is closed
	dsn     string
	writer  *writer
	readers chan *sqliteConn // nil: a connection not opened yet
}

func openSQLite(path string) (engine, error) {
	s := &sqliteEngine{path: path, readers: make(chan *sqliteConn, readersMax)}
	if path == ":memory:" {
		dir, err := os.MkdirTemp("", "tsuzuku-*")
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "No temporary directory for the database could be made. Check TMPDIR and its permissions.")
		}
		s.path, s.scratch = filepath.Join(dir, "tsuzuku.db"), dir
	}
	s.lasts = s.scratch == ""
	s.dsn = sqliteDSN(s.path, s.lasts)
	w, err := newWriter(s.dsn)
	if err != nil {
		return nil, s.explain(err)
	}
	s.writer = w
	for range readersMax {
		s.readers <- nil
	}
	return s, nil
}

// sqliteDSN leaves nothing to SQLite's defaults that matters. A scratch file
// need not survive a power cut.
func sqliteDSN(path string, durable bool) string {
	synchronous := "FULL"
	if !durable {
		synchronous = "OFF"
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_txlock=immediate&_dqs=0" +
		"&_pragma=busy_timeout(5000)" +
		"&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(" + synchronous + ")" +
		"&_pragma=temp_store(MEMORY)" + // what a savepoint may have to undo is not worth a file
		"&_pragma=foreign_keys(ON)" +
		"&_pragma=wal_autocheckpoint(10000)"
}

// explain says what to do about a file that cannot be opened.
func (s *sqliteEngine) explain(err error) error {
	switch sqliteCode(err) & 0xff {
	case lib.SQLITE_NOTADB:
		return fault.Wrap(fault.Invalid, err, "The file %s is not a database. Name another file, or move this one away.", s.path)
	case lib.SQLITE_CORRUPT:
		return damaged(s.path, err)
	case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_READONLY, lib.SQLITE_AUTH:
		if dir, e := os.Stat(filepath.Dir(s.path)); e != nil || !dir.IsDir() {
			return fault.Wrap(fault.Invalid, err, "The database file %s cannot be created: there is no directory %s. Create it, or name another file.",
				s.path, filepath.Dir(s.path))
		}
		return fault.Wrap(fault.Invalid, err, "The database file %s cannot be opened for writing. "+
			"Give this user the permission to write to it and to its directory, or name another file.", s.path)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fault.Wrap(fault.Unavailable, err, "The database file %s is locked by another program. Close that program, or try again later.", s.path)
	case lib.SQLITE_FULL, lib.SQLITE_IOERR:
		return fault.Wrap(fault.Unavailable, err, "The disk that holds %s is full or broken. Make room, then try again.", s.path)
	}
	return fmt.Errorf("db: open %s: %w", s.path, err)
}

func (s *sqliteEngine) name() Engine { return SQLite }

func (s *sqliteEngine) write(ctx context.Context, j job) error { return s.writer.write(ctx, j) }

func (s *sqliteEngine) send(ctx context.Context, j job) error { return s.write(ctx, j.byItself()) }

func (s *sqliteEngine) read(ctx context.Context, j job) (err error) {
	c, err := s.borrow(ctx)
	if err != nil {
		return err
	}
	defer func() { s.readers <- c }()
	defer func() {
		if c.command(context.WithoutCancel(ctx), "ROLLBACK") != nil {
			_ = c.close() // whatever is wrong with it, the next reader gets a new one
			c = nil
		}
	}()
	if err := c.command(ctx, "BEGIN"); err != nil {
		return err
	}
	t := &tx{session: &sqliteSession{conn: c}, now: j.now(), readOnly: true, texts: j.texts}
	return t.run(inside(ctx), j.fn)
}

func (s *sqliteEngine) borrow(ctx context.Context) (*sqliteConn, error) {
	select {
	case c, ok := <-s.readers:
		switch {
		case !ok:
			return nil, errClosed
		case c != nil:
			return c, nil
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := newSQLiteConn(s.dsn)
	if err == nil {
		if err = c.command(ctx, "PRAGMA query_only = ON"); err != nil {
			_ = c.close()
		}
	}
	if err != nil {
		s.readers <- nil
		return nil, err
	}
	return c, nil
}

func (s *sqliteEngine) migrator(context.Context) (*migrator, error) {
	pool, err := sql.Open("sqlite", s.dsn)
	if err != nil {
		return nil, err
	}
	return sqliteMigrator(pool), nil
}

func sqliteMigrator(pool *sql.DB) *migrator {
	return &migrator{
		db:      pool,
		dialect: goose.DialectSQLite3,
		exists:  `SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`,
	}
}

// close waits for the writer and every reader.
func (s *sqliteEngine) close() error {
	err := s.writer.close()
	for range readersMax {
		if c := <-s.readers; c != nil {
			err = errors.Join(err, c.close())
		}
	}
	close(s.readers)
	if s.scratch != "" {
		err = errors.Join(err, os.RemoveAll(s.scratch))
	}
	return err
}

func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
