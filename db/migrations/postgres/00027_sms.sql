-- +goose Up
-- account: whether a customer wishes to be told of a theme by SMS, beside or in place
-- of mail. Telephone numbers are addresses of channel sms, and in the directory phone.
ALTER TABLE wishes ADD COLUMN sms boolean NOT NULL DEFAULT false;

-- stock: cards whose number is known, which can be claimed by a code sent there.
CREATE INDEX stock_numbers ON stock (iccid) WHERE kind = 'sim' AND state = 'free' AND msisdn <> '';
