-- Discord servers that accounts are connected to: what their phones receive is shown in a channel.
CREATE TABLE discord (
    id                  UUID   PRIMARY KEY,
    user_id             TEXT   NOT NULL UNIQUE REFERENCES account (id) ON DELETE CASCADE,
    name                TEXT   NOT NULL,
    -- Whose slash commands these are must be clear.
    server_id           TEXT   NOT NULL UNIQUE,
    incoming_channel_id TEXT   NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL
);
