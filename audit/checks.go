package audit

// Checks are all checks. Every query mentions $1, because one engine counts
// parameters; where time does not matter it is compared with something older.
var Checks = []Check{
	{
		Name: "completed_without_period", Promise: ExactlyOnce, Says: "a completed renewal brought no period:",
		query: `SELECT o.account_id, o.id, o.line_id FROM audit_orders o
			WHERE o.state = 'completed' AND o.kind = 'term' AND o.effect <> 'adds' AND o.placed_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_periods p WHERE p.account_id = o.account_id AND p.order_id = o.id)`,
	},
	{
		Name: "completed_without_pack", Promise: ExactlyOnce, Says: "a completed pack was not added:",
		query: `SELECT o.account_id, o.id, o.line_id FROM audit_orders o
			WHERE o.state = 'completed' AND o.effect = 'adds' AND o.placed_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_packs p WHERE p.account_id = o.account_id AND p.order_id = o.id)`,
	},
	{
		Name: "completed_without_line", Promise: ExactlyOnce, Says: "a completed order of a new line brought none:",
		query: `SELECT o.account_id, o.id, o.line_id FROM audit_orders o
			WHERE o.state = 'completed' AND o.kind = 'line' AND o.placed_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_esims e JOIN audit_lines l ON l.account_id = e.account_id AND l.id = e.line_id
			                   WHERE e.account_id = o.account_id AND e.order_id = o.id AND e.line_id = o.line_id)`,
	},
	{
		Name: "line_of_unfinished_order", Promise: NothingForNothing, Says: "a new line exists whose order is not completed:",
		query: `SELECT e.account_id, e.order_id, e.line_id FROM audit_esims e
			WHERE CAST($1 AS bigint) > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_orders o WHERE o.account_id = e.account_id AND o.id = e.order_id AND o.state = 'completed')`,
	},
	{
		Name: "completed_without_document", Promise: ExactlyOnce, Says: "a completed sale has no bill or receipt of its amount:",
		query: `SELECT o.account_id, o.id, o.kind FROM audit_orders o
			WHERE o.state = 'completed' AND o.minor > 0 AND o.placed_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_bills b WHERE b.account_id = o.account_id AND b.order_id = o.id
			                     AND b.kind <> 'credit_note' AND b.minor = o.minor - o.discount_minor AND b.currency = o.currency)`,
	},
	{
		Name: "period_of_unfinished_order", Promise: NothingForNothing, Says: "a period exists whose order is not completed:",
		query: `SELECT p.account_id, p.order_id, o.state FROM audit_periods p
			JOIN audit_orders o ON o.account_id = p.account_id AND o.id = p.order_id
			WHERE o.state <> 'completed' AND o.placed_at <= $1`,
	},
	{
		Name: "period_without_order", Promise: NothingForNothing, Says: "a period names an order that does not exist:",
		query: `SELECT p.account_id, p.order_id, p.line_id FROM audit_periods p
			WHERE p.order_id IS NOT NULL AND CAST($1 AS bigint) > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_orders o WHERE o.account_id = p.account_id AND o.id = p.order_id)`,
	},
	{
		Name: "served_without_payment", Promise: NothingForNothing, Says: "a completed order was not paid in full:",
		query: `SELECT o.account_id, o.id, o.tool FROM audit_orders o
			WHERE o.state = 'completed' AND o.minor > 0 AND o.placed_at <= $1
			  AND o.minor - o.discount_minor <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                            WHERE t.account_id = o.account_id AND t.subject = o.id AND t.step = 'paid'
			                              AND t.to_book = 'due' AND t.currency = o.currency), 0)
			               + COALESCE((SELECT SUM(a.minor) FROM audit_allocations a
			                            WHERE a.account_id = o.account_id AND a.order_id = o.id
			                              AND NOT EXISTS (SELECT 1 FROM audit_refunds r
			                                  WHERE r.account_id = a.account_id AND r.payment_id = a.payment_id
			                                    AND r.order_id = o.id AND r.why = 'double')), 0)`,
	},
	{
		Name: "charged_another_amount", Promise: NoSurprise, Says: "a payment took another amount than its orders were to bring:",
		query: `SELECT p.account_id, p.id, o.id FROM audit_payments p
			JOIN audit_orders o ON o.account_id = p.account_id AND o.id = p.order_id
			WHERE p.state = 'paid' AND o.placed_at <= $1
			  AND (p.currency <> o.currency
			       OR p.minor <> (SELECT SUM(m.minor - m.discount_minor - m.wallet_minor) FROM audit_orders m
			                       WHERE m.account_id = o.account_id AND (m.id = o.id OR o.basket <> '' AND m.basket = o.basket)))
			  AND p.minor > (SELECT COALESCE(SUM(r.minor), 0) FROM audit_refunds r
			                  WHERE r.account_id = p.account_id AND r.payment_id = p.id AND r.state = 'done')`,
	},
	{
		Name: "money_without_outcome", Promise: ExactlyOnce, Says: "a payment arrived for an order that ended without serving or refunding it:",
		query: `SELECT p.account_id, p.id, p.order_id FROM audit_payments p
			WHERE p.state = 'paid' AND p.paid_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = p.account_id AND r.payment_id = p.id AND r.state <> 'failed')
			  AND NOT EXISTS (SELECT 1 FROM audit_allocations a JOIN audit_orders o ON o.account_id = a.account_id AND o.id = a.order_id
			                   WHERE a.account_id = p.account_id AND a.payment_id = p.id
			                     AND o.state IN ('paid', 'fulfilling', 'completed', 'held', 'refund_due'))
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = p.account_id AND c.order_id = p.order_id
			                     AND c.title = 'refunded_elsewhere' AND c.state <> 'closed')`, // it was gone, or disputed, when it was first seen
	},
	{
		Name: "served_and_refunded", Promise: ExactlyOnce, Says: "an order was both served and refunded as not served:",
		query: `SELECT o.account_id, o.id, r.id FROM audit_orders o
			JOIN audit_refunds r ON r.account_id = o.account_id AND r.order_id = o.id
			WHERE o.state = 'completed' AND r.why = 'not_served' AND o.placed_at <= $1`,
	},
	{
		Name: "refunded_too_much", Promise: BooksBalance, Says: "more was refunded than a payment brought:",
		query: `SELECT p.account_id, p.id, p.order_id FROM audit_payments p
			WHERE CAST($1 AS bigint) > 0 AND p.minor < (SELECT COALESCE(SUM(r.minor), 0) FROM audit_refunds r
			                             WHERE r.account_id = p.account_id AND r.payment_id = p.id AND r.state = 'done')`,
	},
	{
		Name: "balance_differs", Promise: BooksBalance, Says: "a wallet or points differ from the sum of their entries:",
		query: `SELECT b.account_id, b.book, b.currency FROM audit_balances b
			WHERE CAST($1 AS bigint) > 0 AND b.minor <>
			      COALESCE((SELECT SUM(t.minor) FROM audit_transfers t WHERE t.account_id = b.account_id AND t.to_book = b.book AND t.currency = b.currency), 0)
			    - COALESCE((SELECT SUM(t.minor) FROM audit_transfers t WHERE t.account_id = b.account_id AND t.from_book = b.book AND t.currency = b.currency), 0)`,
	},
	{
		Name: "due_differs", Promise: BooksBalance, Says: "what is owed to a customer is not what the unfinished orders and refunds say:",
		query: `SELECT d.account_id, d.currency, 'ledger and orders differ' FROM (
				SELECT t.account_id, t.currency,
				       SUM(CASE WHEN t.to_book = 'due' THEN t.minor ELSE 0 END) - SUM(CASE WHEN t.from_book = 'due' THEN t.minor ELSE 0 END) AS owed
				  FROM audit_transfers t WHERE t.to_book = 'due' OR t.from_book = 'due'
				 GROUP BY t.account_id, t.currency) d
			WHERE CAST($1 AS bigint) > 0 AND d.owed <>
			      COALESCE((SELECT SUM(o.minor - o.discount_minor
			                       - COALESCE((SELECT SUM(t.minor) FROM audit_transfers t WHERE t.account_id = o.account_id AND t.subject = o.id
			                                      AND t.step = 'refunded' AND t.from_book = 'due' AND t.currency = o.currency), 0))
			                  FROM audit_orders o
			                 WHERE o.account_id = d.account_id AND o.currency = d.currency
			                   AND o.state IN ('paid', 'fulfilling', 'held', 'refund_due')), 0)
			    + COALESCE((SELECT SUM(r.minor) FROM audit_refunds r
			                 WHERE r.account_id = d.account_id AND r.currency = d.currency AND r.state <> 'done'
			                   AND (r.why <> 'not_served' OR EXISTS (SELECT 1 FROM audit_orders o
			                        WHERE o.account_id = r.account_id AND o.id = r.order_id AND o.state = 'refunded'))), 0)
			    + COALESCE((SELECT SUM(p.minor) FROM audit_payments p
			                 WHERE p.account_id = d.account_id AND p.currency = d.currency AND p.state = 'paid'
			                   AND NOT EXISTS (SELECT 1 FROM audit_allocations a WHERE a.account_id = p.account_id AND a.payment_id = p.id)
			                   AND NOT EXISTS (SELECT 1 FROM audit_refunds r WHERE r.account_id = p.account_id AND r.payment_id = p.id)
			                   AND EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = p.account_id AND c.order_id = p.order_id
			                                  AND c.title = 'refunded_elsewhere')), 0)`,
	},
	{
		Name: "disputed_not_charged", Promise: BooksBalance, Says: "what a dispute took is neither out of the wallet nor owed:",
		query: `SELECT d.account_id, d.id, d.payment_id FROM audit_disputes d
			WHERE CAST($1 AS bigint) > 0
			  AND (d.wallet_minor + d.owed_minor <> CASE WHEN d.state IN ('open', 'lost') THEN d.minor ELSE 0 END
			       OR d.wallet_minor < 0 OR d.paid_minor < 0 OR d.paid_minor > d.owed_minor
			       OR d.wallet_minor + d.owed_minor <>
			          COALESCE((SELECT SUM(CASE WHEN t.to_book = 'withheld' THEN t.minor ELSE -t.minor END) FROM audit_transfers t
			                     WHERE t.account_id = d.account_id AND t.subject = d.id AND t.currency = d.currency
			                       AND (t.to_book = 'withheld' OR t.from_book = 'withheld')), 0))`,
	},
	{
		Name: "receivable_differs", Promise: BooksBalance, Says: "what a customer owes is not what their disputes say:",
		query: `SELECT r.account_id, r.currency, 'ledger and disputes differ' FROM (
				SELECT account_id, currency, SUM(owed) AS owed FROM (
					SELECT t.account_id, t.currency, CASE WHEN t.from_book = 'receivable' THEN t.minor ELSE -t.minor END AS owed
					  FROM audit_transfers t
					 WHERE t.from_book = 'receivable' AND t.step LIKE 'disputed:%' OR t.to_book = 'receivable' AND (t.step LIKE 'disputed:%' OR t.step = 'completed')
					UNION ALL
					SELECT d.account_id, d.currency, d.paid_minor - d.owed_minor FROM audit_disputes d) moved
				 GROUP BY account_id, currency) r
			WHERE CAST($1 AS bigint) > 0 AND r.owed <> 0`,
	},
	{
		Name: "spent_while_owing", Promise: BooksBalance, Says: "a customer who owed something spent from wallet or points:",
		query: `SELECT o.account_id, o.id, d.id FROM audit_orders o
			JOIN audit_disputes d ON d.account_id = o.account_id
			JOIN audit_payments p ON p.account_id = d.account_id AND p.id = d.payment_id
			WHERE o.placed_at <= $1 AND o.kind <> 'topup' AND o.state NOT IN ('placed', 'cancelled') AND o.reason <> 'late_money'
			  AND (o.wallet_minor > 0 OR o.points > 0)
			  AND d.owed_minor > d.paid_minor AND d.state IN ('open', 'lost')
			  AND d.owed_minor - d.paid_minor > p.minor
			      - COALESCE((SELECT SUM(a.minor) FROM audit_allocations a
			                    JOIN audit_orders b ON b.account_id = a.account_id AND b.id = a.order_id
			                   WHERE a.account_id = p.account_id AND a.payment_id = p.id AND b.state = 'completed' AND b.completed_at < o.placed_at), 0)
			  AND o.placed_at > d.opened_at + 60000000`,
	},
	{
		Name: "aside_differs", Promise: BooksBalance, Says: "what is set aside is not what the orders say that wait for the rest:",
		query: `SELECT s.account_id, s.currency, 'ledger and orders differ' FROM (
				SELECT t.account_id, t.currency,
				       SUM(CASE WHEN t.to_book = 'aside' THEN t.minor ELSE 0 END) - SUM(CASE WHEN t.from_book = 'aside' THEN t.minor ELSE 0 END) AS held
				  FROM audit_transfers t WHERE t.to_book = 'aside' OR t.from_book = 'aside'
				 GROUP BY t.account_id, t.currency
				UNION ALL
				SELECT o.account_id, o.currency, 0 FROM audit_orders o WHERE o.state = 'placed' AND o.wallet_minor > 0
				   AND NOT EXISTS (SELECT 1 FROM audit_transfers t WHERE t.account_id = o.account_id AND t.to_book = 'aside' AND t.currency = o.currency)
				UNION ALL
				SELECT o.account_id, 'PTS', 0 FROM audit_orders o WHERE o.state = 'placed' AND o.points > 0
				   AND NOT EXISTS (SELECT 1 FROM audit_transfers t WHERE t.account_id = o.account_id AND t.to_book = 'aside' AND t.currency = 'PTS')) s
			WHERE CAST($1 AS bigint) > 0 AND s.held <>
			      COALESCE((SELECT SUM(CASE WHEN s.currency = 'PTS' THEN o.points ELSE o.wallet_minor END) FROM audit_orders o
			                 WHERE o.account_id = s.account_id AND o.state = 'placed' AND (s.currency = 'PTS' OR o.currency = s.currency)), 0)`,
	},
	{
		Name: "parts_differ", Promise: NoSurprise, Says: "wallet and points did not pay, or get back, the parts of a price that were agreed:",
		query: `SELECT o.account_id, o.id, o.state FROM audit_orders o
			WHERE o.placed_at <= $1
			  AND (o.discount_minor < 0 OR o.wallet_minor < 0 OR o.discount_minor + o.wallet_minor > o.minor OR (o.points = 0) <> (o.discount_minor = 0)
			       OR o.state NOT IN ('placed', 'cancelled')
			          AND (o.points <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                                      WHERE t.account_id = o.account_id AND t.subject = o.id AND t.step = 'paid'
			                                        AND t.from_book IN ('points', 'aside') AND t.currency = 'PTS'), 0)
			               OR o.wallet_minor <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                                      WHERE t.account_id = o.account_id AND t.subject = o.id AND t.step = 'paid'
			                                        AND t.from_book IN ('wallet', 'aside') AND t.currency = o.currency), 0))
			       OR o.state IN ('refund_due', 'refunded')
			          AND (o.points <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                                      WHERE t.account_id = o.account_id AND t.subject = o.id AND t.step = 'refunded' AND t.to_book = 'points'), 0)
			               OR o.wallet_minor <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                                      WHERE t.account_id = o.account_id AND t.subject = o.id AND t.step = 'refunded' AND t.to_book = 'wallet'), 0)))`,
	},
	{
		Name: "allocations_differ", Promise: BooksBalance, Says: "a payment was given to orders, and not all of it:",
		query: `SELECT p.account_id, p.id, p.order_id FROM audit_payments p
			WHERE p.state = 'paid' AND p.paid_at <= $1
			  AND p.minor <> (SELECT SUM(a.minor) FROM audit_allocations a WHERE a.account_id = p.account_id AND a.payment_id = p.id)`,
	},
	{
		Name: "tax_differs", Promise: BooksBalance, Says: "a bill's tax is not what the ledger booked:",
		query: `SELECT b.account_id, b.id, b.order_id FROM audit_bills b
			WHERE b.kind = 'bill' AND b.issued_at <= $1
			  AND b.tax_minor <> COALESCE((SELECT SUM(t.minor) FROM audit_transfers t
			                                WHERE t.account_id = b.account_id AND t.subject = b.order_id
			                                  AND t.step = 'completed' AND t.to_book = 'tax'), 0)`,
	},
	{
		Name: "bill_unnumbered", Promise: NothingStuck, Says: "a bill has waited too long for its number:", Late: NumberLate,
		query: `SELECT b.account_id, b.id, b.series FROM audit_bills b WHERE b.number IS NULL AND b.issued_at <= $1`,
	},
	{
		Name: "bill_numbers_have_gaps", Promise: BooksBalance, Says: "a series of bills has a gap or a number too many:",
		query: `SELECT '', n.series, 'last and given differ' FROM audit_numbers n WHERE CAST($1 AS bigint) > 0 AND (n.last <> n.given OR n.last <> n.highest)`,
	},
	{
		Name: "line_lost_count", Promise: ExactlyOnce, Says: "a line does not count its periods right:",
		query: `SELECT l.account_id, l.id, 'periods differ' FROM audit_lines l
			WHERE CAST($1 AS bigint) > 0 AND l.periods <> (SELECT COUNT(*) FROM audit_periods p WHERE p.account_id = l.account_id AND p.line_id = l.id)`,
	},
	{
		Name: "line_reserved_for_nothing", Promise: NothingStuck, Says: "a line is reserved for an order that is over:",
		query: `SELECT l.account_id, l.id, l.extending FROM audit_lines l
			JOIN audit_orders o ON o.account_id = l.account_id AND o.id = l.extending
			WHERE o.state IN ('completed', 'cancelled', 'refunded', 'refund_due') AND o.updated_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_withdrawals w WHERE w.account_id = o.account_id AND w.order_id = o.id AND w.state IN ('asked', 'unclear'))`,
	},
	{
		Name: "withdrawal_unseen", Promise: NothingStuck, Says: "nobody knows whether an eSIM was given back, and no case is open:",
		query: `SELECT w.account_id, w.order_id, w.state FROM audit_withdrawals w
			WHERE w.state = 'unclear' AND CAST($1 AS bigint) > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = w.account_id AND c.order_id = w.order_id)`,
	},
	{
		Name: "order_late", Promise: NothingStuck, Says: "nobody works on an order that is due:", Late: WorkLate,
		query: `SELECT o.account_id, o.id, o.state FROM audit_orders o WHERE o.due_at <= $1`,
	},
	{
		Name: "order_forgotten", Promise: NothingStuck, Says: "an order is unfinished and nothing will look at it:",
		query: `SELECT o.account_id, o.id, o.state FROM audit_orders o
			WHERE o.due_at IS NULL AND o.placed_at <= $1
			  AND (o.state IN ('placed', 'paid', 'fulfilling')
			       OR o.state = 'refund_due' AND NOT EXISTS (
			           SELECT 1 FROM audit_refunds r WHERE r.account_id = o.account_id AND r.order_id = o.id AND r.due_at IS NOT NULL))`,
	},
	{
		Name: "payment_late", Promise: NothingStuck, Says: "nobody asks about a payment that is due:", Late: WorkLate,
		query: `SELECT p.account_id, p.id, p.order_id FROM audit_payments p WHERE p.due_at <= $1`,
	},
	{
		Name: "refund_late", Promise: NothingStuck, Says: "a refund takes too long:", Late: RefundLate,
		query: `SELECT r.account_id, r.id, r.order_id FROM audit_refunds r WHERE r.state IN ('due', 'sent', 'unknown') AND r.created_at <= $1`,
	},
	{
		Name: "held_without_case", Promise: NothingStuck, Says: "an order waits for a person and no case is open:",
		query: `SELECT o.account_id, o.id, o.reason FROM audit_orders o
			WHERE o.state = 'held' AND o.reason <> 'staff' AND o.placed_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_cases c WHERE c.account_id = o.account_id AND c.order_id = o.id AND c.state = 'open')`,
	},
	{
		Name: "customer_not_told", Promise: EverybodyTold, Says: "a customer was not told how an order ended:",
		query: `SELECT o.account_id, o.id, o.state FROM audit_orders o
			WHERE o.state IN ('completed', 'refunded') AND o.placed_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_messages m WHERE m.account_id = o.account_id AND m.order_id = o.id
			                     AND m.kind IN ('order_completed', 'order_refunded', 'wallet_topped_up'))`,
	},
	{
		Name: "expired_untold", Promise: EverybodyTold, Says: "value in a wallet expired and its owner was not told before:",
		query: `SELECT t.account_id, t.subject, t.currency FROM audit_transfers t
			WHERE t.to_book = 'expired' AND CAST($1 AS bigint) > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_messages m WHERE m.account_id = t.account_id AND m.kind = 'wallet_expiring')`,
	},
	{
		Name: "wallet_age_unknown", Promise: NothingStuck, Says: "nothing will look how old the value in a wallet is:",
		query: `SELECT b.account_id, b.book, b.currency FROM audit_balances b
			WHERE b.book = 'wallet' AND b.minor > 0 AND CAST($1 AS bigint) > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_wallet_ages w WHERE w.account_id = b.account_id AND w.currency = b.currency)`,
	},
	{
		Name: "expired_too_much", Promise: BooksBalance, Says: "more expired than was ever put into a wallet and not spent:",
		query: `SELECT e.account_id, e.currency, 'expired and filled differ' FROM (
				SELECT t.account_id, t.currency, SUM(t.minor) AS minor FROM audit_transfers t WHERE t.to_book = 'expired' GROUP BY t.account_id, t.currency) e
			WHERE CAST($1 AS bigint) > 0 AND e.minor >
			      COALESCE((SELECT SUM(t.minor) FROM audit_transfers t WHERE t.account_id = e.account_id AND t.currency = e.currency
			                   AND t.to_book = 'wallet' AND t.from_book <> 'aside' AND t.step NOT IN ('refunded', 'credited')), 0)`,
	},
	{
		Name: "work_answer_differs", Promise: ExactlyOnce, Says: "what staff wrote down about an order is not how it ended:",
		query: `SELECT w.account_id, w.order_id, w.answer || ', and it is ' || o.state FROM audit_works w
			JOIN audit_orders o ON o.account_id = w.account_id AND o.id = w.order_id
			WHERE w.answered_at <= $1
			  AND (w.answer = 'done' AND o.state <> 'completed' OR w.answer = 'refused' AND o.state NOT IN ('refund_due', 'refunded', 'held'))`,
	},
	{
		Name: "stock_given_for_nothing", Promise: NothingForNothing, Says: "an item of stock was given, and is no line or is of no completed order:",
		query: `SELECT i.account_id, i.iccid, i.state FROM audit_stock i
			WHERE i.state = 'given' AND CAST($1 AS bigint) > 0
			  AND (NOT EXISTS (SELECT 1 FROM audit_lines l WHERE l.account_id = i.account_id AND l.id = i.line_id)
			       OR i.kind = 'esim' AND NOT EXISTS (SELECT 1 FROM audit_orders o WHERE o.account_id = i.account_id AND o.id = i.order_id
			                                            AND o.state = 'completed' AND o.line_id = i.line_id))`,
	},
	{
		Name: "stock_kept_back", Promise: NothingStuck, Says: "an item of stock is reserved for an order that is over:",
		query: `SELECT i.account_id, i.iccid, i.order_id FROM audit_stock i
			WHERE i.state = 'reserved' AND CAST($1 AS bigint) > 0
			  AND NOT EXISTS (SELECT 1 FROM audit_orders o WHERE o.account_id = i.account_id AND o.id = i.order_id AND o.state IN ('paid', 'fulfilling', 'held'))`,
	},
	{
		Name: "granted_without_code", Promise: NothingForNothing, Says: "an order cost nothing because of a code, and there is no such code:",
		query: `SELECT o.account_id, o.id, o.state FROM audit_orders o
			WHERE o.tool = 'redeem_code' AND o.state <> 'refunded' AND o.placed_at <= $1
			  AND NOT EXISTS (SELECT 1 FROM audit_redeem_codes c WHERE c.account_id = o.account_id AND c.order_id = o.id AND c.state = 'redeemed')`,
	},
	{
		Name: "message_late", Promise: EverybodyTold, Says: "nobody sends a message that is due:", Late: WorkLate,
		query: `SELECT m.account_id, m.kind, m.order_id FROM audit_messages m
			WHERE m.state IN ('due', 'sending', 'unknown') AND m.due_at <= $1`,
	},
	{
		Name: "provider_differs", Promise: BooksBalance, Says: "a provider's report and our books differ, and nobody has accepted it:", Late: DifferLate,
		query: `SELECT d.account_id, d.kind || ' ' || d.subject, d.provider || ' ' || d.day FROM audit_differences d WHERE d.accepted = '' AND d.found_at <= $1`,
	},
	{
		Name: "report_late", Promise: NothingStuck, Says: "a provider's report could not be read:", Late: ReportLate,
		query: `SELECT '', s.provider || ' ' || s.day, s.trouble FROM audit_settlement_days s WHERE NOT s.whole AND s.ready_at <= $1`,
	},
}
