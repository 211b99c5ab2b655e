-- Holding back bulk sends, and sending again what failed of them.

-- While its bulk send is paused: when the message would have been released, or woken for.
ALTER TABLE message ADD COLUMN held_from BIGINT;
-- The message that was sent in its place.
ALTER TABLE message ADD COLUMN retried_as UUID;
