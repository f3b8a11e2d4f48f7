package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// How a transaction begins.
const (
	beginWrite = "begin"
	beginRead  = "begin isolation level repeatable read read only"
)

// postgresSession is a transaction on PostgreSQL. It begins in the round trip of
// its first statement. pgx prepares and caches the statements of each connection.
type postgresSession struct {
	conn  *pgx.Conn
	begin string // empty: it has begun
}

func (s *postgresSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	if s.begin == "" {
		tag, err := s.conn.Exec(ctx, query, args...)
		return tag.RowsAffected(), err
	}
	results, err := s.first(ctx, query, args)
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	if e := results.Close(); err == nil {
		err = e
	}
	return tag.RowsAffected(), err
}

func (s *postgresSession) query(ctx context.Context, query string, args []any) (cursor, error) {
	if s.begin == "" {
		r, err := s.conn.Query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		return postgresRows{r, nil}, nil
	}
	results, err := s.first(ctx, query, args)
	if err != nil {
		return nil, err
	}
	r, err := results.Query()
	if err != nil {
		_ = results.Close() // says the same
		return nil, err
	}
	return postgresRows{r, results}, nil
}

// first sends BEGIN and a statement together, and returns when the transaction
// has begun; the statement's result is next.
func (s *postgresSession) first(ctx context.Context, query string, args []any) (pgx.BatchResults, error) {
	var b pgx.Batch
	b.Queue(s.begin)
	b.Queue(query, args...)
	s.begin = ""
	results := s.conn.SendBatch(ctx, &b)
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // says the same
		return nil, err
	}
	return results, nil
}

func (s *postgresSession) batch(ctx context.Context, b *Batch) (err error) {
	var batch pgx.Batch
	begin := s.begin != ""
	if begin {
		batch.Queue(s.begin)
		s.begin = ""
	}
	for _, st := range b.statements {
		batch.Queue(st.query, st.args...)
	}
	results := s.conn.SendBatch(ctx, &batch)
	defer func() {
		if e := results.Close(); err == nil {
			err = e
		}
	}()
	if begin {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	for _, st := range b.statements {
		tag, err := results.Exec()
		if err != nil {
			return err
		}
		if st.guarded && tag.RowsAffected() != int64(st.rows) {
			return ErrGuard
		}
	}
	return nil
}

// commit ends the transaction; one without a statement was never begun.
func (s *postgresSession) commit(ctx context.Context) error {
	if s.begin != "" {
		return nil
	}
	tag, err := s.conn.Exec(ctx, "commit")
	if err == nil && tag.String() == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

func (s *postgresSession) rollback(ctx context.Context) error {
	if s.begin != "" || s.conn.IsClosed() {
		return nil
	}
	_, err := s.conn.Exec(ctx, "rollback")
	return err
}

// postgresRows closes as [Rows] does.
type postgresRows struct {
	pgx.Rows
	results pgx.BatchResults // nil unless the query was sent with BEGIN
}

func (r postgresRows) Close() error {
	r.Rows.Close()
	err := r.Err()
	if r.results != nil {
		if e := r.results.Close(); err == nil {
			err = e
		}
	}
	return err
}
