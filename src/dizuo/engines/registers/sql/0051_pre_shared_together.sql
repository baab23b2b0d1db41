-- Reads under a right to share, and the opening of tickets, with fewer statements; what they take, give, find and enter is as before
-- (0040, 0004, 0014).

-- request_shared: as in 0040, the records of all subjects of all calls found by one statement.
CREATE OR REPLACE FUNCTION registers.request_shared(asked jsonb) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    r         record;
    at        bigint := 0;
    body      text;
    payload   text;
    whom      bigint;
    told      text[] := '{}';
    n         integer := 0;
    low       integer := 0;
    parties   text;
    refused   text;
    plans     text[] := '{}';
    holders   bytea[] := '{}';
    upto      integer[] := '{}';
    ids       bigint[];
    tickets   uuid[];
BEGIN
    FOR r IN
        WITH call AS MATERIALIZED (
            SELECT * FROM ROWS FROM (jsonb_to_recordset(asked) AS (
                holder text, register text, fields text[], about jsonb, hidden jsonb, subjects jsonb, refused jsonb, note jsonb))
                WITH ORDINALITY AS q(holder, register, fields, about, hidden, subjects, refused, note, ord)
        ), who AS MATERIALIZED (
            -- A refused question is about one person or nobody, and finds no record.
            SELECT q.ord, u.place, u.n, u.s, u.v, q.register FROM call q, ROWS FROM (jsonb_to_recordset(q.subjects) AS (n integer, s text, v text))
                WITH ORDINALITY AS u(n, s, v, place) WHERE q.register IS NOT NULL AND jsonb_typeof(q.note) IS DISTINCT FROM 'object'
            UNION ALL
            SELECT q.ord, 1, NULL, q.note ->> 's', q.note ->> 'v', NULL FROM call q WHERE jsonb_typeof(q.note) = 'object'
        ), way AS MATERIALIZED (
            SELECT d.register, d.s, d.s = 'key' OR coalesce(w.by_key, false) AS by_key, w.by_fields
            FROM (SELECT DISTINCT w.register, w.s FROM who w WHERE w.register IS NOT NULL) AS d,
                 LATERAL (SELECT bool_or(f.is_key) AS by_key, coalesce(array_agg(f.field) FILTER (WHERE f.lookup AND NOT f.is_key), '{}') AS by_fields
                          FROM registers.field f WHERE f.register = d.register AND f.subject = d.s) AS w
        ), come AS MATERIALIZED (
            SELECT d.register, d.fields, (SELECT coalesce(jsonb_object_agg(f.field, f.source), '{}')::text FROM registers.field f
                                          WHERE f.register = d.register AND f.field = ANY (d.fields)) AS sources
            FROM (SELECT DISTINCT q.register, q.fields FROM call q WHERE q.register IS NOT NULL) AS d
        )
        SELECT q.ord, q.holder, q.register, q.fields, q.about, q.hidden, q.refused, q.note, come.sources, w.place, w.n, w.s, w.v,
               o.key, o.version, o.ref, o.subjects,
               CASE WHEN o.key IS NULL THEN (SELECT i.id FROM registers.identity i WHERE i.scheme = w.s AND i.number = w.v) END AS nobody
        FROM call q
        LEFT JOIN come ON come.register = q.register AND come.fields IS NOT DISTINCT FROM q.fields
        LEFT JOIN who w ON w.ord = q.ord
        LEFT JOIN way ON way.register = w.register AND way.s IS NOT DISTINCT FROM w.s
        LEFT JOIN LATERAL (
            SELECT x.key, x.version, x.ref, x.subjects FROM registers.record x
            WHERE x.register = w.register AND x.superseded_at IS NULL AND x.key = ANY (
                CASE WHEN way.by_key THEN ARRAY[w.v] ELSE '{}' END || CASE WHEN way.by_fields = '{}' THEN '{}' ELSE ARRAY(
                    SELECT DISTINCT l.key FROM registers.lookup l
                    WHERE l.register = w.register AND l.field = ANY (way.by_fields) AND l.value = w.v AND l.known_to IS NULL
                      AND NOT (way.by_key AND l.key = w.v) LIMIT 20) END)
            ORDER BY x.key LIMIT 20) AS o ON true
        ORDER BY q.ord, w.place, o.key
    LOOP
        IF r.ord > at THEN
            IF at > 0 THEN
                plans[at] := '{"parties":[' || parties || '],"refusals":' || refused || '}';
                upto[at] := n;
            END IF;
            at := r.ord; low := n; parties := '';
            holders[at] := decode(r.holder, 'hex');
            refused := coalesce(r.refused, '[]')::text;
            IF jsonb_typeof(r.note) = 'object' THEN
                n := n + 1;
                told[n] := jsonb_build_object('kind', r.note -> 'kind', 'body', r.note -> 'body', 'payload', r.note -> 'hidden',
                                              'subject', r.nobody)::text;
                CONTINUE;
            END IF;
            CONTINUE WHEN r.register IS NULL OR r.place IS NULL;
            -- JSON without its closing brace: an entry is put together as text and the whole batch parsed once.
            body := left((r.about || jsonb_build_object('register', r.register, 'fields', r.fields))::text, -1);
            payload := left(r.hidden::text, -1) || CASE WHEN r.hidden = '{}' THEN '' ELSE ',' END;
        END IF;
        parties := parties || CASE WHEN parties = '' THEN '' ELSE ',' END || '{"p":"' || r.n || '","r":' || to_json(r.register)
                   || CASE WHEN r.key IS NULL THEN ',"s":"missing"' ELSE ',"s":"found","k":' || to_json(r.key) || ',"v":' || r.version
                                                                         || ',"f":' || r.sources END
                   || ',"e":' || n - low || '}';
        IF r.key IS NULL THEN
            n := n + 1;
            told[n] := '{"kind":"register.read","subject":' || coalesce(r.nobody::text, 'null') || ',"body":' || body
                       || ',"state":"missing"},"payload":' || r.hidden::text || '}';
        ELSE
            FOREACH whom IN ARRAY CASE WHEN r.subjects = '{}' THEN ARRAY[NULL::bigint] ELSE r.subjects END LOOP
                n := n + 1;
                told[n] := '{"kind":"register.read","subject":' || coalesce(whom::text, 'null') || ',"body":' || body
                           || ',"state":"found"},"payload":' || payload || '"key":"#' || r.ref || '","version":' || r.version || '}}';
            END LOOP;
        END IF;
    END LOOP;
    IF at > 0 THEN
        plans[at] := '{"parties":[' || parties || '],"refusals":' || refused || '}';
        upto[at] := n;
    END IF;

    ids := ledger.append_batch(('[' || array_to_string(told, ',') || ']')::jsonb);
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

-- release: as in 0004 and 0014; what a plan points at is worked out inside the one statement, not by a function for each ticket.
CREATE OR REPLACE FUNCTION registers.release(tickets uuid[], secrets bytea[]) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    closed text[];
    shut   jsonb;
    answer json;
BEGIN
    IF cardinality(tickets) IS DISTINCT FROM cardinality(secrets) OR cardinality(tickets) > 2000 THEN
        RAISE EXCEPTION 'registers.release takes as many secrets as tickets, at most 2000' USING ERRCODE = 'DZ100';
    END IF;
    closed := ARRAY(SELECT CASE WHEN k.id IS NULL OR coalesce(k.holder <> sha256(u.secret), true) THEN 'unknown'
                                WHEN k.made_by = pg_current_xact_id_if_assigned() THEN 'open'
                                WHEN k.expires_at < clock_timestamp() THEN 'expired' END
                    FROM unnest(tickets, secrets) WITH ORDINALITY AS u(id, secret, ord)
                    LEFT JOIN registers.ticket k ON k.id = u.id ORDER BY u.ord);
    IF array_position(closed, NULL) IS NOT NULL THEN
        PERFORM registers.durable();
    END IF;
    SELECT coalesce(json_agg(CASE
        WHEN u.closed IS NOT NULL THEN json_build_object('closed', u.closed)
        WHEN k.plan ? 'again' THEN json_build_object('closed', 'again')
        WHEN k.plan ? 'identity' THEN json_build_object('identity', k.plan -> 'identity')
        ELSE json_build_object(
            'parties', (SELECT coalesce(json_agg(json_build_object(
                    'party', x.p, 'register', x.r, 'state', x.s, 'key', x.k, 'entry', k.entries[x.e + 1],
                    'facts', d.facts, 'valid', d.valid,
                    'candidates', CASE WHEN x.s = 'choose' THEN (
                        SELECT json_agg(json_build_array(r.key, (
                            SELECT json_object_agg(l, r.data -> l) FROM jsonb_array_elements_text(x.f) AS l)) ORDER BY r.key)
                        FROM jsonb_to_recordset(x.c) AS c(k text, v integer)
                        JOIN registers.record r ON r.register = x.r AND r.key = c.k AND r.version = c.v) END)), '[]')
                FROM jsonb_to_recordset(k.plan -> 'parties') AS x(p text, r text, s text, k text, v integer, f jsonb, e integer, c jsonb)
                LEFT JOIN LATERAL (
                    SELECT CASE WHEN r.valid_from IS NOT NULL OR r.valid_to IS NOT NULL
                                THEN json_build_array(r.valid_from, r.valid_to) END AS valid,
                           (SELECT json_object_agg(f.field, CASE WHEN o.said IS NULL
                                THEN json_build_array(r.data -> f.field, f.source, r.sources -> f.source)
                                ELSE json_build_array(r.data -> f.field, o.said -> 0, o.said -> 1) END)
                            FROM jsonb_each_text(x.f) AS f(field, source)
                            CROSS JOIN LATERAL (SELECT r.sources -> ('.' || f.field) AS said) AS o) AS facts
                    FROM registers.record r
                    WHERE x.s = 'found' AND x.f <> '{}' AND r.register = x.r AND r.key = x.k AND r.version = x.v LIMIT 1
                ) AS d ON true),
            'refusals', CASE WHEN k.plan -> 'refusals' <> '[]' THEN (
                SELECT json_agg(n || jsonb_build_object('entry', k.entries[(n ->> 'entry')::integer + 1]))
                FROM jsonb_array_elements(k.plan -> 'refusals') AS n) ELSE '[]' END,
            'entries', k.entries, 'more', k.plan -> 'more') END ORDER BY u.ord), '[]') INTO answer
    FROM unnest(tickets, closed) WITH ORDINALITY AS u(id, closed, ord)
    LEFT JOIN LATERAL (SELECT t.plan, t.entries FROM registers.ticket t WHERE u.closed IS NULL AND t.id = u.id LIMIT 1) AS k ON true;
    IF cardinality(array_remove(closed, NULL)) > 0 THEN
        SELECT jsonb_agg(jsonb_build_object('kind', 'register.refused', 'subject', NULL, 'payload', NULL,
            'body', jsonb_build_object('reason', 'ticket_' || u.closed, 'rule', 'registers.ticket_' || u.closed)) ORDER BY u.ord)
        INTO shut FROM unnest(closed) WITH ORDINALITY AS u(closed, ord) WHERE u.closed IS NOT NULL;
        PERFORM ledger.append_batch(shut);
    END IF;
    RETURN answer;
END $$;
DROP FUNCTION registers.open_plan(jsonb, bigint[]);
REVOKE ALL ON FUNCTION registers.release(uuid[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.release(uuid[], bytea[]) TO dizuo_app;
