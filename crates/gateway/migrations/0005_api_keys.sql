-- Named keys of an account, each for some purposes only. The key itself is shown once.
CREATE TABLE api_key (
    id           UUID   PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name         TEXT   NOT NULL,
    -- How the key begins, to tell it from others.
    hint         TEXT   NOT NULL,
    -- A JSON array of scopes.
    scopes       TEXT   NOT NULL,
    key_hash     BYTEA  NOT NULL UNIQUE,
    last_used_at BIGINT,
    revoked_at   BIGINT,
    created_at   BIGINT NOT NULL
);
CREATE INDEX api_key_user ON api_key (user_id, created_at);
