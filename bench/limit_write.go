package bench

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // the driver, as package db has it
)

// limitPool is how many connections the limit has to PostgreSQL, unless the URL
// says pool_max_conns: as many as package db has.
const limitPool = 8

func openWriter(ctx context.Context, url string) (writer, error) {
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return openPostgresWriter(ctx, url)
	}
	return openSQLiteWriter(ctx, url)
}

// postgresWriter sends a transaction as one batch of prepared statements. What
// is sent before one Sync is one transaction, so that it needs no BEGIN.
type postgresWriter struct {
	pool  *pgxpool.Pool
	texts texts
}

func openPostgresWriter(ctx context.Context, address string) (*postgresWriter, error) {
	c, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(address, "pool_max_conns") {
		c.MaxConns = limitPool
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	return &postgresWriter{pool: pool}, err
}

func (w *postgresWriter) write(ctx context.Context, all []statement) error {
	var b pgx.Batch
	for _, s := range all {
		b.Queue(w.texts.of(s.text, s.rows), s.args...)
	}
	return w.pool.SendBatch(ctx, &b).Close()
}

func (w *postgresWriter) analyse(ctx context.Context) error {
	_, err := w.pool.Exec(ctx, "ANALYZE")
	return err
}

func (w *postgresWriter) close() error {
	w.pool.Close()
	return nil
}

// sqliteWriter has one connection with prepared statements, and whoever writes
// has it alone.
type sqliteWriter struct {
	mu       sync.Mutex
	pool     *sql.DB
	conn     *sql.Conn
	texts    texts
	plain    map[repeated]string
	prepared map[string]*sql.Stmt
}

func openSQLiteWriter(ctx context.Context, path string) (*sqliteWriter, error) {
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_dqs=0&_pragma=busy_timeout(5000)"+
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(10000)")
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &sqliteWriter{pool: pool, conn: conn, plain: map[repeated]string{}, prepared: map[string]*sql.Stmt{}}, nil
}

func (w *sqliteWriter) write(ctx context.Context, all []statement) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.run(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, s := range all {
		if err := w.run(ctx, w.text(s), s.args...); err != nil {
			return errors.Join(err, w.run(ctx, "ROLLBACK"))
		}
	}
	return w.run(ctx, "COMMIT")
}

// text is a statement's text with question marks for its parameters.
func (w *sqliteWriter) text(s statement) string {
	key := repeated{s.text, s.rows}
	text, ok := w.plain[key]
	if !ok {
		text = parameter.ReplaceAllString(w.texts.of(s.text, s.rows), "?")
		w.plain[key] = text
	}
	return text
}

func (w *sqliteWriter) run(ctx context.Context, text string, args ...any) (err error) {
	s, ok := w.prepared[text]
	if !ok {
		if s, err = w.conn.PrepareContext(ctx, text); err != nil {
			return err
		}
		w.prepared[text] = s
	}
	_, err = s.ExecContext(ctx, args...)
	return err
}

// analyse does nothing: SQLite does not count by itself either.
func (w *sqliteWriter) analyse(context.Context) error { return nil }

func (w *sqliteWriter) close() error {
	var err error
	for _, s := range w.prepared {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, w.conn.Close(), w.pool.Close())
}

// texts keeps statements whose tuple was repeated.
type texts struct {
	mu   sync.Mutex
	kept map[repeated]string
}

type repeated struct {
	text string
	rows int
}

var (
	tuple     = regexp.MustCompile(`VALUES \((\([^()]*\)|[^()])*\)`)
	parameter = regexp.MustCompile(`\$\d+`)
)

// of is text with the tuple after VALUES repeated, its parameters numbered on.
func (t *texts) of(text string, rows int) string {
	if rows == 1 {
		return text
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := repeated{text, rows}
	if out, ok := t.kept[key]; ok {
		return out
	}
	if t.kept == nil {
		t.kept = map[repeated]string{}
	}
	at := tuple.FindStringIndex(text)
	one := text[at[0]+len("VALUES ") : at[1]]
	most := 0
	for _, p := range parameter.FindAllString(one, -1) {
		most = max(most, number(p))
	}
	all := make([]string, rows)
	for i := range all {
		all[i] = parameter.ReplaceAllStringFunc(one, func(p string) string { return "$" + strconv.Itoa(number(p)+i*most) })
	}
	t.kept[key] = text[:at[1]-len(one)] + strings.Join(all, ",") + text[at[1]:]
	return t.kept[key]
}

// number is the n of $n.
func number(parameter string) int {
	n, _ := strconv.Atoi(parameter[1:]) // the expression found digits
	return n
}
