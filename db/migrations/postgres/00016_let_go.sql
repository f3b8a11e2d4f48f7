-- +goose Up
-- order: of what a dispute let a customer owe, what staff let go. It is in
-- paid_minor, too; if the money comes back after all it is the seller's.
ALTER TABLE disputes ADD COLUMN let_go_minor bigint NOT NULL DEFAULT 0;
