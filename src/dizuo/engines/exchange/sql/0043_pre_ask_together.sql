-- exchange.ask anew: what it takes, gives and judges is as in 0041. Keys, rights and resources of all calls come from one statement,
-- and the daily limit is counted in slots (0042).

-- One call, as exchange.ask takes it (0041).
CREATE TYPE exchange.signed_call AS (
    call uuid, holder text, key text, nonce text, until bigint, sequence bigint, consumer text, resource text, grant_id bigint,
    version integer, method text, fields text[], withheld jsonb, subjects jsonb, case_no text, refused jsonb
);

CREATE OR REPLACE FUNCTION exchange.ask(calls jsonb) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    today   date := (now() AT TIME ZONE 'Asia/Shanghai')::date;
    given   exchange.signed_call[];
    fresh   uuid[];
    -- By place: the rights of allowed calls, the slot held of each, what it has left, what is taken from it and by how many calls.
    rights  bigint[];
    needs   bigint[];
    slots   integer[] := '{}';
    rooms   bigint[] := '{}';
    taken   bigint[] := '{}';
    tried   bigint[] := '{}';
    at      integer;
    id      bigint;
    one     record;
    c       record;
    no      jsonb;
    asked   jsonb[] := '{}';
BEGIN
    IF jsonb_typeof(calls) IS DISTINCT FROM 'array' OR jsonb_array_length(calls) > 2000 THEN
        RAISE EXCEPTION 'exchange.ask takes an array of at most 2000 calls' USING ERRCODE = 'DZ100';
    END IF;
    given := ARRAY(SELECT x FROM jsonb_populate_recordset(NULL::exchange.signed_call, calls) AS x);
    -- In one order everywhere, so that two transactions never wait for each other: nonces, rights by number, sequences.
    WITH kept AS (
        INSERT INTO exchange.nonce (key, nonce, call, until) SELECT x.key, x.nonce, x.call, x.until FROM unnest(given) AS x ORDER BY 1, 2
        ON CONFLICT (key, nonce) DO NOTHING RETURNING call
    )
    SELECT array_agg(k.call) INTO fresh FROM kept k;
    IF cardinality(fresh) IS DISTINCT FROM cardinality(given) THEN
        -- Our own second try, after the database went away in the middle, is no replay.
        SELECT array_agg(x.call) INTO fresh FROM unnest(given) AS x
        JOIN exchange.nonce o ON o.key = x.key AND o.nonce = x.nonce AND o.call = x.call;
    END IF;

    -- First the gates of all, because a change of a right waits for a gate and holds the right.
    SELECT array_agg(x.grant_id ORDER BY x.grant_id), array_agg(x.need ORDER BY x.grant_id) INTO rights, needs
    FROM (SELECT x.grant_id, coalesce(sum(jsonb_array_length(x.subjects)), 0)::bigint AS need
          FROM unnest(given) AS x
          WHERE x.grant_id IS NOT NULL AND coalesce(x.refused, 'null') = 'null' GROUP BY 1) AS x;
    FOREACH id IN ARRAY coalesce(rights, '{}') LOOP
        PERFORM pg_advisory_xact_lock_shared(7040, exchange.grant_gate(id));
    END LOOP;
    FOREACH id IN ARRAY coalesce(rights, '{}') LOOP
        one := exchange.take_room(id, today, needs[cardinality(slots) + 1]);
        slots := slots || one.slot;
        rooms := rooms || one.room;
        taken := taken || 0::bigint;
        tried := tried || 0::bigint;
    END LOOP;
    IF calls @? '$[*].sequence ? (@ != null)' THEN
        PERFORM 1 FROM exchange.sequence s WHERE s.key IN (SELECT x.key FROM unnest(given) AS x WHERE x.sequence IS NOT NULL)
        ORDER BY s.key FOR UPDATE;
    END IF;

    FOR c IN SELECT x.*, coalesce(jsonb_array_length(x.subjects), 0) AS n, k.consumer AS signed,
                    d.id AS held, d.version AS stands, d.consumer AS holder_of, d.resource AS of, d.state, d.starts, d.expires, d.methods,
                    d.fields AS granted, d.purpose, d.basis, d.matter, r.register, r.state AS offered
             FROM unnest(given) WITH ORDINALITY AS x(call, holder, key, nonce, until, sequence, consumer, resource, grant_id, version,
                                                     method, fields, withheld, subjects, case_no, refused, ord)
             -- LIMIT: each looked up by its number, however many there are.
             LEFT JOIN LATERAL (SELECT s.consumer FROM exchange.signing_key s WHERE s.id = x.key AND s.revoked_at IS NULL
                                AND now() >= s.valid_from AND now() < s.valid_until LIMIT 1) AS k ON true
             LEFT JOIN LATERAL (SELECT * FROM exchange.data_grant g WHERE g.id = x.grant_id LIMIT 1) AS d ON true
             LEFT JOIN LATERAL (SELECT o.register, o.state FROM exchange.resource o WHERE o.code = d.resource LIMIT 1) AS r ON true
             ORDER BY x.ord LOOP
        no := NULL;
        IF c.signed IS NULL OR c.signed <> c.consumer THEN
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
            IF c.held IS NULL OR c.stands <> c.version OR c.holder_of <> c.consumer OR c.of <> c.resource THEN
                asked := asked || jsonb_build_object('holder', c.holder, 'refused', '[{"reason":"stale"}]'::jsonb);
                CONTINUE;
            END IF;
            at := array_position(rights, c.held);
            no := CASE
                WHEN c.state <> 'open' THEN '{"reason":"state","rule":"share.state"}'
                WHEN today < c.starts OR today > c.expires THEN '{"reason":"dates","rule":"share.dates"}'
                WHEN NOT c.method = ANY (c.methods) THEN '{"reason":"method","rule":"share.method"}'
                WHEN c.register IS NULL OR c.offered = 'offline' THEN '{"reason":"offline","rule":"exchange.offline"}'
                WHEN c.fields = '{}' OR NOT c.fields <@ c.granted THEN '{"reason":"fields","rule":"share.fields"}'
                WHEN coalesce(btrim(c.case_no), '') = '' THEN '{"reason":"case","rule":"share.case"}'
                WHEN c.n = 0 OR c.n > 1000 OR (c.method = 'query' AND c.n <> 1) THEN '{"reason":"subjects","rule":"exchange.subjects"}'
                WHEN (taken[at] + c.n <= rooms[at]) IS NOT TRUE THEN '{"reason":"per_day","rule":"share.per_day"}'
            END::jsonb || '{"law":"data-sharing-2025:25"}';
        END IF;
        IF no IS NOT NULL THEN
            -- A refused question about one person is entered about that person; of a batch nobody was looked at.
            asked := asked || jsonb_build_object('holder', c.holder, 'refused', jsonb_build_array(no || '{"entry":0}'),
                'note', jsonb_strip_nulls(jsonb_build_object(
                    'kind', CASE WHEN c.n = 1 AND c.method = 'query' THEN 'register.refused' ELSE 'exchange.refused' END,
                    's', CASE WHEN c.n = 1 THEN c.subjects -> 0 -> 's' END, 'v', CASE WHEN c.n = 1 THEN c.subjects -> 0 -> 'v' END,
                    'body', jsonb_build_object('resource', c.resource, 'grant', c.grant_id, 'method', c.method, 'key', c.key,
                        'actor', jsonb_build_object('kind', 'system', 'unit', c.consumer, 'channel', 'system'),
                        'reason', no -> 'reason', 'rule', no -> 'rule', 'law', no -> 'law', 'subjects', c.n),
                    'hidden', jsonb_build_object('case', nullif(btrim(c.case_no), '')))));
            CONTINUE;
        END IF;
        taken[at] := taken[at] + c.n;
        tried[at] := tried[at] + 1;
        asked := asked || jsonb_build_object('holder', c.holder, 'register', c.register, 'fields', c.fields, 'subjects', c.subjects,
            'about', jsonb_strip_nulls(jsonb_build_object('resource', c.resource, 'grant', c.grant_id, 'method', c.method, 'key', c.key,
                'actor', jsonb_build_object('kind', 'system', 'unit', c.consumer, 'channel', 'system'), 'purpose', c.purpose,
                'basis', c.basis, 'serves', nullif(c.matter, ''), 'withheld', nullif(c.withheld, '[]'))),
            'hidden', jsonb_build_object('case', btrim(c.case_no)));
    END LOOP;

    UPDATE exchange.use_slot s SET room = s.room - u.taken, calls = s.calls + u.tried
    FROM unnest(rights, slots, taken, tried) AS u(id, slot, taken, tried)
    WHERE s.grant_id = u.id AND s.day = today AND s.slot = u.slot AND u.tried > 0;
    IF 0 = ANY (slots) THEN
        UPDATE exchange.grant_use g SET used = g.used + u.taken, calls = g.calls + u.tried, last_at = now()
        FROM unnest(rights, slots, taken, tried) AS u(id, slot, taken, tried)
        WHERE g.grant_id = u.id AND g.day = today AND u.slot = 0 AND u.tried > 0;
    END IF;
    IF random() < 0.0156 THEN
        DELETE FROM exchange.nonce o WHERE (o.key, o.nonce) IN (
            SELECT d.key, d.nonce FROM exchange.nonce d WHERE d.until < extract(epoch FROM now())::bigint
            ORDER BY d.until LIMIT 5000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN registers.request_shared(to_jsonb(asked));
END $$;
