package dbtest

import (
	"context"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
)

func TestEachGivesAMigratedEmptyDatabase(t *testing.T) {
	Each(t, func(t *testing.T, env Env) {
		if err := env.DB.CheckSchema(t.Context()); err != nil {
			t.Fatal(err)
		}
		runs := 0
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			runs++
			return db.Claim(ctx, tx, "iccid", "8910", "ac_1", "ln_1")
		})
		if err != nil || runs != 2 {
			t.Errorf("ran %d times, err %v; want a rehearsal and the real run", runs, err)
		}
	})
}
