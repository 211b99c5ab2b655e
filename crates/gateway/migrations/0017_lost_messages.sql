-- What failed or expired is rare, and looked for often.
CREATE INDEX message_lost ON message (user_id, created_at) WHERE status IN ('failed', 'expired');
