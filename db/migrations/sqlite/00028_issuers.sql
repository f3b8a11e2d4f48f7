-- +goose Up
-- account: what lets somebody come in whom an issuer (Google, LINE, a company's own
-- sign-in) knows. mark is a hash of the issuer's address and of its name for the person; the
-- directory finds the account by it.
CREATE TABLE connections (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    issuer     text   NOT NULL,           -- its name in the configuration
    mark       text   NOT NULL,
    label      text   NOT NULL,           -- how the person is called there, when it was connected
    created_at bigint NOT NULL,
    used_at    bigint,                    -- NULL: never since
    PRIMARY KEY (account_id, id)
);

-- account: who came in, and who did not. Rows are not changed; they go after a time, and
-- with their account. account_id is '' for addresses that nobody has.
CREATE TABLE sign_ins (
    account_id text    NOT NULL,
    id         text    NOT NULL,
    at         bigint  NOT NULL,
    way        text    NOT NULL,
    reason     text    NOT NULL,          -- '': came in
    known      boolean NOT NULL,          -- a browser in which the owner had signed in before
    agent      text    NOT NULL,          -- the browser, in words of ours
    client     text    NOT NULL,          -- the network address
    PRIMARY KEY (account_id, id)
);
CREATE INDEX sign_ins_at ON sign_ins (at);

-- +goose StatementBegin
CREATE TRIGGER sign_ins_no_update BEFORE UPDATE ON sign_ins
BEGIN
    SELECT RAISE(ABORT, 'sign_ins is append-only');
END;
-- +goose StatementEnd

-- Sessions may begin by an issuer, too. A check cannot be changed, so the column is made anew.
ALTER TABLE sessions ADD COLUMN begun_by text NOT NULL DEFAULT 'code' CHECK (begun_by IN ('code', 'password', 'passkey', 'issuer'));
UPDATE sessions SET begun_by = way;
ALTER TABLE sessions DROP COLUMN way;
ALTER TABLE sessions RENAME COLUMN begun_by TO way;
