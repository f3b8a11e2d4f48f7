-- +goose Up
-- order: an operator that gives no reading of what was refunded is asked less and less
-- often, and at last a person is.
ALTER TABLE late_looks ADD COLUMN silences bigint NOT NULL DEFAULT 0; -- in a row
ALTER TABLE late_looks ADD COLUMN gave_up_at bigint;                  -- since then nobody asks
CREATE INDEX late_looks_given_up ON late_looks (gave_up_at) WHERE gave_up_at IS NOT NULL;
DROP VIEW audit_late_looks;
CREATE VIEW audit_late_looks AS
    SELECT account_id, order_id, served_at, gave_up_at, why FROM late_looks;

-- order: new eSIMs that customers do not want and nobody has installed. The row is the
-- work: while it is 'asked' the operator may have taken the eSIM back.
CREATE TABLE withdrawals (
    account_id text   NOT NULL,
    order_id   text   NOT NULL,
    line_id    text   NOT NULL,
    state      text   NOT NULL CHECK (state IN ('asked', 'done', 'refused', 'unclear')),
    staff      text   NOT NULL DEFAULT '',   -- who asked; '': the customer
    why        text   NOT NULL DEFAULT '',
    attempts   bigint NOT NULL DEFAULT 0,
    due_at     bigint,
    asked_at   bigint NOT NULL,              -- when the operator may have been asked last
    ended_at   bigint,
    PRIMARY KEY (account_id, order_id)
);
CREATE INDEX withdrawals_due ON withdrawals (due_at) WHERE due_at IS NOT NULL;
CREATE VIEW audit_withdrawals AS
    SELECT account_id, order_id, state FROM withdrawals;
