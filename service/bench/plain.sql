-- Stock by hand, as one would make it without Stockyard: what is promised in the row that says what
-- is there, reservations with their lines, what happened, and answers by key.
CREATE TABLE plain_levels (
    location   TEXT        NOT NULL,
    sku        TEXT        NOT NULL,
    on_hand    BIGINT      NOT NULL,
    held       BIGINT      NOT NULL,
    version    BIGINT      NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (location, sku),
    CHECK (held >= 0),
    CHECK (on_hand >= held)
) WITH (fillfactor = 40);

CREATE TABLE plain_reservations (
    id         UUID        NOT NULL PRIMARY KEY,
    status     TEXT        NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Without it nobody would find what has lapsed.
CREATE INDEX plain_reservations_held ON plain_reservations (expires_at) WHERE status = 'held';

CREATE TABLE plain_lines (
    reservation_id UUID   NOT NULL,
    line           BIGINT NOT NULL,
    location       TEXT   NOT NULL,
    sku            TEXT   NOT NULL,
    quantity       BIGINT NOT NULL,
    PRIMARY KEY (reservation_id, line)
);

CREATE TABLE plain_events (
    location       TEXT        NOT NULL,
    sku            TEXT        NOT NULL,
    version        BIGINT      NOT NULL,
    kind           TEXT        NOT NULL,
    held_delta     BIGINT      NOT NULL,
    on_hand        BIGINT      NOT NULL,
    held           BIGINT      NOT NULL,
    reservation_id UUID        NOT NULL,
    recorded_at    TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (location, sku, version)
);

CREATE TABLE plain_keys (
    key         TEXT        NOT NULL PRIMARY KEY,
    answer      TEXT        NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
