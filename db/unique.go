package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	lib "modernc.org/sqlite/lib"
)

// IsUnique reports whether err comes from a statement that broke a primary key
// or a unique index. The transaction cannot be committed any more; a statement
// that expects it says ON CONFLICT instead.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	switch sqliteCode(err) {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}
