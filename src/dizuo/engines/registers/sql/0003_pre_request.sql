-- First step of a read: resolve the chain, enter everything in the ledger, hand out tickets.
-- What a caller learns from it is the same for every outcome: one ticket per request. Whether a person exists,
-- has a record or was refused is told only by release, after this transaction is on disk.

-- The chain of one combination of items and facts, worked out once from the declarations and kept.
CREATE UNLOGGED TABLE registers.access_plan (
    digest     text COLLATE "C" NOT NULL,
    ord        smallint NOT NULL,
    party      text COLLATE "C" NOT NULL,
    register   text COLLATE "C" NOT NULL,
    key_field  text COLLATE "C" NOT NULL,
    given      boolean NOT NULL,
    pick       text COLLATE "C" NOT NULL,
    order_by   text COLLATE "C",
    -- the first match, taken apart: own fields, the earlier party, its field; `more` are the other matches
    own        text[] COLLATE "C" NOT NULL,
    by_key     boolean NOT NULL,
    of_party   text COLLATE "C",
    of_field   text COLLATE "C",
    more       jsonb NOT NULL,
    wheres     jsonb NOT NULL,
    labels     text[] COLLATE "C" NOT NULL,
    -- whether something of it is wanted, be it only that it exists; else the chain merely passes through it
    wanted     boolean NOT NULL,
    used       text[] COLLATE "C" NOT NULL,
    -- JSON objects without their closing brace: entries are put together as text and parsed once, which halves the
    -- processor time of a read. `face` begins the ticket's part, `about` an entry's body, `bare` one without fields.
    face       text NOT NULL,
    about      text NOT NULL,
    bare       text NOT NULL,
    PRIMARY KEY (digest, ord)
);
-- A plan's texts are read in every read: kept as they are, not compressed.
ALTER TABLE registers.access_plan SET (toast_tuple_target = 8160);
REVOKE ALL ON registers.access_plan FROM PUBLIC;

-- What is asked again and again by many people, kept under the digest of its lists, which a caller sends instead of them: the items
-- and facts, and the conditions under which more is read, taken apart and parsed once.
CREATE UNLOGGED TABLE registers.asked (
    digest  text COLLATE "C" PRIMARY KEY,
    access  text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    items   jsonb NOT NULL,
    facts   jsonb NOT NULL,
    -- the conditions, and what each adds
    whens   jsonpath[] NOT NULL,
    adds    jsonb[] NOT NULL,
    -- the plan of the facts alone
    plan    text COLLATE "C" NOT NULL
);
ALTER TABLE registers.asked ALTER COLUMN whens SET STORAGE EXTERNAL;
ALTER TABLE registers.asked SET (toast_tuple_target = 8160);
-- The plan of the facts with what these conditions added: `holds` as it is told, true or false for each.
CREATE UNLOGGED TABLE registers.asked_more (
    digest text COLLATE "C" NOT NULL,
    holds  text COLLATE "C" NOT NULL,
    plan   text COLLATE "C" NOT NULL,
    PRIMARY KEY (digest, holds)
);
REVOKE ALL ON registers.asked, registers.asked_more FROM PUBLIC;

-- plan_of: the digest of a plan, made when it is not there yet.
-- Errors: DZ101 unknown or retired access, DZ102 an item that is not declared, DZ103 a fact outside the items' needs.
-- The digest is of the lists as they were sent: taking them apart is for the first caller alone.
CREATE OR REPLACE FUNCTION registers.plan_of(access_in text, version_in text, items_in jsonb, facts_in jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sign text := encode(sha256(convert_to(jsonb_build_array(access_in, version_in, items_in, facts_in)::text, 'UTF8')), 'hex');
    declared jsonb;
    items    text[];
    facts    text[];
    made     boolean;
BEGIN
    SELECT EXISTS (SELECT 1 FROM registers.access_plan p WHERE p.digest = sign) INTO made FROM registers.access a
    WHERE a.id = access_in AND a.version = version_in AND a.retired_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no_access' USING ERRCODE = 'DZ101';
    END IF;
    IF made THEN
        RETURN sign;
    END IF;
    SELECT a.spec INTO declared FROM registers.access a WHERE a.id = access_in AND a.version = version_in;
    items := CASE WHEN jsonb_typeof(items_in) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(items_in) ORDER BY 1) END;
    facts := CASE WHEN jsonb_typeof(facts_in) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(facts_in) ORDER BY 1) END;
    -- One writer of plans at a time: two batches that need the same two new plans in different order would deadlock.
    PERFORM pg_advisory_xact_lock(7001, hashtext('registers.access_plan'));
    IF EXISTS (SELECT 1 FROM registers.access_plan p WHERE p.digest = sign) THEN
        RETURN sign;
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(items) AS i WHERE NOT declared -> 'items' ? i) THEN
        RAISE EXCEPTION 'no_grant' USING ERRCODE = 'DZ102';
    END IF;
    -- A fact is party.field, for every item that needs it, or item:party.field, for that one; a party alone asks whether
    -- there is such a record.
    IF EXISTS (SELECT 1 FROM unnest(facts) AS whole,
               LATERAL (SELECT CASE WHEN whole LIKE '%:%' THEN split_part(whole, ':', 1) END AS item,
                               split_part(whole, ':', CASE WHEN whole LIKE '%:%' THEN 2 ELSE 1 END) AS f) AS t
               WHERE NOT EXISTS (SELECT 1 FROM registers.access_grant g
                                 WHERE g.access = access_in AND g.version = version_in
                                   AND (items IS NULL OR g.item = ANY (items)) AND (t.item IS NULL OR g.item = t.item)
                                   AND g.party = split_part(f, '.', 1)
                                   AND (f = g.party OR split_part(f, '.', 2) = ANY (g.fields)))) THEN
        RAISE EXCEPTION 'outside' USING ERRCODE = 'DZ103';
    END IF;
    -- Callers choose facts; without a bound they could fill the disk with combinations.
    IF (SELECT count(*) FROM registers.access_plan) > 50000 THEN
        DELETE FROM registers.access_plan;
        DELETE FROM registers.asked;
        DELETE FROM registers.asked_more;
    END IF;
    INSERT INTO registers.access_plan
    WITH RECURSIVE reached AS (
        -- the parties of what is wanted, and those that the chain passes on its way to them; nobody else's record
        SELECT split_part(split_part(f, ':', CASE WHEN f LIKE '%:%' THEN 2 ELSE 1 END), '.', 1) AS party FROM unnest(facts) AS f
        UNION
        SELECT m.value ->> 1 FROM reached r
        JOIN registers.access_party p ON p.access = access_in AND p.version = version_in AND p.party = r.party
        CROSS JOIN LATERAL jsonb_array_elements(p.matches) AS m
    ), granted AS MATERIALIZED (
        SELECT g.party, g.item, g.purpose, g.basis,
               ARRAY(SELECT f FROM unnest(g.fields) AS f
                     WHERE facts IS NULL OR g.party || '.' || f = ANY (facts) OR g.item || ':' || g.party || '.' || f = ANY (facts)
                     ORDER BY f) AS fields
        FROM registers.access_grant g
        WHERE g.access = access_in AND g.version = version_in AND (items IS NULL OR g.item = ANY (items))
          AND (facts IS NULL OR g.party IN (SELECT party FROM reached))
    ), uses AS (
        SELECT u.party, coalesce(jsonb_agg(jsonb_build_object('purpose', u.purpose, 'basis', u.basis, 'fields', u.fields)
                                           ORDER BY u.purpose, u.basis) FILTER (WHERE u.fields <> '[]'), '[]') AS uses
        FROM (SELECT g.party, g.purpose, g.basis,
                     coalesce(jsonb_agg(DISTINCT f) FILTER (WHERE f IS NOT NULL), '[]') AS fields
              FROM granted g LEFT JOIN LATERAL unnest(g.fields) AS f ON true
              GROUP BY g.party, g.purpose, g.basis) u
        GROUP BY u.party
    ), used AS (
        SELECT m.value ->> 1 AS party, jsonb_agg(DISTINCT m.value ->> 2) AS fields
        FROM registers.access_party p CROSS JOIN LATERAL jsonb_array_elements(p.matches) AS m
        WHERE p.access = access_in AND p.version = version_in AND p.party IN (SELECT party FROM uses)
        GROUP BY 1
    ), union_of AS (
        SELECT g.party, array_agg(DISTINCT f) FILTER (WHERE f IS NOT NULL) AS fields
        FROM granted g LEFT JOIN LATERAL unnest(g.fields) AS f ON true GROUP BY g.party
    )
    SELECT sign, p.ord, p.party, p.register, p.key_field, p.given, p.pick, p.order_by,
           ARRAY(SELECT jsonb_array_elements_text(p.matches -> 0 -> 0)),
           coalesce(p.matches -> 0 -> 0 = jsonb_build_array(p.key_field), false),
           p.matches -> 0 ->> 1, p.matches -> 0 ->> 2, coalesce(p.matches - 0, '[]'), p.wheres,
           p.labels, facts IS NULL OR p.party = ANY (facts) OR n.fields IS NOT NULL,
           ARRAY(SELECT jsonb_array_elements_text(d.fields)),
           left(jsonb_strip_nulls(jsonb_build_object('p', p.party, 'r', p.register, 'u', d.fields, 'f', coalesce((
               SELECT jsonb_object_agg(f.field, f.source) FROM registers.field f
               WHERE f.register = p.register AND f.field = ANY (n.fields)), '{}')))::text, -1),
           left(jsonb_strip_nulls(jsonb_build_object(
               'matter', access_in, 'register', p.register, 'party', p.party, 'uses', u.uses,
               'fields', to_jsonb(coalesce(n.fields, '{}')), 'used', d.fields,
               -- one purpose on the entry's face: the only one, else what all of them have in common
               'purpose', CASE WHEN jsonb_array_length(u.uses) = 1 THEN u.uses -> 0 ->> 'purpose'
                               ELSE declared ->> 'purpose' END,
               'basis', CASE WHEN jsonb_array_length(u.uses) = 1 THEN u.uses -> 0 ->> 'basis'
                             ELSE declared ->> 'basis' END))::text, -1),
           left(jsonb_build_object('matter', access_in, 'register', p.register, 'party', p.party,
                                   'purpose', declared ->> 'purpose', 'basis', declared ->> 'basis')::text, -1)
    FROM registers.access_party p
    JOIN uses u ON u.party = p.party
    LEFT JOIN union_of n ON n.party = p.party
    LEFT JOIN used d ON d.party = p.party
    WHERE p.access = access_in AND p.version = version_in
    ON CONFLICT DO NOTHING;
    RETURN sign;
END $$;
REVOKE ALL ON FUNCTION registers.plan_of(text, text, jsonb, jsonb) FROM PUBLIC;

-- keep_asked: keep what many people ask, {access, version, items, facts, more}; gives the digest to send in place of the lists.
-- Nothing of a person is in it, and nothing is read. Errors: as plan_of; DZ109 when it is no such question.
CREATE OR REPLACE FUNCTION registers.keep_asked(q jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    conditions jsonb := coalesce(q -> 'more', '[]');
    sign text := encode(sha256(convert_to(jsonb_build_array(q -> 'access', q -> 'version', q -> 'items', q -> 'facts', conditions)::text,
                                          'UTF8')), 'hex');
    plan text;
BEGIN
    IF jsonb_typeof(q -> 'items') IS DISTINCT FROM 'array' OR jsonb_typeof(q -> 'facts') IS DISTINCT FROM 'array'
       OR q -> 'items' = '[]' OR jsonb_typeof(conditions) <> 'array' THEN
        RAISE EXCEPTION 'asked' USING ERRCODE = 'DZ109';
    END IF;
    plan := registers.plan_of(q ->> 'access', q ->> 'version', q -> 'items', q -> 'facts');
    INSERT INTO registers.asked SELECT sign, q ->> 'access', q ->> 'version', q -> 'items', q -> 'facts',
        ARRAY(SELECT (m ->> 0)::jsonpath FROM jsonb_array_elements(conditions) WITH ORDINALITY AS x(m, n) ORDER BY n),
        ARRAY(SELECT m -> 1 FROM jsonb_array_elements(conditions) WITH ORDINALITY AS x(m, n) ORDER BY n), plan
    ON CONFLICT DO NOTHING;
    RETURN sign;
END $$;
REVOKE ALL ON FUNCTION registers.keep_asked(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.keep_asked(jsonb) TO dizuo_app;

-- Who asks, as far as it is no personal datum; the rest goes into the erasable payload.
CREATE OR REPLACE FUNCTION registers.face_of(actor jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN jsonb_build_object('kind', actor -> 'kind', 'post', actor -> 'post', 'unit', actor -> 'unit',
                              'place', actor -> 'place', 'channel', actor -> 'channel');
END $$;
REVOKE ALL ON FUNCTION registers.face_of(jsonb) FROM PUBLIC;

-- Everything about one request: its ledger entries, and the plan {"parties": […], "refusals": […]}, which refers to
-- the entries by their numbers from 0. Both are JSON as text, to be parsed once for the whole batch.
CREATE OR REPLACE FUNCTION registers.resolve(q jsonb, OUT entries text[], OUT plan text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    actor     jsonb := q -> 'actor';
    kind      text := actor ->> 'kind';
    mine      bigint[] := array_remove(ARRAY[CASE WHEN kind = 'resident' THEN (actor ->> 'subject')::bigint END,
                                             (actor ->> 'acting_for')::bigint], NULL);
    at        timestamptz := coalesce((q ->> 'as_of')::timestamptz, 'infinity');
    who       jsonb := jsonb_build_object('actor', registers.face_of(actor));
    who_in    text := ',' || right(left(who::text, -1), -1) || ',"state":"';
    hidden    jsonb := jsonb_strip_nulls(jsonb_build_object('case', q -> 'case', 'name', actor -> 'name',
                  'official', actor -> 'official', 'subject', actor -> 'subject', 'acting_for', actor -> 'acting_for'));
    -- Whose chain this is: a later read of the same person in the same case may go on from here.
    chain     text := encode(sha256(convert_to(jsonb_build_array(actor, q -> 'access', q -> 'version', q -> 'case',
                  q -> 'given', q -> 'as_of')::text, 'UTF8')), 'hex');
    passed    jsonb;
    sign      text;
    -- With additions the chain is walked twice: once to judge them, once to enter what is read in the end.
    walks     integer := CASE WHEN jsonb_typeof(q -> 'more') = 'array' AND jsonb_typeof(q -> 'facts') = 'array'
                               AND coalesce(q -> 'after', 'null') = 'null' THEN 2 ELSE 1 END;
    judged    jsonb;
    facts     jsonb := q -> 'facts';
    known     registers.asked;
    condition jsonpath;
    more      text;
    holds     boolean;
    place     integer;
    p         registers.access_plan;
    c         record;
    m         jsonb;
    names     text[] := '{}';
    states    text[] := '{}';
    held      jsonb[] := '{}';
    first_of  bigint[] := '{}';
    n         integer := 0;
    i         integer;
    state     text;
    val       text;
    chosen    jsonb;
    wanted    bigint;
    keys      text[];
    hits      integer;
    hit_key   text;
    hit_ver   integer;
    hit_ref   bigint;
    hit_data  jsonb;
    kept      text;
    one       bigint;
    hit_subj  bigint[];
    source    bigint;
    many      jsonb;
    -- What the first walk found, by position.
    hits_of   integer[] := '{}';
    keys_of   text[] := '{}';
    vers_of   integer[] := '{}';
    refs_of   bigint[] := '{}';
    subjs_of  text[] := '{}';
    manys_of  jsonb[] := '{}';
    parties   text[] := '{}';
    told      text[] := '{}';
    hidden_in text := left(hidden::text, -1);
    refusals  jsonb[] := '{}';
    no        jsonb;
BEGIN
    IF coalesce(btrim(q ->> 'case'), '') = '' THEN
        RAISE EXCEPTION 'no_case' USING ERRCODE = 'DZ104';
    END IF;
    IF kind IS NULL OR kind NOT IN ('resident', 'official', 'system') THEN
        RAISE EXCEPTION 'no_actor' USING ERRCODE = 'DZ105';
    END IF;

    -- What policy refused before is entered here, about the person whose data it would have been.
    FOR no IN SELECT r FROM jsonb_array_elements(CASE WHEN jsonb_typeof(q -> 'refused') = 'array'
                                                      THEN q -> 'refused' ELSE '[]' END) AS r LOOP
        refusals := refusals || (no || jsonb_build_object('reason', 'policy', 'entry', cardinality(told)));
        told := told || jsonb_build_object('kind', 'register.refused',
            'subject', registers.given_subject(q),
            'body', who || jsonb_build_object('matter', q -> 'access', 'reason', 'policy', 'items', no -> 'items',
                                              'rule', no -> 'rule', 'law', no -> 'law'),
            'payload', hidden)::text;
    END LOOP;
    IF q -> 'items' = '[]' THEN
        entries := told;
        plan := jsonb_build_object('parties', '[]'::jsonb, 'refusals', to_jsonb(refusals));
        RETURN;
    END IF;

    IF q -> 'after' <> 'null' THEN
        SELECT jsonb_object_agg(x ->> 'p', x) INTO passed
        FROM registers.ticket k CROSS JOIN LATERAL jsonb_array_elements(k.plan -> 'parties') AS x
        WHERE k.id = (q -> 'after' ->> 'ticket')::uuid AND k.holder = sha256(decode(q -> 'after' ->> 'secret', 'hex'))
          AND k.expires_at > clock_timestamp() AND k.plan ->> 'chain' = chain AND x ->> 's' = 'found';
    END IF;
    IF q ? 'known' THEN
        SELECT k.* INTO known FROM registers.asked k
        JOIN registers.access a ON a.id = k.access AND a.version = k.version AND a.retired_at IS NULL
        WHERE k.digest = q ->> 'known' AND k.access = q ->> 'access' AND k.version = q ->> 'version';
        IF NOT FOUND THEN
            -- Nothing was looked at and nothing is entered: the caller asks again with its lists.
            entries := '{}';
            plan := '{"parties":[],"refusals":[],"again":true}';
            RETURN;
        END IF;
        sign := known.plan;
        walks := CASE WHEN cardinality(known.whens) > 0 AND passed IS NULL THEN 2 ELSE 1 END;
    ELSE
        sign := registers.plan_of(q ->> 'access', q ->> 'version', q -> 'items', facts);
    END IF;
    FOR walk IN 1 .. walks LOOP
    IF walk = 2 THEN
        SELECT coalesce(jsonb_object_agg(names[o], CASE states[o] WHEN 'found' THEN held[o] ELSE 'null' END), '{}') INTO judged
        FROM generate_subscripts(names, 1) AS o WHERE states[o] IN ('found', 'missing');
        more := '[';
        IF known.digest IS NOT NULL THEN
            FOREACH condition IN ARRAY known.whens LOOP
                holds := coalesce(jsonb_path_match(judged, condition, '{}', true), false);
                more := more || CASE WHEN more = '[' THEN '' ELSE ',' END || holds;
            END LOOP;
            more := more || ']';
            SELECT k.plan INTO sign FROM registers.asked_more k WHERE k.digest = known.digest AND k.holds = more;
            IF NOT FOUND THEN
                facts := known.facts;
                FOR m, holds IN SELECT a, h::boolean FROM ROWS FROM (unnest(known.adds), jsonb_array_elements_text(more::jsonb)) AS x(a, h) LOOP
                    IF holds THEN facts := facts || m; END IF;
                END LOOP;
                sign := registers.plan_of(known.access, known.version, known.items, facts);
                INSERT INTO registers.asked_more VALUES (known.digest, more, sign) ON CONFLICT DO NOTHING;
            END IF;
        ELSE
            FOR m IN SELECT x FROM jsonb_array_elements(q -> 'more') AS x LOOP
                holds := coalesce(jsonb_path_match(judged, (m ->> 0)::jsonpath, '{}', true), false);
                more := more || CASE WHEN more = '[' THEN '' ELSE ',' END || holds;
                IF holds THEN
                    facts := facts || (m -> 1);
                END IF;
            END LOOP;
            more := more || ']';
            sign := registers.plan_of(q ->> 'access', q ->> 'version', q -> 'items', facts);
        END IF;
    END IF;
    FOR p IN SELECT * FROM registers.access_plan a WHERE a.digest = sign ORDER BY a.ord LOOP
        IF NOT p.wanted AND passed ? p.party AND to_jsonb(p.used) <@ coalesce(passed -> p.party -> 'u', '[]') THEN
            -- Entered a moment ago by the read that this one goes on from, with the same fields used: pass through.
            SELECT r.data, r.subjects INTO hit_data, hit_subj FROM registers.record r
            WHERE r.register = p.register AND r.key = passed -> p.party ->> 'k'
              AND r.version = (passed -> p.party ->> 'v')::integer;
            IF FOUND THEN
                n := n + 1;
                names[n] := p.party; states[n] := 'found'; held[n] := hit_data; first_of[n] := hit_subj[1];
                CONTINUE;
            END IF;
        END IF;
        place := CASE WHEN walk = 2 THEN array_position(names, p.party) END;
        IF place IS NOT NULL THEN
            state := states[place]; hits := hits_of[place]; source := first_of[place]; many := manys_of[place];
            hit_key := keys_of[place]; hit_ver := vers_of[place]; hit_ref := refs_of[place]; hit_subj := subjs_of[place]::bigint[];
        ELSE
        state := NULL; hits := 0; keys := NULL; source := NULL; many := '[]'; hit_subj := NULL;
        chosen := q -> 'given' -> p.party;
        IF p.given THEN
            IF chosen ? 'identity' THEN
                wanted := (chosen ->> 'identity')::bigint;
                SELECT ARRAY[x.number] INTO keys FROM registers.identity x WHERE x.id = wanted;
                IF keys IS NOT NULL THEN source := wanted; END IF;
            ELSIF chosen ->> 'key' IS NOT NULL THEN
                keys := ARRAY[chosen ->> 'key'];
            END IF;
        ELSE
            i := array_position(names, p.of_party);
            IF i IS NULL OR states[i] = 'missing' THEN
                state := 'missing';
                source := CASE WHEN i IS NOT NULL THEN first_of[i] END;
            ELSIF states[i] <> 'found' THEN
                state := 'waiting';
            ELSE
                source := first_of[i];
                val := held[i] ->> p.of_field;
                IF val IS NULL OR val = '' THEN
                    state := 'missing';
                ELSIF p.by_key THEN
                    keys := ARRAY[val];
                ELSE
                    keys := ARRAY(SELECT l.key FROM registers.lookup l
                                  WHERE l.register = p.register AND l.field = ANY (p.own) AND l.value = val
                                    AND l.known_from <= at AND (l.known_to IS NULL OR l.known_to > at)
                                  LIMIT 200);
                    IF p.key_field = ANY (p.own) THEN keys := keys || val; END IF;
                END IF;
            END IF;
        END IF;

        IF state IS NULL AND cardinality(keys) = 1 AND p.more = '[]' THEN
            -- one key, one current version at most: no loop
            SELECT r.key, r.version, r.ref, r.data, r.subjects INTO hit_key, hit_ver, hit_ref, hit_data, hit_subj
            FROM registers.record r
            WHERE r.register = p.register AND r.key = keys[1]
              AND r.recorded_at <= at AND (r.superseded_at IS NULL OR r.superseded_at > at) AND r.data @> p.wheres;
            IF FOUND THEN hits := 1; END IF;
        ELSIF state IS NULL AND keys IS NOT NULL THEN
            <<candidate>>
            FOR c IN SELECT r.key, r.version, r.ref, r.data, r.subjects FROM registers.record r
                     WHERE r.register = p.register AND r.key = ANY (keys)
                       AND r.recorded_at <= at AND (r.superseded_at IS NULL OR r.superseded_at > at)
                       AND r.data @> p.wheres
                     ORDER BY CASE WHEN p.order_by IS NOT NULL THEN r.data ->> p.order_by END DESC NULLS LAST, r.key LOOP
                FOR k IN 0 .. jsonb_array_length(p.more) - 1 LOOP
                    m := p.more -> k;
                    i := array_position(names, m ->> 1);
                    val := CASE WHEN i IS NOT NULL AND states[i] = 'found' THEN held[i] ->> (m ->> 2) END;
                    CONTINUE candidate WHEN val IS NULL OR NOT EXISTS (
                        SELECT 1 FROM jsonb_array_elements_text(m -> 0) AS f WHERE c.data ->> f = val);
                END LOOP;
                IF p.pick = 'choose' AND c.key <> chosen ->> 'key' THEN
                    CONTINUE candidate;
                END IF;
                hits := hits + 1;
                IF hits = 1 THEN
                    hit_key := c.key; hit_ver := c.version; hit_ref := c.ref; hit_data := c.data; hit_subj := c.subjects;
                END IF;
                EXIT candidate WHEN p.pick = 'latest' OR hits > 50;
                IF p.pick = 'choose' THEN
                    many := many || jsonb_build_object('k', c.key, 'v', c.version, 'ref', c.ref, 's', to_jsonb(c.subjects));
                END IF;
            END LOOP;
        END IF;
        IF p.pick = 'choose' AND state IS NULL AND chosen ->> 'key' IS NOT NULL
           AND (hits = 0 OR hit_key <> chosen ->> 'key') THEN
            RAISE EXCEPTION 'not_candidate' USING ERRCODE = 'DZ106';
        END IF;

        -- The person at the start of the chain must be the reader, or whom the reader acts for.
        IF p.given AND (kind = 'resident' OR actor -> 'acting_for' <> 'null') AND NOT (
               mine && coalesce(hit_subj, '{}') OR (hits = 0 AND (source = ANY (mine) OR keys IS NULL))) THEN
            RAISE EXCEPTION 'not_yours' USING ERRCODE = 'DZ107';
        END IF;

        IF state IS NULL THEN
            state := CASE WHEN hits = 0 OR (hits > 1 AND p.pick = 'one') THEN 'missing'
                          WHEN hits > 1 AND p.pick = 'choose' THEN 'choose' ELSE 'found' END;
        END IF;

        n := n + 1;
        names[n] := p.party;
        states[n] := state;
        held[n] := CASE WHEN state = 'found' THEN hit_data END;
        first_of[n] := CASE WHEN state = 'found' THEN hit_subj[1] ELSE source END;
        IF walk < walks THEN
            hits_of[n] := hits; keys_of[n] := hit_key; vers_of[n] := hit_ver; refs_of[n] := hit_ref;
            subjs_of[n] := hit_subj::text; manys_of[n] := many;
        END IF;
        END IF;
        CONTINUE WHEN walk < walks;

        IF state = 'found' THEN
            parties := parties || (p.face || ',"s":"found","k":' || to_json(hit_key) || ',"v":' || hit_ver
                                   -- of several people's entries the reader is shown the own one
                                   || ',"e":' || cardinality(told) + coalesce(array_position(hit_subj, mine[1]), 1) - 1 || '}');
            kept := p.about || who_in || 'found"},"payload":' || hidden_in || ',"key":"#' || hit_ref || '","version":' || hit_ver || '}}';
            IF hit_subj = '{}' THEN hit_subj := ARRAY[NULL::bigint]; END IF;
            FOREACH one IN ARRAY hit_subj LOOP
                told := told || ('{"kind":"register.read","subject":' || coalesce(one::text, 'null') || ',"body":' || kept);
            END LOOP;
        ELSIF state = 'choose' THEN
            parties := parties || jsonb_build_object('p', p.party, 'r', p.register, 's', state,
                'f', to_jsonb(p.labels), 'e', cardinality(told), 'c', many)::text;
            FOR m IN SELECT x FROM jsonb_array_elements(many) AS x LOOP
                FOR one IN SELECT s::bigint FROM jsonb_array_elements_text(m -> 's') AS s
                           UNION ALL SELECT NULL WHERE jsonb_array_length(m -> 's') = 0 LOOP
                    told := told || jsonb_build_object('kind', 'register.read', 'subject', one,
                        'body', (p.bare || '}')::jsonb || who
                                || jsonb_build_object('state', 'choose', 'fields', to_jsonb(p.labels)),
                        'payload', hidden || jsonb_build_object('key', '#' || (m ->> 'ref'), 'version', m -> 'v'))::text;
                END LOOP;
            END LOOP;
        ELSIF state = 'missing' THEN
            -- That a register holds nothing about somebody is an answer about somebody.
            parties := parties || (p.face || ',"s":"missing","e":' || cardinality(told) || '}');
            told := told || ('{"kind":"register.read","subject":' || coalesce(source::text, 'null') || ',"body":' || p.bare
                || who_in || CASE WHEN hits > 1 THEN 'several' ELSE 'missing' END || '"},"payload":' || hidden_in || '}}');
        ELSE
            parties := parties || (p.face || ',"s":"waiting"}');
        END IF;
    END LOOP;
    END LOOP;

    entries := told;
    plan := '{"chain":"' || chain || '","parties":[' || array_to_string(parties, ',') || '],"refusals":' || to_jsonb(refusals)
        || coalesce(',"more":' || more, '') || '}';
END $$;
REVOKE ALL ON FUNCTION registers.resolve(jsonb) FROM PUBLIC;
