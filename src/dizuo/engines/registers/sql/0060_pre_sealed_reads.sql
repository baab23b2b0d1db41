-- Sealed reads (封存调取): an official reads about somebody who is told only later, on an order that a second official approved.
--
-- ask_sealed → decide_sealed → request_sealed → registers.release. The entries are made and on disk before a value is seen, as for
-- every read; they are sealed (ledger.seal) until the order's day. What is not allowed raises DZ120 with the reason as its message:
-- ground, order, fields, whom, term, own, post, state, lapsed.

CREATE TABLE registers.seal_order (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token      text COLLATE "C" NOT NULL UNIQUE,
    ground     text COLLATE "C" NOT NULL,
    unit       text COLLATE "C" NOT NULL,
    -- The order's own number (文号), as the unit's papers have it.
    number     text NOT NULL CHECK (length(number) BETWEEN 4 AND 80),
    register   text COLLATE "C" NOT NULL,
    fields     text[] COLLATE "C" NOT NULL CHECK (cardinality(fields) > 0),
    scheme     text COLLATE "C" NOT NULL CHECK (scheme IN ('citizen_id', 'uscc', 'key')),
    value      text COLLATE "C" NOT NULL CHECK (length(value) BETWEEN 1 AND 80),
    opens_on   date NOT NULL,
    why        text NOT NULL CHECK (length(why) BETWEEN 2 AND 1000),
    -- What the person concerned will read as the purpose.
    says       text NOT NULL,
    asked_by   bigint NOT NULL,
    asked_post text COLLATE "C" NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    state      text COLLATE "C" NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'declined')),
    decided_by bigint,
    decided_post text COLLATE "C",
    decided_at timestamptz,
    said       text NOT NULL DEFAULT '',
    reads      integer NOT NULL DEFAULT 0,
    CHECK (decided_by IS DISTINCT FROM asked_by)
);
CREATE INDEX seal_order_asked_by ON registers.seal_order (asked_by, id DESC);
CREATE INDEX seal_order_waiting ON registers.seal_order (ground, id) WHERE state = 'asked';
COMMENT ON TABLE registers.seal_order IS 'Orders to read sealed: who asked, who approved, about whom; no role reads it';

-- How long after its approval an order may be used.
CREATE FUNCTION registers.seal_order_lasts() RETURNS interval LANGUAGE sql IMMUTABLE RETURN interval '7 days';

-- The entry about an order: by whom and on which ground. About whom it is stands nowhere; the order's number is in the erasable part.
CREATE FUNCTION registers.enter_seal_order(kind text, o registers.seal_order, actor jsonb) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ledger.append(kind, jsonb_build_object('order', o.id, 'ground', o.ground,
        'actor', jsonb_build_object('kind', 'official', 'unit', actor -> 'unit', 'post', actor -> 'post')), NULL,
        jsonb_build_object('official', actor -> 'official', 'number', o.number))
$$;

-- ask_sealed: {token, ground, number, register, fields, scheme, value, opens_on, why, says}, actor {official, unit, post} → the order.
-- The same token twice is the same order. A read cannot be ordered for later than the ground's longest term from today.
CREATE FUNCTION registers.ask_sealed(asked jsonb, actor jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule   record;
    o      registers.seal_order;
    wanted text[] := ARRAY(SELECT DISTINCT f FROM jsonb_array_elements_text(asked -> 'fields') AS f ORDER BY f);
    until  date := (asked ->> 'opens_on')::date;
BEGIN
    SELECT * INTO rule FROM ledger.ground_of(asked ->> 'ground', actor ->> 'unit', actor ->> 'post', 'order');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'ground' USING ERRCODE = 'DZ120';
    END IF;
    IF coalesce(length(btrim(asked ->> 'number')), 0) NOT BETWEEN 4 AND 80 OR coalesce(length(btrim(asked ->> 'why')), 0) NOT BETWEEN 2 AND 1000
       OR coalesce(length(asked ->> 'token'), 0) < 8 OR NOT coalesce(actor ->> 'official' ~ '^[0-9]{1,18}$', false) THEN
        RAISE EXCEPTION 'order' USING ERRCODE = 'DZ120';
    END IF;
    IF wanted = '{}' OR NOT coalesce(to_jsonb(wanted) <@ (rule.reads -> (asked ->> 'register')), false) THEN
        RAISE EXCEPTION 'fields' USING ERRCODE = 'DZ120';
    END IF;
    IF coalesce(btrim(asked ->> 'value'), '') = '' OR coalesce(asked ->> 'scheme', '') NOT IN ('citizen_id', 'uscc', 'key') THEN
        RAISE EXCEPTION 'whom' USING ERRCODE = 'DZ120';
    END IF;
    IF until IS NULL OR until <= ledger.today() OR until > ledger.today() + rule.longest THEN
        RAISE EXCEPTION 'term' USING ERRCODE = 'DZ120';
    END IF;
    INSERT INTO registers.seal_order (token, ground, unit, number, register, fields, scheme, value, opens_on, why, says, asked_by, asked_post)
    VALUES (asked ->> 'token', rule.id, rule.unit, btrim(asked ->> 'number'), asked ->> 'register', wanted, asked ->> 'scheme',
            btrim(asked ->> 'value'), until, btrim(asked ->> 'why'), coalesce(asked ->> 'says', ''), (actor ->> 'official')::bigint, rule.post)
    ON CONFLICT (token) DO NOTHING RETURNING * INTO o;
    IF o.id IS NULL THEN
        SELECT * INTO o FROM registers.seal_order s WHERE s.token = asked ->> 'token' AND s.asked_by = (actor ->> 'official')::bigint;
        IF o.id IS NULL THEN
            RAISE EXCEPTION 'order' USING ERRCODE = 'DZ120';
        END IF;
    ELSE
        PERFORM registers.enter_seal_order('sealed.asked', o, actor);
    END IF;
    RETURN o.id;
END $$;

-- decide_sealed: approve or decline, by another official in a post that may approve on the order's ground.
CREATE FUNCTION registers.decide_sealed(order_in bigint, approve boolean, words text, actor jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    o registers.seal_order;
BEGIN
    SELECT * INTO o FROM registers.seal_order s WHERE s.id = order_in FOR UPDATE;
    IF o.id IS NULL OR NOT EXISTS (SELECT FROM ledger.ground_of(o.ground, actor ->> 'unit', actor ->> 'post', 'approve')) THEN
        RAISE EXCEPTION 'post' USING ERRCODE = 'DZ120';
    ELSIF NOT coalesce(actor ->> 'official' ~ '^[0-9]{1,18}$', false) OR o.asked_by = (actor ->> 'official')::bigint THEN
        RAISE EXCEPTION 'own' USING ERRCODE = 'DZ120';
    ELSIF o.state <> 'asked' OR o.opens_on <= ledger.today() THEN
        RAISE EXCEPTION 'state' USING ERRCODE = 'DZ120';
    ELSIF NOT approve AND coalesce(length(btrim(words)), 0) NOT BETWEEN 2 AND 1000 THEN
        RAISE EXCEPTION 'order' USING ERRCODE = 'DZ120';
    END IF;
    UPDATE registers.seal_order s SET state = CASE WHEN approve THEN 'approved' ELSE 'declined' END, said = coalesce(btrim(words), ''),
        decided_by = (actor ->> 'official')::bigint, decided_post = actor ->> 'post', decided_at = now() WHERE s.id = order_in;
    PERFORM registers.enter_seal_order(CASE WHEN approve THEN 'sealed.approved' ELSE 'sealed.declined' END, o, actor);
END $$;

-- request_sealed: first step of the read that an approved order allows, by the official who asked: sealed entries about everybody
-- whom a record concerns, and a ticket for registers.release. Every read makes entries of its own.
CREATE FUNCTION registers.request_sealed(order_in bigint, actor jsonb, holder bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off AS $$
DECLARE
    o       registers.seal_order;
    rule    record;
    r       record;
    keys    text[];
    whom    bigint;
    about   jsonb;
    hidden  jsonb;
    sources jsonb;
    who    jsonb;
    parties jsonb := '[]';
    ids     bigint[] := '{}';
    ticket  uuid;
BEGIN
    SELECT * INTO o FROM registers.seal_order s WHERE s.id = order_in FOR UPDATE;
    IF o.id IS NULL OR o.asked_by::text IS DISTINCT FROM actor ->> 'official' OR o.unit IS DISTINCT FROM actor ->> 'unit'
       OR o.asked_post IS DISTINCT FROM actor ->> 'post' THEN
        RAISE EXCEPTION 'post' USING ERRCODE = 'DZ120';
    END IF;
    SELECT * INTO rule FROM ledger.ground_of(o.ground, o.unit, o.asked_post, 'order');
    IF NOT FOUND OR NOT EXISTS (SELECT FROM ledger.ground_of(o.ground, o.unit, o.decided_post, 'approve')) AND o.state = 'approved' THEN
        RAISE EXCEPTION 'ground' USING ERRCODE = 'DZ120';
    ELSIF o.state <> 'approved' THEN
        RAISE EXCEPTION 'state' USING ERRCODE = 'DZ120';
    ELSIF NOT coalesce(to_jsonb(o.fields) <@ (rule.reads -> o.register), false) THEN
        RAISE EXCEPTION 'fields' USING ERRCODE = 'DZ120';
    ELSIF o.opens_on <= ledger.today() OR o.decided_at < now() - registers.seal_order_lasts() THEN
        RAISE EXCEPTION 'lapsed' USING ERRCODE = 'DZ120';
    ELSIF coalesce(length(holder), 0) <> 32 THEN
        RAISE EXCEPTION 'order' USING ERRCODE = 'DZ120';
    END IF;
    who := jsonb_build_object('unit', o.unit, 'post', o.asked_post, 'approved', o.decided_post);
    about := jsonb_build_object('register', o.register, 'fields', to_jsonb(o.fields), 'reason', o.says, 'basis', rule.basis,
        'actor', jsonb_build_object('kind', 'official', 'unit', o.unit, 'post', o.asked_post));
    hidden := jsonb_build_object('order', o.number, 'official', o.asked_by);
    SELECT coalesce(jsonb_object_agg(f.field, f.source), '{}') INTO sources FROM registers.field f
    WHERE f.register = o.register AND f.field = ANY (o.fields);
    keys := CASE WHEN o.scheme = 'key' OR EXISTS (SELECT FROM registers.field f WHERE f.register = o.register AND f.subject = o.scheme AND f.is_key)
                 THEN ARRAY[o.value] ELSE '{}' END
        || ARRAY(SELECT DISTINCT l.key FROM registers.lookup l JOIN registers.field f ON f.register = l.register AND f.field = l.field
                 WHERE l.register = o.register AND f.subject = o.scheme AND f.lookup AND NOT f.is_key AND l.value = o.value
                   AND l.known_to IS NULL LIMIT 20);
    FOR r IN SELECT x.key, x.version, x.ref, x.subjects FROM registers.record x
             WHERE x.register = o.register AND x.key = ANY (keys) AND x.superseded_at IS NULL ORDER BY x.key LIMIT 20 LOOP
        parties := parties || jsonb_build_object('p', '1', 'r', o.register, 's', 'found', 'k', r.key, 'v', r.version,
                                                 'e', cardinality(ids), 'f', sources);
        FOREACH whom IN ARRAY CASE WHEN r.subjects = '{}' THEN ARRAY[NULL::bigint] ELSE r.subjects END LOOP
            ids := ids || ledger.seal('register.read', about || '{"state":"found"}', whom,
                                      hidden || jsonb_build_object('key', '#' || r.ref, 'version', r.version), o.opens_on, o.ground, who);
        END LOOP;
    END LOOP;
    IF ids = '{}' THEN
        SELECT i.id INTO whom FROM registers.identity i WHERE i.scheme = o.scheme AND i.number = o.value;
        parties := jsonb_build_array(jsonb_build_object('p', '1', 'r', o.register, 's', 'missing', 'e', 0));
        ids := ids || ledger.seal('register.read', about || '{"state":"missing"}', whom, hidden, o.opens_on, o.ground, who);
    END IF;
    UPDATE registers.seal_order s SET reads = s.reads + 1 WHERE s.id = order_in;
    INSERT INTO registers.ticket (id, holder, expires_at, plan, entries)
    VALUES (gen_random_uuid(), holder, clock_timestamp() + interval '60 seconds',
            jsonb_build_object('parties', parties, 'refusals', '[]'::jsonb), ids) RETURNING id INTO ticket;
    RETURN ticket;
END $$;

-- seal_orders: those of an official, and those that posts [{unit, post}] may decide, waiting ones first; nobody else sees about whom.
CREATE FUNCTION registers.seal_orders(official bigint, posts jsonb)
RETURNS TABLE (id bigint, ground text, unit text, number text, register text, fields text[], value text, opens_on date, why text,
               asked_post text, asked_at timestamptz, state text, decided_post text, decided_at timestamptz, said text, reads integer,
               own boolean, decides boolean, usable boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.id, o.ground, o.unit, o.number, o.register, o.fields, o.value, o.opens_on, o.why, o.asked_post, o.asked_at, o.state,
           o.decided_post, o.decided_at, o.said, o.reads, o.asked_by = official,
           h.decides AND o.asked_by <> official AND o.state = 'asked' AND o.opens_on > ledger.today(),
           o.asked_by = official AND o.state = 'approved' AND o.opens_on > ledger.today()
               AND o.decided_at >= now() - registers.seal_order_lasts()
    FROM registers.seal_order o
    CROSS JOIN LATERAL (SELECT coalesce(bool_or(EXISTS (SELECT FROM ledger.ground_of(o.ground, p.unit, p.post, 'approve'))), false) AS decides
                        FROM jsonb_to_recordset(posts) AS p(unit text, post text)) AS h
    WHERE o.asked_by = official OR h.decides
    ORDER BY o.state <> 'asked', o.id DESC LIMIT 200
$$;

REVOKE ALL ON registers.seal_order FROM PUBLIC;
REVOKE ALL ON FUNCTION registers.seal_order_lasts(), registers.enter_seal_order(text, registers.seal_order, jsonb),
    registers.ask_sealed(jsonb, jsonb), registers.decide_sealed(bigint, boolean, text, jsonb),
    registers.request_sealed(bigint, jsonb, bytea), registers.seal_orders(bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.ask_sealed(jsonb, jsonb), registers.decide_sealed(bigint, boolean, text, jsonb),
    registers.request_sealed(bigint, jsonb, bytea), registers.seal_orders(bigint, jsonb) TO dizuo_app;
