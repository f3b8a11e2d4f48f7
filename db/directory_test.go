package db_test

import (
	"context"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

func TestDirectory(t *testing.T) {
	claim := func(value, account, id string) func(context.Context, db.Tx) error {
		return func(ctx context.Context, tx db.Tx) error { return db.Claim(ctx, tx, "iccid", value, account, id) }
	}
	release := func(value, account string) func(context.Context, db.Tx) error {
		return func(ctx context.Context, tx db.Tx) error { return db.Release(ctx, tx, "iccid", value, account) }
	}
	steps := []struct {
		name string
		do   func(context.Context, db.Tx) error
		kind fault.Kind
		want string // the account that value 1 belongs to afterwards
	}{
		{"nobody has it", release("1", "ac_1"), "", ""},
		{"claimed", claim("1", "ac_1", "ln_1"), "", "ac_1"},
		{"claimed again", claim("1", "ac_1", "ln_1"), "", "ac_1"},
		{"claimed for another thing of the same account", claim("1", "ac_1", "ln_2"), fault.Conflict, "ac_1"},
		{"claimed by someone else", claim("1", "ac_2", "ln_1"), fault.Conflict, "ac_1"},
		{"released by someone else", release("1", "ac_2"), "", "ac_1"},
		{"released", release("1", "ac_1"), "", ""},
		{"claimed by the next", claim("1", "ac_2", "ln_3"), "", "ac_2"},
		{"another value", claim("2", "ac_3", "ln_4"), "", "ac_2"},
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, step := range steps {
			if got := fault.KindOf(env.DB.Write(t.Context(), step.do)); got != step.kind {
				t.Errorf("%s: kind %q, want %q", step.name, got, step.kind)
			}
			got, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (string, error) {
				account, _, err := db.Locate(ctx, tx, "iccid", "1")
				return account, err
			})
			if got != step.want || (fault.KindOf(err) == fault.NotFound) != (step.want == "") {
				t.Errorf("%s: belongs to %q (err %v), want %q", step.name, got, err, step.want)
			}
		}
	})
}
