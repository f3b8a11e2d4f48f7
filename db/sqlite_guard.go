package db

// guard knows whether the writer's transaction is still open, and lets nothing
// be committed but by the writer's own COMMIT. SQLite ends a transaction by
// itself when the disk is full or a statement is interrupted, and would run the
// next statement in autocommit.
//
// Its fields belong to whoever uses the connection: SQLite calls back from within a
// statement.
type guard struct {
	committing bool // the writer's COMMIT is running
	ended      bool // SQLite has rolled back since the last BEGIN
}

// guarded puts a guard on c.
func guarded(c *sqliteConn) *guard {
	g := &guard{}
	c.guard(g)
	return g
}
