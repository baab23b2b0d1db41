-- The catalogue of data resources (资源目录): one row per resource, with the core metadata of 政务信息资源目录编制指南.

CREATE TABLE exchange.resource (
    code            text COLLATE "C" PRIMARY KEY,
    title           text NOT NULL CHECK (title <> ''),
    title_en        text NOT NULL DEFAULT '',
    abstract        text NOT NULL DEFAULT '',
    -- The declared organisation that answers for the data (提供方).
    provider        text COLLATE "C" NOT NULL,
    -- What it is made from: a declared register, a declared source, or a line of an imported catalogue.
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('register', 'source', 'imported')),
    register        text COLLATE "C",
    source          text COLLATE "C",
    -- [{id, zh, en, type, level, personal}]; type is one of the catalogue's item types (C, N, D, …).
    fields          jsonb NOT NULL DEFAULT '[]',
    category        text NOT NULL DEFAULT '',
    format          text NOT NULL DEFAULT '',
    share_type      smallint NOT NULL CHECK (share_type IN (1, 2, 3)),
    share_condition text NOT NULL DEFAULT '',
    share_basis     text NOT NULL DEFAULT '',
    share_methods   text[] NOT NULL DEFAULT '{}',
    open_type       smallint NOT NULL DEFAULT 3 CHECK (open_type IN (1, 2, 3)),
    open_condition  text NOT NULL DEFAULT '',
    update_cycle    text COLLATE "C" NOT NULL,
    level           text COLLATE "C" NOT NULL DEFAULT 'L1',
    related         text[] NOT NULL DEFAULT '{}',
    state           text COLLATE "C" NOT NULL DEFAULT 'published' CHECK (state IN
        ('draft', 'department_review', 'authority_review', 'published', 'changing', 'offline')),
    published_on    date,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'register') = (register IS NOT NULL)),
    CHECK (kind <> 'source' OR source IS NOT NULL)
);
CREATE INDEX resource_provider ON exchange.resource (provider);
GRANT SELECT, INSERT, UPDATE ON exchange.resource TO dizuo_app;
