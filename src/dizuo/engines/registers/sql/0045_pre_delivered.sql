-- What leaves a register under a grant (共享授权), many records at once: entered first, values after. No role may call these
-- functions: the exchange's own do, as the owner, after they looked at the grant and the subscription or download.

-- pick_changes: the changes of one register behind `after`, up to `upto`, that a reader of the `wanted` fields may learn of:
-- [{position, kind, ref, version, fields, at}], at most `most`. A change in other fields is none for this reader. `fields`
-- are those whose values the event brings: the changed ones and the key's, if it is wanted; of a new record all wanted.
-- `reached` is the position up to which everything was looked at. Errors: DZ311.
CREATE FUNCTION registers.pick_changes(register_in text, wanted text[], after bigint, upto bigint, most integer,
                                       OUT picked jsonb, OUT reached bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c       record;
    key_of  text := (SELECT f.field FROM registers.field f WHERE f.register = register_in AND f.is_key AND f.field = ANY (wanted));
    known   text[] := ARRAY(SELECT f.field FROM registers.field f WHERE f.register = register_in AND f.field = ANY (wanted) ORDER BY 1);
    looked  integer := 0;
    scan    integer := least(10000, greatest(1000, most * 2));
    shown   text[];
    rows_of jsonb[] := '{}';
BEGIN
    reached := after;
    FOR c IN SELECT * FROM registers.changes_after(after, register_in, scan) LOOP
        EXIT WHEN c.position > upto OR cardinality(rows_of) >= most;
        looked := looked + 1;
        reached := c.position;
        IF c.kind = 'snapshot' THEN
            shown := '{}';
        ELSIF c.kind = 'changed' THEN
            shown := ARRAY(SELECT k FROM unnest(known) AS k WHERE k = ANY (c.fields));
            CONTINUE WHEN shown = '{}';
            IF key_of IS NOT NULL AND NOT key_of = ANY (shown) THEN shown := key_of || shown; END IF;
        ELSE
            shown := known;
        END IF;
        rows_of := rows_of || jsonb_build_object('position', c.position, 'kind', c.kind, 'ref', c.ref, 'version', c.version,
                                                 'fields', to_jsonb(shown), 'at', c.at);
    END LOOP;
    IF looked < scan AND cardinality(rows_of) < most THEN
        reached := upto;
    END IF;
    picked := to_jsonb(rows_of);
END $$;
REVOKE ALL ON FUNCTION registers.pick_changes(text, text[], bigint, bigint, integer) FROM PUBLIC;

-- enter_delivered: one entry for everybody whom the record of each row concerns, one without a person where it concerns nobody.
-- `about` is what all of them say (who, what for, which law); `hidden` what is personal in all of them. Gives how many.
CREATE FUNCTION registers.enter_delivered(register_in text, picked jsonb, about jsonb, hidden jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_object(
               'kind', 'register.read', 'subject', whom,
               'body', about || jsonb_build_object('register', register_in, 'state', 'found', 'fields', x.fields),
               'payload', hidden || jsonb_build_object('key', '#' || x.ref, 'version', x.version)) ORDER BY x.position, whom)
    INTO told
    FROM jsonb_to_recordset(picked) AS x(position bigint, ref bigint, version integer, fields jsonb)
    JOIN registers.record r ON r.ref = x.ref AND r.version = x.version AND r.register = register_in
    CROSS JOIN LATERAL unnest(CASE WHEN r.subjects = '{}' THEN ARRAY[NULL::bigint] ELSE r.subjects END) AS whom;
    RETURN coalesce(cardinality(ledger.append_batch(coalesce(told, '[]'))), 0);
END $$;
REVOKE ALL ON FUNCTION registers.enter_delivered(text, jsonb, jsonb, jsonb) FROM PUBLIC;

-- open_delivered: the values of the very versions that were entered, {field: value} by position; null where a version is gone.
CREATE FUNCTION registers.open_delivered(register_in text, picked jsonb) RETURNS TABLE ("position" bigint, data jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT x.position, CASE WHEN r.ref IS NOT NULL THEN (
        SELECT coalesce(jsonb_object_agg(f, r.data -> f), '{}') FROM jsonb_array_elements_text(x.fields) AS f) END
    FROM jsonb_to_recordset(picked) AS x(position bigint, ref bigint, version integer, fields jsonb)
    LEFT JOIN registers.record r ON r.ref = x.ref AND r.version = x.version AND r.register = register_in
    ORDER BY x.position
$$;
REVOKE ALL ON FUNCTION registers.open_delivered(text, jsonb) FROM PUBLIC;

-- pick_current: the next `most` records of a register that stand now, in the order of their numbers.
CREATE FUNCTION registers.pick_current(register_in text, after bigint, most integer, OUT refs bigint[], OUT versions integer[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(p.ref ORDER BY p.ref), '{}'), coalesce(array_agg(p.version ORDER BY p.ref), '{}')
    FROM (SELECT r.ref, r.version FROM registers.record r
          WHERE r.register = register_in AND r.superseded_at IS NULL AND r.ref > after ORDER BY r.ref LIMIT most) AS p
$$;
REVOKE ALL ON FUNCTION registers.pick_current(text, bigint, integer) FROM PUBLIC;

-- enter_records: as enter_delivered, for many records that all bring the same fields. Gives how many entries.
CREATE FUNCTION registers.enter_records(register_in text, refs bigint[], versions integer[], about jsonb, hidden jsonb)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    face text := (about || jsonb_build_object('register', register_in, 'state', 'found'))::text;
    told text;
BEGIN
    -- Put together as text and parsed once: half the processor time of fifty thousand jsonb objects.
    SELECT '[' || string_agg('{"kind":"register.read","subject":' || coalesce(whom::text, 'null') || ',"body":' || face
               || ',"payload":' || left(hidden::text, -1) || CASE WHEN hidden = '{}' THEN '' ELSE ',' END
               || '"key":"#' || r.ref || '","version":' || r.version || '}}', ',' ORDER BY x.n, whom) || ']'
    INTO told
    FROM unnest(refs, versions) WITH ORDINALITY AS x(ref, version, n)
    JOIN registers.record r ON r.ref = x.ref AND r.version = x.version AND r.register = register_in
    CROSS JOIN LATERAL unnest(CASE WHEN r.subjects = '{}' THEN ARRAY[NULL::bigint] ELSE r.subjects END) AS whom;
    RETURN coalesce(cardinality(ledger.append_batch(coalesce(told, '[]')::jsonb)), 0);
END $$;
REVOKE ALL ON FUNCTION registers.enter_records(text, bigint[], integer[], jsonb, jsonb) FROM PUBLIC;

-- open_records: values as text in the order of `wanted`, in the order of the numbers given; a version that is gone has none.
CREATE FUNCTION registers.open_records(register_in text, refs bigint[], versions integer[], wanted text[])
RETURNS TABLE (ref bigint, data text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.ref, ARRAY(SELECT r.data ->> w FROM unnest(wanted) WITH ORDINALITY AS u(w, n) ORDER BY u.n)
    FROM unnest(refs, versions) WITH ORDINALITY AS x(ref, version, n)
    JOIN registers.record r ON r.ref = x.ref AND r.version = x.version AND r.register = register_in
    ORDER BY x.n
$$;
REVOKE ALL ON FUNCTION registers.open_records(text, bigint[], integer[], text[]) FROM PUBLIC;

-- field_types: what each wanted field of a register is declared as, in the order of `wanted`; unknown fields are left out.
CREATE FUNCTION registers.field_types(register_in text, wanted text[]) RETURNS TABLE (field text, type text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.field, f.type FROM unnest(wanted) WITH ORDINALITY AS u(w, n)
    JOIN registers.field f ON f.register = register_in AND f.field = u.w ORDER BY u.n
$$;
REVOKE ALL ON FUNCTION registers.field_types(text, text[]) FROM PUBLIC;
