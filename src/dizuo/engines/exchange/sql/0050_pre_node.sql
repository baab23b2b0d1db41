-- Resources that stay at their department and are asked for there (dizuo node): where each is, calls under way, and how
-- often interfaces really answered.

-- Only a command of the operator writes here: an address decides whom the base calls, a key whom it believes.
CREATE TABLE exchange.node (
    resource      text COLLATE "C" PRIMARY KEY REFERENCES exchange.resource (code),
    organisation  text COLLATE "C" NOT NULL REFERENCES exchange.department (id),
    address       text NOT NULL CHECK (address ~ '^https?://[^/]+(/[^?#]*)?$' AND address NOT LIKE '%/'),
    -- Registered keys of that department with which this node signs.
    keys          text[] NOT NULL CHECK (cardinality(keys) > 0),
    -- The operator's word that this address may be in the departments' own network, and plain http there.
    private       boolean NOT NULL DEFAULT false,
    made_by       text NOT NULL CHECK (made_by <> ''),
    made_at       timestamptz NOT NULL DEFAULT now(),
    stopped_at    timestamptz,
    CHECK (private OR address LIKE 'https://%')
);
COMMENT ON TABLE exchange.node IS '部门节点: where a resource is asked for that stays at its department';

-- A call that was entered and whose node has not answered yet. What a killed process leaves here is told within minutes.
CREATE TABLE exchange.node_asked (
    call      uuid PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    resource  text COLLATE "C" NOT NULL,
    grant_id  bigint NOT NULL,
    subjects  jsonb NOT NULL,
    face      jsonb NOT NULL,
    hidden    jsonb NOT NULL,
    entry     bigint NOT NULL
);
CREATE INDEX node_asked_at ON exchange.node_asked (at);

-- How often the interface of a resource answered or did not, a day: calls of departments, and probes by the base.
CREATE TABLE exchange.availability (
    resource       text COLLATE "C" NOT NULL REFERENCES exchange.resource (code),
    day            date NOT NULL,
    answered       bigint NOT NULL DEFAULT 0,
    failed         bigint NOT NULL DEFAULT 0,
    probes         bigint NOT NULL DEFAULT 0,
    probes_failed  bigint NOT NULL DEFAULT 0 CHECK (probes_failed <= probes),
    last_why       text NOT NULL DEFAULT '',
    PRIMARY KEY (resource, day)
) WITH (fillfactor = 50);
COMMENT ON TABLE exchange.availability IS '接口可用情况: counted from calls and probes, never reported';

-- note_availability: counts of one resource's interface of today. A call outside its grant is an answer and no failure.
CREATE FUNCTION exchange.note_availability(resource_in text, answered_in bigint, failed_in bigint, probes_in bigint, probes_failed_in bigint,
                                           why_in text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO exchange.availability AS a (resource, day, answered, failed, probes, probes_failed, last_why)
    SELECT r.code, (now() AT TIME ZONE 'Asia/Shanghai')::date, $2, $3, $4, $5, left($6, 300)
    FROM exchange.resource r WHERE r.code = $1
    ON CONFLICT (resource, day) DO UPDATE SET answered = a.answered + excluded.answered, failed = a.failed + excluded.failed,
        probes = a.probes + excluded.probes, probes_failed = a.probes_failed + excluded.probes_failed,
        last_why = CASE WHEN excluded.last_why = '' THEN a.last_why ELSE excluded.last_why END;
END;

-- bind_node: where a resource is asked for; the same again changes it. DZ080 no such resource or it is in the base itself,
-- DZ081 a key that is not one in use of its provider.
CREATE FUNCTION exchange.bind_node(resource_in text, address_in text, keys_in text[], private_in boolean, by_in text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whose text;
BEGIN
    SELECT r.provider INTO whose FROM exchange.resource r WHERE r.code = resource_in AND r.register IS NULL AND r.state <> 'offline'
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'resource % cannot be asked for at a node', resource_in USING ERRCODE = 'DZ080';
    END IF;
    IF EXISTS (SELECT FROM unnest(keys_in) AS one WHERE NOT EXISTS (
        SELECT FROM exchange.signing_key k WHERE k.id = one AND k.consumer = whose AND k.revoked_at IS NULL AND now() < k.valid_until)) THEN
        RAISE EXCEPTION 'a key is not one of %', whose USING ERRCODE = 'DZ081';
    END IF;
    PERFORM ledger.append('exchange.node_bound', jsonb_build_object('resource', resource_in, 'organisation', whose,
        'address', address_in, 'keys', to_jsonb(keys_in), 'private', private_in, 'by', by_in), NULL, NULL);
    INSERT INTO exchange.node AS n (resource, organisation, address, keys, private, made_by)
    VALUES (resource_in, whose, address_in, keys_in, private_in, by_in)
    ON CONFLICT (resource) DO UPDATE SET organisation = excluded.organisation, address = excluded.address, keys = excluded.keys,
        private = excluded.private, made_by = excluded.made_by, made_at = now(), stopped_at = NULL;
    RETURN whose;
END $$;

-- stop_node: the base asks there no more. False: it was not asked there.
CREATE FUNCTION exchange.stop_node(resource_in text, by_in text, why_in text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE exchange.node n SET stopped_at = now() WHERE n.resource = resource_in AND n.stopped_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger.append('exchange.node_stopped', jsonb_build_object('resource', resource_in, 'by', by_in, 'why', why_in), NULL, NULL);
    RETURN true;
END $$;

-- whom: the identities of a call's subjects [{n, s, v}] as [{n, id}]. Somebody whom no register of ours knows gets one: the node may know
-- them, and they are to find the entry.
CREATE FUNCTION exchange.whom(subjects jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one   record;
    ids   bigint[];
    found jsonb := '{}';
BEGIN
    FOR one IN SELECT s.s, array_agg(s.v ORDER BY s.n) AS numbers, array_agg(s.n ORDER BY s.n) AS places
               FROM jsonb_to_recordset(subjects) AS s (n integer, s text, v text) WHERE s.s IN ('citizen_id', 'uscc') GROUP BY s.s ORDER BY s.s LOOP
        ids := registers.identities(one.s, one.numbers);
        found := found || (SELECT jsonb_object_agg(p.n::text, p.id) FROM unnest(one.places, ids) AS p (n, id));
    END LOOP;
    RETURN (SELECT jsonb_agg(jsonb_build_object('n', s.n, 'id', found -> s.n::text) ORDER BY s.n)
            FROM jsonb_to_recordset(subjects) AS s (n integer));
END $$;

-- ask_node: a call about a resource at a node, held against key, nonce, right, dates, method, fields and daily limit as exchange.ask
-- does, and entered. The call is an element as exchange.ask takes it; refused: the node rests after failures. Gives {node} to ask there; or {refusals}; or {local} when
-- no node has it: then it is the register's to answer. Nobody is told anything before told_node.
CREATE FUNCTION exchange.ask_node(c jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    today  date := (now() AT TIME ZONE 'Asia/Shanghai')::date;
    g      exchange.data_grant;
    place  exchange.node;
    r      exchange.resource;
    no     jsonb;
    face   jsonb;
    wants  text[] := ARRAY(SELECT jsonb_array_elements_text(c -> 'fields'));
    n      integer := coalesce(jsonb_array_length(c -> 'subjects'), 0);
    spent  bigint;
    asked  bigint;
    ids    bigint[];
BEGIN
    SELECT * INTO place FROM exchange.node x WHERE x.resource = c ->> 'resource' AND x.stopped_at IS NULL;
    IF NOT FOUND THEN
        RETURN '{"local":true}';
    END IF;
    PERFORM exchange.tell_forgotten();
    -- The same second try of ours after a lost connection is not somebody else's replay; it was entered already.
    INSERT INTO exchange.nonce (key, nonce, call, until)
    VALUES (c ->> 'key', c ->> 'nonce', (c ->> 'call')::uuid, (c ->> 'until')::bigint) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        no := '{"reason":"replay","rule":"exchange.replay"}';
        IF EXISTS (SELECT FROM exchange.node_asked a JOIN exchange.nonce o ON o.call = a.call
                   WHERE a.call = (c ->> 'call')::uuid AND o.key = c ->> 'key' AND o.nonce = c ->> 'nonce') THEN
            RETURN jsonb_build_object('node', to_jsonb(place));
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(7040, exchange.grant_gate((c ->> 'grant_id')::bigint));
    INSERT INTO exchange.grant_use (grant_id, day, used, calls, last_at)
    SELECT d.id, today, 0, 0, now() FROM exchange.data_grant d WHERE d.id = (c ->> 'grant_id')::bigint ON CONFLICT DO NOTHING;
    -- Locks the day: a node is slow enough for calls under one right to count one after the other.
    PERFORM exchange.settle_use((c ->> 'grant_id')::bigint, today);
    SELECT u.used INTO spent FROM exchange.grant_use u WHERE u.grant_id = (c ->> 'grant_id')::bigint AND u.day = today;
    IF NOT EXISTS (SELECT FROM exchange.signing_key k WHERE k.id = c ->> 'key' AND k.consumer = c ->> 'consumer'
                   AND k.revoked_at IS NULL AND now() >= k.valid_from AND now() < k.valid_until) THEN
        no := '{"reason":"key","rule":"exchange.key"}';
    ELSIF no IS NULL AND c ->> 'sequence' IS NOT NULL THEN
        INSERT INTO exchange.sequence AS s (key, last, call) VALUES (c ->> 'key', (c ->> 'sequence')::bigint, (c ->> 'call')::uuid)
        ON CONFLICT (key) DO UPDATE SET last = EXCLUDED.last, call = EXCLUDED.call WHERE s.last < EXCLUDED.last OR s.call = EXCLUDED.call;
        IF NOT FOUND THEN
            no := '{"reason":"order","rule":"exchange.order"}';
        END IF;
    END IF;
    SELECT * INTO g FROM exchange.data_grant d WHERE d.id = (c ->> 'grant_id')::bigint;
    SELECT * INTO r FROM exchange.resource x WHERE x.code = g.resource;
    IF no IS NULL AND (g.id IS NULL OR g.version <> (c ->> 'version')::integer OR g.consumer <> c ->> 'consumer'
                       OR g.resource <> c ->> 'resource') THEN
        -- Judged by an older right: to be judged again, and nothing has happened yet.
        DELETE FROM exchange.nonce o WHERE o.key = c ->> 'key' AND o.nonce = c ->> 'nonce' AND o.call = (c ->> 'call')::uuid;
        RETURN '{"refusals":[{"reason":"stale"}]}';
    END IF;
    no := coalesce(no, CASE
        WHEN g.state <> 'open' THEN '{"reason":"state","rule":"share.state"}'
        WHEN today < g.starts OR today > g.expires THEN '{"reason":"dates","rule":"share.dates"}'
        WHEN NOT c ->> 'method' = ANY (g.methods) THEN '{"reason":"method","rule":"share.method"}'
        WHEN r.state = 'offline' OR r.register IS NOT NULL THEN '{"reason":"offline","rule":"exchange.offline"}'
        WHEN wants = '{}' OR NOT wants <@ g.fields THEN '{"reason":"fields","rule":"share.fields"}'
        WHEN coalesce(btrim(c ->> 'case_no'), '') = '' THEN '{"reason":"case","rule":"share.case"}'
        WHEN n = 0 OR n > 1000 OR (c ->> 'method' = 'query' AND n <> 1) THEN '{"reason":"subjects","rule":"exchange.subjects"}'
        WHEN spent + n > g.per_day THEN '{"reason":"per_day","rule":"share.per_day"}'
    END::jsonb, CASE WHEN jsonb_typeof(c -> 'refused') = 'object' THEN c -> 'refused' END) || '{"law":"data-sharing-2025:25"}';
    face := jsonb_strip_nulls(jsonb_build_object('resource', r.code, 'register', r.title, 'node', place.organisation, 'grant', g.id,
        'method', c -> 'method', 'key', c -> 'key',
        'actor', jsonb_build_object('kind', 'system', 'unit', c -> 'consumer', 'channel', 'system')));
    IF no IS NOT NULL THEN
        ids := ledger.append_batch(jsonb_build_array(jsonb_build_object(
            'kind', CASE WHEN n = 1 AND c ->> 'method' = 'query' THEN 'register.refused' ELSE 'exchange.refused' END,
            'body', face || no || jsonb_build_object('subjects', n), 'payload', jsonb_build_object('case', c -> 'case_no'),
            'subject', CASE WHEN n = 1 THEN exchange.whom(c -> 'subjects') #> '{0,id}' END)));
        IF no ->> 'reason' = 'node' THEN
            PERFORM exchange.note_availability(r.code, 0, 1, 0, 0, no ->> 'why');
        END IF;
        RETURN jsonb_build_object('refusals', jsonb_build_array(no || jsonb_build_object('entry', ids[1])));
    END IF;
    face := face || jsonb_strip_nulls(jsonb_build_object('purpose', g.purpose, 'basis', g.basis, 'serves', nullif(g.matter, ''),
        'fields', to_jsonb(wants), 'withheld', nullif(c -> 'withheld', '[]')));
    UPDATE exchange.grant_use u SET used = u.used + n, calls = u.calls + 1, last_at = now() WHERE u.grant_id = g.id AND u.day = today;
    -- About nobody yet: whom it was about is entered with what the node said, or that it said nothing.
    asked := ledger.append('exchange.node_asked', face || jsonb_build_object('subjects', n), NULL,
                           jsonb_build_object('case', btrim(c ->> 'case_no')));
    INSERT INTO exchange.node_asked (call, resource, grant_id, subjects, face, hidden, entry)
    SELECT (c ->> 'call')::uuid, r.code, g.id,
           exchange.whom(c -> 'subjects'),
           face, jsonb_build_object('case', btrim(c ->> 'case_no')), asked;
    RETURN jsonb_build_object('node', to_jsonb(place), 'entry', asked);
END $$;

-- told_node: what a node said to a call, before anybody is told: states are [{n, s}] with s found or missing; or failed says why no
-- value is released at all. Each person concerned has an entry; gives [{n, e}]. NULL: the call is not under way any more, or its
-- right ended or changed while the node was asked ('gone'), and nothing may be passed on.
CREATE FUNCTION exchange.told_node(call_in uuid, states jsonb, failed text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held exchange.node_asked;
    why  text := failed;
    told jsonb;
    ids  bigint[];
    seats jsonb;
BEGIN
    DELETE FROM exchange.node_asked a WHERE a.call = call_in RETURNING * INTO held;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(7040, exchange.grant_gate(held.grant_id));
    IF why IS NULL AND NOT EXISTS (SELECT FROM exchange.data_grant d WHERE d.id = held.grant_id AND d.state = 'open'
                                   AND (now() AT TIME ZONE 'Asia/Shanghai')::date <= d.expires) THEN
        why := 'gone';
    END IF;
    -- Which call it was is not shown: entries of one shape are to be counted as one.
    SELECT jsonb_agg(jsonb_build_object('subject', s.one -> 'id', 'payload', held.hidden || jsonb_build_object('asked', held.entry)) || CASE WHEN why IS NULL
               THEN jsonb_build_object('kind', 'register.read', 'body', held.face || jsonb_build_object('state', t.s))
               ELSE jsonb_build_object('kind', 'register.refused', 'body', held.face || jsonb_build_object('reason', 'node', 'why', why, 'rule', 'exchange.node', 'law', 'data-sharing-2025:25', 'released', false)) END
               ORDER BY s.place), jsonb_agg(s.one -> 'n' ORDER BY s.place)
    INTO told, seats
    FROM jsonb_array_elements(held.subjects) WITH ORDINALITY AS s (one, place)
    LEFT JOIN jsonb_to_recordset(states) AS t (n integer, s text) ON t.n = (s.one ->> 'n')::integer;
    ids := ledger.append_batch(told);
    IF why IS DISTINCT FROM 'gone' THEN
        PERFORM exchange.note_availability(held.resource, (why IS NULL)::integer, (why IS NOT NULL)::integer, 0, 0, coalesce(why, ''));
    END IF;
    RETURN jsonb_build_object('gone', why IS NOT DISTINCT FROM 'gone', 'entries',
        (SELECT jsonb_agg(jsonb_build_object('n', seats -> (p.place::integer - 1), 'e', p.id) ORDER BY p.place)
         FROM unnest(ids) WITH ORDINALITY AS p (id, place)));
END $$;

-- tell_forgotten: calls whose process died before it knew the node's answer are told to those concerned: nothing was released.
CREATE FUNCTION exchange.tell_forgotten() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one uuid;
    n   integer := 0;
BEGIN
    FOR one IN SELECT a.call FROM exchange.node_asked a WHERE a.at < now() - interval '2 minutes'
               ORDER BY a.at LIMIT 50 FOR UPDATE SKIP LOCKED LOOP
        PERFORM exchange.told_node(one, '[]', 'interrupted');
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

REVOKE ALL ON exchange.node, exchange.node_asked, exchange.availability FROM PUBLIC;
GRANT SELECT ON exchange.node, exchange.availability TO dizuo_app, dizuo_loader;
GRANT SELECT (code, title) ON exchange.resource TO dizuo_loader;
REVOKE ALL ON FUNCTION exchange.note_availability(text, bigint, bigint, bigint, bigint, text), exchange.ask_node(jsonb),
    exchange.whom(jsonb), exchange.bind_node(text, text, text[], boolean, text), exchange.stop_node(text, text, text),
    exchange.told_node(uuid, jsonb, text), exchange.tell_forgotten() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.note_availability(text, bigint, bigint, bigint, bigint, text), exchange.ask_node(jsonb),
    exchange.told_node(uuid, jsonb, text), exchange.tell_forgotten() TO dizuo_app;
GRANT EXECUTE ON FUNCTION exchange.bind_node(text, text, text[], boolean, text), exchange.stop_node(text, text, text) TO dizuo_loader;
