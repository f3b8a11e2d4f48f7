-- +goose Up
-- What a next version may add while programs of this one work: a column of a table that
-- every order is written to, an index over it, a table, and a view.
ALTER TABLE orders ADD COLUMN next_note text NOT NULL DEFAULT '';
CREATE INDEX orders_next_note ON orders (account_id, next_note) WHERE next_note <> '';
CREATE TABLE next_things (
    account_id text NOT NULL,
    order_id   text NOT NULL,
    PRIMARY KEY (account_id, order_id)
);
CREATE VIEW audit_next_things AS
    SELECT account_id, order_id FROM next_things;
