-- +goose Up
-- account: a password is argon2id over a keyed hash, as a PHC string.
CREATE TABLE passwords (
    account_id text   NOT NULL PRIMARY KEY,
    hash       text   NOT NULL,
    changed_at bigint NOT NULL
);

-- How the session began.
ALTER TABLE sessions ADD COLUMN way text NOT NULL DEFAULT 'code' CHECK (way IN ('code', 'password', 'passkey'));

-- Browsers that were marked as known before are not known any more.
ALTER TABLE accounts ADD COLUMN browsers_since bigint NOT NULL DEFAULT 0;

-- When an account that is closing will be closed.
ALTER TABLE accounts ADD COLUMN closes_at bigint;
CREATE INDEX accounts_closes ON accounts (closes_at) WHERE closes_at IS NOT NULL;

-- The one line whose renewal a right code opens; '' where it signs in.
ALTER TABLE challenges ADD COLUMN line_id text NOT NULL DEFAULT '';

-- The address that a right code adds to the account; '' where it adds none.
ALTER TABLE challenges ADD COLUMN address text NOT NULL DEFAULT '';
