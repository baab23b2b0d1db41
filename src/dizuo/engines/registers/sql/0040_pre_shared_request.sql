-- First step of a read under a right to share (共享授权): the records of one register about the asked subjects are found,
-- everything is entered, tickets are handed out. The second step is registers.release, as for every read.
-- No role may call this: the exchange's own function does, as the owner, after it held the call against the right.

-- request_shared takes [{holder, register, fields, about, hidden, subjects, refused, note}], one element per call:
--   holder    hex of SHA-256 of the secret that release must show
--   about     what every entry of the call says: who, what for, which law; hidden: what is personal in all of them
--   subjects  [{n, s, v}]: number in the call, scheme (citizen_id, uscc, or key) and value
--   refused   the refusals to tell in place of values; note: {kind, body, hidden, s, v}, the entry of such a refusal
-- A subject is found by the register's key or by any field that names whom a record is about; at most 20 records each.
-- Everybody whom a record concerns has an entry of it; that a register holds nothing about somebody is an answer about somebody.
-- Gives one ticket per call, in order.
CREATE FUNCTION registers.request_shared(asked jsonb) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    told    text;
    plans   text[];
    holders bytea[];
    upto    integer[];
    ids     bigint[];
    tickets uuid[];
BEGIN
    WITH q AS MATERIALIZED (
        SELECT x.ord, x.holder, x.register, x.about, x.hidden, x.subjects, x.refused, x.note,
               -- JSON without its closing brace: an entry is put together as text and the whole batch parsed once.
               left((x.about || jsonb_build_object('register', x.register, 'fields', to_jsonb(x.fields)))::text, -1) AS body,
               left(x.hidden::text, -1) || CASE WHEN x.hidden = '{}' THEN '' ELSE ',' END AS payload,
               (SELECT coalesce(jsonb_object_agg(f.field, f.source), '{}') FROM registers.field f
                WHERE f.register = x.register AND f.field = ANY (x.fields))::text AS sources
        FROM ROWS FROM (jsonb_to_recordset(asked) AS (holder text, register text, fields text[], about jsonb, hidden jsonb,
                                                      subjects jsonb, refused jsonb, note jsonb))
             WITH ORDINALITY AS x(holder, register, fields, about, hidden, subjects, refused, note, ord)
    ), s AS MATERIALIZED (
        SELECT q.ord, q.register, u.n, u.s, u.v,
               (SELECT i.id FROM registers.identity i WHERE i.scheme = u.s AND i.number = u.v) AS whom
        FROM q CROSS JOIN LATERAL jsonb_to_recordset(q.subjects) AS u(n integer, s text, v text)
        WHERE q.register IS NOT NULL
    ), hit AS MATERIALIZED (
        SELECT s.ord, s.n, r.key, r.version, r.ref, r.subjects, row_number() OVER (PARTITION BY s.ord, s.n ORDER BY r.key) AS nth
        FROM s CROSS JOIN LATERAL (
            SELECT s.v AS key WHERE s.s = 'key'
            UNION
            SELECT s.v FROM registers.field f WHERE f.register = s.register AND f.is_key AND f.subject = s.s
            UNION
            SELECT l.key FROM registers.field f CROSS JOIN LATERAL (
                SELECT o.key FROM registers.lookup o
                WHERE o.register = s.register AND o.field = f.field AND o.value = s.v AND o.known_to IS NULL LIMIT 20) AS l
            WHERE f.register = s.register AND f.lookup AND f.subject = s.s
            LIMIT 20) AS k
        CROSS JOIN LATERAL (
            SELECT o.key, o.version, o.ref, o.subjects FROM registers.record o
            WHERE o.register = s.register AND o.key = k.key AND o.superseded_at IS NULL LIMIT 1) AS r
    ), e AS MATERIALIZED (
        SELECT x.*, row_number() OVER (PARTITION BY x.ord ORDER BY x.n, x.nth, x.pos) - 1 AS e FROM (
            SELECT h.ord, h.n, h.nth, w.pos,
                   '{"kind":"register.read","subject":' || coalesce(w.whom::text, 'null') || ',"body":' || q.body
                   || ',"state":"found"},"payload":' || q.payload || '"key":"#' || h.ref || '","version":' || h.version || '}}' AS one
            FROM hit h JOIN q ON q.ord = h.ord
            CROSS JOIN LATERAL unnest(CASE WHEN h.subjects = '{}' THEN ARRAY[NULL::bigint] ELSE h.subjects END)
                WITH ORDINALITY AS w(whom, pos)
            UNION ALL
            SELECT s.ord, s.n, 1, 1,
                   '{"kind":"register.read","subject":' || coalesce(s.whom::text, 'null') || ',"body":' || q.body
                   || ',"state":"missing"},"payload":' || q.hidden::text || '}'
            FROM s JOIN q ON q.ord = s.ord
            WHERE NOT EXISTS (SELECT FROM hit h WHERE h.ord = s.ord AND h.n = s.n)
            UNION ALL
            SELECT q.ord, 0, 0, 1, jsonb_build_object('kind', q.note -> 'kind', 'body', q.note -> 'body', 'payload', q.note -> 'hidden',
                   'subject', (SELECT i.id FROM registers.identity i WHERE i.scheme = q.note ->> 's' AND i.number = q.note ->> 'v'))::text
            FROM q WHERE jsonb_typeof(q.note) = 'object'
        ) AS x
    ), p AS (
        SELECT y.ord, string_agg(y.one, ',' ORDER BY y.n, y.nth) AS parties FROM (
            SELECT h.ord, h.n, h.nth, '{"p":"' || h.n || '","r":' || to_json(q.register) || ',"s":"found","k":' || to_json(h.key)
                   || ',"v":' || h.version || ',"e":' || e.e || ',"f":' || q.sources || '}' AS one
            FROM hit h JOIN q ON q.ord = h.ord JOIN e ON e.ord = h.ord AND e.n = h.n AND e.nth = h.nth AND e.pos = 1
            UNION ALL
            SELECT s.ord, s.n, 1, '{"p":"' || s.n || '","r":' || to_json(s.register) || ',"s":"missing","e":' || e.e || '}'
            FROM s JOIN e ON e.ord = s.ord AND e.n = s.n AND e.nth = 1 AND e.pos = 1
            WHERE NOT EXISTS (SELECT FROM hit h WHERE h.ord = s.ord AND h.n = s.n)
        ) AS y GROUP BY y.ord
    )
    SELECT (SELECT string_agg(e.one, ',' ORDER BY e.ord, e.n, e.nth, e.pos) FROM e),
           array_agg('{"parties":[' || coalesce(p.parties, '') || '],"refusals":' || coalesce(q.refused, '[]')::text || '}' ORDER BY q.ord),
           array_agg(sha.holder ORDER BY q.ord),
           array_agg((SELECT count(*)::integer FROM e WHERE e.ord <= q.ord) ORDER BY q.ord)
    INTO told, plans, holders, upto
    FROM q LEFT JOIN p ON p.ord = q.ord CROSS JOIN LATERAL (SELECT decode(q.holder, 'hex') AS holder) AS sha;

    ids := ledger.append_batch(('[' || coalesce(told, '') || ']')::jsonb);
    WITH made AS (
        INSERT INTO registers.ticket (id, holder, expires_at, plan, entries)
        SELECT t.id, t.holder, clock_timestamp() + interval '60 seconds', t.plan::jsonb, ids[coalesce(upto[t.ord - 1], 0) + 1 : upto[t.ord]]
        FROM (SELECT gen_random_uuid() AS id, u.* FROM unnest(holders, plans) WITH ORDINALITY AS u(holder, plan, ord)) AS t
        ORDER BY t.ord
        RETURNING id
    )
    SELECT array_agg(made.id) INTO tickets FROM made;
    IF random() < 0.0625 THEN
        DELETE FROM registers.ticket t WHERE t.id IN (
            SELECT o.id FROM registers.ticket o WHERE o.expires_at < now() - interval '1 minute'
            ORDER BY o.expires_at LIMIT 4000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN tickets;
END $$;
REVOKE ALL ON FUNCTION registers.request_shared(jsonb) FROM PUBLIC;
