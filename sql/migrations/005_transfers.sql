-- Transfers and their lines live in the home region of the place that the stock leaves.

CREATE TABLE IF NOT EXISTS transfers (
    region        crdb_internal_region NOT NULL,
    id            UUID                 NOT NULL,
    status        TEXT                 NOT NULL CHECK (status IN ('draft', 'in_transit', 'partially_received', 'received', 'closed', 'cancelled')),
    from_location TEXT                 NOT NULL,
    to_region     crdb_internal_region NOT NULL,
    to_location   TEXT                 NOT NULL,
    reference     TEXT,
    version       BIGINT               NOT NULL CHECK (version >= 1),
    created_at    TIMESTAMPTZ          NOT NULL,
    updated_at    TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, id),
    CONSTRAINT somewhere_else CHECK (from_location <> to_location)
);

-- One for each way to list transfers, in the order of their ids.
CREATE INDEX IF NOT EXISTS transfers_by_status ON transfers (region, status, id);

CREATE INDEX IF NOT EXISTS transfers_by_origin ON transfers (region, from_location, id);

CREATE INDEX IF NOT EXISTS transfers_by_destination ON transfers (region, to_location, id);

CREATE INDEX IF NOT EXISTS transfers_by_reference ON transfers (region, reference, id)
    WHERE reference IS NOT NULL;

CREATE TABLE IF NOT EXISTS transfer_lines (
    region      crdb_internal_region NOT NULL,
    transfer_id UUID                 NOT NULL,
    line        BIGINT               NOT NULL CHECK (line >= 1),
    sku         TEXT                 NOT NULL,
    quantity    BIGINT               NOT NULL CHECK (quantity >= 1),
    shipped     BIGINT               NOT NULL,
    received    BIGINT               NOT NULL CHECK (received >= 0),
    quarantined BIGINT               NOT NULL CHECK (quarantined >= 0 AND quarantined <= received),
    lost        BIGINT               NOT NULL CHECK (lost >= 0),
    returned    BIGINT               NOT NULL CHECK (returned >= 0),
    PRIMARY KEY (region, transfer_id, line),
    CONSTRAINT ships_whole_or_not_at_all CHECK (shipped IN (0, quantity)),
    CONSTRAINT no_more_than_was_shipped CHECK (shipped - received - lost - returned >= 0)
);

-- What a step of a transfer did to a stock level names the transfer.
ALTER TABLE stock_events ADD COLUMN IF NOT EXISTS transfer_home crdb_internal_region;

ALTER TABLE stock_events ADD COLUMN IF NOT EXISTS transfer_id UUID;
