-- What phones are called, and how many segments may leave them.
ALTER TABLE phone ADD COLUMN name TEXT;
ALTER TABLE phone ADD COLUMN limit_per_minute BIGINT;
ALTER TABLE phone ADD COLUMN limit_per_hour BIGINT;
ALTER TABLE phone ADD COLUMN limit_per_day BIGINT;

-- The slots of a day that a phone with limits gave out, in their order. `total` counts the segments
-- of all slots up to this one, so that any stretch of time is a difference of two rows.
CREATE TABLE phone_slot (
    phone_id UUID   NOT NULL REFERENCES phone (id) ON DELETE CASCADE,
    total    BIGINT NOT NULL,
    segments BIGINT NOT NULL,
    slot_at  BIGINT NOT NULL,
    PRIMARY KEY (phone_id, total)
);
CREATE INDEX phone_slot_at ON phone_slot (phone_id, slot_at);

-- What a phone is still to be given: messages in bulk and for later.
CREATE INDEX message_pending ON message (user_id, owner, due_at) WHERE status = 'pending';
