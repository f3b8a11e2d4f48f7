-- +goose Up
CREATE TABLE directory (
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    account_id TEXT NOT NULL,
    id         TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
