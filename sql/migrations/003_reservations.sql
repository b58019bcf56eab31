-- Reservations live in the home region of their first line, lines in the region of their location.

CREATE TABLE IF NOT EXISTS reservations (
    region          crdb_internal_region NOT NULL,
    id              UUID                 NOT NULL,
    status          TEXT                 NOT NULL,
    order_reference TEXT,
    channel         TEXT,
    expires_at      TIMESTAMPTZ          NOT NULL,
    version         BIGINT               NOT NULL CHECK (version >= 1),
    created_at      TIMESTAMPTZ          NOT NULL,
    updated_at      TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, id)
);

-- What the expiry worker scans, and lists of open reservations.
CREATE INDEX IF NOT EXISTS reservations_open ON reservations (region, status, expires_at, id)
    WHERE status IN ('held', 'allocated');

CREATE INDEX IF NOT EXISTS reservations_by_order ON reservations (region, order_reference, id)
    WHERE order_reference IS NOT NULL;

CREATE TABLE IF NOT EXISTS reservation_lines (
    region         crdb_internal_region NOT NULL,
    reservation_id UUID                 NOT NULL,
    line           BIGINT               NOT NULL CHECK (line >= 1),
    home           crdb_internal_region NOT NULL,
    location       TEXT                 NOT NULL,
    sku            TEXT                 NOT NULL,
    quantity       BIGINT               NOT NULL CHECK (quantity >= 1),
    held           BIGINT               NOT NULL CHECK (held >= 0),
    allocated      BIGINT               NOT NULL CHECK (allocated >= 0),
    fulfilled      BIGINT               NOT NULL CHECK (fulfilled >= 0),
    released       BIGINT               NOT NULL CHECK (released >= 0),
    expired        BIGINT               NOT NULL CHECK (expired >= 0),
    expires_at     TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, reservation_id, line),
    CONSTRAINT every_unit_is_somewhere CHECK (quantity - held - allocated - fulfilled - released - expired = 0)
);

-- The holds of a stock level, earliest expiry first: what a command expires that finds too little.
CREATE INDEX IF NOT EXISTS reservation_lines_held ON reservation_lines (region, sku, location, expires_at)
    WHERE held > 0;
