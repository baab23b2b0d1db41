-- How a department's delivery becomes golden records, without the loader being able to read one.

-- identities: the identity ids of numbers, in their order, made where they did not exist.
CREATE OR REPLACE FUNCTION registers.identities(scheme_in text, numbers text[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO registers.identity (scheme, number)
    SELECT DISTINCT scheme_in, n FROM unnest(numbers) AS n
    WHERE NOT EXISTS (SELECT 1 FROM registers.identity i WHERE i.scheme = scheme_in AND i.number = n)
    ON CONFLICT DO NOTHING;
    RETURN (SELECT array_agg(i.id ORDER BY u.ord)
            FROM unnest(numbers) WITH ORDINALITY AS u(n, ord)
            JOIN registers.identity i ON i.scheme = scheme_in AND i.number = u.n);
END $$;

-- absorb: publish the rows of one load as new versions where they say something new.
-- `about` is entered in the ledger as it is: delivery number, file hash, counts; nothing personal.
-- Refuses the whole load when a field is not declared or not this organisation's to say (一数一源).
-- Returns {"rows", "new", "changed", "same", "entry"}.
CREATE OR REPLACE FUNCTION registers.absorb(load_in uuid, about jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong    record;
    rows_in  bigint;
    added    bigint;
    renewed  bigint;
    entry    bigint;
BEGIN
    -- Two loads that touch one record must not both make its next version.
    PERFORM pg_advisory_xact_lock(7001, hashtext('registers.absorb'));

    SELECT i.register, max(i.line) AS line INTO wrong FROM registers.intake i
    WHERE i.load = load_in GROUP BY i.register, i.key HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'line % of register % repeats a record of this load', wrong.line, wrong.register
            USING ERRCODE = 'DZ301', HINT = 'Deliver each record once per load.';
    END IF;

    SELECT u.register, u.name, u.source, f.source AS owner INTO wrong
    FROM (SELECT DISTINCT i.register, i.source, k.name
          FROM registers.intake i, jsonb_object_keys(i.data) AS k(name) WHERE i.load = load_in) u
    LEFT JOIN registers.field f ON f.register = u.register AND f.field = u.name
    WHERE f.source IS DISTINCT FROM u.source LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'register % field %: % is not its source, % is',
            wrong.register, wrong.name, wrong.source, coalesce(wrong.owner, 'nobody (not declared)')
            USING ERRCODE = 'DZ302', HINT = 'A field has one source; deliver only your own fields.';
    END IF;

    -- Whom the records are about must exist before the records do.
    INSERT INTO registers.identity (scheme, number)
    SELECT DISTINCT f.subject, i.data ->> f.field
    FROM registers.intake i JOIN registers.field f ON f.register = i.register AND f.subject IS NOT NULL
    WHERE i.load = load_in AND coalesce(i.data ->> f.field, '') <> ''
      AND NOT EXISTS (SELECT 1 FROM registers.identity x
                      WHERE x.scheme = f.subject AND x.number = i.data ->> f.field)
    ON CONFLICT DO NOTHING;

    WITH incoming AS MATERIALIZED (
        SELECT i.register, i.key, i.source, i.source_date, i.valid_from, i.valid_to,
               r.version, r.ref, r.data AS old, r.sources AS old_sources, r.subjects AS old_subjects,
               jsonb_strip_nulls(coalesce(r.data, '{}') || i.data) AS new
        FROM registers.intake i
        LEFT JOIN registers.record r
          ON r.register = i.register AND r.key = i.key AND r.superseded_at IS NULL
        WHERE i.load = load_in
    ), changed AS MATERIALIZED (
        SELECT c.*, coalesce(s.ids, '{}') AS subjects
        FROM incoming c
        LEFT JOIN LATERAL (
            SELECT array_agg(x.id ORDER BY f.is_key DESC, f.field, x.id) AS ids
            FROM registers.field f
            JOIN registers.identity x ON x.scheme = f.subject AND x.number = c.new ->> f.field
            WHERE f.register = c.register AND f.subject IS NOT NULL
        ) s ON true
        WHERE c.old IS NULL OR c.new <> c.old
    ), renewed_date AS (
        -- The same facts, confirmed later: the version stays, only the date of the source's record moves on.
        UPDATE registers.record r SET sources = r.sources || jsonb_build_object(c.source, c.source_date)
        FROM incoming c
        WHERE c.old IS NOT NULL AND c.new = c.old AND r.register = c.register AND r.key = c.key
          AND r.version = c.version
          AND coalesce((c.old_sources ->> c.source)::date, '-infinity') < c.source_date
    ), closed AS (
        UPDATE registers.record r SET superseded_at = now()
        FROM changed c
        WHERE c.old IS NOT NULL AND r.register = c.register AND r.key = c.key AND r.version = c.version
        RETURNING 1
    ), written AS (
        INSERT INTO registers.record
            (register, key, version, ref, subjects, data, sources, valid_from, valid_to)
        SELECT c.register, c.key, coalesce(c.version, 0) + 1,
               coalesce(c.ref, nextval('registers.record_ref')), c.subjects, c.new,
               coalesce(c.old_sources, '{}') || jsonb_build_object(c.source, c.source_date),
               c.valid_from, c.valid_to
        -- counted once, before the first row: one current version per record at every moment
        FROM changed c WHERE (SELECT count(*) FROM closed) >= 0
        RETURNING register, version
    ), tallied AS (
        INSERT INTO registers.tally (register, records, last_at)
        SELECT w.register, count(*) FILTER (WHERE w.version = 1), clock_timestamp() FROM written w GROUP BY w.register
    ), left_behind AS (
        UPDATE registers.lookup l SET known_to = now()
        FROM changed c JOIN registers.field f ON f.register = c.register AND f.lookup
        WHERE c.old ->> f.field IS NOT NULL AND c.old ->> f.field IS DISTINCT FROM c.new ->> f.field
          AND l.register = c.register AND l.field = f.field AND l.value = c.old ->> f.field AND l.key = c.key
          AND l.known_to IS NULL
    ), found_by AS (
        INSERT INTO registers.lookup (register, field, value, key)
        SELECT c.register, f.field, c.new ->> f.field, c.key
        FROM changed c JOIN registers.field f ON f.register = c.register AND f.lookup
        WHERE c.new ->> f.field IS NOT NULL AND c.new ->> f.field IS DISTINCT FROM c.old ->> f.field
    )
    SELECT (SELECT count(*) FROM incoming), count(*) FILTER (WHERE version = 1), count(*) FILTER (WHERE version > 1)
    INTO rows_in, added, renewed FROM written;

    DELETE FROM registers.intake i WHERE i.load = load_in;
    PERFORM registers.fold_tally();
    entry := ledger.append('register.load', jsonb_build_object(
        'delivery', about, 'rows', rows_in, 'new', added, 'changed', renewed), NULL, NULL);
    RETURN jsonb_build_object('rows', rows_in, 'new', added, 'changed', renewed,
                              'same', rows_in - added - renewed, 'entry', entry);
END $$;

REVOKE ALL ON FUNCTION registers.identities(text, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION registers.absorb(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.identities(text, text[]) TO dizuo_loader;
GRANT EXECUTE ON FUNCTION registers.absorb(uuid, jsonb) TO dizuo_loader;
