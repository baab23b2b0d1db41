-- What a lawful reason for refusing is called stands in words files (engines/exchange/requests/words.*.yaml); here are its code, who may
-- give it and its law.
ALTER TABLE exchange.refusal_reason DROP COLUMN zh, DROP COLUMN en;
