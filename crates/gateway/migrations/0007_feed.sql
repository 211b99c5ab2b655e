-- On PostgreSQL a growing key is not the order of commits: an event also knows its transaction.

-- only postgres
ALTER TABLE event ADD COLUMN xact xid8 NOT NULL DEFAULT '0';
ALTER TABLE event ALTER COLUMN xact SET DEFAULT pg_current_xact_id();
CREATE INDEX event_feed ON event (user_id, xact, seq);
-- end
