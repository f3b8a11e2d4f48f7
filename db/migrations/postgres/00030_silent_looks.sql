-- +goose Up
-- order: an operator that gives no reading of what was refunded is asked less and less
-- often, and at last a person is.
ALTER TABLE late_looks ADD COLUMN silences bigint NOT NULL DEFAULT 0; -- in a row
ALTER TABLE late_looks ADD COLUMN gave_up_at bigint;                  -- since then nobody asks
CREATE INDEX late_looks_given_up ON late_looks (gave_up_at) WHERE gave_up_at IS NOT NULL;
DROP VIEW audit_late_looks;
CREATE VIEW audit_late_looks AS
    SELECT account_id, order_id, served_at, gave_up_at, why FROM late_looks;
