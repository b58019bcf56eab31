-- The change feed of CockroachDB, by transactions. A changefeed gives each row by itself, to each pod,
-- and a row of the ledger has many columns: what a transaction writes to the ledger is written once
-- more, whole, to one row here, which every pod follows instead.

-- Rows are followed as history and not as rows: they go after some minutes. They lie in a few places,
-- so that more than one node can write them.
--! cockroachdb
CREATE TABLE IF NOT EXISTS feed_batches (
    region     crdb_internal_region NOT NULL,
    shard      BIGINT               NOT NULL,
    written_at TIMESTAMPTZ          NOT NULL,
    id         UUID                 NOT NULL DEFAULT gen_random_uuid(),
    events     BYTES                NOT NULL,
    PRIMARY KEY (region, shard, written_at, id)
);

-- One row once every pod writes batches: from when on there is one of every transaction, in
-- nanoseconds since 1970. Until then the pods follow the ledger itself, for a pod of an earlier
-- release writes only that.
--! cockroachdb
CREATE TABLE IF NOT EXISTS feed_source (
    id            BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    batches_since BIGINT NOT NULL
);
