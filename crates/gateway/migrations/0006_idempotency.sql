-- Answers to requests that named a key, to be given again.
CREATE TABLE idempotency (
    user_id     TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    route       TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    -- A digest of the request: another request may not use the same key.
    fingerprint BYTEA  NOT NULL,
    status      BIGINT NOT NULL,
    body        BYTEA  NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, route, key)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_at);
