-- +goose Up
-- order: a fourth kind, a new line. Package line keeps what it is installed with.
-- SQLite cannot change a CHECK: the tables are made anew.
DROP VIEW audit_orders;
DROP INDEX orders_due;
DROP INDEX orders_basket;
ALTER TABLE quotes RENAME TO quotes_before;
CREATE TABLE quotes (
    account_id        text   NOT NULL,
    id                text   NOT NULL,
    kind              text   NOT NULL CHECK (kind IN ('term','pack','topup','line')),
    line_id           text   NOT NULL,
    plan_id           text   NOT NULL,
    item_id           text   NOT NULL,
    catalogue_version bigint NOT NULL,
    minor             bigint NOT NULL CHECK (minor >= 0),
    currency          text   NOT NULL,
    effect            text   NOT NULL,
    starts_at         bigint,
    ends_at           bigint,
    bytes             bigint NOT NULL,
    periods           bigint NOT NULL,
    anchor            bigint NOT NULL,
    enlarges          bigint NOT NULL DEFAULT 0,
    digest            text   NOT NULL,
    created_at        bigint NOT NULL,
    expires_at        bigint NOT NULL,
    exchange          text   NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, id)
);
INSERT INTO quotes (account_id, id, kind, line_id, plan_id, item_id, catalogue_version, minor, currency, effect, starts_at, ends_at, bytes, periods, anchor, enlarges, digest, created_at, expires_at, exchange)
    SELECT account_id, id, kind, line_id, plan_id, item_id, catalogue_version, minor, currency, effect, starts_at, ends_at, bytes, periods, anchor, enlarges, digest, created_at, expires_at, exchange FROM quotes_before;
DROP TABLE quotes_before;

ALTER TABLE orders RENAME TO orders_before;
CREATE TABLE orders (
    account_id        text    NOT NULL,
    id                text    NOT NULL,
    state             text    NOT NULL CHECK (state IN ('placed','paid','fulfilling','completed','cancelled','refund_due','refunded','held')),
    customer_key      text    NOT NULL,
    input_digest      text    NOT NULL,
    quote_id          text,
    kind              text    NOT NULL CHECK (kind IN ('term','pack','topup','line')),
    line_id           text    NOT NULL,
    plan_id           text    NOT NULL,
    item_id           text    NOT NULL,
    catalogue_version bigint  NOT NULL,
    minor             bigint  NOT NULL CHECK (minor >= 0),
    currency          text    NOT NULL,
    tool              text    NOT NULL,
    effect            text    NOT NULL,
    starts_at         bigint,
    ends_at           bigint,
    bytes             bigint  NOT NULL,
    periods           bigint  NOT NULL,
    anchor            bigint  NOT NULL,
    enlarges          bigint  NOT NULL DEFAULT 0,
    snapshot          text    NOT NULL DEFAULT '',
    asked_at          bigint,
    operator_ref      text    NOT NULL DEFAULT '',
    reason            text    NOT NULL DEFAULT '',
    evidence          text    NOT NULL DEFAULT '',
    told              boolean NOT NULL DEFAULT false,
    attempts          bigint  NOT NULL DEFAULT 0,
    due_at            bigint,
    expires_at        bigint  NOT NULL,
    placed_at         bigint  NOT NULL,
    paid_at           bigint,
    completed_at      bigint,
    updated_at        bigint  NOT NULL,
    points            bigint  NOT NULL DEFAULT 0,
    discount_minor    bigint  NOT NULL DEFAULT 0,
    wallet_minor      bigint  NOT NULL DEFAULT 0,
    basket            text    NOT NULL DEFAULT '',
    exchange          text    NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, customer_key),
    UNIQUE (account_id, quote_id)
);
INSERT INTO orders (account_id, id, state, customer_key, input_digest, quote_id, kind, line_id, plan_id, item_id, catalogue_version, minor, currency, tool, effect, starts_at, ends_at, bytes, periods, anchor, enlarges, snapshot, asked_at, operator_ref, reason, evidence, told, attempts, due_at, expires_at, placed_at, paid_at, completed_at, updated_at, points, discount_minor, wallet_minor, basket, exchange)
    SELECT account_id, id, state, customer_key, input_digest, quote_id, kind, line_id, plan_id, item_id, catalogue_version, minor, currency, tool, effect, starts_at, ends_at, bytes, periods, anchor, enlarges, snapshot, asked_at, operator_ref, reason, evidence, told, attempts, due_at, expires_at, placed_at, paid_at, completed_at, updated_at, points, discount_minor, wallet_minor, basket, exchange FROM orders_before;
DROP TABLE orders_before;

CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_basket ON orders (account_id, basket) WHERE basket <> '';
CREATE VIEW audit_orders AS
    SELECT account_id, id, state, kind, effect, line_id, minor, currency, tool, reason, due_at, placed_at, paid_at, completed_at, updated_at,
           points, discount_minor, wallet_minor, basket
      FROM orders;

-- line: what a bought eSIM is installed with, and the service that begins when it
-- is first used. Until then the line has no period.
CREATE TABLE esims (
    account_id        text   NOT NULL,
    line_id           text   NOT NULL,
    order_id          text   NOT NULL,
    catalogue_version bigint NOT NULL,
    plan_id           text   NOT NULL,
    term_id           text   NOT NULL,
    code              text   NOT NULL,  -- LPA:1$address$matching identifier
    allowance_bytes   bigint NOT NULL,
    operator_ref      text   NOT NULL,
    install_by        bigint,           -- the last moment to begin, exclusive; NULL: none is known
    created_at        bigint NOT NULL,
    PRIMARY KEY (account_id, line_id),
    UNIQUE (account_id, order_id)
);
CREATE VIEW audit_esims AS
    SELECT account_id, line_id, order_id FROM esims;
