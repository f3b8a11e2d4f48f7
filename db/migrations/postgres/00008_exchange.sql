-- +goose Up
-- exchange: what others publish; one sheet a source is in force.
CREATE TABLE exchange_rates (
    source      text   NOT NULL,
    currency    text   NOT NULL,
    base        text   NOT NULL,
    day         text   NOT NULL,
    numerator   bigint NOT NULL CHECK (numerator > 0),
    denominator bigint NOT NULL CHECK (denominator > 0),
    imported_at bigint NOT NULL,
    imported_by text   NOT NULL,
    PRIMARY KEY (source, currency)
);

-- order: what a price was converted from, and how; '' where it stands in the list.
ALTER TABLE quotes ADD COLUMN exchange text NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN exchange text NOT NULL DEFAULT '';
