-- +goose Up
-- billing: to whom a customer wants documents made out. It is printed on those that
-- are numbered from then on; what a document says never changes after that.
CREATE TABLE bill_recipients (
    account_id text   NOT NULL PRIMARY KEY,
    name       text   NOT NULL,
    address    text   NOT NULL,
    updated_at bigint NOT NULL
);
