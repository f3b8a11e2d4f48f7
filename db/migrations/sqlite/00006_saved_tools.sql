-- +goose Up
-- order: tools that a provider keeps for later charges. The token is sealed with
-- a key from the shop's secret (package seal), and is '' once the provider has
-- forgotten the tool. The row is the work: due_at is set while the provider is
-- still to be told to forget it.
CREATE TABLE saved_tools (
    account_id       text   NOT NULL,
    id               text   NOT NULL,
    provider         text   NOT NULL,
    rail             text   NOT NULL,
    token            text   NOT NULL,            -- sealed
    holder           text   NOT NULL,            -- the provider's name for the customer
    mark             text   NOT NULL,            -- a keyed hash: equal for the same card or account
    label            text   NOT NULL,            -- 'Visa •• 4242'
    until_month      bigint NOT NULL DEFAULT 0,  -- the last month it can be charged, 203105; 0: no end is known
    payment_id       text   NOT NULL,            -- the attempt that was to keep it
    consent          text   NOT NULL,            -- the version of the words that were agreed to
    consent_language text   NOT NULL,
    consented_at     bigint NOT NULL,
    created_at       bigint NOT NULL,
    used_at          bigint,
    gone_at          bigint,                     -- when its bank said that it is of no more use
    gone_reason      text   NOT NULL DEFAULT '',
    revoked_at       bigint,                     -- when the customer's consent ended, or another kept it again
    forgotten_at     bigint,
    attempts         bigint NOT NULL DEFAULT 0,
    due_at           bigint,
    trouble          text   NOT NULL DEFAULT '', -- the provider's last words, for staff
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX saved_tools_payment ON saved_tools (account_id, payment_id);
CREATE INDEX saved_tools_due ON saved_tools (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE payments ADD COLUMN tool_id text NOT NULL DEFAULT '';      -- the kept tool that is charged
ALTER TABLE payments ADD COLUMN keep text NOT NULL DEFAULT '';         -- the version of the consent under which its tool is kept
ALTER TABLE payments ADD COLUMN absent boolean NOT NULL DEFAULT false; -- charged without the customer

-- order: what a customer allows whoever holds one of their reminders' links.
CREATE TABLE one_taps (
    account_id       text   NOT NULL,
    id               text   NOT NULL,
    tool_id          text   NOT NULL,            -- '' is the wallet
    minor            bigint NOT NULL CHECK (minor > 0),
    currency         text   NOT NULL,
    consent          text   NOT NULL,
    consent_language text   NOT NULL,
    consented_at     bigint NOT NULL,
    revoked_at       bigint,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX one_taps_one ON one_taps (account_id) WHERE revoked_at IS NULL;

-- How much was paid by one tap through one link.
CREATE TABLE one_tap_links (
    account_id text   NOT NULL,
    link_id    text   NOT NULL,
    currency   text   NOT NULL,
    minor      bigint NOT NULL,
    PRIMARY KEY (account_id, link_id, currency)
);

-- What it was paid for: a quote is counted once, however often it is tried.
CREATE TABLE one_tap_uses (
    account_id text   NOT NULL,
    quote_id   text   NOT NULL,
    link_id    text   NOT NULL,
    one_tap_id text   NOT NULL,
    minor      bigint NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (account_id, quote_id)
);
