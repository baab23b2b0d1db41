-- The end of a bulk load: nothing more comes in, what was there before is carried over, the new tables take the old ones' place.

-- bulk_seal: from here on the loader cannot add rows. Waits for those who still do.
CREATE FUNCTION registers.bulk_seal(run_in uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
    PERFORM registers.bulk_did(run_in, 'sealed', 0);
END $$;
REVOKE ALL ON FUNCTION registers.bulk_seal(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_seal(uuid) TO dizuo_loader;

-- bulk_analyze: the planner must know the new tables before anybody reads them.
CREATE FUNCTION registers.bulk_analyze(run_in uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    ANALYZE registers.identity_next, registers.record_next, registers.lookup_next;
    PERFORM registers.bulk_did(run_in, 'analyzed', 0);
END $$;
REVOKE ALL ON FUNCTION registers.bulk_analyze(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_analyze(uuid) TO dizuo_loader;

-- What stands in the registers now joins the new tables: people keep their ids, records their number and history, and a record
-- that both have is merged as absorb would. Runs with the old tables locked; cheap when they are empty, bounded by bulk_begin.
-- Gives how many records both have, by register.
CREATE FUNCTION registers.bulk_carry_over(OUT renewed bigint, OUT both_have jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    again  record;
    merged jsonb;
    whom   bigint[];
BEGIN
    renewed := 0;
    INSERT INTO registers.identity_next (id, scheme, number, created_at) OVERRIDING SYSTEM VALUE
    SELECT o.id, o.scheme, o.number, o.created_at FROM registers.identity o
    WHERE NOT EXISTS (SELECT FROM registers.identity_next n WHERE n.id = o.id);

    -- Look-ups of records that both have are the old ones, changed below where a value changed.
    DELETE FROM registers.lookup_next l USING registers.record o, registers.record_next n, registers.field f
    WHERE o.superseded_at IS NULL AND n.register = o.register AND n.key = o.key
      AND f.register = n.register AND f.lookup
      AND l.register = n.register AND l.field = f.field AND l.value = n.data ->> f.field AND l.key = n.key;
    INSERT INTO registers.lookup_next (register, field, value, key, known_from, known_to)
    SELECT o.register, o.field, o.value, o.key, o.known_from, o.known_to FROM registers.lookup o;

    SELECT jsonb_object_agg(b.register, b.records) INTO both_have FROM (
        SELECT o.register, count(*) AS records FROM registers.record o
        JOIN registers.record_next n ON n.register = o.register AND n.key = o.key
        WHERE o.superseded_at IS NULL GROUP BY o.register) b;
    FOR again IN SELECT o.register, o.key, o.version, o.ref, o.data AS old, o.sources AS old_sources, o.subjects AS old_whom,
                        n.data AS new, n.sources, n.subjects, n.valid_from, n.valid_to
                 FROM registers.record o
                 JOIN registers.record_next n ON n.register = o.register AND n.key = o.key AND n.version = 1
                 WHERE o.superseded_at IS NULL LOOP
        merged := jsonb_strip_nulls(again.old || again.new);
        DELETE FROM registers.record_next n WHERE n.register = again.register AND n.key = again.key;
        IF merged = again.old THEN
            UPDATE registers.record o SET sources = o.sources || again.sources
            WHERE o.register = again.register AND o.key = again.key AND o.version = again.version;
            CONTINUE;
        END IF;
        renewed := renewed + 1;
        UPDATE registers.record o SET superseded_at = clock_timestamp()
        WHERE o.register = again.register AND o.key = again.key AND o.version = again.version;
        whom := registers.subjects_of(again.register, again.key, merged, 'registers.identity_next');
        INSERT INTO registers.record_next (register, key, version, ref, subjects, data, sources, valid_from, valid_to, recorded_at)
        VALUES (again.register, again.key, again.version + 1, again.ref, whom, merged,
                again.old_sources || again.sources, coalesce(again.valid_from, now()::date), again.valid_to, clock_timestamp());
        UPDATE registers.lookup_next l SET known_to = clock_timestamp() FROM registers.field f
        WHERE f.register = again.register AND f.lookup AND again.old ->> f.field IS DISTINCT FROM merged ->> f.field
          AND l.register = again.register AND l.field = f.field AND l.value = again.old ->> f.field
          AND l.key = again.key AND l.known_to IS NULL;
        INSERT INTO registers.lookup_next (register, field, value, key, known_from)
        SELECT again.register, f.field, merged ->> f.field, again.key, clock_timestamp() FROM registers.field f
        WHERE f.register = again.register AND f.lookup AND merged ->> f.field IS NOT NULL
          AND merged ->> f.field IS DISTINCT FROM again.old ->> f.field;
    END LOOP;
    INSERT INTO registers.record_next
        (register, key, version, ref, subjects, data, sources, valid_from, valid_to, recorded_at, superseded_at)
    SELECT o.register, o.key, o.version, o.ref, o.subjects, o.data, o.sources, o.valid_from, o.valid_to,
           o.recorded_at, o.superseded_at FROM registers.record o;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'a number was given to somebody while this load was made'
        USING ERRCODE = 'DZ308', HINT = 'Start the load again; it will know that number.';
END $$;
REVOKE ALL ON FUNCTION registers.bulk_carry_over() FROM PUBLIC;

-- Whom a record is about, from its declared subject fields, the key's first; a temporary key stands for a number of its own.
CREATE FUNCTION registers.subjects_of(register_in text, key_in text, said jsonb, identities regclass) RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids bigint[];
BEGIN
    EXECUTE format(
        'SELECT array_agg(x.id ORDER BY s.is_key DESC, s.field, x.id) FROM ('
        ' SELECT f.is_key, f.field, f.subject AS scheme, $3 ->> f.field AS number FROM registers.field f'
        ' WHERE f.register = $1 AND f.subject IS NOT NULL UNION ALL'
        ' SELECT true, f.field, ''temp'', $2 FROM registers.field f'
        ' WHERE f.register = $1 AND f.is_key AND f.subject IS NOT NULL AND NOT $3 ? f.field AND registers.is_temporary($2)'
        ') AS s JOIN %s AS x ON x.scheme = s.scheme AND x.number = s.number', identities)
    INTO ids USING register_in, key_in, said;
    RETURN coalesce(ids, '{}');
END $$;
REVOKE ALL ON FUNCTION registers.subjects_of(text, text, jsonb, regclass) FROM PUBLIC;

-- One table takes the place of another: its indexes, its key and its triggers bear the old names afterwards.
CREATE FUNCTION registers.bulk_replace(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old_table regclass := format('registers.%I', name);
    next_name text := name || '_next';
    keys      text[] := ARRAY(SELECT c.conname FROM pg_constraint c WHERE c.conrelid = old_table AND c.contype IN ('p', 'u'));
    kinds     "char"[] := ARRAY(SELECT c.contype FROM pg_constraint c WHERE c.conrelid = old_table AND c.contype IN ('p', 'u'));
    indexes   text[] := ARRAY(SELECT i.indexname FROM pg_indexes i WHERE i.schemaname = 'registers' AND i.tablename = name);
    triggers  text[] := ARRAY(SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE t.tgrelid = old_table AND NOT t.tgisinternal);
    said      text;
    numbering text;
BEGIN
    EXECUTE format('DROP TABLE registers.%I', name);
    EXECUTE format('ALTER TABLE registers.%I RENAME TO %I', next_name, name);
    EXECUTE format('ALTER TABLE registers.%I RESET (autovacuum_enabled)', name);
    FOREACH said IN ARRAY indexes LOOP
        EXECUTE format('ALTER INDEX registers.%I RENAME TO %I', said || '_next', said);
    END LOOP;
    FOR i IN 1 .. cardinality(keys) LOOP
        EXECUTE format('ALTER TABLE registers.%I ADD CONSTRAINT %I %s USING INDEX %I', name, keys[i],
                       CASE kinds[i] WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, keys[i]);
    END LOOP;
    FOREACH said IN ARRAY triggers LOOP
        EXECUTE said;
    END LOOP;
    SELECT pg_get_serial_sequence('registers.' || quote_ident(name), a.attname) INTO numbering
    FROM pg_attribute a WHERE a.attrelid = format('registers.%I', name)::regclass AND a.attidentity <> '';
    IF numbering IS NOT NULL THEN
        EXECUTE format('ALTER SEQUENCE %s RENAME TO %I', numbering, name || '_id_seq');
    END IF;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_replace(text) FROM PUBLIC;

-- bulk_switch: the whole load, served from the moment this commits. Gives {"rows", "changed", "entry"}.
-- Readers wait for the last few moments of it; when it cannot have the tables within four seconds it steps back (55P03)
-- and is simply called again. Errors: DZ307 something of the load is not done, DZ308 begin again.
CREATE FUNCTION registers.bulk_switch(run_in uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '4s' AS $$
DECLARE
    load    registers.bulk;
    held    jsonb;
    missing text;
    last_id bigint;
    carried record;
    counts  jsonb;
    told    bigint;
BEGIN
    SELECT * INTO load FROM registers.bulk b WHERE b.id = run_in FOR UPDATE;
    IF load.state IS DISTINCT FROM 'open' THEN
        RAISE EXCEPTION 'this bulk load is not open' USING ERRCODE = 'DZ307';
    END IF;
    SELECT i INTO missing FROM registers.bulk_indexes() AS i LIMIT 1;
    IF missing IS NULL THEN
        -- every register that has records, found by skipping along the index
        WITH RECURSIVE here AS (
            (SELECT r.register FROM registers.record_next r ORDER BY r.register LIMIT 1)
            UNION ALL
            SELECT (SELECT r.register FROM registers.record_next r WHERE r.register > h.register ORDER BY r.register LIMIT 1)
            FROM here h WHERE h.register IS NOT NULL
        )
        SELECT w.part INTO missing
        FROM (SELECT 'check/' || h.register FROM here h WHERE h.register IS NOT NULL
              UNION ALL SELECT 'found_by/' || h.register FROM here h WHERE h.register IS NOT NULL
              UNION ALL SELECT 'sealed' UNION ALL SELECT 'known') AS w(part)
        WHERE NOT EXISTS (SELECT FROM registers.bulk_part p WHERE p.run = run_in AND p.part = w.part) LIMIT 1;
    END IF;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'this bulk load lacks %', missing USING ERRCODE = 'DZ307';
    END IF;

    PERFORM pg_advisory_xact_lock(7001, hashtext('registers.absorb'));
    LOCK TABLE registers.record, registers.lookup, registers.identity IN ACCESS EXCLUSIVE MODE;
    SELECT jsonb_object_agg(split_part(p.part, '/', 2), p.rows) INTO counts
    FROM registers.bulk_part p WHERE p.run = run_in AND p.part LIKE 'check/%';
    SELECT * INTO carried FROM registers.bulk_carry_over();
    last_id := nextval(pg_get_serial_sequence('registers.identity', 'id'));
    PERFORM registers.bulk_replace('identity');
    PERFORM setval(pg_get_serial_sequence('registers.identity', 'id'), last_id);
    PERFORM registers.bulk_replace('record');
    PERFORM registers.bulk_replace('lookup');
    DROP TABLE registers.identity_same;

    ALTER TABLE registers.record ALTER version DROP DEFAULT;

    INSERT INTO registers.tally (register, records, last_at)
    SELECT c.k, c.v::bigint - coalesce((carried.both_have ->> c.k)::bigint, 0), clock_timestamp()
    FROM jsonb_each_text(coalesce(counts, '{}')) AS c(k, v);
    PERFORM registers.fold_tally();
    INSERT INTO registers.change_note (kind, register) SELECT 'snapshot', jsonb_object_keys(coalesce(counts, '{}'));
    SELECT sum(v::bigint) INTO last_id FROM jsonb_each_text(counts) AS e(k, v);
    told := ledger.append('register.load', jsonb_build_object(
        'delivery', load.about, 'bulk', load.digest, 'rows', coalesce(last_id, 0), 'registers', counts,
        'changed', carried.renewed), NULL, NULL);
    UPDATE registers.bulk b SET state = 'published', finished_at = clock_timestamp(), entry = told WHERE b.id = run_in;
    RETURN jsonb_build_object('rows', coalesce(last_id, 0), 'registers', counts, 'changed', carried.renewed, 'entry', told);
END $$;
REVOKE ALL ON FUNCTION registers.bulk_switch(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_switch(uuid) TO dizuo_loader;

-- bulk_give_up: the tables beside the registers go, and with them everything this load brought.
CREATE FUNCTION registers.bulk_give_up(run_in uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM registers.bulk b WHERE b.id = run_in AND b.state = 'open' FOR UPDATE;
    IF FOUND THEN
        PERFORM registers.bulk_clear();
        RETURN true;
    END IF;
    RETURN false;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_give_up(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_give_up(uuid) TO dizuo_loader;
