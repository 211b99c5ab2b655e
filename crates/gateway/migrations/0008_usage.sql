-- What accounts sent and received in each of their billing cycles, counted from the event log.

CREATE TABLE usage_cycle (
    id                UUID   PRIMARY KEY,
    user_id           TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    sent_messages     BIGINT NOT NULL,
    received_messages BIGINT NOT NULL,
    start_timestamp   BIGINT NOT NULL,
    end_timestamp     BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);
CREATE UNIQUE INDEX usage_cycle_start ON usage_cycle (user_id, start_timestamp);

-- How far the account's events have been counted.
CREATE TABLE usage_place (
    user_id  TEXT   PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    position BIGINT NOT NULL
);
