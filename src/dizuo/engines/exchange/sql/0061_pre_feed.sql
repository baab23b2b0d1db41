-- The steps of one delivery to one subscription: claim, enter, commit, release, send, acknowledge. A process may die between
-- any two of them: the next one goes on from `position` and `entered_to`, with the same events under the same ids.

-- feed_claim: up to `most` pushed subscriptions that something may wait for, each leased to this process until `until`.
-- `failing_too`: whether those may be among them whose last attempt failed; so the dead never take all places.
CREATE FUNCTION exchange.feed_claim(holder uuid, at timestamptz, until timestamptz, most integer, failing boolean)
RETURNS TABLE (id bigint, target text, batch smallint, failures integer, consumer text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reach record;
BEGIN
    -- Most of the time nobody is due: then nothing is counted and nothing written.
    IF NOT EXISTS (SELECT FROM exchange.subscription d
                   WHERE d.state = 'open' AND d.channel = 'webhook' AND (d.failures > 0) = failing
                     AND (d.retry_at IS NULL OR d.retry_at <= at)) THEN
        RETURN;
    END IF;
    reach := registers.change_reach();
    RETURN QUERY
    UPDATE exchange.subscription s SET lease = holder, leased_until = until, tried_at = at
    FROM (SELECT d.id FROM exchange.subscription d
          WHERE d.state = 'open' AND d.channel = 'webhook' AND (d.failures > 0) = failing
            AND d.position < reach.last AND (d.retry_at IS NULL OR d.retry_at <= at)
            AND (d.leased_until IS NULL OR d.leased_until <= at)
          ORDER BY d.tried_at NULLS FIRST, d.id LIMIT most FOR UPDATE SKIP LOCKED) AS due
    WHERE s.id = due.id
    RETURNING s.id, s.target, s.batch, s.failures, s.consumer;
END $$;
REVOKE ALL ON FUNCTION exchange.feed_claim(uuid, timestamptz, timestamptz, integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_claim(uuid, timestamptz, timestamptz, integer, boolean) TO dizuo_app;

-- feed_enter: enter in the ledger what is to be delivered next. Gives {"to": position up to which may be released,
-- "after": where the consumer stands} or {"stopped": reason}. A pushed subscription is entered one batch ahead and no further;
-- a stream as far as it was asked.
CREATE FUNCTION exchange.feed_enter(subscription_in bigint, holder uuid, most integer) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s      exchange.subscription;
    g      exchange.data_grant;
    why    text;
    reach  record;
    next   record;
BEGIN
    SELECT * INTO s FROM exchange.subscription u WHERE u.id = subscription_in FOR UPDATE;
    IF s.id IS NULL OR s.state <> 'open' THEN
        RETURN jsonb_build_object('stopped', coalesce(nullif(s.why, ''), 'ended'));
    END IF;
    IF s.lease IS DISTINCT FROM holder THEN
        RETURN jsonb_build_object('stopped', 'lease');
    END IF;
    -- The grant is held until this commits: a revocation comes before it, or after it and before the release.
    SELECT * INTO g FROM exchange.data_grant d WHERE d.id = s.grant_id FOR SHARE;
    why := exchange.standing(s.grant_id, 'subscribe');
    IF why = 'suspended' OR why = 'not_yet' OR why = 'offline' THEN
        RETURN jsonb_build_object('stopped', why);
    ELSIF why <> '' THEN
        PERFORM exchange.refuse_delivery(s.grant_id, s.consumer, 'subscribe', why);
        PERFORM exchange.feed_end(s.id, s.consumer, why);
        RETURN jsonb_build_object('stopped', why);
    END IF;
    IF s.entered_fields IS DISTINCT FROM g.fields AND s.entered_to > s.position THEN
        s.entered_to := s.position;  -- the right has changed since: what waits is entered anew, as it is now
    END IF;
    reach := registers.change_reach();
    IF s.entered_to > reach.last THEN
        PERFORM exchange.feed_end(s.id, s.consumer, 'ahead');
        RETURN jsonb_build_object('stopped', 'ahead');
    END IF;
    IF s.entered_to < reach.kept_from - 1 THEN
        -- What lay between is not kept any more: one event says so, the consumer takes the whole anew.
        UPDATE exchange.subscription u SET entered_to = reach.kept_from - 1, entered_fields = g.fields,
            entered_by = pg_current_xact_id() WHERE u.id = s.id;
        RETURN jsonb_build_object('after', s.position, 'to', reach.kept_from - 1, 'events', 1);
    END IF;
    IF s.entered_to > s.position AND s.channel = 'webhook' THEN
        RETURN jsonb_build_object('after', s.position, 'to', s.entered_to);
    END IF;
    next := registers.pick_changes(s.register, g.fields, s.entered_to, reach.last, most);
    IF next.picked = '[]' AND s.entered_to = s.position THEN
        UPDATE exchange.subscription u SET position = next.reached, entered_to = next.reached, failures = 0
        WHERE u.id = s.id AND u.position < next.reached;
        RETURN jsonb_build_object('after', next.reached, 'to', next.reached, 'more', next.reached < reach.last);
    END IF;
    IF next.picked <> '[]' THEN
        PERFORM registers.enter_delivered(s.register, next.picked,
            exchange.about_of(s.grant_id, 'subscribe') || jsonb_build_object('subscription', s.id),
            jsonb_build_object('case', '数据订阅第 ' || s.id || ' 号'));
    END IF;
    UPDATE exchange.subscription u SET entered_to = next.reached, entered_fields = g.fields, entered_by = pg_current_xact_id()
    WHERE u.id = s.id;
    RETURN jsonb_build_object('after', s.position, 'to', next.reached, 'more', next.reached < reach.last,
                              'events', jsonb_array_length(next.picked));
END $$;
REVOKE ALL ON FUNCTION exchange.feed_enter(bigint, uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_enter(bigint, uuid, integer) TO dizuo_app;

-- feed_release: the events between a position and what is entered, with their values; after the entering transaction is on
-- disk. Gives nothing when the grant has ended meanwhile. Errors: DZ604 in the transaction that entered them.
CREATE FUNCTION exchange.feed_release(subscription_in bigint, after bigint, most integer)
RETURNS TABLE ("position" bigint, kind text, ref bigint, version integer, fields text[], at timestamptz, data jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off AS $$
DECLARE
    s      exchange.subscription;
    g      exchange.data_grant;
    reach  record;
    next   record;
    start  bigint;
BEGIN
    SELECT * INTO s FROM exchange.subscription u WHERE u.id = subscription_in;
    SELECT * INTO g FROM exchange.data_grant d WHERE d.id = s.grant_id;
    IF s.id IS NULL OR s.state <> 'open' OR exchange.standing(s.grant_id, 'subscribe') <> '' THEN
        RETURN;
    END IF;
    IF s.entered_by = pg_current_xact_id_if_assigned() THEN
        RAISE EXCEPTION 'what is entered here is not on disk yet' USING ERRCODE = 'DZ604';
    END IF;
    IF s.entered_fields <> g.fields THEN
        RETURN;  -- entered for another extent of the right: the next feed_enter does it anew
    END IF;
    PERFORM registers.durable();
    start := greatest(after, s.position);
    reach := registers.change_reach();
    IF start < reach.kept_from - 1 AND s.entered_to >= reach.kept_from - 1 THEN
        start := reach.kept_from - 1;
        RETURN QUERY SELECT start, 'gap'::text, NULL::bigint, NULL::integer, '{}'::text[], clock_timestamp(), NULL::jsonb;
    END IF;
    IF start >= s.entered_to THEN
        RETURN;
    END IF;
    next := registers.pick_changes(s.register, g.fields, start, s.entered_to, most);
    RETURN QUERY
    SELECT x.position, x.kind, x.ref, x.version, x.fields, x.at, o.data
    FROM jsonb_to_recordset(next.picked)
        AS x(position bigint, kind text, ref bigint, version integer, fields text[], at timestamptz)
    JOIN registers.open_delivered(s.register, next.picked) AS o ON o.position = x.position
    ORDER BY x.position;
END $$;
REVOKE ALL ON FUNCTION exchange.feed_release(bigint, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_release(bigint, bigint, integer) TO dizuo_app;

-- feed_ack: the consumer has everything up to a position. Never moves back, nor beyond what was entered. False: not leased to
-- this holder any more, or nothing moved.
CREATE FUNCTION exchange.feed_ack(subscription_in bigint, holder uuid, upto bigint, events integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE exchange.subscription u SET position = upto, failures = 0, last_error = '', retry_at = NULL,
        delivered = u.delivered + events
    WHERE u.id = subscription_in AND u.state = 'open' AND u.lease IS NOT DISTINCT FROM holder
      AND upto > u.position AND upto <= u.entered_to;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION exchange.feed_ack(bigint, uuid, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_ack(bigint, uuid, bigint, integer) TO dizuo_app;

-- feed_let_go: give the lease back; `failed` counts up the failures and says until when to wait.
CREATE FUNCTION exchange.feed_let_go(subscription_in bigint, holder uuid, failed boolean, error text, retry timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE exchange.subscription u SET lease = NULL, leased_until = NULL,
        failures = u.failures + failed::integer, last_error = left(error, 300), retry_at = retry
    WHERE u.id = subscription_in AND u.lease = holder;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION exchange.feed_let_go(bigint, uuid, boolean, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_let_go(bigint, uuid, boolean, text, timestamptz) TO dizuo_app;

-- feed_look: whether something may wait for a stream behind `after`, without locking anything: asked twice a second by each.
-- `key` is the one that the stream was opened with: once it is revoked or over, the stream ends.
CREATE FUNCTION exchange.feed_look(subscription_in bigint, after bigint, key_in text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s     exchange.subscription;
    why   text;
    reach record;
BEGIN
    SELECT * INTO s FROM exchange.subscription u WHERE u.id = subscription_in;
    IF s.id IS NULL OR s.state <> 'open' THEN
        RETURN jsonb_build_object('stopped', coalesce(nullif(s.why, ''), 'ended'));
    END IF;
    IF NOT exchange.key_holds(key_in, s.consumer) THEN
        RETURN jsonb_build_object('stopped', 'key');
    END IF;
    why := exchange.standing(s.grant_id, 'subscribe');
    IF why <> '' THEN
        RETURN jsonb_build_object('stopped', why);
    END IF;
    reach := registers.change_reach();
    RETURN jsonb_build_object('waiting', greatest(after, s.position) < reach.last);
END $$;
REVOKE ALL ON FUNCTION exchange.feed_look(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_look(bigint, bigint, text) TO dizuo_app;

-- key_holds: whether a key is this department's and holds now.
CREATE FUNCTION exchange.key_holds(key_in text, consumer_in text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM exchange.signing_key k WHERE k.id = key_in AND k.consumer = consumer_in
                   AND k.revoked_at IS NULL AND now() >= k.valid_from AND now() < k.valid_until);
END $$;
REVOKE ALL ON FUNCTION exchange.key_holds(text, text) FROM PUBLIC;

-- take_nonce: use up the nonce of a signed request that asks for no subject (subscriptions, downloads). Gives '' or why not:
-- key (it does not hold any more) or replay.
CREATE FUNCTION exchange.take_nonce(key_in text, consumer_in text, nonce_in text, until_in bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT exchange.key_holds(key_in, consumer_in) THEN
        RETURN 'key';
    END IF;
    INSERT INTO exchange.nonce (key, nonce, call, until) VALUES (key_in, nonce_in, gen_random_uuid(), until_in)
    ON CONFLICT (key, nonce) DO NOTHING;
    RETURN CASE WHEN FOUND THEN '' ELSE 'replay' END;
END $$;
REVOKE ALL ON FUNCTION exchange.take_nonce(text, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.take_nonce(text, text, text, bigint) TO dizuo_app;
