-- Stock and its ledger. Rows live in the region of the location they describe: on a multi-region
-- CockroachDB these tables are REGIONAL BY ROW AS region.

-- SKU comes before location: what a SKU has at all locations of a region is one short scan.
-- A low fill factor keeps updates of quantities on their page and out of the indexes (PostgreSQL).
CREATE TABLE IF NOT EXISTS stock_levels (
    region      crdb_internal_region NOT NULL,
    sku         TEXT                 NOT NULL,
    location    TEXT                 NOT NULL,
    on_hand     BIGINT               NOT NULL CHECK (on_hand >= 0),
    held        BIGINT               NOT NULL CHECK (held >= 0),
    allocated   BIGINT               NOT NULL CHECK (allocated >= 0),
    quarantined BIGINT               NOT NULL CHECK (quarantined >= 0),
    incoming    BIGINT               NOT NULL CHECK (incoming >= 0),
    shortfall   BIGINT               NOT NULL CHECK (shortfall >= 0),
    version     BIGINT               NOT NULL CHECK (version >= 1),
    updated_at  TIMESTAMPTZ          NOT NULL,
    closed      BOOL                 NOT NULL DEFAULT false,
    PRIMARY KEY (region, sku, location),
    CONSTRAINT promised_is_on_hand CHECK (on_hand - held - allocated - quarantined >= 0)
) WITH (fillfactor = 40);

CREATE INDEX IF NOT EXISTS stock_levels_by_location ON stock_levels (region, location, sku);

CREATE TABLE IF NOT EXISTS stock_events (
    region            crdb_internal_region NOT NULL,
    sku               TEXT                 NOT NULL,
    location          TEXT                 NOT NULL,
    version           BIGINT               NOT NULL CHECK (version >= 1),
    kind              TEXT                 NOT NULL,
    on_hand_delta     BIGINT               NOT NULL,
    held_delta        BIGINT               NOT NULL,
    allocated_delta   BIGINT               NOT NULL,
    quarantined_delta BIGINT               NOT NULL,
    incoming_delta    BIGINT               NOT NULL,
    shortfall_delta   BIGINT               NOT NULL,
    on_hand           BIGINT               NOT NULL,
    held              BIGINT               NOT NULL,
    allocated         BIGINT               NOT NULL,
    quarantined       BIGINT               NOT NULL,
    incoming          BIGINT               NOT NULL,
    shortfall         BIGINT               NOT NULL,
    movement_home     crdb_internal_region NOT NULL,
    movement_id       UUID                 NOT NULL,
    reservation_home  crdb_internal_region,
    reservation_id    UUID,
    unit_cost         DECIMAL,
    currency          TEXT,
    reason            TEXT,
    reference         TEXT,
    channel           TEXT,
    actor             TEXT                 NOT NULL,
    effective_at      TIMESTAMPTZ          NOT NULL,
    recorded_at       TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, sku, location, version)
);
