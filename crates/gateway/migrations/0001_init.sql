-- One text for both engines. IDENTITY stands for the engine's own growing key, GROWING for one whose
-- last numbers may come again after their rows are deleted. OWNED rows go with their account; on
-- PostgreSQL nobody checks that, because each check would write to the account's row.
-- Times are microseconds since 1970 in UTC. Names are those of the wire where the wire has one.

CREATE TABLE account (
    id                    TEXT   PRIMARY KEY,
    email                 TEXT   NOT NULL UNIQUE,
    key_hash              BYTEA  NOT NULL UNIQUE,
    key_sealed            BYTEA  NOT NULL,
    password_hash         TEXT,
    timezone              TEXT   NOT NULL,
    active_phone_id       UUID,
    notify_message_status BOOLEAN NOT NULL DEFAULT TRUE,
    notify_webhook        BOOLEAN NOT NULL DEFAULT TRUE,
    notify_heartbeat      BOOLEAN NOT NULL DEFAULT TRUE,
    notify_newsletter     BOOLEAN NOT NULL DEFAULT TRUE,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL
);

CREATE TABLE phone_key (
    id         UUID   PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    key_hash   BYTEA  NOT NULL UNIQUE,
    key_sealed BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX phone_key_user ON phone_key (user_id, created_at);

CREATE TABLE phone (
    id                         UUID    PRIMARY KEY,
    user_id                    TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    phone_number               TEXT    NOT NULL,
    fcm_token                  TEXT,
    messages_per_minute        BIGINT  NOT NULL,
    sim                        TEXT    NOT NULL,
    message_send_schedule_id   UUID,
    max_send_attempts          BIGINT  NOT NULL,
    message_expiration_seconds BIGINT  NOT NULL,
    missed_call_auto_reply     TEXT,
    unarchive_thread           BOOLEAN NOT NULL,
    -- The phone key that speaks for this number, and since when.
    phone_key_id               UUID    REFERENCES phone_key (id) ON DELETE SET NULL,
    bound_at                   BIGINT,
    -- The last slot given out, and when a push really left: both keep the rate.
    last_slot_at               BIGINT,
    pushed_at                  BIGINT,
    -- The heartbeat monitor. heartbeat_due_at is its timer.
    monitor_id                 UUID    NOT NULL,
    monitor_source             TEXT    NOT NULL,
    online                     BOOLEAN NOT NULL,
    heartbeat_at               BIGINT,
    heartbeat_due_at           BIGINT,
    created_at                 BIGINT  NOT NULL,
    updated_at                 BIGINT  NOT NULL
);
CREATE UNIQUE INDEX phone_number ON phone (user_id, phone_number);
CREATE INDEX phone_bound ON phone (phone_key_id) WHERE phone_key_id IS NOT NULL;
CREATE INDEX phone_heartbeat_due ON phone (heartbeat_due_at) WHERE heartbeat_due_at IS NOT NULL;

CREATE TABLE heartbeat (
    id        UUID    PRIMARY KEY,
    user_id   TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    owner     TEXT    NOT NULL,
    version   TEXT    NOT NULL,
    charging  BOOLEAN NOT NULL,
    timestamp BIGINT  NOT NULL
);
CREATE INDEX heartbeat_owner ON heartbeat (user_id, owner, timestamp);

CREATE TABLE message (
-- only sqlite
    -- What the index of texts calls it.
    seq                 INTEGER PRIMARY KEY,
-- end
    id                  UUID    NOT NULL UNIQUE,
    request_id          TEXT,
    owner               TEXT    NOT NULL,
    user_id             TEXT    NOT NULL OWNED,
    contact             TEXT    NOT NULL,
    content             TEXT    NOT NULL,
    attachments         TEXT,
    encrypted           BOOLEAN NOT NULL,
    kind                TEXT    NOT NULL,
    status              TEXT    NOT NULL,
    sim                 TEXT    NOT NULL,
    send_time           BIGINT,
    request_received_at BIGINT  NOT NULL,
    created_at          BIGINT  NOT NULL,
    updated_at          BIGINT  NOT NULL,
    order_timestamp     BIGINT  NOT NULL,
    last_attempted_at   BIGINT,
    scheduled_at        BIGINT,
    sent_at             BIGINT,
    scheduled_send_time BIGINT,
    delivered_at        BIGINT,
    expired_at          BIGINT,
    failed_at           BIGINT,
    send_attempt_count  BIGINT  NOT NULL,
    max_send_attempts   BIGINT  NOT NULL,
    received_at         BIGINT,
    failure_reason      TEXT,
    -- The path of the request that made it: the source of every event about it.
    source              TEXT    NOT NULL,
    -- The message's one timer: pending, it is released then; later, it expires then.
    due_at              BIGINT
);
CREATE INDEX message_thread ON message (user_id, owner, contact, order_timestamp);
CREATE INDEX message_due ON message (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE event (
    seq     GROWING,
    id      UUID   NOT NULL,
    user_id TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    owner   TEXT,
    time    BIGINT NOT NULL,
    -- Made up to try a webhook with.
    test    BOOLEAN NOT NULL,
    -- The CloudEvent as it is sent, byte for byte.
    body    TEXT   NOT NULL
);
CREATE INDEX event_user ON event (user_id, seq);

CREATE TABLE webhook (
    id                 UUID   PRIMARY KEY,
    user_id            TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    url                TEXT   NOT NULL,
    -- JSON arrays, in the order they were given.
    phone_numbers      TEXT   NOT NULL,
    events             TEXT   NOT NULL,
    -- How it wants to be told: JSON.
    policy             TEXT   NOT NULL,
    -- Extra headers of its requests: JSON, encrypted.
    headers_sealed     BYTEA  NOT NULL,
    -- While this is set nothing is sent, and what happens waits.
    paused_at          BIGINT,
    pause_reason       TEXT,
    -- The first failure since the last success.
    failing_since      BIGINT,
    -- Counts changes, so that whoever holds an older copy knows to load it again.
    version            BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);
CREATE INDEX webhook_user ON webhook (user_id, created_at);

-- Signing keys. Several are valid while one takes over from another.
CREATE TABLE webhook_key (
    id          UUID   PRIMARY KEY,
    webhook_id  UUID   NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    key_sealed  BYTEA  NOT NULL,
    -- From then on it signs the token, until a later one does.
    active_from BIGINT NOT NULL,
    -- From then on it signs nothing; never, if null.
    retired_at  BIGINT
);
CREATE INDEX webhook_key_of ON webhook_key (webhook_id, active_from);

-- What is still to be carried: rows leave when they are done. `target` is a webhook or a phone.
CREATE TABLE delivery (
    id         IDENTITY,
    kind       TEXT    NOT NULL,
    target     UUID    NOT NULL,
    user_id    TEXT    NOT NULL,
    event_seq  BIGINT,
    -- For a push: the message to wake the phone for, and the name of this wake-up. For a mail: the mail.
    message_id UUID,
    notification_id UUID,
    -- A push for an exact send time does not wait for the phone's rate.
    exact      BOOLEAN NOT NULL DEFAULT FALSE,
    attempt    BIGINT  NOT NULL,
    due_at     BIGINT  NOT NULL,
    -- Why a webhook's delivery was made, by which replay, and what must stay in order with it.
    cause      TEXT    NOT NULL,
    replay_id  UUID,
    order_key  BIGINT,
    -- When a push stops being worth a try.
    expires_at BIGINT,
    -- The courier that holds the row in memory; any other number: it waits on disk.
    epoch      BIGINT  NOT NULL
);
CREATE INDEX delivery_waiting ON delivery (target, due_at);
-- What was attempted before: it keeps its promised times, and holds up ordered rows after it.
CREATE INDEX delivery_retry ON delivery (target, due_at, order_key) WHERE attempt > 1;
CREATE INDEX delivery_replay ON delivery (replay_id) WHERE replay_id IS NOT NULL;
CREATE INDEX delivery_message ON delivery (message_id) WHERE message_id IS NOT NULL;

-- The log of attempts at webhooks.
CREATE TABLE attempt (
    webhook_id       UUID    NOT NULL,
    delivery_id      BIGINT  NOT NULL,
    number           BIGINT  NOT NULL,
    event_seq        BIGINT  NOT NULL,
    event_id         UUID    NOT NULL,
    event_kind       TEXT    NOT NULL,
    cause            TEXT    NOT NULL,
    replay_id        UUID,
    started_at       BIGINT  NOT NULL,
    duration_us      BIGINT  NOT NULL,
    state            TEXT    NOT NULL,
    url              TEXT    NOT NULL,
    request_headers  TEXT    NOT NULL,
    status           BIGINT,
    response_headers TEXT,
    response_body    TEXT,
    error            TEXT,
    next_attempt_at  BIGINT,
    -- Whether no later attempt of the same delivery is known.
    latest           BOOLEAN NOT NULL,
    PRIMARY KEY (webhook_id, delivery_id, number)
);
CREATE INDEX attempt_failure ON attempt (webhook_id, delivery_id) WHERE state <> 'delivered';
CREATE INDEX attempt_replay ON attempt (replay_id) WHERE replay_id IS NOT NULL;

-- Events that a webhook gets again, queued part by part.
CREATE TABLE replay (
    id         UUID   PRIMARY KEY,
    webhook_id UUID   NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    user_id    TEXT   NOT NULL,
    selection  TEXT   NOT NULL,
    stage      TEXT   NOT NULL,
    -- What comes after this event or delivery is still to be queued.
    position   BIGINT NOT NULL,
    total      BIGINT NOT NULL,
    queued     BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX replay_running ON replay (created_at) WHERE stage = 'running';

-- Wake-ups that a phone fetches itself.
CREATE TABLE notification (
    id         UUID   PRIMARY KEY,
    phone_id   UUID   NOT NULL REFERENCES phone (id) ON DELETE CASCADE,
    message_id UUID,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX notification_phone ON notification (phone_id, created_at);
CREATE INDEX notification_message ON notification (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX notification_expiry ON notification (expires_at);

-- Mails that have not left yet, and which ones stay away until when.
CREATE TABLE mail (
    id         UUID   PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    recipient  TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE mail_quiet (
    key   TEXT   PRIMARY KEY,
    until BIGINT NOT NULL
);

-- Who does a job that only one node may do, and until when unless renewed.
CREATE TABLE lease (
    name   TEXT   PRIMARY KEY,
    -- The node, by the name in its data directory: after a crash it need not wait for itself.
    holder TEXT   NOT NULL,
    epoch  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);
