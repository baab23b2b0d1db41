-- Deliveries of declared sources (cities/*/sources): what arrived, how far it got, what became of every row.
-- Bytes and rows are files named by sha256 and by the delivery's number; nothing personal stands in this table.

CREATE TABLE lake.source_delivery (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source          text COLLATE "C" NOT NULL CHECK (source ~ '^[a-z][a-z0-9_]*$'),
    name            text NOT NULL DEFAULT '',
    sha256          text COLLATE "C" CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes           bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    format          text COLLATE "C" NOT NULL,
    mode            text COLLATE "C" NOT NULL CHECK (mode IN ('full', 'changes')),
    -- The last day that the delivery speaks of.
    period          date NOT NULL,
    declaration     text COLLATE "C" NOT NULL,
    -- open: pushed rows are still being added; the others are the stages of the lake.
    state           text COLLATE "C" NOT NULL DEFAULT 'landed' CHECK (state IN
        ('open', 'landed', 'read', 'standardised', 'checked', 'linked', 'published', 'held', 'refused')),
    held_from       text COLLATE "C",
    why_code        text COLLATE "C",
    why_says        text,
    -- Every row that came in (rows_in) is in the end published, merged, held or rejected.
    rows_in         bigint NOT NULL DEFAULT 0,
    rows_read       bigint NOT NULL DEFAULT 0,
    rows_rejected   bigint NOT NULL DEFAULT 0,
    rows_published  bigint NOT NULL DEFAULT 0,
    rows_merged     bigint NOT NULL DEFAULT 0,
    rows_held       bigint NOT NULL DEFAULT 0,
    notes           jsonb NOT NULL DEFAULT '[]',
    watermark       text,
    previous        bigint REFERENCES lake.source_delivery (id),
    seen            integer NOT NULL DEFAULT 1,
    seen_at         timestamptz NOT NULL DEFAULT now(),
    landed_at       timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'open') = (sha256 IS NULL)),
    CHECK ((state IN ('held', 'refused')) = (why_code IS NOT NULL)),
    CHECK ((state = 'held') = (held_from IS NOT NULL)),
    CHECK (state NOT IN ('read', 'standardised', 'checked', 'linked') OR rows_in = rows_read + rows_rejected),
    CHECK (state <> 'published' OR rows_in = rows_published + rows_merged + rows_held + rows_rejected)
);
-- The same bytes of one source are one delivery, however often they come.
CREATE UNIQUE INDEX source_delivery_bytes ON lake.source_delivery (source, sha256) WHERE sha256 IS NOT NULL;
CREATE UNIQUE INDEX source_delivery_open ON lake.source_delivery (source) WHERE state = 'open';
CREATE INDEX source_delivery_recent ON lake.source_delivery (source, id DESC);

-- Each step with its time: how long a delivery took, and where it waits.
CREATE TABLE lake.source_step (
    delivery  bigint NOT NULL REFERENCES lake.source_delivery (id) ON DELETE CASCADE,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    was       text COLLATE "C",
    state     text COLLATE "C" NOT NULL,
    why_code  text COLLATE "C"
);
CREATE INDEX source_step_delivery ON lake.source_step (delivery, at);

-- The only way a delivery moves on; a stage that was killed finds it where it was.
CREATE FUNCTION lake.note_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.sha256 IS DISTINCT FROM OLD.sha256 AND OLD.sha256 IS NOT NULL THEN
            RAISE EXCEPTION 'delivery %: landed bytes are never exchanged', OLD.id USING ERRCODE = 'DZ101';
        END IF;
        IF NEW.state = OLD.state THEN
            RETURN NEW;
        END IF;
        IF NOT (OLD.state || '>' || NEW.state = ANY (ARRAY[
                'open>landed', 'landed>read', 'read>standardised', 'standardised>checked', 'checked>linked',
                'linked>published', 'refused>landed'])
            OR (NEW.state IN ('held', 'refused') AND OLD.state NOT IN ('open', 'published', 'refused'))
            OR (OLD.state = 'held' AND NEW.state = OLD.held_from)) THEN
            RAISE EXCEPTION 'delivery %: % does not lead to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'DZ102';
        END IF;
        NEW.changed_at := now();
        INSERT INTO lake.source_step (delivery, was, state, why_code) VALUES (NEW.id, OLD.state, NEW.state, NEW.why_code);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER steps BEFORE UPDATE ON lake.source_delivery FOR EACH ROW EXECUTE FUNCTION lake.note_step();

-- Which column failed which check in how many rows, at which stage; what may be told without showing a row.
CREATE TABLE lake.source_rejected_kind (
    delivery  bigint NOT NULL REFERENCES lake.source_delivery (id) ON DELETE CASCADE,
    stage     text COLLATE "C" NOT NULL,
    col       text NOT NULL,
    code      text COLLATE "C" NOT NULL,
    rows      bigint NOT NULL CHECK (rows > 0),
    PRIMARY KEY (delivery, stage, col, code)
);

-- Keys with which a department's system pushes rows. The key itself is shown once and never kept.
CREATE TABLE lake.source_key (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text COLLATE "C" NOT NULL,
    hash        bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    note        text NOT NULL DEFAULT '',
    per_minute  integer NOT NULL DEFAULT 120 CHECK (per_minute > 0),
    made_by     text NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    revoked_by  text,
    revoked_why text,
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);

-- Pushed requests as they came, until their delivery is closed and landed; then the body goes, the answer stays.
CREATE TABLE lake.push (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    text COLLATE "C" NOT NULL,
    delivery  bigint NOT NULL REFERENCES lake.source_delivery (id),
    key       bigint NOT NULL REFERENCES lake.source_key (id),
    once      text COLLATE "C" NOT NULL,
    digest    bytea NOT NULL CHECK (octet_length(digest) = 32),
    body      text,
    accepted  integer NOT NULL,
    rejected  integer NOT NULL,
    answer    jsonb NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, once)
);
CREATE INDEX push_delivery ON lake.push (delivery, id);
CREATE INDEX push_rate ON lake.push (key, at);

-- Requests that were not taken, counted by the minute, so that a flood of them does not fill the disk.
CREATE TABLE lake.push_refusal (
    minute  timestamptz NOT NULL,
    source  text COLLATE "C" NOT NULL,
    key     bigint NOT NULL DEFAULT 0,
    code    text COLLATE "C" NOT NULL,
    times   bigint NOT NULL DEFAULT 1,
    bytes   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (minute, source, key, code)
);

REVOKE ALL ON lake.source_delivery, lake.source_step, lake.source_rejected_kind, lake.source_key, lake.push,
    lake.push_refusal FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON lake.source_delivery TO dizuo_loader, dizuo_app;
GRANT SELECT ON lake.source_step TO dizuo_loader, dizuo_app;
GRANT SELECT ON lake.source_rejected_kind TO dizuo_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON lake.source_rejected_kind TO dizuo_loader;
GRANT SELECT ON lake.source_key TO dizuo_app;
GRANT SELECT, INSERT, UPDATE ON lake.source_key TO dizuo_loader;
-- The serving processes add pushes and tell what they answered; what was pushed they cannot read again.
GRANT INSERT ON lake.push TO dizuo_app;
GRANT SELECT (id, source, delivery, key, once, digest, accepted, rejected, answer, at) ON lake.push TO dizuo_app;
GRANT SELECT ON lake.push TO dizuo_loader;
GRANT UPDATE (body) ON lake.push TO dizuo_loader;
GRANT SELECT, INSERT, UPDATE ON lake.push_refusal TO dizuo_app;
GRANT SELECT ON lake.push_refusal TO dizuo_loader;
