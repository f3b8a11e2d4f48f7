-- +goose Up
-- upstream: what is left of the seller's money with operators, and what they sell. It
-- is the shop's, one row for each adapter.
CREATE TABLE operator_balances (
    carrier  text   NOT NULL PRIMARY KEY,
    units    bigint NOT NULL,  -- as the operator counts: units/scale of the currency
    scale    bigint NOT NULL CHECK (scale > 0),
    currency text   NOT NULL,  -- '': nothing was told yet
    as_of    bigint,           -- of the balance
    since    bigint,           -- since when what was spent is recorded
    low_at   bigint,           -- the floor in units when it fell below; NULL: it is not low
    trouble  text   NOT NULL,  -- why the last question gave none; '': it did
    due_at   bigint NOT NULL   -- when it is asked for again
);

-- What the balance fell by, day by day (UTC), in the units of operator_balances.
CREATE TABLE operator_spending (
    carrier text   NOT NULL,
    day     text   NOT NULL,
    units   bigint NOT NULL,
    PRIMARY KEY (carrier, day)
);

-- When an operator's prices were last compared with the catalogue.
CREATE TABLE operator_prices (
    carrier    text   NOT NULL PRIMARY KEY,
    day        text   NOT NULL,  -- the operator's, whose night that was; '': never whole
    checked_at bigint,
    trouble    text   NOT NULL,
    due_at     bigint NOT NULL   -- not before
);

-- What staff were told, once each time.
CREATE TABLE operator_alarms (
    carrier   text   NOT NULL,
    kind      text   NOT NULL,
    subject   text   NOT NULL,
    told      text   NOT NULL,
    opened_at bigint NOT NULL,
    ended_at  bigint,            -- NULL: it is so still
    PRIMARY KEY (carrier, kind, subject)
);
