-- Finding messages by what they contain.

CREATE INDEX message_created ON message (user_id, created_at);

-- On SQLite the index of texts is filled beside everything else, in the order of message.seq: what
-- comes after search_place is not in it yet, and what is in search_again is there with an old text.
-- only sqlite
CREATE TABLE search_place (position BIGINT NOT NULL);
INSERT INTO search_place VALUES (0);
CREATE TABLE search_again (seq INTEGER PRIMARY KEY);

CREATE VIRTUAL TABLE search_text USING fts5(
    text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram');

CREATE TRIGGER search_changed AFTER UPDATE OF failure_reason ON message
    WHEN NEW.failure_reason IS NOT OLD.failure_reason BEGIN
    INSERT OR IGNORE INTO search_again (seq) VALUES (NEW.seq);
END;
-- The last numbers come again, so the place must not be behind them.
CREATE TRIGGER search_deleted AFTER DELETE ON message BEGIN
    DELETE FROM search_text
     WHERE rowid = OLD.seq AND OLD.seq <= (SELECT position FROM search_place);
    DELETE FROM search_again WHERE seq = OLD.seq;
    UPDATE search_place SET position = (SELECT COALESCE(MAX(seq), 0) FROM message)
     WHERE position > (SELECT COALESCE(MAX(seq), 0) FROM message);
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
