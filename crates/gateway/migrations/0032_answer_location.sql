-- Where what was made can be looked at, as the answer said.
ALTER TABLE idempotency ADD COLUMN location TEXT;
