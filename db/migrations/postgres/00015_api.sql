-- +goose Up
-- api: keys of the seller's own programs. What is kept of a key is a digest; the
-- key itself is shown once.
CREATE TABLE api_keys (
    id         text   NOT NULL PRIMARY KEY,
    name       text   NOT NULL,
    digest     text   NOT NULL,
    scopes     text   NOT NULL,             -- 'read renew'
    only_for   text   NOT NULL DEFAULT '',  -- the one account that it opens; '': every one
    created_at bigint NOT NULL,
    created_by text   NOT NULL,
    used_at    bigint,                      -- to the minute
    revoked_at bigint
);

-- What was answered to a request with an Idempotency-Key. That a thing is made
-- once is kept by its own row; this only repeats the answer.
CREATE TABLE api_requests (
    account_id  text   NOT NULL,
    key_id      text   NOT NULL,
    request_key text   NOT NULL,
    digest      text   NOT NULL,            -- of what was asked
    answer      text   NOT NULL DEFAULT '', -- JSON; '' while it is being worked on
    began_at    bigint NOT NULL,
    kept_until  bigint NOT NULL,
    PRIMARY KEY (account_id, key_id, request_key)
);
CREATE INDEX api_requests_kept ON api_requests (kept_until);
