-- What an organisation's officials see of their own connection to the exchange, and what they may stop: calls, keys, subscriptions.

-- Calls by kind and minute, the newest of a week. A help for whoever builds the calling system; it proves nothing, entries do.
CREATE TABLE exchange.call_minute (
    consumer  text COLLATE "C" NOT NULL,
    minute    timestamptz NOT NULL,
    key       text COLLATE "C" NOT NULL CHECK (length(key) <= 120),
    call      text COLLATE "C" NOT NULL CHECK (length(call) <= 40),
    resource  text COLLATE "C" NOT NULL CHECK (length(resource) <= 100),
    -- 0: under none.
    grant_id  bigint NOT NULL,
    status    smallint NOT NULL,
    -- The error's code, '' for an answer.
    code      text COLLATE "C" NOT NULL CHECK (length(code) <= 60),
    -- What the last of them was told, and the ledger's entry about it where there is one.
    says      text NOT NULL CHECK (length(says) <= 300),
    entry     bigint,
    times     bigint NOT NULL CHECK (times > 0),
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (consumer, minute, key, call, resource, grant_id, status, code)
);
COMMENT ON TABLE exchange.call_minute IS '最近的调用: calls of each department by kind and minute; nothing about anybody';

-- note_calls: add what a process counted, each kind of a minute once. Who is no department is not noted.
CREATE FUNCTION exchange.note_calls(told jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO exchange.call_minute AS m (consumer, minute, key, call, resource, grant_id, status, code, says, entry, times, last_at)
    SELECT t.consumer, t.minute, t.key, t.call, t.resource, t.grant_id, t.status, t.code, t.says, t.entry, t.times, t.last_at
    FROM jsonb_to_recordset(told) AS t (consumer text, minute timestamptz, key text, call text, resource text, grant_id bigint,
                                        status smallint, code text, says text, entry bigint, times bigint, last_at timestamptz)
    WHERE EXISTS (SELECT FROM exchange.department d WHERE d.id = t.consumer)
    -- In one order everywhere, so that two processes never wait for each other.
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (consumer, minute, key, call, resource, grant_id, status, code) DO UPDATE
    SET times = m.times + EXCLUDED.times, last_at = greatest(m.last_at, EXCLUDED.last_at), says = EXCLUDED.says,
        entry = coalesce(EXCLUDED.entry, m.entry);
    IF random() < 0.02 THEN
        DELETE FROM exchange.call_minute m USING (SELECT DISTINCT t.consumer FROM jsonb_to_recordset(told) AS t (consumer text)) AS c
        WHERE m.consumer = c.consumer AND m.minute < greatest(now() - interval '7 days', coalesce((
            SELECT o.minute FROM exchange.call_minute o WHERE o.consumer = c.consumer ORDER BY o.minute DESC OFFSET 5000 LIMIT 1), '-infinity'));
    END IF;
END $$;

-- stop_own_key: officials stop a key of their own department, with its entry; who serves can stop a key and never make one.
-- actor: {account, name, unit, post}. DZ042 no such key of theirs in use, DZ069 no words.
CREATE FUNCTION exchange.stop_own_key(key_in text, why_in text, actor jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF length(btrim(why_in)) < 2 THEN
        RAISE EXCEPTION 'a key is not stopped without words' USING ERRCODE = 'DZ069';
    END IF;
    UPDATE exchange.signing_key k SET revoked_at = clock_timestamp(), revoked_by = coalesce(nullif(actor ->> 'name', ''), actor ->> 'account'),
        revoked_why = btrim(why_in)
    WHERE k.id = key_in AND k.consumer = actor ->> 'unit' AND k.revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no key % in use', key_in USING ERRCODE = 'DZ042';
    END IF;
    PERFORM ledger.append('exchange.key_revoked', jsonb_build_object('key', key_in, 'consumer', actor ->> 'unit', 'by', actor ->> 'account',
        'unit', actor ->> 'unit', 'post', actor ->> 'post'), NULL, jsonb_build_object('why', btrim(why_in)));
END $$;

-- A subscription may rest on its consumer's wish: nothing leaves, nothing is lost, it goes on where it stood.
ALTER TABLE exchange.subscription DROP CONSTRAINT subscription_state_check,
    ADD CONSTRAINT subscription_state_check CHECK (state IN ('open', 'paused', 'ended')),
    ADD COLUMN delivered_at timestamptz;
COMMENT ON COLUMN exchange.subscription.delivered_at IS 'When the consumer last took something';

-- feed_pause: nothing leaves any more; what is under way still arrives. False: not open, or not this department's.
CREATE FUNCTION exchange.feed_pause(subscription_in bigint, why_in text, actor jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s exchange.subscription;
BEGIN
    UPDATE exchange.subscription u SET state = 'paused', why = 'paused'
    WHERE u.id = subscription_in AND u.consumer = actor ->> 'unit' AND u.state = 'open' RETURNING * INTO s;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger.append('exchange.paused', exchange.about_of(s.grant_id, 'subscribe') || jsonb_build_object(
        'subscription', s.id, 'register', s.register, 'actor', jsonb_build_object('kind', 'official', 'unit', actor ->> 'unit', 'post', actor ->> 'post'),
        'by', actor ->> 'account'), NULL, CASE WHEN btrim(why_in) <> '' THEN jsonb_build_object('why', btrim(why_in)) END);
    RETURN true;
END $$;

-- feed_resume: it goes on where it stood, at once. False: not paused, or not this department's. DZ603 too many open under the right.
CREATE FUNCTION exchange.feed_resume(subscription_in bigint, actor jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s exchange.subscription;
BEGIN
    SELECT * INTO s FROM exchange.subscription u
    WHERE u.id = subscription_in AND u.consumer = actor ->> 'unit' AND u.state = 'paused';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- The right first, as whoever opens one does, so that the count holds.
    PERFORM 1 FROM exchange.data_grant d WHERE d.id = s.grant_id FOR UPDATE;
    IF (SELECT count(*) FROM exchange.subscription o WHERE o.grant_id = s.grant_id AND o.state = 'open') >= 10 THEN
        RAISE EXCEPTION 'too many subscriptions under this grant' USING ERRCODE = 'DZ603';
    END IF;
    UPDATE exchange.subscription u SET state = 'open', why = '', failures = 0, last_error = '', retry_at = NULL
    WHERE u.id = s.id AND u.state = 'paused';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger.append('exchange.resumed', exchange.about_of(s.grant_id, 'subscribe') || jsonb_build_object(
        'subscription', s.id, 'register', s.register, 'actor', jsonb_build_object('kind', 'official', 'unit', actor ->> 'unit', 'post', actor ->> 'post'),
        'by', actor ->> 'account'), NULL, NULL);
    RETURN true;
END $$;

-- feed_end, feed_replay and feed_ack as in 0060 and 0061, of a paused one too; the last tells when something was taken.
CREATE OR REPLACE FUNCTION exchange.feed_end(subscription_in bigint, consumer_in text, reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s exchange.subscription;
BEGIN
    UPDATE exchange.subscription u SET state = 'ended', why = reason, lease = NULL, leased_until = NULL
    WHERE u.id = subscription_in AND u.consumer = consumer_in AND u.state IN ('open', 'paused') RETURNING * INTO s;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM ledger.append('exchange.unsubscribed', exchange.about_of(s.grant_id, 'subscribe') || jsonb_build_object(
        'subscription', s.id, 'register', s.register, 'reason', reason, 'delivered', s.delivered), NULL, NULL);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION exchange.feed_replay(subscription_in bigint, consumer_in text, after bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s exchange.subscription;
BEGIN
    SELECT * INTO s FROM exchange.subscription u
    WHERE u.id = subscription_in AND u.consumer = consumer_in AND u.state IN ('open', 'paused') FOR UPDATE;
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

CREATE OR REPLACE FUNCTION exchange.feed_ack(subscription_in bigint, holder uuid, upto bigint, events integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE exchange.subscription u SET position = upto, failures = 0, last_error = '', retry_at = NULL,
        delivered = u.delivered + events, delivered_at = clock_timestamp()
    WHERE u.id = subscription_in AND u.state IN ('open', 'paused') AND u.lease IS NOT DISTINCT FROM holder
      AND upto > u.position AND upto <= u.entered_to;
    RETURN FOUND;
END $$;

-- feeds_behind: how many positions of the feed lie before each running subscription of a department; not all of them concern it.
CREATE FUNCTION exchange.feeds_behind(consumer_in text) RETURNS TABLE (id bigint, behind bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reach record := registers.change_reach();
BEGIN
    RETURN QUERY SELECT s.id, greatest(reach.last - s.position, 0) FROM exchange.subscription s
    WHERE s.consumer = consumer_in AND s.state <> 'ended' ORDER BY s.id;
END $$;

REVOKE ALL ON exchange.call_minute FROM PUBLIC;
REVOKE ALL ON FUNCTION exchange.note_calls(jsonb), exchange.stop_own_key(text, text, jsonb), exchange.feed_pause(bigint, text, jsonb),
    exchange.feed_resume(bigint, jsonb), exchange.feeds_behind(text) FROM PUBLIC;
GRANT SELECT ON exchange.call_minute TO dizuo_app;
GRANT EXECUTE ON FUNCTION exchange.note_calls(jsonb), exchange.stop_own_key(text, text, jsonb), exchange.feed_pause(bigint, text, jsonb),
    exchange.feed_resume(bigint, jsonb), exchange.feeds_behind(text) TO dizuo_app;
