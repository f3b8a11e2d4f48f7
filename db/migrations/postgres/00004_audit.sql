-- +goose Up
-- What package audit may read of other packages' tables.
CREATE VIEW audit_orders AS
    SELECT account_id, id, state, kind, effect, line_id, minor, currency, tool, reason, due_at, placed_at, paid_at, completed_at, updated_at FROM orders;
CREATE VIEW audit_payments AS
    SELECT account_id, id, order_id, provider, minor, currency, state, live, due_at, paid_at FROM payments;
CREATE VIEW audit_allocations AS
    SELECT account_id, payment_id, order_id, minor FROM allocations;
CREATE VIEW audit_refunds AS
    SELECT account_id, id, order_id, payment_id, minor, currency, state, why, due_at, created_at FROM refunds;
CREATE VIEW audit_lines AS
    SELECT account_id, id, extending, periods FROM lines;
CREATE VIEW audit_periods AS
    SELECT account_id, line_id, number, order_id FROM periods;
CREATE VIEW audit_packs AS
    SELECT account_id, order_id FROM packs;
CREATE VIEW audit_transfers AS
    SELECT account_id, subject, step, from_book, to_book, minor, currency FROM transfers;
CREATE VIEW audit_balances AS
    SELECT account_id, book, currency, minor FROM balances;
CREATE VIEW audit_bills AS
    SELECT account_id, id, order_id, kind, series, number, minor, tax_minor, currency, issued_at FROM bills;
CREATE VIEW audit_messages AS
    SELECT account_id, kind, order_id, state, due_at FROM messages;
CREATE VIEW audit_cases AS
    SELECT account_id, order_id, state FROM cases;
CREATE VIEW audit_numbers AS
    SELECT s.series, s.last, COUNT(n.number) AS given, COALESCE(MAX(n.number), 0) AS highest
      FROM bill_series s LEFT JOIN bill_numbers n ON n.series = s.series
     GROUP BY s.series, s.last;
