package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// Types as the packages above have them.
type (
	state string
	size  int64
	flag  bool
	raw   []byte
)

// values is a row with one column of each kind, all of which may be NULL.
type values struct {
	Text  *string
	State state
	N     int64
	Size  size
	Int   int
	Flag  flag
	Raw   raw
	At    db.Instant
}

func valuesTable(t *testing.T, d *db.DB) {
	t.Helper()
	query := `CREATE TABLE v (id INTEGER PRIMARY KEY, text TEXT, state TEXT, n INTEGER, size INTEGER,
		i INTEGER, flag INTEGER, raw BLOB, at INTEGER) STRICT`
	if d.Engine() == db.PostgreSQL {
		query = `CREATE TABLE v (id bigint PRIMARY KEY, text text, state text, n bigint, size bigint,
			i integer, flag boolean, raw bytea, at bigint)`
	}
	write(t, d, query)
}

// What goes in comes out, on both engines, for every type a statement may use.
func TestValuesSurviveTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		valuesTable(t, env.DB)
		storable := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 }))
		instant := rapid.Custom(func(t *rapid.T) db.Instant {
			return db.At(time.UnixMicro(rapid.Int64Range(-1e15, 4e15).Draw(t, "µs")).UTC())
		})
		id := 0
		rapid.Check(t, func(t *rapid.T) {
			id++
			want := values{
				Text:  rapid.Ptr(storable, true).Draw(t, "text"),
				State: state(storable.Draw(t, "state")),
				N:     rapid.Int64().Draw(t, "n"),
				Size:  size(rapid.Int64().Draw(t, "size")),
				Int:   int(rapid.Int32().Draw(t, "int")),
				Flag:  flag(rapid.Bool().Draw(t, "flag")),
				Raw:   rapid.SliceOf(rapid.Byte()).Draw(t, "raw"),
				At:    rapid.OneOf(rapid.Just(db.Instant{}), instant).Draw(t, "at"),
			}
			write(t, env.DB, `INSERT INTO v (id, text, state, n, size, i, flag, raw, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				id, want.Text, want.State, want.N, want.Size, want.Int, want.Flag, want.Raw, want.At)
			got, err := db.Seen(context.Background(), env.DB, func(ctx context.Context, tx db.Tx) (v values, err error) {
				err = tx.QueryRow(ctx, `SELECT text, state, n, size, i, flag, raw, at FROM v WHERE id = $1`, id).
					Scan(&v.Text, &v.State, &v.N, &v.Size, &v.Int, &v.Flag, &v.Raw, &v.At)
				return v, err
			})
			if err != nil {
				t.Fatalf("%+v: %v", want, err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	})
}

// Values that PostgreSQL and SQLite understand differently are compared as they
// are stored.
func TestSpecialValues(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		valuesTable(t, env.DB)
		write(t, env.DB, `INSERT INTO v (id, raw, at, flag) VALUES (1, $1, $2, $3), (2, $4, $5, $6), (3, NULL, 7, $7)`,
			[]byte(nil), db.Instant{}, true,
			[]byte{}, db.At(time.UnixMicro(7)), flag(false),
			new(flag)) // a pointer to a value
		for query, want := range map[string][]int64{
			`SELECT id FROM v WHERE raw IS NULL ORDER BY id`:                         {1, 3}, // nil is NULL, empty is not
			`SELECT id FROM v WHERE at IS NULL ORDER BY id`:                          {1},
			`SELECT id FROM v WHERE at = 7 ORDER BY id`:                              {2, 3},
			`SELECT id FROM v WHERE flag ORDER BY id`:                                {1},
			`SELECT id FROM v WHERE NOT flag ORDER BY id`:                            {2, 3},
			`SELECT sum(at) FROM v`:                                                  {14}, // numeric on PostgreSQL
			`SELECT count(*) FROM v`:                                                 {3},
			`SELECT id FROM v WHERE (at, id) > (7, 2) ORDER BY at, id LIMIT 1`:       {3},
			`UPDATE v SET n = id WHERE id > 1 RETURNING n - 1`:                       {1, 2},
			`SELECT id FROM v WHERE $1 = CAST('x' AS TEXT) AND id = $2 AND $1 = 'x'`: {2}, // numbered, used twice
		} {
			args := []any{}
			if strings.Contains(query, "$2") {
				args = []any{state("x"), 2}
			}
			got, err := db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]int64, error) {
				return scanNumbers(ctx, tx, query, args...)
			})
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: -want +got, err %v\n%s", query, err, diff)
			}
		}
	})
}

// Whole numbers of other sizes are read, too, where they fit, and what does not fit is an
// error and not another number.
func TestSmallNumbers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		valuesTable(t, env.DB)
		write(t, env.DB, `INSERT INTO v (id, n) VALUES (1, 40000), (2, -3)`)
		read := func(id int, dest any) error {
			return env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return tx.QueryRow(ctx, `SELECT n FROM v WHERE id = $1`, id).Scan(dest)
			})
		}
		type day int32
		var (
			d       day
			u       uint16
			small   int16
			pointer *day
		)
		if err := errors.Join(read(1, &d), read(1, &u), read(2, &small), read(2, &pointer)); err != nil {
			t.Fatal(err)
		}
		if d != 40_000 || u != 40_000 || small != -3 || pointer == nil || *pointer != -3 {
			t.Errorf("read %d, %d, %d, %v", d, u, small, pointer)
		}
		if read(1, &small) == nil || read(2, &u) == nil {
			t.Errorf("what does not fit was read as %d, %d", small, u)
		}
	})
}

func TestUnstorableArgumentsAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for name, arg := range map[string]any{
			"float":            1.5,
			"bare time":        env.Clock.Now(),
			"NUL":              "a\x00b",
			"invalid UTF-8":    state("a\xffb"),
			"pointer to NUL":   new("\x00"),
			"huge":             uint64(1) << 63,
			"struct":           struct{}{},
			"slice of strings": []string{"a"},
		} {
			err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				var n int64
				return tx.QueryRow(ctx, `SELECT count(*) FROM directory WHERE kind = $1`, arg).Scan(&n)
			})
			if err == nil || !strings.Contains(err.Error(), "$1") {
				t.Errorf("%s: err = %v, want one that names the argument", name, err)
			}
			if _, isText := arg.(string); isText && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: kind %s, want invalid: it may come from a form", name, fault.KindOf(err))
			}
		}
	})
}

func TestScanWithoutRowIsErrNoRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			var s string
			if err := tx.QueryRow(ctx, `SELECT id FROM directory`).Scan(&s); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("err = %v, want ErrNoRows", err)
			}
			return db.Claim(ctx, tx, "k", "v", "ac_1", "1") // and the transaction goes on
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// After a failed statement nothing but a rollback is possible, even if the
// function swallows the error.
func TestFailedStatementEndsTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			if err := db.Claim(ctx, tx, "k", "v", "ac_1", "1"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO directory (kind, value, account_id, id) VALUES ('k', 'v', '', '')`)
			if !db.IsUnique(err) {
				t.Errorf("IsUnique(%v) = false", err)
			}
			if _, _, err := db.Locate(ctx, tx, "k", "v"); err == nil {
				t.Error("the transaction goes on after an error")
			}
			return nil
		})
		if !db.IsUnique(err) {
			t.Errorf("Write = %v, want the swallowed error", err)
		}
		if n := numbers(t, env.DB, `SELECT count(*) FROM directory`); n[0] != 0 {
			t.Errorf("%d rows stored", n[0])
		}
	})
}

func TestIsUniqueIsNotForOtherErrors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, query := range []string{`INSERT INTO directory (kind) VALUES ('k')`, `SELECT nonsense`} {
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, query)
				return err
			})
			if err == nil || db.IsUnique(err) {
				t.Errorf("%s: IsUnique(%v)", query, err)
			}
		}
	})
}

func TestOpenRowsBlockTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			rows, err := tx.Query(ctx, `SELECT 1 UNION ALL SELECT 2`)
			if err != nil {
				return err
			}
			rows.Next()
			if _, err := tx.Exec(ctx, `DELETE FROM directory`); err == nil {
				t.Error("another statement ran while rows were open")
			}
			if err := rows.Close(); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `DELETE FROM directory`)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		leaks := func(ctx context.Context, tx db.Tx) error { _, err := tx.Query(ctx, `SELECT 1`); return err }
		if env.DB.Write(t.Context(), leaks) == nil || env.DB.Read(t.Context(), leaks) == nil {
			t.Error("rows may be left open")
		}
	})
}

func TestTransactionDoesNotEscape(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		var escaped db.Tx
		if err := env.DB.Write(t.Context(), func(_ context.Context, tx db.Tx) error { escaped = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := escaped.Exec(t.Context(), `DELETE FROM directory`); err == nil {
			t.Error("a statement ran after the end of its transaction")
		}
	})
}

func TestBatchIsAllOrNothing(t *testing.T) {
	const insert = `INSERT INTO directory (kind, value, account_id, id) VALUES ('k', $1, 'ac_1', '')`
	const update = `UPDATE directory SET id = 'new' WHERE value = $1 AND id = $2`
	tests := []struct {
		name  string
		build func(*db.Batch)
		check func(error) bool
		want  int64 // rows of this batch
	}{
		{
			"all well", func(b *db.Batch) { b.Add(insert, "a"); b.Guard(update, "a", ""); b.Add(update, "none", "") },
			func(err error) bool { return err == nil }, 1,
		},
		{"empty", func(*db.Batch) {}, func(err error) bool { return err == nil }, 0},
		{
			"somebody was faster", func(b *db.Batch) { b.Add(insert, "b"); b.Guard(update, "b", "old"); b.Add(insert, "c") },
			func(err error) bool { return errors.Is(err, db.ErrGuard) }, 0,
		},
		{
			"a guard that changes two", func(b *db.Batch) {
				b.Add(insert, "d")
				b.Add(insert, "e")
				b.Guard(`UPDATE directory SET id = 'x' WHERE value IN ('d', 'e')`)
			},
			func(err error) bool { return errors.Is(err, db.ErrGuard) }, 0,
		},
		{"duplicate", func(b *db.Batch) { b.Add(insert, "f"); b.Add(insert, "f") }, db.IsUnique, 0},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, test := range tests {
			for _, swallow := range []bool{false, true} {
				before := numbers(t, env.DB, `SELECT count(*) FROM directory`)[0]
				err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
					var b db.Batch
					test.build(&b)
					err := tx.Batch(ctx, &b)
					if swallow {
						return nil
					}
					return err
				})
				if !test.check(err) {
					t.Errorf("%s: err = %v", test.name, err)
				}
				if got := numbers(t, env.DB, `SELECT count(*) FROM directory`)[0] - before; got != test.want {
					t.Errorf("%s: %d rows added, want %d", test.name, got, test.want)
				}
				write(t, env.DB, `DELETE FROM directory`)
			}
		}
	})
}
