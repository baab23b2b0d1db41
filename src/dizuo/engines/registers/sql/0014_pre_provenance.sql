-- Where a value is from, when it is not from the field's own organisation; and from when to when the record holds.
--
-- `sources` of a record is {organisation: date}; a field whose source is silent and for which a declared fallback spoke has an
-- entry of its own, ".field": [organisation, date]. Most records have none, so sources stay small.

-- The values that a plan points at, from the very versions that its entries name. A fact is [value, organisation, date];
-- a party that was found also has "valid": [from, to] of its record.
CREATE OR REPLACE FUNCTION registers.open_plan(plan jsonb, entries bigint[]) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT json_build_object(
        'parties', coalesce(json_agg(json_build_object(
            'party', x.p, 'register', x.r, 'state', x.s, 'key', x.k, 'entry', entries[x.e + 1],
            'facts', d.facts, 'valid', d.valid,
            'candidates', CASE WHEN x.s = 'choose' THEN (
                SELECT json_agg(json_build_array(r.key, (
                    SELECT json_object_agg(l, r.data -> l) FROM jsonb_array_elements_text(x.f) AS l)) ORDER BY r.key)
                FROM jsonb_to_recordset(x.c) AS c(k text, v integer)
                JOIN registers.record r ON r.register = x.r AND r.key = c.k AND r.version = c.v) END))
            , '[]'),
        'refusals', (SELECT coalesce(json_agg(n || jsonb_build_object('entry', entries[(n ->> 'entry')::integer + 1])), '[]')
                     FROM jsonb_array_elements(plan -> 'refusals') AS n),
        'entries', entries, 'more', plan -> 'more')
    FROM jsonb_to_recordset(plan -> 'parties')
        AS x(p text, r text, s text, k text, v integer, f jsonb, e integer, c jsonb)
    LEFT JOIN LATERAL (
        SELECT CASE WHEN r.valid_from IS NOT NULL OR r.valid_to IS NOT NULL
                    THEN json_build_array(r.valid_from, r.valid_to) END AS valid,
               (SELECT json_object_agg(f.field, CASE WHEN o.said IS NULL
                    THEN json_build_array(r.data -> f.field, f.source, r.sources -> f.source)
                    ELSE json_build_array(r.data -> f.field, o.said -> 0, o.said -> 1) END)
                FROM jsonb_each_text(x.f) AS f(field, source)
                CROSS JOIN LATERAL (SELECT r.sources -> ('.' || f.field) AS said) AS o) AS facts
        FROM registers.record r
        WHERE x.s = 'found' AND x.f <> '{}' AND r.register = x.r AND r.key = x.k AND r.version = x.v
    ) AS d ON true);
END $$;
REVOKE ALL ON FUNCTION registers.open_plan(jsonb, bigint[]) FROM PUBLIC;
