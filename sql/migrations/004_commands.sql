-- Idempotency: a command's key, the hash of its input, and its answer, written in the transaction
-- of its effect. Keys live in the home region of the command.

CREATE TABLE IF NOT EXISTS commands (
    region      crdb_internal_region NOT NULL,
    key         TEXT                 NOT NULL,
    id          UUID                 NOT NULL,
    operation   TEXT                 NOT NULL,
    input_hash  BYTEA                NOT NULL,
    refused     BOOL                 NOT NULL,
    events      BIGINT               NOT NULL,
    answer      TEXT                 NOT NULL,
    actor       TEXT                 NOT NULL,
    request_id  TEXT                 NOT NULL,
    recorded_at TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, key)
);

-- Who runs a worker in a region. The token grows with every change of holder: work that carries an
-- older one is refused.
CREATE TABLE IF NOT EXISTS leases (
    region     crdb_internal_region NOT NULL,
    name       TEXT                 NOT NULL,
    holder     TEXT                 NOT NULL,
    token      BIGINT               NOT NULL,
    expires_at TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, name)
);
