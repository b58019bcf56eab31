-- The catalogue: read everywhere, written rarely. On a multi-region CockroachDB these tables are GLOBAL.

CREATE TABLE IF NOT EXISTS products (
    sku         TEXT        NOT NULL PRIMARY KEY,
    name        TEXT        NOT NULL,
    description TEXT,
    unit        TEXT,
    barcode     TEXT,
    category    TEXT,
    unit_cost   DECIMAL,
    currency    TEXT,
    attributes  JSONB       NOT NULL,
    version     BIGINT      NOT NULL CHECK (version >= 1),
    archived_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);

CREATE INDEX IF NOT EXISTS products_by_category ON products (category, sku);

CREATE TABLE IF NOT EXISTS locations (
    name        TEXT                 NOT NULL PRIMARY KEY,
    title       TEXT                 NOT NULL,
    region      crdb_internal_region NOT NULL,
    kind        TEXT                 NOT NULL,
    country     TEXT                 NOT NULL,
    latitude    DOUBLE PRECISION,
    longitude   DOUBLE PRECISION,
    priority    BIGINT               NOT NULL,
    version     BIGINT               NOT NULL CHECK (version >= 1),
    archived_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ          NOT NULL,
    updated_at  TIMESTAMPTZ          NOT NULL
);

CREATE TABLE IF NOT EXISTS channels (
    name         TEXT        NOT NULL PRIMARY KEY,
    title        TEXT        NOT NULL,
    kind         TEXT        NOT NULL,
    locations    JSONB       NOT NULL,
    safety_stock BIGINT      NOT NULL CHECK (safety_stock >= 0),
    version      BIGINT      NOT NULL CHECK (version >= 1),
    archived_at  TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL
);
