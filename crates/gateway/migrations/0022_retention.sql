-- Days after which an account's things are purged; 0: never.
ALTER TABLE account ADD COLUMN messages_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN events_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN deliveries_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN heartbeats_days BIGINT NOT NULL DEFAULT 0;
