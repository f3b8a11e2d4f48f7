package db

import (
	"context"
	"time"
)

// SetGroupMax bounds the groups of d, an SQLite database nobody uses yet.
func SetGroupMax(d *DB, n int) { d.engine.(*sqliteEngine).writer.max = n }

// SetTurnLimit bounds the time of one write on d, like [SetGroupMax].
func SetTurnLimit(d *DB, limit time.Duration) { d.engine.(*sqliteEngine).writer.limit = limit }

// BreakConnections closes d's connections behind its back.
func BreakConnections(d *DB) {
	s := d.engine.(*sqliteEngine)
	_ = s.writer.conn.close()
	for range readersMax {
		c := <-s.readers
		if c != nil {
			_ = c.close()
		}
		s.readers <- c
	}
}

// LoseTransaction begins a transaction on d's writer, lets SQLite roll it back,
// and then runs query as if nobody had noticed.
func LoseTransaction(d *DB, query string) error {
	w := d.engine.(*sqliteEngine).writer
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.run("ROLLBACK"); err != nil {
		return err
	}
	return w.conn.command(context.Background(), query)
}

// Waiting is how many senders wait for their turn on d, a PostgreSQL database.
func Waiting(d *DB) int {
	s := &d.engine.(*postgresEngine).sender
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}

// SendLanes is how many transactions of senders there are at once.
const SendLanes = sendLanes
