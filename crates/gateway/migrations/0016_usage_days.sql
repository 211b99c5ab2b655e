-- What happened in each quarter of an hour: days begin at different times in different zones.
CREATE TABLE usage_quarter (
    user_id  TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    start_at BIGINT NOT NULL,
    sent     BIGINT NOT NULL,
    received BIGINT NOT NULL,
    failed   BIGINT NOT NULL,
    PRIMARY KEY (user_id, start_at)
);

-- The log is counted once more, from its beginning.
DELETE FROM usage_place;
DELETE FROM usage_cycle;
