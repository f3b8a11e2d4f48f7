package db

import (
	"context"
	"errors"
)

var errReads = errors.New("db: a function given to Send reads nothing, it only gives batches")

// Send is [DB.Write] for a function that reads nothing: all it does with its
// transaction is [Tx.Now] and [Tx.Batch]. What it gives to Batch is sent when it
// has returned, so that the error of a statement, [ErrGuard] too, comes from Send.
//
// On PostgreSQL those who send at the same time share a transaction, as all
// writes do on SQLite; if it fails, everyone's is run alone.
func (d *DB) Send(ctx context.Context, fn func(context.Context, Tx) error) error {
	j, err := d.job(ctx, fn)
	if err != nil {
		return err
	}
	return d.reached(true, func() error { return d.engine.send(ctx, j) })
}

// Sent is [DB.Send] for a function with a result.
func Sent[T any](ctx context.Context, d *DB, fn func(context.Context, Tx) (T, error)) (T, error) {
	return result(ctx, d.Send, fn)
}

// parcel is a session that keeps what it is given, to be sent later.
type parcel struct{ kept Batch }

func (p *parcel) exec(context.Context, string, []any) (int64, error) { return 0, errReads }

func (p *parcel) query(context.Context, string, []any) (cursor, error) { return nil, errReads }

func (p *parcel) batch(_ context.Context, b *Batch) error {
	p.kept.statements = append(p.kept.statements, b.statements...)
	return nil
}

// pack runs the job's function and returns what is to be sent.
func (j job) pack(ctx context.Context) (*Batch, error) {
	p := &parcel{}
	t := &tx{session: p, now: j.now(), texts: j.texts}
	return &p.kept, t.run(inside(ctx), j.fn)
}

// byItself is the job as a write of its own.
func (j job) byItself() job {
	fn := j.fn
	j.fn = func(ctx context.Context, in Tx) error {
		p := &parcel{}
		t := &tx{session: p, now: in.Now(), texts: j.texts}
		if err := t.run(ctx, fn); err != nil {
			return err
		}
		return in.Batch(ctx, &p.kept)
	}
	return j
}
