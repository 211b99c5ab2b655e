-- On SQLite the parts of the index of texts are merged by whoever fills it: eight of a size at a time,
-- in small steps. At 64 FTS5 merges them at once, however long that takes.
-- only sqlite
INSERT INTO search_text (search_text, rank) VALUES ('automerge', 0);
INSERT INTO search_text (search_text, rank) VALUES ('usermerge', 8);
INSERT INTO search_text (search_text, rank) VALUES ('crisismerge', 64);
-- end
