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
    q         record;
    s         record;
    r         record;
    register  text := '';
    fields    text[];
    scheme    text;
    by_key    boolean;
    by_fields text[];
    sources   text;
    body      text;
    payload   text;
    keys      text[];
    whom      bigint;
    told      text[] := '{}';
    n         integer := 0;
    low       integer;
    hits      integer;
    parties   text[];
    p         integer;
    plans     text[] := '{}';
    holders   bytea[] := '{}';
    upto      integer[] := '{}';
    ids       bigint[];
    tickets   uuid[];
BEGIN
    FOR q IN SELECT x.* FROM jsonb_to_recordset(asked) AS x(holder text, register text, fields text[], about jsonb, hidden jsonb,
                                                           subjects jsonb, refused jsonb, note jsonb) LOOP
        parties := '{}'; p := 0; low := n;
        IF jsonb_typeof(q.note) = 'object' THEN
            SELECT i.id INTO whom FROM registers.identity i WHERE i.scheme = q.note ->> 's' AND i.number = q.note ->> 'v';
            n := n + 1;
            told[n] := jsonb_build_object('kind', q.note -> 'kind', 'body', q.note -> 'body', 'payload', q.note -> 'hidden',
                                          'subject', whom)::text;
        ELSIF q.register IS NOT NULL THEN
            -- Worked out once for the calls that follow one another under one right.
            IF q.register <> register OR q.fields IS DISTINCT FROM fields THEN
                SELECT coalesce(jsonb_object_agg(f.field, f.source), '{}')::text INTO sources FROM registers.field f
                WHERE f.register = q.register AND f.field = ANY (q.fields);
                register := q.register; fields := q.fields; scheme := NULL;
            END IF;
            -- JSON without its closing brace: an entry is put together as text and the whole batch parsed once.
            body := left((q.about || jsonb_build_object('register', q.register, 'fields', to_jsonb(q.fields)))::text, -1);
            payload := left(q.hidden::text, -1) || CASE WHEN q.hidden = '{}' THEN '' ELSE ',' END;
            FOR s IN SELECT u.* FROM jsonb_to_recordset(q.subjects) AS u(n integer, s text, v text) LOOP
                IF s.s IS DISTINCT FROM scheme THEN
                    scheme := s.s;
                    SELECT s.s = 'key' OR coalesce(bool_or(f.is_key), false),
                           coalesce(array_agg(f.field) FILTER (WHERE f.lookup AND NOT f.is_key), '{}')
                    INTO by_key, by_fields FROM registers.field f WHERE f.register = q.register AND f.subject = s.s;
                END IF;
                keys := CASE WHEN by_key THEN ARRAY[s.v] ELSE '{}' END;
                IF by_fields <> '{}' THEN
                    keys := keys || ARRAY(SELECT DISTINCT l.key FROM registers.lookup l
                                          WHERE l.register = q.register AND l.field = ANY (by_fields) AND l.value = s.v
                                            AND l.known_to IS NULL AND NOT l.key = ANY (keys) LIMIT 20);
                END IF;
                hits := 0;
                FOR r IN SELECT o.key, o.version, o.ref, o.subjects FROM registers.record o
                         WHERE o.register = q.register AND o.key = ANY (keys) AND o.superseded_at IS NULL
                         ORDER BY o.key LIMIT 20 LOOP
                    hits := hits + 1;
                    p := p + 1;
                    parties[p] := '{"p":"' || s.n || '","r":' || to_json(q.register) || ',"s":"found","k":' || to_json(r.key)
                                  || ',"v":' || r.version || ',"e":' || n - low || ',"f":' || sources || '}';
                    FOREACH whom IN ARRAY CASE WHEN r.subjects = '{}' THEN ARRAY[NULL::bigint] ELSE r.subjects END LOOP
                        n := n + 1;
                        told[n] := '{"kind":"register.read","subject":' || coalesce(whom::text, 'null') || ',"body":' || body
                                   || ',"state":"found"},"payload":' || payload || '"key":"#' || r.ref || '","version":' || r.version || '}}';
                    END LOOP;
                END LOOP;
                IF hits = 0 THEN
                    SELECT i.id INTO whom FROM registers.identity i WHERE i.scheme = s.s AND i.number = s.v;
                    p := p + 1;
                    parties[p] := '{"p":"' || s.n || '","r":' || to_json(q.register) || ',"s":"missing","e":' || n - low || '}';
                    n := n + 1;
                    told[n] := '{"kind":"register.read","subject":' || coalesce(whom::text, 'null') || ',"body":' || body
                               || ',"state":"missing"},"payload":' || q.hidden::text || '}';
                END IF;
            END LOOP;
        END IF;
        plans := plans || ('{"parties":[' || array_to_string(parties, ',') || '],"refusals":' || coalesce(q.refused, '[]')::text || '}');
        holders := holders || decode(q.holder, 'hex');
        upto := upto || n;
    END LOOP;

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
