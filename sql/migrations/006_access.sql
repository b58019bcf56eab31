-- Who may come in. Read everywhere, written rarely: GLOBAL on a multi-region CockroachDB, like the
-- catalogue. Of a key's secret only the hash is here.

CREATE TABLE IF NOT EXISTS api_keys (
    id           TEXT        NOT NULL PRIMARY KEY,
    name         TEXT        NOT NULL,
    hash         BYTEA       NOT NULL CHECK (length(hash) = 32),
    grants       JSONB       NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    created_by   TEXT        NOT NULL,
    expires_at   TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ
);
