-- The catalogue of data resources (资源目录): one row per resource, with the core metadata of 政务信息资源目录编制指南.

CREATE SCHEMA IF NOT EXISTS exchange;
REVOKE ALL ON SCHEMA exchange FROM PUBLIC;
GRANT USAGE ON SCHEMA exchange TO dizuo_app;

CREATE TABLE exchange.resource (
    code            text COLLATE "C" PRIMARY KEY,
    title           text NOT NULL CHECK (title <> ''),
    title_en        text NOT NULL DEFAULT '',
    abstract        text NOT NULL DEFAULT '',
    abstract_en     text NOT NULL DEFAULT '',
    -- The declared organisation that answers for the data (提供方), and its unified social credit code.
    provider        text COLLATE "C" NOT NULL,
    provider_code   text COLLATE "C" NOT NULL DEFAULT '',
    -- What it is made from: a declared register, a declared source, or a line of an imported catalogue.
    kind            text COLLATE "C" NOT NULL CHECK (kind IN ('register', 'source', 'imported')),
    register        text COLLATE "C",
    source          text COLLATE "C",
    -- [{id, zh, en, type, level, personal, datum, basis}]; type is one of the catalogue's item types (C, N, D, …).
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
    -- Why it is offline, or what is missing while it is not published yet.
    state_why       text NOT NULL DEFAULT '',
    -- Attributes that nobody declared: they follow from the rest and wait for a person to confirm them.
    derived         text[] NOT NULL DEFAULT '{}',
    published_on    date,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'register') = (register IS NOT NULL)),
    CHECK (kind <> 'source' OR source IS NOT NULL)
);
CREATE INDEX resource_provider ON exchange.resource (provider);
-- A declared register or source has one resource, whatever becomes of it: its code is for ever.
CREATE UNIQUE INDEX resource_register ON exchange.resource (register) WHERE kind = 'register';
CREATE UNIQUE INDEX resource_source ON exchange.resource (source) WHERE kind = 'source';
GRANT SELECT, INSERT, UPDATE ON exchange.resource TO dizuo_app;

-- The number of an organisation in resource codes (目); given once and never to another.
CREATE TABLE exchange.catalogue_number (
    organisation  text COLLATE "C" PRIMARY KEY,
    number        smallint NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 999)
);
GRANT SELECT, INSERT ON exchange.catalogue_number TO dizuo_app;

-- Every change of a resource: which attributes, from what to what, by whom and why. Rows are only added.
CREATE TABLE exchange.resource_change (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code    text COLLATE "C" NOT NULL REFERENCES exchange.resource (code),
    at      timestamptz NOT NULL,
    kind    text COLLATE "C" NOT NULL CHECK (kind IN ('new', 'changed', 'offline', 'online')),
    -- 'declarations', 'import' or an account.
    by      text COLLATE "C" NOT NULL CHECK (by <> ''),
    why     text NOT NULL DEFAULT '',
    before  jsonb NOT NULL DEFAULT '{}',
    after   jsonb NOT NULL DEFAULT '{}',
    entry   bigint NOT NULL
);
CREATE INDEX resource_change_code ON exchange.resource_change (code, id);
GRANT SELECT, INSERT ON exchange.resource_change TO dizuo_app;
