package audit_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// order is the least row of an order; the columns that a case cares about
// follow as "name = value" pairs.
func order(id, state, rest string) string {
	return `INSERT INTO orders (account_id, id, state, customer_key, input_digest, kind, line_id, plan_id, item_id, catalogue_version,
		minor, currency, tool, effect, bytes, periods, anchor, expires_at, placed_at, updated_at, due_at, reason)
		VALUES ('a', '` + id + `', '` + state + `', '` + id + `', '', 'term', 'l', 'p', 'i', 1, 100, 'JPY', 'wallet', 'append', 0, 1, 0, 1, 1, 1, ` + rest + `)`
}

// partly is an order with parts: points, what they pay, and what the wallet pays.
func partly(state, parts string) string {
	return strings.NewReplacer("due_at, reason)", "due_at, reason, points, discount_minor, wallet_minor)", "NULL, '')", "NULL, '', "+parts+")").
		Replace(order("o", state, "NULL, ''"))
}

func item(state string) string {
	return `INSERT INTO stock (iccid, kind, operator, profile_id, msisdn, plan_id, term_id, batch, code, mark, state, account_id, order_id, line_id, created_at, updated_at)
		VALUES ('8', 'esim', 'o', '', '', 'p', 'i', 'b', '', '', '` + state + `', 'a', 'o', 'l', 1, 1)`
}

func transfer(step, from, to, minor, currency string) string {
	return `INSERT INTO transfers (account_id, subject, step, n, from_book, to_book, minor, currency, at)
		VALUES ('a', 'o', '` + step + `', ` + minor + `, '` + from + `', '` + to + `', ` + minor + `, '` + currency + `', 1)`
}

func allocation(order, minor string) string {
	return `INSERT INTO allocations (account_id, payment_id, order_id, minor) VALUES ('a', 'y', '` + order + `', ` + minor + `)`
}

const told = `INSERT INTO messages (account_id, id, key, kind, channel, address, language, facts, order_id, state, created_at)
	VALUES ('a', 'm', 'k', 'order_completed', 'email', '', '', '{}', 'o', 'sent', 1)`

const paid = `INSERT INTO transfers (account_id, subject, step, n, from_book, to_book, minor, currency, at) VALUES ('a', 'o', 'paid', 0, 'opening', 'due', 100, 'JPY', 1)`

const served = `INSERT INTO transfers (account_id, subject, step, n, from_book, to_book, minor, currency, at) VALUES ('a', 'o', 'completed', 0, 'due', 'revenue', 100, 'JPY', 1)`

const period = `INSERT INTO periods (account_id, line_id, number, plan_id, term_id, order_id, effect, starts_at, ends_at, allowance_bytes, state, operator_ref, created_at)
	VALUES ('a', 'l', 1, 'p', 'i', 'o', 'append', 1, 2, 0, 'active', '', 1)`

func bill(number string) string {
	return `INSERT INTO bills (account_id, id, order_id, kind, series, number, minor, currency, tax_class, tax_rate, tax_scale, tax_minor, content, issued_at)
		VALUES ('a', 'b', 'o', 'bill', 'B', ` + number + `, 100, 'JPY', 's', 10, 1, 0, '{}', 1)`
}

func payment(state, minor string) string {
	return `INSERT INTO payments (account_id, id, order_id, ref, rail, provider, minor, currency, state, live, expires_at, created_at, paid_at, updated_at)
		VALUES ('a', 'y', 'o', 'r', 'card', 'stripe', ` + minor + `, 'JPY', '` + state + `', false, 1, 1, 1, 1)`
}

func refund(state, why string) string {
	return `INSERT INTO refunds (account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why, created_at)
		VALUES ('a', 'f', 'o', 'y', 'r', 'stripe', 100, 'JPY', '` + state + `', '` + why + `', 1)`
}

func line(extending string, periods string) string {
	return `INSERT INTO lines (account_id, id, operator, plan_id, profile_id, iccid, msisdn, name, state, anchor, periods, extending, identity, unlimited, total_bytes, used_bytes, throttled, created_at, updated_at)
		VALUES ('a', 'l', 'o', 'p', '', '', '', '', 'active', 0, ` + periods + `, '` + extending + `', false, false, 0, 0, false, 1, 1)`
}

const esim = `INSERT INTO esims (account_id, line_id, order_id, catalogue_version, plan_id, term_id, code, allowance_bytes, operator_ref, created_at)
	VALUES ('a', 'l', 'o', 1, 'p', 'i', 'LPA:1$a$b', 0, '', 1)`

// Each kind of wrong is found by its own check, and a database in which all is
// well by none.
func TestEveryCheckFindsItsWrong(t *testing.T) {
	well := []string{order("o", "completed", "NULL, ''"), told, paid, served, period, bill("NULL"), line("", "1")}
	wrongs := map[string][]string{
		"completed_without_period":   {order("o", "completed", "NULL, ''")},
		"completed_without_pack":     {strings.Replace(order("o", "completed", "NULL, ''"), "'append'", "'adds'", 1)},
		"completed_without_document": {order("o", "completed", "NULL, ''")},
		"period_of_unfinished_order": {order("o", "refunded", "NULL, ''"), period},
		"period_without_order":       {period},
		"served_without_payment":     {order("o", "completed", "NULL, ''"), served},
		"charged_another_amount":     {order("o", "held", "NULL, ''"), payment("paid", "10000")},
		"money_without_outcome":      {order("o", "cancelled", "NULL, ''"), payment("paid", "100")},
		"served_and_refunded":        {order("o", "completed", "NULL, ''"), refund("done", "not_served")},
		"refunded_too_much":          {order("o", "refunded", "NULL, ''"), payment("paid", "50"), refund("done", "not_served")},
		"balance_differs":            {`INSERT INTO balances (account_id, book, currency, minor) VALUES ('a', 'wallet', 'JPY', 5)`},
		"due_differs":                {paid},
		"tax_differs":                {strings.Replace(bill("NULL"), "10, 1, 0", "10, 1, 9", 1)},
		"bill_unnumbered":            {bill("NULL")},
		"bill_numbers_have_gaps":     {`INSERT INTO bill_series (series, last) VALUES ('B', 3)`},
		"line_lost_count":            {line("", "2")},
		"line_reserved_for_nothing":  {order("o", "refunded", "NULL, ''"), line("o", "0")},
		"order_late":                 {order("o", "paid", "1, ''")},
		"order_forgotten":            {order("o", "fulfilling", "NULL, ''")},
		"payment_late":               {strings.Replace(payment("open", "100"), "paid_at, updated_at)", "due_at, updated_at)", 1)},
		"refund_late":                {refund("unknown", "not_served")},
		"held_without_case":          {order("o", "held", "NULL, 'unclear_reading'")},
		"customer_not_told":          {order("o", "completed", "NULL, ''")},
		"message_late":               {strings.Replace(strings.Replace(told, "'sent'", "'due'", 1), "state, created_at)", "state, due_at)", 1)},
		"provider_differs": {`INSERT INTO differences (account_id, provider, day, kind, subject, order_id, payment_id, ours_minor, ours_currency, theirs_minor, theirs_currency, detail, found_at)
			VALUES ('', 'stripe', '2026-01-02', 'not_here', 'txn', '', '', 0, '', 1, 'JPY', '', 1)`},
		"report_late": {`INSERT INTO settlement_days (provider, day, ready_at) VALUES ('stripe', '2026-01-02', 1)`},
	}
	wrongs["completed_without_line"] = []string{strings.Replace(order("o", "completed", "NULL, ''"), "'term'", "'line'", 1), line("", "0")}
	wrongs["line_of_unfinished_order"] = []string{strings.Replace(order("o", "refunded", "NULL, ''"), "'term'", "'line'", 1), line("", "0"), esim}
	wrongs["message_late"] = []string{strings.NewReplacer("'sent', 1)", "'due', 1, 1)", "created_at)", "created_at, due_at)").Replace(told)}
	wrongs["withdrawal_unseen"] = []string{`INSERT INTO withdrawals (account_id, order_id, line_id, state, asked_at) VALUES ('a', 'o', 'l', 'unclear', 1)`}
	wrongs["expired_untold"] = []string{transfer("expired", "wallet", "expired", "5", "JPY")}
	wrongs["expired_too_much"] = []string{transfer("credited", "due", "wallet", "9", "JPY"), transfer("completed", "due", "wallet", "4", "JPY"), transfer("expired", "wallet", "expired", "5", "JPY")}
	wrongs["wallet_age_unknown"] = []string{`INSERT INTO balances (account_id, book, currency, minor) VALUES ('a', 'wallet', 'JPY', 5)`}
	wrongs["aside_differs"] = []string{partly("placed", "0, 0, 40"), transfer("set_aside", "wallet", "aside", "30", "JPY")}
	wrongs["parts_differ"] = []string{partly("paid", "5, 50, 20"), transfer("paid", "points", "points_issued", "5", "PTS"), transfer("paid", "wallet", "due", "50", "JPY")}
	wrongs["allocations_differ"] = []string{order("o", "completed", "NULL, ''"), payment("paid", "100"), allocation("o", "60"), allocation("p", "30")}
	wrongs["disputed_not_charged"] = []string{dispute("open", "100, 40, 50, 0")}
	wrongs["receivable_differs"] = []string{dispute("lost", "100, 0, 100, 0"), transfer("disputed:1", "receivable", "withheld", "90", "JPY")}
	wrongs["spent_while_owing"] = []string{
		strings.NewReplacer("due_at, reason)", "completed_at, due_at, reason)", "NULL, '')", "2, NULL, '')").Replace(order("b", "completed", "NULL, ''")),
		payment("paid", "100"), allocation("b", "100"), dispute("open", "100, 0, 100, 0"),
		strings.Replace(strings.Replace(partly("paid", "0, 0, 40"), "1, 1, 1, NULL", "1, 90000000, 1, NULL", 1), "'o', 'paid', 'o'", "'o2', 'paid', 'o2'", 1),
	}
	wrongs["work_answer_differs"] = []string{order("o", "refunded", "NULL, ''"), work("done")}
	wrongs["stock_given_for_nothing"] = []string{item("given"), order("o", "refunded", "NULL, ''"), line("", "0")}
	wrongs["stock_kept_back"] = []string{item("reserved"), order("o", "completed", "NULL, ''")}
	wrongs["granted_without_code"] = []string{strings.Replace(order("o", "completed", "NULL, ''"), "'wallet'", "'redeem_code'", 1)}
	for _, c := range audit.Checks {
		if _, ok := wrongs[c.Name]; !ok {
			t.Errorf("no case for the check %s", c.Name)
		}
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		if found := run(t, env, well); len(found) != 1 || found[0].Check != "bill_unnumbered" {
			// The bill of the good example is old and has no number yet.
			t.Errorf("a good database: %v", found)
		}
	})
	for name, rows := range wrongs {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
				for _, v := range run(t, env, rows) {
					if v.Check == name {
						return
					}
				}
				t.Errorf("not found")
			})
		})
	}
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		held := slices.Clone(wrongs["spent_while_owing"])
		held[0] = order("b", "held", "NULL, ''") // nothing is owed for what the customer has not got
		if found := run(t, env, held); slices.ContainsFunc(found, func(v audit.Violation) bool { return v.Check == "spent_while_owing" }) {
			t.Errorf("what is disputed of an order that is not served: %v", found)
		}
	})
	for name, rows := range others {
		t.Run(name, func(t *testing.T) {
			check, _, _ := strings.Cut(name, ":")
			dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
				if !slices.ContainsFunc(run(t, env, rows), func(v audit.Violation) bool { return v.Check == check }) {
					t.Error("not found")
				}
			})
		})
	}
}

// others are further ways to be wrong that one check must find.
var others = map[string][]string{
	"aside_differs: nothing was set aside":        {partly("placed", "0, 0, 40")},
	"aside_differs: no points were set aside":     {partly("placed", "4, 40, 0")},
	"aside_differs: it was not given back":        {partly("cancelled", "0, 0, 40"), transfer("set_aside", "wallet", "aside", "40", "JPY")},
	"aside_differs: points were not given back":   {partly("cancelled", "4, 40, 0"), transfer("set_aside", "points", "aside", "4", "PTS")},
	"parts_differ: more than the price":           {partly("placed", "4, 40, 70")},
	"parts_differ: points for nothing":            {partly("placed", "4, 0, 0")},
	"parts_differ: points were not taken":         {partly("completed", "4, 40, 0")},
	"parts_differ: points were not given back":    {partly("refunded", "4, 40, 0"), transfer("paid", "points", "points_issued", "4", "PTS")},
	"served_without_payment: but for a part":      {partly("completed", "0, 0, 40"), transfer("paid", "wallet", "due", "40", "JPY")},
	"work_answer_differs: served and refused":     {order("o", "completed", "NULL, ''"), work("refused")},
	"parts_differ: not all was given back":        {partly("refund_due", "0, 0, 40"), paid, transfer("refunded", "due", "wallet", "30", "JPY")},
	"charged_another_amount: the price, not rest": {partly("held", "0, 0, 40"), payment("paid", "100")},
	"completed_without_document: of the price":    {partly("completed", "4, 40, 0"), bill("NULL")},
}

func run(t *testing.T, env dbtest.Env, rows []string) []audit.Violation {
	t.Helper()
	err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, r := range rows {
			if _, err := tx.Exec(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := audit.Run(t.Context(), env.DB)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// work is what staff wrote down about the order o.
func work(answer string) string {
	return `INSERT INTO works (account_id, order_id, exports, answer, reference, staff, answered_at) VALUES ('a', 'o', 0, '` + answer + `', 'r', 'mika', 1)`
}

// dispute is one of a payment of the order b; parts are its amount, what the wallet
// gave, what is owed and what of that is paid.
func dispute(state, parts string) string {
	return `INSERT INTO disputes (account_id, id, order_id, payment_id, provider, provider_id, state, reason, minor, wallet_minor, owed_minor, paid_minor, currency, moves, evidence, opened_at, as_of)
		VALUES ('a', 'o', 'b', 'y', 'stripe', 'd', '` + state + `', '', ` + parts + `, 'JPY', 1, '', 1, 1)`
}
