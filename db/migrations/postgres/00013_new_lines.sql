-- +goose Up
-- order: a fourth kind, a new line. Package line keeps what it is installed with.
ALTER TABLE quotes DROP CONSTRAINT quotes_kind_check;
ALTER TABLE quotes ADD CONSTRAINT quotes_kind_check CHECK (kind IN ('term','pack','topup','line'));
ALTER TABLE orders DROP CONSTRAINT orders_kind_check;
ALTER TABLE orders ADD CONSTRAINT orders_kind_check CHECK (kind IN ('term','pack','topup','line'));

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
