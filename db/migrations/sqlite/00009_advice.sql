-- +goose Up
-- line: what was used, by the operator's days: the newest reading of each day.
CREATE TABLE usage_days (
    account_id  text    NOT NULL,
    line_id     text    NOT NULL,
    day         bigint  NOT NULL, -- since 1 January 1970, in the operator's zone
    as_of       bigint  NOT NULL,
    unlimited   boolean NOT NULL,
    total_bytes bigint  NOT NULL,
    used_bytes  bigint  NOT NULL,
    most_bytes  bigint  NOT NULL, -- the most that any reading of the day showed
    throttled   boolean NOT NULL, -- at any reading of the day
    exhausted   boolean NOT NULL,
    PRIMARY KEY (account_id, line_id, day)
);

-- line: until which day the customer needs it, as they told us.
CREATE TABLE stays (
    account_id text   NOT NULL,
    line_id    text   NOT NULL,
    last_day   bigint NOT NULL, -- as usage_days.day
    told_at    bigint NOT NULL,
    PRIMARY KEY (account_id, line_id)
);

-- account: how much they mind to run out.
ALTER TABLE accounts ADD COLUMN attitude text NOT NULL DEFAULT 'balanced';

-- advice: what was learnt, and when. Version 0 is the program's own.
CREATE TABLE advice_models (
    version      bigint PRIMARY KEY,
    model        text   NOT NULL,
    from_day     bigint NOT NULL,
    to_day       bigint NOT NULL,
    trips        bigint NOT NULL,
    scores       text   NOT NULL,
    made_at      bigint NOT NULL,
    withdrawn_at bigint,
    withdrawn    text   NOT NULL DEFAULT '' -- why it is not used; '' while it is, or would be
);

-- What package advice may read of line's tables.
CREATE VIEW advice_lines AS
    SELECT account_id, id, ends_at FROM lines WHERE started_at IS NOT NULL;
