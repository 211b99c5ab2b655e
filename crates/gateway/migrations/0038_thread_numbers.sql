-- Messages are found by the number of their thread, which is short and grows, instead of by three texts
-- at random places of an index: a message that begins a conversation touches one page less of it. On
-- PostgreSQL it is dearer to look up the number than to keep the index.
-- only sqlite
ALTER TABLE thread RENAME TO thread_before;
CREATE TABLE thread (
    seq                  INTEGER PRIMARY KEY,
    id                   UUID    NOT NULL UNIQUE,
    user_id              TEXT    NOT NULL OWNED,
    owner                TEXT    NOT NULL,
    contact              TEXT    NOT NULL,
    is_archived          BOOLEAN NOT NULL,
    is_read              BOOLEAN NOT NULL,
    last_read_at         BIGINT  NOT NULL,
    color                TEXT    NOT NULL,
    status               TEXT    NOT NULL,
    last_message_id      UUID    NOT NULL,
    last_message_content TEXT    NOT NULL,
    last_message_at      BIGINT  NOT NULL,
    order_timestamp      BIGINT  NOT NULL,
    created_at           BIGINT  NOT NULL,
    updated_at           BIGINT  NOT NULL
);
INSERT INTO thread (id, user_id, owner, contact, is_archived, is_read, last_read_at, color, status,
        last_message_id, last_message_content, last_message_at, order_timestamp, created_at, updated_at)
    SELECT id, user_id, owner, contact, is_archived, is_read, last_read_at, color, status,
        last_message_id, last_message_content, last_message_at, order_timestamp, created_at, updated_at
      FROM thread_before ORDER BY rowid;
DROP TABLE thread_before;
CREATE UNIQUE INDEX thread_pair ON thread (user_id, owner, contact);
CREATE INDEX thread_order ON thread (user_id, owner, order_timestamp);

-- The thread that a message joined when it was stored. Without it are those that wait first, also later
-- on, and those that are older than this column; they are found by the three texts, as they were.
ALTER TABLE message ADD COLUMN thread_seq BIGINT;
DROP INDEX message_thread;
CREATE INDEX message_thread ON message (thread_seq, order_timestamp) WHERE thread_seq IS NOT NULL;
CREATE INDEX message_apart ON message (user_id, owner, contact, order_timestamp)
 WHERE thread_seq IS NULL;
-- end
