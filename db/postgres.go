package db

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/tsuzuku/tsuzuku/fault"
)

const (
	// poolMax is the number of connections unless the URL says pool_max_conns.
	// A few per processor are fastest; more only wait inside the server.
	poolMax = 8

	// attemptsMax bounds how often a write is run when the server refuses it.
	attemptsMax = 10

	// commitLimit is how long a COMMIT may take. The caller's own limit does not
	// count then: giving up in the middle would leave the outcome unknown.
	commitLimit = 10 * time.Second
)

// ErrCommitUnknown is in the error of a [DB.Write] whose connection was lost
// between COMMIT and its answer, or whose disk failed during COMMIT on SQLite:
// the transaction may have been committed or not.
// The write is not run again. Whoever gets it looks: a key that makes the write
// unique tells.
var ErrCommitUnknown error = fault.Because(fault.Unavailable, "commit_unknown",
	"Our database was lost at the very moment of saving, so we do not know yet whether this was saved. Look before you do it again.", nil)

type postgresEngine struct {
	pool   *pgxpool.Pool
	sender sender
	closed atomic.Bool
}

func openPostgres(ctx context.Context, text string) (engine, error) {
	u, err := url.Parse(text)
	if err != nil {
		// The cause is not shown: it quotes the URL, and with it the password.
		return nil, fault.New(fault.Invalid, "The database URL cannot be read. Write it as postgres://user:password@host:5432/name, with special characters escaped as %%40.")
	}
	c, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The database URL has a part that PostgreSQL does not know. Check the names after the question mark.")
	}
	if host := fallsBack(c.ConnConfig); host != "" {
		return nil, fault.New(fault.Invalid, "PostgreSQL at %s might be spoken to without encryption, and nobody would notice. Add sslmode=verify-full to the database URL (sslmode=require, if its certificate cannot be verified), or sslmode=disable if the way there is your own.", host)
	}
	if !u.Query().Has("pool_max_conns") {
		c.MaxConns = poolMax
	}
	if c.ConnConfig.RuntimeParams["application_name"] == "" {
		c.ConnConfig.RuntimeParams["application_name"] = "tsuzuku"
	}
	dialSoon(c.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, unreachable(c.ConnConfig, err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, unreachable(c.ConnConfig, err)
	}
	p := &postgresEngine{pool: pool}
	p.sender.attempt = func(ctx context.Context, j job) error { return p.attempt(ctx, beginWrite, j) }
	return p, nil
}

// fallsBack returns a host across a network to which a connection would be made with or
// without encryption, as it turns out: what the driver does unless the URL says
// otherwise. It is "" where the URL says one of both, and for this very machine.
func fallsBack(c *pgx.ConnConfig) string {
	plain, encrypted := map[string]bool{}, map[string]bool{}
	note := func(host string, tls bool) {
		if tls {
			encrypted[host] = true
		} else {
			plain[host] = true
		}
	}
	note(c.Host, c.TLSConfig != nil)
	for _, f := range c.Fallbacks {
		note(f.Host, f.TLSConfig != nil)
	}
	for host := range plain {
		if encrypted[host] && !thisMachine(host) {
			return host
		}
	}
	return ""
}

// thisMachine reports whether a host is reached without a network: a socket's folder, or
// a loopback address.
func thisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// unreachable says what to do about a server that cannot be used.
func unreachable(c *pgx.ConnConfig, err error) error {
	code := ""
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		code = e.Code
	}
	switch {
	case code == "28P01" || code == "28000":
		return fault.Wrap(fault.Invalid, err, "PostgreSQL refused the user %q or its password. Check both in the database URL.", c.User)
	case code == "3D000":
		return fault.Wrap(fault.Invalid, err, "PostgreSQL has no database %q. Create it with: createdb %s", c.Database, c.Database)
	case code == "53300":
		return fault.Wrap(fault.Unavailable, err, "PostgreSQL has no connection left. Raise its max_connections, or lower pool_max_conns in the database URL.")
	case code != "":
		return fault.Wrap(fault.Unavailable, err, "PostgreSQL at %s did not accept the connection. Its log says why.", hosts(c))
	}
	return fault.Wrap(fault.Unavailable, err, "PostgreSQL at %s cannot be reached. Check that it runs and that the database URL is right.", hosts(c))
}

// hosts names every host of the URL once.
func hosts(c *pgx.ConnConfig) string {
	all := []string{fmt.Sprintf("%s port %d", c.Host, c.Port)}
	for _, f := range c.Fallbacks {
		if one := fmt.Sprintf("%s port %d", f.Host, f.Port); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return strings.Join(all, " or ")
}

func (p *postgresEngine) name() Engine { return PostgreSQL }

func (p *postgresEngine) write(ctx context.Context, j job) error {
	if j.rehearse {
		p.rehearsal(ctx, j)
	}
	return p.again(ctx, func() error { return p.attempt(ctx, beginWrite, j) })
}

func (p *postgresEngine) send(ctx context.Context, j job) error {
	if !j.rehearse {
		b, err := j.pack(ctx)
		if err != nil || b.Len() == 0 {
			return err
		}
		if alone, err := p.sender.send(ctx, j, b); !alone {
			return err
		}
	}
	return p.write(ctx, j.byItself())
}

func (p *postgresEngine) read(ctx context.Context, j job) error {
	return p.again(ctx, func() error { return p.attempt(ctx, beginRead, j) })
}

// again runs f until it succeeds or fails for a reason that running it again
// does not cure.
func (p *postgresEngine) again(ctx context.Context, f func() error) error {
	for i := 0; ; i++ {
		err := f()
		var r *refused
		if !errors.As(err, &r) {
			return err
		}
		if i == attemptsMax-1 {
			return r.err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), r.err)
		case <-time.After(time.Millisecond << i):
		}
	}
}

// refused wraps the error of a transaction that certainly was not committed and
// may well be if it runs again.
type refused struct{ err error }

func (r *refused) Error() string { return r.err.Error() }
func (r *refused) Unwrap() error { return r.err }

// rehearsal runs j and rolls it back. Whatever goes wrong will go wrong again.
func (p *postgresEngine) rehearsal(ctx context.Context, j job) {
	defer func() { _ = recover() }()
	fn := j.fn
	j.fn = func(ctx context.Context, tx Tx) error { return errors.Join(fn(ctx, tx), errRehearsal) }
	_ = p.attempt(ctx, beginWrite, j)
}

func (p *postgresEngine) attempt(ctx context.Context, begin string, j job) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		if p.closed.Load() {
			return errClosed
		}
		if err = unreachable(p.pool.Config().ConnConfig, err); fault.KindOf(err) == fault.Invalid {
			return away(err) // a password or a name that was changed: trying again does not help
		}
		return lost(ctx, away(err))
	}
	defer conn.Release() // drops a connection whose transaction is still open
	s := &postgresSession{conn: conn.Conn(), begin: begin}
	ended := false
	defer func() {
		if !ended { // also when fn panics
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
			defer cancel()
			_ = s.rollback(end)
		}
	}()
	t := &tx{session: s, now: j.now(), readOnly: begin == beginRead, texts: j.texts}
	if err := t.run(inside(ctx), j.fn); err != nil {
		cause := t.err // fn may have put another error in its place
		if cause == nil {
			cause = err
		}
		return p.judge(ctx, conn, err, cause)
	}
	if t.readOnly {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if conn.Conn().IsClosed() {
		return lost(ctx, away(errors.New("db: the connection was lost")))
	}
	j.observe(BeforeCommit)
	ended = true
	if err := commit(ctx, s); err != nil {
		return err
	}
	j.observe(AfterCommit)
	return nil
}

// judge decides whether a transaction that failed with err, because a statement
// failed with cause, is worth running again. It has not been committed.
func (p *postgresEngine) judge(ctx context.Context, conn *pgxpool.Conn, err, cause error) error {
	if conn.Conn().IsClosed() {
		return lost(ctx, away(err))
	}
	if conflicted(cause) {
		return &refused{err}
	}
	return err
}

// lost is for an error with the connection, before COMMIT was sent.
func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return &refused{err}
}

// conflicted reports whether the server ended this transaction for the sake of
// another: it could not be put in an order with it, or they waited for each other.
func conflicted(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// commit commits, or tells apart why not: refused by the server, or unknown.
func commit(ctx context.Context, s *postgresSession) error {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	err := s.commit(end)
	if err == nil {
		return nil
	}
	if conflicted(err) {
		return &refused{err}
	}
	// Not pgconn.SafeToRetry: pgx 5.12 says so of a connection that was lost after
	// COMMIT was sent.
	e, answered := errors.AsType[*pgconn.PgError](err)
	if answered && !strings.HasPrefix(e.Code, "57P") && !strings.HasPrefix(e.Code, "08") || errors.Is(err, pgx.ErrTxCommitRollback) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
}

func (p *postgresEngine) migrator(context.Context) (*migrator, error) {
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return &migrator{
		db:      stdlib.OpenDB(*p.pool.Config().ConnConfig),
		dialect: goose.DialectPostgres,
		options: []goose.ProviderOption{goose.WithSessionLocker(l)},
		exists:  `SELECT to_regclass('goose_db_version') IS NOT NULL`,
	}, nil
}

func (p *postgresEngine) close() error {
	p.closed.Store(true)
	p.pool.Close() // waits for the connections in use
	return nil
}
