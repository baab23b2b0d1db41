-- A right of one department to use some fields of one resource for one purpose, until a day (共享授权).

CREATE TABLE exchange.data_grant (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer    text COLLATE "C" NOT NULL,
    resource    text COLLATE "C" NOT NULL REFERENCES exchange.resource (code),
    fields      text[] NOT NULL CHECK (cardinality(fields) > 0),
    -- What for, in one sentence that a citizen reads; the matter (事项) or '' for other duties; law:article.
    purpose     text NOT NULL CHECK (purpose <> ''),
    matter      text COLLATE "C" NOT NULL DEFAULT '',
    basis       text COLLATE "C" NOT NULL CHECK (basis <> ''),
    methods     text[] NOT NULL CHECK (cardinality(methods) > 0 AND methods <@ ARRAY['query', 'batch', 'subscribe', 'bulk']),
    per_day     integer NOT NULL CHECK (per_day > 0),
    starts      date NOT NULL,
    expires     date NOT NULL CHECK (expires >= starts),
    state       text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'suspended', 'expired', 'revoked', 'ended')),
    ended_why   text NOT NULL DEFAULT '',
    -- Changes whenever the right changes: a cache that holds an older one is stale.
    version     integer NOT NULL DEFAULT 1,
    changed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX data_grant_consumer ON exchange.data_grant (consumer, resource);
GRANT SELECT, INSERT, UPDATE ON exchange.data_grant TO dizuo_app;
