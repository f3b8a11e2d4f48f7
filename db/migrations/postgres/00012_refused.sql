-- +goose Up
-- hooks: what came to a webhook and was not believed. A few of each day are
-- kept whole enough to see what somebody tried, or that our own key is wrong.
CREATE TABLE refused_notifications (
    stranger text   NOT NULL,   -- whose it claims to be: payment/stripe, carrier/esimaccess
    day      text   NOT NULL,   -- in UTC, of the first
    digest   text   NOT NULL,   -- of the body as it came; '' for all beyond what is kept of a day
    reason   text   NOT NULL CHECK (reason IN ('forged','unreadable','too_long','cut_off')),
    why      text   NOT NULL,
    client   text   NOT NULL,   -- where the last one came from
    header   text   NOT NULL,
    body     text   NOT NULL,   -- its beginning
    bytes    bigint NOT NULL,   -- of the body, as far as it was read
    times    bigint NOT NULL,
    first_at bigint NOT NULL,
    last_at  bigint NOT NULL,
    PRIMARY KEY (stranger, day, digest)
);
CREATE INDEX refused_notifications_age ON refused_notifications (first_at);
