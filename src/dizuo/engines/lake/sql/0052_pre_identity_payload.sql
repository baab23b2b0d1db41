-- What an identity entry says about persons lies in its erasable payload, not in its open body: which clusters and which pair were
-- looked at or judged, and which official did it. Two persons of one pair read the same day and purpose each, and nothing by which
-- the open log would tell that it was about the two of them together. The body keeps what an auditor counts: entity, post, verdict.

CREATE OR REPLACE FUNCTION lake.vote_pair(pair_in bigint, by_in text, verdict_in text, reason_in text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked   lake.identity_pair;
    entry   bigint;
    agreed  bigint;
    votes   bigint;
    reached text;
BEGIN
    SELECT * INTO asked FROM lake.identity_pair p WHERE p.id = pair_in FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no pair %', pair_in USING ERRCODE = 'DZ040';
    END IF;
    IF asked.decided_at IS NOT NULL THEN
        RAISE EXCEPTION 'pair % is decided', pair_in USING ERRCODE = 'DZ041';
    END IF;
    IF EXISTS (SELECT FROM lake.identity_vote v WHERE v.pair = pair_in AND v.by = by_in) THEN
        RAISE EXCEPTION '% has voted on pair %', by_in, pair_in USING ERRCODE = 'DZ042';
    END IF;
    SELECT count(*) FILTER (WHERE v.verdict = verdict_in) + 1, count(*) + 1 INTO agreed, votes
    FROM lake.identity_vote v WHERE v.pair = pair_in;
    reached := CASE WHEN verdict_in <> 'unsure' AND agreed >= 2 THEN verdict_in WHEN votes >= 2 THEN 'disputed' ELSE 'second' END;
    entry := ledger.append('identity.judge', jsonb_build_object(
        'entity', asked.entity, 'actor', jsonb_build_object('kind', 'official'), 'verdict', verdict_in, 'state', reached),
        NULL, jsonb_build_object('pair', pair_in, 'left_cid', asked.left_cid, 'right_cid', asked.right_cid, 'official', by_in,
                                 'reason', reason_in));
    INSERT INTO lake.identity_vote (pair, by, verdict, reason, entry) VALUES (pair_in, by_in, verdict_in, reason_in, entry);
    UPDATE lake.identity_pair p SET state = reached, decided_at = CASE WHEN reached IN ('same', 'different') THEN now() END
    WHERE p.id = pair_in;
    RETURN reached;
END $$;

-- Enter that somebody looks at a pair: one entry for each person concerned, or one without. Returns the first.
CREATE OR REPLACE FUNCTION lake.look_at_pair(pair_in bigint, by_in text, purpose_in text, actor_in jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked  lake.identity_pair;
    about  jsonb;
    hidden jsonb;
    ids    bigint[];
BEGIN
    SELECT * INTO asked FROM lake.identity_pair p WHERE p.id = pair_in;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no pair %', pair_in USING ERRCODE = 'DZ040';
    END IF;
    about := jsonb_build_object('entity', asked.entity, 'purpose', purpose_in, 'actor',
        jsonb_strip_nulls(jsonb_build_object('kind', 'official', 'unit', actor_in ->> 'unit', 'post', actor_in ->> 'post')));
    hidden := jsonb_build_object('pair', pair_in, 'official', by_in);
    SELECT ledger.append_batch(coalesce(
        jsonb_agg(jsonb_build_object('kind', 'identity.look', 'body', about, 'subject', s, 'payload', hidden)),
        jsonb_build_array(jsonb_build_object('kind', 'identity.look', 'body', about, 'payload', hidden))))
    INTO ids FROM unnest(asked.subjects) AS s;
    RETURN ids[1];
END $$;

CREATE OR REPLACE FUNCTION lake.look_at_pair(pair_in bigint, by_in text, purpose_in text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT lake.look_at_pair(pair_in, by_in, purpose_in, NULL::jsonb);
END;

-- The values of a pair, for an entry of lake.look_at_pair that an earlier transaction has made durable. DZ043 otherwise.
CREATE OR REPLACE FUNCTION lake.pair_values(pair_in bigint, entry_in bigint)
RETURNS TABLE (left_values jsonb, right_values jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger.entry e WHERE e.id = entry_in AND e.kind = 'identity.look'
                   AND (e.payload ->> 'pair')::bigint = pair_in AND e.tx <> pg_current_xact_id()
                   AND e.at > now() - interval '10 minutes') THEN
        RAISE EXCEPTION 'entry % does not allow to see pair %', entry_in, pair_in USING ERRCODE = 'DZ043',
            HINT = 'First lake.look_at_pair in a transaction of its own.';
    END IF;
    RETURN QUERY SELECT p.left_values, p.right_values FROM lake.identity_pair p WHERE p.id = pair_in;
END $$;

CREATE OR REPLACE FUNCTION lake.tell_identity_events(store_in uuid, run_in integer, events jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7020, hashtext('lake.identity_event'));
    WITH given AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY g.ord) AS place, g.*
        FROM jsonb_to_recordset(events) AS g (ord integer, entity text, kind text, cid bigint, other_cid bigint, last_cid bigint,
                                              nodes bigint, record_id text, why text, who text)
        WHERE NOT EXISTS (SELECT FROM lake.identity_event e WHERE e.store = store_in AND e.run = run_in AND e.ord = g.ord)
    ), entered AS MATERIALIZED (
        SELECT ledger.append_batch(jsonb_agg(jsonb_build_object(
            'kind', 'identity.' || kind,
            'body', jsonb_strip_nulls(jsonb_build_object('run', run_in, 'entity', entity, 'nodes', nodes, 'actor',
                jsonb_build_object('kind', CASE WHEN coalesce(who, '') = '' THEN 'system' ELSE 'official' END))),
            'payload', jsonb_strip_nulls(jsonb_build_object('cid', cid, 'other_cid', other_cid, 'last_cid', last_cid, 'why', why,
                                                            'record', record_id, 'official', nullif(who, '')))) ORDER BY place)) AS ids
        FROM given
    ), kept AS (
        INSERT INTO lake.identity_event (store, run, ord, entity, kind, cid, other_cid, last_cid, nodes, record_id, why, who, entry)
        SELECT store_in, run_in, ord, entity, kind, cid, other_cid, last_cid, nodes, record_id, why, who, ids[place]
        FROM given, entered ORDER BY place
        RETURNING 1
    )
    SELECT count(*) INTO told FROM kept;
    RETURN told;
END $$;
