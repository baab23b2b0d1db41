-- The daily limit without a queue: calls under one right need not wait for one another's commits, and the limit is never passed.
--
-- While much of a day is left, a transaction takes a slot: a part of the day, counted as used beforehand in exchange.grant_use, that
-- nobody else holds meanwhile. When a day runs low there are no slots: what they had left goes back, and calls count one after the
-- other in the day's own row, so that exactly as many pass as were granted. Once a right was changed, its slots count for nothing.

CREATE TABLE exchange.use_slot (
    grant_id  bigint NOT NULL,
    day       date NOT NULL,
    slot      integer NOT NULL CHECK (slot BETWEEN 1 AND 32),
    version   integer NOT NULL,
    -- Subjects that are counted as used already and were not; calls that grant_use does not count yet.
    room      bigint NOT NULL CHECK (room >= 0),
    calls     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (grant_id, day, slot)
) WITH (fillfactor = 20);
COMMENT ON TABLE exchange.use_slot IS 'Parts of a day''s limit that calls count in side by side';

-- What was really used: subjects and calls per right and day.
CREATE VIEW exchange.grant_used AS
SELECT u.grant_id, u.day, u.used - coalesce(s.room, 0) AS used, u.calls + coalesce(s.calls, 0) AS calls, u.last_at
FROM exchange.grant_use u LEFT JOIN LATERAL (
    SELECT sum(t.room)::bigint AS room, sum(t.calls)::bigint AS calls FROM exchange.use_slot t
    WHERE t.grant_id = u.grant_id AND t.day = u.day) AS s ON true;

-- settle_use: give back what the slots of a day have left; waits for the calls that hold one. Locks the day first, then its slots, as
-- everybody does who waits here; who takes a slot waits for nobody.
CREATE FUNCTION exchange.settle_use(grant_in bigint, day_in date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM exchange.grant_use u WHERE u.grant_id = grant_in AND u.day = day_in FOR UPDATE;
    WITH gone AS (
        DELETE FROM exchange.use_slot s WHERE s.grant_id = grant_in AND s.day = day_in RETURNING s.room, s.calls
    ), total AS (SELECT sum(g.room)::bigint AS room, sum(g.calls)::bigint AS calls FROM gone g)
    UPDATE exchange.grant_use u SET used = u.used - t.room, calls = u.calls + t.calls
    FROM total t WHERE u.grant_id = grant_in AND u.day = day_in AND t.room IS NOT NULL;
END $$;

-- take_room: what may be counted today under a right, for `need` subjects at most, held until this transaction ends: a slot, or 0 for
-- the day's own row. No room at all (NULL) under a right that there is not.
CREATE FUNCTION exchange.take_room(grant_in bigint, day_in date, need bigint, OUT slot integer, OUT room bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    g      record;
    spent  bigint;
    block  bigint;
BEGIN
    SELECT s.slot, s.room INTO slot, room FROM exchange.use_slot s
    WHERE s.grant_id = grant_in AND s.day = day_in AND s.room >= need
      AND s.version = (SELECT d.version FROM exchange.data_grant d WHERE d.id = grant_in)
    ORDER BY s.slot LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT d.version, d.per_day INTO g FROM exchange.data_grant d WHERE d.id = grant_in;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO exchange.grant_use (grant_id, day, used, calls, last_at) VALUES (grant_in, day_in, 0, 0, now()) ON CONFLICT DO NOTHING;
    SELECT u.used INTO spent FROM exchange.grant_use u WHERE u.grant_id = grant_in AND u.day = day_in FOR UPDATE;
    IF EXISTS (SELECT FROM exchange.use_slot s WHERE s.grant_id = grant_in AND s.day = day_in AND s.version <> g.version) THEN
        PERFORM exchange.settle_use(grant_in, day_in);
        SELECT u.used INTO spent FROM exchange.grant_use u WHERE u.grant_id = grant_in AND u.day = day_in;
    END IF;
    -- All slots together are never more than half of what is left.
    block := least(5000, (g.per_day - spent) / 64);
    IF block >= 4 * need THEN
        SELECT s.slot, s.room INTO slot, room FROM exchange.use_slot s WHERE s.grant_id = grant_in AND s.day = day_in
        ORDER BY s.slot LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            SELECT coalesce(max(s.slot), 0) + 1 INTO slot FROM exchange.use_slot s WHERE s.grant_id = grant_in AND s.day = day_in;
            IF slot = 1 THEN
                PERFORM exchange.settle_use(grant_in, o.day)
                FROM (SELECT DISTINCT s.day FROM exchange.use_slot s WHERE s.grant_id = grant_in AND s.day < day_in ORDER BY 1) AS o;
            END IF;
            room := 0;
        END IF;
        IF slot <= 32 THEN
            UPDATE exchange.grant_use u SET used = u.used + block, last_at = now() WHERE u.grant_id = grant_in AND u.day = day_in;
            INSERT INTO exchange.use_slot AS s (grant_id, day, slot, version, room) VALUES (grant_in, day_in, slot, g.version, block)
            ON CONFLICT ON CONSTRAINT use_slot_pkey DO UPDATE SET room = s.room + EXCLUDED.room;
            room := room + block;
            RETURN;
        END IF;
    END IF;
    PERFORM exchange.settle_use(grant_in, day_in);
    slot := 0;
    SELECT g.per_day - u.used INTO room FROM exchange.grant_use u WHERE u.grant_id = grant_in AND u.day = day_in;
END $$;

REVOKE ALL ON exchange.use_slot, exchange.grant_used FROM PUBLIC;
REVOKE ALL ON FUNCTION exchange.settle_use(bigint, date), exchange.take_room(bigint, date, bigint) FROM PUBLIC;
GRANT SELECT ON exchange.grant_used TO dizuo_app;
