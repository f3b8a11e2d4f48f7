package db

import (
	"fmt"

	"modernc.org/sqlite"
)

// guard knows whether the writer's transaction is still open, and lets nothing
// be committed but by the writer's own COMMIT. SQLite ends a transaction by
// itself when the disk is full or a statement is interrupted, and would run the
// next statement in autocommit.
//
// Its fields belong to whoever uses the connection: SQLite calls the hooks from
// within a statement.
type guard struct {
	committing bool // the writer's COMMIT is running
	ended      bool // SQLite has rolled back since the last BEGIN
}

// guarded puts a guard on c.
func guarded(c *sqliteConn) (*guard, error) {
	h, ok := c.Conn.(sqlite.HookRegisterer)
	if !ok {
		return nil, fmt.Errorf("db: %T has no hooks", c.Conn)
	}
	g := &guard{}
	h.RegisterRollbackHook(func() { g.ended = true })
	h.RegisterCommitHook(func() int32 {
		if g.committing {
			return 0
		}
		return 1 // SQLite rolls back instead
	})
	return g, nil
}
