package db

import (
	"fmt"

	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"
)

// Alone tells SQLite that one goroutine at a time uses it in this process, so that it
// neither locks nor counts what it allocates. It must be called before the first
// database is opened, and is for programs with databases in memory only: see
// [memory], which lets one in at a time.
func Alone() error {
	tls := libc.NewTLS()
	defer tls.Close()
	if rc := sqlite.Xsqlite3_config(tls, sqlite.SQLITE_CONFIG_SINGLETHREAD, 0); rc != sqlite.SQLITE_OK {
		return fmt.Errorf("db: SQLite does not let itself be used alone (%d): a database is open already", rc)
	}
	v := libc.NewVaList(int32(0))
	defer libc.Xfree(tls, v)
	if rc := sqlite.Xsqlite3_config(tls, sqlite.SQLITE_CONFIG_MEMSTATUS, v); rc != sqlite.SQLITE_OK {
		return fmt.Errorf("db: SQLite goes on counting what it allocates (%d)", rc)
	}
	return nil
}
