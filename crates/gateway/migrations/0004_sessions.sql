-- Who is signed in to the dashboard. The token itself is kept nowhere.
CREATE TABLE session (
    token_hash BYTEA  PRIMARY KEY,
    id         UUID   NOT NULL UNIQUE,
    user_id    TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (user_id);
CREATE INDEX session_expiry ON session (expires_at);
