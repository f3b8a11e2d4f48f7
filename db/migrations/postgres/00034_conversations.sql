-- +goose Up
-- assistant: a customer's dialogues. State is what the next sentence is understood by,
-- as JSON.
CREATE TABLE conversations (
    account_id text   NOT NULL,
    id         text   NOT NULL,
    channel    text   NOT NULL CHECK (channel IN ('portal','api')),
    state      text   NOT NULL,
    turns      bigint NOT NULL, -- that there were, those that are gone included
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX conversations_updated ON conversations (updated_at);

-- assistant: what was asked and answered, as JSON.
CREATE TABLE conversation_turns (
    account_id      text   NOT NULL,
    conversation_id text   NOT NULL,
    number          bigint NOT NULL,
    body            text   NOT NULL,
    at              bigint NOT NULL,
    PRIMARY KEY (account_id, conversation_id, number)
);
CREATE INDEX conversation_turns_at ON conversation_turns (account_id, at);
