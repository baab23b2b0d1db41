-- Subscriptions (订阅): a department follows the changes of one register under a grant, each with a cursor of its own.
--
-- A number is all that is kept of what waits: events are made from the registers' feed when they leave, so an hour's outage
-- costs no row. `position`: up to there the consumer has everything. `entered_to`: up to there everything is entered in the
-- ledger and may be released, once or often, always under the same event ids.

CREATE TABLE exchange.subscription (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    grant_id        bigint NOT NULL REFERENCES exchange.data_grant (id),
    consumer        text COLLATE "C" NOT NULL,
    resource        text COLLATE "C" NOT NULL,
    register        text COLLATE "C" NOT NULL,
    -- webhook: pushed to `target`; stream: fetched by the consumer (server-sent events).
    channel         text COLLATE "C" NOT NULL CHECK (channel IN ('webhook', 'stream')),
    target          text NOT NULL DEFAULT '',
    batch           smallint NOT NULL DEFAULT 100 CHECK (batch BETWEEN 1 AND 200),
    position        bigint NOT NULL CHECK (position >= 0),
    entered_to      bigint NOT NULL,
    entered_fields  text[] COLLATE "C" NOT NULL DEFAULT '{}',
    entered_by      xid8,
    state           text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'ended')),
    why             text COLLATE "C" NOT NULL DEFAULT '',
    failures        integer NOT NULL DEFAULT 0,
    last_error      text NOT NULL DEFAULT '',
    retry_at        timestamptz,
    tried_at        timestamptz,
    lease           uuid,
    leased_until    timestamptz,
    delivered       bigint NOT NULL DEFAULT 0,
    opened_at       timestamptz NOT NULL DEFAULT now(),
    CHECK (entered_to >= position),
    CHECK ((channel = 'webhook') = (target <> ''))
);
CREATE INDEX subscription_due ON exchange.subscription (tried_at) WHERE state = 'open' AND channel = 'webhook';
CREATE INDEX subscription_consumer ON exchange.subscription (consumer);
-- Changed by the functions below only: whoever could set `entered_to` could take values that nobody entered.
GRANT SELECT ON exchange.subscription TO dizuo_app;

-- standing: '' when a grant allows the method today, else why not, as a word of docs/know/subscriptions.md.
CREATE FUNCTION exchange.standing(grant_in bigint, method_in text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((
        SELECT CASE WHEN g.state <> 'open' THEN g.state
                    WHEN (now() AT TIME ZONE 'Asia/Shanghai')::date > g.expires THEN 'expired'
                    WHEN (now() AT TIME ZONE 'Asia/Shanghai')::date < g.starts THEN 'not_yet'
                    WHEN NOT method_in = ANY (g.methods) THEN 'method'
                    WHEN r.register IS NULL THEN 'no_register'
                    WHEN r.state = 'offline' THEN 'offline'
                    ELSE '' END
        FROM exchange.data_grant g JOIN exchange.resource r ON r.code = g.resource WHERE g.id = grant_in), 'unknown')
$$;
REVOKE ALL ON FUNCTION exchange.standing(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.standing(bigint, text) TO dizuo_app;

-- What every entry of a delivery under a grant says: who, what for, which law. A purpose is a sentence that a citizen reads.
CREATE FUNCTION exchange.about_of(grant_in bigint, method_in text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'purpose', g.purpose, 'basis', g.basis, 'serves', nullif(g.matter, ''), 'resource', g.resource, 'grant', g.id,
        'method', method_in,
        'actor', jsonb_build_object('kind', 'system', 'unit', g.consumer, 'channel', 'system')))
    FROM exchange.data_grant g WHERE g.id = grant_in
$$;
REVOKE ALL ON FUNCTION exchange.about_of(bigint, text) FROM PUBLIC;

-- refuse_delivery: enter that something was not delivered, and why; about no person, because none was looked at.
CREATE FUNCTION exchange.refuse_delivery(grant_in bigint, consumer_in text, method_in text, reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ledger.append('exchange.refused', coalesce(exchange.about_of(grant_in, method_in), '{}')
        || jsonb_build_object('reason', reason, 'rule', 'exchange.' || reason, 'law', 'data-sharing-2025:25', 'grant', grant_in,
                              'method', method_in, 'actor', jsonb_build_object('kind', 'system', 'unit', consumer_in,
                                                                               'channel', 'system')), NULL, NULL)
$$;
REVOKE ALL ON FUNCTION exchange.refuse_delivery(bigint, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.refuse_delivery(bigint, text, text, text) TO dizuo_app;

-- feed_open: a new subscription, from a position of the feed or (null) from now on. Gives its number and position.
-- Errors: DZ601 with the reason in DETAIL when the grant does not allow it, DZ602 a position that was never given,
-- DZ603 too many of one consumer under one grant.
CREATE FUNCTION exchange.feed_open(grant_in bigint, consumer_in text, channel_in text, target_in text, batch_in integer,
                                   after bigint, OUT id bigint, OUT "position" bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    g      exchange.data_grant;
    why    text := exchange.standing(grant_in, 'subscribe');
    reach  record;
    source text;
BEGIN
    SELECT * INTO g FROM exchange.data_grant d WHERE d.id = grant_in FOR UPDATE;
    IF why = '' AND g.consumer <> consumer_in THEN why := 'unknown'; END IF;
    IF why <> '' THEN
        RAISE EXCEPTION 'the grant does not allow this subscription' USING ERRCODE = 'DZ601', DETAIL = why;
    END IF;
    IF (SELECT count(*) FROM exchange.subscription s WHERE s.grant_id = grant_in AND s.state = 'open') >= 10 THEN
        RAISE EXCEPTION 'too many subscriptions under this grant' USING ERRCODE = 'DZ603';
    END IF;
    reach := registers.change_reach();
    IF after IS NOT NULL AND (after < 0 OR after > reach.last) THEN
        RAISE EXCEPTION 'the feed has positions up to %', reach.last USING ERRCODE = 'DZ602';
    END IF;
    SELECT r.register INTO source FROM exchange.resource r WHERE r.code = g.resource;
    INSERT INTO exchange.subscription AS s (grant_id, consumer, resource, register, channel, target, batch, position, entered_to)
    VALUES (grant_in, consumer_in, g.resource, source, channel_in, target_in, batch_in, coalesce(after, reach.last),
            coalesce(after, reach.last))
    RETURNING s.id, s.position INTO id, "position";
    PERFORM ledger.append('exchange.subscribed', exchange.about_of(grant_in, 'subscribe') || jsonb_build_object(
        'subscription', id, 'register', source, 'channel', channel_in, 'fields', to_jsonb(g.fields), 'after', "position"), NULL, NULL);
END $$;
REVOKE ALL ON FUNCTION exchange.feed_open(bigint, text, text, text, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_open(bigint, text, text, text, integer, bigint) TO dizuo_app;

-- feed_end: it delivers no more. False when it was ended before or is not this consumer's.
CREATE FUNCTION exchange.feed_end(subscription_in bigint, consumer_in text, reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s exchange.subscription;
BEGIN
    UPDATE exchange.subscription u SET state = 'ended', why = reason, lease = NULL, leased_until = NULL
    WHERE u.id = subscription_in AND u.consumer = consumer_in AND u.state = 'open' RETURNING * INTO s;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger.append('exchange.unsubscribed', exchange.about_of(s.grant_id, 'subscribe') || jsonb_build_object(
        'subscription', s.id, 'register', s.register, 'reason', reason, 'delivered', s.delivered), NULL, NULL);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION exchange.feed_end(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_end(bigint, text, text) TO dizuo_app;

-- feed_replay: go back to an earlier position on the consumer's wish. What is delivered again is entered again, because it
-- is a new use. Errors: DZ602 the position lies ahead.
CREATE FUNCTION exchange.feed_replay(subscription_in bigint, consumer_in text, after bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s exchange.subscription;
BEGIN
    SELECT * INTO s FROM exchange.subscription u
    WHERE u.id = subscription_in AND u.consumer = consumer_in AND u.state = 'open' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF after < 0 OR after > s.position THEN
        RAISE EXCEPTION 'a replay goes back from %', s.position USING ERRCODE = 'DZ602';
    END IF;
    UPDATE exchange.subscription u SET position = after, entered_to = after, failures = 0, retry_at = NULL, lease = NULL,
        leased_until = NULL WHERE u.id = s.id;
    PERFORM ledger.append('exchange.replayed', exchange.about_of(s.grant_id, 'subscribe') || jsonb_build_object(
        'subscription', s.id, 'register', s.register, 'from', s.position, 'after', after), NULL, NULL);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION exchange.feed_replay(bigint, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.feed_replay(bigint, text, bigint) TO dizuo_app;
