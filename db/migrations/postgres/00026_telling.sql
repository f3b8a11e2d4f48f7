-- +goose Up
-- account: when a customer is not disturbed, in minutes after midnight by their
-- clocks; the same twice: never mind.
ALTER TABLE accounts ADD COLUMN quiet_from bigint NOT NULL DEFAULT 1320;
ALTER TABLE accounts ADD COLUMN quiet_to bigint NOT NULL DEFAULT 480;

-- account: by which channels they wish to be told of a theme; no row: by all.
CREATE TABLE wishes (
    account_id text    NOT NULL,
    theme      text    NOT NULL,
    mail       boolean NOT NULL,
    push       boolean NOT NULL,
    PRIMARY KEY (account_id, theme)
);

-- account: browsers that show notifications. sealed is where their push service
-- reaches them, and mark the same hashed; session_id is the session with whose end
-- they go.
CREATE TABLE push_devices (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    session_id text   NOT NULL,
    mark       text   NOT NULL,
    sealed     text   NOT NULL,
    agent      text   NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
);

-- The key by which push services know the shop, sealed; one row.
CREATE TABLE push_keys (
    id         bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed     text   NOT NULL,
    created_at bigint NOT NULL
);

-- message: the message that a row brings to another device; '': it is its own.
ALTER TABLE messages ADD COLUMN copy_of text NOT NULL DEFAULT '';
