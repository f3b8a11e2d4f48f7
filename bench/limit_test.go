package bench

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// The limit is honest only if it leaves what the desk leaves: the same tables,
// as many rows, the same columns filled with the same values. The clock stands
// still, so only identifiers and what is made from them may differ.
func TestLimitLeavesTheRowsOfARenewal(t *testing.T) {
	for _, sets := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("sets=%d", sets), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
				s := testShop(t, env, sets)
				ours, limit := s.byDesk, s.byLimit
				if sets > 0 {
					ours, limit = s.bySteps, s.byLimitSets
				}
				ctx, n := t.Context(), max(1, sets)
				byUs, err := s.stock(ctx, n)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := ours(ctx, 1, byUs); err != nil {
					t.Fatal(err)
				}
				byLimit, err := s.stock(ctx, n)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := limit(ctx, 1, byLimit); err != nil {
					t.Fatal(err)
				}
				for i := range n {
					want, got := rowsOf(t, env, byUs[i].quote.Account), rowsOf(t, env, byLimit[i].quote.Account)
					for _, table := range []string{"orders", "periods", "lines", "transfers", "balances", "bills", "messages"} {
						if len(want[table]) == 0 {
							t.Fatalf("a renewal leaves nothing in %s", table)
						}
					}
					if d := cmp.Diff(want, got); d != "" {
						t.Errorf("the desk (-) and the limit (+) leave different rows:\n%s", d)
					}
				}
			})
		})
	}
}

func testShop(t *testing.T, env dbtest.Env, sets int) *shop {
	t.Helper()
	s, err := open(t.Context(), Options{Engine: env.DB.Engine(), Sets: sets, URL: env.URL, Now: env.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// rowsOf are an account's rows by table, each as "column=value …", without what
// is made by chance.
func rowsOf(t *testing.T, env dbtest.Env, account string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for table, columns := range tables(t, ctx, tx, env.DB.Engine()) {
			rows, err := tx.Query(ctx, rowsQuery(table, columns), account)
			if err != nil {
				return err
			}
			for rows.Next() {
				var row string
				if err := rows.Scan(&row); err != nil {
					return err
				}
				all[table] = append(all[table], byChance(row))
			}
			if err := rows.Close(); err != nil {
				return err
			}
			slices.Sort(all[table])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func rowsQuery(table string, columns []string) string {
	slices.Sort(columns)
	for i, c := range columns {
		columns[i] = "'" + c + "=' || coalesce(CAST(" + c + " AS text), 'NULL')"
	}
	return "SELECT " + strings.Join(columns, " || ' ' || ") + " FROM " + table + " WHERE account_id = $1"
}

// tables are the tables that have rows of an account, with their columns.
func tables(t *testing.T, ctx context.Context, tx db.Tx, e db.Engine) map[string][]string {
	t.Helper()
	query := `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'`
	if e == db.PostgreSQL {
		query = `SELECT c.table_name::text, c.column_name::text FROM information_schema.columns c JOIN pg_tables t ON t.tablename = c.table_name
			WHERE t.schemaname = 'public' AND c.table_schema = 'public'`
	}
	rows, err := tx.Query(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		all[table] = append(all[table], column)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	for table, columns := range all {
		if !slices.Contains(columns, "account_id") {
			delete(all, table)
		}
	}
	return all
}

var (
	idents  = regexp.MustCompile(`\b(ac|ln|qt|ord|bl|msg|pf)_(ln_)?[0-9a-z]{18,34}`)
	digests = regexp.MustCompile(`\b(input_digest|digest)=[0-9a-f]*`)
)

// byChance puts the prefix in place of an identifier, and the length in place of
// a digest of identifiers.
func byChance(row string) string {
	row = idents.ReplaceAllString(row, "$1")
	return digests.ReplaceAllStringFunc(row, func(d string) string {
		name, value, _ := strings.Cut(d, "=")
		return fmt.Sprintf("%s=%d digits", name, len(value))
	})
}
