-- +goose Up
-- stock: what the seller has bought and given to nobody yet: printed SIM cards,
-- which their buyer claims with the code that came with them, and eSIM codes. It is
-- the shop's, until account_id says whose.
CREATE TABLE stock (
    iccid      text   NOT NULL PRIMARY KEY,
    kind       text   NOT NULL CHECK (kind IN ('sim','esim')),
    operator   text   NOT NULL,
    profile_id text   NOT NULL,              -- the operator's own identifier; '': it knows only the ICCID
    msisdn     text   NOT NULL,
    plan_id    text   NOT NULL,
    term_id    text   NOT NULL,              -- what it comes with
    batch      text   NOT NULL,
    code       text   NOT NULL,              -- of an eSIM: LPA:1$…, sealed
    mark       text   NOT NULL,              -- keyed hash: of an eSIM's code, or of a card's claim code
    expires_at bigint,                       -- the last moment to begin using it, exclusive
    state      text   NOT NULL CHECK (state IN ('free','reserved','given','withdrawn')),
    account_id text   NOT NULL DEFAULT '',
    order_id   text   NOT NULL DEFAULT '',
    line_id    text   NOT NULL DEFAULT '',
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE INDEX stock_free ON stock (kind, plan_id, term_id, expires_at) WHERE state = 'free';
CREATE INDEX stock_order ON stock (order_id) WHERE order_id <> '';
CREATE INDEX stock_batch ON stock (batch, state);

-- Codes that were sold elsewhere, each for one new line.
CREATE TABLE redeem_codes (
    mark       text   NOT NULL PRIMARY KEY,  -- keyed hash of the code
    plan_id    text   NOT NULL,
    term_id    text   NOT NULL,
    batch      text   NOT NULL,
    expires_at bigint,
    state      text   NOT NULL CHECK (state IN ('free','redeemed','withdrawn')),
    account_id text   NOT NULL DEFAULT '',
    order_id   text   NOT NULL DEFAULT '',
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE INDEX redeem_codes_order ON redeem_codes (order_id) WHERE order_id <> '';
CREATE INDEX redeem_codes_batch ON redeem_codes (batch, state);

-- What package audit may read.
CREATE VIEW audit_stock AS
    SELECT iccid, kind, state, account_id, order_id, line_id FROM stock;
CREATE VIEW audit_redeem_codes AS
    SELECT state, batch, account_id, order_id FROM redeem_codes;

-- line: a card that was claimed has a first period to come, and no order.
DROP VIEW audit_esims;
ALTER TABLE esims RENAME TO esims_before;
CREATE TABLE esims (
    account_id        text   NOT NULL,
    line_id           text   NOT NULL,
    order_id          text,             -- NULL: claimed
    catalogue_version bigint NOT NULL,
    plan_id           text   NOT NULL,
    term_id           text   NOT NULL,
    code              text   NOT NULL,  -- LPA:1$address$matching identifier, sealed; '' for a card
    allowance_bytes   bigint NOT NULL,
    operator_ref      text   NOT NULL,
    install_by        bigint,           -- the last moment to begin, exclusive; NULL: none is known
    created_at        bigint NOT NULL,
    PRIMARY KEY (account_id, line_id),
    UNIQUE (account_id, order_id)
);
INSERT INTO esims (account_id, line_id, order_id, catalogue_version, plan_id, term_id, code, allowance_bytes, operator_ref, install_by, created_at)
    SELECT account_id, line_id, order_id, catalogue_version, plan_id, term_id, code, allowance_bytes, operator_ref, install_by, created_at FROM esims_before;
DROP TABLE esims_before;
CREATE VIEW audit_esims AS
    SELECT account_id, line_id, order_id FROM esims WHERE order_id IS NOT NULL;
