-- +goose Up
-- account: when a customer is not disturbed, in minutes after midnight by their
-- clocks; the same twice: never mind.
ALTER TABLE accounts ADD COLUMN quiet_from bigint NOT NULL DEFAULT 1320;
ALTER TABLE accounts ADD COLUMN quiet_to bigint NOT NULL DEFAULT 480;

-- account: by which channels they wish to be told of a theme; no row: by all.
CREATE TABLE wishes (
    account_id text    NOT NULL,
    theme      text    NOT NULL,
    mail       boolean NOT NULL,
    push       boolean NOT NULL,
    PRIMARY KEY (account_id, theme)
);
