-- The store: what dizuo keeps about its own running. Applied once per database; later changes are NNNN_pre|post files.

CREATE TABLE IF NOT EXISTS store.migration (
    schema      text        NOT NULL,
    name        text        NOT NULL,
    digest      bytea       NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schema, name)
);
COMMENT ON TABLE store.migration IS 'Which structure files this database has had, with the SHA-256 of each.';

-- Jobs: work that is due at a time. The handler runs inside the transaction that removes the row, so its effect
-- happens exactly once or not at all.
CREATE TABLE store.job (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text        NOT NULL,
    run_at     timestamptz NOT NULL,
    payload    jsonb       NOT NULL,
    key        text,
    attempts   integer     NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- A job that failed too often waits for a person; it is never dropped in silence.
    parked     boolean     NOT NULL DEFAULT false
);
CREATE INDEX job_due ON store.job (run_at, id) WHERE NOT parked;
CREATE UNIQUE INDEX job_key ON store.job (kind, key) WHERE key IS NOT NULL;

-- Outbox: facts that other rooms read after the transaction that made them.
CREATE TABLE store.outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Readers go by (tx, id) up to the oldest running transaction: a late commit is never skipped.
    tx         xid8        NOT NULL DEFAULT pg_current_xact_id(),
    topic      text        NOT NULL,
    payload    jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_order ON store.outbox (topic, tx, id);

CREATE TABLE store.outbox_reader (
    reader text   NOT NULL,
    topic  text   NOT NULL,
    tx     xid8   NOT NULL DEFAULT '0',
    id     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (reader, topic)
);

GRANT USAGE ON SCHEMA store TO dizuo_app, dizuo_sealer, dizuo_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON store.job, store.outbox_reader TO dizuo_app;
GRANT SELECT, INSERT ON store.outbox TO dizuo_app;
GRANT SELECT ON store.migration TO dizuo_app, dizuo_sealer, dizuo_loader;
