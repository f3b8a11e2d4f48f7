-- +goose Up
-- device: tables of others, each replaced as a whole when it is imported anew.
-- None of it is about a customer: a TAC names a model, never one phone.
CREATE TABLE device_imports (
    source      text   NOT NULL PRIMARY KEY,
    digest      text   NOT NULL,
    entries     bigint NOT NULL,
    imported_at bigint NOT NULL,
    imported_by text   NOT NULL
);

CREATE TABLE device_tacs (
    tac    text NOT NULL,
    source text NOT NULL,
    brand  text NOT NULL,
    model  text NOT NULL,
    codes  text NOT NULL,
    PRIMARY KEY (tac, source)
);

CREATE TABLE device_versions (
    brand   text NOT NULL,
    model   text NOT NULL,
    code    text NOT NULL,
    aka     text NOT NULL,
    sold_in text NOT NULL,
    esim    text NOT NULL,
    locked  boolean NOT NULL,
    bands   text NOT NULL,
    origin  text NOT NULL,
    PRIMARY KEY (brand, model, code)
);
