-- +goose Up
-- db: the oldest program that may work on this schema, by the version that it was made
-- for. A migration that takes something away from older programs raises it.
CREATE TABLE schema_floor (
    one    bigint NOT NULL PRIMARY KEY CHECK (one = 1),
    oldest bigint NOT NULL
);
INSERT INTO schema_floor (one, oldest) VALUES (1, 33);
