-- +goose Up
-- order: what pays a price. What neither points nor the wallet pay is collected
-- with the tool. Orders of one basket are paid by one payment, which stands
-- under the basket's first order.
ALTER TABLE orders ADD COLUMN points bigint NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN wallet_minor bigint NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN basket text NOT NULL DEFAULT '';
UPDATE orders SET wallet_minor = minor WHERE tool = 'wallet';
CREATE INDEX orders_basket ON orders (account_id, basket) WHERE basket <> '';

-- ledger: when somebody must look how old the value in a wallet is. The customer
-- was told of all that expires until told_to (negative: of nothing yet); nothing
-- expires before kept_to.
CREATE TABLE wallet_ages (
    account_id text   NOT NULL,
    currency   text   NOT NULL,
    told_to    bigint NOT NULL DEFAULT -1,
    kept_to    bigint NOT NULL DEFAULT 0,
    due_at     bigint,
    PRIMARY KEY (account_id, currency)
);
CREATE INDEX wallet_ages_due ON wallet_ages (due_at) WHERE due_at IS NOT NULL;
INSERT INTO wallet_ages (account_id, currency, due_at)
    SELECT account_id, currency, 0 FROM balances WHERE book = 'wallet' AND minor > 0;

DROP VIEW audit_orders;
CREATE VIEW audit_orders AS
    SELECT account_id, id, state, kind, effect, line_id, minor, currency, tool, reason, due_at, placed_at, paid_at, completed_at, updated_at,
           points, discount_minor, wallet_minor, basket
      FROM orders;
CREATE VIEW audit_wallet_ages AS
    SELECT account_id, currency, due_at FROM wallet_ages;
