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


CREATE TRIGGER sign_ins_append_only BEFORE UPDATE ON sign_ins
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- Sessions may begin by an issuer, too.
ALTER TABLE sessions DROP CONSTRAINT sessions_way_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_way_check CHECK (way IN ('code', 'password', 'passkey', 'issuer'));
