-- +goose Up
CREATE TABLE lines (
    account_id    text    NOT NULL,
    id            text    NOT NULL,
    operator      text    NOT NULL,
    plan_id       text    NOT NULL,
    profile_id    text    NOT NULL,
    iccid         text    NOT NULL,
    msisdn        text    NOT NULL,
    name          text    NOT NULL,
    state         text    NOT NULL CHECK (state IN ('new','active','grace','ended','terminal','suspended','recycled')),
    anchor        bigint  NOT NULL,
    started_at    bigint,
    ends_at       bigint,
    grace_ends_at bigint,
    periods       bigint  NOT NULL,
    extending     text    NOT NULL DEFAULT '',
    identity      boolean NOT NULL,
    unlimited     boolean NOT NULL,
    total_bytes   bigint  NOT NULL,
    used_bytes    bigint  NOT NULL,
    throttled     boolean NOT NULL,
    as_of         bigint,
    look_at       bigint,
    created_at    bigint  NOT NULL,
    updated_at    bigint  NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE INDEX lines_look ON lines (look_at) WHERE look_at IS NOT NULL;

CREATE TABLE periods (
    account_id       text   NOT NULL,
    line_id          text   NOT NULL,
    number           bigint NOT NULL,
    plan_id          text   NOT NULL,
    term_id          text   NOT NULL,
    order_id         text,
    effect           text   NOT NULL,
    starts_at        bigint NOT NULL,
    ends_at          bigint NOT NULL,
    allowance_bytes  bigint NOT NULL,
    state            text   NOT NULL CHECK (state IN ('queued','active','ended','cancelled')),
    operator_ref     text   NOT NULL,
    operator_ends_at bigint,
    created_at       bigint NOT NULL,
    PRIMARY KEY (account_id, line_id, number),
    UNIQUE (account_id, order_id),
    CHECK (ends_at > starts_at)
);

CREATE TABLE packs (
    account_id   text   NOT NULL,
    order_id     text   NOT NULL,
    line_id      text   NOT NULL,
    number       bigint NOT NULL,
    pack_id      text   NOT NULL,
    bytes        bigint NOT NULL,
    until_at     bigint NOT NULL,
    operator_ref text   NOT NULL,
    created_at   bigint NOT NULL,
    PRIMARY KEY (account_id, order_id)
);

CREATE TABLE transfers (
    account_id text   NOT NULL,
    subject    text   NOT NULL,
    step       text   NOT NULL,
    n          bigint NOT NULL,
    from_book  text   NOT NULL,
    to_book    text   NOT NULL,
    minor      bigint NOT NULL CHECK (minor > 0),
    currency   text   NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (account_id, subject, step, n)
);

CREATE TABLE balances (
    account_id text   NOT NULL,
    book       text   NOT NULL,
    currency   text   NOT NULL,
    minor      bigint NOT NULL CHECK (minor >= 0),
    PRIMARY KEY (account_id, book, currency)
);

CREATE TABLE quotes (
    account_id        text   NOT NULL,
    id                text   NOT NULL,
    kind              text   NOT NULL CHECK (kind IN ('term','pack','topup')),
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
    PRIMARY KEY (account_id, id)
);

CREATE TABLE orders (
    account_id        text    NOT NULL,
    id                text    NOT NULL,
    state             text    NOT NULL CHECK (state IN ('placed','paid','fulfilling','completed','cancelled','refund_due','refunded','held')),
    customer_key      text    NOT NULL,
    input_digest      text    NOT NULL,
    quote_id          text,
    kind              text    NOT NULL CHECK (kind IN ('term','pack','topup')),
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
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, customer_key),
    UNIQUE (account_id, quote_id)
);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE payments (
    account_id  text    NOT NULL,
    id          text    NOT NULL,
    order_id    text    NOT NULL,
    ref         text    NOT NULL,
    rail        text    NOT NULL,
    provider    text    NOT NULL,
    minor       bigint  NOT NULL CHECK (minor > 0),
    currency    text    NOT NULL,
    state       text    NOT NULL CHECK (state IN ('created','open','needs_customer','approved','pending','paid','dead','unknown')),
    live        boolean NOT NULL,
    provider_id text    NOT NULL DEFAULT '',
    money_id    text    NOT NULL DEFAULT '',
    next_url    text    NOT NULL DEFAULT '',
    next_app    text    NOT NULL DEFAULT '',
    next_qr     text    NOT NULL DEFAULT '',
    next_at     bigint,
    reason      text    NOT NULL DEFAULT '',
    code        text    NOT NULL DEFAULT '',
    fee_minor   bigint  NOT NULL DEFAULT 0,
    refunded_minor bigint NOT NULL DEFAULT 0,
    return_url  text    NOT NULL DEFAULT '',
    language    text    NOT NULL DEFAULT '',
    device      text    NOT NULL DEFAULT '',
    client_ip   text    NOT NULL DEFAULT '',
    attempts    bigint  NOT NULL DEFAULT 0,
    due_at      bigint,
    expires_at  bigint  NOT NULL,
    created_at  bigint  NOT NULL,
    paid_at     bigint,
    updated_at  bigint  NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX payments_order ON payments (account_id, order_id);
CREATE UNIQUE INDEX payments_live ON payments (account_id, order_id) WHERE live;

CREATE TABLE allocations (
    account_id text   NOT NULL,
    payment_id text   NOT NULL,
    order_id   text   NOT NULL,
    minor      bigint NOT NULL CHECK (minor > 0),
    PRIMARY KEY (account_id, payment_id, order_id)
);

CREATE TABLE refunds (
    account_id  text   NOT NULL,
    id          text   NOT NULL,
    order_id    text   NOT NULL,
    payment_id  text   NOT NULL,
    ref         text   NOT NULL,
    provider    text   NOT NULL,
    minor       bigint NOT NULL CHECK (minor > 0),
    currency    text   NOT NULL,
    state       text   NOT NULL CHECK (state IN ('due','sent','unknown','done','failed')),
    why         text   NOT NULL,
    provider_id text   NOT NULL DEFAULT '',
    code        text   NOT NULL DEFAULT '',
    attempts    bigint NOT NULL DEFAULT 0,
    due_at      bigint,
    created_at  bigint NOT NULL,
    asked_at    bigint,
    done_at     bigint,
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, payment_id, order_id, why)
);
CREATE INDEX refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX refunds_order ON refunds (account_id, order_id);

CREATE TABLE provider_events (
    account_id text    NOT NULL,
    provider   text    NOT NULL,
    event_id   text    NOT NULL,
    kind       text    NOT NULL,
    subject    text    NOT NULL,
    body       text    NOT NULL,
    at         bigint  NOT NULL,
    PRIMARY KEY (account_id, provider, event_id)
);

CREATE TABLE bills (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    order_id   text   NOT NULL,
    kind       text   NOT NULL CHECK (kind IN ('bill','receipt','credit_note')),
    series     text   NOT NULL,
    number     bigint,
    minor      bigint NOT NULL,
    currency   text   NOT NULL,
    tax_class  text   NOT NULL,
    tax_rate   bigint NOT NULL,
    tax_scale  bigint NOT NULL,
    tax_minor  bigint NOT NULL,
    content    text   NOT NULL,
    refers_to  text   NOT NULL DEFAULT '',
    issued_at  bigint NOT NULL,
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, order_id, kind)
);
CREATE INDEX bills_unnumbered ON bills (issued_at) WHERE number IS NULL;

CREATE TABLE bill_series (
    series text   PRIMARY KEY,
    last   bigint NOT NULL
);

CREATE TABLE bill_numbers (
    series     text   NOT NULL,
    number     bigint NOT NULL,
    account_id text   NOT NULL,
    bill_id    text   NOT NULL,
    PRIMARY KEY (series, number)
);

CREATE TABLE catalogue_versions (
    version    bigint PRIMARY KEY,
    file       text   NOT NULL,
    digest     text   NOT NULL,
    applied_at bigint NOT NULL,
    applied_by text   NOT NULL
);

CREATE TABLE cases (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    order_id   text   NOT NULL,
    line_id    text   NOT NULL,
    state      text   NOT NULL CHECK (state IN ('open','closed')),
    title      text   NOT NULL,
    evidence   text   NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, id),
    UNIQUE (account_id, order_id, title)
);

CREATE TABLE trail (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    staff      text   NOT NULL,
    action     text   NOT NULL,
    subject    text   NOT NULL,
    reason     text   NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (account_id, id)
);

-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER trail_append_only BEFORE UPDATE OR DELETE ON trail
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER bill_numbers_append_only BEFORE UPDATE OR DELETE ON bill_numbers
    FOR EACH ROW EXECUTE FUNCTION append_only();
