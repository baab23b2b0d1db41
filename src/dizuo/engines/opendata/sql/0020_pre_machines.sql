-- Open data for machines: keys of those who load catalogues, parties (organisations and groups) that came with them, harvesting.

GRANT USAGE ON SCHEMA opendata TO dizuo_loader;

-- A loaded or harvested dataset keeps its own id beside ours; both find it.
CREATE UNIQUE INDEX dataset_foreign_id ON opendata.dataset ((extras->'ckan'->>'id')) WHERE extras ? 'ckan';

-- Keys with which catalogues are loaded: shown once, kept as a hash, good for one organisation or (*) for all.
CREATE TABLE opendata.machine_key (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest       bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    organisation text COLLATE "C" NOT NULL CHECK (organisation <> ''),
    note         text NOT NULL DEFAULT '',
    made_by      text COLLATE "C" NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revoked_by   text COLLATE "C",
    revoked_why  text
);

-- Organisations and groups of loaded catalogues. Declared organisations are in the city folder and not here.
CREATE TABLE opendata.party (
    id      text COLLATE "C" PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 100),
    kind    text COLLATE "C" NOT NULL CHECK (kind IN ('organization', 'group')),
    name    text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9_-]{2,100}$'),
    title   text NOT NULL DEFAULT '',
    says    text NOT NULL DEFAULT '',
    extras  jsonb NOT NULL DEFAULT '{}',
    state   text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'deleted')),
    made_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, name)
);

-- Rows of a loaded dataset while they are put together; what everybody sees is the release made of them.
CREATE TABLE opendata.loaded_table (
    dataset     text COLLATE "C" PRIMARY KEY REFERENCES opendata.dataset (id),
    resource    text COLLATE "C" NOT NULL UNIQUE,
    fields      jsonb NOT NULL,
    keys        text[] NOT NULL DEFAULT '{}',
    -- Why the last try to release them was refused, in words; '' when it passed.
    refused     text NOT NULL DEFAULT '',
    changed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE opendata.loaded_row (
    dataset text COLLATE "C" NOT NULL REFERENCES opendata.loaded_table (dataset) ON DELETE CASCADE,
    n       bigint NOT NULL,
    -- The values of the table's keys as one text, NULL where it has none.
    key     text COLLATE "C",
    data    jsonb NOT NULL,
    PRIMARY KEY (dataset, n)
);
CREATE UNIQUE INDEX loaded_row_key ON opendata.loaded_row (dataset, key) WHERE key IS NOT NULL;

-- From where datasets are harvested. Only a command of the operator writes here: an address decides whom we call.
CREATE TABLE opendata.harvest_source (
    id            text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('ckan', 'dcat', 'csv')),
    title         text NOT NULL CHECK (title <> ''),
    url           text NOT NULL CHECK (url ~ '^https?://'),
    licence       text NOT NULL DEFAULT '',
    -- Networks that this source alone may be called in though they are not public, such as 10.1.0.0/16.
    allowed       text[] NOT NULL DEFAULT '{}',
    every_hours   integer NOT NULL DEFAULT 24 CHECK (every_hours BETWEEN 1 AND 8784),
    active        boolean NOT NULL DEFAULT true,
    -- What the server said the last time that everything was taken.
    etag          text NOT NULL DEFAULT '',
    last_modified text NOT NULL DEFAULT '',
    mark          text NOT NULL DEFAULT '',
    added_by      text COLLATE "C" NOT NULL,
    added_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE opendata.harvest_run (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text COLLATE "C" NOT NULL REFERENCES opendata.harvest_source (id),
    state      text COLLATE "C" NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'unchanged', 'failed')),
    -- Where to go on after a stop: the address of the next page; '' when every page was taken.
    next_page  text NOT NULL DEFAULT '',
    pages      integer NOT NULL DEFAULT 0,
    why        text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE INDEX harvest_run_of ON opendata.harvest_run (source, id DESC);
-- One run of a source at a time.
CREATE UNIQUE INDEX harvest_run_one ON opendata.harvest_run (source) WHERE state = 'running';

-- What became of every record that a source ever had.
CREATE TABLE opendata.harvest_record (
    source     text COLLATE "C" NOT NULL REFERENCES opendata.harvest_source (id),
    -- As the source names it.
    identifier text COLLATE "C" NOT NULL,
    -- Our dataset, NULL when it was refused.
    dataset    text COLLATE "C" REFERENCES opendata.dataset (id),
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    fate       text COLLATE "C" NOT NULL CHECK (fate IN ('added', 'updated', 'unchanged', 'refused', 'offline', 'returned')),
    why        text NOT NULL DEFAULT '',
    -- The run that saw it last, and when its fate last changed.
    run        bigint NOT NULL REFERENCES opendata.harvest_run (id),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, identifier)
);
CREATE UNIQUE INDEX harvest_record_dataset ON opendata.harvest_record (dataset) WHERE dataset IS NOT NULL;

REVOKE ALL ON opendata.machine_key, opendata.party, opendata.loaded_table, opendata.loaded_row, opendata.harvest_source,
    opendata.harvest_run, opendata.harvest_record FROM PUBLIC;
GRANT SELECT ON opendata.party, opendata.loaded_table, opendata.loaded_row, opendata.harvest_run, opendata.harvest_record
    TO dizuo_app, dizuo_loader;
GRANT SELECT (id, digest, organisation, expires_at, revoked_at) ON opendata.machine_key TO dizuo_app;
GRANT SELECT, INSERT, UPDATE ON opendata.machine_key TO dizuo_loader;
GRANT SELECT (id, kind, title, url, licence, every_hours, active, added_at) ON opendata.harvest_source TO dizuo_app;
GRANT SELECT, INSERT, UPDATE ON opendata.harvest_source, opendata.harvest_run, opendata.harvest_record TO dizuo_loader;
GRANT SELECT ON opendata.dataset TO dizuo_loader;

-- Write a dataset that came from outside; a declared one, or another origin's, is never touched.
-- The serving processes load, the loader harvests: each its own origin. DZ075 the name belongs to another; DZ076 the wrong role.
CREATE FUNCTION opendata.put_foreign(origin_in text, id_in text, facts jsonb, by_in text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    was text;
    new boolean;
BEGIN
    IF origin_in NOT IN ('loaded', 'harvested') OR (session_user = 'dizuo_app' AND origin_in <> 'loaded') THEN
        RAISE EXCEPTION '% may not write %', session_user, origin_in USING ERRCODE = 'DZ076';
    END IF;
    SELECT d.origin INTO was FROM opendata.dataset d WHERE d.id = id_in FOR UPDATE;
    new := was IS NULL;
    IF was <> origin_in THEN
        RAISE EXCEPTION '% is %', id_in, was USING ERRCODE = 'DZ075';
    END IF;
    INSERT INTO opendata.dataset AS d (id, origin, title, abstract, provider, theme, open_type, cycle, licence, also, formats,
        state, extras, updated_at, changed_at)
    SELECT id_in, origin_in, f.title, f.abstract, f.provider, f.theme, f.open_type, f.cycle, f.licence, f.also, f.formats,
        f.state, f.extras, now(), now()
    FROM jsonb_to_record(facts) AS f (title text, abstract text, provider text, theme text, open_type text, cycle text,
        licence text, also text[], formats text[], state text, extras jsonb)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, abstract = excluded.abstract, provider = excluded.provider,
        theme = excluded.theme, open_type = excluded.open_type, cycle = excluded.cycle, licence = excluded.licence,
        also = excluded.also, formats = excluded.formats, state = excluded.state, extras = excluded.extras,
        updated_at = now(), changed_at = now();
    IF origin_in = 'loaded' THEN
        PERFORM ledger.append('opendata.loaded', jsonb_build_object('dataset', id_in, 'state', facts->>'state', 'by', by_in,
            'new', new), NULL, NULL);
    END IF;
    RETURN new;
END $$;

-- A harvested dataset that its source no longer has goes offline, and returns when it is there again; it is never deleted.
CREATE FUNCTION opendata.show_harvested(id_in text, shown boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE opendata.dataset SET state = CASE WHEN $2 THEN 'published' ELSE 'withdrawn' END, changed_at = now()
    WHERE id = $1 AND origin = 'harvested';
END;

CREATE FUNCTION opendata.put_party(kind_in text, id_in text, name_in text, facts jsonb, by_in text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new boolean;
BEGIN
    INSERT INTO opendata.party AS p (id, kind, name, title, says, extras, state)
    VALUES (id_in, kind_in, name_in, coalesce(facts->>'title', ''), coalesce(facts->>'says', ''),
        coalesce(facts->'extras', '{}'), coalesce(facts->>'state', 'active'))
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, title = excluded.title, says = excluded.says,
        extras = excluded.extras, state = excluded.state WHERE p.kind = excluded.kind
    RETURNING xmax = 0 INTO new;
    IF new IS NULL THEN
        RAISE EXCEPTION '% is of another kind', id_in USING ERRCODE = 'DZ075';
    END IF;
    PERFORM ledger.append('opendata.party', jsonb_build_object('kind', kind_in, 'id', id_in, 'by', by_in, 'new', new), NULL, NULL);
    RETURN new;
END $$;

REVOKE ALL ON FUNCTION opendata.put_foreign(text, text, jsonb, text), opendata.show_harvested(text, boolean),
    opendata.put_party(text, text, text, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opendata.put_foreign(text, text, jsonb, text) TO dizuo_app, dizuo_loader;
GRANT EXECUTE ON FUNCTION opendata.show_harvested(text, boolean) TO dizuo_loader;
GRANT EXECUTE ON FUNCTION opendata.put_party(text, text, text, jsonb, text) TO dizuo_app;

-- Which version of what is said of a foreign dataset the search has entries of.
CREATE TABLE opendata.foreign_indexed (
    dataset    text COLLATE "C" PRIMARY KEY REFERENCES opendata.dataset (id),
    changed_at timestamptz NOT NULL
);
REVOKE ALL ON opendata.foreign_indexed FROM PUBLIC;

GRANT INSERT, UPDATE, DELETE ON opendata.loaded_table, opendata.loaded_row TO dizuo_app;

-- Enter what the gate found in a loaded dataset's rows and, when it passed and the dataset is to be seen, release them.
-- Gives the version, 0 when there is none to be seen.
CREATE FUNCTION opendata.release_loaded(dataset_in text, by_in text, shown boolean, passed_in boolean, findings_in jsonb,
                                        digest_in bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number bigint;
    about  bigint;
    report bigint;
    latest integer;
    old    bytea;
    there  integer;
BEGIN
    PERFORM FROM opendata.dataset d WHERE d.id = dataset_in AND d.origin = 'loaded' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% was not loaded', dataset_in USING ERRCODE = 'DZ075';
    END IF;
    SELECT count(*) INTO number FROM opendata.loaded_row r WHERE r.dataset = dataset_in;
    about := ledger.append('opendata.gate', jsonb_build_object('dataset', dataset_in, 'passed', passed_in, 'rows', number,
        'digest', encode(digest_in, 'hex'), 'by', by_in), NULL, NULL);
    INSERT INTO opendata.gate_report (dataset, by, passed, rows, digest, findings, entry)
    VALUES (dataset_in, by_in, passed_in, number, digest_in, findings_in, about) RETURNING id INTO report;
    IF NOT passed_in OR NOT shown THEN
        UPDATE opendata.dataset SET state = CASE state WHEN 'withdrawn' THEN state ELSE 'refused' END, changed_at = now()
        WHERE id = dataset_in;
        RETURN 0;
    END IF;
    SELECT d.version, v.digest INTO there, old FROM opendata.dataset d
    LEFT JOIN opendata.version v ON v.dataset = d.id AND v.version = d.version WHERE d.id = dataset_in;
    IF old = digest_in THEN
        UPDATE opendata.dataset SET state = 'published', changed_at = now() WHERE id = dataset_in;
        RETURN there;
    END IF;
    latest := opendata.release(dataset_in, report, number, digest_in, digest_in, 0, 0, NULL);
    INSERT INTO opendata.row (dataset, version, n, data)
    SELECT r.dataset, latest, r.n, r.data FROM opendata.loaded_row r WHERE r.dataset = dataset_in;
    DELETE FROM opendata.row WHERE dataset = dataset_in AND version < latest - 1;
    UPDATE opendata.dataset d SET fields = t.fields, changed_at = now() FROM opendata.loaded_table t
    WHERE d.id = dataset_in AND t.dataset = dataset_in;
    RETURN latest;
END $$;
REVOKE ALL ON FUNCTION opendata.release_loaded(text, text, boolean, boolean, jsonb, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opendata.release_loaded(text, text, boolean, boolean, jsonb, bytea) TO dizuo_app;
