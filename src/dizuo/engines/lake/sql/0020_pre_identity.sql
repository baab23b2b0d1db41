-- Who is who (城市身份): what happened to identities, in order and signed; pairs that people must look at; what they judged.

-- One row per thing that happened to an identity: new (a whole range cid..last_cid at once), merge (other_cid went into cid), split and
-- unmerge (other_cid left cid, unmerge with the number it had before), move (record_id went from other_cid to cid).
-- `entry` is the ledger's entry that holds it. `store` tells one identity store from another: a rebuilt one starts anew.
CREATE TABLE lake.identity_event (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store      uuid        NOT NULL,
    run        integer     NOT NULL,
    ord        integer     NOT NULL,
    entity     text COLLATE "C" NOT NULL CHECK (entity IN ('person', 'enterprise')),
    kind       text COLLATE "C" NOT NULL CHECK (kind IN ('new', 'merge', 'split', 'unmerge', 'move')),
    cid        bigint      NOT NULL,
    other_cid  bigint,
    last_cid   bigint,
    nodes      bigint      NOT NULL,
    record_id  text COLLATE "C",
    why        text        NOT NULL,
    who        text        NOT NULL DEFAULT '',
    entry      bigint      NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (store, run, ord),
    CHECK ((kind = 'new') = (last_cid IS NOT NULL)),
    CHECK ((kind = 'new') = (other_cid IS NULL)),
    CHECK ((kind = 'move') = (record_id IS NOT NULL))
);
CREATE INDEX identity_event_cid ON lake.identity_event (cid);
CREATE INDEX identity_event_other ON lake.identity_event (other_cid) WHERE other_cid IS NOT NULL;
COMMENT ON TABLE lake.identity_event IS '身份事件: new, merge, split, unmerge, move; append-only, read in order of seq';

-- A pair of records that nobody but people can judge. `evidence` holds comparisons, degrees and bits, no values; the values are
-- personal and leave only through lake.pair_values.
CREATE TABLE lake.identity_pair (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store         uuid        NOT NULL,
    run           integer     NOT NULL,
    entity        text COLLATE "C" NOT NULL CHECK (entity IN ('person', 'enterprise')),
    left_record   text COLLATE "C" NOT NULL,
    right_record  text COLLATE "C" NOT NULL,
    left_cid      bigint      NOT NULL,
    right_cid     bigint      NOT NULL,
    weight        real        NOT NULL,
    why           text COLLATE "C" NOT NULL CHECK (why IN ('uncertain', 'two_numbers', 'two_births', 'too_many', 'questioned')),
    evidence      jsonb       NOT NULL,
    left_values   jsonb       NOT NULL,
    right_values  jsonb       NOT NULL,
    subjects      bigint[]    NOT NULL DEFAULT '{}',
    state         text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'second', 'disputed', 'same', 'different')),
    found_at      timestamptz NOT NULL DEFAULT now(),
    decided_at    timestamptz,
    CHECK (left_record < right_record),
    CHECK ((decided_at IS NOT NULL) = (state IN ('same', 'different')))
);
-- One open question about two records; when it has been judged, it may be asked again only by people.
CREATE UNIQUE INDEX identity_pair_asked ON lake.identity_pair (entity, left_record, right_record) WHERE decided_at IS NULL;
CREATE INDEX identity_pair_queue ON lake.identity_pair (state, weight DESC, id) WHERE decided_at IS NULL;
COMMENT ON TABLE lake.identity_pair IS '待核身份: two records side by side for two officials';

-- What each official said of a pair: one word each.
CREATE TABLE lake.identity_vote (
    pair     bigint      NOT NULL REFERENCES lake.identity_pair (id),
    by       text COLLATE "C" NOT NULL CHECK (by <> ''),
    verdict  text COLLATE "C" NOT NULL CHECK (verdict IN ('same', 'different', 'unsure')),
    reason   text        NOT NULL CHECK (length(reason) BETWEEN 2 AND 500),
    at       timestamptz NOT NULL DEFAULT now(),
    entry    bigint      NOT NULL,
    PRIMARY KEY (pair, by)
);

-- One vote, with its ledger entry; two different officials of one opinion decide. Returns the state of the pair afterwards.
-- DZ040 no such pair, DZ041 decided already, DZ042 this official has voted before.
CREATE FUNCTION lake.vote_pair(pair_in bigint, by_in text, verdict_in text, reason_in text) RETURNS text
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
        'pair', pair_in, 'entity', asked.entity, 'left_cid', asked.left_cid, 'right_cid', asked.right_cid,
        'actor', by_in, 'verdict', verdict_in, 'state', reached), NULL, jsonb_build_object('reason', reason_in));
    INSERT INTO lake.identity_vote (pair, by, verdict, reason, entry) VALUES (pair_in, by_in, verdict_in, reason_in, entry);
    UPDATE lake.identity_pair p SET state = reached, decided_at = CASE WHEN reached IN ('same', 'different') THEN now() END
    WHERE p.id = pair_in;
    RETURN reached;
END $$;

-- Enter that somebody looks at a pair: one entry for each person concerned, or one without. Returns the first.
CREATE FUNCTION lake.look_at_pair(pair_in bigint, by_in text, purpose_in text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked lake.identity_pair;
    about jsonb;
    ids   bigint[];
BEGIN
    SELECT * INTO asked FROM lake.identity_pair p WHERE p.id = pair_in;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no pair %', pair_in USING ERRCODE = 'DZ040';
    END IF;
    about := jsonb_build_object('pair', pair_in, 'entity', asked.entity, 'actor', by_in, 'purpose', purpose_in);
    SELECT ledger.append_batch(coalesce(
        jsonb_agg(jsonb_build_object('kind', 'identity.look', 'body', about, 'subject', s)),
        jsonb_build_array(jsonb_build_object('kind', 'identity.look', 'body', about))))
    INTO ids FROM unnest(asked.subjects) AS s;
    RETURN ids[1];
END $$;

-- The values of a pair, for an entry of lake.look_at_pair that an earlier transaction has made durable. DZ043 otherwise.
CREATE FUNCTION lake.pair_values(pair_in bigint, entry_in bigint)
RETURNS TABLE (left_values jsonb, right_values jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger.entry e WHERE e.id = entry_in AND e.kind = 'identity.look'
                   AND (e.body ->> 'pair')::bigint = pair_in AND e.tx <> pg_current_xact_id()
                   AND e.at > now() - interval '10 minutes') THEN
        RAISE EXCEPTION 'entry % does not allow to see pair %', entry_in, pair_in USING ERRCODE = 'DZ043',
            HINT = 'First lake.look_at_pair in a transaction of its own.';
    END IF;
    RETURN QUERY SELECT p.left_values, p.right_values FROM lake.identity_pair p WHERE p.id = pair_in;
END $$;

-- Events of one run, [{ord, entity, kind, cid, other_cid, last_cid, nodes, record_id, why, who}], each with its ledger entry; those
-- that are there already are passed over. One writer at a time, so that readers never see a higher seq before a lower one.
CREATE FUNCTION lake.tell_identity_events(store_in uuid, run_in integer, events jsonb) RETURNS bigint
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
        -- Which record moved is personal: it stays in the event and is bound by the entry's commitment.
        SELECT ledger.append_batch(jsonb_agg(jsonb_build_object(
            'kind', 'identity.' || kind,
            'body', jsonb_strip_nulls(jsonb_build_object('run', run_in, 'entity', entity, 'cid', cid, 'other_cid', other_cid,
                                                         'last_cid', last_cid, 'nodes', nodes, 'actor', nullif(who, ''))),
            'payload', jsonb_strip_nulls(jsonb_build_object('why', why, 'record', record_id))) ORDER BY place)) AS ids
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

REVOKE ALL ON lake.identity_event, lake.identity_pair, lake.identity_vote FROM PUBLIC;
REVOKE ALL ON FUNCTION lake.vote_pair(bigint, text, text, text), lake.look_at_pair(bigint, text, text),
    lake.pair_values(bigint, bigint), lake.tell_identity_events(uuid, integer, jsonb) FROM PUBLIC;
GRANT SELECT ON lake.identity_event, lake.identity_vote TO dizuo_loader, dizuo_app;
GRANT SELECT, INSERT ON lake.identity_pair TO dizuo_loader;
GRANT SELECT (id, run, entity, left_record, right_record, left_cid, right_cid, weight, why, evidence, state, found_at, decided_at)
    ON lake.identity_pair TO dizuo_app;
GRANT EXECUTE ON FUNCTION lake.vote_pair(bigint, text, text, text), lake.look_at_pair(bigint, text, text),
    lake.pair_values(bigint, bigint) TO dizuo_app;
GRANT EXECUTE ON FUNCTION lake.tell_identity_events(uuid, integer, jsonb) TO dizuo_loader;
