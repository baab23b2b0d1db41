-- What kind of values stand in a register's fields, found by their form in a sample, for the audit of the catalogue (目录核查): how many
-- look like a citizen's number (with its check digit), a mobile number or a picture. Counts leave, never a value.

-- A citizen's number stands in a text: eighteen characters between others that are no digits, and the last fits (GB 11643).
CREATE FUNCTION registers.holds_citizen_id(given text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(bool_or(substr('10X98765432', (
               SELECT (sum(substr(m.number, i, 1)::integer * (2 ^ (18 - i))::integer) % 11)::integer + 1 FROM generate_series(1, 17) AS i
           ), 1) = upper(substr(m.number, 18, 1))), false)
    FROM regexp_matches(given, '(?:^|[^0-9])([1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx])(?![0-9])', 'g')
         AS found (hit), LATERAL (SELECT found.hit[1] AS number) AS m
$$;

-- Up to 2 × `sample` records that stand now: from pages all over the table, and the first ones where a register is small.
CREATE FUNCTION registers.formats_found(register_in text, sample integer)
RETURNS TABLE (field text, seen bigint, filled bigint, citizen_ids bigint, phones bigint, pictures bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Pages enough for some twenty times the sample, whatever the register's share of the table is.
    share real := least(100, 2000.0 * sample / greatest(1, (SELECT reltuples FROM pg_class WHERE oid = 'registers.record'::regclass)));
BEGIN
    RETURN QUERY
    WITH looked AS MATERIALIZED (
        (SELECT r.data FROM registers.record r TABLESAMPLE SYSTEM (share)
         WHERE r.register = register_in AND r.superseded_at IS NULL LIMIT sample)
        UNION ALL
        (SELECT r.data FROM registers.record r WHERE r.register = register_in AND r.superseded_at IS NULL LIMIT sample)
    ), cells AS (
        SELECT d.key AS name, d.value AS given FROM looked, jsonb_each_text(looked.data) AS d
    )
    SELECT c.name, (SELECT count(*) FROM looked), count(*) FILTER (WHERE c.given <> ''),
           count(*) FILTER (WHERE registers.holds_citizen_id(c.given)),
           count(*) FILTER (WHERE c.given ~ '(^|[^0-9])1[3-9][0-9]{9}([^0-9]|$)'),
           count(*) FILTER (WHERE length(c.given) > 200 AND c.given ~ '^(data:image/|/9j/|iVBORw0KGgo|R0lGOD|Qk0)')
    FROM cells c GROUP BY c.name;
END $$;
REVOKE ALL ON FUNCTION registers.holds_citizen_id(text), registers.formats_found(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.formats_found(text, integer) TO dizuo_app;
