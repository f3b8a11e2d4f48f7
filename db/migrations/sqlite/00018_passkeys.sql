-- +goose Up
-- account: passkeys (WebAuthn). credential and public_key are base64url; flags
-- are those of the authenticator data.
CREATE TABLE passkeys (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    credential text   NOT NULL,
    public_key text   NOT NULL,
    sign_count bigint NOT NULL,
    flags      bigint NOT NULL,
    name       text   NOT NULL,
    created_at bigint NOT NULL,
    used_at    bigint,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (account_id, credential);

-- Challenges that were answered: each is good for one answer.
CREATE TABLE passkey_answers (
    account_id text   NOT NULL,
    challenge  text   NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (account_id, challenge)
);
CREATE INDEX passkey_answers_at ON passkey_answers (at);
