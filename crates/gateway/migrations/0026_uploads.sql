-- Files that clients uploaded, to be sent along with messages.
CREATE TABLE upload (
    id         UUID   PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX upload_account ON upload (user_id);
CREATE INDEX upload_created ON upload (created_at);

-- Which messages take which of them along: without any, an upload is purged after a day.
CREATE TABLE upload_use (
    message_id UUID NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    upload_id  UUID NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    PRIMARY KEY (message_id, upload_id)
);
CREATE INDEX upload_use_upload ON upload_use (upload_id);
