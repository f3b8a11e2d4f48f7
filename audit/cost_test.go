package audit

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// turnQueries are all that a turn asks, each a few times, whatever the shop holds.
func turnQueries() map[string]string {
	return map[string]string{
		"signs": asking, "unfinished": unfinished, "waiting": waitingOrders, "forgotten": forgottenOrders, "refunds": waitingRefunds,
		"paid": paidPayments, "served late": servedLate, "numbered": numberedBills, "sweep": allOrders, "open findings": openFindings, "old findings": closedFindings,
		"reports": openReports, "standing": standing,
	}
}

// A turn never reads a whole table: every query of it searches by a key or an index
// that ends at its page, on both engines. On PostgreSQL the planner is told that reading
// whole tables is dear, as it is in a large shop.
func TestATurnUsesIndexes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for what, query := range turnQueries() {
			plan := explained(t, env, query)
			for _, line := range strings.Split(plan, "\n") {
				if wholeTable(line) {
					t.Errorf("%s: %s\n%s\n%s", what, line, query, plan)
				}
			}
		}
	})
}

// wholeTable reports whether a line of a plan says that a table is read from its
// beginning to its end, without an index that gives its order.
func wholeTable(line string) bool {
	line = strings.TrimSpace(line)
	if strings.Contains(line, "Seq Scan") {
		return !strings.Contains(line, "on bill_series")
	}
	if strings.HasPrefix(line, "USE TEMP B-TREE FOR ORDER BY") {
		return true // all rows before the first
	}
	return strings.HasPrefix(line, "SCAN ") && !strings.Contains(line, "USING") && !regexp.MustCompile(`^SCAN (v$|asked$|bill_series|(\d+ )?CONSTANT ROW|\(subquery-)`).MatchString(line)
}

var number = regexp.MustCompile(`\$\d+`)

func explained(t *testing.T, env dbtest.Env, query string) (plan string) {
	t.Helper()
	err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		plan = ""
		if env.DB.Engine() == db.PostgreSQL {
			return explainedByPostgres(ctx, tx, query, &plan)
		}
		rows, err := tx.Query(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, len(number.FindAllString(query, -1)))...)
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
			plan += detail + "\n"
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return plan
}

// explainedByPostgres plans a query without its values, as one that is asked often.
func explainedByPostgres(ctx context.Context, tx db.Tx, query string, plan *string) error {
	most := 0
	for _, p := range number.FindAllString(query, -1) {
		var n int
		_, _ = fmt.Sscanf(p, "$%d", &n)
		most = max(most, n)
	}
	nulls := strings.TrimSuffix(strings.Repeat("NULL,", most), ",")
	if nulls != "" {
		nulls = "(" + nulls + ")"
	}
	for _, set := range []string{"SET LOCAL enable_seqscan = off", "SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE turn_query AS " + query} {
		if _, err := tx.Exec(ctx, set); err != nil {
			return err
		}
	}
	rows, err := tx.Query(ctx, "EXPLAIN EXECUTE turn_query"+nulls)
	if err != nil {
		return err
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		*plan += line + "\n"
	}
	if err := rows.Close(); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DEALLOCATE turn_query")
	return err
}
