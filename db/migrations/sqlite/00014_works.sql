-- +goose Up
-- order: what the seller's staff do by hand at an operator without an API. What
-- waits is the order itself; a row here says that it was exported, and how it was
-- answered.
CREATE TABLE works (
    account_id  text   NOT NULL,
    order_id    text   NOT NULL,
    exports     bigint NOT NULL,             -- how often it was exported
    exported_at bigint,                      -- the first time
    exported_by text   NOT NULL DEFAULT '',
    answer      text   NOT NULL DEFAULT '' CHECK (answer IN ('','done','refused')),
    reference   text   NOT NULL DEFAULT '',  -- the proof: the operator's own reference
    reason      text   NOT NULL DEFAULT '',  -- why it was not done, or a note
    staff       text   NOT NULL DEFAULT '',
    answered_at bigint,
    file_name   text   NOT NULL DEFAULT '',  -- of the proof in work_files; '': none
    file_sha256 text   NOT NULL DEFAULT '',  -- hexadecimal
    file_bytes  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, order_id)
);

CREATE TABLE work_files (
    account_id text NOT NULL,
    order_id   text NOT NULL,
    content    BLOB NOT NULL,
    PRIMARY KEY (account_id, order_id)
);

-- What package audit may read.
CREATE VIEW audit_works AS
    SELECT account_id, order_id, answer, answered_at FROM works;
