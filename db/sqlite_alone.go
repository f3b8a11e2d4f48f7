package db

import (
	"fmt"

	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"
)

// What SQLite has at hand for small things, so that it need not ask for each: so many
// slots of so many bytes. Prepared statements keep theirs, and there are hundreds.
const (
	lookasideSize  = 1200
	lookasideSlots = 20_000
)

// Alone tells SQLite that one goroutine at a time uses it in this process, so that it
// neither locks nor counts what it allocates, and has much memory at hand. It must be
// called before the first database is opened, and is for programs with databases in
// memory only: see [memory], which lets one in at a time.
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
	room := libc.NewVaList(int32(lookasideSize), int32(lookasideSlots))
	defer libc.Xfree(tls, room)
	if rc := sqlite.Xsqlite3_config(tls, sqlite.SQLITE_CONFIG_LOOKASIDE, room); rc != sqlite.SQLITE_OK {
		return fmt.Errorf("db: SQLite takes no more memory for small things (%d)", rc)
	}
	return nil
}
