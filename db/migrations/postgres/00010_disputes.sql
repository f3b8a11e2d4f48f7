-- +goose Up
-- order: what customers' banks say against payments, as their provider tells it.
-- One row a dispute; what it took is in wallet_minor and owed_minor.
CREATE TABLE disputes (
    account_id   text   NOT NULL,
    id           text   NOT NULL,
    order_id     text   NOT NULL,            -- under which its payment stands
    payment_id   text   NOT NULL,
    provider     text   NOT NULL,
    provider_id  text   NOT NULL,            -- '' where the provider tells only an amount
    state        text   NOT NULL CHECK (state IN ('asked','open','won','lost')),
    reason       text   NOT NULL,
    minor        bigint NOT NULL,
    currency     text   NOT NULL,
    wallet_minor bigint NOT NULL,            -- of it, taken back out of the wallet
    owed_minor   bigint NOT NULL,            -- of it, owed by the customer
    paid_minor   bigint NOT NULL DEFAULT 0,  -- of what was owed, paid
    moves        bigint NOT NULL,            -- postings made; names the next one
    evidence     text   NOT NULL,            -- for staff, as of when it was opened
    answer_by    bigint,
    opened_at    bigint NOT NULL,            -- when we saw it first
    as_of        bigint NOT NULL,            -- of the last observation that counted
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, payment_id, provider_id)
);
CREATE INDEX disputes_order ON disputes (account_id, order_id);

-- What package audit may read.
CREATE VIEW audit_disputes AS
    SELECT account_id, id, order_id, payment_id, state, minor, currency, wallet_minor, owed_minor, paid_minor, opened_at FROM disputes;
