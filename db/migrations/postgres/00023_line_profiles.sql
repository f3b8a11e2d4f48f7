-- +goose Up
-- line: what a phone last did with a line's eSIM profile, as an SM-DP+ told it.
CREATE TABLE line_profiles (
    account_id text   NOT NULL,
    line_id    text   NOT NULL,
    state      text   NOT NULL CHECK (state IN ('installed','enabled','disabled','deleted')),
    rank       bigint NOT NULL,   -- which of two states of one instant counts: the higher
    at         bigint NOT NULL,   -- when the phone did it, by the SM-DP+'s clock
    heard_at   bigint NOT NULL,   -- when we heard of it
    PRIMARY KEY (account_id, line_id)
);
