-- SQLite asks of each new event whether this index wants it. For a list of three it made a table of its own
-- each time; for alternatives it compares.
-- only sqlite
DROP INDEX event_trouble;
CREATE INDEX event_trouble ON event (json_extract(body, '$.data.message_id'))
 WHERE kind = 'message.send.retry' OR kind = 'message.send.expired'
    OR kind = 'message.notification.failed';
-- end
