-- Who did what, and proof that nobody has changed the ledger since.

-- The hash of each event, over the one before it, and that of a level's last event. Events recorded
-- before there were hashes have none; a level's chain begins with the first that has one.
ALTER TABLE stock_events ADD COLUMN IF NOT EXISTS hash BYTEA NOT NULL DEFAULT '';
ALTER TABLE stock_levels ADD COLUMN IF NOT EXISTS head BYTEA NOT NULL DEFAULT '';

-- A location's ledger up to a moment in one hash, chained to the seal before. Seals live in the
-- region of their location.
CREATE TABLE IF NOT EXISTS seals (
    region    crdb_internal_region NOT NULL,
    location  TEXT                 NOT NULL,
    up_to     TIMESTAMPTZ          NOT NULL,
    root      BYTEA                NOT NULL,
    levels    BIGINT               NOT NULL CHECK (levels >= 0),
    sealed_at TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, location, up_to)
);

-- Stock commands are their own audit: who, where, why, when. The shard spreads what is written at
-- one moment over several ranges.
ALTER TABLE commands ADD COLUMN IF NOT EXISTS gateway TEXT NOT NULL DEFAULT '';
ALTER TABLE commands ADD COLUMN IF NOT EXISTS reason TEXT;
ALTER TABLE commands ADD COLUMN IF NOT EXISTS reference TEXT;
ALTER TABLE commands ADD COLUMN IF NOT EXISTS shard BIGINT NOT NULL DEFAULT 0;
CREATE INDEX IF NOT EXISTS commands_by_time ON commands (region, shard, recorded_at, id);

-- Changes of settings, and attempts that were refused for want of rights. Rows live in the region
-- of the pod that was asked.
CREATE TABLE IF NOT EXISTS audit_log (
    region     crdb_internal_region NOT NULL,
    at         TIMESTAMPTZ          NOT NULL,
    id         UUID                 NOT NULL,
    actor      TEXT                 NOT NULL,
    request_id TEXT                 NOT NULL,
    operation  TEXT                 NOT NULL,
    outcome    TEXT                 NOT NULL,
    resource   TEXT,
    name       TEXT,
    detail     TEXT,
    attempts   BIGINT               NOT NULL CHECK (attempts >= 1),
    PRIMARY KEY (region, at, id)
);
