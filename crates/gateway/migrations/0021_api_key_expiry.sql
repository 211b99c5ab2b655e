-- From then on a named key opens nothing; never, if null.
ALTER TABLE api_key ADD COLUMN expires_at BIGINT;
