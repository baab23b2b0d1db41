-- Who is who: units, posts held, accounts, sessions, mandates, and who represents which enterprise.
-- No number of a person or an enterprise is kept here: people are identity ids of the registers.

CREATE SCHEMA IF NOT EXISTS directory;
REVOKE ALL ON SCHEMA directory FROM PUBLIC;
GRANT USAGE ON SCHEMA directory TO dizuo_app, dizuo_loader;

-- One unit of an organisation in one division (部门的办事机构), as declared.
CREATE TABLE directory.unit (
    id            text COLLATE "C" PRIMARY KEY,
    organisation  text COLLATE "C" NOT NULL,
    division      text COLLATE "C" NOT NULL,
    name          text NOT NULL,
    retired_at    timestamptz,
    UNIQUE (organisation, division)
);
CREATE INDEX unit_division ON directory.unit (division);

-- Whoever may sign in. `subject` is the identity id of the person in the registers.
CREATE TABLE directory.account (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('resident', 'official')),
    subject     bigint,
    name        text NOT NULL CHECK (name <> ''),
    demo_key    text COLLATE "C" UNIQUE,
    demo_note   jsonb,
    demo_order  integer,
    closed_at   timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (kind = 'official' OR subject IS NOT NULL)
);
CREATE UNIQUE INDEX account_of_resident ON directory.account (subject) WHERE kind = 'resident';

-- A post held by an official at a unit (任职), for a time.
CREATE TABLE directory.posting (
    account     bigint NOT NULL REFERENCES directory.account (id),
    post        text COLLATE "C" NOT NULL,
    unit        text COLLATE "C" NOT NULL REFERENCES directory.unit (id),
    valid_from  date NOT NULL,
    valid_to    date,
    PRIMARY KEY (account, post, unit),
    CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE INDEX posting_unit ON directory.posting (unit, post);

-- A session is known by the SHA-256 of its token; the token itself is only in the person's browser.
CREATE TABLE directory.session (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash  bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    account     bigint NOT NULL REFERENCES directory.account (id),
    csrf_key    bytea NOT NULL CHECK (octet_length(csrf_key) = 32),
    channel     text COLLATE "C" NOT NULL CHECK (channel IN ('online', 'window', 'phone')),
    acting      jsonb,
    started_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE INDEX session_account ON directory.session (account) WHERE ended_at IS NULL;
CREATE INDEX session_ends ON directory.session (ends_at);

-- A mandate (代办授权): `giver` lets `proxy` act in the named matters (empty: all) until a day, or until revoked.
CREATE TABLE directory.mandate (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    giver       bigint NOT NULL,
    giver_name  text NOT NULL,
    proxy       bigint NOT NULL CHECK (proxy <> giver),
    proxy_name  text NOT NULL,
    matters     text[] COLLATE "C" NOT NULL,
    valid_from  date NOT NULL,
    valid_to    date NOT NULL CHECK (valid_to >= valid_from),
    granted_at  timestamptz NOT NULL,
    entry       bigint NOT NULL,
    revoked_at  timestamptz,
    revoked_by  bigint
);
CREATE INDEX mandate_giver ON directory.mandate (giver);
CREATE INDEX mandate_proxy ON directory.mandate (proxy) WHERE revoked_at IS NULL;

-- Who represents which enterprise (法定代表人), as the enterprise register delivered it.
CREATE TABLE directory.representation (
    enterprise  bigint NOT NULL,
    person      bigint NOT NULL,
    name        text NOT NULL,
    as_of       date NOT NULL,
    PRIMARY KEY (enterprise, person)
);
CREATE INDEX representation_person ON directory.representation (person);

REVOKE ALL ON ALL TABLES IN SCHEMA directory FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA directory TO dizuo_app;
GRANT INSERT (kind, subject, name), UPDATE (name) ON directory.account TO dizuo_app;
GRANT INSERT, UPDATE ON directory.session TO dizuo_app;
GRANT INSERT ON directory.mandate TO dizuo_app;
GRANT UPDATE (revoked_at, revoked_by) ON directory.mandate TO dizuo_app;
