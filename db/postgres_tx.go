package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// postgresSession is a transaction on PostgreSQL. pgx prepares and caches the
// statements of each connection.
type postgresSession struct{ tx pgx.Tx }

func (s postgresSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	tag, err := s.tx.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (s postgresSession) query(ctx context.Context, query string, args []any) (cursor, error) {
	r, err := s.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return postgresRows{r}, nil
}

func (s postgresSession) batch(ctx context.Context, b *Batch) (err error) {
	var batch pgx.Batch
	for _, st := range b.statements {
		batch.Queue(st.query, st.args...)
	}
	results := s.tx.SendBatch(ctx, &batch)
	defer func() {
		if e := results.Close(); err == nil {
			err = e
		}
	}()
	for _, st := range b.statements {
		tag, err := results.Exec()
		if err != nil {
			return err
		}
		if st.guarded && tag.RowsAffected() != 1 {
			return ErrGuard
		}
	}
	return nil
}

// postgresRows closes as [Rows] does.
type postgresRows struct{ pgx.Rows }

func (r postgresRows) Close() error {
	r.Rows.Close()
	return r.Err()
}
