-- What alerts are raised by, and how far their raising has come.

-- Rules. Read everywhere, written rarely: GLOBAL on a multi-region CockroachDB, like the catalogue.
-- An empty name stands for all of them.
CREATE TABLE IF NOT EXISTS thresholds (
    name        TEXT        NOT NULL PRIMARY KEY,
    sku         TEXT        NOT NULL,
    location    TEXT        NOT NULL,
    channel     TEXT        NOT NULL,
    below       BIGINT      NOT NULL CHECK (below >= 1),
    active      BOOLEAN     NOT NULL,
    version     BIGINT      NOT NULL CHECK (version >= 1),
    archived_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    CHECK (location = '' OR channel = '')
);

CREATE INDEX IF NOT EXISTS thresholds_by_sku ON thresholds (sku, name);

-- Whether what a channel can sell of a SKU was last seen below a rule's threshold. Flips counts how
-- often that changed: the n-th change has one alert, whoever sees it.
CREATE TABLE IF NOT EXISTS threshold_states (
    rule       TEXT        NOT NULL,
    sku        TEXT        NOT NULL,
    below      BOOLEAN     NOT NULL,
    flips      BIGINT      NOT NULL CHECK (flips >= 0),
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (rule, sku)
);

-- Where workers that read the change feed go on.
CREATE TABLE IF NOT EXISTS feed_cursors (
    region     crdb_internal_region NOT NULL,
    name       TEXT                 NOT NULL,
    cursor     TEXT                 NOT NULL,
    updated_at TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, name)
);
