-- +goose Up
-- identity: what customers give so that the seller knows who buys a plan whose policy
-- asks for that. Everything personal is sealed, and erased when due_at has come.
CREATE TABLE identity_checks (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    state      text   NOT NULL CHECK (state IN ('wanted','given','approved','refused','erased')),
    plan_id    text   NOT NULL,             -- for which it was begun
    papers     text   NOT NULL,             -- what was written into the form, sealed; '' once it is erased
    sends      bigint NOT NULL,             -- how often it was given to staff
    uploads    bigint NOT NULL,             -- how many photos were sent
    reason     text   NOT NULL,             -- why it was refused: a key of texts
    staff      text   NOT NULL,             -- who decided
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    given_at   bigint,
    decided_at bigint,
    erased_at  bigint,
    due_at     bigint,                      -- when it is erased; NULL: it waits for staff, or is erased
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX identity_checks_live ON identity_checks (account_id) WHERE state <> 'erased';
CREATE INDEX identity_checks_given ON identity_checks (given_at) WHERE state = 'given';
CREATE INDEX identity_checks_due ON identity_checks (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE identity_photos (
    account_id text   NOT NULL,
    check_id   text   NOT NULL,
    kind       text   NOT NULL CHECK (kind IN ('document','face')),
    content    text   NOT NULL,             -- a JPEG that we have drawn anew, sealed
    bytes      bigint NOT NULL,             -- of the JPEG
    at         bigint NOT NULL,
    PRIMARY KEY (account_id, check_id, kind)
);
