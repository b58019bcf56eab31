-- Webhooks: who is told of the change feed, and what each has yet to be told. All rows live in the
-- primary region.

-- A webhook that is deleted stays, out of sight, until its deliveries are gone. Secrets are
-- encrypted. An empty cursor says that the feed is read from when the webhook is next put.
CREATE TABLE IF NOT EXISTS webhooks (
    region           crdb_internal_region NOT NULL,
    id               UUID                 NOT NULL,
    name             TEXT                 NOT NULL,
    url              TEXT                 NOT NULL,
    filter           JSONB                NOT NULL,
    active           BOOL                 NOT NULL,
    secret           BYTEA                NOT NULL,
    old_secret       BYTEA,
    old_secret_until TIMESTAMPTZ,
    cursor           TEXT                 NOT NULL,
    version          BIGINT               NOT NULL CHECK (version >= 1),
    created_at       TIMESTAMPTZ          NOT NULL,
    updated_at       TIMESTAMPTZ          NOT NULL,
    deleted_at       TIMESTAMPTZ,
    failures         BIGINT               NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since    TIMESTAMPTZ,
    next_attempt_at  TIMESTAMPTZ,
    switched_off     TEXT,
    PRIMARY KEY (region, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS webhooks_by_name ON webhooks (region, name) WHERE deleted_at IS NULL;

-- One entry of the feed on its way to one webhook. What has the same subject is delivered in the
-- order of its sequence. Time to give up is counted from tried_from.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    region          crdb_internal_region NOT NULL,
    webhook         UUID                 NOT NULL,
    id              UUID                 NOT NULL,
    kind            TEXT                 NOT NULL,
    subject         TEXT                 NOT NULL,
    sequence        BIGINT               NOT NULL,
    payload         TEXT                 NOT NULL,
    status          TEXT                 NOT NULL CHECK (status IN ('pending', 'delivered', 'parked')),
    attempts        BIGINT               NOT NULL CHECK (attempts >= 0),
    tried_from      TIMESTAMPTZ          NOT NULL,
    next_attempt_at TIMESTAMPTZ          NOT NULL,
    last_status     BIGINT,
    last_error      TEXT,
    created_at      TIMESTAMPTZ          NOT NULL,
    updated_at      TIMESTAMPTZ          NOT NULL,
    PRIMARY KEY (region, webhook, id)
);
CREATE INDEX IF NOT EXISTS webhook_deliveries_in_order ON webhook_deliveries (region, webhook, subject, sequence, id) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS webhook_deliveries_by_time ON webhook_deliveries (region, webhook, created_at, id);
CREATE INDEX IF NOT EXISTS webhook_deliveries_by_status ON webhook_deliveries (region, webhook, status, created_at, id);
CREATE INDEX IF NOT EXISTS webhook_deliveries_done ON webhook_deliveries (region, status, updated_at) WHERE status IN ('delivered', 'parked');
