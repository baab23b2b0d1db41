-- Changes of single records: what a granted item causes, and corrections by the source department.

-- A citizen number for a demonstration: region and date of birth as given, a sequence from 900 down that real
-- registration does not reach, the right check digit (GB 11643-1999). Odd sequences are male.
CREATE OR REPLACE FUNCTION registers.demonstration_number(division text, born date, sex text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stem    text := left(division, 6) || to_char(born, 'YYYYMMDD');
    weights integer[] := '{7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2}';
    digits  text;
    numbered text;
    total   integer;
BEGIN
    IF stem !~ '^[0-9]{14}$' OR sex NOT IN ('1', '2') THEN
        RAISE EXCEPTION 'a number needs a division, a date of birth and a sex' USING ERRCODE = 'DZ203';
    END IF;
    FOR n IN REVERSE 999 .. 500 LOOP
        CONTINUE WHEN n % 2 <> (CASE sex WHEN '1' THEN 1 ELSE 0 END);
        digits := stem || n;
        total := 0;
        FOR i IN 1 .. 17 LOOP
            total := total + weights[i] * substr(digits, i, 1)::integer;
        END LOOP;
        numbered := digits || substr('10X98765432', total % 11 + 1, 1);
        INSERT INTO registers.identity (scheme, number) VALUES ('citizen_id', numbered)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN RETURN numbered; END IF;
    END LOOP;
    RAISE EXCEPTION 'no demonstration number is left for % on %', left(division, 6), born USING ERRCODE = 'DZ205';
END $$;
REVOKE ALL ON FUNCTION registers.demonstration_number(text, date, text) FROM PUBLIC;

-- The next version of one record. Gives the key, version, and the identities before and after.
CREATE OR REPLACE FUNCTION registers.put(register_in text, key_in text, told jsonb, source_in text, on_date date,
                                         OUT version integer, OUT ref bigint, OUT subjects bigint[],
                                         OUT concerned bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old    registers.record;
    fresh  jsonb;
    f      record;
BEGIN
    -- Whoever waited for another change of this record finds that row superseded, and looks for the one in its place.
    LOOP
        SELECT * INTO old FROM registers.record r
        WHERE r.register = register_in AND r.key = key_in AND r.superseded_at IS NULL FOR UPDATE;
        EXIT WHEN FOUND OR NOT EXISTS (SELECT FROM registers.record r WHERE r.register = register_in AND r.key = key_in
                                       AND r.superseded_at IS NULL);
    END LOOP;
    fresh := jsonb_strip_nulls(coalesce(old.data, '{}') || told);
    INSERT INTO registers.identity (scheme, number)
    SELECT DISTINCT d.subject, fresh ->> d.field FROM registers.field d
    WHERE d.register = register_in AND d.subject IS NOT NULL AND coalesce(fresh ->> d.field, '') <> ''
    ON CONFLICT DO NOTHING;
    subjects := ARRAY(SELECT x.id FROM registers.field d
                      JOIN registers.identity x ON x.scheme = d.subject AND x.number = fresh ->> d.field
                      WHERE d.register = register_in AND d.subject IS NOT NULL ORDER BY d.is_key DESC, d.field, x.id);
    concerned := ARRAY(SELECT DISTINCT s FROM unnest(subjects || coalesce(old.subjects, '{}')) AS s);
    version := coalesce(old.version, 0) + 1;
    ref := coalesce(old.ref, nextval('registers.record_ref'));
    -- clock_timestamp, not now: two changes of one record in one transaction must not share an instant
    UPDATE registers.record r SET superseded_at = clock_timestamp()
    WHERE r.register = register_in AND r.key = key_in AND r.version = old.version;
    INSERT INTO registers.record (register, key, version, ref, subjects, data, sources, valid_from, valid_to, recorded_at)
    VALUES (register_in, key_in, put.version, put.ref, put.subjects, fresh,
            coalesce(old.sources, '{}') || jsonb_build_object(source_in, on_date),
            coalesce(old.valid_from, on_date), old.valid_to, clock_timestamp());
    INSERT INTO registers.tally (register, records, last_at)
    VALUES (register_in, CASE WHEN put.version = 1 THEN 1 ELSE 0 END, clock_timestamp());
    IF random() < 0.004 THEN
        PERFORM registers.fold_tally();
    END IF;
    FOR f IN SELECT d.field FROM registers.field d WHERE d.register = register_in AND d.lookup
             AND old.data ->> d.field IS DISTINCT FROM fresh ->> d.field LOOP
        UPDATE registers.lookup l SET known_to = clock_timestamp()
        WHERE l.register = register_in AND l.field = f.field AND l.value = old.data ->> f.field
          AND l.key = key_in AND l.known_to IS NULL;
        IF fresh ->> f.field IS NOT NULL THEN
            INSERT INTO registers.lookup (register, field, value, key, known_from)
            VALUES (register_in, f.field, fresh ->> f.field, key_in, clock_timestamp());
        END IF;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION registers.put(text, text, jsonb, text, date) FROM PUBLIC;

-- write: changes in the caller's transaction, each with its ledger entries. Takes [{version, register, key, values,
-- source, date, matter, item, case, actor, basis, reason}]; gives [{register, key, version, subject, entry}].
-- Errors: DZ201 not declared for this item, DZ202 a field of another source, DZ203 incomplete, DZ204 no such record,
-- DZ205 no number to give.
CREATE OR REPLACE FUNCTION registers.write(changes jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    c         jsonb;
    purpose   text;
    basis     text;
    fields    text[];
    may_number boolean;
    told      jsonb;
    key_field record;
    record_key text;
    wrong     text;
    done      record;
    ids       bigint[];
    results   jsonb := '[]';
BEGIN
    FOR c IN SELECT e FROM jsonb_array_elements(changes) AS e LOOP
        told := c -> 'values';
        IF coalesce(btrim(c ->> 'case'), '') = '' OR jsonb_typeof(told) IS DISTINCT FROM 'object' OR told = '{}' THEN
            RAISE EXCEPTION 'a change needs a case and values' USING ERRCODE = 'DZ203';
        END IF;
        purpose := 'correction'; basis := NULL; may_number := false;
        IF c ->> 'item' <> '' THEN
            fields := NULL;
            SELECT w.purpose, w.basis, w.fields, (a.spec -> 'demonstration')::boolean
            INTO purpose, basis, fields, may_number
            FROM registers.access a JOIN registers.access_write w ON w.access = a.id AND w.version = a.version
            WHERE a.id = c ->> 'matter' AND a.version = c ->> 'version' AND a.retired_at IS NULL
              AND w.item = c ->> 'item' AND w.register = c ->> 'register';
            SELECT k INTO wrong FROM jsonb_object_keys(told) AS k WHERE NOT k = ANY (coalesce(fields, '{}')) LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'item % may not write %.%', c ->> 'item', c ->> 'register', wrong USING ERRCODE = 'DZ201';
            END IF;
        END IF;
        SELECT k INTO wrong FROM jsonb_object_keys(told) AS k
        LEFT JOIN registers.field f ON f.register = c ->> 'register' AND f.field = k
        WHERE f.source IS DISTINCT FROM c ->> 'source' LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION '% is not the source of %.%', c ->> 'source', c ->> 'register', wrong USING ERRCODE = 'DZ202';
        END IF;
        SELECT f.field, f.type, f.source INTO key_field FROM registers.field f
        WHERE f.register = c ->> 'register' AND f.is_key;

        record_key := c ->> 'key';
        IF record_key LIKE '#%' THEN
            IF record_key !~ '^#[0-9]{1,18}$' THEN
                RAISE EXCEPTION 'no such record' USING ERRCODE = 'DZ204';
            END IF;
            SELECT r.key INTO record_key FROM registers.record r
            WHERE r.ref = substr(record_key, 2)::bigint AND r.register = c ->> 'register' AND r.superseded_at IS NULL;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'no such record' USING ERRCODE = 'DZ204';
            END IF;
        END IF;
        IF record_key IS NULL THEN
            record_key := told ->> key_field.field;
            IF record_key IS NULL AND key_field.type = 'citizen_id' THEN
                IF NOT coalesce(may_number, false) THEN
                    RAISE EXCEPTION 'the number of a new person comes from the police, not from here' USING ERRCODE = 'DZ205';
                END IF;
                record_key := registers.demonstration_number(told ->> 'division', (told ->> 'birth_date')::date, told ->> 'sex');
            ELSIF record_key IS NULL THEN
                record_key := upper(replace(gen_random_uuid()::text, '-', ''));
            END IF;
            told := told || jsonb_build_object(key_field.field, record_key);
        ELSIF NOT EXISTS (SELECT 1 FROM registers.record r WHERE r.register = c ->> 'register' AND r.key = record_key
                          AND r.superseded_at IS NULL) THEN
            RAISE EXCEPTION 'no such record' USING ERRCODE = 'DZ204';
        END IF;
        IF told ? key_field.field AND told ->> key_field.field IS DISTINCT FROM record_key THEN
            RAISE EXCEPTION 'the key of a record does not change' USING ERRCODE = 'DZ203';
        END IF;

        SELECT p.* INTO done FROM registers.put(c ->> 'register', record_key, told, c ->> 'source', (c ->> 'date')::date) AS p;
        ids := ledger.append_batch((
            SELECT jsonb_agg(jsonb_build_object('kind', 'register.write', 'subject', s,
                'body', jsonb_build_object('register', c -> 'register', 'version', done.version, 'source', c -> 'source',
                    'fields', (SELECT jsonb_agg(k ORDER BY k) FROM jsonb_object_keys(told) AS k),
                    'matter', c -> 'matter', 'item', c -> 'item', 'actor', registers.face_of(c -> 'actor'),
                    'purpose', purpose, 'basis', coalesce(nullif(c ->> 'basis', ''), basis)),
                'payload', jsonb_build_object('case', c -> 'case', 'key', '#' || done.ref, 'reason', c -> 'reason',
                    'name', c -> 'actor' -> 'name', 'official', c -> 'actor' -> 'official')))
            FROM unnest(CASE WHEN done.concerned = '{}' THEN ARRAY[NULL::bigint] ELSE done.concerned END) AS s));
        results := results || jsonb_build_object('register', c -> 'register', 'key', record_key,
            'version', done.version, 'subject', done.subjects[1], 'entry', ids[1]);
    END LOOP;
    RETURN results;
END $$;
REVOKE ALL ON FUNCTION registers.write(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.write(jsonb) TO dizuo_app;
