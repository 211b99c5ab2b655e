-- When phones may send. A phone names its schedule in message_send_schedule_id.
CREATE TABLE schedule (
    id         UUID   PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    timezone   TEXT   NOT NULL,
    -- A JSON array, sorted by day and start.
    windows    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX schedule_user ON schedule (user_id, created_at);
CREATE INDEX phone_schedule ON phone (message_send_schedule_id)
 WHERE message_send_schedule_id IS NOT NULL;

-- Messages of a file share a request id that begins with `bulk-`.
CREATE INDEX message_bulk ON message (user_id, request_id, created_at)
 WHERE substr(request_id, 1, 5) = 'bulk-';
