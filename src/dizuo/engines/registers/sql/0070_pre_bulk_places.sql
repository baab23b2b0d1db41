-- Where each register's rows stand in the table beside the registers, so that look-ups and checks of one register do not read
-- all of them: with seven million people that is fifteen registers in fifteen gigabytes, each read several times.
ALTER TABLE registers.bulk_part ADD COLUMN first_place tid, ADD COLUMN last_place tid;

-- bulk_seal: from here on the loader cannot add rows. Waits for those who still do; then notes where each register's rows stand.
CREATE OR REPLACE FUNCTION registers.bulk_seal(run_in uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    places jsonb;
BEGIN
    REVOKE INSERT (id, scheme, number) ON registers.identity_next FROM dizuo_loader;
    REVOKE INSERT (register, key, ref, subjects, data, sources, valid_from, valid_to) ON registers.record_next FROM dizuo_loader;
    LOCK TABLE registers.identity_next, registers.record_next IN SHARE MODE;
    IF EXISTS (SELECT FROM registers.bulk u JOIN registers.identity_next n
               ON NOT n.id BETWEEN u.first_identity AND u.last_identity
               WHERE u.id = run_in AND NOT EXISTS (
                   SELECT FROM registers.identity o WHERE o.id = n.id AND o.scheme = n.scheme AND o.number = n.number)) THEN
        RAISE EXCEPTION 'an identity has an id that was not set aside for this load' USING ERRCODE = 'DZ303';
    END IF;
    EXECUTE 'SELECT jsonb_agg(p) FROM (SELECT r.register, count(*) AS rows, min(r.ctid)::text AS first, max(r.ctid)::text AS last'
            ' FROM registers.record_next r GROUP BY r.register) AS p' INTO places;
    INSERT INTO registers.bulk_part (run, part, rows, first_place, last_place)
    SELECT run_in, 'place/' || p.register, p.rows, p.first::tid, p.last::tid
    FROM jsonb_to_recordset(coalesce(places, '[]')) AS p(register text, rows bigint, first text, last text);
    PERFORM registers.bulk_did(run_in, 'placed', 0);
    PERFORM registers.bulk_did(run_in, 'sealed', 0);
END $$;
REVOKE ALL ON FUNCTION registers.bulk_seal(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_seal(uuid) TO dizuo_loader;

-- bulk_where: the rows r of one register in the table beside the registers, as a condition. The register itself is always asked
-- for: streams of two registers stand side by side. A load that was sealed before places were noted is read whole.
CREATE FUNCTION registers.bulk_where(run_in uuid, register_in text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('r.register = %L', register_in) || CASE
        WHEN p.part IS NOT NULL THEN format(' AND r.ctid >= %L::tid AND r.ctid <= %L::tid', p.first_place, p.last_place)
        WHEN EXISTS (SELECT FROM registers.bulk_part d WHERE d.run = run_in AND d.part = 'placed') THEN ' AND false'
        ELSE '' END
    FROM (SELECT) AS one
    LEFT JOIN registers.bulk_part p ON p.run = run_in AND p.part = 'place/' || register_in
$$;
REVOKE ALL ON FUNCTION registers.bulk_where(uuid, text) FROM PUBLIC;

-- bulk_found_by: the look-ups of one register, from its records, once no more of them come in.
CREATE OR REPLACE FUNCTION registers.bulk_found_by(run_in uuid, register_in text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM registers.bulk_part p WHERE p.run = run_in AND p.part = 'sealed') THEN
        RAISE EXCEPTION 'rows may still come in: seal the load first' USING ERRCODE = 'DZ307';
    END IF;
    EXECUTE format('INSERT INTO registers.lookup_next (register, field, value, key, known_from)'
        ' SELECT r.register, f.field, v.value, r.key, r.recorded_at FROM registers.record_next r'
        ' CROSS JOIN (SELECT d.field FROM registers.field d WHERE d.register = %L AND d.lookup) AS f'
        ' CROSS JOIN LATERAL (SELECT r.data ->> f.field AS value) AS v WHERE %s AND v.value IS NOT NULL',
        register_in, registers.bulk_where(run_in, register_in));
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM registers.bulk_did(run_in, 'found_by/' || register_in, made);
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_found_by(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_found_by(uuid, text) TO dizuo_loader;

-- bulk_check: everything that absorb would hold against the rows of one register. Gives how many were checked.
-- Errors: DZ302 a field that nobody declared or an organisation that may not say it, DZ303 a key that is not the
-- record's, DZ305 people that the record is not about. Messages name the record by its number, never by its key.
-- Statements are put together because only then does the database use both processors for them.
CREATE OR REPLACE FUNCTION registers.bulk_check(run_in uuid, register_in text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '256MB' AS $$
DECLARE
    c     record;
    found record;
    f     record;
    place text;
    wrong bigint;
    here  text;
BEGIN
    IF NOT EXISTS (SELECT FROM registers.bulk_part p WHERE p.run = run_in AND p.part = 'sealed') THEN
        RAISE EXCEPTION 'rows may still come in: seal the load first' USING ERRCODE = 'DZ307';
    END IF;
    here := registers.bulk_where(run_in, register_in);
    SELECT * INTO c FROM registers.bulk_conditions(register_in);
    EXECUTE format('SELECT count(*) AS checked, min(r.ref) AS first, max(r.ref) AS last,'
        ' min(r.ref) FILTER (WHERE %s) AS undeclared, min(r.ref) FILTER (WHERE %s) AS unspoken,'
        ' min(r.ref) FILTER (WHERE %s) AS other_key, min(r.ref) FILTER (WHERE %s) AS miscounted'
        ' FROM registers.record_next r WHERE %s',
        c.undeclared, c.unspoken, c.other_key, c.miscounted, here) INTO found;
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
        -- A person without a number stands under a temporary key, which is a number of its own kind.
        EXECUTE format('SELECT min(r.ref) FROM registers.record_next r'
            ' LEFT JOIN registers.identity_next x ON x.id = r.subjects[%s] WHERE %s AND (r.data ->> %L <> '''''
            ' AND (x.number IS DISTINCT FROM r.data ->> %L OR x.scheme <> %L)%s)',
            place, here, f.field, f.field, f.subject, CASE WHEN f.is_key THEN format(
                ' OR NOT r.data ? %L AND (x.number IS DISTINCT FROM r.key OR x.scheme <> ''temp'')', f.field) END) INTO wrong;
        place := CASE WHEN f.is_key THEN '2'
                      ELSE place || format(' + (coalesce(r.data ->> %L, '''') <> '''')::integer', f.field) END;
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
