-- +goose Up
-- message: what is said to people. One row is one message to one address; the
-- row is the work (state, due_at, attempts). due_at is NULL once nothing is
-- left to do. Secrets in facts are scrubbed when the message has been sent.
CREATE TABLE messages (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    key        text   NOT NULL,            -- what makes it once: 'order_completed/ord_…'
    kind       text   NOT NULL,
    channel    text   NOT NULL CHECK (channel IN ('email', 'sms', 'push', 'chat')),
    address    text   NOT NULL,
    language   text   NOT NULL,
    facts      text   NOT NULL,            -- JSON
    order_id   text   NOT NULL DEFAULT '',
    line_id    text   NOT NULL DEFAULT '',
    state      text   NOT NULL CHECK (state IN ('due', 'sending', 'sent', 'unknown', 'failed', 'withdrawn')),
    due_at     bigint,
    expires_at bigint,                     -- NULL: never too late
    attempts   bigint NOT NULL DEFAULT 0,
    doubts     bigint NOT NULL DEFAULT 0,  -- attempts whose outcome nobody knows
    created_at bigint NOT NULL,
    sent_at    bigint,
    deliverer  text   NOT NULL DEFAULT '',
    receipt    text   NOT NULL DEFAULT '', -- the deliverer's own reference
    trouble    text   NOT NULL DEFAULT '', -- the last error, for staff
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX messages_key ON messages (account_id, key);
CREATE INDEX messages_due ON messages (due_at, id) WHERE state IN ('due', 'sending', 'unknown');

-- account: customers, how they sign in and where they can be reached.
CREATE TABLE accounts (
    account_id    text   NOT NULL PRIMARY KEY,
    state         text   NOT NULL CHECK (state IN ('unverified', 'active', 'restricted', 'closing', 'closed')),
    name          text   NOT NULL DEFAULT '',
    language      text   NOT NULL,
    zone          text   NOT NULL DEFAULT '',  -- IANA; '' until the customer or a line says
    home_operator text   NOT NULL DEFAULT '',  -- for roaming comparisons
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL
);

CREATE TABLE addresses (
    account_id  text   NOT NULL,
    id          text   NOT NULL,
    channel     text   NOT NULL CHECK (channel IN ('email', 'sms', 'push', 'chat')),
    value       text   NOT NULL,           -- normalised: what directory knows
    verified_at bigint,
    created_at  bigint NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX addresses_value ON addresses (account_id, channel, value);

CREATE TABLE sessions (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    token_hash text   NOT NULL,
    agent      text   NOT NULL,            -- what the browser says of itself, shortened
    created_at bigint NOT NULL,
    seen_at    bigint NOT NULL,            -- moved at most once an hour
    expires_at bigint NOT NULL,
    revoked_at bigint,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE challenges (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    purpose    text   NOT NULL,
    address_id text   NOT NULL,            -- the address that a right code verifies
    code_hash  text   NOT NULL,
    attempts   bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at    bigint,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX challenges_expires ON challenges (expires_at);

CREATE TABLE links (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    line_id    text   NOT NULL,
    token_hash text   NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX links_expires ON links (expires_at);

-- How often something was tried in a window of time. Buckets are hashes of an
-- address or a client, so that the table names nobody; they belong to no account.
CREATE TABLE limits (
    bucket       text   NOT NULL PRIMARY KEY,
    window_start bigint NOT NULL,
    count        bigint NOT NULL
);
CREATE INDEX limits_window ON limits (window_start);
