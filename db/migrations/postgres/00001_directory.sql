-- +goose Up
CREATE TABLE directory (
    kind       text NOT NULL,
    value      text NOT NULL,
    account_id text NOT NULL,
    id         text NOT NULL,
    PRIMARY KEY (kind, value)
);
