-- The greatest number of a delivery at some times: what is attempted for greater ones came later. So
-- the purge of the log knows how far it has to look.
CREATE TABLE delivery_mark (
    at          BIGINT PRIMARY KEY,
    delivery_id BIGINT NOT NULL
);
