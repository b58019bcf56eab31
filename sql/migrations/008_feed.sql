-- The change feed: stock events and alerts, in the order in which their transactions took effect.

-- Alerts: what people want to be told, each once. Rows live in the region of the place they speak
-- of; those that speak of a channel or of everything in the primary region.
CREATE TABLE IF NOT EXISTS alerts (
    region    crdb_internal_region NOT NULL,
    raised_at TIMESTAMPTZ          NOT NULL,
    id        UUID                 NOT NULL,
    kind      TEXT                 NOT NULL,
    sku       TEXT,
    location  TEXT,
    channel   TEXT,
    rule      TEXT,
    version   BIGINT,
    available BIGINT,
    threshold BIGINT,
    detail    TEXT,
    PRIMARY KEY (region, id)
);

-- CockroachDB keeps with each row when it was committed. On PostgreSQL the id of the transaction
-- takes its place: the feed gives what is older than every transaction that still runs. Events from
-- before this migration get theirs from the row's header.
--! postgresql
ALTER TABLE stock_events ADD COLUMN IF NOT EXISTS tx BIGINT;
--! postgresql
ALTER TABLE stock_events ALTER COLUMN tx SET DEFAULT pg_current_xact_id()::text::bigint;
--! postgresql
UPDATE stock_events SET tx = xmin::text::bigint WHERE tx IS NULL;
--! postgresql
ALTER TABLE stock_events ALTER COLUMN tx SET NOT NULL;
--! postgresql
CREATE INDEX IF NOT EXISTS stock_events_by_tx ON stock_events (tx);
--! postgresql
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS tx BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
--! postgresql
CREATE INDEX IF NOT EXISTS alerts_by_tx ON alerts (tx);
