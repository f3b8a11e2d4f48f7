package arch

import (
	"context"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// notKeyedByAccount are the tables that do not grow with what one customer has
// but are found by a stranger's value, or belong to the shop.
var notKeyedByAccount = map[string]string{
	"directory":             "is what finds the account",
	"limits":                "counts what strangers try, by their address",
	"catalogue_versions":    "is the shop's",
	"bill_series":           "is the shop's",
	"stock":                 "is the shop's, until an item is given",
	"redeem_codes":          "is the shop's: what strangers show",
	"exchange_rates":        "is the same for everybody",
	"device_imports":        "is the shop's: a row a table",
	"device_tacs":           "is about models, the same for everybody",
	"device_versions":       "is about models, the same for everybody",
	"bill_numbers":          "is the shop's proof that numbers have no gap",
	"advice_models":         "is the shop's: what was learnt from all travellers",
	"settlement_days":       "is the shop's: a row a provider and day",
	"audit_turns":           "is the shop's: where the repairer is",
	"refused_notifications": "is nobody's: it was not believed",
	"push_keys":             "is the shop's: one row",
	"api_keys":              "is the shop's: what its programs show",
	"operator_balances":     "is the shop's: a row an adapter",
	"operator_spending":     "is the shop's: a row an adapter and day",
	"operator_prices":       "is the shop's: a row an adapter",
	"operator_alarms":       "is the shop's: what its staff were told",
	"gateways":              "is the shop's: a row a gateway that counts",
	"card_numbers":          "is what finds a card, whoever has it",
	"goose_db_version":      "is the migration tool's",
	"schema_floor":          "is the program's: one row",
}

// Every table that grows with customers has account_id first in its primary key
// and in every unique key, so that a renewal touches one shard.
func TestTablesAreKeyedByAccount(t *testing.T) {
	env := dbtest.SQLite(t)
	keys := map[string][][]string{}
	err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		tables, err := column(ctx, tx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
		if err != nil {
			return err
		}
		for _, table := range tables {
			primary, err := column(ctx, tx, `SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk`, table)
			if err != nil {
				return err
			}
			keys[table] = append(keys[table], primary)
			unique, err := column(ctx, tx, `SELECT name FROM pragma_index_list($1) WHERE "unique" = 1`, table)
			if err != nil {
				return err
			}
			for _, index := range unique {
				columns, err := column(ctx, tx, `SELECT name FROM pragma_index_info($1) ORDER BY seqno`, index)
				if err != nil {
					return err
				}
				keys[table] = append(keys[table], columns)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) < 15 {
		t.Fatalf("only %d tables found", len(keys))
	}
	for table, all := range keys {
		if _, ok := notKeyedByAccount[table]; ok {
			continue
		}
		for _, key := range all {
			if len(key) == 0 || key[0] != "account_id" {
				t.Errorf("%s has a key that does not begin with account_id: %v", table, key)
			}
		}
	}
}

func column(ctx context.Context, tx db.Tx, query string, args ...any) (out []string, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // a read
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

var sql = regexp.MustCompile(`(?s)^\s*(SELECT|INSERT|UPDATE|DELETE FROM|WITH)\s`)

// statements finds the SQL texts of the repository: constant strings, and
// concatenations of constants, that begin like a statement.
func statements(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != ".." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"testdata", "internal", "arch"}, d.Name())) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		collect(t, filepath.Dir(p), p, found)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func collect(t *testing.T, dir, file string, found map[string]string) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := packageConstants(t, dir)
	var inside ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil || n == inside {
			return true
		}
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		text, ok := value(e, constants)
		if !ok || !sql.MatchString(text) {
			return true
		}
		found[set.Position(e.Pos()).String()] = text
		return false // its parts are not statements of their own
	})
}

// packageConstants are the string constants of a folder, by name.
func packageConstants(t *testing.T, dir string) map[string]ast.Expr {
	t.Helper()
	out := map[string]ast.Expr{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for i, name := range spec.Names {
					if i < len(spec.Values) {
						out[name.Name] = spec.Values[i]
					}
				}
			}
			return true
		})
	}
	return out
}

func value(e ast.Expr, constants map[string]ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		return constant.StringVal(constant.MakeFromLiteral(e.Value, token.STRING, 0)), true
	case *ast.BinaryExpr:
		a, ok := value(e.X, constants)
		b, ok2 := value(e.Y, constants)
		return a + b, ok && ok2 && e.Op == token.ADD
	case *ast.Ident:
		next, ok := constants[e.Name]
		if !ok {
			return "", false
		}
		if id, same := next.(*ast.Ident); same && id.Name == e.Name {
			return "", false
		}
		return value(next, constants)
	case *ast.ParenExpr:
		return value(e.X, constants)
	}
	return "", false
}

// Every SQL text of the repository is understood by both engines.
func TestEveryStatementPreparesOnBothEngines(t *testing.T) {
	all := statements(t)
	if len(all) < 60 {
		t.Fatalf("only %d statements found: the search is broken", len(all))
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for where, text := range all {
			if reason := oneEngineOnly(text); reason != "" {
				continue
			}
			if err := prepare(t, env, text); err != nil {
				t.Errorf("%s: %v\n%s", where, err, text)
			}
		}
	})
}

// oneEngineOnly says why a statement is meant for one engine.
func oneEngineOnly(text string) string {
	for _, word := range []string{"pg_", "sqlite_", "pragma_", "goose_"} {
		if strings.Contains(text, word) {
			return "speaks about the engine itself"
		}
	}
	return ""
}

// prepare lets the engine parse and plan a statement without running it.
func prepare(t *testing.T, env dbtest.Env, text string) error {
	t.Helper()
	return env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		if env.DB.Engine() == db.PostgreSQL {
			if _, err := tx.Exec(ctx, "PREPARE arch_check AS "+text); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "DEALLOCATE arch_check")
			return err
		}
		rows, err := tx.Query(ctx, "EXPLAIN "+text, make([]any, parameters(text))...)
		if err != nil {
			return err
		}
		return rows.Close()
	})
}

var parameter = regexp.MustCompile(`\$(\d+)`)

func parameters(text string) int {
	most := 0
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		n := 0
		for _, c := range m[1] {
			n = n*10 + int(c-'0')
		}
		most = max(most, n)
	}
	return most
}

// hot are the folders whose statements run for every renewal; cold are the few
// that read across the shop on purpose.
var (
	hot  = []string{"../order/", "../line/", "../ledger/", "../message/", "../account/", "../billing/", "../catalogue/", "../db/"}
	cold = []string{
		"ORDER BY placed_at DESC, id DESC",      // staff's list of the newest orders
		"ORDER BY CASE WHEN d.state IN ('asked", // and of the open disputes
		"ORDER BY asked_at, account_id, id",     // and of what they do by hand
	}
)

// made are scans of what a statement has made itself: of v, a list of values; of due
// and w, what is due; of ranked, that with its order. The scans of the tables they are
// made from are seen on their own.
var made = []string{"SCAN v", "SCAN due", "SCAN w", "SCAN ranked"}

// No statement of a hot path reads a whole table. SQLite's plan does not depend
// on how much a table holds, so it can be asked in an empty database.
func TestHotStatementsUseAnIndex(t *testing.T) {
	env := dbtest.SQLite(t)
	checked := 0
	for where, text := range statements(t) {
		if !slices.ContainsFunc(hot, func(dir string) bool { return strings.HasPrefix(where, dir) }) ||
			slices.ContainsFunc(cold, func(part string) bool { return strings.Contains(text, part) }) ||
			oneEngineOnly(text) != "" {
			continue
		}
		checked++
		err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
			rows, err := tx.Query(ctx, "EXPLAIN QUERY PLAN "+text, make([]any, parameters(text))...)
			if err != nil {
				return err
			}
			defer rows.Close() //nolint:errcheck // a read
			for rows.Next() {
				var id, parent, unused int64
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					return err
				}
				if strings.HasPrefix(detail, "SCAN ") && !strings.Contains(detail, " USING ") && !strings.Contains(detail, "CONSTANT ROW") && !slices.Contains(made, detail) && !strings.HasPrefix(detail, "SCAN (subquery-") {
					t.Errorf("%s: %s\n%s", where, detail, text)
				}
			}
			return rows.Err()
		})
		if err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
	if checked < 40 {
		t.Errorf("only %d statements checked: the search is broken", checked)
	}
}
