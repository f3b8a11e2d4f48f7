-- +goose Up
-- line: what gateways count of lines, session by session. An identifier of a session
-- may come again after a gateway's restart: number tells them apart. A session has
-- what its highest report showed, and when: a later one that showed less changes
-- nothing.
CREATE TABLE line_sessions (
    account_id text   NOT NULL,
    line_id    text   NOT NULL,
    gateway    text   NOT NULL,
    session    text   NOT NULL,
    number     bigint NOT NULL,
    begun_at   bigint NOT NULL,
    down_bytes bigint NOT NULL, -- to the line
    up_bytes   bigint NOT NULL, -- from it
    as_of      bigint NOT NULL, -- when that was counted
    seen_at    bigint NOT NULL, -- the latest instant that any report of it is about
    stopped_at bigint,          -- where the gateway said that it ended
    heard_at   bigint NOT NULL, -- when we were last told
    PRIMARY KEY (account_id, line_id, gateway, session, number)
);

-- line: the highest report of a session in each stretch: a stretch begins with the
-- operator's day, with a period, and when a cap begins anew. What was used between
-- two reports is shared out over the time between them.
CREATE TABLE session_stretches (
    account_id    text   NOT NULL,
    line_id       text   NOT NULL,
    from_at       bigint NOT NULL,
    gateway       text   NOT NULL,
    session       text   NOT NULL,
    number        bigint NOT NULL,
    counted_bytes bigint NOT NULL, -- since the session began; -1: no report of this stretch
    as_of         bigint,
    used_bytes    bigint NOT NULL, -- of this stretch
    PRIMARY KEY (account_id, line_id, from_at, gateway, session, number)
);
CREATE INDEX session_stretches_session ON session_stretches (account_id, line_id, gateway, session);

-- line: when a gateway last said that it began anew: what ran there has ended.
CREATE TABLE gateways (
    gateway      text   NOT NULL PRIMARY KEY,
    restarted_at bigint NOT NULL
);

-- line: which card gateways mean by the number that they tell.
CREATE TABLE card_numbers (
    kind  text NOT NULL CHECK (kind IN ('imsi','msisdn')),
    value text NOT NULL,
    iccid text NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX card_numbers_iccid ON card_numbers (iccid);

-- line: what was said of a line before its sessions were counted here.
CREATE TABLE meter_bases (
    account_id  text   NOT NULL,
    line_id     text   NOT NULL,
    at          bigint,          -- NULL: nothing was
    used_bytes  bigint NOT NULL,
    total_bytes bigint NOT NULL,
    PRIMARY KEY (account_id, line_id)
);
