-- The registers (基础库): golden records, identities, look-ups, and the declarations that bound every read.
-- Nobody but the owner can read a table here. The web's role calls request/release/write; the loader's role
-- fills `intake` and calls absorb/identities.

CREATE SCHEMA IF NOT EXISTS registers;
REVOKE ALL ON SCHEMA registers FROM PUBLIC;
GRANT USAGE ON SCHEMA registers TO dizuo_app, dizuo_loader;

-- Whom records are about. An id says nothing by itself, so ledger entries can name a person by it.
CREATE TABLE registers.identity (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scheme      text COLLATE "C" NOT NULL CHECK (scheme IN ('citizen_id', 'uscc', 'temp')),
    number      text COLLATE "C" NOT NULL CHECK (number <> ''),
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (scheme, number)
);

-- One row per version of a record. `data` is {field: value}; `sources` is {organisation: date of its record}.
-- One table, not one partition per register: a read walks ten registers, and planning or locking ten partitions
-- for each step costs more than the index depth it saves.
-- `ref` names a record where its key would say too much: a person's key is the citizen number, and ledger entries can be
-- read by more people than registers.
CREATE SEQUENCE registers.record_ref;
CREATE TABLE registers.record (
    register      text COLLATE "C" NOT NULL,
    key           text COLLATE "C" NOT NULL CHECK (key <> '' AND key NOT LIKE '#%'),
    version       integer NOT NULL CHECK (version > 0),
    ref           bigint NOT NULL,
    subjects      bigint[] NOT NULL DEFAULT '{}',
    data          jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    sources       jsonb NOT NULL CHECK (jsonb_typeof(sources) = 'object'),
    valid_from    date,
    valid_to      date,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    superseded_at timestamptz,
    PRIMARY KEY (register, key, version),
    CHECK (superseded_at IS NULL OR superseded_at >= recorded_at)
);
CREATE UNIQUE INDEX record_by_ref ON registers.record (ref, version);
CREATE UNIQUE INDEX record_current ON registers.record (register, key) WHERE superseded_at IS NULL;

-- Which records hold a value in a field that others are found by; kept with the time it was so.
CREATE TABLE registers.lookup (
    register    text COLLATE "C" NOT NULL,
    field       text COLLATE "C" NOT NULL,
    value       text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    known_from  timestamptz NOT NULL DEFAULT now(),
    known_to    timestamptz,
    PRIMARY KEY (register, field, value, key, known_from)
);

-- What is declared about each field, from cities/<city>/registers. `subject` is the scheme when the field names
-- whom the record is about.
CREATE TABLE registers.field (
    register  text COLLATE "C" NOT NULL,
    field     text COLLATE "C" NOT NULL,
    source    text COLLATE "C" NOT NULL,
    type      text COLLATE "C" NOT NULL,
    is_key    boolean NOT NULL,
    lookup    boolean NOT NULL,
    subject   text COLLATE "C" CHECK (subject IN ('citizen_id', 'uscc')),
    PRIMARY KEY (register, field)
);

-- The declared reads of each matter in each version; `spec` is kept whole so that an audit sees what was in force.
CREATE TABLE registers.access (
    id            text COLLATE "C" NOT NULL,
    version       text COLLATE "C" NOT NULL,
    spec          jsonb NOT NULL,
    published_at  timestamptz NOT NULL DEFAULT now(),
    retired_at    timestamptz,
    PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX access_current ON registers.access (id) WHERE retired_at IS NULL;

-- The chain of parties of an access in order. `matches` is [[[own fields], party, its field], …]: all must hold,
-- several own fields mean either. `wheres` is {field: value}.
CREATE TABLE registers.access_party (
    access    text COLLATE "C" NOT NULL,
    version   text COLLATE "C" NOT NULL,
    ord       smallint NOT NULL,
    party     text COLLATE "C" NOT NULL,
    register  text COLLATE "C" NOT NULL,
    key_field text COLLATE "C" NOT NULL,
    given     boolean NOT NULL,
    pick      text COLLATE "C" NOT NULL CHECK (pick IN ('one', 'latest', 'choose')),
    order_by  text COLLATE "C",
    matches   jsonb NOT NULL,
    wheres    jsonb NOT NULL,
    labels    text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (access, version, ord),
    UNIQUE (access, version, party),
    FOREIGN KEY (access, version) REFERENCES registers.access (id, version)
);

-- What each item of an access may read, for which purpose on which legal basis. A row without fields lets the
-- chain pass through the party and nothing more.
CREATE TABLE registers.access_grant (
    access   text COLLATE "C" NOT NULL,
    version  text COLLATE "C" NOT NULL,
    item     text COLLATE "C" NOT NULL,
    party    text COLLATE "C" NOT NULL,
    fields   text[] COLLATE "C" NOT NULL,
    purpose  text COLLATE "C" NOT NULL,
    basis    text COLLATE "C" NOT NULL,
    PRIMARY KEY (access, version, item, party, purpose, basis),
    FOREIGN KEY (access, version, party) REFERENCES registers.access_party (access, version, party)
);

-- What a granted item may write.
CREATE TABLE registers.access_write (
    access    text COLLATE "C" NOT NULL,
    version   text COLLATE "C" NOT NULL,
    item      text COLLATE "C" NOT NULL,
    register  text COLLATE "C" NOT NULL,
    fields    text[] COLLATE "C" NOT NULL,
    purpose   text COLLATE "C" NOT NULL,
    basis     text COLLATE "C" NOT NULL,
    PRIMARY KEY (access, version, item, register)
);

-- A promise of values. Unlogged: after a crash every ticket is gone, which is the safe side.
-- `plan` points at record versions and holds no value of a register.
CREATE UNLOGGED TABLE registers.ticket (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    holder      bytea NOT NULL,
    made_by     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    expires_at  timestamptz NOT NULL,
    plan        jsonb NOT NULL,
    entries     bigint[] NOT NULL
);
CREATE INDEX ticket_expiry ON registers.ticket (expires_at);

-- Where a delivery waits to be absorbed. One row per record as one organisation delivers it; `data` has only
-- fields that this organisation is the source of, a JSON null takes a value back.
CREATE UNLOGGED TABLE registers.intake (
    load         uuid NOT NULL,
    line         integer NOT NULL,
    register     text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    source       text COLLATE "C" NOT NULL,
    source_date  date NOT NULL,
    data         jsonb NOT NULL,
    valid_from   date,
    valid_to     date
);
CREATE INDEX intake_load ON registers.intake (load, register, key);

REVOKE ALL ON ALL TABLES IN SCHEMA registers FROM PUBLIC;
GRANT INSERT ON registers.intake TO dizuo_loader;
