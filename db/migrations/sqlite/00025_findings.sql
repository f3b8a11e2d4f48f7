-- +goose Up
-- audit: what the repairer found that must not be. A row is one kind of wrong about
-- one thing; it closes itself when it is no longer true, and opens again when it is.
CREATE TABLE findings (
    account_id  text   NOT NULL,             -- '' where it is nobody's
    kind        text   NOT NULL,
    subject     text   NOT NULL,             -- the order, payment, refund or difference
    order_id    text   NOT NULL,             -- '' where it is about none
    sign        text   NOT NULL,             -- by which it was found
    evidence    text   NOT NULL,
    first_seen  bigint NOT NULL,             -- since it opened last
    last_seen   bigint NOT NULL,
    deadline    bigint NOT NULL,             -- when it must be settled
    times       bigint NOT NULL DEFAULT 1,   -- how often it opened
    look_at     bigint,                      -- when it is looked at next; NULL: it is closed
    repaired_by text   NOT NULL DEFAULT '',  -- what the repairer did
    repaired_at bigint,
    case_at     bigint,                      -- when a person was called
    closed_at   bigint,
    PRIMARY KEY (account_id, kind, subject)
);
CREATE INDEX findings_open ON findings (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX findings_closed ON findings (closed_at) WHERE closed_at IS NOT NULL;

-- Where the repairer is. One row: who has it until due_at is the one who looks.
CREATE TABLE audit_turns (
    name     text   NOT NULL PRIMARY KEY,
    places   text   NOT NULL,                -- JSON
    due_at   bigint NOT NULL,
    ended_at bigint                          -- when the last turn ended
);

-- order: unfinished and nobody will look. No renewal is ever among them.
CREATE INDEX orders_forgotten ON orders (updated_at) WHERE due_at IS NULL AND state NOT IN ('completed','cancelled','refunded');

-- settlement: what nobody has accepted.
CREATE INDEX differences_open ON differences (found_at) WHERE accepted = '';

-- What package audit may read.
DROP VIEW audit_periods;
CREATE VIEW audit_periods AS
    SELECT account_id, line_id, number, order_id, state, ends_at, operator_ends_at FROM periods;
DROP VIEW audit_refunds;
CREATE VIEW audit_refunds AS
    SELECT account_id, id, order_id, payment_id, minor, currency, state, why, due_at, created_at, done_at FROM refunds;
DROP VIEW audit_cases;
CREATE VIEW audit_cases AS
    SELECT account_id, order_id, state, title FROM cases WHERE opened_by = 'system';
DROP VIEW audit_differences;
CREATE VIEW audit_differences AS
    SELECT account_id, provider, day, kind, subject, order_id, payment_id, accepted, found_at, detail FROM differences;
CREATE VIEW audit_bill_numbers AS
    SELECT n.series, n.number, b.account_id, b.order_id
      FROM bill_numbers n JOIN bills b ON b.account_id = n.account_id AND b.id = n.bill_id;
CREATE VIEW audit_series AS
    SELECT series, last FROM bill_series;

-- order: what an operator showed no trace of, and whose money went back. It is looked
-- for once more: what was carried out all the same is nobody's to pay, and staff's to
-- know.
CREATE TABLE late_looks (
    account_id text   NOT NULL,
    order_id   text   NOT NULL,
    due_at     bigint,
    looks      bigint NOT NULL DEFAULT 0,
    served_at  bigint,                       -- when it was seen to be there
    why        text   NOT NULL DEFAULT '',   -- the operator's words
    PRIMARY KEY (account_id, order_id)
);
CREATE INDEX late_looks_due ON late_looks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX late_looks_served ON late_looks (served_at) WHERE served_at IS NOT NULL;
CREATE VIEW audit_late_looks AS
    SELECT account_id, order_id, served_at, why FROM late_looks;
