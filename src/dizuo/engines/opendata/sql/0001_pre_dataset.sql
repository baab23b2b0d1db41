-- Open datasets (公共数据开放): what is said of each, its versions with their rows, what the publication gate found, and use.

REVOKE ALL ON SCHEMA opendata FROM PUBLIC;
GRANT USAGE ON SCHEMA opendata TO dizuo_app;

-- One row per dataset. `origin`: declared in the city folder, loaded through an interface, or harvested from elsewhere.
CREATE TABLE opendata.dataset (
    id              text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,99}$'),
    origin          text COLLATE "C" NOT NULL DEFAULT 'declared' CHECK (origin IN ('declared', 'loaded', 'harvested')),
    title           text NOT NULL CHECK (title <> ''),
    title_en        text NOT NULL DEFAULT '',
    abstract        text NOT NULL DEFAULT '',
    abstract_en     text NOT NULL DEFAULT '',
    -- The declared organisation that answers for the data (提供方), or the publisher's name as harvested.
    provider        text COLLATE "C" NOT NULL,
    theme           text COLLATE "C" NOT NULL DEFAULT '',
    open_type       text COLLATE "C" NOT NULL CHECK (open_type IN ('unconditional', 'conditional', 'closed')),
    condition       text NOT NULL DEFAULT '',
    condition_en    text NOT NULL DEFAULT '',
    cycle           text COLLATE "C" NOT NULL,
    licence         text NOT NULL DEFAULT '',
    spatial         text NOT NULL DEFAULT '',
    temporal        text NOT NULL DEFAULT '',
    also            text[] NOT NULL DEFAULT '{}',
    -- [{id, zh, en, type, says, says_en, unit, facet}]; type: text, integer, decimal, date, boolean.
    fields          jsonb NOT NULL DEFAULT '[]',
    formats         text[] NOT NULL DEFAULT '{}',
    shapes          boolean NOT NULL DEFAULT false,
    -- In words, from what it is made and what the gate changed.
    made            jsonb NOT NULL DEFAULT '{}',
    state           text COLLATE "C" NOT NULL DEFAULT 'refused' CHECK (state IN ('published', 'refused', 'withdrawn')),
    -- The version that is served; 0 before the first release.
    version         integer NOT NULL DEFAULT 0,
    extras          jsonb NOT NULL DEFAULT '{}',
    first_published timestamptz,
    updated_at      timestamptz,
    changed_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((version > 0) = (first_published IS NOT NULL)),
    CHECK (state <> 'published' OR version > 0 OR origin <> 'declared')
);
CREATE INDEX dataset_shown ON opendata.dataset (updated_at DESC, id) WHERE state = 'published';
COMMENT ON TABLE opendata.dataset IS '开放数据集';

-- What the gate (开放前审查) found before each release; kept whether it let the release pass or not.
CREATE TABLE opendata.gate_report (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset  text COLLATE "C" NOT NULL REFERENCES opendata.dataset (id),
    at       timestamptz NOT NULL DEFAULT now(),
    by       text COLLATE "C" NOT NULL,
    passed   boolean NOT NULL,
    rows     bigint NOT NULL,
    -- SHA-256 of the rows that were looked at.
    digest   bytea NOT NULL CHECK (length(digest) = 32),
    findings jsonb NOT NULL,
    entry    bigint NOT NULL
);
CREATE INDEX gate_report_of ON opendata.gate_report (dataset, id DESC);

-- A release: its rows never change. `epsilon` is what it spent of the dataset's privacy budget.
CREATE TABLE opendata.version (
    dataset     text COLLATE "C" NOT NULL REFERENCES opendata.dataset (id),
    version     integer NOT NULL CHECK (version > 0),
    released_at timestamptz NOT NULL DEFAULT now(),
    rows        bigint NOT NULL,
    digest      bytea NOT NULL CHECK (length(digest) = 32),
    -- What it was made from had this digest: the same input is not released twice.
    made_from   bytea NOT NULL,
    report      bigint REFERENCES opendata.gate_report (id),
    epsilon     double precision NOT NULL DEFAULT 0 CHECK (epsilon >= 0),
    -- How far a noised count is off, at most, with 95 % of certainty; NULL for exact numbers.
    accuracy    double precision,
    entry       bigint NOT NULL,
    PRIMARY KEY (dataset, version)
);

-- The rows of a release in its order, {field: value}; with them, where it has one, a geometry (GeoJSON).
CREATE TABLE opendata.row (
    dataset text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    n       bigint NOT NULL,
    data    jsonb NOT NULL,
    shape   jsonb,
    PRIMARY KEY (dataset, version, n),
    FOREIGN KEY (dataset, version) REFERENCES opendata.version (dataset, version) ON DELETE CASCADE
);

-- Use by day, in counts; nothing about who.
CREATE TABLE opendata.usage (
    dataset text COLLATE "C" NOT NULL REFERENCES opendata.dataset (id),
    day     date NOT NULL,
    kind    text COLLATE "C" NOT NULL CHECK (kind IN ('download', 'call', 'view')),
    uses    bigint NOT NULL,
    PRIMARY KEY (dataset, day, kind)
);

-- Enter a release: the privacy budget is accounted here, under a lock, so that two releases cannot both spend the last of it.
-- DZ071 the budget does not suffice; DZ072 the report is not of this dataset, did not pass, or looked at other rows.
CREATE FUNCTION opendata.release(dataset_in text, report_in bigint, rows_in bigint, digest_in bytea, made_from_in bytea,
                                 epsilon_in double precision, budget_in double precision, accuracy_in double precision)
RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    latest integer;
    spent double precision;
    about bigint;
BEGIN
    PERFORM FROM opendata.dataset d WHERE d.id = dataset_in FOR UPDATE;
    SELECT coalesce(max(v.version), 0) + 1, coalesce(sum(v.epsilon), 0) INTO latest, spent
    FROM opendata.version v WHERE v.dataset = dataset_in;
    IF epsilon_in > 0 AND spent + epsilon_in > budget_in + 1e-9 THEN
        RAISE EXCEPTION 'spent % of %, % more wanted', spent, budget_in, epsilon_in USING ERRCODE = 'DZ071';
    END IF;
    IF NOT EXISTS (SELECT FROM opendata.gate_report g WHERE g.id = report_in AND g.dataset = dataset_in AND g.passed
                   AND g.digest = digest_in) THEN
        RAISE EXCEPTION 'report % does not let this release of % pass', report_in, dataset_in USING ERRCODE = 'DZ072';
    END IF;
    about := ledger.append('opendata.release', jsonb_build_object('dataset', dataset_in, 'version', latest, 'rows', rows_in,
        'digest', encode(digest_in, 'hex'), 'report', report_in, 'epsilon', epsilon_in), NULL, NULL);
    INSERT INTO opendata.version (dataset, version, rows, digest, made_from, report, epsilon, accuracy, entry)
    VALUES (dataset_in, latest, rows_in, digest_in, made_from_in, report_in, epsilon_in, accuracy_in, about);
    UPDATE opendata.dataset d SET version = latest, state = 'published', updated_at = now(),
        first_published = coalesce(d.first_published, now()), changed_at = now() WHERE d.id = dataset_in;
    RETURN latest;
END $$;

CREATE FUNCTION opendata.count_use(dataset_in text, kind_in text, day_in date) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO opendata.usage AS u (dataset, day, kind, uses) SELECT d.id, $3, $2, 1 FROM opendata.dataset d WHERE d.id = $1
    ON CONFLICT (dataset, day, kind) DO UPDATE SET uses = u.uses + 1;
END;

REVOKE ALL ON opendata.dataset, opendata.gate_report, opendata.version, opendata.row, opendata.usage FROM PUBLIC;
REVOKE ALL ON FUNCTION opendata.count_use(text, text, date) FROM PUBLIC;
GRANT SELECT ON opendata.dataset, opendata.gate_report, opendata.version, opendata.row, opendata.usage TO dizuo_app;
GRANT EXECUTE ON FUNCTION opendata.count_use(text, text, date) TO dizuo_app;
