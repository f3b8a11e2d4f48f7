package dbtest

import (
	"context"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
)

// Every test finds the database empty and complete, whatever the one before did
// to it.
func TestEachGivesAMigratedEmptyDatabase(t *testing.T) {
	for _, leave := range []string{
		`INSERT INTO directory (kind, value, account_id, id) VALUES ('k', 'v', '', '')`,
		`ALTER TABLE directory ADD COLUMN more text`,
		`CREATE TABLE more (id text)`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999999, true)`,
		`DROP TABLE goose_db_version`,
		`SELECT 1`,
	} {
		Each(t, func(t *testing.T, env Env) {
			if _, err := env.DB.CheckSchema(t.Context()); err != nil {
				t.Fatal(err)
			}
			runs := 0
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				runs++
				if err := db.Claim(ctx, tx, "k", "v", "ac_1", "ln_1"); err != nil {
					return err
				}
				return db.Release(ctx, tx, "k", "v", "ac_1")
			})
			if err != nil || runs != 2 {
				t.Errorf("ran %d times, err %v; want a rehearsal and the real run", runs, err)
			}
			err = env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, leave)
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", leave, err)
			}
		})
	}
}

func TestTwoDatabasesAtATimeAreTwo(t *testing.T) {
	for name, open := range map[string]func(testing.TB) Env{"sqlite": SQLite, "postgres": Postgres} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t), open(t)
			claim := func(ctx context.Context, tx db.Tx) error { return db.Claim(ctx, tx, "k", "v", "ac_1", "1") }
			if err := a.DB.Write(t.Context(), claim); err != nil {
				t.Fatal(err)
			}
			err := b.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, _, err := db.Locate(ctx, tx, "k", "v")
				return err
			})
			if err == nil {
				t.Error("one database shows what the other stores")
			}
		})
	}
}
