-- The feed begins where it was made, and does not grow where nobody reads it.

-- What stood in the registers before changes were noted: whoever follows the feed takes a copy of that first.
INSERT INTO registers.change_note (kind, register)
SELECT 'snapshot', t.register FROM registers.tally t
WHERE NOT EXISTS (SELECT FROM registers.change_note n WHERE n.kind = 'snapshot' AND n.register = t.register)
  AND NOT EXISTS (SELECT FROM registers.change c WHERE c.kind = 'snapshot' AND c.register = t.register)
GROUP BY t.register HAVING sum(t.records) > 0;

-- forget_changes: drop what was noted before a moment, never less than thirty days of it. For the owner; gives how many.
-- Notes that nobody has asked for yet get their positions first, so that they can be dropped, too.
CREATE OR REPLACE FUNCTION registers.forget_changes(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until bigint;
    gone  bigint;
BEGIN
    WHILE registers.number_changes(100000) > 0 LOOP
    END LOOP;
    PERFORM FROM registers.change_head FOR UPDATE;
    SELECT min(c.position) INTO until FROM registers.change c WHERE c.at >= least(before, now() - interval '30 days');
    SELECT coalesce(until, h.last + 1) INTO until FROM registers.change_head h;
    DELETE FROM registers.change c WHERE c.position < until;
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE registers.change_head SET kept_from = greatest(kept_from, until);
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION registers.forget_changes(timestamptz) FROM PUBLIC;
