-- A day's difference of golden records, and people whose number arrives later.
--
-- absorb takes what one organisation says; a golden record has been put together from several, so it brings the source of
-- every value along: {organisation: date} for a field's own organisation, ".field": [organisation, date] where a declared
-- fallback spoke. The rules are the same: nobody says what is not theirs or their declared turn.

-- Where a difference waits. `data` has only the fields that changed, null takes a value back; `sources` are those of the
-- whole record. `former_key` is the temporary key that `key` takes the place of.
CREATE UNLOGGED TABLE registers.golden_intake (
    load        uuid NOT NULL,
    line        integer NOT NULL,
    register    text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL CHECK (key <> '' AND key NOT LIKE '#%'),
    former_key  text COLLATE "C" CHECK (former_key ~ '^T[0-9]{17}$'),
    data        jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object'),
    sources     jsonb NOT NULL CHECK (jsonb_typeof(sources) = 'object'),
    valid_from  date,
    valid_to    date
);
CREATE INDEX golden_intake_load ON registers.golden_intake (load, register, key);

-- Two identities that turned out to be one person: what was entered about `former` was about `id`.
CREATE TABLE registers.identity_link (
    former  bigint PRIMARY KEY,
    id      bigint NOT NULL CHECK (id <> former),
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    entry   bigint NOT NULL
);
CREATE INDEX identity_link_id ON registers.identity_link (id);
REVOKE ALL ON registers.golden_intake, registers.identity_link FROM PUBLIC;
GRANT INSERT ON registers.golden_intake TO dizuo_loader;

-- A record under a temporary key is about the person of that key, whoever writes it: absorb, put and absorb_golden work out
-- subjects from fields, and such a person has no number in any field.
CREATE FUNCTION registers.subject_of_temporary_key() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whom bigint;
BEGIN
    IF EXISTS (SELECT FROM registers.field f WHERE f.register = NEW.register AND f.is_key AND f.subject IS NOT NULL) THEN
        INSERT INTO registers.identity (scheme, number) VALUES ('temp', NEW.key) ON CONFLICT DO NOTHING;
        SELECT i.id INTO whom FROM registers.identity i WHERE i.scheme = 'temp' AND i.number = NEW.key;
        NEW.subjects := ARRAY[whom] || array_remove(NEW.subjects, whom);
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION registers.subject_of_temporary_key() FROM PUBLIC;
CREATE TRIGGER subject_of_temporary_key BEFORE INSERT ON registers.record
    FOR EACH ROW WHEN (NEW.key LIKE 'T%' AND registers.is_temporary(NEW.key))
    EXECUTE FUNCTION registers.subject_of_temporary_key();

-- A number takes the place of a temporary key: the record keeps its number and its past, the person keeps the identity, so
-- that every entry about them stays theirs. Where the number has an identity already, the temporary one is linked to it; where
-- it has a record already, the temporary record ends. Gives the ledger entry, or null when there is nothing to rekey.
CREATE FUNCTION registers.rekey(register_in text, former text, key_in text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key_field record;
    old       registers.record;
    temporary bigint;
    numbered  bigint;
    doubled   boolean;
    told      bigint;
BEGIN
    SELECT f.field, f.subject INTO key_field FROM registers.field f WHERE f.register = register_in AND f.is_key;
    SELECT * INTO old FROM registers.record r
    WHERE r.register = register_in AND r.key = former AND r.superseded_at IS NULL FOR UPDATE;
    IF NOT FOUND OR key_field.subject IS NULL OR registers.is_temporary(key_in) THEN
        RETURN NULL;
    END IF;
    SELECT i.id INTO temporary FROM registers.identity i WHERE i.scheme = 'temp' AND i.number = former;
    SELECT i.id INTO numbered FROM registers.identity i WHERE i.scheme = key_field.subject AND i.number = key_in;
    doubled := EXISTS (SELECT FROM registers.record r WHERE r.register = register_in AND r.key = key_in);
    told := ledger.append('register.rekeyed', jsonb_build_object('register', register_in, 'scheme', key_field.subject,
        'identity', CASE WHEN temporary IS NULL THEN 'unknown' WHEN numbered IS NULL THEN 'kept' ELSE 'linked' END,
        'record', CASE WHEN doubled THEN 'ended' ELSE 'kept' END),
        coalesce(numbered, temporary), jsonb_build_object('key', '#' || old.ref, 'version', old.version));
    IF temporary IS NOT NULL AND numbered IS NULL THEN
        UPDATE registers.identity i SET scheme = key_field.subject, number = key_in WHERE i.id = temporary;
    ELSIF temporary IS NOT NULL THEN
        INSERT INTO registers.identity_link (former, id, entry) VALUES (temporary, numbered, told) ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO registers.change_note (kind, register, ref, version, fields)
    VALUES ('rekeyed', register_in, old.ref, old.version, ARRAY[key_field.field]);
    IF doubled THEN
        UPDATE registers.record r SET superseded_at = clock_timestamp()
        WHERE r.register = register_in AND r.key = former AND r.version = old.version;
        UPDATE registers.lookup l SET known_to = clock_timestamp() FROM registers.field f
        WHERE f.register = register_in AND f.lookup AND l.register = register_in AND l.field = f.field
          AND l.value = old.data ->> f.field AND l.key = former AND l.known_to IS NULL;
        INSERT INTO registers.tally (register, records, last_at) VALUES (register_in, -1, clock_timestamp());
    ELSE
        -- The key is how a record is found, not something it says: earlier versions are found under the number, too, so
        -- that what was known on a date is known of the person who has the number now.
        UPDATE registers.lookup l SET key = key_in
        FROM registers.record r JOIN registers.field f ON f.register = r.register AND f.lookup
        WHERE r.register = register_in AND r.key = former
          AND l.register = register_in AND l.field = f.field AND l.value = r.data ->> f.field AND l.key = former;
        UPDATE registers.record r SET key = key_in WHERE r.register = register_in AND r.key = former;
    END IF;
    RETURN told;
END $$;
REVOKE ALL ON FUNCTION registers.rekey(text, text, text) FROM PUBLIC;

-- absorb_golden: publish one load of differences. Gives {"rows", "new", "changed", "same", "rekeyed", "entry"}.
-- Errors: DZ301 a record twice, DZ302 a field that its source or a declared fallback did not say, DZ303 a key that is not
-- in the data. In each case nothing of the load is published.
CREATE FUNCTION registers.absorb_golden(load_in uuid, about jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part     record;
    c        record;
    wrong    integer;
    renamed  record;
    rekeyed  bigint := 0;
    rows_in  bigint;
    added    bigint;
    renewed  bigint;
    entry    bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7001, hashtext('registers.absorb'));
    SELECT i.register, max(i.line) AS line INTO part FROM registers.golden_intake i
    WHERE i.load = load_in GROUP BY i.register, i.key HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'line % of register % repeats a record of this load', part.line, part.register
            USING ERRCODE = 'DZ301', HINT = 'Deliver each record once per load.';
    END IF;
    FOR part IN SELECT DISTINCT i.register FROM registers.golden_intake i WHERE i.load = load_in LOOP
        SELECT * INTO c FROM registers.bulk_conditions(part.register);
        EXECUTE format('SELECT min(r.line) FROM (SELECT i.line, i.key, jsonb_strip_nulls(i.data) AS data, i.sources'
            ' FROM registers.golden_intake i WHERE i.load = %L AND i.register = %L) r WHERE %s OR %s',
            load_in, part.register, c.undeclared, c.unspoken) INTO wrong;
        IF wrong IS NOT NULL THEN
            RAISE EXCEPTION 'line % of register %: a value that neither its source nor a declared fallback said',
                wrong, part.register
                USING ERRCODE = 'DZ302', HINT = 'A field has one source and its declared fallback; deliver only those.';
        END IF;
    END LOOP;

    FOR renamed IN SELECT i.register, i.former_key, i.key FROM registers.golden_intake i
                   WHERE i.load = load_in AND i.former_key IS NOT NULL LOOP
        IF registers.rekey(renamed.register, renamed.former_key, renamed.key) IS NOT NULL THEN
            rekeyed := rekeyed + 1;
        END IF;
    END LOOP;
    INSERT INTO registers.identity (scheme, number)
    SELECT DISTINCT f.subject, i.data ->> f.field
    FROM registers.golden_intake i JOIN registers.field f ON f.register = i.register AND f.subject IS NOT NULL
    WHERE i.load = load_in AND coalesce(i.data ->> f.field, '') <> ''
      AND NOT EXISTS (SELECT FROM registers.identity x WHERE x.scheme = f.subject AND x.number = i.data ->> f.field)
    ON CONFLICT DO NOTHING;

    -- A record that ended and comes back (people take two identities apart again) goes on under its number; its person is
    -- nobody else any more.
    DELETE FROM registers.identity_link l USING registers.identity x, registers.golden_intake i
    WHERE i.load = load_in AND i.key LIKE 'T%' AND registers.is_temporary(i.key)
      AND x.scheme = 'temp' AND x.number = i.key AND l.former = x.id;

    WITH incoming AS MATERIALIZED (
        SELECT i.register, i.key, i.line, i.valid_from, i.valid_to, coalesce(r.version, e.version) AS version,
               coalesce(r.ref, e.ref) AS ref, r.data AS old,
               jsonb_strip_nulls(coalesce(r.data, '{}') || i.data) AS new,
               coalesce(r.sources - b.spare, '{}') || i.sources AS sources
        FROM registers.golden_intake i
        LEFT JOIN registers.record r ON r.register = i.register AND r.key = i.key AND r.superseded_at IS NULL
        LEFT JOIN LATERAL (
            SELECT o.version, o.ref FROM registers.record o
            WHERE r.version IS NULL AND o.register = i.register AND o.key = i.key ORDER BY o.version DESC LIMIT 1
        ) e ON true
        JOIN (SELECT g.register, array_agg('.' || g.field) AS spare FROM registers.field g GROUP BY g.register) b
          ON b.register = i.register
        WHERE i.load = load_in
    ), changed AS MATERIALIZED (
        SELECT n.*, coalesce(s.ids, '{}') AS subjects
        FROM incoming n
        LEFT JOIN LATERAL (
            SELECT array_agg(x.id ORDER BY f.is_key DESC, f.field, x.id) AS ids
            FROM registers.field f
            JOIN registers.identity x ON x.scheme = f.subject AND x.number = n.new ->> f.field
            WHERE f.register = n.register AND f.subject IS NOT NULL
        ) s ON true
        WHERE n.old IS NULL OR n.new <> n.old
    ), confirmed AS (
        -- The same facts from the same or other sources: the version stays, its sources move on.
        UPDATE registers.record r SET sources = n.sources
        FROM incoming n
        WHERE n.old IS NOT NULL AND n.new = n.old AND r.register = n.register AND r.key = n.key
          AND r.version = n.version AND r.sources <> n.sources
    ), closed AS (
        UPDATE registers.record r SET superseded_at = now()
        FROM changed n
        WHERE n.old IS NOT NULL AND r.register = n.register AND r.key = n.key AND r.version = n.version
        RETURNING 1
    ), written AS (
        INSERT INTO registers.record (register, key, version, ref, subjects, data, sources, valid_from, valid_to)
        SELECT n.register, n.key, coalesce(n.version, 0) + 1, coalesce(n.ref, nextval('registers.record_ref')), n.subjects,
               n.new, n.sources, n.valid_from, n.valid_to
        FROM changed n WHERE (SELECT count(*) FROM closed) >= 0
    ), tallied AS (
        INSERT INTO registers.tally (register, records, last_at)
        SELECT n.register, count(*) FILTER (WHERE n.old IS NULL), clock_timestamp() FROM changed n GROUP BY n.register
    ), left_behind AS (
        UPDATE registers.lookup l SET known_to = now()
        FROM changed n JOIN registers.field f ON f.register = n.register AND f.lookup
        WHERE n.old ->> f.field IS NOT NULL AND n.old ->> f.field IS DISTINCT FROM n.new ->> f.field
          AND l.register = n.register AND l.field = f.field AND l.value = n.old ->> f.field AND l.key = n.key
          AND l.known_to IS NULL
    ), found_by AS (
        INSERT INTO registers.lookup (register, field, value, key)
        SELECT n.register, f.field, n.new ->> f.field, n.key
        FROM changed n JOIN registers.field f ON f.register = n.register AND f.lookup
        WHERE n.new ->> f.field IS NOT NULL AND n.new ->> f.field IS DISTINCT FROM n.old ->> f.field
    ), other_key AS (
        SELECT min(n.line) AS line, min(n.register) AS register
        FROM changed n JOIN registers.field f ON f.register = n.register AND f.is_key
        WHERE n.key IS DISTINCT FROM n.new ->> f.field
          AND NOT (f.subject IS NOT NULL AND registers.is_temporary(n.key) AND NOT n.new ? f.field)
    )
    SELECT (SELECT count(*) FROM incoming), count(*) FILTER (WHERE n.old IS NULL), count(*) FILTER (WHERE n.old IS NOT NULL),
           (SELECT o.line FROM other_key o)
    INTO rows_in, added, renewed, wrong FROM changed n;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'line %: the key of a record is not the one in its data', wrong USING ERRCODE = 'DZ303';
    END IF;

    DELETE FROM registers.golden_intake i WHERE i.load = load_in;
    PERFORM registers.fold_tally();
    entry := ledger.append('register.load', jsonb_build_object(
        'delivery', about, 'rows', rows_in, 'new', added, 'changed', renewed, 'rekeyed', rekeyed), NULL, NULL);
    RETURN jsonb_build_object('rows', rows_in, 'new', added, 'changed', renewed,
                              'same', rows_in - added - renewed, 'rekeyed', rekeyed, 'entry', entry);
END $$;
REVOKE ALL ON FUNCTION registers.absorb_golden(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.absorb_golden(uuid, jsonb) TO dizuo_loader;
