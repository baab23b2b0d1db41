-- The doors themselves: request (enter, commit) and release (values, only after that).

-- Whose data a refused request was about: the first given party's person, as far as the city knows one.
CREATE OR REPLACE FUNCTION registers.given_subject(q jsonb) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    g     record;
    whom  bigint;
BEGIN
    FOR g IN SELECT p.party, p.register, q -> 'given' -> p.party AS said FROM registers.access_party p
             WHERE p.access = q ->> 'access' AND p.version = q ->> 'version' AND p.given ORDER BY p.ord LOOP
        IF g.said ? 'identity' THEN
            SELECT i.id INTO whom FROM registers.identity i WHERE i.id = (g.said ->> 'identity')::bigint;
        ELSIF g.said ? 'key' THEN
            SELECT r.subjects[1] INTO whom FROM registers.record r
            WHERE r.register = g.register AND r.key = g.said ->> 'key' AND r.superseded_at IS NULL;
        END IF;
        IF whom IS NOT NULL THEN RETURN whom; END IF;
    END LOOP;
    RETURN NULL;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;  -- a refusal must be entered even when what was given cannot be read
END $$;
REVOKE ALL ON FUNCTION registers.given_subject(jsonb) FROM PUBLIC;

-- A whole request refused: one entry with the reason, no party.
CREATE OR REPLACE FUNCTION registers.refuse(q jsonb, reason text, OUT entries text[], OUT plan text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY[jsonb_build_object(
            'kind', 'register.refused', 'subject', registers.given_subject(q),
            'body', jsonb_build_object('matter', q -> 'access', 'reason', reason, 'items', q -> 'items',
                                       'rule', 'registers.' || reason, 'actor', registers.face_of(q -> 'actor')),
            'payload', jsonb_build_object('case', q -> 'case', 'name', q -> 'actor' -> 'name', 'facts', q -> 'facts',
                                          'official', q -> 'actor' -> 'official', 'subject', q -> 'actor' -> 'subject'))::text],
        jsonb_build_object('parties', '[]'::jsonb, 'refusals', jsonb_build_array(jsonb_build_object(
            'reason', reason, 'items', q -> 'items', 'rule', 'registers.' || reason, 'entry', 0)))::text
$$;
REVOKE ALL ON FUNCTION registers.refuse(jsonb, text) FROM PUBLIC;

-- Signing in asks one thing: which identity a number is. It is entered like a read.
CREATE OR REPLACE FUNCTION registers.resolve_sign_in(q jsonb, OUT entries text[], OUT plan text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whom bigint;
BEGIN
    SELECT i.id INTO whom FROM registers.identity i
    WHERE i.scheme = q -> 'sign_in' ->> 'scheme' AND i.number = q -> 'sign_in' ->> 'number';
    entries := ARRAY[jsonb_build_object(
            'kind', 'register.sign_in', 'subject', whom,
            'body', jsonb_build_object('scheme', q -> 'sign_in' -> 'scheme', 'found', whom IS NOT NULL,
                                       'channel', q -> 'sign_in' -> 'channel'),
            -- a known number is the subject's; repeating it here would show it to whoever may read entries
            'payload', CASE WHEN whom IS NULL THEN jsonb_build_object('number', q -> 'sign_in' -> 'number') END)::text];
    plan := jsonb_build_object('identity', whom, 'parties', '[]'::jsonb, 'refusals', '[]'::jsonb);
END $$;
REVOKE ALL ON FUNCTION registers.resolve_sign_in(jsonb) FROM PUBLIC;

-- request: many reads in one transaction, each for itself: a refused or broken one does not harm the others.
-- Takes [{access, version, items, facts, given, case, actor, refused, as_of, after, holder}], where `holder` is the hex
-- of SHA-256 of a secret that release must show, and `after` {ticket, secret} names a read to go on from. `known` may stand for items,
-- facts and conditions that were kept (keep_asked); unknown, the release says `again`. Returns one ticket each, in order, and says nothing else.
-- The debug settings are pinned because a session that may set them would be shown the plans, constants included.
CREATE OR REPLACE FUNCTION registers.request(batch jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    q        jsonb;
    r        record;
    shown_to bytea;
    tickets  uuid[] := '{}';
    holders  bytea[] := '{}';
    plans    text[] := '{}';
    told     text[] := '{}';
    until    integer[] := '{0}';
    ids      bigint[];
BEGIN
    IF jsonb_typeof(batch) IS DISTINCT FROM 'array' OR jsonb_array_length(batch) > 2000 THEN
        RAISE EXCEPTION 'registers.request takes an array of at most 2000 requests' USING ERRCODE = 'DZ100';
    END IF;
    FOR q IN SELECT e FROM jsonb_array_elements(batch) AS e LOOP
        shown_to := NULL;
        BEGIN
            shown_to := decode(q ->> 'holder', 'hex');
            IF shown_to IS NULL OR length(shown_to) <> 32 THEN
                RAISE EXCEPTION 'holder' USING ERRCODE = 'DZ108';
            END IF;
            IF q ? 'sign_in' THEN
                r := registers.resolve_sign_in(q);
            ELSE
                r := registers.resolve(q);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            -- The message of an unforeseen error may hold a value, so only its code leaves.
            IF SQLSTATE ~ '^(25|40|53|54|55|57|58)' THEN
                -- The database is in trouble, not the question: nothing is entered, the caller tries again.
                RAISE EXCEPTION 'registers.request could not work (SQLSTATE %)', SQLSTATE USING ERRCODE = SQLSTATE;
            ELSIF SQLSTATE NOT LIKE 'DZ1__' THEN
                RAISE LOG 'registers.request: a request failed with SQLSTATE %', SQLSTATE;
            END IF;
            shown_to := coalesce(shown_to, sha256(gen_random_uuid()::text::bytea));
            IF q ? 'known' THEN
                q := q || coalesce((SELECT jsonb_build_object('items', k.items, 'facts', k.facts) FROM registers.asked k
                                    WHERE k.digest = q ->> 'known'), '{}');
            END IF;
            r := registers.refuse(q, CASE SQLSTATE
                WHEN 'DZ101' THEN 'no_access' WHEN 'DZ102' THEN 'no_grant' WHEN 'DZ103' THEN 'outside'
                WHEN 'DZ104' THEN 'no_case' WHEN 'DZ105' THEN 'no_actor' WHEN 'DZ106' THEN 'not_candidate'
                WHEN 'DZ107' THEN 'not_yours' ELSE 'malformed' END);
        END;
        tickets := tickets || gen_random_uuid();
        holders := holders || shown_to;
        plans := plans || r.plan;
        told := told || r.entries;
        until := until || cardinality(told);
    END LOOP;
    -- One statement enters what all of them read or were refused, one keeps their tickets.
    ids := ledger.append_batch(('[' || array_to_string(told, ',') || ']')::jsonb);
    INSERT INTO registers.ticket (id, holder, expires_at, plan, entries)
    SELECT t.id, t.holder, clock_timestamp() + interval '60 seconds', t.plan::jsonb, ids[until[t.ord] + 1 : until[t.ord + 1]]
    FROM unnest(tickets, holders, plans) WITH ORDINALITY AS t(id, holder, plan, ord);

    -- One batch in sixteen sweeps for all of them, because every sweep walks past what the last one left dead. now(), not
    -- clock_timestamp(): only a stable bound lets the index stop at the first ticket that is still good.
    IF random() < 0.0625 THEN
        DELETE FROM registers.ticket t WHERE t.id IN (
            SELECT o.id FROM registers.ticket o WHERE o.expires_at < now() - interval '1 minute'
            ORDER BY o.expires_at LIMIT 4000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN to_jsonb(tickets);
END $$;
REVOKE ALL ON FUNCTION registers.request(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.request(jsonb) TO dizuo_app;

-- durable: everything that this transaction can see is on disk.
-- A transaction committed with synchronous_commit = off is visible before it is on disk. Whoever sees it asks
-- for the write-ahead log up to now; usually that has long been flushed and nothing happens.
CREATE OR REPLACE FUNCTION registers.durable() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until  pg_lsn := pg_current_wal_insert_lsn();
    tries  integer := 0;
BEGIN
    IF pg_current_wal_flush_lsn() >= until THEN
        RETURN;
    END IF;
    IF current_setting('server_version_num')::integer >= 170000 THEN
        PERFORM pg_logical_emit_message(false, 'dizuo', '', true);
    END IF;
    -- Before 17 nothing in SQL flushes; the log writer does within three of its rounds (200 ms by default).
    WHILE pg_current_wal_flush_lsn() < until LOOP
        tries := tries + 1;
        IF tries > 2500 THEN
            RAISE EXCEPTION 'the write-ahead log was not flushed in 5 seconds' USING ERRCODE = 'DZ110';
        END IF;
        PERFORM pg_sleep(0.002);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION registers.durable() FROM PUBLIC;

-- release: what the tickets stand for, in their order; each with the secret whose hash its request gave.
-- Gives {"parties", "facts", "refusals", "entries"} or {"identity"}, or {"closed": reason} for a ticket that opens
-- nothing: of this very transaction, unknown, shown with a wrong secret, or expired. That is entered too.
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
    SELECT coalesce(json_agg(CASE WHEN u.closed IS NOT NULL THEN json_build_object('closed', u.closed)
                                  WHEN k.plan ? 'identity' THEN json_build_object('identity', k.plan -> 'identity')
                                  ELSE registers.open_plan(k.plan, k.entries) END ORDER BY u.ord), '[]') INTO answer
    FROM unnest(tickets, closed) WITH ORDINALITY AS u(id, closed, ord)
    LEFT JOIN registers.ticket k ON u.closed IS NULL AND k.id = u.id;
    IF cardinality(array_remove(closed, NULL)) > 0 THEN
        SELECT jsonb_agg(jsonb_build_object('kind', 'register.refused', 'subject', NULL, 'payload', NULL,
            'body', jsonb_build_object('reason', 'ticket_' || u.closed, 'rule', 'registers.ticket_' || u.closed)) ORDER BY u.ord)
        INTO shut FROM unnest(closed) WITH ORDINALITY AS u(closed, ord) WHERE u.closed IS NOT NULL;
        PERFORM ledger.append_batch(shut);
    END IF;
    RETURN answer;
END $$;

-- The values that a plan points at, from the very versions that its entries name.
CREATE OR REPLACE FUNCTION registers.open_plan(plan jsonb, entries bigint[]) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT json_build_object(
        'parties', coalesce(json_agg(json_build_object(
            'party', x.p, 'register', x.r, 'state', x.s, 'key', x.k, 'entry', entries[x.e + 1],
            'facts', CASE WHEN x.s = 'found' AND x.f <> '{}' THEN (
                SELECT json_object_agg(f.field, json_build_array(r.data -> f.field, f.source, r.sources -> f.source))
                FROM registers.record r CROSS JOIN LATERAL jsonb_each_text(x.f) AS f(field, source)
                WHERE r.register = x.r AND r.key = x.k AND r.version = x.v) END,
            'candidates', CASE WHEN x.s = 'choose' THEN (
                SELECT json_agg(json_build_array(r.key, (
                    SELECT json_object_agg(l, r.data -> l) FROM jsonb_array_elements_text(x.f) AS l)) ORDER BY r.key)
                FROM jsonb_to_recordset(x.c) AS c(k text, v integer)
                JOIN registers.record r ON r.register = x.r AND r.key = c.k AND r.version = c.v) END))
            , '[]'),
        'refusals', (SELECT coalesce(json_agg(n || jsonb_build_object('entry', entries[(n ->> 'entry')::integer + 1])), '[]')
                     FROM jsonb_array_elements(plan -> 'refusals') AS n),
        'entries', entries)
    FROM jsonb_to_recordset(plan -> 'parties')
        AS x(p text, r text, s text, k text, v integer, f jsonb, e integer, c jsonb));
END $$;
REVOKE ALL ON FUNCTION registers.open_plan(jsonb, bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION registers.release(uuid[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.release(uuid[], bytea[]) TO dizuo_app;

-- exchange: both steps in one journey: enter, commit, release. It has no rights of its own: what it may see is what the
-- two functions give its caller, and the commit between them is a real one. In a transaction of the caller it fails.
CREATE OR REPLACE PROCEDURE registers.exchange(batch jsonb, secrets bytea[], INOUT answers text DEFAULT NULL)
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    tickets uuid[] := ARRAY(SELECT t::uuid FROM pg_catalog.jsonb_array_elements_text(registers.request(batch)) AS t);
BEGIN
    COMMIT;
    answers := pg_catalog.json_build_object('tickets', tickets, 'answers', registers.release(tickets, secrets))::text;
END $$;
REVOKE ALL ON PROCEDURE registers.exchange(jsonb, bytea[], text) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE registers.exchange(jsonb, bytea[], text) TO dizuo_app;
