-- Finding messages by what they contain.

CREATE INDEX message_created ON message (user_id, created_at);

-- On SQLite the index of texts is filled beside everything else, in the order of search_doc: what
-- comes after search_place is not in it yet.
-- only sqlite
CREATE TABLE search_doc (
    id         IDENTITY,
    message_id UUID NOT NULL
);
CREATE INDEX search_doc_message ON search_doc (message_id);
CREATE TABLE search_place (position BIGINT NOT NULL);
INSERT INTO search_place VALUES (0);
INSERT INTO search_doc (message_id) SELECT id FROM message ORDER BY created_at, id;

CREATE VIRTUAL TABLE search_text USING fts5(
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram');

CREATE TRIGGER search_doc_made AFTER INSERT ON message BEGIN
    INSERT INTO search_doc (message_id) VALUES (NEW.id);
END;
CREATE TRIGGER search_doc_changed AFTER UPDATE OF failure_reason ON message
    WHEN NEW.failure_reason IS NOT OLD.failure_reason BEGIN
    INSERT INTO search_doc (message_id) VALUES (NEW.id);
END;
CREATE TRIGGER search_doc_deleted AFTER DELETE ON message BEGIN
    DELETE FROM search_text WHERE rowid IN (
        SELECT id FROM search_doc
         WHERE message_id = OLD.id AND id <= (SELECT position FROM search_place));
    DELETE FROM search_doc WHERE message_id = OLD.id;
END;
-- end

-- On PostgreSQL the index needs an extension that comes with it; without, everything is found too,
-- only more slowly.
-- only postgres
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'searching goes without an index: %', SQLERRM;
END $$;
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN
        EXECUTE 'CREATE INDEX message_text ON message USING gin ((
            content || '' '' || contact || '' '' || COALESCE(failure_reason, '''') || '' ''
                || COALESCE(request_id, '''')) gin_trgm_ops)';
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'searching goes without an index: %', SQLERRM;
END $$;
-- end
