-- Who looks after the server, and who may not come in for now.
ALTER TABLE account ADD COLUMN admin BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE account ADD COLUMN disabled_at BIGINT;

-- The first account is the operator's.
UPDATE account SET admin = TRUE
 WHERE id = (SELECT id FROM account ORDER BY created_at, id LIMIT 1);

-- By whom an account's password may be chosen, once. The token itself is kept nowhere.
CREATE TABLE password_link (
    user_id    TEXT   PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    token_hash BYTEA  NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);
