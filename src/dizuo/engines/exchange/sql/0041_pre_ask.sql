-- Signed calls under a right: one transaction holds many calls against keys, nonces, rights and daily limits, enters what is
-- read or refused, and hands out a ticket each. What a call learns from this step is the same whatever becomes of it.

-- ask takes an array of calls, each
--   call, holder        its number in this process, and the hex of SHA-256 of the secret that release must show
--   key, nonce, until   from the signature; until when (seconds since 1970) the nonce counts; sequence: a number or null
--   consumer, resource, grant_id, version, method, fields, withheld, subjects [{n, s, v}], case_no
--   refused             null, or {reason, rule, law, says, en}: policy said no already, and this is entered
-- The database does not believe that a call was allowed: key, consumer, right, version, state, days, method, fields and limit
-- are looked at here again, under a lock that a change of the right waits for.
-- Refusals without an entry: `stale` (the right is not the one that was judged: judge again), nothing was decided yet.
CREATE FUNCTION exchange.ask(calls jsonb) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    today   date := (now() AT TIME ZONE 'Asia/Shanghai')::date;
    fresh   uuid[];
    rights  bigint[];
    spent   jsonb := '{}';
    tried   jsonb := '{}';
    c       record;
    g       record;
    signed  text;
    no      jsonb;
    face    jsonb;
    hidden  jsonb;
    n       integer;
    asked   jsonb[] := '{}';
BEGIN
    IF jsonb_typeof(calls) IS DISTINCT FROM 'array' OR jsonb_array_length(calls) > 2000 THEN
        RAISE EXCEPTION 'exchange.ask takes an array of at most 2000 calls' USING ERRCODE = 'DZ100';
    END IF;
    -- In one order everywhere, so that two transactions never wait for each other.
    WITH given AS MATERIALIZED (
        SELECT x.key, x.nonce, x.call, x.until FROM jsonb_to_recordset(calls) AS x(key text, nonce text, call uuid, until bigint)
    ), kept AS (
        INSERT INTO exchange.nonce (key, nonce, call, until)
        SELECT v.key, v.nonce, v.call, v.until FROM given v ORDER BY v.key, v.nonce
        ON CONFLICT (key, nonce) DO NOTHING RETURNING call
    )
    SELECT array_agg(k.call) INTO fresh FROM (
        SELECT call FROM kept
        UNION ALL
        SELECT v.call FROM given v JOIN exchange.nonce o ON o.key = v.key AND o.nonce = v.nonce AND o.call = v.call) AS k;

    rights := ARRAY(SELECT DISTINCT x.grant_id FROM jsonb_to_recordset(calls) AS x(grant_id bigint, refused jsonb)
                    WHERE x.grant_id IS NOT NULL AND coalesce(x.refused, 'null') = 'null' ORDER BY 1);
    PERFORM pg_advisory_xact_lock_shared(7040, exchange.grant_gate(one)) FROM unnest(rights) AS one;
    INSERT INTO exchange.grant_use (grant_id, day, used, calls, last_at)
    SELECT d.id, today, 0, 0, now() FROM exchange.data_grant d
    WHERE d.id = ANY (rights) AND NOT EXISTS (SELECT FROM exchange.grant_use u WHERE u.grant_id = d.id AND u.day = today)
    ORDER BY d.id ON CONFLICT DO NOTHING;
    FOR g IN SELECT u.grant_id, u.used FROM exchange.grant_use u WHERE u.grant_id = ANY (rights) AND u.day = today
             ORDER BY u.grant_id FOR UPDATE LOOP
        spent := spent || jsonb_build_object(g.grant_id::text, g.used);
    END LOOP;
    g := NULL;
    IF calls @? '$[*].sequence ? (@ != null)' THEN
        PERFORM 1 FROM exchange.sequence s WHERE s.key IN (SELECT x.key FROM jsonb_to_recordset(calls) AS x(key text, sequence bigint)
                                                           WHERE x.sequence IS NOT NULL) ORDER BY s.key FOR UPDATE;
    END IF;

    FOR c IN SELECT x.* FROM jsonb_to_recordset(calls) AS x(
                 call uuid, holder text, key text, nonce text, sequence bigint, consumer text, resource text, grant_id bigint,
                 version integer, method text, fields text[], withheld jsonb, subjects jsonb, case_no text, refused jsonb) LOOP
        no := NULL;
        n := coalesce(jsonb_array_length(c.subjects), 0);
        SELECT k.consumer INTO signed FROM exchange.signing_key k
        WHERE k.id = c.key AND k.revoked_at IS NULL AND now() >= k.valid_from AND now() < k.valid_until;
        IF signed IS NULL OR signed <> c.consumer THEN
            no := '{"reason":"key","rule":"exchange.key","law":"data-sharing-2025:25"}';
        ELSIF fresh IS NULL OR NOT c.call = ANY (fresh) THEN
            no := '{"reason":"replay","rule":"exchange.replay","law":"data-sharing-2025:25"}';
        ELSIF c.sequence IS NOT NULL THEN
            INSERT INTO exchange.sequence AS s (key, last, call) VALUES (c.key, c.sequence, c.call)
            ON CONFLICT (key) DO UPDATE SET last = EXCLUDED.last, call = EXCLUDED.call
            WHERE s.last < EXCLUDED.last OR s.call = EXCLUDED.call;
            IF NOT FOUND THEN
                no := '{"reason":"order","rule":"exchange.order","law":"data-sharing-2025:25"}';
            END IF;
        END IF;
        IF no IS NULL AND jsonb_typeof(c.refused) = 'object' THEN
            no := c.refused;
        END IF;
        IF no IS NULL THEN
            SELECT d.*, r.register, r.state AS offered INTO g
            FROM exchange.data_grant d JOIN exchange.resource r ON r.code = d.resource WHERE d.id = c.grant_id;
            IF NOT FOUND OR g.version <> c.version OR g.consumer <> c.consumer OR g.resource <> c.resource THEN
                asked := asked || jsonb_build_object('holder', c.holder, 'refused', '[{"reason":"stale"}]'::jsonb);
                CONTINUE;
            END IF;
            no := CASE
                WHEN g.state <> 'open' THEN '{"reason":"state","rule":"share.state"}'
                WHEN today < g.starts OR today > g.expires THEN '{"reason":"dates","rule":"share.dates"}'
                WHEN NOT c.method = ANY (g.methods) THEN '{"reason":"method","rule":"share.method"}'
                WHEN g.register IS NULL OR g.offered = 'offline' THEN '{"reason":"offline","rule":"exchange.offline"}'
                WHEN c.fields = '{}' OR NOT c.fields <@ g.fields THEN '{"reason":"fields","rule":"share.fields"}'
                WHEN coalesce(btrim(c.case_no), '') = '' THEN '{"reason":"case","rule":"share.case"}'
                WHEN n = 0 OR n > 1000 OR (c.method = 'query' AND n <> 1) THEN '{"reason":"subjects","rule":"exchange.subjects"}'
                WHEN (spent ->> g.id::text)::bigint + n > g.per_day THEN '{"reason":"per_day","rule":"share.per_day"}'
            END::jsonb || '{"law":"data-sharing-2025:25"}';
        END IF;
        face := jsonb_strip_nulls(jsonb_build_object('resource', c.resource, 'grant', c.grant_id, 'method', c.method, 'key', c.key,
            'actor', jsonb_build_object('kind', 'system', 'unit', c.consumer, 'channel', 'system')));
        hidden := jsonb_strip_nulls(jsonb_build_object('case', nullif(btrim(c.case_no), '')));
        IF no IS NOT NULL THEN
            -- A refused question about one person is entered about that person; of a batch nobody was looked at.
            asked := asked || jsonb_build_object('holder', c.holder, 'refused', jsonb_build_array(no || '{"entry":0}'),
                'note', jsonb_strip_nulls(jsonb_build_object(
                    'kind', CASE WHEN n = 1 AND c.method = 'query' THEN 'register.refused' ELSE 'exchange.refused' END,
                    's', CASE WHEN n = 1 THEN c.subjects -> 0 -> 's' END, 'v', CASE WHEN n = 1 THEN c.subjects -> 0 -> 'v' END,
                    'body', face || jsonb_build_object('reason', no -> 'reason', 'rule', no -> 'rule', 'law', no -> 'law', 'subjects', n),
                    'hidden', hidden)));
            CONTINUE;
        END IF;
        spent := spent || jsonb_build_object(g.id::text, (spent ->> g.id::text)::bigint + n);
        tried := tried || jsonb_build_object(g.id::text, coalesce((tried ->> g.id::text)::bigint, 0) + 1);
        face := face || jsonb_strip_nulls(jsonb_build_object('purpose', g.purpose, 'basis', g.basis, 'serves', nullif(g.matter, ''),
                                                             'withheld', nullif(c.withheld, '[]')));
        asked := asked || jsonb_build_object('holder', c.holder, 'register', g.register, 'fields', to_jsonb(c.fields), 'about', face,
                                             'hidden', hidden, 'subjects', c.subjects);
    END LOOP;

    UPDATE exchange.grant_use u SET used = (s.value #>> '{}')::bigint, calls = u.calls + (tried ->> s.key)::bigint, last_at = now()
    FROM jsonb_each(spent) AS s
    WHERE u.grant_id = s.key::bigint AND u.day = today AND tried ? s.key;
    IF random() < 0.0156 THEN
        DELETE FROM exchange.nonce o WHERE (o.key, o.nonce) IN (
            SELECT d.key, d.nonce FROM exchange.nonce d WHERE d.until < extract(epoch FROM now())::bigint
            ORDER BY d.until LIMIT 5000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN registers.request_shared(to_jsonb(asked));
END $$;
REVOKE ALL ON FUNCTION exchange.ask(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.ask(jsonb) TO dizuo_app;

-- deliver: both steps in one journey: enter, commit, release. It has no rights of its own; the commit between the steps is a
-- real one, and in a transaction of the caller it fails (docs/why/two-step-release.md).
CREATE PROCEDURE exchange.deliver(calls jsonb, secrets bytea[], INOUT answers text DEFAULT NULL)
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    tickets uuid[] := exchange.ask(calls);
BEGIN
    COMMIT;
    answers := registers.release(tickets, secrets)::text;
END $$;
REVOKE ALL ON PROCEDURE exchange.deliver(jsonb, bytea[], text) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE exchange.deliver(jsonb, bytea[], text) TO dizuo_app;
