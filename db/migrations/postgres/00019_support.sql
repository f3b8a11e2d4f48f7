-- +goose Up
-- support: a case is a conversation. Customers open cases too, and what both sides
-- say and send is kept with it.
ALTER TABLE cases ADD COLUMN opened_by text   NOT NULL DEFAULT 'system' CHECK (opened_by IN ('system','customer'));
ALTER TABLE cases ADD COLUMN topic     text   NOT NULL DEFAULT '';  -- what a customer chose that it is about
ALTER TABLE cases ADD COLUMN subject   text   NOT NULL DEFAULT '';  -- the beginning of a customer's first message
ALTER TABLE cases ADD COLUMN turn      text   NOT NULL DEFAULT 'staff' CHECK (turn IN ('staff','customer')); -- who speaks next
ALTER TABLE cases ADD COLUMN messages  bigint NOT NULL DEFAULT 0;   -- the number of the last one
ALTER TABLE cases ADD COLUMN files     bigint NOT NULL DEFAULT 0;   -- the number of the last one
ALTER TABLE cases ADD COLUMN closed_at bigint;
CREATE INDEX cases_open ON cases (updated_at) WHERE state = 'open';

CREATE TABLE case_messages (
    account_id text   NOT NULL,
    case_id    text   NOT NULL,
    number     bigint NOT NULL,             -- 1, 2, 3 …
    key        text   NOT NULL,             -- what makes it once
    author     text   NOT NULL CHECK (author IN ('customer','staff')),
    staff      text   NOT NULL DEFAULT '',  -- who of them
    body       text   NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (account_id, case_id, number),
    UNIQUE (account_id, case_id, key)
);
CREATE INDEX case_messages_at ON case_messages (account_id, at);

CREATE TABLE case_files (
    account_id text   NOT NULL,
    case_id    text   NOT NULL,
    number     bigint NOT NULL,             -- 1, 2, 3 …
    message    bigint NOT NULL,             -- with which it came
    name       text   NOT NULL,
    kind       text   NOT NULL CHECK (kind IN ('image/jpeg','image/png','application/pdf')),
    bytes      bigint NOT NULL,
    content    bytea  NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (account_id, case_id, number)
);
CREATE INDEX case_files_at ON case_files (account_id, at);

-- An order that waits for a person needs a case of ours: a customer's question
-- about it is none.
DROP VIEW audit_cases;
CREATE VIEW audit_cases AS
    SELECT account_id, order_id, state FROM cases WHERE opened_by = 'system';
