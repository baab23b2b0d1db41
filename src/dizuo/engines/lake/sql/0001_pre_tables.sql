-- Departments' deliveries: what came, from whom, what was taken and what was not. Contents live in files by hash.

CREATE SCHEMA IF NOT EXISTS lake;
REVOKE ALL ON SCHEMA lake FROM PUBLIC;
GRANT USAGE ON SCHEMA lake TO dizuo_loader;

-- One row per file that a department delivered for a register. The same bytes are one delivery, however often they come.
CREATE TABLE lake.delivery (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department      text COLLATE "C" NOT NULL,
    register        text COLLATE "C" NOT NULL,
    name            text NOT NULL,
    sha256          text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes           bigint NOT NULL CHECK (bytes >= 0),
    encoding        text COLLATE "C",
    period_from     date NOT NULL,
    period_to       date NOT NULL,
    declaration     text COLLATE "C" NOT NULL,
    state           text COLLATE "C" NOT NULL DEFAULT 'landed' CHECK (state IN ('landed', 'refused', 'published')),
    refused_code    text COLLATE "C",
    refused_says    text,
    published_line  integer NOT NULL DEFAULT 0,
    accepted        integer NOT NULL DEFAULT 0,
    rejected        integer NOT NULL DEFAULT 0,
    added           integer NOT NULL DEFAULT 0,
    changed         integer NOT NULL DEFAULT 0,
    landed_at       timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    UNIQUE (department, register, sha256),
    CHECK ((state = 'refused') = (refused_code IS NOT NULL))
);
CREATE INDEX delivery_recent ON lake.delivery (register, landed_at);

-- Rows that were not taken, with the reason and the line, for the department to correct. `raw` is personal data:
-- nobody but the loader reads it.
CREATE TABLE lake.rejected (
    delivery  bigint NOT NULL REFERENCES lake.delivery (id) ON DELETE CASCADE,
    line      integer NOT NULL CHECK (line > 0),
    code      text COLLATE "C" NOT NULL,
    field     text NOT NULL,
    says      text NOT NULL,
    raw       text NOT NULL,
    PRIMARY KEY (delivery, line)
);

REVOKE ALL ON ALL TABLES IN SCHEMA lake FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON lake.delivery TO dizuo_loader;
GRANT SELECT, INSERT, DELETE ON lake.rejected TO dizuo_loader;
