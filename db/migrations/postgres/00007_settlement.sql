-- +goose Up
-- settlement: what payment providers say afterwards. A movement belongs to the
-- account whose payment it is about; account_id is '' where there is none.
CREATE TABLE movements (
    account_id       text    NOT NULL,
    provider         text    NOT NULL,
    id               text    NOT NULL,            -- the provider's
    day              text    NOT NULL,            -- in whose report it stands, in the provider's zone
    kind             text    NOT NULL,
    code             text    NOT NULL,
    payment_id       text    NOT NULL,
    ref              text    NOT NULL,
    money_id         text    NOT NULL,
    refund_ref       text    NOT NULL,
    refund_id        text    NOT NULL,
    minor            bigint  NOT NULL,
    currency         text    NOT NULL,
    settled_minor    bigint  NOT NULL,
    settled_currency text    NOT NULL,
    fee_minor        bigint  NOT NULL,
    fee_told         boolean NOT NULL,
    stated           bigint  NOT NULL,            -- how often it stands in the report
    restated         text    NOT NULL DEFAULT '', -- what a later report says of it instead
    at               bigint  NOT NULL,
    read_at          bigint  NOT NULL,
    PRIMARY KEY (account_id, provider, id)
);
CREATE INDEX movements_day ON movements (provider, day);
CREATE INDEX movements_payment ON movements (account_id, payment_id);
CREATE INDEX movements_refund ON movements (provider, refund_id) WHERE refund_id <> '';

-- One row a provider and day: the row is the work of reading its report.
CREATE TABLE settlement_days (
    provider text    NOT NULL,
    day      text    NOT NULL,
    whole    boolean NOT NULL DEFAULT false,
    readings bigint  NOT NULL DEFAULT 0,   -- how often it was read whole
    counted  bigint  NOT NULL DEFAULT 0,   -- movements in the last reading
    attempts bigint  NOT NULL DEFAULT 0,
    trouble  text    NOT NULL DEFAULT '',  -- why it could not be read, for staff
    due_at   bigint,
    ready_at bigint  NOT NULL,             -- when it should be there
    read_at  bigint,
    PRIMARY KEY (provider, day)
);
CREATE INDEX settlement_days_due ON settlement_days (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE differences (
    account_id      text   NOT NULL,
    provider        text   NOT NULL,
    day             text   NOT NULL,
    kind            text   NOT NULL,
    subject         text   NOT NULL,
    order_id        text   NOT NULL,
    payment_id      text   NOT NULL,
    ours_minor      bigint NOT NULL,
    ours_currency   text   NOT NULL,
    theirs_minor    bigint NOT NULL,
    theirs_currency text   NOT NULL,
    detail          text   NOT NULL,
    accepted        text   NOT NULL DEFAULT '', -- by whom and why; '' while it stands
    found_at        bigint NOT NULL,
    PRIMARY KEY (account_id, provider, day, kind, subject)
);
CREATE INDEX differences_day ON differences (provider, day);

-- What is compared is found by when it happened.
CREATE INDEX payments_paid ON payments (paid_at) WHERE paid_at IS NOT NULL;
CREATE INDEX refunds_done ON refunds (done_at) WHERE done_at IS NOT NULL;

-- What package settlement may read of other packages' tables.
CREATE VIEW settlement_payments AS
    SELECT account_id, id, order_id, provider, minor, currency, state, fee_minor, created_at, paid_at FROM payments;
CREATE VIEW settlement_refunds AS
    SELECT account_id, id, payment_id, provider, ref, provider_id, minor, currency, state, created_at, asked_at, done_at FROM refunds;
CREATE VIEW settlement_cases AS
    SELECT account_id, order_id, title FROM cases;

-- What package audit may read of settlement's.
CREATE VIEW audit_differences AS
    SELECT account_id, provider, day, kind, subject, accepted, found_at FROM differences;
CREATE VIEW audit_settlement_days AS
    SELECT provider, day, whole, trouble, ready_at FROM settlement_days;
