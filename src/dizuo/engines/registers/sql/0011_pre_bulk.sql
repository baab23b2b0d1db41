-- The first load of a whole city: beside the registers, then in their place, at once.
--
-- absorb takes records one version after the other, which is right for a delivery and slow for millions. Here the loader
-- fills fresh tables that nobody reads (COPY, no index), the database makes what follows from them (look-ups, indexes),
-- checks all of it with a few set queries, and puts the new tables in the place of the old ones in one short transaction.
-- Until that commits everybody reads the old state. What was there before is carried over: nothing is lost or deleted.
--
-- Rights are those of absorb: the loader brings data and cannot read any back, nobody else comes near.

-- A key that stands in for a citizen number that a person does not have (yet): T and seventeen digits.
CREATE FUNCTION registers.is_temporary(key text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN $1 LIKE 'T%' AND $1 ~ '^T[0-9]{17}$';

-- Who may speak where a field's source is silent (declared fallback order); see declare_fallbacks.
CREATE TABLE registers.fallback (
    register  text COLLATE "C" NOT NULL,
    field     text COLLATE "C" NOT NULL,
    source    text COLLATE "C" NOT NULL,
    ord       smallint NOT NULL,
    PRIMARY KEY (register, field, source)
);

-- One row per bulk load. `digest` is of everything that it publishes: the same digest goes on where it was interrupted.
CREATE TABLE registers.bulk (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    digest         text COLLATE "C" NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    about          jsonb NOT NULL,
    state          text COLLATE "C" NOT NULL CHECK (state IN ('open', 'published', 'given_up')),
    first_identity bigint NOT NULL,
    last_identity  bigint NOT NULL,
    first_ref      bigint NOT NULL,
    last_ref       bigint NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at    timestamptz,
    entry          bigint
);
CREATE UNIQUE INDEX bulk_open ON registers.bulk (state) WHERE state = 'open';
-- What is done of it, each noted in the transaction that did it.
CREATE TABLE registers.bulk_part (
    run   uuid NOT NULL REFERENCES registers.bulk (id),
    part  text COLLATE "C" NOT NULL,
    rows  bigint NOT NULL,
    PRIMARY KEY (run, part)
);
REVOKE ALL ON registers.fallback, registers.bulk, registers.bulk_part FROM PUBLIC;

-- The tables that stand beside the registers while a load is open.
CREATE FUNCTION registers.bulk_clear() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DROP TABLE IF EXISTS registers.identity_next, registers.record_next, registers.lookup_next, registers.identity_same;
    UPDATE registers.bulk SET state = 'given_up', finished_at = clock_timestamp() WHERE state = 'open';
END $$;
REVOKE ALL ON FUNCTION registers.bulk_clear() FROM PUBLIC;

-- bulk_begin: open a load of so many new numbers and records, or the one that was interrupted with the same digest.
-- Gives {"run", "first_identity", "first_ref", "done": {part: rows}}. One at a time: the session holds a lock until it ends.
-- Errors: DZ304 the registers hold too much to be carried over (absorb the difference instead), DZ306 another load is open.
CREATE FUNCTION registers.bulk_begin(digest_in text, about_in jsonb, numbers bigint, records bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r  registers.bulk;
    id0 bigint;
    ref0 bigint;
BEGIN
    IF NOT pg_try_advisory_lock(7001, hashtext('registers.bulk')) THEN
        RAISE EXCEPTION 'another bulk load is under way' USING ERRCODE = 'DZ306';
    END IF;
    SELECT * INTO r FROM registers.bulk b WHERE b.state = 'open';
    IF FOUND AND r.digest = digest_in THEN
        RETURN jsonb_build_object('run', r.id, 'first_identity', r.first_identity, 'first_ref', r.first_ref, 'done', (
            SELECT coalesce(jsonb_object_agg(p.part, p.rows), '{}') FROM registers.bulk_part p WHERE p.run = r.id));
    END IF;
    PERFORM registers.bulk_clear();
    IF (SELECT count(*) FROM (SELECT FROM registers.record LIMIT 100001) AS few) > 100000 THEN
        RAISE EXCEPTION 'the registers hold more than 100000 records: a bulk load is for the first load'
            USING ERRCODE = 'DZ304', HINT = 'Publish the difference with absorb_golden.';
    END IF;

    -- Numbers of the new rows come from the same sequences, in one piece each. Nobody draws from them meanwhile: whoever
    -- does holds a lock on the table that this one waits for.
    LOCK TABLE registers.record, registers.identity IN EXCLUSIVE MODE;
    id0 := nextval(pg_get_serial_sequence('registers.identity', 'id'));
    PERFORM setval(pg_get_serial_sequence('registers.identity', 'id'), id0 + numbers);
    ref0 := nextval('registers.record_ref');
    PERFORM setval('registers.record_ref', ref0 + records);

    CREATE TABLE registers.identity_next (LIKE registers.identity INCLUDING DEFAULTS INCLUDING IDENTITY
        INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMMENTS) WITH (autovacuum_enabled = off);
    CREATE TABLE registers.record_next (LIKE registers.record INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE
        INCLUDING COMMENTS) WITH (autovacuum_enabled = off);
    ALTER TABLE registers.record_next ALTER version SET DEFAULT 1;
    CREATE TABLE registers.lookup_next (LIKE registers.lookup INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE
        INCLUDING COMMENTS) WITH (autovacuum_enabled = off);
    -- Numbers that the city knew before: brought as `made`, known as `id`.
    CREATE TABLE registers.identity_same (made bigint PRIMARY KEY, id bigint NOT NULL);
    REVOKE ALL ON registers.identity_next, registers.record_next, registers.lookup_next, registers.identity_same FROM PUBLIC;
    -- Not the version, not the times: a new record starts at one, now.
    GRANT INSERT (id, scheme, number) ON registers.identity_next TO dizuo_loader;
    GRANT INSERT (register, key, ref, subjects, data, sources, valid_from, valid_to) ON registers.record_next TO dizuo_loader;

    INSERT INTO registers.bulk (digest, about, state, first_identity, last_identity, first_ref, last_ref)
    VALUES (digest_in, about_in, 'open', id0, id0 + numbers, ref0, ref0 + records) RETURNING * INTO r;
    RETURN jsonb_build_object('run', r.id, 'first_identity', id0, 'first_ref', ref0, 'done', '{}'::jsonb);
END $$;
REVOKE ALL ON FUNCTION registers.bulk_begin(text, jsonb, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_begin(text, jsonb, bigint, bigint) TO dizuo_loader;

-- bulk_did: note a part of the open load, in the transaction that did it. Errors: DZ307 the load is not open any more.
CREATE FUNCTION registers.bulk_did(run_in uuid, part_in text, rows_in bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM registers.bulk b WHERE b.id = run_in AND b.state = 'open') THEN
        RAISE EXCEPTION 'this bulk load is not open' USING ERRCODE = 'DZ307';
    END IF;
    INSERT INTO registers.bulk_part (run, part, rows) VALUES (run_in, part_in, rows_in);
END $$;
REVOKE ALL ON FUNCTION registers.bulk_did(uuid, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_did(uuid, text, bigint) TO dizuo_loader;

-- bulk_known: after the numbers are in: which of them the city knew already, as (made, id). Their old ids stay.
CREATE FUNCTION registers.bulk_known(run_in uuid) RETURNS TABLE (made bigint, id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM registers.bulk_part p WHERE p.run = run_in AND p.part = 'known') THEN
        PERFORM registers.bulk_did(run_in, 'known', 0);
        INSERT INTO registers.identity_same (made, id)
        SELECT n.id, o.id FROM registers.identity o
        JOIN registers.identity_next n ON n.scheme = o.scheme AND n.number = o.number;
        DELETE FROM registers.identity_next n USING registers.identity_same s WHERE n.id = s.made;
        INSERT INTO registers.identity_next (id, scheme, number, created_at) OVERRIDING SYSTEM VALUE
        SELECT o.id, o.scheme, o.number, o.created_at FROM registers.identity o;
    END IF;
    RETURN QUERY SELECT s.made, s.id FROM registers.identity_same s;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_known(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_known(uuid) TO dizuo_loader;

-- bulk_found_by: the look-ups of one register, from its records.
CREATE FUNCTION registers.bulk_found_by(run_in uuid, register_in text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO registers.lookup_next (register, field, value, key, known_from)
    SELECT r.register, f.field, r.data ->> f.field, r.key, r.recorded_at
    FROM registers.record_next r
    CROSS JOIN (SELECT d.field FROM registers.field d WHERE d.register = register_in AND d.lookup) AS f
    WHERE r.register = register_in AND r.data ->> f.field IS NOT NULL;
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM registers.bulk_did(run_in, 'found_by/' || register_in, made);
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_found_by(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_found_by(uuid, text) TO dizuo_loader;

-- bulk_indexes: the names of the indexes that the new tables still lack, one per index of the old ones.
CREATE FUNCTION registers.bulk_indexes() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.indexname::text FROM pg_indexes i
    WHERE i.schemaname = 'registers' AND i.tablename IN ('identity', 'record', 'lookup')
      AND NOT EXISTS (SELECT FROM pg_indexes n WHERE n.schemaname = 'registers' AND n.indexname = i.indexname || '_next')
    ORDER BY i.tablename DESC, i.indexname
$$;
REVOKE ALL ON FUNCTION registers.bulk_indexes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_indexes() TO dizuo_loader;

-- bulk_index: make one of them. A record or a number twice is found here. Errors: DZ301 with the register.
CREATE FUNCTION registers.bulk_index(run_in uuid, index_in text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET maintenance_work_mem = '512MB' AS $$
DECLARE
    i record;
BEGIN
    PERFORM registers.bulk_did(run_in, 'index/' || index_in, 0);
    SELECT x.indexname, x.tablename, x.indexdef INTO STRICT i FROM pg_indexes x
    WHERE x.schemaname = 'registers' AND x.tablename IN ('identity', 'record', 'lookup') AND x.indexname = index_in;
    EXECUTE replace(replace(i.indexdef, format(' INDEX %I ON ', i.indexname), format(' INDEX %I ON ', i.indexname || '_next')),
                    format(' ON registers.%I ', i.tablename), format(' ON registers.%I ', i.tablename || '_next'));
EXCEPTION WHEN unique_violation THEN
    -- The detail of the error would show the value.
    RAISE EXCEPTION 'this load brings something twice: index % finds it', index_in
        USING ERRCODE = 'DZ301', HINT = 'Deliver each record and each number once per load.';
END $$;
REVOKE ALL ON FUNCTION registers.bulk_index(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_index(uuid, text) TO dizuo_loader;

-- What may stand in a record of a register, as conditions over r for one pass through the table: true where it is wrong.
CREATE FUNCTION registers.bulk_conditions(register_in text, OUT undeclared text, OUT unspoken text, OUT other_key text,
                                          OUT miscounted text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    f       record;
    key     record;
    fields  text[];
    orgs    text[];
    spare   text[];
    temp    text := 'false';
BEGIN
    SELECT d.field, d.subject INTO key FROM registers.field d WHERE d.register = register_in AND d.is_key;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'register % is not declared', register_in USING ERRCODE = 'DZ302';
    END IF;
    SELECT array_agg(d.field), array_agg(DISTINCT d.source) INTO fields, orgs
    FROM registers.field d WHERE d.register = register_in;
    spare := ARRAY(SELECT DISTINCT '.' || b.field FROM registers.fallback b WHERE b.register = register_in);
    undeclared := format('r.data - %L::text[] <> ''{}'' OR r.sources - %L::text[] <> ''{}''', fields, orgs || spare);
    -- A field is there only when its source spoke, or a declared fallback of this very field did.
    FOR f IN SELECT d.source, array_agg(d.field) AS fields FROM registers.field d
             WHERE d.register = register_in GROUP BY d.source LOOP
        unspoken := concat_ws(' OR ', unspoken, format(
            '(NOT r.sources ? %L AND r.data ?| %L AND EXISTS (SELECT FROM jsonb_object_keys(r.data) AS k'
            ' WHERE k = ANY (%L::text[]) AND NOT r.sources ? (''.'' || k)))', f.source, f.fields, f.fields));
    END LOOP;
    IF spare <> '{}' THEN
        unspoken := unspoken || format(
            ' OR (r.sources ?| %L AND EXISTS (SELECT FROM jsonb_each(r.sources) AS s(k, said) WHERE s.k LIKE ''.%%'''
            ' AND NOT EXISTS (SELECT FROM registers.fallback x WHERE x.register = %L AND ''.'' || x.field = s.k'
            ' AND x.source = s.said ->> 0)))', spare, register_in);
    END IF;
    IF key.subject IS NOT NULL THEN
        temp := format('(NOT r.data ? %L AND registers.is_temporary(r.key))', key.field);
    END IF;
    other_key := format('r.key IS DISTINCT FROM r.data ->> %L AND NOT %s', key.field, temp);
    miscounted := format('cardinality(r.subjects) <> %s::integer', temp);
    FOR f IN SELECT d.field FROM registers.field d WHERE d.register = register_in AND d.subject IS NOT NULL LOOP
        miscounted := miscounted || format(' + (coalesce(r.data ->> %L, '''') <> '''')::integer', f.field);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_conditions(text) FROM PUBLIC;

-- bulk_check: everything that absorb would hold against the rows of one register. Gives how many were checked.
-- Errors: DZ302 a field that nobody declared or an organisation that may not say it, DZ303 a key that is not the
-- record's, DZ305 people that the record is not about. Messages name the record by its number, never by its key.
-- Statements are put together because only then does the database use both processors for them.
CREATE FUNCTION registers.bulk_check(run_in uuid, register_in text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '256MB' AS $$
DECLARE
    c     record;
    found record;
    f     record;
    place text;
    wrong bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM registers.bulk_part p WHERE p.run = run_in AND p.part = 'sealed') THEN
        RAISE EXCEPTION 'rows may still come in: seal the load first' USING ERRCODE = 'DZ307';
    END IF;
    SELECT * INTO c FROM registers.bulk_conditions(register_in);
    EXECUTE format('SELECT count(*) AS checked, min(r.ref) AS first, max(r.ref) AS last,'
        ' min(r.ref) FILTER (WHERE %s) AS undeclared, min(r.ref) FILTER (WHERE %s) AS unspoken,'
        ' min(r.ref) FILTER (WHERE %s) AS other_key, min(r.ref) FILTER (WHERE %s) AS miscounted'
        ' FROM registers.record_next r WHERE r.register = %L',
        c.undeclared, c.unspoken, c.other_key, c.miscounted, register_in) INTO found;
    IF EXISTS (SELECT FROM registers.bulk u WHERE u.id = run_in AND (found.first < u.first_ref OR found.last > u.last_ref)) THEN
        RAISE EXCEPTION 'register %: a record has a number that was not set aside for this load', register_in
            USING ERRCODE = 'DZ303';
    ELSIF found.undeclared IS NOT NULL THEN
        RAISE EXCEPTION 'register %: record #% has a field or a source that is not declared', register_in, found.undeclared
            USING ERRCODE = 'DZ302', HINT = 'A field has one source and its declared fallback; deliver only those.';
    ELSIF found.unspoken IS NOT NULL THEN
        RAISE EXCEPTION 'register %: record #% has a value that neither its source nor a declared fallback said',
            register_in, found.unspoken
            USING ERRCODE = 'DZ302', HINT = 'A field has one source and its declared fallback; deliver only those.';
    ELSIF found.other_key IS NOT NULL THEN
        RAISE EXCEPTION 'register %: the key of record #% is not the one in its data', register_in, found.other_key
            USING ERRCODE = 'DZ303';
    END IF;
    -- Whom a record is about decides who may read it, so that is held against the numbers here, not believed: the key's
    -- person first, then the others by the names of their fields.
    wrong := found.miscounted;
    place := '1';
    FOR f IN SELECT d.field, d.subject, d.is_key FROM registers.field d
             WHERE d.register = register_in AND d.subject IS NOT NULL ORDER BY d.is_key DESC, d.field LOOP
        EXIT WHEN wrong IS NOT NULL;
        EXECUTE format('SELECT min(r.ref) FROM registers.record_next r'
            ' LEFT JOIN registers.identity_next x ON x.id = r.subjects[%s] WHERE r.register = %L AND r.data ->> %L <> '''''
            ' AND (x.number IS DISTINCT FROM r.data ->> %L OR x.scheme <> %L)',
            place, register_in, f.field, f.field, f.subject) INTO wrong;
        IF f.is_key AND wrong IS NULL THEN
            EXECUTE format('SELECT min(r.ref) FROM registers.record_next r'
                ' LEFT JOIN registers.identity_next x ON x.id = r.subjects[1] WHERE r.register = %L AND NOT r.data ? %L'
                ' AND (x.number IS DISTINCT FROM r.key OR x.scheme <> ''temp'')', register_in, f.field) INTO wrong;
            place := '2';
        ELSE
            place := place || format(' + (coalesce(r.data ->> %L, '''') <> '''')::integer', f.field);
        END IF;
    END LOOP;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'register %: record #% names other people than its data does', register_in, wrong
            USING ERRCODE = 'DZ305';
    END IF;
    PERFORM registers.bulk_did(run_in, 'check/' || register_in, found.checked);
    RETURN found.checked;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_check(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_check(uuid, text) TO dizuo_loader;
