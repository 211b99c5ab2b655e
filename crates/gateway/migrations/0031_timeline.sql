-- What seldom happens to a message is found by the message. Such events are few, so that others pay
-- nothing for it.
-- only sqlite
CREATE INDEX event_trouble ON event (json_extract(body, '$.data.message_id'))
 WHERE kind IN ('message.send.retry', 'message.send.expired', 'message.notification.failed');
-- end
-- only postgres
CREATE INDEX event_trouble ON event (substring(body from '"message_id":"([0-9a-f-]{36})"'))
 WHERE kind IN ('message.send.retry', 'message.send.expired', 'message.notification.failed');
-- end
