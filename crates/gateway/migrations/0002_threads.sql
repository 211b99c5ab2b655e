-- Conversations: one row for each number and contact, kept by the transactions that change messages.

CREATE TABLE thread (
    id                   UUID    PRIMARY KEY,
    user_id              TEXT    NOT NULL OWNED,
    owner                TEXT    NOT NULL,
    contact              TEXT    NOT NULL,
    is_archived          BOOLEAN NOT NULL,
    is_read              BOOLEAN NOT NULL,
    last_read_at         BIGINT  NOT NULL,
    color                TEXT    NOT NULL,
    -- Of the newest message.
    status               TEXT    NOT NULL,
    last_message_id      UUID    NOT NULL,
    last_message_content TEXT    NOT NULL,
    -- When that message came into the conversation; what is older does not take its place.
    last_message_at      BIGINT  NOT NULL,
    order_timestamp      BIGINT  NOT NULL,
    created_at           BIGINT  NOT NULL,
    updated_at           BIGINT  NOT NULL
);
CREATE UNIQUE INDEX thread_pair ON thread (user_id, owner, contact);
CREATE INDEX thread_order ON thread (user_id, owner, order_timestamp);
